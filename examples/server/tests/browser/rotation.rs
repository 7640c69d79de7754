//! A team moves in: people, a weekly rotation, and a shift that somebody takes for tonight.

use std::time::Duration;

use serde_json::json;

use crate::scene::Scene;
use crate::server::SOON;
use crate::window::{DESK, LOOKS, Look, Window};

/// Adds a person by the form.
async fn add(desk: &Window, url: &str, id: &str, name: &str) {
    desk.go(&format!("{url}/board/people")).await;
    desk.press("#new-person").await;
    desk.type_into("#person", id).await;
    desk.type_into("#name", name).await;
    desk.type_into("#methods", &format!("mail: {id}@example.org")).await;
    desk.press("#do-save").await;
    desk.until_says(&format!("How {name} is reached")).await;
}

#[tokio::test]
async fn a_rotation_is_built_from_nothing_and_who_takes_a_shift_gets_the_mail() {
    let scene = Scene::new().await;
    let url = &scene.server.url;
    scene.server.put("/teams/shop", json!({ "fallback": ["shop-ops@example.org"] })).await;
    scene.server.put("/services/shop", json!({ "team": "shop" })).await;
    let desk = Window::signed_in(&scene.server, "kim").await;
    desk.look(Look { width: DESK, ..LOOKS[0] }).await;
    add(&desk, url, "jo", "Jo Doe").await;
    add(&desk, url, "kim", "Kim Roe").await;

    // The rotation, of which the preview follows what is typed.
    desk.go(&format!("{url}/board/oncall")).await;
    desk.press("a[href='/board/teams/shop']").await;
    desk.until_says("This team has no schedule yet").await;
    desk.press("#new-schedule").await;
    desk.type_into("#layer-0-members", "jo\nkim").await;
    desk.until_says("Preview: not saved yet").await;
    desk.until_says("Preview updated").await;
    let text = desk.text().await;
    assert!(text.contains("Jo Doe") && text.contains("Kim Roe") && !text.contains("nobody,"), "{text}");
    let saved = scene.server.get("/teams/shop/schedules").await;
    assert_eq!(saved["schedules"], json!([]), "a preview saves nothing");
    desk.press("#do-save").await;
    desk.until_says("Calendar of shop").await;
    desk.until_says("Jo Doe").await;
    let now = "return document.querySelector('.shifts [aria-current=time]').innerText";
    assert!(desk.run(now).await.as_str().unwrap().contains("Jo Doe"));

    // Kim, who is signed in, takes over tonight.
    desk.press("#take summary").await;
    let tonight = "const end = new Date(Date.now() + 12 * 3600e3);
        document.getElementById('to').value = end.toISOString().slice(0, 16)";
    desk.run(tonight).await;
    desk.type_into("#note", "Jo is at a wedding").await;
    desk.press("#do-take").await;
    desk.until_says("Jo is at a wedding").await;
    assert!(desk.run(now).await.as_str().unwrap().contains("Kim Roe"));
    desk.go(&format!("{url}/board/services/shop/plan")).await;
    desk.until_says("Kim Roe").await;

    let report = json!({ "service": "shop", "severity": "CRIT", "title": "Carts are empty", "message": "" });
    let number = scene.report(report).await;
    scene.letter_that_says("kim@example.org", "Carts are empty").await;
    let deliveries = scene.server.get(&format!("/incidents/{number}")).await["deliveries"].to_string();
    assert!(deliveries.contains("kim") && !deliveries.contains("jo@example.org"), "{deliveries}");
    let to_jo = scene.mail.accepted().iter().filter(|mail| mail["to"] == "jo@example.org").count();
    assert_eq!(to_jo, 0, "Jo is not woken");
    assert_eq!(desk.barriers().await, Vec::<String>::new());
    assert_eq!(desk.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_rotation_is_built_and_a_shift_taken_without_a_script() {
    let scene = Scene::new().await;
    let url = &scene.server.url;
    scene.server.put("/teams/shop", json!({ "fallback": ["shop-ops@example.org"] })).await;
    for id in ["jo", "kim"] {
        let person = json!({ "methods": { "mail": format!("{id}@example.org") } });
        scene.server.put(&format!("/people/{id}"), person).await;
    }
    let phone = Window::signed_in(&scene.server, "kim").await;
    phone.command("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    phone.go(&format!("{url}/board/teams/shop/new-schedule")).await;
    phone.type_into("#layer-0-members", "jo\nkim").await;
    phone.press("#do-preview").await;
    phone.until("#preview-title").await;
    phone.press("#do-save").await;
    phone.until("#take").await;
    // The shift of Jo that is on now, on a page of its own.
    phone.press(".shifts [aria-current=time] a").await;
    phone.press("#do-take").await;
    phone.until("input[name=override]").await;
    let overrides = scene.server.get("/teams/shop/schedules/primary/overrides").await;
    assert_eq!(overrides["overrides"][0]["oncall"], json!(["person:kim"]), "{overrides}");
    phone.press("button[value=delete]").await;
    // The page that follows looks like the one before, so the server is asked.
    let mut overrides = json!(null);
    for _ in 0..SOON.as_millis() / 50 {
        overrides = scene.server.get("/teams/shop/schedules/primary/overrides").await["overrides"].clone();
        if overrides == json!([]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(overrides, json!([]));
}
