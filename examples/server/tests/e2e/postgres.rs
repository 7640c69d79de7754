//! Servers on PostgreSQL.

use std::time::Duration;

use inresponse_testkit::postgres::Postgres;
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup, Started};

fn setup(postgres: &Postgres, dir: &tempfile::TempDir, mail: &MailServer) -> Setup {
    Setup::on(["--postgres-url", &postgres.url()], dir.path(), mail.port)
}

async fn state_of(server: &Server, number: u64) -> Value {
    server.get(&format!("/incidents/{number}")).await["state"].clone()
}

#[tokio::test]
async fn p01_p06_a_report_is_mailed_and_claimed_and_outlives_the_server_and_the_database() {
    let (mut postgres, dir, mail) =
        (Postgres::start(), tempfile::tempdir().unwrap(), MailServer::start().await);
    let setup = setup(&postgres, &dir, &mail);
    let mut first = setup.start().await;
    first.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    let number = first.report("t").await;
    assert!(number >= 10_000, "{number}");
    mail.wait_for("jo@example.org", 1, SOON).await;
    let second = setup.start().await;
    let claim = json!({ "state": "CLAIMED", "by": "jo" });
    let (status, answer) = second.post(&format!("/incidents/{number}"), claim.clone()).await;
    assert!(status.is_success(), "{answer}");
    let (status, _) =
        first.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "kim" })).await;
    assert_eq!(status.as_u16(), 409, "the other server knows who has it");
    first.kill();
    drop(second);
    postgres.stop_immediately();
    postgres.start_again();
    let third = setup.start().await;
    assert_eq!(state_of(&third, number).await, "CLAIMED");
    assert!(!dir.path().join("inresponse.db").exists(), "there is no database file");
    assert_eq!(mail.accepted_to("jo@example.org"), 1);
}

#[tokio::test]
async fn p10_two_servers_on_postgres_send_each_delivery_once() {
    let (postgres, dir, mail) = (Postgres::start(), tempfile::tempdir().unwrap(), MailServer::start().await);
    let setup = setup(&postgres, &dir, &mail);
    let (first, second) = (setup.start().await, setup.start().await);
    first.team("t", 2, json!("jo@example.org"), json!(["kim@example.org"]), "ops@example.org").await;
    const INCIDENTS: usize = 100;
    for i in 0..INCIDENTS / 2 {
        let (a, b) = tokio::join!(first.report("t"), second.report("t"));
        assert_ne!(a, b, "{i}");
    }
    for who in ["jo@example.org", "kim@example.org", "ops@example.org"] {
        mail.wait_for(who, INCIDENTS, SOON).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let accepted = mail.accepted();
    let deliveries: std::collections::HashSet<_> = accepted.iter().map(|m| m["delivery"].as_str()).collect();
    assert_eq!(
        (accepted.len(), deliveries.len()),
        (3 * INCIDENTS, 3 * INCIDENTS),
        "a delivery was sent twice"
    );
}

/// While the database is away nothing is answered with a number. Afterwards the servers go on by themselves.
#[tokio::test]
async fn p04_p09_servers_go_on_after_an_outage_of_the_database() {
    let (mut postgres, dir, mail) =
        (Postgres::start(), tempfile::tempdir().unwrap(), MailServer::start().await);
    let server = setup(&postgres, &dir, &mail).start().await;
    server.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    server.report("t").await;
    postgres.stop_immediately();
    let body = json!({ "service": "t", "severity": "CRIT", "title": "5xx", "message": "many" });
    let (status, answer) = server.call(Method::PUT, "/incidents", Some(body.clone())).await;
    assert_eq!(status.as_u16(), 503, "{answer}");
    assert!(answer.get("incidentId").is_none(), "{answer}");
    postgres.start_again();
    for _ in 0..SOON.as_millis() / 100 {
        let (status, answer) = server.call(Method::PUT, "/incidents", Some(body.clone())).await;
        if status.is_success() {
            mail.wait_for("jo@example.org", 2, SOON).await;
            return;
        }
        assert_eq!(status.as_u16(), 503, "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server does not go on:\n{}", server.output());
}

/// A database on another machine is reached with TLS only, and only if its certificate is trusted. No output shows the
/// password.
#[tokio::test]
async fn a_connection_with_tls_trusts_the_authorities_of_the_machine_only() {
    let (mut postgres, dir, mail) =
        (Postgres::start(), tempfile::tempdir().unwrap(), MailServer::start().await);
    let authority = dir.path().join("authority.pem");
    let url = postgres.secure(&authority);
    let setup = |query: &str| Setup::on(["--postgres-url", &format!("{url}{query}")], dir.path(), mail.port);
    let refusal = |setup: Setup| match setup.try_start() {
        Started::Ended(output) => output,
        Started::Listens(_) => panic!("the server started"),
    };
    let plain = refusal(setup("?sslmode=disable"));
    assert!(plain.contains("the database refused the user or the password"), "{plain}");
    let untrusted = refusal(setup("?sslmode=require"));
    assert!(untrusted.contains("the database cannot be reached"), "{untrusted}");
    assert!(!format!("{plain}{untrusted}").contains("canary"), "{plain}{untrusted}");
    let mut trusting = setup("?sslmode=require");
    trusting.env.push(("SSL_CERT_FILE".to_owned(), authority.display().to_string()));
    let server = trusting.start().await;
    server.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    server.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    assert!(server.output().contains("PostgreSQL, 127.0.0.1"), "{}", server.output());
    assert!(!server.output().contains("canary"), "{}", server.output());
}
