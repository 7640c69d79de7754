//! Who may do what on the board.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use inresponse_http::{DOORS, Door, Proof, Scope};
use serde_json::json;

use super::{Browser, location, world};
use crate::world::{ADMIN, ADMIN_ONLY, ATHENS, OTHER, REMOVED, REPORT, RESPOND, RESPOND_ATHENS, report};

async fn knock(browser: &Browser<'_>, door: &Door) -> StatusCode {
    let path = door.path.replace("{incidentId}", "10000");
    let method: Method = door.method.parse().unwrap();
    let request = browser.request(method, &path).header("origin", super::SITE);
    // Before its body came, which of a stream never ends.
    browser.world.respond(request.body(Body::from("do=claim")).unwrap()).await.status()
}

#[tokio::test]
async fn every_page_takes_the_keys_that_the_table_says_and_no_other() {
    let world = world().await;
    world.report().await;
    let doors: Vec<&Door> = DOORS.iter().filter(|door| door.proof == Proof::Session).collect();
    assert_eq!(doors.len(), 7);
    let keys = [(ADMIN, &Scope::ALL[..]), (RESPOND, &[Scope::Respond]), (ADMIN_ONLY, &[Scope::Admin])];
    for (key, scopes) in keys {
        let browser = Browser::signed_in_with(&world, key, "Jo").await;
        for door in &doors {
            let may = door.act.any_of().iter().any(|scope| scopes.contains(scope));
            let status = knock(&browser, door).await;
            assert_eq!(status == StatusCode::FORBIDDEN, !may, "{door:?} with {key}: {status}");
            assert!(!may || status != StatusCode::UNAUTHORIZED, "{door:?} with {key}");
        }
    }
    for key in [REPORT, ATHENS, OTHER, REMOVED, ""] {
        let stranger = Browser::new(&world);
        let answer = stranger.post("/board/sign-in", &format!("key={key}&name=Jo")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{key}");
        assert!(!answer.headers.contains_key("set-cookie"), "{key}");
    }
    let stranger = Browser::new(&world);
    for door in &doors {
        assert_eq!(knock(&stranger, door).await, StatusCode::SEE_OTHER, "{door:?}");
    }
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
