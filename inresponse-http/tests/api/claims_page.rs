//! The page behind the link in a bundle (promise 23).

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use inresponse_core::claim::{ClaimsToken, TokenSecret};
use inresponse_core::clock::Clock;
use inresponse_core::model::{Contact, IncidentNumber};
use serde_json::json;

use crate::world::{Answer, World};

async fn open(world: &World, method: Method, link: &str, form: &str) -> Answer {
    let request = Request::builder().method(method).uri(link).body(Body::from(form.to_owned())).unwrap();
    world.send(request).await
}

/// Reports so many incidents, and answers the path of the link to all.
async fn bundled(world: &World, many: usize) -> String {
    let mut numbers = Vec::new();
    for _ in 0..many {
        numbers.push(IncidentNumber::new(world.report().await));
    }
    link(world, numbers)
}

fn link(world: &World, numbers: Vec<IncidentNumber>) -> String {
    let secret = TokenSecret::new(*b"0123456789abcdef").unwrap();
    let token = ClaimsToken::new(numbers, Contact::new("ops@example.org").unwrap(), world.clock.now());
    format!("/claims?token={}", token.sign(&secret))
}

async fn claimants(world: &World, many: u64) -> Vec<String> {
    let mut claimants = Vec::new();
    for number in 10_000..10_000 + many {
        let incident = world.get(&format!("/incidents/{number}")).await.json;
        claimants.push(incident["claimedBy"].as_str().unwrap_or("nobody").to_owned());
    }
    claimants
}

#[tokio::test]
async fn p23_looking_changes_nothing_and_one_press_claims_each() {
    let world = World::new().await;
    let link = bundled(&world, 40).await;
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let page = open(&world, method, &link, "").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
    }
    assert_eq!(claimants(&world, 40).await, vec!["nobody"; 40]);
    for _pressed_twice in 0..2 {
        let page = open(&world, Method::POST, &link, "name=").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert!(page.text.contains("You have 40 of these 40 incidents"), "{}", page.text);
    }
    assert_eq!(claimants(&world, 40).await, vec!["ops@example.org"; 40]);
    let last =
        world.get("/incidents/10007").await.json["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["event"], &last["key"]), (&json!("claimed"), &json!("link")));
}

#[tokio::test]
async fn p06_p23_what_somebody_else_has_stays_theirs_and_the_page_says_which() {
    let world = World::new().await;
    let link = bundled(&world, 4).await;
    world.post("/incidents/10001", json!({ "state": "CLAIMED", "by": "Kim <b>" })).await;
    world.post("/incidents/10002", json!({ "state": "RESOLVED", "by": "Lee" })).await;
    let page = open(&world, Method::GET, &link, "").await;
    assert!(page.text.contains("Nobody has 2 of these 4 incidents yet"), "{}", page.text);
    let page = open(&world, Method::POST, &link, "name=Jo&takeOver=yes").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("You have 2 of these 4 incidents"), "{}", page.text);
    assert!(
        page.text.contains("Resolved by Lee")
            && page.text.contains("Claimed by Kim")
            && !page.text.contains("<b>")
    );
    assert_eq!(claimants(&world, 4).await, ["Jo", "Kim <b>", "nobody", "Jo"]);
    let page = open(&world, Method::POST, &link, "name=Max").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.text.contains("You have 0 of these 4 incidents"), "{}", page.text);
    assert_eq!(claimants(&world, 4).await, ["Jo", "Kim <b>", "nobody", "Jo"]);
}

#[tokio::test]
async fn p06_p23_a_person_of_the_roster_has_what_they_claimed_and_helps_with_what_they_were_called_in_to() {
    let world = World::new().await;
    let kim = json!({ "methods": { "mail": "ops@example.org" } });
    assert_eq!(world.put("/people/kim", kim).await.status, StatusCode::OK);
    let link = bundled(&world, 3).await;
    world.post("/incidents/10002", json!({ "state": "CLAIMED", "by": "jo" })).await;
    let called = world.post("/incidents/10002", json!({ "alert": ["person:kim"], "by": "jo" })).await;
    assert_eq!(called.status, StatusCode::OK, "{}", called.text);
    for _pressed_twice in 0..2 {
        let page = open(&world, Method::POST, &link, "name=").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert!(page.text.contains("You have 2 of these 3 incidents"), "{}", page.text);
    }
    assert_eq!(claimants(&world, 3).await, ["kim", "kim", "jo"]);
    let responders = world.get("/incidents/10002").await.json["responders"].clone();
    assert_eq!(responders.as_array().map(Vec::len), Some(1), "{responders}");
}

#[tokio::test]
async fn p20_p23_a_link_to_all_holds_for_a_week_and_a_forged_one_opens_nothing() {
    let world = World::new().await;
    let link = bundled(&world, 2).await;
    let forged = link.replacen("token=A", "token=B", 1);
    for bad in [forged.as_str(), "/claims", "/claims?token=x.y"] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(open(&world, method, bad, "").await.status, StatusCode::FORBIDDEN, "{bad}");
        }
    }
    let answer = world.post("/claims", json!({})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "a key opens nothing here");
    let long = format!("name={}", "x".repeat(200));
    assert_eq!(open(&world, Method::POST, &link, &long).await.status, StatusCode::BAD_REQUEST);
    let huge = format!("name={}", "x".repeat(5000));
    assert_eq!(open(&world, Method::POST, &link, &huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(claimants(&world, 2).await, ["nobody", "nobody"]);
    let absent = self::link(&world, vec![IncidentNumber::new(99_999)]);
    assert_eq!(open(&world, Method::GET, &absent, "").await.status, StatusCode::NOT_FOUND);
    world.clock.advance(std::time::Duration::from_secs(7 * 24 * 3600 + 1));
    let page = open(&world, Method::POST, &link, "name=Jo").await;
    assert!(page.status == StatusCode::FORBIDDEN && page.text.contains("expired"));
}

#[tokio::test]
async fn p23_a_link_to_500_incidents_is_read() {
    let world = World::new().await;
    let link = bundled(&world, 500).await;
    assert!(link.len() < 1_100, "{}", link.len());
    let page = open(&world, Method::POST, &link, "name=Jo").await;
    assert!(page.text.contains("You have 500 of these 500 incidents"));
}
