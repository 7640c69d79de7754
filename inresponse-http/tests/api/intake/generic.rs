//! Any JSON, by a mapping.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use inresponse_http::{Intake, Mapping, Rule};
use serde_json::{Value, json};

use super::statuses;
use crate::world::World;

async fn world() -> World {
    let mapping = |value: Value| serde_json::from_value::<Mapping>(value).unwrap();
    let mappings = BTreeMap::from([
        (
            "probe".to_owned(),
            mapping(json!({
                "title": "/monitor/name", "message": { "at": "/msg", "default": "no details" },
                "service": { "default": "athens" }, "severity": "/level", "key": "/monitor/id", "status": "/up",
                "resolved": ["true", "1"], "acknowledged": ["seen"], "detected-at": "/at",
                "all-labels": "/tags", "labels": { "url": "/monitor/url" }, "links": { "Probe": "/monitor/url" },
            })),
        ),
        (
            "list".to_owned(),
            mapping(json!({ "alerts": "/items", "title": "/t", "all-labels": "/l", "status": "/s" })),
        ),
    ]);
    World::new().await.taking(Intake::new(Rule::default()).mappings(mappings))
}

#[tokio::test]
async fn a_document_is_read_as_its_mapping_says() {
    let world = world().await;
    let document = |up: Value| {
        json!({ "monitor": { "name": "shop", "id": 7, "url": "https://shop.example.org" }, "level": "fatal", "up": up,
            "at": "2026-11-24T02:30:00Z", "tags": { "zone": "a", "n": 5, "none": null } })
    };
    assert_eq!(statuses(&world.told("/intake/generic/probe", &document(json!(false))).await), ["opened"]);
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["title"], &incident["message"]), (&json!("shop"), &json!("no details")));
    assert_eq!((&incident["severity"], &incident["dedupKey"]), (&json!("CRIT"), &json!("7")));
    assert_eq!(
        (&incident["source"], &incident["detectedAt"]),
        (&json!("probe"), &json!("2026-11-24T02:30:00Z"))
    );
    assert_eq!(incident["labels"], json!({ "url": "https://shop.example.org", "zone": "a", "n": "5" }));
    assert_eq!(incident["links"], json!([{ "text": "Probe", "url": "https://shop.example.org" }]));
    assert_eq!(
        statuses(&world.told("/intake/generic/probe", &document(json!("SEEN"))).await),
        ["acknowledged"]
    );
    assert_eq!(statuses(&world.told("/intake/generic/probe", &document(json!(true))).await), ["resolved"]);
}

#[tokio::test]
async fn a_document_may_hold_several_alerts() {
    let world = world().await;
    let items = |status: &str| {
        let item = |i: u8| json!({ "t": format!("alert {i}"), "l": { "service": "athens" }, "s": status });
        json!({ "items": [item(1), item(2), { "l": { "service": "nobody" } }] })
    };
    assert_eq!(
        statuses(&world.told("/intake/generic/list", &items("bad")).await),
        ["opened", "opened", "refused"]
    );
    assert_eq!(world.incident(10_001).await["service"], "athens");
    assert_eq!(
        statuses(&world.told("/intake/generic/list", &items("ok")).await)[..2],
        ["resolved", "resolved"]
    );
}

#[tokio::test]
async fn p16_invalid_input_is_refused() {
    let world = world().await;
    assert_eq!(world.told("/intake/generic/another", &json!({})).await.status, StatusCode::NOT_FOUND);
    let answer = world.told("/intake/generic/list", &json!({ "items": 5 })).await;
    assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec!["/items"]));
    let body = "{";
    let answer =
        world.call(crate::world::REPORT, axum::http::Method::POST, "/intake/generic/probe", body).await;
    assert_eq!((answer.status, answer.fields()), (StatusCode::BAD_REQUEST, vec!["body"]));
    let refused = |value: Value| serde_json::from_value::<Mapping>(value).unwrap_err().to_string();
    assert!(refused(json!({ "title": "no pointer" })).contains("a JSON pointer"));
    assert!(refused(json!({})).contains("title"));
    assert!(refused(json!({ "title": "/a", "unheard": "/b" })).contains("unheard"));
}

#[tokio::test]
async fn p03_documents_without_a_title_are_incidents_of_their_own() {
    let world = world().await;
    for body in [json!({ "a": 1 }), json!({ "b": 2 })] {
        let mut body = body;
        body["tags"] = json!({ "service": "athens" });
        assert_eq!(statuses(&world.told("/intake/generic/probe", &body).await), ["opened"]);
        assert_eq!(statuses(&world.told("/intake/generic/probe", &body).await), ["counted"]);
    }
}

#[tokio::test]
async fn scripts_send_forms() {
    let mapping =
        serde_json::from_value::<Mapping>(json!({ "title": "/title", "message": "/text", "key": "/id",
        "service": { "default": "athens" }, "status": "/status", "detected-at": "/at" }));
    let intake = Intake::new(Rule::default()).mappings([("script".to_owned(), mapping.unwrap())].into());
    let world = World::new().await.taking(intake);
    let send = async |body: &str| {
        let request = axum::http::Request::builder().method("POST").uri("/intake/generic/script");
        let request = request.header("x-api-key", crate::world::REPORT);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        world.send(request.body(axum::body::Body::from(body.to_owned())).unwrap()).await
    };
    let form = "title=disk+full&text=a%0Ab&id=7&at=1527062018051";
    assert_eq!(statuses(&send(form).await), ["opened"]);
    let incident = world.incident(10_000).await;
    assert_eq!((&incident["title"], &incident["message"]), (&json!("disk full"), &json!("a\nb")));
    assert_eq!(incident["detectedAt"], "2018-05-23T07:53:38.051Z");
    // What curl calls a form may be JSON.
    assert_eq!(statuses(&send(r#"{"title":"disk full","id":7}"#).await), ["counted"]);
    assert_eq!(statuses(&send("id=7&status=ok").await), ["resolved"]);
}
