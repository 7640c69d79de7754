//! A database that cannot be written: a clear error, no number, and it recovers.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::load::Lock;
use crate::mail::MailServer;
use crate::server::{SOON, Setup};

#[tokio::test]
async fn a_locked_database_answers_503_without_a_number_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).start().await;
    server.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    // Another process keeps the write lock for longer than the server waits for it.
    let lock = Lock::take(&dir.path().join("test.db"));
    let report = json!({ "service": "t", "severity": "CRIT", "title": "5xx", "message": "" });
    let (status, answer) = server.call(Method::PUT, "/incidents", Some(report)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    assert_eq!(answer["mayHaveBeenRecorded"], false, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("locked") && answer.get("incidentId").is_none());
    lock.release();
    server.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("test.db"),
        "this is not a database, and it is long enough to tell".repeat(50),
    )
    .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_inresponse"))
        .current_dir(dir.path())
        .args(["--listen", "127.0.0.1:0", "--db", "test.db"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("corrupted or not a database"), "{text}");
}
