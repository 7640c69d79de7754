//! A storm at the real server: a few mails, with every delivery once (promise 23).

use std::collections::BTreeSet;

use serde_json::json;

use crate::mail::MailServer;
use crate::server::{SOON, Setup};

#[tokio::test]
async fn p23_a_storm_is_a_few_mails_with_every_delivery_once() {
    const MANY: usize = 60;
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let server = Setup::new(dir.path(), mail.port).bundling_after(2).start().await;
    server.team("t", 600, json!("jo@example.org"), json!([]), "ops@example.org").await;
    let mut numbers = Vec::new();
    for _ in 0..MANY {
        numbers.push(server.report("t").await);
    }
    for number in numbers {
        let shown = server.until(number, SOON, |i| i["deliveries"][0]["status"] == "accepted").await;
        assert_eq!(shown["deliveries"][0]["attempts"], 1);
    }
    let mails = mail.accepted();
    let lists = mails.iter().map(|mail| mail["delivery"].as_str().unwrap());
    let ids: Vec<_> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    assert_eq!(ids.len(), MANY, "each delivery is in one mail");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), MANY);
    assert!(mails.len() < MANY / 2, "{} mails", mails.len());
}
