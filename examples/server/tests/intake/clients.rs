//! PagerDuty's and Opsgenie's own client libraries for Python.

use std::process::Command;

use serde_json::Value;

use crate::process::run;
use crate::server::Server;
use crate::site::Site;

async fn does(server: &Server, library: &str, action: &str) {
    let python = std::env::var("INRESPONSE_TEST_PYTHON").expect("the tests run by `cargo xtask test`");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/intake/clients.py");
    let mut command = Command::new(python);
    command.args([script, library, action, &server.url, "ir_your_athens_key"]);
    let (succeeded, text) = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert!(succeeded, "{library} {action}: {text}");
}

async fn triggers_acknowledges_and_resolves(library: &str) -> Value {
    let site = Site::new().await;
    does(&site.server, library, "trigger").await;
    does(&site.server, library, "trigger").await;
    let incident = site.opened("").await;
    assert_eq!((&incident["count"], &incident["dedupKey"]), (&2.into(), &"disk/db-1".into()));
    assert_eq!((&incident["title"], &incident["severity"]), (&"The disk is full".into(), &"CRIT".into()));
    assert_eq!(incident["labels"]["free"], "1%");
    does(&site.server, library, "acknowledge").await;
    site.until("claimed", "", |incident| incident["state"] == "CLAIMED").await;
    does(&site.server, library, "resolve").await;
    site.resolved("").await
}

#[tokio::test]
async fn pagerdutys_client_triggers_acknowledges_and_resolves() {
    let incident = triggers_acknowledges_and_resolves("pagerduty").await;
    assert_eq!(incident["claimedBy"], "athens-events");
}

#[tokio::test]
async fn opsgenies_client_triggers_acknowledges_and_resolves() {
    let incident = triggers_acknowledges_and_resolves("opsgenie").await;
    assert_eq!((&incident["claimedBy"], &incident["resolvedBy"]), (&"jo".into(), &"jo".into()));
}
