//! What people are told about what other people did, and what they pass on by hand.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup};

/// An incident of a team with an hour's wait, of which jo has been alerted.
async fn alerted(server: &Server, mail: &MailServer) -> u64 {
    let (jo, kim) = (json!("jo@example.org"), json!(["kim@example.org"]));
    server.team("t", 3600, jo, kim, "ops@example.org").await;
    let number = server.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    number
}

async fn post(server: &Server, number: u64, body: serde_json::Value) {
    let (status, answer) = server.post(&format!("/incidents/{number}"), body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

#[tokio::test]
async fn people_who_were_alerted_are_told_who_has_it_and_nobody_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let mut setup = Setup::new(dir.path(), mail.port);
    setup.args.push("--tell-claims".to_owned());
    let server = setup.start().await;
    let number = alerted(&server, &mail).await;
    post(&server, number, json!({ "state": "CLAIMED", "by": "lee" })).await;
    mail.wait_for("jo@example.org", 2, SOON).await;
    post(&server, number, json!({ "state": "RESOLVED", "by": "lee" })).await;
    mail.wait_for("jo@example.org", 3, SOON).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(mail.accepted().len(), 3, "{:?}", mail.accepted());
}

#[tokio::test]
async fn a_hand_over_reaches_whom_it_is_given_to_and_an_escalation_the_next_level() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).start().await;
    let number = alerted(&server, &mail).await;
    post(&server, number, json!({ "escalate": true, "by": "jo" })).await;
    mail.wait_for("kim@example.org", 1, SOON).await;
    post(&server, number, json!({ "handTo": "max@example.org", "by": "kim" })).await;
    mail.wait_for("max@example.org", 1, SOON).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(mail.accepted().len(), 3, "{:?}", mail.accepted());
}
