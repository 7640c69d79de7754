//! Messages that are refused as a whole, and those that are large.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};

use super::{alert, statuses, webhook};
use crate::world::{ATHENS, REPORT, World};

const MIB: usize = 1024 * 1024;

/// A message of every sender that is none.
const NONSENSE: [(&str, &str, &str); 11] = [
    ("/api/v2/alerts", "prometheus", "{}"),
    ("/api/v2/alerts", "prometheus", "["),
    ("/intake/alertmanager", "alertmanager", "{\"version\":\"3\",\"alerts\":[]}"),
    ("/intake/grafana", "grafana", "[]"),
    ("/intake/generic/list", "generic", "{"),
    ("/intake/eventbridge", "eventbridge", "{}"),
    ("/v2/enqueue", "pagerduty", "{\"routing_key\":5}"),
    ("/v2/enqueue", "pagerduty", "{\"routing_key\":\"key-of-athens\",\"event_action\":\"explode\"}"),
    ("/v2/alerts", "opsgenie", "{}"),
    ("/v2/alerts/a/close?identifierType=name", "opsgenie", "{}"),
    ("/v2/alerts/a/notes?identifierType=alias", "opsgenie", "{}"),
];

#[test]
fn p16_a_message_that_is_refused_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let mapping = serde_json::from_value(json!({ "title": "/t" })).unwrap();
            let intake = inresponse_http::Intake::new(inresponse_http::Rule::default());
            let world = World::new().await.taking(intake.mappings([("list".to_owned(), mapping)].into()));
            for (path, _, body) in NONSENSE {
                let answer = world.call(REPORT, Method::POST, path, body).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}: {}", answer.text);
            }
            let large = " ".repeat(MIB + 1);
            let answer = world.call(REPORT, Method::POST, "/intake/nagios", large).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
            // These are nobody's.
            assert_eq!(
                world.call("nobody", Method::POST, "/v2/alerts", "{").await.status,
                StatusCode::UNAUTHORIZED
            );
            assert_eq!(
                world.call("", Method::POST, "/v2/enqueue", "{}").await.status,
                StatusCode::UNAUTHORIZED
            );
            // This one is counted by itself.
            let answer = world.call(REPORT, Method::POST, "/v2/alerts", "{\"message\":\"x\"}").await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        });
    });
    let counted = handle.render();
    let refused = |sender: &str| {
        let line = format!("inresponse_intake_alerts_total{{sender=\"{sender}\",outcome=\"refused\"}} ");
        counted.lines().find_map(|l| l.strip_prefix(&line)).map(|n| n.parse::<usize>().unwrap())
    };
    let mut senders: Vec<_> = NONSENSE.iter().map(|(_, sender, _)| *sender).collect();
    senders.extend(["nagios", "opsgenie"]);
    for sender in &senders {
        let expected = senders.iter().filter(|other| *other == sender).count();
        assert_eq!(refused(sender), Some(expected), "{sender} in\n{counted}");
    }
}

#[tokio::test]
async fn p16_large_messages_are_taken_whole() {
    let world = World::new().await;
    let alerts: Vec<Value> = (0..600)
        .map(|i| {
            let mut alert = alert(&format!("A{i}"), 30);
            alert["annotations"]["description"] = json!("x".repeat(420));
            alert
        })
        .collect();
    let message = webhook(&alerts);
    assert!(message.to_string().len() > 396 * 1024);
    assert_eq!(statuses(&world.told("/intake/alertmanager", &message).await), vec!["opened"; 600]);
    let event = |bytes: usize| {
        json!({ "routing_key": ATHENS, "event_action": "trigger", "dedup_key": "k",
            "payload": { "summary": "s", "source": "s", "severity": "error", "custom_details": { "log": "l".repeat(bytes) } } })
    };
    for bytes in [290 * 1024, 512 * 1024, MIB - 300] {
        let answer = world.call("", Method::POST, "/v2/enqueue", event(bytes).to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{bytes}: {}", answer.text);
    }
    let answer = world.call("", Method::POST, "/v2/enqueue", event(MIB).to_string()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("nothing was recorded"), "{}", answer.text);
    // Our own API takes what it took.
    let answer = world.call(REPORT, Method::PUT, "/incidents", " ".repeat(300 * 1024)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn p16_ten_thousand_alerts_are_taken_and_what_is_beyond_is_said() {
    let world = World::new().await;
    let alert = |i: usize| format!("{{\"labels\":{{\"service\":\"athens\",\"i\":\"{i}\"}}}}");
    let alerts = |n: usize| format!("[{}]", (0..n).map(alert).collect::<Vec<_>>().join(","));
    let answer = world.call(REPORT, Method::POST, "/api/v2/alerts", alerts(10_003)).await;
    let became = statuses(&answer);
    assert_eq!(became.iter().filter(|status| **status == "opened").count(), 10_000);
    assert_eq!((became.len(), became[10_000]), (10_001, "refused"));
    let told = answer.json["alerts"][10_000]["errors"][0]["message"].as_str().unwrap();
    assert!(told.contains("3 more alerts were refused"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn p13_strangers_take_no_room_by_announcing_or_by_sending_slowly() {
    use futures_util::{StreamExt, stream};
    let world = std::sync::Arc::new(World::new().await);
    // Each says that it sends a lot, sends the first half, and then nothing.
    let slow = || {
        let first = stream::once(std::future::ready(Ok::<_, std::io::Error>(vec![b' '; MIB / 2])));
        let body = Body::from_stream(first.chain(stream::pending()));
        Request::builder().method("POST").uri("/v2/enqueue").header("content-length", MIB).body(body).unwrap()
    };
    let strangers: Vec<_> = (0..100)
        .map(|_| {
            let (world, request) = (std::sync::Arc::clone(&world), slow());
            tokio::spawn(async move { world.send(request).await.status })
        })
        .collect();
    tokio::task::yield_now().await;
    let small = webhook(&[alert("A", 30)]);
    assert_eq!(
        statuses(&world.told("/intake/alertmanager", &small).await),
        ["opened"],
        "small ones need no room"
    );
    let large = webhook(&(0..600).map(|i| alert(&format!("B{i}"), 30)).collect::<Vec<_>>());
    assert_eq!(
        statuses(&world.told("/intake/alertmanager", &large).await),
        vec!["opened"; 600],
        "those who show a key have room of their own"
    );
    for stranger in strangers {
        let status = stranger.await.unwrap();
        let ended = [StatusCode::REQUEST_TIMEOUT, StatusCode::SERVICE_UNAVAILABLE];
        assert!(ended.contains(&status), "{status}: too slow, or no room for so many");
    }
}
