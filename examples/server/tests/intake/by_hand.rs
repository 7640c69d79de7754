//! What the pages show for people to type, and the rest of their configuration, as it stands.

use std::process::Command;

use reqwest::Method;
use serde_json::json;

use crate::pages;
use crate::process::run;
use crate::site::Site;

async fn curl(page: &str) -> serde_json::Value {
    let site = Site::new().await;
    let command = pages::block_for(&site.server, page, "sh", 0);
    let (succeeded, text) = run(Command::new("sh").args(["-ec", &command]));
    assert!(succeeded && !text.contains("about:blank"), "{text}");
    site.opened("").await
}

#[tokio::test]
async fn the_page_of_pagerduty_shows_a_call_that_works() {
    let incident = curl("pagerduty.md").await;
    assert_eq!(
        (&incident["title"], &incident["source"]),
        (&"Disk of db-1 is full".into(), &"pagerduty".into())
    );
}

#[tokio::test]
async fn the_page_of_opsgenie_shows_a_call_that_works() {
    let incident = curl("opsgenie.md").await;
    assert_eq!(
        (&incident["title"], &incident["source"]),
        (&"Disk of db-1 is full".into(), &"opsgenie".into())
    );
}

#[tokio::test]
async fn the_pages_show_a_rule_and_a_mapping_that_work() {
    let more = [pages::block("README.md", "toml", 1), pages::block("generic.md", "toml", 0)];
    let site = Site::with(&more.concat()).await;
    let probe = |up: bool| json!({ "monitor": { "id": 7, "name": "shop", "url": "https://shop.example.org" }, "up": up, "msg": "down" });
    let path = "/intake/generic/probe";
    let (status, answer) = site.server.call(Method::POST, path, Some(probe(false))).await;
    assert!(status.is_success(), "{answer}");
    let incident = site.opened("").await;
    assert_eq!((&incident["title"], &incident["severity"]), (&"shop".into(), &"CRIT".into()));
    assert_eq!((&incident["links"][0]["text"], &incident["dedupKey"]), (&"Probe".into(), &"7".into()));
    let (_, answer) = site.server.call(Method::POST, path, Some(probe(true))).await;
    assert_eq!(answer["alerts"][0]["status"], "resolved");
    let alerts =
        json!([{ "labels": { "alertname": "X", "app": "athens", "service": "other", "tier": "silver" } }]);
    let (_, answer) = site.server.call(Method::POST, "/api/v2/alerts", Some(alerts)).await;
    let number = answer["alerts"][0]["incidentId"].as_u64().unwrap();
    let incident = site.server.get(&format!("/incidents/{number}")).await;
    assert_eq!((&incident["service"], &incident["severity"]), (&"athens".into(), &"ERR".into()));
}
