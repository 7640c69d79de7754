//! Two processes on one database file.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup};

/// Waits until a server has noticed what the other one wrote into the roster last.
async fn knows(server: &Server, service: &str) {
    for _ in 0..SOON.as_millis() / 50 {
        if server.try_call(Method::GET, &format!("/services/{service}"), None).await.unwrap().0
            == StatusCode::OK
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{service} is not noticed");
}

#[tokio::test]
async fn p10_two_servers_send_each_delivery_once() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port);
    let (first, second) = (setup.start().await, setup.start().await);
    first.team("t", 2, json!("jo@example.org"), json!(["kim@example.org"]), "ops@example.org").await;
    const INCIDENTS: usize = 200;
    for i in 0..INCIDENTS / 2 {
        let (a, b) = tokio::join!(first.report("t"), second.report("t"));
        assert_ne!(a, b, "{i}");
    }
    for who in ["jo@example.org", "kim@example.org", "ops@example.org"] {
        mail.wait_for(who, INCIDENTS, SOON).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut deliveries: Vec<_> =
        mail.accepted().iter().map(|m| m["delivery"].as_str().unwrap().to_owned()).collect();
    assert_eq!(deliveries.len(), 3 * INCIDENTS);
    deliveries.sort();
    deliveries.dedup();
    assert_eq!(deliveries.len(), 3 * INCIDENTS, "a delivery was sent twice");
}

#[tokio::test]
async fn a_report_to_one_is_alerted_though_the_other_holds_a_lease_and_dies() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port).with("--lease-seconds", "12");
    let (mut first, second) = (setup.start().await, setup.start().await);
    first.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    first
        .team("h", 600, json!(["hang-a@example.org", "kim@example.org"]), json!([]), "ops@example.org")
        .await;
    knows(&second, "t").await;
    // The first is in the middle of a send, and holds its lease.
    first.report("h").await;
    mail.wait_for("kim@example.org", 1, SOON).await;
    second.report("t").await;
    mail.wait_for("jo@example.org", 1, SOON).await;
    // It dies during a send: the other one takes over when the lease ends.
    first.kill();
    for _ in 0..SOON.as_millis() / 50 {
        if mail.lost().len() >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let lost = mail.lost();
    assert!(lost.len() >= 2 && lost[0]["delivery"] == lost[1]["delivery"], "{lost:?}");
    assert_eq!(mail.accepted_to("kim@example.org"), 1, "what was recorded is not repeated");
}

/// Who is told is never decided by a roster that another server has just changed.
#[tokio::test]
async fn p12_a_change_of_the_roster_on_one_server_is_known_to_the_other_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let config = "fallback = ['last@example.org']\ncatch-all = 'devops'\n";
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let setup = Setup::new(dir.path(), mail.port).with("--config", "config.toml");
    let (first, second) = (setup.start().await, setup.start().await);
    let report = async |service: &str| {
        let body = json!({ "service": service, "severity": "CRIT", "title": "5xx", "message": "many" });
        let number = second.put("/incidents", body).await["incidentId"].as_u64().unwrap();
        second.get(&format!("/incidents/{number}")).await
    };
    for i in 0..10 {
        let (shop, team, person) = (format!("shop{i}"), format!("team{i}"), format!("jo{i}@example.org"));
        assert_eq!(report(&shop).await["team"], "devops", "nobody owns it yet");
        first.put(&format!("/teams/{team}"), json!({ "fallback": ["ops@example.org"] })).await;
        // What one server was told the other does not refuse.
        second.get(&format!("/teams/{team}/oncall")).await;
        first.put(&format!("/services/{shop}"), json!({ "team": team })).await;
        let incident = report(&shop).await;
        assert_eq!(incident["team"], *team);
        let today = second.get(&format!("/teams/{team}/oncall")).await["day"].as_str().unwrap().to_owned();
        first
            .put(&format!("/teams/{team}/calendar/{today}"), json!({ "oncall": person, "escalation": [] }))
            .await;
        let incident = report(&shop).await["incidentId"].as_u64().unwrap();
        let alerted = |incident: &serde_json::Value| {
            let deliveries = incident["deliveries"].as_array().unwrap();
            deliveries.iter().any(|delivery| delivery["contact"] == *person)
        };
        second.until(incident, Duration::from_secs(30), alerted).await;
        let handed = json!({ "handToTeam": team, "by": "jo" });
        let (status, answer) = second.post(&format!("/incidents/{incident}"), handed).await;
        assert!(status.is_success(), "{answer}");
    }
}
