//! During the day: signing in, filtering, turning pages, with very many incidents; and when the server stops.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;

use crate::scene::Scene;
use crate::server::Server;
use crate::window::Window;

const MANY: usize = 10_000;

/// So many open incidents, for which nobody is alerted.
async fn fill(server: &Server) {
    let quiet =
        json!({ "fallback": ["ops@example.org"], "alertLevels": { "WARN": [], "ERR": [], "CRIT": [] } });
    server.put("/teams/archive", quiet).await;
    for service in ["alpha", "beta"] {
        server.put(&format!("/services/{service}"), json!({ "team": "archive" })).await;
    }
    let report = async |i: usize| {
        let service = if i.is_multiple_of(100) { "beta" } else { "alpha" };
        let severity = if i.is_multiple_of(10) { "ERR" } else { "WARN" };
        let title = format!("Incident {i} of many");
        let report = json!({ "service": service, "severity": severity, "title": title, "message": "" });
        server.put("/incidents", report).await;
    };
    stream::iter(0..MANY).map(report).buffer_unordered(8).for_each(async |()| ()).await;
}

#[tokio::test]
async fn ten_thousand_open_incidents_are_signed_in_to_filtered_and_paged_through() {
    let scene = Scene::new().await;
    fill(&scene.server).await;
    let desk = Window::open().await;
    // A visitor who is not signed in is led there, and back.
    desk.go(&format!("{}/?service=beta", scene.server.url)).await;
    desk.type_into("#name", "Lee").await;
    desk.type_into("#key", "wrong").await;
    desk.press("main button").await;
    desk.until_says("Unknown API key").await;
    desk.type_into("#key", crate::server::KEY).await;
    desk.press("main button").await;
    desk.until_at("/?service=beta").await;
    assert_eq!(shown(&desk).await.len(), 50);
    assert_eq!(desk.until("#count-open strong").await.text().await.unwrap(), "100");

    desk.press("#turn-next").await;
    desk.until_at("from=").await;
    let second = shown(&desk).await;
    assert_eq!(second.len(), 50);
    assert!(desk.run("return document.getElementById('turn-next')").await.is_null(), "beta has a hundred");
    desk.press("#turn-previous").await;
    desk.until("#turn-next").await;
    assert!(shown(&desk).await.iter().all(|number| !second.contains(number)));

    desk.press(".filter summary").await;
    desk.run("document.getElementById('service').value = ''").await;
    desk.until("#severity").await.send_keys("ERR").await.unwrap();
    desk.press("#do-filter").await;
    desk.until_at("severity=ERR").await;
    let severities = "return [...document.querySelectorAll('.incident .severity')].map((s) => s.textContent)";
    let severities = desk.run(severities).await;
    assert!(severities.as_array().unwrap().iter().all(|severity| severity == "ERR"));

    // Every page, without the browser: each follows the one before.
    let cookie = desk.command("Network.getCookies", json!({})).await["cookies"][0].clone();
    let cookie = format!("{}={}", cookie["name"].as_str().unwrap(), cookie["value"].as_str().unwrap());
    let client = reqwest::Client::new();
    let (mut path, mut seen, mut slowest) = (Some("/".to_owned()), Vec::new(), Duration::ZERO);
    while let Some(here) = path {
        let began = std::time::Duration::from_secs_f64(crate::server::unix_now());
        let request = client.get(format!("{}{here}", scene.server.url)).header("cookie", &cookie);
        let page = request.send().await.unwrap().text().await.unwrap();
        let took = std::time::Duration::from_secs_f64(crate::server::unix_now()).saturating_sub(began);
        slowest = slowest.max(took);
        let numbers = page.split("id=\"open-").skip(1).map(|rest| rest.split('"').next().unwrap());
        // On a page the worst come first, and every page is older than the one before.
        let mut numbers: Vec<u64> = numbers.map(|number| number.parse().unwrap()).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        seen.extend(numbers);
        let next = page.split("<a ").find(|tag| tag.contains("id=\"turn-next\""));
        path = next
            .map(|tag| tag.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&"));
    }
    assert!(seen.len() == MANY && seen.is_sorted_by(|a, b| a > b), "{} incidents were shown", seen.len());
    println!("{} pages of {MANY} open incidents, the slowest in {slowest:?}", MANY / 50);
}

async fn shown(window: &Window) -> Vec<String> {
    let ids = "return [...document.querySelectorAll('.incident h3 a')].map((link) => link.id)";
    let ids = window.run(ids).await;
    ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_those_who_watch() {
    let mut scene = Scene::new().await;
    let desk = Window::signed_in(&scene.server, "Lee").await;
    desk.until_says("Live").await;
    assert!(scene.server.terminate().success());
    assert!(!scene.server.output().contains("did not end in time"), "{}", scene.server.output());
    desk.until_says("Reconnecting").await;
}

#[tokio::test]
async fn where_there_are_no_streams_the_page_asks_and_without_a_script_it_still_works() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let desk = Window::signed_in(&scene.server, "Lee").await;
    desk.command("Network.enable", json!({})).await;
    desk.command("Network.setBlockedURLs", json!({ "urls": ["*/board/events*"] })).await;
    desk.go(&scene.server.url).await;
    desk.until_says("Updated every few seconds").await;
    let report =
        |title: &str| json!({ "service": "checkout", "severity": "WARN", "title": title, "message": "" });
    let number = scene.report(report("Told without a stream")).await;
    desk.until_says("Told without a stream").await;
    desk.command("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    desk.go(&scene.server.url).await;
    desk.press(&format!("#claim-{number}")).await;
    desk.press("button[value=release]").await;
    desk.type_into("#note", "by hand").await;
    desk.press("button[value=note]").await;
    desk.press("button[value=claim-and-resolve]").await;
    desk.until(".state.resolved").await;
    assert_eq!(scene.state(number).await, "RESOLVED");
}
