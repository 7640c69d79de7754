//! The first run, in the browser alone: a person, a team, a rotation, a service, a test alert; and the navigation.

use reqwest::Method;
use serde_json::json;

use crate::looks::looked_at;
use crate::scene::Scene;
use crate::window::{LOOKS, PHONE, Window};

/// A server without the sample's team and service.
async fn empty() -> Scene {
    let scene = Scene::new().await;
    for path in ["/services/athens", "/teams/devops"] {
        let (status, answer) = scene.server.call(Method::DELETE, path, None).await;
        assert!(status.is_success(), "{answer}");
    }
    scene
}

#[tokio::test]
async fn a_newcomer_comes_to_a_claimed_test_alert_by_the_first_steps_alone() {
    let scene = empty().await;
    let url = &scene.server.url;
    let window = Window::signed_in(&scene.server, "jo").await;
    window.until_says("First steps").await;
    looked_at(&window, "first-steps", &LOOKS).await;
    window.look(LOOKS[0]).await;
    let next = "#first-steps .next a";

    window.press(next).await;
    window.type_into("#person", "jo").await;
    window.type_into("#methods", "mail: jo@example.org").await;
    window.press("#do-save").await;
    window.until_at("/board/people/jo").await;

    window.go(url).await;
    window.press(next).await;
    window.until_at("/board/new-team").await;
    looked_at(&window, "new-team", &LOOKS).await;
    window.look(LOOKS[0]).await;
    window.type_into("#team", "shop").await;
    window.type_into("#fallback", "person:nobody").await;
    window.press("#do-save").await;
    window.until("#wrong").await;
    window.type_into("#fallback", "ops@example.org").await;
    window.press("#do-save").await;
    window.until_at("/board/teams/shop").await;
    looked_at(&window, "team-without-schedule", &LOOKS).await;
    window.look(LOOKS[0]).await;

    window.go(url).await;
    window.press(next).await;
    window.until_at("/board/teams/shop/new-schedule").await;
    window.type_into("#layer-0-members", "jo").await;
    window.press("#do-save").await;
    window.until("#schedule-1").await;

    window.go(url).await;
    window.press(next).await;
    window.until_at("/board/new-service").await;
    looked_at(&window, "new-service", &LOOKS).await;
    window.look(LOOKS[0]).await;
    window.type_into("#service", "checkout").await;
    window.press("#do-save").await;
    window.until_at("/board/services/checkout/plan").await;

    window.go(url).await;
    looked_at(&window, "first-steps-last", &LOOKS).await;
    window.look(LOOKS[0]).await;
    window.press(next).await;
    window.press("#do-test-alert").await;
    window.until_at("/board/incidents/10000").await;
    scene.letter_that_says("jo@example.org", "Test alert").await;
    window.press("#do-claim").await;
    window.until_says("Claimed by jo").await;
    assert_eq!(scene.state(10_000).await, "CLAIMED");
    window.press("#do-resolve").await;
    window.until(".state.resolved").await;
    window.go(url).await;
    window.until_says("No open incidents").await;
    assert!(!window.text().await.contains("First steps"));
    window.go(&format!("{url}/board/settings")).await;
    looked_at(&window, "settings", &LOOKS).await;
}

#[tokio::test]
async fn every_page_has_the_same_navigation_at_every_width_and_in_every_colour() {
    let scene = Scene::new().await;
    scene.night().await;
    let url = &scene.server.url;
    let window = Window::signed_in(&scene.server, "Jo").await;
    let pages = [
        ("Incidents", "/"),
        ("On call", "/board/oncall"),
        ("People", "/board/people"),
        ("Services", "/board/services"),
        ("Silences", "/board/silences"),
        ("Heartbeats", "/board/heartbeats"),
        ("Findings", "/board/coverage"),
        ("Settings", "/board/settings"),
    ];
    let names: Vec<&str> = pages.iter().map(|(name, _)| *name).collect();
    let shown = "return [...document.querySelectorAll('.top nav a')].filter((a) => a.checkVisibility()).map((a) => a.textContent)";
    let current = "return [...document.querySelectorAll('.top [aria-current]')].filter((a) => a.checkVisibility()).map((a) => a.textContent)";
    for look in LOOKS {
        window.look(look).await;
        for (name, path) in pages {
            window.go(&format!("{url}{path}")).await;
            if look.width == PHONE {
                window.press("#menu summary").await;
            }
            assert_eq!(window.run(shown).await, json!(names), "{path} {look:?}");
            assert_eq!(window.run(current).await, json!([name]), "{path} {look:?}");
            assert_eq!(window.barriers().await, Vec::<String>::new(), "{path} {look:?}");
        }
        window.picture("menu", look).await;
    }
    window.go(&format!("{url}/board/no-such-page")).await;
    looked_at(&window, "nowhere", &LOOKS).await;
    window.until_says("There is no such page").await;
    let by_name = "return [...document.querySelectorAll('.top nav a')].map((a) => a.textContent)";
    assert!(window.run(by_name).await.as_array().unwrap().len() >= pages.len());
}

#[tokio::test]
async fn several_are_claimed_on_a_phone_with_and_without_a_script_and_the_filter_stays() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    scene.team("search", 600).await;
    let report = |service: &str, severity: &str, i: usize| json!({ "service": service, "severity": severity, "title": format!("Trouble {i} of many"), "message": "" });
    for i in 0..6 {
        let (service, severity) = if i % 3 == 2 { ("search", "ERR") } else { ("checkout", "CRIT") };
        scene.report(report(service, severity, i)).await;
    }
    let phone = Window::signed_in(&scene.server, "Jo").await;
    let list = format!("{}/?service=check", scene.server.url);
    phone.go(&list).await;
    let in_sight = "return [...document.querySelectorAll('.incident')].filter((e) => e.getBoundingClientRect().bottom <= innerHeight).length";
    assert!(phone.run(in_sight).await.as_u64().unwrap() >= 3, "few incidents are on a phone's first screen");
    phone.press("#mark-10000").await;
    phone.press("#mark-10001").await;
    looked_at(&phone, "list-marked", &LOOKS).await;
    phone.look(LOOKS[0]).await;
    // What is marked stays marked when the list is updated.
    scene.report(report("checkout", "CRIT", 7)).await;
    phone.until("#mark-10006").await;
    phone.press("#claim-several").await;
    phone.until_says("claimed by you").await;
    phone.until_at("service=check").await;
    looked_at(&phone, "list-claimed", &LOOKS).await;
    assert_eq!((scene.state(10_000).await, scene.state(10_001).await), ("CLAIMED".into(), "CLAIMED".into()));
    assert_eq!(scene.state(10_003).await, "OPEN");
    phone.look(LOOKS[0]).await;
    phone.press("#mark-all").await;
    phone.press("#claim-several").await;
    phone.until_says("#10006").await;
    assert_eq!((scene.state(10_003).await, scene.state(10_002).await), ("CLAIMED".into(), "OPEN".into()));
    phone.press("#count-mine").await;
    phone.until_at("mine=yes").await;

    phone.command("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    phone.go(&scene.server.url).await;
    phone.press("#mark-10002").await;
    phone.press("#claim-several").await;
    phone.until("#told").await;
    assert_eq!((scene.state(10_002).await, scene.state(10_005).await), ("CLAIMED".into(), "OPEN".into()));
}
