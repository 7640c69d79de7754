//! Events that the real program answers behind a Runtime API: those of both kinds of API, those of the schedule, and answers
//! that come back over channels.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic, helpers too")]

mod carriers;
mod runtime;
#[path = "../cloud/twilio.rs"]
mod twilio;
mod ways_back;

use serde_json::{Value, json};

use crate::runtime::{Tables, http, rest};

#[tokio::test]
async fn p16_events_of_rest_and_of_http_apis_are_answered_alike() {
    let team = json!({ "fallback": ["ops@example.org"] });
    let service = json!({ "team": "devops" });
    let wrong = json!({ "service": "athens", "severity": "LOUD", "title": "x", "message": "" });
    let events = vec![
        rest("PUT", "/teams/devops", Some(&team)),
        http("PUT", "/services/athens", Some(&service)),
        rest("GET", "/services/athens", None),
        rest("PUT", "/incidents", Some(&wrong)),
        http("PUT", "/incidents", Some(&wrong)),
        rest("GET", "/nowhere", None),
    ];
    let answers = Tables::new("events").await.answered("processor", events).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer["statusCode"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 200, 400, 400, 404], "{answers:#?}");
    let body = |i: usize| serde_json::from_str::<Value>(answers[i]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body(2)["team"], "devops");
    assert_eq!(body(3)["errors"][0]["field"], "severity");
    assert_eq!(body(3), body(4));
}

#[tokio::test]
async fn p18_the_sweeper_reads_feeds_as_the_server_does_and_asks_no_internal_address() {
    let tables = Tables::new("feeds").await;
    let team = json!({ "fallback": ["ops@example.org"] });
    let feeds = json!([{ "url": "https://127.0.0.1/calendar.ics", "as": "base" }]);
    let schedule = json!({ "timezone": "UTC", "layers": [], "feeds": feeds });
    let detail = |answers: &[Value]| {
        let body: Value = serde_json::from_str(answers.last().unwrap()["body"].as_str().unwrap()).unwrap();
        let findings = body["findings"].as_array().unwrap().clone();
        let stale = findings.iter().find(|finding| finding["kind"] == "staleFeed");
        stale.unwrap_or_else(|| panic!("{body:#}"))["detail"].as_str().unwrap().to_owned()
    };
    let made = vec![
        http("PUT", "/teams/web", Some(&team)),
        http("PUT", "/teams/web/schedules/primary", Some(&schedule)),
        http("GET", "/coverage", None),
    ];
    let before = detail(&tables.answered("processor", made).await);
    assert!(before.ends_with("was never read"), "{before}");
    let swept = tables.answered("sweeper", vec![json!({}), json!({})]).await;
    assert_eq!((&swept[0]["feeds"], &swept[0]["failed"]), (&json!(0), &json!(0)), "{swept:#?}");
    let after = detail(&tables.answered("processor", vec![http("GET", "/coverage", None)]).await);
    assert!(after.starts_with(&before) && after.contains("internal"), "{after}");
}
