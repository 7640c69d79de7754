//! Handing over and escalating by hand.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::{ADMIN, RESPOND, World};

#[tokio::test]
async fn p05_an_incident_is_handed_over_and_escalated_on_request() {
    let world = World::new().await;
    world.put("/teams/db", json!({ "fallback": ["dba@example.org"] })).await;
    let number = world.report().await;
    // What, and what comes of it: status, state, team, who has it, the last event.
    let steps = [
        (json!({ "handTo": "kim", "by": "jo" }), 200, "CLAIMED", "devops", Some("kim"), "handedOver"),
        (json!({ "handTo": "kim", "by": "al" }), 200, "CLAIMED", "devops", Some("kim"), "handedOver"),
        (json!({ "escalate": true }), 200, "CLAIMED", "devops", Some("kim"), "calledIn"),
        (json!({ "escalate": true }), 409, "CLAIMED", "devops", Some("kim"), "calledIn"),
        (json!({ "handToTeam": "nobody" }), 422, "CLAIMED", "devops", Some("kim"), "calledIn"),
        (json!({ "handToTeam": "db", "by": "jo" }), 200, "OPEN", "db", None, "roundBegan"),
        (json!({ "escalate": true, "by": "jo" }), 200, "OPEN", "db", None, "roundBegan"),
        (json!({ "state": "RESOLVED" }), 200, "RESOLVED", "db", None, "resolved"),
        (json!({ "handTo": "kim" }), 409, "RESOLVED", "db", None, "resolved"),
        (json!({ "handToTeam": "devops" }), 409, "RESOLVED", "db", None, "resolved"),
        (json!({ "escalate": true }), 409, "RESOLVED", "db", None, "resolved"),
    ];
    for (body, status, state, team, claimed_by, event) in steps {
        let answer = world.post(&format!("/incidents/{number}"), body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        let now = world.get(&format!("/incidents/{number}")).await.json;
        let last = now["timeline"].as_array().unwrap().last().unwrap();
        let seen = (&now["state"], &now["team"], &now["claimedBy"], &last["event"]);
        assert_eq!(seen, (&json!(state), &json!(team), &json!(claimed_by), &json!(event)), "{body}");
    }
    let of_team = async |team: &str| -> Vec<Value> {
        world.get(&format!("/incidents?team={team}")).await.json["incidents"].as_array().unwrap().clone()
    };
    assert_eq!((of_team("db").await.len(), of_team("devops").await.len()), (1, 0));
}

#[tokio::test]
async fn p16_requests_that_do_not_go_together_are_refused_by_name() {
    let world = World::new().await;
    let number = world.report().await;
    let cases = [
        (json!({ "state": "CLAIMED", "handTo": "kim" }), "handTo"),
        (json!({ "handTo": "kim", "handToTeam": "db" }), "handToTeam"),
        (json!({ "state": "RESOLVED", "escalate": true }), "escalate"),
        (json!({ "handTo": "" }), "handTo"),
        (json!({ "handToTeam": " " }), "handToTeam"),
        (json!({ "escalate": "yes" }), "escalate"),
        (json!({ "escalate": false }), "state"),
    ];
    for (body, field) in cases {
        let answer = world.post(&format!("/incidents/{number}"), body.clone()).await;
        assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec![field]), "{body}");
    }
    let now = world.get(&format!("/incidents/{number}")).await.json;
    assert_eq!((&now["state"], now["timeline"].as_array().unwrap().len()), (&json!("OPEN"), 1));
}

#[tokio::test]
async fn p09_a_hand_over_to_somebody_whom_the_roster_does_not_know_gets_a_warning() {
    let world = World::new().await;
    world.put("/teams/devops/calendar/2026-11-24", json!({ "oncall": "jo@example.org" })).await;
    for (to, warned) in [
        ("mraia@exmaple.org", Some("is not in the roster of team devops")),
        ("kim", Some("kim is not an address")),
        ("jo@example.org", None),
        ("mailto:ops@Example.org", None),
        // A claim of one's own.
        ("admin", None),
    ] {
        let number = world.report().await;
        let before = world.get(&format!("/incidents/{number}?handTo={to}")).await;
        assert_eq!(
            (before.status, &before.json["state"]),
            (StatusCode::OK, &json!("OPEN")),
            "nothing is done"
        );
        let answer = world.post(&format!("/incidents/{number}"), json!({ "handTo": to })).await;
        assert_eq!((answer.status, &answer.json["claimedBy"]), (StatusCode::OK, &json!(to)));
        assert_eq!(
            before.json["warnings"], answer.json["warnings"],
            "a question before the hand-over gets the same warnings"
        );
        let warnings = answer.json["warnings"].as_array().cloned().unwrap_or_default();
        assert_eq!(warnings.len(), usize::from(warned.is_some()), "{to}: {warnings:?}");
        if let Some(warned) = warned {
            assert_eq!(warnings[0]["field"], "handTo");
            assert!(warnings[0]["message"].as_str().unwrap().contains(warned), "{warnings:?}");
        }
        let later = world.get(&format!("/incidents/{number}")).await.json;
        assert_eq!(later["warnings"], Value::Null, "it was said once");
    }
}

#[tokio::test]
async fn p16_a_question_about_a_hand_over_names_what_is_wrong_with_it() {
    let world = World::new().await;
    let number = world.report().await;
    for (query, field) in [("handTo=", "handTo"), ("handTo=jo&by=%20", "by"), ("handto=jo", "handto")] {
        let answer = world.get(&format!("/incidents/{number}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json["errors"][0]["field"], field, "{query}");
    }
    let mine = world.get(&format!("/incidents/{number}?handTo=kim&by=kim")).await;
    assert_eq!(mine.json["warnings"], Value::Null, "a claim of one's own");
}

#[tokio::test]
async fn p22_a_hand_over_is_flagged_and_ends_on_the_wire() {
    let world = World::new().await;
    let number = world.report().await;
    let path = format!("/incidents/{number}");
    world.engine.tick().await.unwrap();
    let seen = async || {
        let incident = world.get(&path).await.json;
        let last = incident["timeline"].as_array().unwrap().iter().rev();
        let last = last.map(|entry| entry["event"].as_str().unwrap()).find(|event| event.starts_with("hand"));
        (
            incident["state"].as_str().unwrap().to_owned(),
            incident["handoverUnconfirmed"] == true,
            incident["claimEndsAt"].clone(),
            last.map(str::to_owned),
        )
    };
    let expect = |state: &str, flagged, ends: Value, last: &str| {
        (state.to_owned(), flagged, ends, Some(last.to_owned()))
    };
    world.post(&path, json!({ "handTo": "kim" })).await;
    let ends = || json!("2026-11-24T03:10:00Z");
    assert_eq!(seen().await, expect("CLAIMED", false, ends(), "handedOver"));
    world.clock.advance(std::time::Duration::from_secs(60));
    world.engine.tick().await.unwrap();
    assert_eq!(seen().await, expect("CLAIMED", true, ends(), "handoverUnconfirmed"));
    world.clock.advance(std::time::Duration::from_secs(540));
    world.engine.tick().await.unwrap();
    assert_eq!(seen().await, expect("OPEN", false, Value::Null, "handoverUnanswered"));
    assert_eq!(world.get(&path).await.json["claimedBy"], Value::Null);
}

/// Hands a new incident to somebody, by the API.
async fn hand_to(world: &World, key: &str, to: &str) -> (u64, crate::world::Answer) {
    let number = world.report().await;
    let body = json!({ "handTo": to, "by": "jo" }).to_string();
    (number, world.call(key, axum::http::Method::POST, &format!("/incidents/{number}"), body).await)
}

#[tokio::test]
async fn p13_a_key_hands_few_incidents_to_people_outside_the_roster() {
    let world = World::new().await;
    for n in 0..5 {
        let (_, answer) = hand_to(&world, RESPOND, &format!("stranger{n}@elsewhere.example")).await;
        assert_eq!(answer.status, StatusCode::OK, "{n}: {}", answer.text);
        world.clock.advance(Duration::from_secs(60));
    }
    world.engine.tick().await.unwrap();
    let sent = world.notifier.attempts().len();
    let (number, answer) = hand_to(&world, RESPOND, "one-more@elsewhere.example").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.text);
    assert_eq!(answer.json["mayHaveBeenRecorded"], false);
    let after: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=600).contains(&after), "{after}");
    let incident = world.get(&format!("/incidents/{number}")).await.json;
    assert_eq!((&incident["state"], &incident["claimedBy"]), (&json!("OPEN"), &json!(null)));
    world.engine.tick().await.unwrap();
    let to_strangers = world.notifier.attempts();
    let to_strangers = to_strangers.iter().skip(sent).filter(|a| a.contact.as_str().contains("one-more"));
    assert_eq!(to_strangers.count(), 0);
    // Who is in the roster, who cannot be told, oneself, and another key are no concern of it.
    for (key, to) in [
        (RESPOND, "ops@example.org"),
        (RESPOND, "kim"),
        (RESPOND, "jo"),
        (ADMIN, "one-more@elsewhere.example"),
    ] {
        assert_eq!(hand_to(&world, key, to).await.1.status, StatusCode::OK, "{key} {to}");
    }
    world.clock.advance(Duration::from_secs(after));
    assert_eq!(hand_to(&world, RESPOND, "one-more@elsewhere.example").await.1.status, StatusCode::OK);
    let again = hand_to(&world, RESPOND, "another@elsewhere.example").await.1;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS, "one place was free");
}

#[cfg(feature = "pages")]
#[tokio::test]
async fn p13_the_board_counts_as_the_api_does_and_every_server_with_the_others() {
    use axum::body::Body;
    use axum::http::Request;
    use inresponse_core::memory::MemorySettings;
    let settings = MemorySettings::new();
    let (one, other) = (World::new().await.sharing(settings.clone()), World::new().await.sharing(settings));
    for n in 0..5 {
        let world = if n % 2 == 0 { &one } else { &other };
        let (_, answer) = hand_to(world, RESPOND, &format!("stranger{n}@elsewhere.example")).await;
        assert_eq!(answer.status, StatusCode::OK, "{n}: {}", answer.text);
    }
    let form = Body::from(format!("key={RESPOND}&name=Jo"));
    let signed_in = other.send(Request::post("/board/sign-in").body(form).unwrap()).await;
    let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let number = other.report().await;
    let press = async |to: &str| {
        let form = format!("do=hand-to-person&person={to}&confirmed=yes");
        let request = Request::post(format!("/board/incidents/{number}")).header("cookie", &cookie);
        other.send(request.body(Body::from(form)).unwrap()).await
    };
    let answer = press("one-more%40elsewhere.example").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after") && answer.text.contains("Nothing was done"));
    assert_eq!(other.get(&format!("/incidents/{number}")).await.json["state"], "OPEN");
    assert_eq!(press("ops%40example.org").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn incidents_are_handed_outside_the_roster_to_the_domains_that_are_allowed_only() {
    let domains = inresponse_http::HandOverDomains::new(&["partner.example".to_owned()]).unwrap();
    let world = World::new().await.handing_to(domains);
    for (to, status) in [
        ("kim@partner.example", StatusCode::OK),
        ("ops@example.org", StatusCode::OK),
        ("kim", StatusCode::OK),
        ("kim@elsewhere.example", StatusCode::UNPROCESSABLE_ENTITY),
        ("kim@not-partner.example", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let (number, answer) = hand_to(&world, RESPOND, to).await;
        assert_eq!(answer.status, status, "{to}: {}", answer.text);
        if status != StatusCode::OK {
            assert_eq!(answer.fields(), ["handTo"]);
            assert_eq!(world.get(&format!("/incidents/{number}")).await.json["state"], "OPEN", "{to}");
        }
    }
}
