//! What every page has in common, and the ones that only tell.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use inresponse_http::Pages;
use serde_json::json;

use super::{Browser, location, world};
use crate::world::{ADMIN, World};

fn assert_strict(headers: &HeaderMap) {
    let policy = headers["content-security-policy"].to_str().unwrap();
    for rule in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need_and_escapes_what_strangers_sent() {
    let world = world().await;
    let hostile = json!({
        "service": "athens", "severity": "CRIT", "title": "<script>alert(1)</script>", "message": "<img src=x>",
        "dedupKey": "\"><b>", "labels": { "<i>": "</dd><i>" }, "source": "<u>",
        "links": [{ "text": "<s>", "url": "https://example.org/\"onclick=\"x" }]
    });
    assert_eq!(world.put("/incidents", hostile).await.status, StatusCode::CREATED);
    let browser = Browser::signed_in(&world, "%3Cem%3E").await;
    browser.post("/board/incidents/10000", "do=note&note=%3Cq%3E").await;
    browser.post("/board/incidents/10000", "do=claim").await;
    for team in ["%3Cs%3E", "%3Cimg%3E"] {
        let put = world.put(&format!("/teams/{team}"), json!({ "fallback": ["a&b@example.org"] })).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    }
    let name = json!({ "name": "<b>", "methods": { "<i>": "x@example.org" } });
    assert_eq!(world.put("/people/%3Cu%3E", name).await.status, StatusCode::OK);
    let schedule = json!({ "layers": [{
        "name": "<q>", "members": ["person:<u>"], "from": "2026-11-23T00:00", "turn": { "every": 1, "unit": "week" },
    }] });
    let put = world.put("/teams/%3Cs%3E/schedules/%3Cb%3E", schedule).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let stand_in =
        json!({ "from": "2026-11-24T00:00", "to": "2026-12-30", "oncall": "person:<u>", "note": "<em>" });
    let put = world.put("/teams/%3Cs%3E/schedules/%3Cb%3E/overrides/%3Ci%3E", stand_in).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let admin = Browser::signed_in_with(&world, ADMIN, "%3Cem%3E").await;
    let team = "/board/teams/%3Cs%3E";
    let roster = [
        team.to_owned(),
        format!("{team}?view=month"),
        format!("{team}/shifts"),
        format!("{team}/new-schedule"),
        format!("{team}/schedules/%3Cb%3E"),
        "/board/people".to_owned(),
        "/board/people/%3Cu%3E".to_owned(),
        "/board/new-person".to_owned(),
        "/board/services/athens/plan".to_owned(),
        "/board/coverage".to_owned(),
        "/board/silences".to_owned(),
        "/board/new-silence".to_owned(),
    ];
    for path in &roster {
        let page = admin.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
        assert_strict(&page.headers);
        for tag in ["<b>", "<i>", "<u>", "<s>", "<em>", "<q>", "\"onclick", "style=", "onload", "<script>"] {
            assert!(!page.text.contains(tag), "{tag} in {path}: {}", page.text);
        }
    }
    let (changes, oncall) = ("/board/changes", "/board/oncall");
    for path in ["/", "/board/incidents/10000", oncall, changes, "/?severity=x", "/board/incidents/x"] {
        let page = browser.get(path).await;
        assert_strict(&page.headers);
        for tag in
            ["<script>", "<img", "<b>", "<i>", "<u>", "<s>", "<em>", "<q>", "\"onclick", "style=", "onload"]
        {
            assert!(!page.text.contains(tag), "{tag} in {path}");
        }
    }
    let page = browser.get("/").await;
    assert!(page.text.contains("&#60;script&#62;"), "{}", page.text);
}

#[tokio::test]
async fn what_a_reader_would_not_see_of_a_text_is_shown_on_every_page() {
    let world = world().await;
    let hidden = "pay \u{202e}txt.exe\u{200b} <b> 👩\u{200d}💻";
    let report = json!({ "service": hidden, "severity": "CRIT", "title": hidden, "message": hidden,
        "labels": { "host": hidden }, "links": [{ "text": hidden, "url": "https://example.org" }] });
    let name = form_urlencoded::byte_serialize(hidden.as_bytes()).collect::<String>();
    world.put(&format!("/services/{}", name.replace('+', "%20")), json!({ "team": "devops" })).await;
    assert_eq!(world.put("/incidents", report).await.status, StatusCode::CREATED);
    let browser = Browser::signed_in(&world, &name).await;
    browser.post("/board/incidents/10000", &format!("do=note&note={name}")).await;
    world.engine.tick().await.unwrap();
    let claim = world.notifier.attempts()[0].claim_url.clone().unwrap();
    let claim = &claim["https://ir.example.org".len()..];
    for path in ["/", "/board/incidents/10000", "/board/changes", "/board/fragment?incident=10000", claim] {
        let page = browser.get(path).await;
        let shown = r"pay \u{202e}txt.exe\u{200b} &#60;b&#62; ";
        assert!(page.text.contains(&format!("{shown}👩\u{200d}💻")), "{path}: {}", page.text);
        assert!(!page.text.contains(['\u{202e}', '\u{200b}']), "{path}");
    }
}

#[tokio::test]
async fn who_is_on_call_is_told_team_by_team_and_so_is_a_day_without_anybody() {
    let world = world().await;
    let (alps, cave) = (json!({ "fallback": ["boss@example.org"], "escalateAfterSeconds": 300 }), "cave");
    world.put("/teams/alps", alps).await;
    world.put(&format!("/teams/{cave}"), json!({ "fallback": ["hermit@example.org"] })).await;
    let today = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org"] });
    world.put("/teams/alps/calendar/2026-11-24", today).await;
    let page = Browser::signed_in(&world, "Jo").await.get("/board/oncall").await.text;
    let (of_alps, of_cave) = page.split_once(&format!(">{cave}<")).unwrap();
    for part in ["Tuesday, 24 November 2026", "Level 1, at once", "<strong>jo@example.org</strong>"] {
        assert!(of_alps.contains(part), "{part} in {page}");
    }
    assert!(of_alps.contains("Level 2, after 5 min") && of_alps.contains("boss@example.org"), "{page}");
    assert!(of_cave.contains("Nobody is scheduled today") && of_cave.contains("hermit@example.org"));
    assert!(!of_alps.contains("Nobody is scheduled"));
}

#[tokio::test]
async fn days_without_anybody_on_call_are_told_on_both_pages_until_somebody_is() {
    let world = world().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    let banner = "in the next week.</a>";
    for team in browser.world.engine.teams().await.unwrap() {
        cover(&world, team.as_str(), 24..31).await;
    }
    world.put("/teams/inresponse-canary", json!({ "fallback": ["boss@example.org"] })).await;
    let list = browser.get("/").await.text;
    assert!(!list.contains(banner), "{list}");
    world.put("/teams/alps", json!({ "fallback": ["boss@example.org"] })).await;
    cover(&world, "alps", 24..28).await;
    cover(&world, "alps", 29..30).await;
    let page = browser.get("/board/oncall").await.text;
    let told = "Nobody is on call on Sat 28 November, Mon 30 November: the fallback";
    assert!(page.contains(told) && page.matches("Nobody is on call").count() == 1, "{page}");
    world.clock.advance(std::time::Duration::from_secs(61));
    let list = browser.get("/").await.text;
    let link = "href=\"/board/oncall\">1 team has days in the next week on which nobody is on call.</a>";
    assert!(list.contains(link), "{list}");
    cover(&world, "alps", 28..31).await;
    world.clock.advance(std::time::Duration::from_secs(61));
    let (list, page) = (browser.get("/").await.text, browser.get("/board/oncall").await.text);
    assert!(!list.contains(banner) && !page.contains("Nobody is on call"), "{list}{page}");
}

async fn cover(world: &World, team: &str, days: std::ops::Range<u32>) {
    for day in days {
        let path = format!("/teams/{team}/calendar/2026-11-{day}");
        assert_eq!(world.put(&path, json!({ "oncall": "jo@example.org" })).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_newest_changes_of_the_roster_are_told_with_who_made_them() {
    let world = world().await;
    let browser = Browser::signed_in(&world, "Jo").await;
    assert!(browser.get("/board/oncall").await.text.contains("href=\"/board/changes\""));
    for day in 1..=51 {
        let date = chrono::NaiveDate::from_yo_opt(2027, day).unwrap();
        world.put(&format!("/teams/devops/calendar/{date}"), json!({ "oncall": "jo@example.org" })).await;
    }
    let page = browser.get("/board/changes").await.text;
    let line = "<strong>admin</strong>: calendar of devops, 2027-02-20: j…@example.org (was nobody)";
    assert!(page.contains(line) && page.contains("datetime=\"2026-11-24T03:00:00Z\""), "{page}");
    assert!(page.contains(", 2027-01-02:") && !page.contains(", 2027-01-01:"), "fifty of them: {page}");
}

#[tokio::test]
async fn everything_is_found_under_a_prefix() {
    let world = World::new().await.showing(Pages::under("https://ir.example.org/alerting/").unwrap());
    world.report().await;
    let person = json!({ "methods": { "mail": "jo@example.org" } });
    assert_eq!(world.put("/people/jo", person).await.status, StatusCode::OK);
    let schedule = json!({ "layers": [{
        "name": "a", "members": ["person:jo"], "from": "2026-11-23T00:00", "turn": { "every": 1, "unit": "week" },
    }] });
    assert_eq!(world.put("/teams/devops/schedules/primary", schedule).await.status, StatusCode::OK);
    let browser = Browser::signed_in_with(&world, ADMIN, "Jo").await;
    for path in [
        "/",
        "/board/incidents/10000",
        "/board/oncall",
        "/board/changes",
        "/board/teams/devops",
        "/board/teams/devops/shifts",
        "/board/teams/devops/new-schedule",
        "/board/teams/devops/schedules/primary",
        "/board/people",
        "/board/people/jo",
        "/board/new-person",
        "/board/services/athens/plan",
        "/board/coverage",
    ] {
        let page = browser.get(path).await.text;
        let addresses = page.split([' ', '\n', '>']).filter_map(|part| {
            ["href=\"", "src=\"", "action=\""].iter().find_map(|name| part.strip_prefix(name))
        });
        for address in addresses {
            assert!(address.starts_with("/alerting") || address.starts_with('#'), "{address} in {path}");
        }
    }
    let answer = Browser::new(&world).get("/board/oncall").await;
    assert_eq!(location(&answer), "/alerting/board/sign-in?next=%2Falerting%2Fboard%2Foncall");
    for refused in ["ir.example.org", "ftp://ir.example.org", "", "https://"] {
        assert!(Pages::under(refused).is_err(), "{refused}");
    }
}

#[tokio::test]
async fn style_and_script_are_embedded_and_kept() {
    let world = world().await;
    for (name, kind) in
        [("board.css", "text/css"), ("board.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
    {
        let request = Request::get(format!("/board/assets/{name}")).body(Body::empty()).unwrap();
        let answer = world.send(request).await;
        assert!(answer.status == StatusCode::OK && !answer.text.is_empty());
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with(kind));
        assert!(answer.headers["cache-control"].to_str().unwrap().contains("immutable"));
    }
    let request = Request::get("/board/assets/nothing").body(Body::empty()).unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::NOT_FOUND);
}
