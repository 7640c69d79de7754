//! Prometheus and Alertmanager.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use super::{alert, over, statuses, webhook};
use crate::world::{REPORT, World};

#[tokio::test]
async fn an_alert_is_an_incident_its_repeats_are_counted_and_its_end_resolves() {
    let world = World::new().await;
    for (path, wrap) in [("/intake/alertmanager", true), ("/api/v2/alerts", false)] {
        let message = |alert| if wrap { webhook(&[alert]) } else { json!([alert]) };
        let before = world.all().await.len();
        let firing = message(alert(path, 30));
        let answer = world.told(path, &firing).await;
        assert_eq!(statuses(&answer), ["opened"]);
        let number = answer.json["alerts"][0]["incidentId"].as_u64().unwrap();
        assert_eq!(statuses(&world.told(path, &firing).await), ["counted"]);
        let incident = world.incident(number).await;
        let link = json!({ "text": "Graph", "url": "http://prometheus.example.org/graph?g0.expr=up" });
        assert_eq!(incident["title"], format!("{path} fires"));
        assert_eq!((&incident["severity"], &incident["count"]), (&json!("CRIT"), &json!(2)));
        assert_eq!(incident["detectedAt"], "2026-11-24T02:30:00Z");
        assert_eq!(incident["labels"]["alertname"], path);
        assert_eq!(incident["links"][0], link);
        let ended = message(over(alert(path, 30), 50));
        assert_eq!(statuses(&world.told(path, &ended).await), ["resolved"]);
        assert_eq!(statuses(&world.told(path, &ended).await), ["unchanged"], "a repeated end");
        assert_eq!(world.incident(number).await["resolvedBy"], "monitoring");
        assert_eq!(world.all().await.len(), before + 1);
    }
}

#[tokio::test]
async fn both_ways_of_the_same_alert_are_one_incident() {
    let world = World::new().await;
    assert_eq!(statuses(&world.told("/api/v2/alerts", &json!([alert("A", 1)])).await), ["opened"]);
    assert_eq!(statuses(&world.told("/intake/alertmanager", &webhook(&[alert("A", 1)])).await), ["counted"]);
}

#[tokio::test]
async fn an_end_to_come_resolves_nothing() {
    let world = World::new().await;
    let mut firing = alert("A", 30);
    firing["endsAt"] = json!("2026-11-24T03:04:00Z");
    assert_eq!(statuses(&world.told("/api/v2/alerts", &json!([firing])).await), ["opened"]);
    assert_eq!(statuses(&world.told("/api/v2/alerts", &json!([firing])).await), ["counted"]);
    firing["status"] = json!("resolved");
    assert_eq!(
        statuses(&world.told("/intake/alertmanager", &webhook(&[firing.clone()])).await),
        ["unchanged"]
    );
    assert_eq!(world.incident(10_000).await["state"], "OPEN");
    // A sender's clock that is a little ahead is no reason to let it burn.
    firing["endsAt"] = json!("2026-11-24T03:00:30Z");
    assert_eq!(statuses(&world.told("/intake/alertmanager", &webhook(&[firing])).await), ["resolved"]);
}

#[tokio::test]
async fn late_messages_do_no_harm() {
    let world = World::new().await;
    let send =
        async |alert| statuses(&world.told("/intake/alertmanager", &webhook(&[alert])).await)[0].to_owned();
    // The end comes before the beginning.
    assert_eq!(send(over(alert("A", 10), 20)).await, "unchanged");
    assert_eq!(send(alert("A", 10)).await, "unchanged");
    assert_eq!(world.all().await, []);
    // It begins again; the end of what was before it is not its end.
    assert_eq!(send(alert("A", 30)).await, "opened");
    assert_eq!(send(over(alert("A", 10), 20)).await, "unchanged");
    assert_eq!(world.incident(10_000).await["state"], "OPEN");
    assert_eq!(send(over(alert("A", 30), 40)).await, "resolved");
    assert_eq!(send(alert("A", 30)).await, "unchanged");
    // Another sender of the same alert has beginnings of its own.
    assert_eq!(send(alert("A", 29)).await, "opened");
}

#[tokio::test]
async fn what_comes_back_within_five_minutes_flaps() {
    let world = World::new().await;
    let send =
        async |alert| statuses(&world.told("/intake/alertmanager", &webhook(&[alert])).await)[0].to_owned();
    assert_eq!(send(alert("A", 10)).await, "opened");
    assert_eq!(send(over(alert("A", 10), 58)).await, "resolved");
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(send(alert("A", 59)).await, "opened");
    assert_eq!(world.incident(10_001).await["labels"]["flapping"], "true");
    assert_eq!(send(over(alert("A", 59), 59)).await, "resolved");
    world.clock.advance(Duration::from_secs(600));
    assert_eq!(send(alert("A", 57)).await, "opened");
    assert!(world.incident(10_002).await["labels"].get("flapping").is_none());
}

#[tokio::test]
async fn what_a_person_has_resolved_comes_back_while_it_is_still_reported() {
    let world = World::new().await;
    let firing = json!([alert("A", 30)]);
    world.told("/api/v2/alerts", &firing).await;
    world.post("/incidents/10000", json!({ "state": "RESOLVED" })).await;
    assert_eq!(statuses(&world.told("/api/v2/alerts", &firing).await), ["opened"]);
}

#[tokio::test]
async fn an_end_resolves_what_somebody_has_claimed() {
    let world = World::new().await;
    world.told("/api/v2/alerts", &json!([alert("A", 30)])).await;
    world.post("/incidents/10000", json!({ "state": "CLAIMED", "by": "jo" })).await;
    assert_eq!(
        statuses(&world.told("/api/v2/alerts", &json!([over(alert("A", 30), 40)])).await),
        ["resolved"]
    );
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["claimedBy"], &incident["resolvedBy"]), (&json!("jo"), &json!("monitoring")));
}

#[tokio::test]
async fn a_sender_shows_its_key_the_way_it_can() {
    let world = World::new().await;
    let basic = |text: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let cases = [
        (format!("Bearer {REPORT}"), StatusCode::OK),
        (format!("GenieKey {REPORT}"), StatusCode::OK),
        (basic(&format!("anybody:{REPORT}")), StatusCode::OK),
        (basic(&format!(":{REPORT}")), StatusCode::OK),
        (basic(&format!("{REPORT}:")), StatusCode::UNAUTHORIZED),
        (basic(REPORT), StatusCode::UNAUTHORIZED),
        (format!("Basic {REPORT}"), StatusCode::UNAUTHORIZED),
        (format!("Digest {REPORT}"), StatusCode::UNAUTHORIZED),
        (basic("anybody:key-of-respond"), StatusCode::FORBIDDEN),
    ];
    for (header, status) in cases {
        let request =
            Request::builder().method("POST").uri("/api/v2/alerts").header("authorization", &header);
        let answer = world.send(request.body(Body::from("[]")).unwrap()).await;
        assert_eq!(answer.status, status, "{header}");
        if status == StatusCode::UNAUTHORIZED {
            let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
            assert_eq!(challenges, ["Bearer realm=\"inresponse\"", "Basic realm=\"inresponse\""]);
        }
    }
    // What is not other systems' business takes no more than it did.
    let request = Request::builder()
        .method("PUT")
        .uri("/incidents")
        .header("authorization", format!("GenieKey {REPORT}"));
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_not_served_is_not_answered_as_if_it_were() {
    let world = World::new().await;
    let cases = [
        (Method::GET, "/api/v2/alerts?active=true", 501),
        (Method::GET, "/api/v2/alerts/groups", 404),
        (Method::GET, "/api/v2/silences", 403),
        (Method::POST, "/api/v2/silences", 403),
        (Method::GET, "/api/v2/receivers", 404),
        (Method::POST, "/api/v1/alerts", 404),
    ];
    for (method, path, status) in cases {
        let answer = world.call(REPORT, method.clone(), path, "[]").await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn p16_a_recovery_whose_time_is_unreadable_resolves_and_says_so() {
    let world = World::new().await;
    for (path, wrap) in [("/intake/alertmanager", true), ("/intake/grafana", true), ("/api/v2/alerts", false)]
    {
        let message = |alert| if wrap { webhook(&[alert]) } else { json!([alert]) };
        let opened = world.told(path, &message(alert(path, 30))).await;
        let number = opened.json["alerts"][0]["incidentId"].as_u64().unwrap();
        let mut ended = over(alert(path, 30), 40);
        ended["endsAt"] = json!("another time");
        assert_eq!(statuses(&world.told(path, &message(ended)).await), ["resolved"], "{path}");
        let incident = world.incident(number).await;
        assert!(incident["timeline"].to_string().contains("endsAt `another time`"), "{incident}");
    }
}

#[tokio::test]
async fn p16_one_broken_alert_loses_none_of_its_message() {
    let world = World::new().await;
    let body = webhook(&[alert("A", 30), alert("B", 30), alert("C", 30)]).to_string();
    let mut bytes = body.replace("B fires", "B \\udcfc fires").into_bytes();
    let place = bytes.windows(7).position(|w| w == b"C fires").unwrap();
    bytes.splice(place..place + 1, *b"\xfc");
    let answer = world.call(REPORT, Method::POST, "/intake/alertmanager", bytes).await;
    assert_eq!(statuses(&answer), ["opened"; 3]);
}
