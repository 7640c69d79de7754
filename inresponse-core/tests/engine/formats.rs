//! Records that another version wrote.

use std::time::Duration;

use inresponse_core::engine::{Advanced, Updated};
use inresponse_core::model::{Event, FORMAT, Incident, IncidentNumber, Note};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{self, Decision, Input, Refusal, StateChange, Update};
use inresponse_core::store::{Committed, Record, Store};
use serde_json::{Value, json};

use crate::support::{Mood, Stage, T0, crit, person, secs};

/// What is stored, as a newer version might have changed it.
async fn rewritten(stage: &Stage, number: IncidentNumber, change: impl FnOnce(&mut Value)) -> Record {
    let record = stage.incident(number).await;
    let mut body = serde_json::to_value(&record.incident).unwrap();
    change(&mut body);
    let bytes = serde_json::to_vec(&body).unwrap();
    Record::decode(&bytes, record.version, record.count, record.last_reported_at).unwrap()
}

fn noted(record: &Record) -> plan::Draft {
    let note = Note::new("by an older version").unwrap();
    let update = Update::note(person("jo"), note);
    match plan::step(&record.incident, Input::Update { update: &update, round: None }, T0) {
        Decision::Change(plan) => plan.draft,
        other => panic!("{other:?}"),
    }
}

/// Puts it into the store, with a note, which changes nothing of who is alerted when.
async fn put(stage: &Stage, record: &Record) {
    let committed = stage.store.commit(record.version, &noted(record)).await.unwrap();
    assert!(matches!(committed, Committed::At(_)));
}

/// An incident of which everything has been: alerts that failed and were accepted, levels, a claim and its end.
async fn eventful() -> (Stage, IncidentNumber) {
    let stage = Stage::new(&["a", "b"]).await;
    stage.carrier.next("a", Mood::Answers(Outcome::unavailable("421 later")));
    let report = crit("athens").dedup_key("k").label("region", "eu").link("graph", "https://x.org/g");
    let number = stage.report(report).await;
    stage.advance(number).await;
    stage.claim(number, "jo").await;
    stage.request(number, "jo", StateChange::Release(plan::TakeOver::No)).await;
    stage.claim(number, "kim").await;
    (stage, number)
}

/// Adds a field to every object that is not a map of the reporter's own, nor one way to say one value.
fn add_everywhere(value: &mut Value, path: &str, added: &mut Vec<String>) {
    match value {
        Value::Array(values) => {
            for (i, value) in values.iter_mut().enumerate() {
                add_everywhere(value, &format!("{path}/{i}"), added);
            }
        }
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                if !["labels", "level", "status", "alertLevels"].contains(&name.as_str()) {
                    add_everywhere(value, &format!("{path}/{name}"), added);
                }
            }
            map.insert("fromLater".to_owned(), json!({ "a": [1, -2, 0.5, null, true, "“x”"] }));
            added.push(format!("{path}/fromLater"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn p09_fields_that_a_newer_version_wrote_survive_a_commit_wherever_they_are() {
    let (stage, number) = eventful().await;
    let mut added = Vec::new();
    let record = rewritten(&stage, number, |body| add_everywhere(body, "", &mut added)).await;
    let places =
        ["/links/0", "/claimed", "/matrix", "/deliveries/0", "/deliveries/0/last", "/timeline/0", ""];
    for place in places {
        assert!(added.contains(&format!("{place}/fromLater")), "{place} of {added:?}");
    }
    let body: Value = serde_json::from_slice(&noted(&record).body()).unwrap();
    for path in added {
        assert_eq!(body.pointer(&path), Some(&json!({ "a": [1, -2, 0.5, null, true, "“x”"] })), "{path}");
    }
}

#[tokio::test]
async fn p09_events_that_this_version_does_not_know_are_kept_as_they_are_and_alerts_go_on() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    let events = [
        json!({ "at": 1_800_000_000_000_001_i64, "event": "paged", "by": { "person": "jo" }, "n": 7 }),
        json!({ "at": 1_800_000_000_000_002_i64, "event": "noted", "by": "jo", "note": ["in", "parts"] }),
        json!({ "at": 1_800_000_000_000_003_i64, "event": "levelBegan", "round": 1, "level": "night", "to": [] }),
    ];
    let add = |body: &mut Value| body["timeline"].as_array_mut().unwrap().extend(events.clone());
    let record = rewritten(&stage, number, add).await;
    let names: Vec<_> = record.incident.timeline().entries()[1..]
        .iter()
        .map(|entry| match &entry.event {
            Event::Unknown(event) => event.name(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["paged", "noted", "levelBegan"]);
    put(&stage, &record).await;
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a");
    let body = serde_json::to_value(&stage.incident(number).await.incident).unwrap();
    assert_eq!(body["timeline"].as_array().unwrap()[1..4], events);
    assert_eq!(body["format"], 1, "nothing about the incident needs a newer format");
}

#[tokio::test]
async fn p09_what_has_no_format_was_stored_before_there_were_formats_and_is_alerted() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens")).await;
    let record = rewritten(&stage, number, |body| _ = body.as_object_mut().unwrap().remove("format")).await;
    assert!(!record.incident.is_left_to_newer());
    put(&stage, &record).await;
    stage.advance(number).await;
    assert_eq!(stage.sent(), "0 1:a");
}

#[tokio::test]
async fn what_is_in_a_newer_format_is_shown_and_left_to_newer_servers() {
    let stage = Stage::new(&["a", "b"]).await;
    let number = stage.report(crit("athens").dedup_key("k")).await;
    let record = rewritten(&stage, number, |body| body["format"] = json!(FORMAT + 1)).await;
    put(&stage, &record).await;
    let other = stage.report(crit("athens")).await;
    let mut running = stage.run();
    stage.pass(secs(700)).await;
    assert!(matches!(stage.advance(number).await, Advanced::Done), "nobody here comes back to it");
    let told: Vec<_> = stage.carrier.sent().iter().map(|sent| sent.incident).collect();
    assert!(!told.is_empty() && told.iter().all(|incident| *incident == other), "{told:?}");
    let shown = stage.incident(number).await.incident;
    assert_eq!((shown.title(), shown.is_left_to_newer()), ("5xx Error Spike", true));
    // A repeat is counted, and people can claim it as far as this version can tell.
    assert_eq!(stage.report(crit("athens").dedup_key("k")).await, number);
    assert_eq!(stage.incident(number).await.count, 2);
    assert!(matches!(stage.claim(number, "jo").await, Updated::Changed(_)));
    let body = serde_json::to_value(&stage.incident(number).await.incident).unwrap();
    assert_eq!(body["format"], FORMAT + 1, "it is still the newer servers'");
    running.stop();
}

#[tokio::test]
async fn p09_a_page_of_incidents_in_a_newer_format_hides_nothing_that_is_due_after_them() {
    let stage = Stage::new(&["a", "b"]).await;
    let newer = 600;
    for _ in 0..newer {
        let number = stage.report(crit("athens")).await;
        let record = rewritten(&stage, number, |body| body["format"] = json!(FORMAT + 1)).await;
        put(&stage, &record).await;
    }
    stage.pass(secs(1)).await;
    let last = stage.report(crit("athens")).await;
    stage.engine.tick().await.unwrap();
    let told: Vec<_> = stage.carrier.sent().iter().map(|sent| sent.incident).collect();
    assert_eq!(told, [last]);
}

#[tokio::test]
async fn what_cannot_be_read_of_a_newer_format_is_shown_in_part_and_changed_by_nobody_here() {
    let (stage, number) = eventful().await;
    let record = rewritten(&stage, number, |body| {
        body["format"] = json!(FORMAT + 1);
        body["deliveries"][0]["status"] = json!({ "is": "limited", "until": 1 });
        body["matrix"] = json!({ "steps": [] });
    })
    .await;
    let incident: &Incident = &record.incident;
    assert_eq!((incident.number(), incident.title()), (number, "5xx Error Spike"));
    assert_eq!(incident.claimed().unwrap().by, person("kim"));
    let update = Update::state(person("jo"), StateChange::Resolve);
    let resolve = plan::step(incident, Input::Update { update: &update, round: None }, T0);
    assert_eq!(resolve, Decision::Refuse(Refusal::NewerFormat));
    for input in [
        Input::Due { lease: Duration::from_secs(30), hold: &plan::HoldNothing, round: None },
        Input::Repeat {
            severity: inresponse_core::model::Severity::Crit,
            key: None,
            routed: None,
            round: None,
        },
        Input::ClockWentBack { lease: Duration::from_secs(30) },
        Input::Woken { wake: 9 },
    ] {
        assert_eq!(plan::step(incident, input, T0), Decision::Nothing);
    }
    // In the format of today it would be a record that is broken.
    let mut body = serde_json::to_value(&stage.incident(number).await.incident).unwrap();
    body["matrix"] = json!({ "steps": [] });
    let bytes = serde_json::to_vec(&body).unwrap();
    Record::decode(&bytes, record.version, 1, T0).unwrap_err();
}
