//! PagerDuty's Events API v2.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{ATHENS, Answer, REPORT, RESPOND, World};

impl World {
    async fn enqueue(&self, event: &Value) -> Answer {
        self.call("", Method::POST, "/v2/enqueue", event.to_string()).await
    }
}

fn trigger() -> Value {
    json!({
        "routing_key": ATHENS, "event_action": "trigger", "dedup_key": "srv01/HTTP",
        "payload": {
            "summary": "web is down", "source": "srv01", "severity": "critical",
            "timestamp": "2026-11-24T02:30:00.000+0000", "component": "nginx", "group": "web", "class": "ping failure",
            "custom_details": { "load": 1.5, "why": "no answer", "nothing": null },
        },
        "links": [{ "href": "https://example.org/runbook", "text": "Runbook" }],
        "client": "Sensu", "client_url": "https://sensu.example.org",
    })
}

#[tokio::test]
async fn trigger_acknowledge_and_resolve_do_what_they_say() {
    let world = World::new().await;
    for count in 1..=2 {
        let answer = world.enqueue(&trigger()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        let expected =
            json!({ "status": "success", "message": "Event processed", "dedup_key": "srv01/HTTP" });
        assert_eq!(answer.json, expected);
        assert_eq!(world.incident(10_000).await["count"], count);
    }
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["service"], &incident["title"]), (&json!("athens"), &json!("web is down")));
    assert_eq!((&incident["severity"], &incident["source"]), (&json!("CRIT"), &json!("pagerduty")));
    assert_eq!(incident["detectedAt"], "2026-11-24T02:30:00Z");
    let labels = json!({ "source": "srv01", "component": "nginx", "group": "web", "class": "ping failure",
        "client": "Sensu", "load": "1.5", "why": "no answer" });
    assert_eq!(incident["labels"], labels);
    assert_eq!(incident["links"][1], json!({ "text": "Sensu", "url": "https://sensu.example.org" }));

    // These carry nothing but the key, as client libraries send them.
    let short = |action| json!({ "routing_key": ATHENS, "event_action": action, "dedup_key": "srv01/HTTP" });
    assert_eq!(world.enqueue(&short("acknowledge")).await.status, StatusCode::ACCEPTED);
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["state"], &incident["claimedBy"]), (&json!("CLAIMED"), &json!("athens-events")));
    assert_eq!(world.enqueue(&short("acknowledge")).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.enqueue(&short("resolve")).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.incident(10_000).await["state"], "RESOLVED");
    for late in ["resolve", "acknowledge"] {
        assert_eq!(world.enqueue(&short(late)).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(world.all().await.len(), 1);
}

#[tokio::test]
async fn p06_an_acknowledgement_takes_nothing_over() {
    let world = World::new().await;
    world.enqueue(&trigger()).await;
    world.post("/incidents/10000", json!({ "state": "CLAIMED", "by": "jo" })).await;
    let ack = json!({ "routing_key": ATHENS, "event_action": "acknowledge", "dedup_key": "srv01/HTTP" });
    assert_eq!(world.enqueue(&ack).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.incident(10_000).await["claimedBy"], "jo");
}

#[tokio::test]
async fn a_trigger_without_a_key_is_told_one_that_resolves_it() {
    let world = World::new().await;
    let mut event = trigger();
    event.as_object_mut().unwrap().remove("dedup_key");
    let key = world.enqueue(&event).await.json["dedup_key"].clone();
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_ne!(world.enqueue(&event).await.json["dedup_key"], key, "each is an incident of its own");
    world.enqueue(&json!({ "routing_key": ATHENS, "event_action": "resolve", "dedup_key": key })).await;
    let states: Vec<_> = world.all().await.into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["RESOLVED", "OPEN"]);
}

#[tokio::test]
async fn p16_invalid_input_is_refused_by_its_field() {
    let world = World::new().await;
    let with = |field: &str, value: Value| {
        let mut event = trigger();
        *event.pointer_mut(field).unwrap() = value;
        event
    };
    let cases = [
        (with("/routing_key", json!(null)), 401, None),
        (with("/routing_key", json!("key-of-nobody")), 401, None),
        (with("/routing_key", json!(RESPOND)), 403, None),
        (with("/routing_key", json!(5)), 400, Some("routing_key")),
        // This key has no service, and nobody answers for what is not mapped.
        (with("/routing_key", json!(REPORT)), 422, Some("service")),
        (with("/event_action", json!("explode")), 400, Some("event_action")),
        (with("/payload", json!(null)), 400, Some("payload")),
        (with("/payload/summary", json!(" ")), 400, Some("payload.summary")),
        (with("/payload", json!([])), 400, Some("payload")),
        (json!({ "routing_key": ATHENS, "event_action": "resolve" }), 400, Some("dedup_key")),
        (
            json!({ "routing_key": ATHENS, "event_action": "acknowledge", "dedup_key": "" }),
            400,
            Some("dedup_key"),
        ),
    ];
    for (event, status, field) in cases {
        let answer = world.enqueue(&event).await;
        assert_eq!(answer.status.as_u16(), status, "{event}: {}", answer.text);
        assert_eq!(answer.fields().first().copied(), field, "{event}: {}", answer.text);
    }
    assert_eq!(world.all().await, []);
    assert_eq!(world.call("", Method::POST, "/v2/change/enqueue", "{}").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn p03_keys_that_share_a_long_beginning_are_different_incidents() {
    let world = World::new().await;
    for (action, number) in [("trigger", 10_000), ("trigger", 10_001)] {
        let mut event = trigger();
        event["event_action"] = json!(action);
        event["dedup_key"] = json!(format!("{}{number:076}", "k".repeat(512)));
        let answer = world.enqueue(&event).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        assert_eq!(world.incident(number).await["count"], 1);
        assert_eq!(answer.json["dedup_key"], event["dedup_key"]);
        // The key that the incident has works, too.
        let key = world.incident(number).await["dedupKey"].clone();
        let acknowledge = json!({ "routing_key": ATHENS, "event_action": "acknowledge", "dedup_key": key });
        world.enqueue(&acknowledge).await;
        assert_eq!(world.incident(number).await["state"], "CLAIMED");
    }
    assert_eq!(world.all().await.len(), 2);
}

#[tokio::test]
async fn p16_a_time_or_a_broken_text_vetoes_nothing() {
    let world = World::new().await;
    for (i, time) in [
        json!("2022-01-21 14:06:38"),
        json!(0),
        json!(1_577_840_461),
        json!(1_425_417_514_074_i64),
        json!("2011-05-06T03:30-07"),
        json!("now"),
        json!({}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut event = trigger();
        event["dedup_key"] = json!(format!("k{i}"));
        event["payload"]["timestamp"] = time;
        assert_eq!(world.enqueue(&event).await.status, StatusCode::ACCEPTED, "{event}");
    }
    let detected = |incident: Value| incident["detectedAt"].as_str().unwrap().to_owned();
    assert_eq!(detected(world.incident(10_001).await), "2026-11-24T03:00:00Z", "the moment of receipt");
    assert_eq!(detected(world.incident(10_003).await), "2015-03-03T21:18:34.074Z");
    let event = trigger().to_string().replace("web is down", "caf\\udcfc is \\ud83d down");
    assert_eq!(world.call("", Method::POST, "/v2/enqueue", event).await.status, StatusCode::ACCEPTED);
    let incident = world.incident(10_007).await;
    assert_eq!(incident["title"], "caf\u{FFFD} is \u{FFFD} down");
    assert!(incident["message"].as_str().unwrap().contains("Repaired: the title"), "{incident}");
}

#[tokio::test]
async fn p16_an_event_without_a_body_or_a_key_is_the_senders_mistake() {
    let world = World::new().await;
    for (body, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("{}", StatusCode::UNAUTHORIZED),
        ("{\"routing_key\":\"nobody's\"}", StatusCode::UNAUTHORIZED),
    ] {
        let answer = world.call("", Method::POST, "/v2/enqueue", body.to_owned()).await;
        assert_eq!(answer.status, status, "{body:?}: {}", answer.text);
    }
    assert_eq!(world.call("", Method::GET, "/v2/enqueue", "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}
