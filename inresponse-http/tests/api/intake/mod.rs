//! What other monitoring systems send, from outside.

mod batches;
mod generic;
mod grafana;
mod nagios;
mod opsgenie;
mod ownership;
mod pagerduty;
mod prometheus;
mod refused;
mod replicas;
mod sns;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Answer, REPORT, World};

impl World {
    /// Sends a message as a monitoring system would, with a key that may only report.
    pub(crate) async fn told(&self, path: &str, body: &Value) -> Answer {
        self.call(REPORT, Method::POST, path, body.to_string()).await
    }

    /// An incident as it is now.
    pub(crate) async fn incident(&self, number: u64) -> Value {
        let answer = self.get(&format!("/incidents/{number}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json
    }

    /// State and count of all incidents, the oldest first.
    pub(crate) async fn all(&self) -> Vec<(String, u64)> {
        let page = self.get("/incidents?limit=500").await.json;
        let shown = |i: &Value| (i["state"].as_str().unwrap().to_owned(), i["count"].as_u64().unwrap());
        page["incidents"].as_array().unwrap().iter().rev().map(shown).collect()
    }
}

/// The results for the alerts of a message.
pub(crate) fn statuses(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json["alerts"].as_array().unwrap().iter().map(|a| a["status"].as_str().unwrap()).collect()
}

/// An alert of Alertmanager's that fires since that minute of the hour in which the tests' clock starts.
pub(crate) fn alert(name: &str, minute: u32) -> Value {
    json!({
        "status": "firing",
        "labels": { "alertname": name, "service": "athens", "severity": "critical" },
        "annotations": { "summary": format!("{name} fires") },
        "startsAt": format!("2026-11-24T02:{minute:02}:00Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=up",
    })
}

/// The same alert once it is over.
pub(crate) fn over(mut alert: Value, minute: u32) -> Value {
    alert["status"] = json!("resolved");
    alert["endsAt"] = json!(format!("2026-11-24T02:{minute:02}:00Z"));
    alert
}

/// Alertmanager's webhook with these alerts.
pub(crate) fn webhook(alerts: &[Value]) -> Value {
    json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "inresponse",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org", "alerts": alerts,
    })
}
