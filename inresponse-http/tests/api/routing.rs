//! Routing rules over HTTP.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{ADMIN_ONLY, REPORT, RESPOND, World};

async fn team(world: &World, name: &str) {
    let settings = json!({ "fallback": [format!("{name}@example.org")] });
    assert_eq!(world.put(&format!("/teams/{name}"), settings).await.status, StatusCode::OK);
}

fn label(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value, "isRegex": false, "isEqual": true })
}

fn report(severity: &str, labels: Value, key: &str) -> Value {
    json!({
        "service": "athens", "severity": severity, "title": "disk", "message": "90 %", "dedupKey": key,
        "labels": labels,
    })
}

fn rules() -> Value {
    json!({ "rules": [
        { "name": "watchdog", "matchers": [label("alertname", "Watchdog")], "heartbeat": "prometheus" },
        { "name": "none", "matchers": [label("severity", "none")], "recordOnly": true },
        { "name": "urgent", "matchers": [label("component", "db"), label("severity", "CRIT")], "team": "night" },
        { "name": "databases", "matchers": [label("component", "db")], "team": "dba", "severity": "ERR" },
        { "name": "test", "matchers": [
            { "name": "env", "value": "test|staging", "isRegex": true, "isEqual": true },
        ], "recordOnly": true },
    ] })
}

async fn world() -> World {
    let world = World::new().await;
    team(&world, "dba").await;
    team(&world, "night").await;
    let heartbeat = json!({ "service": "athens", "severity": "CRIT", "everySeconds": 300 });
    assert_eq!(world.put("/heartbeats/prometheus", heartbeat).await.status, StatusCode::OK);
    let put = world.put("/routes", rules()).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    world
}

fn alerted(world: &World) -> Vec<String> {
    world.notifier.attempts().iter().map(|sent| sent.contact.to_string()).collect()
}

#[tokio::test]
async fn p12_the_first_rule_that_matches_says_who_is_alerted_and_why() {
    let world = world().await;
    let reported = world.put("/incidents", report("WARN", json!({ "component": "db" }), "a")).await;
    assert_eq!(reported.status, StatusCode::CREATED, "{}", reported.text);
    assert_eq!(
        (&reported.json["team"], &reported.json["severity"], &reported.json["routedBy"]),
        (&json!("dba"), &json!("ERR"), &json!("databases"))
    );
    world.engine.tick().await.unwrap();
    assert_eq!(alerted(&world), ["dba@example.org"]);
    let shown = world.get(&format!("/incidents/{}", reported.json["incidentId"])).await.json;
    let why = &shown["timeline"][1];
    assert_eq!(
        (&why["event"], &why["rule"], &why["to"]),
        (&json!("routed"), &json!("databases"), &json!("dba"))
    );
    assert_eq!((&why["severity"], &why["from"]), (&json!("ERR"), &json!("WARN")));

    // A raise by another rule alerts the team of that rule, in a new round.
    let raised = world.put("/incidents", report("CRIT", json!({ "component": "db" }), "a")).await;
    assert_eq!((raised.status, &raised.json["team"]), (StatusCode::OK, &json!("night")));
    world.engine.tick().await.unwrap();
    assert_eq!(alerted(&world), ["dba@example.org", "night@example.org"]);
    // Without a matching rule, the owner is alerted.
    let other = world.put("/incidents", report("CRIT", json!({ "component": "web" }), "b")).await;
    assert_eq!((&other.json["team"], &other.json["routedBy"]), (&json!("devops"), &Value::Null));
}

#[tokio::test]
async fn p03_what_is_only_recorded_is_shown_and_a_repeat_that_is_not_alerts() {
    let world = world().await;
    let reported = world.put("/incidents", report("CRIT", json!({ "env": "test" }), "a")).await;
    assert_eq!(reported.status, StatusCode::CREATED, "{}", reported.text);
    assert_eq!((&reported.json["recordOnly"], &reported.json["state"]), (&json!(true), &json!("OPEN")));
    assert_eq!(reported.json["nextAlertAt"], Value::Null);
    world.engine.tick().await.unwrap();
    assert_eq!(alerted(&world), Vec::<String>::new());
    let path = format!("/incidents/{}", reported.json["incidentId"]);
    for act in [json!({ "state": "CLAIMED", "by": "jo" }), json!({ "state": "OPEN", "by": "jo" })] {
        assert_eq!(world.post(&path, act).await.status, StatusCode::OK);
    }
    world.engine.tick().await.unwrap();
    assert_eq!(alerted(&world), Vec::<String>::new(), "nor in a later round");
    let again = world.put("/incidents", report("CRIT", json!({ "env": "prod" }), "a")).await;
    assert_eq!((again.status, &again.json["recordOnly"]), (StatusCode::OK, &Value::Null));
    world.engine.tick().await.unwrap();
    assert_eq!(alerted(&world).len(), 1);
    // A person who raises the severity means it.
    let low = world.put("/incidents", report("WARN", json!({ "severity": "none" }), "b")).await;
    assert_eq!(low.json["recordOnly"], true);
    let path = format!("/incidents/{}", low.json["incidentId"]);
    assert_eq!(world.post(&path, json!({ "severity": "ERR", "by": "jo" })).await.status, StatusCode::OK);
    world.engine.tick().await.unwrap();
    assert_eq!(alerted(&world).len(), 2);
}

#[tokio::test]
async fn p24_a_report_that_is_a_ping_makes_no_incident() {
    let world = world().await;
    let watchdog = json!({ "alertname": "Watchdog" });
    let pinged = world.put("/incidents", report("WARN", watchdog.clone(), "a")).await;
    assert_eq!((pinged.status, &pinged.json), (StatusCode::ACCEPTED, &json!({ "heartbeat": "prometheus" })));
    let alert = json!([{ "labels": { "alertname": "Watchdog", "service": "athens", "severity": "none" } }]);
    let taken = world.call(REPORT, Method::POST, "/api/v2/alerts", Body::from(alert.to_string())).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    assert_eq!(taken.json["alerts"][0], json!({ "status": "pinged", "heartbeat": "prometheus" }));
    assert_eq!(world.get("/incidents").await.json["incidents"], json!([]));
    let heartbeat = world.get("/heartbeats/prometheus").await.json;
    assert!(heartbeat["lastPingAt"].is_string(), "{heartbeat}");
    // The engine alone, without anything that takes pings, loses no report.
    let report =
        inresponse_core::model::Report::builder("athens", inresponse_core::model::Severity::Crit, "x");
    let report = report.label("alertname", "Watchdog").build().unwrap();
    let inresponse_core::engine::Reported::New(record) = world.engine.report(report).await.unwrap() else {
        panic!("it is an incident");
    };
    assert!(record.incident.routed().unwrap().ignored.is_some());
    assert_eq!(record.incident.team().as_str(), "devops");
}

#[tokio::test]
async fn p17_the_dry_run_answers_what_a_report_would_become() {
    let world = world().await;
    let route = async |query: &str| world.get(&format!("/route?service=athens{query}")).await.json;
    let databases = route("&severity=WARN&label=component%3Ddb&label=env%3Dprod").await;
    assert_eq!(
        (&databases["rule"], &databases["team"], &databases["severity"]),
        (&json!("databases"), &json!("dba"), &json!("ERR"))
    );
    assert_eq!(databases["steps"][0]["person"], "dba@example.org");
    let test = route("&label=env%3Dtest").await;
    assert_eq!(
        (&test["rule"], &test["recordOnly"], &test["steps"]),
        (&json!("test"), &json!(true), &json!([]))
    );
    let ping = route("&label=alertname%3DWatchdog").await;
    assert_eq!((&ping["rule"], &ping["heartbeat"]), (&json!("watchdog"), &json!("prometheus")));
    assert_eq!((&ping["team"], &ping["steps"]), (&Value::Null, &json!([])));
    let none = route("").await;
    assert_eq!((&none["rule"], &none["team"]), (&Value::Null, &json!("devops")));
    assert_eq!(world.get("/incidents").await.json["incidents"], json!([]), "nothing is reported");
    // The plan of a service follows the rules too.
    let all =
        json!({ "rules": [{ "name": "all", "matchers": [label("service", "athens")], "team": "dba" }] });
    assert_eq!(world.put("/routes", all).await.status, StatusCode::OK);
    assert_eq!(world.get("/services/athens/plan").await.json["steps"][0]["person"], "dba@example.org");
}

#[tokio::test]
async fn rules_are_kept_as_given_by_admins_and_what_they_name_is_kept() {
    let world = world().await;
    assert_eq!(world.get("/routes").await.json, rules());
    let read = world.call(RESPOND, Method::GET, "/routes", Body::empty()).await;
    assert_eq!(read.status, StatusCode::OK);
    for key in [RESPOND, REPORT] {
        let put = world.call(key, Method::PUT, "/routes", Body::from(rules().to_string())).await;
        assert_eq!(put.status, StatusCode::FORBIDDEN);
    }
    for used in ["/teams/dba", "/heartbeats/prometheus"] {
        let refused = world.delete(used).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{used}");
        assert!(refused.text.contains("still used by the routing rules"), "{}", refused.text);
    }
    let changes = world.get("/roster/changes").await.json;
    let told = changes["changes"][0]["what"].as_str().unwrap().to_owned();
    assert_eq!(told, "routing rules: created; watchdog, none, urgent, databases, test");
    let fewer =
        json!({ "rules": [rules()["rules"][1], { "name": "test", "matchers": [label("env", "dev")] }] });
    assert_eq!(world.put("/routes", fewer).await.status, StatusCode::OK);
    let changes = world.get("/roster/changes").await.json;
    let told = changes["changes"][0]["what"].as_str().unwrap().to_owned();
    let expected = "routing rules: none, test (were watchdog, none, urgent, databases, test); changed test";
    assert_eq!(told, expected);
    let delete = || world.call(ADMIN_ONLY, Method::DELETE, "/routes", Body::empty());
    assert_eq!(delete().await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete().await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/routes").await.json, json!({ "rules": [] }));
    assert_eq!(world.delete("/teams/dba").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn p16_invalid_rules_are_refused_by_field_and_change_nothing() {
    let world = world().await;
    let one = |rule: Value| json!({ "rules": [rule] });
    let matchers = json!([label("a", "b")]);
    let cases = [
        (json!({}), 400, "rules"),
        (json!({ "rules": "all" }), 400, "rules"),
        (one(json!({ "matchers": matchers })), 400, "rules[0].name"),
        (one(json!({ "name": "", "matchers": matchers })), 400, "rules[0].name"),
        (one(json!({ "name": "a" })), 400, "rules[0].matchers"),
        (one(json!({ "name": "a", "matchers": [] })), 400, "rules[0].matchers"),
        (one(json!({ "name": "a", "matchers": matchers, "unheard": 1 })), 400, "rules[0].unheard"),
        (one(json!({ "name": "a", "matchers": matchers, "severity": "none" })), 400, "rules[0].severity"),
        (one(json!({ "name": "a", "matchers": matchers, "team": "" })), 400, "rules[0].team"),
        (
            one(json!({ "name": "a", "matchers": [{ "name": "a", "value": "(", "isRegex": true }] })),
            400,
            "rules[0].matchers[0].value",
        ),
        (
            one(json!({ "name": "a", "matchers": matchers, "team": "dba", "heartbeat": "prometheus" })),
            400,
            "rules[0].heartbeat",
        ),
        (one(json!({ "name": "a", "matchers": matchers, "team": "nobody" })), 422, "rules[0].team"),
        (one(json!({ "name": "a", "matchers": matchers, "heartbeat": "silent" })), 422, "rules[0].heartbeat"),
    ];
    for (body, status, field) in cases {
        let refused = world.put("/routes", body.clone()).await;
        assert_eq!(refused.status.as_u16(), status, "{body} {}", refused.text);
        assert!(refused.fields().contains(&field), "{field} {}", refused.text);
    }
    assert_eq!(world.get("/routes").await.json, rules());
    let cases = [
        ("/route", "service"),
        ("/route?service=", "service"),
        ("/route?service=athens&severity=none", "severity"),
        ("/route?service=athens&label=env", "label"),
        ("/route?service=athens&label=%3Dx", "label"),
        ("/route?service=athens&at=now", "at"),
        ("/route?service=athens&env=test", "env"),
    ];
    for (path, field) in cases {
        let refused = world.get(path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {}", refused.text);
        assert!(refused.fields().contains(&field), "{path} {}", refused.text);
    }
    let many: String = (0..65).map(|i| format!("&label=l{i}%3Dx")).collect();
    assert!(world.get(&format!("/route?service=athens{many}")).await.fields().contains(&"label"));
    assert_eq!(world.get("/route?service=nobody").await.status, StatusCode::NOT_FOUND);
}
