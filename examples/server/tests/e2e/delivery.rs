//! First mail at once, second level after its wait and not before, nothing after the claim; and P9 to P13
//! against a mail server that fails in every way.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup, unix_now};

fn time(value: &Value) -> chrono::DateTime<chrono::Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn at(mails: &[Value], to: &str) -> f64 {
    mails.iter().find(|m| m["to"] == to).unwrap()["at"].as_f64().unwrap()
}

async fn until(holds: impl Fn() -> bool, what: &str) {
    for _ in 0..SOON.as_millis() / 20 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not after {SOON:?}: {what}");
}

async fn escalates_until_claimed(server: &Server, mail: &MailServer) {
    server
        .team(
            "t",
            2,
            json!("jo@example.org"),
            json!(["kim@example.org", "lee@example.org"]),
            "ops@example.org",
        )
        .await;
    // The level begins after this, so its wait can end no earlier than this and the wait.
    let reported_at = unix_now();
    let number = server.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    mail.wait_for("kim@example.org", 1, SOON).await;
    let (status, claimed) =
        server.post(&format!("/incidents/{number}"), json!({ "state": "CLAIMED", "by": "kim" })).await;
    assert_eq!((status, &claimed["claimedBy"]), (StatusCode::OK, &json!("kim")));
    tokio::time::sleep(Duration::from_secs(3)).await;
    // The claim may have come late, but no level began after it.
    let incident = server.get(&format!("/incidents/{number}")).await;
    let claimed_at = time(&incident["claimedAt"]);
    let began = incident["timeline"].as_array().unwrap().iter().filter(|e| e["event"] == "levelBegan");
    let began: Vec<_> = began.map(|e| time(&e["at"])).collect();
    assert!(began.len() >= 2 && began.iter().all(|at| *at <= claimed_at), "after the claim: {incident:#}");
    let mails = mail.accepted();
    assert_eq!(mails.len(), began.len(), "one mail for each level: {mails:?}");
    let waited = at(&mails, "kim@example.org") - reported_at;
    assert!(waited >= 2.0, "the second level came after {waited} s");
}

#[tokio::test]
async fn p08_p11_the_second_level_after_its_wait_and_nothing_after_the_claim() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).start().await;
    escalates_until_claimed(&server, &mail).await;
}

#[tokio::test]
async fn the_same_over_starttls_and_auth() {
    let dir = tempfile::tempdir().unwrap();
    let authority = dir.path().join("authority.pem");
    let mail = MailServer::start_secure(&authority).await;
    let mut setup = Setup::new(dir.path(), mail.port);
    let url = setup.args.last_mut().unwrap();
    *url = format!("smtp://jo:s3cret@localhost:{}?tls=required", mail.port);
    setup.env.push(("SSL_CERT_FILE".to_owned(), authority.display().to_string()));
    let server = setup.start().await;
    escalates_until_claimed(&server, &mail).await;
    assert!(mail.accepted().iter().all(|m| m["encrypted"] == true && m["authenticated"] == true));
    assert!(!server.output().contains("s3cret"), "the password shows in the log");
}

#[tokio::test]
async fn p12_a_rejected_level_is_left_at_once_and_the_fallback_comes_once() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).start().await;
    let dead = json!(["reject-a@example.org", "reject-b@example.org"]);
    server.team("t", 600, dead, json!(["reject-c@example.org"]), "ops@example.org").await;
    let number = server.report("t").await;
    mail.wait_for("ops@example.org", 1, SOON).await;
    let shown = server.until(number, SOON, |i| i["unclaimed"] == true).await;
    assert_eq!(shown["undelivered"], false);
    for who in ["reject-a@example.org", "reject-b@example.org", "reject-c@example.org"] {
        assert_eq!(mail.refused(who), 1, "{who} is dead after one refusal");
    }

    server.team("lost", 600, json!("reject-d@example.org"), json!([]), "reject-e@example.org").await;
    let number = server.report("lost").await;
    server.until(number, SOON, |i| i["undelivered"] == true).await;
    let health = server.get("/healthz").await;
    assert_eq!((&health["status"], &health["undelivered"]), (&json!("degraded"), &json!(1)));
    until(|| server.output().contains("nobody could be reached"), "the log says so").await;
}

#[tokio::test]
async fn p09_a_busy_or_absent_mail_server_is_tried_again_until_it_takes_the_mail() {
    let dir = tempfile::tempdir().unwrap();
    let mut mail = MailServer::start().await;
    let port = mail.port;
    let server = Setup::new(dir.path(), port).start().await;
    server.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    mail.mode("busy");
    server.report("t").await;
    until(|| mail.refused("jo@example.org") >= 2, "4xx is tried again").await;
    mail.mode("ok");
    mail.wait_for("jo@example.org", 1, SOON).await;

    drop(mail);
    let number = server.report("t").await;
    server.until(number, SOON, |i| i["deliveries"][0]["lastOutcome"]["kind"] == "unavailable").await;
    let mail = MailServer::start_at(port).await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(mail.accepted_to("jo@example.org"), 1);
}

#[tokio::test]
async fn p13_a_hanging_contact_delays_neither_its_neighbour_nor_the_next_level() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).with("--lease-seconds", "600").start().await;
    let level = json!(["hang-a@example.org", "close-b@example.org", "jo@example.org"]);
    server.team("t", 2, level, json!(["kim@example.org"]), "ops@example.org").await;
    let reported_at = unix_now();
    server.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    mail.wait_for("kim@example.org", 1, SOON).await;
    let mails = mail.accepted();
    let waited = at(&mails, "kim@example.org") - reported_at;
    assert!((2.0..290.0).contains(&waited), "the next level came after {waited} s");
    // A lost reply is unknown: the mail may have arrived, and is sent again under the same name.
    let closed = || mail.lost().into_iter().filter(|m| m["to"] == "close-b@example.org").collect::<Vec<_>>();
    until(|| closed().len() >= 2, "a lost reply is tried again").await;
    let (lost, closed) = (mail.lost(), closed());
    assert!(closed.iter().all(|m| m["delivery"] == closed[0]["delivery"]));
    // The hanging one is still within its first attempt's deadline, so it was tried once.
    assert_eq!(lost.iter().filter(|m| m["to"] == "hang-a@example.org").count(), 1);
}

#[tokio::test]
async fn p05_a_release_alerts_again_at_level_1_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).start().await;
    server.team("t", 600, json!("jo@example.org"), json!(["kim@example.org"]), "ops@example.org").await;
    let number = server.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    let path = format!("/incidents/{number}");
    assert_eq!(server.post(&path, json!({ "state": "CLAIMED", "by": "kim" })).await.0, StatusCode::OK);
    let (status, answer) = server.post(&path, json!({ "state": "OPEN", "by": "jo" })).await;
    assert_eq!((status, &answer["claimedBy"]), (StatusCode::CONFLICT, &json!("kim")));
    assert_eq!(server.post(&path, json!({ "state": "OPEN", "by": "kim" })).await.0, StatusCode::OK);
    mail.wait_for("jo@example.org", 2, SOON).await;
    let mails = mail.accepted();
    assert_ne!(mails[0]["delivery"], mails[1]["delivery"]);
    assert_eq!(mails[0]["subject"], mails[1]["subject"]);
}

fn events(incident: &Value, event: &str) -> Vec<Value> {
    incident["timeline"].as_array().unwrap().iter().filter(|e| e["event"] == event).cloned().collect()
}

/// Gives an incident to somebody whom the roster does not know.
async fn give(server: &Server, number: u64, to: &str) -> Value {
    let handed = json!({ "handTo": to, "by": "jo" });
    let (status, answer) = server.post(&format!("/incidents/{number}"), handed).await;
    assert_eq!((status, &answer["claimedBy"]), (StatusCode::OK, &json!(to)));
    let warning = answer["warnings"][0]["message"].as_str().unwrap();
    assert!(warning.contains("is not in the roster of team"), "{warning}");
    answer
}

/// The same, and waits until it is open again.
async fn given_and_open_again(server: &Server, number: u64, to: &str) {
    let before = events(&give(server, number, to).await, "handoverUnanswered").len();
    let again = server.until(number, SOON, |i| events(i, "handoverUnanswered").len() > before).await;
    let last = |event: &str| -> DateTime<Utc> {
        events(&again, event).last().unwrap()["at"].as_str().unwrap().parse().unwrap()
    };
    assert!((last("handoverUnanswered") - last("handedOver")).num_milliseconds() >= 3000, "early: {again}");
    assert_eq!((&again["state"], &again["claimedBy"]), (&json!("OPEN"), &Value::Null));
}

#[tokio::test]
async fn p22_an_incident_that_is_given_to_whom_nobody_can_tell_is_flagged_and_open_again_after_the_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let port = mail.port;
    let server = Setup::new(dir.path(), port).start().await;
    // A server that refuses the address.
    server.team("slow", 3600, json!("lee@example.org"), json!([]), "ops@example.org").await;
    let number = server.report("slow").await;
    mail.wait_for("lee@example.org", 1, SOON).await;
    give(&server, number, "reject-kim@example.org").await;
    let flagged = server.until(number, SOON, |i| i["handoverUnconfirmed"] == true).await;
    assert_eq!((&flagged["state"], mail.refused("reject-kim@example.org")), (&json!("CLAIMED"), 1));

    server.team("t", 3, json!("jo@example.org"), json!([]), "ops@example.org").await;
    let number = server.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    given_and_open_again(&server, number, "reject-kim@example.org").await;
    mail.wait_for("jo@example.org", 2, SOON).await;
    // One that is not there.
    drop(mail);
    given_and_open_again(&server, number, "kim@example.org").await;
    let mail = MailServer::start_at(port).await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    assert_eq!(mail.accepted_to("kim@example.org"), 0, "it is no longer theirs");
}
