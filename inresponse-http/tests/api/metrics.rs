//! What Prometheus reads.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::world::{REPORT, World};

#[tokio::test]
async fn p12_metrics_have_the_names_kinds_and_values_that_operators_rely_on() {
    assert_eq!(World::new().await.get("/metrics").await.status, StatusCode::NOT_FOUND);
    // Other tests in this process count too; gauges are set when they are read.
    let world = World::new().await.measured(inresponse_http::metrics::install().unwrap());
    world.report().await;
    world.report().await;
    world.post("/incidents/10001", json!({ "state": "RESOLVED" })).await;
    world.engine.tick().await.unwrap();
    world.report().await;
    world.clock.advance(std::time::Duration::from_secs(301));
    let answer = world.call(REPORT, Method::GET, "/metrics", Body::empty()).await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    for line in [
        "inresponse_incidents{state=\"open\"} 2",
        "inresponse_incidents{state=\"claimed\"} 0",
        "inresponse_incidents{state=\"resolved\"} 1",
        "inresponse_incidents_unclaimed 0",
        "inresponse_incidents_undelivered 0",
        "inresponse_alerts_waiting 1",
        "inresponse_overdue_seconds 301",
        "# TYPE inresponse_incidents_reported_total counter",
        "# TYPE inresponse_deliveries_total counter",
        "# TYPE inresponse_report_to_accepted_seconds histogram",
        "# TYPE inresponse_http_requests_total counter",
        "# TYPE inresponse_http_request_duration_seconds histogram",
    ] {
        assert!(answer.text.lines().any(|l| l == line), "{line} is missing in\n{}", answer.text);
    }
    for part in [
        "inresponse_incidents_reported_total{severity=\"CRIT\"}",
        "inresponse_deliveries_total{outcome=\"accepted\"}",
        "inresponse_report_to_accepted_seconds_bucket{le=\"0.001\"}",
        "route=\"/incidents/{incidentId}\"",
    ] {
        assert!(answer.text.contains(part), "{part} is missing in\n{}", answer.text);
    }
}
