//! Every page and mail, at a phone's width and a desk's, in light and in dark: no barriers, nothing cut off, and a
//! picture of each to be looked at.

use crate::scene::Scene;
use crate::window::{LOOKS, Look, PHONE, Window, screenshots};

/// The narrowest window that must do: 1280 pixels at four times their size (WCAG 2.2, 1.4.10).
const ZOOMED: u32 = 320;
/// The smallest that something to tap may be, in pixels.
const THUMB: u64 = 44;

pub(crate) async fn looked_at(window: &Window, name: &str, looks: &[Look]) {
    let mut barriers = Vec::new();
    for look in looks {
        window.look(*look).await;
        for found in window.barriers().await {
            barriers.push(format!("{name} {look:?}: {found}"));
        }
        assert_eq!(window.overflow().await, 0, "{name} {look:?} is wider than its window");
        window.picture(name, *look).await;
    }
    assert!(barriers.is_empty(), "{barriers:#?}");
    window.look(Look { width: ZOOMED, ..LOOKS[0] }).await;
    assert_eq!(window.overflow().await, 0, "{name} is wider than its window at 400 %");
    let small = format!(
        "return [...document.querySelectorAll('button, .button, input:not([type=hidden]), select, nav a')]
            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < {THUMB}).map((e) => e.outerHTML)"
    );
    assert_eq!(window.run(&small).await, serde_json::json!([]), "{name}: too small for a thumb");
}

#[tokio::test]
async fn every_page_is_without_barriers_in_light_and_dark_and_at_four_hundred_per_cent() {
    let scene = Scene::new().await;
    let number = scene.night().await;
    let url = &scene.server.url;
    let window = Window::open().await;
    window.go(url).await;
    looked_at(&window, "sign-in", &LOOKS).await;

    let window = Window::signed_in(&scene.server, "Jo").await;
    for (name, path) in [
        ("list", "/".to_owned()),
        ("list-resolved", "/?state=RESOLVED".to_owned()),
        ("list-none", "/?service=nothing".to_owned()),
        ("list-mine", "/?mine=yes".to_owned()),
        ("services", "/board/services".to_owned()),
        ("incident", format!("/board/incidents/{number}")),
        ("on-call", "/board/oncall".to_owned()),
        ("changes", "/board/changes".to_owned()),
        ("message", "/board/incidents/1".to_owned()),
    ] {
        window.go(&format!("{url}{path}")).await;
        looked_at(&window, name, &LOOKS).await;
    }
    scene.rotation().await;
    let heartbeat = serde_json::json!({ "service": "shop", "severity": "ERR", "everySeconds": 86_400 });
    scene.server.put("/heartbeats/backup", heartbeat).await;
    let silence = serde_json::json!({ "matchers": [{ "name": "service", "value": "shop" }, { "name": "host",
        "value": "db-.*", "isRegex": true }], "to": "2027-12-01T00:00:00Z", "comment": "The new database" });
    scene.server.put("/silences/deploy", silence).await;
    let rules = serde_json::json!({ "rules": [
        { "name": "watchdog", "matchers": [{ "name": "alertname", "value": "Watchdog" }], "heartbeat": "backup" },
        { "name": "test systems", "matchers": [{ "name": "env", "value": "test|staging", "isRegex": true }],
            "recordOnly": true },
    ] });
    scene.server.put("/routes", rules).await;
    for (name, path) in [
        ("team", "/board/teams/shop"),
        ("team-month", "/board/teams/shop?view=month"),
        ("take", "/board/teams/shop/shifts?schedule=primary"),
        ("schedule", "/board/teams/shop/schedules/primary"),
        ("new-schedule", "/board/teams/shop/new-schedule"),
        ("people", "/board/people"),
        ("person", "/board/people/jo"),
        ("new-person", "/board/new-person"),
        ("plan", "/board/services/shop/plan"),
        ("heartbeats", "/board/heartbeats"),
        ("heartbeat", "/board/heartbeats/backup"),
        ("silences", "/board/silences"),
        ("silence-new", "/board/new-silence"),
        ("routes", "/board/routes"),
        ("coverage", "/board/coverage"),
    ] {
        window.go(&format!("{url}{path}")).await;
        looked_at(&window, name, &LOOKS).await;
    }
    window.go(&format!("{url}/board/teams/shop/schedules/primary")).await;
    window.type_into("#layer-0-members", "kim, lee\njo").await;
    window.press("#do-preview").await;
    window.until("#preview-title").await;
    looked_at(&window, "schedule-preview", &LOOKS).await;
    window.type_into("#layer-0-members", "somebody else").await;
    window.press("#do-save").await;
    window.until_says("there is no person").await;
    looked_at(&window, "schedule-refused", &LOOKS).await;
    window.go(&format!("{url}/board/people/jo")).await;
    window.press("#do-test").await;
    window.until("#tests").await;
    looked_at(&window, "person-tested", &LOOKS).await;
    // Whom the roster does not know is given an incident only if that is meant.
    window.go(&format!("{url}/board/incidents/{number}")).await;
    window.type_into("#person", "mraia@exmaple.org").await;
    window.press("button[value=hand-to-person]").await;
    window.until_says("is not in the roster of team checkout").await;
    assert_eq!(scene.state(number).await, "OPEN");
    looked_at(&window, "incident-doubt", &LOOKS).await;
    window.press(".refused button").await;
    window.until_says("Answer by").await;
    assert_eq!(scene.state(number).await, "CLAIMED");
    scene.change(number, serde_json::json!({ "state": "CLAIMED", "by": "Kim", "takeOver": true })).await;
    window.go(&format!("{url}/board/incidents/{number}")).await;
    looked_at(&window, "incident-claimed", &LOOKS).await;
    let complaints = window.complaints().await;
    let told = ["404 (Not Found)", "409 (Conflict)", "422 (Unprocessable"];
    let failures = complaints.iter().filter(|text| !told.iter().any(|told| text.contains(told)));
    assert_eq!(failures.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn mails_and_their_pages_are_without_barriers_on_a_phone_in_light_and_dark() {
    let scene = Scene::new().await;
    scene.night().await;
    let window = Window::open().await;
    let report = serde_json::json!({ "service": "billing", "severity": "ERR", "title": "Two replicas are behind",
        "message": "replica   lag    since\nbilling-2   4 s  02:10\nbilling-10  9 m  01:58 and it has not taken a write since" });
    let handed = scene.report(report).await;
    let hand_over = serde_json::json!({ "handTo": "billing-kim@example.org", "by": "Jo" });
    scene.change(handed, hand_over).await;
    let on_a_phone: Vec<Look> = LOOKS.into_iter().filter(|look| look.width == PHONE).collect();
    for (name, to, words) in [
        ("mail", "checkout-jo@example.org", ""),
        ("mail-second-level", "search-kim@example.org", "Before you"),
        ("mail-status-update", "search-jo@example.org", "Kim has it"),
        ("mail-handed", "billing-kim@example.org", "handed the incident to you"),
    ] {
        let letter = scene.letter_that_says(to, words).await;
        let file = screenshots().join(format!("{name}.html"));
        std::fs::write(&file, &letter.html).unwrap();
        std::fs::write(screenshots().join(format!("{name}.txt")), &letter.text).unwrap();
        window.go(&format!("file://{}", file.display())).await;
        looked_at(&window, name, &on_a_phone).await;
    }
    let letter = scene.letter_that_says("billing-kim@example.org", "handed the incident to you").await;
    window.go(&letter.claim_link()).await;
    window.until_says("It was handed to you").await;
    looked_at(&window, "claim-handed", &LOOKS).await;
    window.press("button.main").await;
    window.until_says("The alerts have stopped").await;
    let letter = scene.letter("checkout-jo@example.org").await;
    window.go(&letter.claim_link()).await;
    looked_at(&window, "claim", &LOOKS).await;
    window.press("button.main").await;
    window.until_says("The alerts have stopped").await;
    looked_at(&window, "claimed", &LOOKS).await;
    window.go(&format!("{}x", letter.claim_link())).await;
    looked_at(&window, "claim-refused", &LOOKS).await;
}
