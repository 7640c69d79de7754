//! Opsgenie's alert API.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::world::{ATHENS, Answer, REPORT, World};

impl World {
    /// A call as Opsgenie's clients make it.
    async fn genie(&self, method: Method, path: &str, body: &str) -> Answer {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("GenieKey {ATHENS}"));
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// The result of a request that was accepted.
    async fn became(&self, accepted: &Answer) -> Value {
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{}", accepted.text);
        assert_eq!(accepted.json["result"], "Request will be processed");
        assert!(accepted.json["took"].is_number());
        let id = accepted.json["requestId"].as_str().unwrap();
        let answer = self.genie(Method::GET, &format!("/v2/alerts/requests/{id}"), "").await;
        assert_eq!((answer.status, answer.json["requestId"].as_str()), (StatusCode::OK, Some(id)));
        answer.json["data"].clone()
    }
}

fn alert() -> String {
    json!({
        "message": "web is down", "alias": "web/down α", "description": "no answer\nfor a minute",
        "responders": [{ "name": "ops", "type": "team" }], "visibleTo": [], "actions": ["Restart"],
        "tags": ["web", "eu"], "details": { "region": "eu", "n": "5", "source": "db" }, "entity": "srv01", "source": "sensu",
        "priority": "P1", "user": "jo", "note": "seen before",
    })
    .to_string()
}

#[tokio::test]
async fn create_acknowledge_and_close_do_what_they_say() {
    let world = World::new().await;
    let created = world.genie(Method::POST, "/v2/alerts", &alert()).await;
    let status = world.became(&created).await;
    assert_eq!((&status["success"], &status["isSuccess"]), (&json!(true), &json!(true)));
    assert_eq!((&status["action"], &status["alias"]), (&json!("Create"), &json!("web/down α")));
    world.genie(Method::POST, "/v2/alerts", &alert()).await;
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["service"], &incident["count"]), (&json!("athens"), &json!(2)));
    assert_eq!((&incident["severity"], &incident["title"]), (&json!("CRIT"), &json!("web is down")));
    assert_eq!(incident["message"], "no answer\nfor a minute\nseen before");
    let labels = json!({ "entity": "srv01", "source": "sensu", "priority": "P1", "user": "jo", "tags": "web, eu",
        "region": "eu", "n": "5", "details.source": "db" });
    assert_eq!(incident["labels"], labels);

    let path = "/v2/alerts/web%2Fdown%20%CE%B1/acknowledge?identifierType=alias";
    let status = world.became(&world.genie(Method::POST, path, r#"{"user":"jo"}"#).await).await;
    assert_eq!((&status["success"], &status["action"]), (&json!(true), &json!("Acknowledge")));
    assert_eq!(world.incident(10_000).await["claimedBy"], "jo");
    let path = "/v2/alerts/web%2Fdown%20%CE%B1/close?identifierType=alias";
    let status = world.became(&world.genie(Method::POST, path, "{}").await).await;
    assert_eq!((&status["success"], &status["status"]), (&json!(true), &json!("Closed alert")));
    assert_eq!(world.incident(10_000).await["resolvedBy"], "athens-events");
    let status = world.became(&world.genie(Method::POST, path, "").await).await;
    assert_eq!((&status["success"], &status["status"]), (&json!(false), &json!("Alert does not exist")));
}

#[tokio::test]
async fn an_alert_is_known_by_its_ids_too() {
    let world = World::new().await;
    for (i, by) in ["id", "tiny"].into_iter().enumerate() {
        let created = world.genie(Method::POST, "/v2/alerts", r#"{"message":"no alias"}"#).await;
        world.clock.advance(std::time::Duration::from_secs(1));
        let number = 10_000 + i as u64;
        let id = match by {
            "id" => world.became(&created).await["alertId"].as_str().unwrap().to_owned(),
            _ => number.to_string(),
        };
        let path = format!("/v2/alerts/{id}/close?identifierType={by}");
        assert_eq!(world.became(&world.genie(Method::POST, &path, "{}").await).await["success"], true);
        assert_eq!(world.incident(number).await["state"], "RESOLVED");
    }
}

#[tokio::test]
async fn a_key_of_one_service_reaches_no_other() {
    let world = World::new().await;
    world.put("/services/sparta", json!({ "team": "devops" })).await;
    let mut report = crate::world::report();
    report["service"] = json!("sparta");
    report["dedupKey"] = json!("k");
    world.put("/incidents", report).await;
    for path in ["/v2/alerts/10000/close?identifierType=tiny", "/v2/alerts/k/close?identifierType=alias"] {
        assert_eq!(world.became(&world.genie(Method::POST, path, "").await).await["success"], false);
    }
    let id = "00000000-0000-8001-8000-000000002710";
    assert_eq!(
        world.genie(Method::GET, &format!("/v2/alerts/requests/{id}"), "").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(world.incident(10_000).await["state"], "OPEN");
}

#[tokio::test]
async fn p16_invalid_input_is_refused_by_its_field() {
    let world = World::new().await;
    let post = Method::POST;
    let cases = [
        (post.clone(), "/v2/alerts", "{}", 400, "message"),
        (post.clone(), "/v2/alerts", "[", 400, "body"),
        (post.clone(), "/v2/alerts", r#"{"message":" "}"#, 400, "message"),
        (post.clone(), "/v2/alerts/x/close", "{}", 400, "identifier"),
        (post.clone(), "/v2/alerts/x/close?identifierType=tiny", "{}", 400, "identifier"),
        (post.clone(), "/v2/alerts/x/close?identifierType=name", "{}", 400, "identifierType"),
        (post.clone(), "/v2/alerts/x/close?identifierType=alias", "[5", 400, "body"),
        (post.clone(), "/v2/alerts/%FF/close?identifierType=alias", "{}", 400, "identifier"),
        (post.clone(), "/v2/alerts/x/acknowledge?identifierType=alias", "5", 400, "body"),
        (post.clone(), "/v2/alerts/x/notes?identifierType=alias", r#"{"note":" "}"#, 400, "note"),
    ];
    for (method, path, body, status, field) in cases {
        let answer = world.genie(method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {body}: {}", answer.text);
        assert_eq!(answer.fields(), [field], "{path} {body}: {}", answer.text);
    }
    // Nobody answers for what is not mapped.
    let answer = world.call(REPORT, post.clone(), "/v2/alerts", r#"{"message":"x"}"#).await;
    assert_eq!((answer.status, answer.fields()), (StatusCode::UNPROCESSABLE_ENTITY, vec!["service"]));
    for path in
        ["/v2/alerts/x/snooze", "/v2/alerts/x/assign", "/v2/incidents/create", "/v2/heartbeats/x/ping"]
    {
        assert_eq!(world.genie(post.clone(), path, "{}").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(world.genie(Method::GET, "/v2/alerts", "").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(world.genie(Method::GET, "/v2/alerts/10000", "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.all().await, []);
}

/// The calls of Zabbix's media type: each with a user and a note, of the alert whose alias is the event's id.
#[tokio::test]
async fn zabbix_acknowledges_takes_it_back_notes_and_closes() {
    let world = World::new().await;
    let problem = json!({
        "message": "Problem: disk is full", "alias": "4711", "description": "Problem started at 03:00:00 on 2026.11.24",
        "priority": "P2", "source": "Zabbix", "tags": ["scope:capacity"],
        "details": { "Zabbix server": "https://zabbix.example.org/", "Problem": "https://zabbix.example.org/tr_events.php?eventid=4711" },
    });
    let created = world.genie(Method::POST, "/v2/alerts", &problem.to_string()).await;
    assert_eq!(world.became(&created).await["success"], true);
    let call = async |action: &str, user: &str, note: &str| {
        let body = json!({ "user": user, "note": note }).to_string();
        let path = format!("/v2/alerts/4711/{action}?identifierType=alias");
        world.became(&world.genie(Method::POST, &path, &body).await).await
    };
    let status = call("acknowledge", "Jo Doe", "I look at it").await;
    assert_eq!((&status["success"], &status["action"]), (&json!(true), &json!("Acknowledge")));
    assert_eq!(world.incident(10_000).await["claimedBy"], "Jo Doe");
    // Somebody else's acknowledgement is not taken back, but what is said is kept.
    call("unacknowledge", "Al Roe", "is this still open?").await;
    assert_eq!(world.incident(10_000).await["state"], "CLAIMED");
    let status = call("unacknowledge", "Jo Doe", "not mine").await;
    assert_eq!((&status["success"], &status["action"]), (&json!(true), &json!("UnAcknowledge")));
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["state"], &incident["round"]), (&json!("OPEN"), &json!(2)));
    let status = call("notes", "Jo Doe", &"two\nlines, ".repeat(500)).await;
    assert_eq!((&status["success"], &status["action"]), (&json!(true), &json!("AddNote")));
    assert_eq!(call("close", "", "Problem has been resolved").await["success"], true);
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["state"], &incident["resolvedBy"]), (&json!("RESOLVED"), &json!("athens-events")));
    let timeline = incident["timeline"].to_string();
    for note in
        ["I look at it", "is this still open?", "not mine", "two\\nlines", "Problem has been resolved"]
    {
        assert!(timeline.contains(note), "{note} in {timeline}");
    }
    assert_eq!(call("notes", "jo", "late").await["success"], false);
}
