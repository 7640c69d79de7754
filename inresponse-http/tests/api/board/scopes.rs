//! Who may do what, on the board and elsewhere.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use inresponse_core::claim::TokenSecret;
use inresponse_core::memory::{MemoryRoster, MemorySettings, MemoryStore};
use inresponse_http::{ApiKey, Scope};
use serde_json::json;

use super::{Browser, SITE, location, world};
use crate::world::{ADMIN, ADMIN_ONLY, REMOVED, REPORT, RESPOND, RESPOND_ATHENS, World, keys, report};
use inresponse_testkit::access::{self, Answers, Visitors, sign_in};

/// A router, as everything that answers.
impl Answers for World {
    async fn answer(&self, request: Request<String>) -> Response<String> {
        let response = self.respond(request.map(Body::from)).await;
        let (head, body) = response.into_parts();
        let kind = head.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
        if kind.starts_with("text/event-stream") {
            return Response::from_parts(head, String::new());
        }
        let body = to_bytes(body, 10_000_000).await.unwrap();
        Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn every_door_takes_what_the_table_says() {
    let settings = MemorySettings::new();
    let server = async |keys| {
        let world = World::keyed(keys, MemoryStore::new(), MemoryRoster::new(), |engine| {
            engine.claim_links(SITE, vec![TokenSecret::new(*b"0123456789abcdef").unwrap()]).unwrap()
        });
        world.await.sharing(settings.clone())
    };
    let removed = ApiKey::from_plain("removed", REMOVED, Scope::ALL.to_vec()).unwrap();
    let before = server(keys().into_iter().chain([removed]).collect()).await;
    let ended = sign_in(&before, REMOVED).await.unwrap();
    let world = server(keys()).await;
    let incident = world.report().await;
    let visitors = Visitors {
        keys: &[
            (ADMIN, &Scope::ALL),
            (REPORT, &[Scope::Report]),
            (RESPOND, &[Scope::Respond]),
            (ADMIN_ONLY, &[Scope::Admin]),
        ],
        removed: REMOVED,
        ended: &ended,
        incident,
        // Refused before the body is looked at, however large it is.
        body_of_strangers: 400_000,
        at_once: 8,
    };
    access::every_door_takes_what_the_table_says(&world, &visitors).await;
}

#[tokio::test]
async fn who_may_only_change_the_roster_reads_it_and_touches_no_incident() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::new(&world);
    let answer = browser.post("/board/sign-in", &format!("key={ADMIN_ONLY}&name=Jo&next=%2F")).await;
    assert_eq!(location(&answer), "/board/oncall");
    let browser = Browser::signed_in_with(&world, ADMIN_ONLY, "Jo").await;
    assert!(browser.get("/board/oncall").await.text.contains("devops"));
    let refused = browser.post(&format!("/board/incidents/{number}"), "do=resolve").await;
    assert!(refused.text.contains("lacks the scope `respond`"), "{}", refused.text);
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["state"], "OPEN");
}

#[tokio::test]
async fn a_key_of_one_service_acts_on_its_incidents_only() {
    let world = world().await;
    world.put("/services/paris", json!({ "team": "devops" })).await;
    let own = world.report().await;
    let mut given = report();
    given["service"] = json!("paris");
    let other = world.put("/incidents", given).await.json["incidentId"].as_u64().unwrap();
    let browser = Browser::signed_in_with(&world, RESPOND_ATHENS, "Jo").await;
    let claim = json!({ "state": "CLAIMED", "note": "mine" }).to_string();
    for number in [own, other] {
        let by_api =
            world.call(RESPOND_ATHENS, Method::POST, &format!("/incidents/{number}"), claim.clone()).await;
        let by_board = browser.post(&format!("/board/incidents/{number}"), "do=note&note=mine").await;
        if number == own {
            assert_eq!((by_api.status, by_board.status), (StatusCode::OK, StatusCode::SEE_OTHER));
            continue;
        }
        for answer in [by_api, by_board] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert!(answer.text.contains("restricted to the service `athens`"), "{}", answer.text);
        }
        let incident = world.get(&format!("/incidents/{number}")).await.json;
        assert_eq!(incident["state"], "OPEN");
        assert!(!incident["timeline"].to_string().contains("noted"), "{}", incident["timeline"]);
    }
}

#[tokio::test]
async fn p07_the_timeline_names_the_key_beside_the_person() {
    let world = world().await;
    let number = world.report().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let path = format!("/board/incidents/{number}");
    location(&browser.post(&path, "do=claim").await);
    location(&browser.post(&path, "do=note&note=rolled+back").await);
    world.post(&format!("/incidents/{number}"), json!({ "state": "RESOLVED", "by": "Kim" })).await;
    let timeline = world.get(&format!("/incidents/{number}")).await.json["timeline"].clone();
    let told: Vec<_> = timeline.as_array().unwrap().iter().filter(|entry| entry["key"].is_string()).collect();
    let told: Vec<_> =
        told.iter().map(|e| [&e["event"], &e["by"], &e["key"]].map(|v| v.as_str().unwrap_or(""))).collect();
    assert_eq!(
        told,
        [
            ["opened", "", "admin"],
            ["claimed", "Jo", "responder"],
            ["noted", "Jo", "responder"],
            ["resolved", "Kim", "admin"],
        ]
    );
    let page = browser.get(&path).await.text;
    for line in [
        "Reported as CRIT, with the key admin",
        "Jo claimed it, with the key responder",
        "Kim resolved it, with the key admin",
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }
}
