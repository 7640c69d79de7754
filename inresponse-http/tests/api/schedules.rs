//! People, schedules, overrides, the dry run and the coverage check over HTTP.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{ADMIN, ADMIN_ONLY, REPORT, RESPOND, World};

fn jo() -> Value {
    json!({
        "name": "Jo Doe", "timezone": "Europe/Athens", "methods": { "mail": "jo@example.org" },
        "rules": { "CRIT": [{ "afterSeconds": 0, "methods": ["mail"] }] },
        "absences": [{ "from": "2026-12-24T00:00", "to": "2026-12-27T09:00" }], "dayAheadNotice": true,
    })
}

fn weekly(members: Value) -> Value {
    json!({
        "timezone": "UTC",
        "layers": [{
            "name": "weekly", "members": members, "from": "2026-11-23T00:00",
            "turn": { "every": 1, "unit": "week" },
        }],
    })
}

/// A world with jo, kim and lee, and the team `web` that alerts schedule `primary`.
async fn world() -> World {
    let world = World::new().await;
    for name in ["jo", "kim", "lee"] {
        let methods = json!({ "methods": { "mail": format!("{name}@example.org") } });
        let put = world.put(&format!("/people/{name}"), methods).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    }
    let settings = json!({ "fallback": ["ops@example.org"], "escalateAfterSeconds": 600 });
    assert_eq!(world.put("/teams/web", settings).await.status, StatusCode::OK);
    let schedule = weekly(json!(["person:jo", ["person:kim", "person:lee"]]));
    let put = world.put("/teams/web/schedules/primary", schedule).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let settings = json!({
        "fallback": ["ops@example.org"],
        "levels": [
            { "notify": ["schedule:primary"], "waitSeconds": 300 },
            { "notify": ["person:lee", "boss@example.org"] },
        ],
    });
    let put = world.put("/teams/web", settings).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    assert_eq!(world.put("/services/shop", json!({ "team": "web" })).await.status, StatusCode::OK);
    world
}

#[tokio::test]
async fn a_person_is_kept_as_given_and_only_admin_keys_see_addresses() {
    let world = World::new().await;
    let put = world.put("/people/jo", jo()).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let mut expected = jo();
    expected["person"] = json!("jo");
    let get = world.get("/people/jo").await;
    assert_eq!(get.json, expected);
    let masked = world.call(RESPOND, Method::GET, "/people/jo", Body::empty()).await;
    assert_eq!(masked.json["methods"]["mail"], "j…@example.org");
    let all = world.call(RESPOND, Method::GET, "/people", Body::empty()).await;
    assert_eq!(all.json["people"][0]["methods"]["mail"], "j…@example.org");
    for key in [REPORT, RESPOND] {
        let put = world.call(key, Method::PUT, "/people/jo", jo().to_string()).await;
        assert_eq!(put.status, StatusCode::FORBIDDEN, "{}", put.text);
    }
    assert_eq!(world.delete("/people/jo").await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get("/people/jo").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.delete("/people/jo").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn p16_every_invalid_field_of_people_and_schedules_is_named() {
    let world = world().await;
    let cases = [
        ("/people/jo", json!({ "methods": { "mail": "nobody" } }), 400, "methods.mail"),
        ("/people/jo", json!({ "methods": { "call": "tel:+30" } }), 422, "methods.call"),
        ("/people/jo", json!({ "timezone": "Mars/One" }), 400, "timezone"),
        ("/people/jo", json!({ "absences": [{ "from": "x", "to": "2026-12-24" }] }), 400, "absences[0].from"),
        ("/people/jo", json!({ "rules": { "FATAL": [] } }), 400, "rules.FATAL"),
        ("/people/jo", json!({ "wat": 1 }), 400, "wat"),
        ("/people/a%2Fb", json!({}), 400, "person"),
        ("/teams/web/schedules/s", weekly(json!([])), 400, "layers[0].members"),
        ("/teams/web/schedules/s", weekly(json!(["person:nobody"])), 422, "layers[0].members[0]"),
        (
            "/teams/web/schedules/s",
            weekly(json!([["person:jo", "person:x"]])),
            422,
            "layers[0].members[0][1]",
        ),
        ("/teams/web/schedules/s", weekly(json!(["jo"])), 400, "layers[0].members[0]"),
        ("/teams/web/schedules/s", weekly(json!(["schedule:s"])), 422, "layers[0].members[0]"),
        (
            "/teams/web/schedules/s",
            json!({ "layers": [{ "name": "a", "members": ["person:jo"], "from": "soon", "turn": { "every": 1, "unit": "week" } }] }),
            400,
            "layers[0].from",
        ),
        (
            "/teams/web/schedules/s",
            json!({ "layers": [{ "name": "a", "members": ["person:jo"], "from": "2026-01-01", "turn": { "every": 0, "unit": "week" } }] }),
            400,
            "layers[0].turn.every",
        ),
        (
            "/teams/web/schedules/primary/overrides/o",
            json!({ "from": "2026-12-01T10:00Z", "to": "2026-12-01T09:00Z", "oncall": [] }),
            400,
            "to",
        ),
        (
            "/teams/web/schedules/primary/overrides/o",
            json!({ "from": "2026-12-01T10:00Z", "to": "2026-12-02", "oncall": ["person:x"] }),
            422,
            "oncall[0]",
        ),
        (
            "/teams/web/schedules/none/overrides/o",
            json!({ "from": "2026-12-01T10:00Z", "to": "2026-12-02", "oncall": [] }),
            422,
            "schedule",
        ),
        ("/teams/web", json!({ "fallback": ["schedule:primary"] }), 422, "fallback"),
        (
            "/teams/web",
            json!({ "fallback": ["a@b.c"], "levels": [{ "notify": ["team:x"] }] }),
            422,
            "levels[0].notify[0]",
        ),
        (
            "/teams/web",
            json!({ "fallback": ["a@b.c"], "levels": [{ "notify": [], "waitSeconds": 0 }] }),
            400,
            "levels[0].waitSeconds",
        ),
        (
            "/teams/web",
            json!({ "fallback": ["a@b.c"], "shiftNotices": { "channel": "somebody" } }),
            400,
            "shiftNotices.channel",
        ),
        (
            "/teams/web",
            json!({ "fallback": ["a@b.c"], "shiftNotices": { "channel": "pager:x" } }),
            422,
            "shiftNotices.channel",
        ),
    ];
    for (path, body, status, field) in cases {
        let answer = world.put(path, body.clone()).await;
        let seen = (answer.status.as_u16(), answer.fields());
        assert_eq!(seen, (status, vec![field]), "PUT {path} {body}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_name_in_use_is_not_deleted_and_the_answer_names_its_user() {
    let world = world().await;
    for (path, user) in [
        ("/people/jo", "schedule `primary` of team `web`"),
        ("/people/lee", "web"),
        ("/teams/web/schedules/primary", "team `web`"),
    ] {
        let answer = world.delete(path).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
        assert!(answer.text.contains(user), "{path}: {}", answer.text);
    }
    let without = json!({ "fallback": ["person:jo"] });
    assert_eq!(world.put("/teams/other", without).await.status, StatusCode::OK);
    let answer = world.put("/people/jo", json!({})).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    assert!(answer.text.contains("other"), "{}", answer.text);
}

#[tokio::test]
async fn an_override_is_written_with_a_key_that_may_respond() {
    let world = world().await;
    let path = "/teams/web/schedules/primary/overrides/swap";
    let body = json!({
        "from": "2026-11-24T09:00", "to": "2026-11-24T18:00:00Z", "oncall": "person:lee",
        "insteadOf": ["person:jo"], "note": "dentist",
    });
    let put = world.call(RESPOND, Method::PUT, path, body.to_string()).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let expected = json!({
        "id": "swap", "from": "2026-11-24T09:00", "to": "2026-11-24T18:00:00Z", "oncall": ["person:lee"],
        "insteadOf": ["person:jo"], "note": "dentist",
    });
    assert_eq!(world.get(path).await.json, expected);
    let listed = world.get("/teams/web/schedules/primary/overrides").await;
    assert_eq!(listed.json, json!({ "overrides": [expected] }));
    let gone = world.call(RESPOND, Method::DELETE, path, Body::empty()).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND);
    let put = world.call(RESPOND, Method::PUT, "/teams/web/schedules/primary", json!({}).to_string()).await;
    assert_eq!(put.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn lists_are_paged_and_a_cursor_belongs_to_its_list() {
    let world = world().await;
    let first = world.get("/people?limit=2").await;
    assert_eq!(first.json["people"].as_array().unwrap().len(), 2);
    let cursor = first.json["cursor"].as_str().unwrap();
    let second = world.get(&format!("/people?limit=2&cursor={cursor}")).await;
    assert_eq!(second.json["people"][0]["person"], "lee");
    assert!(second.json.get("cursor").is_none(), "{}", second.text);
    let wrong = world.get(&format!("/teams?cursor={cursor}")).await;
    assert_eq!((wrong.status, wrong.fields()), (StatusCode::BAD_REQUEST, vec!["cursor"]));
    let services = world.get("/services").await;
    assert!(services.text.contains(r#"{"service":"shop","team":"web"}"#), "{}", services.text);
    let teams = world.call(ADMIN_ONLY, Method::GET, "/teams", Body::empty()).await;
    let names: Vec<_> = teams.json["teams"].as_array().unwrap().iter().map(|t| &t["team"]).collect();
    assert_eq!(names, ["devops", "web"]);
    assert_eq!(world.call(ADMIN, Method::GET, "/teams", Body::empty()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn p06_a_claim_by_name_by_address_and_by_another_method_is_one_persons() {
    let world = world().await;
    let report = json!({ "service": "shop", "severity": "CRIT", "title": "5xx", "message": "many" });
    let number = world.put("/incidents", report).await.json["incidentId"].as_u64().unwrap();
    let claim = |by: &str| json!({ "state": "CLAIMED", "by": by });
    let path = format!("/incidents/{number}");
    for by in ["JO@EXAMPLE.ORG".to_lowercase(), "jo".to_owned(), "mailto:jo@example.org".to_owned()] {
        let answer = world.post(&path, claim(&by)).await;
        assert_eq!((answer.status, &answer.json["claimedBy"]), (StatusCode::OK, &json!("jo")), "{by}");
    }
    let kim = world.post(&path, claim("kim@example.org")).await;
    assert_eq!((kim.status, &kim.json["claimedBy"]), (StatusCode::CONFLICT, &json!("jo")), "{}", kim.text);
    let events = world.get(&path).await.json["timeline"].as_array().unwrap().len();
    assert_eq!(events, 2, "the same person's claim is no event");
}

#[tokio::test]
async fn p17_a_person_is_handed_an_incident_by_name_and_notified_at_their_address() {
    let world = world().await;
    let report = json!({ "service": "athens", "severity": "WARN", "title": "slow", "message": "" });
    let number = world.put("/incidents", report).await.json["incidentId"].as_u64().unwrap();
    let path = format!("/incidents/{number}");
    let handed = world.post(&path, json!({ "handTo": "kim", "by": "jo" })).await;
    assert_eq!(
        (handed.status, &handed.json["claimedBy"]),
        (StatusCode::OK, &json!("kim")),
        "{}",
        handed.text
    );
    assert!(handed.json.get("warnings").is_none_or(|w| w.as_array().unwrap().is_empty()), "{}", handed.text);
    world.engine.tick().await.unwrap();
    let told: Vec<_> = world.notifier.attempts().iter().map(|a| a.contact.address().to_owned()).collect();
    assert!(told.contains(&"kim@example.org".to_owned()), "{told:?}");
    let answered = world.post(&path, json!({ "note": "on it", "by": "kim@example.org" })).await;
    assert_eq!(answered.json["claimEndsAt"], Value::Null, "{}", answered.text);
}

#[tokio::test]
async fn p17_the_dry_run_tells_every_step_with_person_method_and_reason() {
    let world = world().await;
    let plan = world.get("/services/shop/plan?at=2026-11-24T03:00:00Z").await;
    assert_eq!(plan.status, StatusCode::OK, "{}", plan.text);
    let expected = json!([
        { "at": "2026-11-24T03:00:00Z", "level": 1, "person": "person:jo", "method": "mail", "why": "level:1 schedule:primary layer:weekly" },
        { "at": "2026-11-24T03:05:00Z", "level": 2, "person": "person:lee", "method": "mail", "why": "level:2" },
        { "at": "2026-11-24T03:05:00Z", "level": 2, "person": "boss@example.org", "method": "mailto", "why": "level:2" },
        { "at": "2026-11-24T03:15:00Z", "level": "fallback", "person": "ops@example.org", "method": "mailto", "why": "fallback" },
    ]);
    assert_eq!(plan.json["steps"], expected);
    assert_eq!(world.get("/services/nothing/plan").await.status, StatusCode::NOT_FOUND);
    let wrong = world.get("/services/shop/plan?severity=FATAL").await;
    assert_eq!((wrong.status, wrong.fields()), (StatusCode::BAD_REQUEST, vec!["severity"]));
}

#[tokio::test]
async fn coverage_finds_gaps_and_people_without_a_method() {
    let world = world().await;
    let none = world.get("/coverage?days=7&team=web").await;
    let kinds = |answer: &crate::world::Answer| -> Vec<String> {
        let findings = answer.json["findings"].as_array().unwrap();
        findings.iter().map(|f| f["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!kinds(&none).contains(&"gap".to_owned()), "{}", none.text);
    assert_eq!(world.put("/people/max", json!({})).await.status, StatusCode::OK);
    let mut hours = weekly(json!(["person:max"]));
    hours["layers"][0]["hours"] = json!([{ "days": ["Wed"], "from": "09:00", "to": "17:00" }]);
    assert_eq!(world.put("/teams/web/schedules/office", hours).await.status, StatusCode::OK);
    let found = world.get("/coverage?days=7&team=web").await;
    let gap = json!({
        "team": "web", "kind": "gap", "from": "2026-11-24T03:00:00Z", "to": "2026-11-25T09:00:00Z",
        "detail": "nobody is on call in schedule office",
    });
    assert_eq!(found.json["findings"][0], gap, "{}", found.text);
    for kind in ["noMethod", "onePerson"] {
        assert!(kinds(&found).contains(&kind.to_owned()), "{kind}: {}", found.text);
    }
    assert_eq!(world.get("/coverage?team=none").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/coverage?days=0").await.status, StatusCode::BAD_REQUEST);
}
