//! Routing rules of the real server on a real database file, which is killed and started again: promises 3 and 12.

use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::server::{SOON, Server, Setup};

async fn report(server: &Server, severity: &str, key: &str, labels: Value) -> Value {
    let body = json!({
        "service": "athens", "severity": severity, "title": key, "message": "-", "dedupKey": key, "labels": labels,
    });
    server.put("/incidents", body).await
}

#[tokio::test]
async fn p12_the_team_of_the_rule_is_alerted_in_every_round_over_kills() {
    let dir = tempfile::tempdir().unwrap();
    let mail = MailServer::start().await;
    let setup = Setup::new(dir.path(), mail.port);
    let mut server = setup.start().await;
    server.team("devops", 600, json!(["jo@example.org"]), json!([]), "ops@example.org").await;
    server.team("dba", 600, json!(["dba@example.org"]), json!([]), "ops@example.org").await;
    server.put("/services/athens", json!({ "team": "devops" })).await;
    let rules = json!({ "rules": [
        { "name": "databases", "matchers": [{ "name": "component", "value": "db" }], "team": "dba" },
        { "name": "test", "matchers": [{ "name": "env", "value": "test" }], "recordOnly": true },
    ] });
    server.put("/routes", rules).await;
    server.kill();
    server = setup.start().await;
    let routed = report(&server, "CRIT", "db", json!({ "component": "db" })).await;
    assert_eq!((&routed["team"], &routed["routedBy"]), (&json!("dba"), &json!("databases")));
    mail.wait_for("dba@example.org", 1, SOON).await;
    let recorded = report(&server, "CRIT", "test", json!({ "env": "test" })).await;
    assert_eq!((&recorded["recordOnly"], &recorded["nextAlertAt"]), (&json!(true), &Value::Null));
    server.kill();
    server = setup.start().await;

    // The team of the rule has the next round too, also after the rules are gone.
    server.call(reqwest::Method::DELETE, "/routes", None).await;
    let path = format!("/incidents/{}", routed["incidentId"]);
    server.post(&path, json!({ "state": "CLAIMED", "by": "jo" })).await;
    let released = server.post(&path, json!({ "state": "OPEN", "by": "jo" })).await.1;
    assert_eq!((&released["team"], &released["round"]), (&json!("dba"), &json!(2)), "{released}");
    mail.wait_for("dba@example.org", 2, SOON).await;
    assert_eq!(mail.accepted_to("jo@example.org"), 0, "nobody of the owner was alerted");
    // Without the rule, the next repeat of what was only recorded alerts the owner.
    let again = report(&server, "CRIT", "test", json!({ "env": "test" })).await;
    assert_eq!((&again["recordOnly"], &again["incidentId"]), (&Value::Null, &recorded["incidentId"]));
    mail.wait_for("jo@example.org", 1, SOON).await;
    server.terminate();
}
