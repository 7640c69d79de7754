//! What servers share.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::cluster::Cluster;
use crate::server::Server;

#[tokio::test]
async fn p10_a_report_to_one_of_two_servers_is_alerted_once() {
    const INCIDENTS: usize = 40;
    let cluster = Cluster::start().await;
    let [first, second] = &cluster.servers;
    first.team("t", 2, json!("jo@example.org"), json!(["kim@example.org"]), "ops@example.org").await;
    let mut numbers = Vec::new();
    for _ in 0..INCIDENTS / 2 {
        let (a, b) = tokio::join!(first.report("t"), second.report("t"));
        numbers.extend([a, b]);
    }
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), INCIDENTS);
    let people = ["jo@example.org", "kim@example.org", "ops@example.org"];
    for who in people {
        cluster.account.wait_for_mails(who, INCIDENTS).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    for who in people {
        let mails = cluster.account.mails(who).await;
        assert_eq!(mails.len(), INCIDENTS, "{who} was alerted twice");
        for number in &numbers {
            let of = mails.iter().filter(|mail| mail.contains(&format!("#{number} "))).count();
            assert_eq!(of, 1, "{who} of {number}");
        }
    }
}

#[tokio::test]
async fn p09_what_a_dead_server_left_is_done_by_the_other() {
    let mut cluster = Cluster::start().await;
    cluster.servers[0].team("t", 3, json!("jo@example.org"), json!([]), "ops@example.org").await;
    cluster.servers[0].report("t").await;
    cluster.account.wait_for_mails("jo@example.org", 1).await;
    cluster.servers[0].kill();
    cluster.account.wait_for_mails("ops@example.org", 1).await;
}

/// What the button answers behind the mail's link, if it is opened at that server.
pub(crate) async fn press(mail: &str, at: &Server) -> StatusCode {
    let start = mail.find("/incidents/").expect("the mail has a link");
    let path: String = mail[start..].chars().take_while(|c| !c.is_whitespace()).collect();
    assert!(path.contains("/claim?token="), "{path}");
    reqwest::Client::new().post(format!("{}{path}", at.url)).send().await.unwrap().status()
}

#[tokio::test]
async fn p06_a_link_from_one_server_claims_at_the_other() {
    let cluster = Cluster::start().await;
    let [first, second] = &cluster.servers;
    first.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    // The server that takes a report sends its first mail, with its own address in the link.
    for (seen, (reported_to, other)) in [(first, second), (second, first)].into_iter().enumerate() {
        let number = reported_to.report("t").await;
        let mails = cluster.account.wait_for_mails("jo@example.org", seen + 1).await;
        let mail = mails.last().unwrap();
        assert!(mail.contains(&format!("{}/incidents/{number}/claim", reported_to.url)), "{mail}");
        assert_eq!(press(mail, other).await, StatusCode::OK);
        let incident = reported_to.get(&format!("/incidents/{number}")).await;
        assert_eq!(incident["claimedBy"], "jo@example.org");
    }
}

#[tokio::test]
async fn p03_a_dedup_key_is_held_for_all_servers() {
    let cluster = Cluster::start().await;
    let [first, second] = &cluster.servers;
    first.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    let report =
        json!({ "service": "t", "severity": "CRIT", "title": "5xx", "message": "many", "dedupKey": "5xx" });
    let (status, new) = first.call(Method::PUT, "/incidents", Some(report.clone())).await;
    assert_eq!(status, StatusCode::CREATED, "{new}");
    let (status, repeat) = second.call(Method::PUT, "/incidents", Some(report.clone())).await;
    assert_eq!((status, &repeat["incidentId"]), (StatusCode::OK, &new["incidentId"]), "{repeat}");
    let path = format!("/incidents/{}", new["incidentId"]);
    assert_eq!(first.get(&path).await["count"], 2);
    let (status, _) = first.post(&path, json!({ "state": "RESOLVED" })).await;
    assert_eq!(status, StatusCode::OK);
    let (status, next) = second.call(Method::PUT, "/incidents", Some(report)).await;
    assert_eq!(status, StatusCode::CREATED, "{next}");
    assert_eq!(cluster.account.wait_for_mails("jo@example.org", 2).await.len(), 2);
}
