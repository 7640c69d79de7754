//! One incident, and its buttons.

use axum::http::StatusCode;
use serde_json::json;

use super::{Browser, location, numbers, world};

#[tokio::test]
async fn the_buttons_do_what_they_say_by_the_name_of_whoever_is_signed_in() {
    let world = world().await;
    let number = world.report().await;
    let path = format!("/board/incidents/{number}");
    let (jo, kim) = (Browser::signed_in(&world, "Jo").await, Browser::signed_in(&world, "Kim").await);
    let state = async || {
        let incident = world.get(&format!("/incidents/{number}")).await.json;
        let text = |name: &str| incident[name].as_str().unwrap_or("-").to_owned();
        (text("state"), text("claimedBy"), text("resolvedBy"))
    };
    let expect = |state: &str, claimed: &str, resolved: &str| {
        (state.to_owned(), claimed.to_owned(), resolved.to_owned())
    };
    assert!(jo.get(&path).await.text.contains("Nobody has this incident yet"));
    location(&jo.post(&path, "do=claim").await);
    assert_eq!(state().await, expect("CLAIMED", "Jo", "-"));
    assert!(jo.get(&path).await.text.contains("value=\"release\""));
    let page = kim.get(&path).await.text;
    assert!(page.contains("Claimed by Jo") && page.contains("value=\"take-over\""), "{page}");
    for refused in ["do=claim", "do=release", "do=claim-and-resolve"] {
        let answer = kim.post(&path, refused).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{refused}");
        assert!(answer.text.contains("Nothing was done: Jo has this incident."), "{}", answer.text);
    }
    location(&kim.post(&path, "do=take-over").await);
    assert_eq!(state().await, expect("CLAIMED", "Kim", "-"));
    location(&kim.post(&path, "do=release").await);
    assert_eq!(state().await, expect("OPEN", "-", "-"));
    location(&jo.post(&path, "do=note&note=rolled+back%0Ait+helps").await);
    for refused in ["do=note&note=", "do=note&note=%07", "do=dance", ""] {
        assert_eq!(jo.post(&path, refused).await.status, StatusCode::BAD_REQUEST, "{refused}");
    }
    location(&jo.post(&path, "do=claim-and-resolve").await);
    assert_eq!(state().await, expect("RESOLVED", "Jo", "Jo"));
    assert_eq!(kim.post(&path, "do=take-over").await.status, StatusCode::CONFLICT);
    let page = jo.get(&path).await.text;
    for line in [
        "Reported as CRIT",
        "Jo claimed it",
        "Kim took it over from Jo",
        "Kim gave it back",
        "Jo resolved it",
    ] {
        assert!(page.contains(line), "{line}");
    }
    assert!(page.contains("Jo noted") && page.contains("rolled back\nit helps"));
    assert_eq!(jo.post("/board/incidents/7", "do=claim").await.status, StatusCode::NOT_FOUND);
    assert_eq!(jo.get("/board/incidents/7").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_incident_is_escalated_and_handed_over_by_buttons() {
    let world = world().await;
    world.put("/teams/db", json!({ "fallback": ["dba@example.org"] })).await;
    let today = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org"] });
    world.put("/teams/devops/calendar/2026-11-24", today).await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let path = format!("/board/incidents/{number}");
    let jo = Browser::signed_in(&world, "Jo").await;
    assert!(jo.get(&path).await.text.contains("value=\"escalate\""));
    location(&jo.post(&path, "do=escalate").await);
    world.engine.tick().await.unwrap();
    let page = jo.get(&path).await.text;
    assert!(
        page.contains("Jo escalated it") && page.contains("Level 2 was alerted: kim@example.org"),
        "{page}"
    );
    location(&jo.post(&path, "do=hand-to-person&person=Lee").await);
    assert!(jo.get(&path).await.text.contains("Jo handed it to Lee"));
    let refused = jo.post(&path, "do=escalate").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("this incident is claimed, so nobody is being alerted"));
    assert!(!jo.get(&path).await.text.contains("value=\"escalate\""));
    assert_eq!(jo.post(&path, "do=hand-to-team&team=nobody").await.status, StatusCode::CONFLICT);
    assert_eq!(jo.post(&path, "do=hand-to-person&person=").await.status, StatusCode::BAD_REQUEST);
    location(&jo.post(&path, "do=hand-to-team&team=db").await);
    let page = jo.get(&path).await.text;
    assert!(page.contains("Jo handed it from team devops to team db") && page.contains("Team db"), "{page}");
    assert_eq!(numbers(&jo.get("/?team=db").await.text), [number]);
    assert!(numbers(&jo.get("/?team=devops").await.text).is_empty());
}

#[tokio::test]
async fn the_incident_tells_who_was_alerted_and_how_that_went() {
    let world = world().await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let page = Browser::signed_in(&world, "Jo").await.get(&format!("/board/incidents/{number}")).await.text;
    for part in [
        "Level 1 was alerted: ops@example.org",
        "<strong>ops@example.org</strong>",
        "class=\"good\">alerted<",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}
