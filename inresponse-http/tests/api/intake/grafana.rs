//! Grafana.

use serde_json::json;

use super::{over, statuses};
use crate::world::World;

#[tokio::test]
async fn an_alert_is_an_incident_with_its_links_and_its_end_resolves() {
    let world = World::new().await;
    let firing = json!({
        "status": "firing",
        "labels": { "alertname": "High latency", "grafana_folder": "Web", "service": "athens", "severity": "high" },
        "annotations": { "summary": "p99 is above 1 s", "runbook_url": "https://runbooks.example.org/latency" },
        "startsAt": "2026-11-24T02:30:00Z", "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://grafana.example.org/alerting/grafana/abc/view", "fingerprint": "c6eadffa33fcdf37",
        "silenceURL": "https://grafana.example.org/alerting/silence/new", "valueString": "[ var='A' value=1.2 ]",
        "dashboardURL": "https://grafana.example.org/d/xyz", "panelURL": "https://grafana.example.org/d/xyz?viewPanel=2",
        "values": { "A": 1.2 }, "imageURL": null,
    });
    let message = |alert| {
        json!({ "receiver": "inresponse", "status": "firing", "orgId": 1, "alerts": [alert], "version": "1",
            "groupKey": "{}:{}", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "truncatedAlerts": 0, "title": "[FIRING:1]", "state": "alerting", "message": "…",
            "externalURL": "https://grafana.example.org/" })
    };
    assert_eq!(statuses(&world.told("/intake/grafana", &message(firing.clone())).await), ["opened"]);
    assert_eq!(statuses(&world.told("/intake/grafana", &message(firing.clone())).await), ["counted"]);
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["title"], &incident["source"]), (&json!("p99 is above 1 s"), &json!("grafana")));
    assert_eq!((&incident["dedupKey"], &incident["severity"]), (&json!("c6eadffa33fcdf37"), &json!("CRIT")));
    assert_eq!(incident["message"], "[ var='A' value=1.2 ]");
    let links: Vec<_> =
        incident["links"].as_array().unwrap().iter().map(|l| l["text"].as_str().unwrap()).collect();
    assert_eq!(links, ["Runbook", "Graph", "Dashboard", "Panel", "Silence", "Grafana"]);
    assert_eq!(statuses(&world.told("/intake/grafana", &message(over(firing, 59))).await), ["resolved"]);
}
