//! At three in the morning: a mail, a tap, and somebody has it.

use serde_json::json;

use crate::scene::Scene;
use crate::window::{DESK, LOOKS, Look, Window};

#[tokio::test]
async fn from_the_report_over_the_mail_and_a_tap_to_the_board_that_shows_it_live() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let desk = Window::signed_in(&scene.server, "Lee").await;
    desk.look(Look { width: DESK, ..LOOKS[0] }).await;
    desk.until_says("No open incidents").await;

    let report =
        json!({ "service": "checkout", "severity": "CRIT", "title": "Payments fail", "message": "502" });
    let number = scene.report(report).await;
    // Nobody touches the window on the desk, and it shows what happens.
    desk.until_says("Payments fail").await;

    let letter = scene.letter("checkout-jo@example.org").await;
    let phone = Window::open().await;
    phone.go(&letter.claim_link()).await;
    phone.until_says("Nobody has this incident yet").await;
    assert_eq!(scene.state(number).await, "OPEN");
    phone.type_into("#name", "Jo").await;
    phone.press("button.main").await;
    phone.until_says("Claimed by Jo").await;
    assert_eq!(scene.state(number).await, "CLAIMED");
    desk.until_says("Claimed by Jo").await;
    assert_eq!(desk.run("return document.getElementById('news').textContent").await, "0 open, 1 claimed");

    // One incident is kept up to date too, and what is being typed there stays.
    desk.press(&format!("#open-{number}")).await;
    desk.type_into("#note", "looking at").await;
    phone.press("button[value=resolve]").await;
    phone.until_says("Resolved by Jo").await;
    desk.until_says("Resolved by Jo").await;
    desk.type_into("#note", "it was the deploy").await;
    desk.press("button[value=note]").await;
    desk.until_says("it was the deploy").await;
    assert_eq!(scene.state(number).await, "RESOLVED");
    assert_eq!(phone.complaints().await, Vec::<String>::new());
    assert_eq!(desk.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn claim_and_resolve_is_a_link_and_a_tap() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let report = json!({ "service": "checkout", "severity": "ERR", "title": "Payments fail", "message": "" });
    let number = scene.report(report).await;
    let letter = scene.letter("checkout-jo@example.org").await;
    let phone = Window::open().await;
    phone.go(&format!("{}&then=resolve", letter.claim_link())).await;
    phone.until_says("Nobody has this incident yet").await;
    phone.press("button.main").await;
    phone.until_says("Resolved by checkout-jo@example.org").await;
    assert_eq!(scene.state(number).await, "RESOLVED");
}

#[tokio::test]
async fn the_mail_opens_the_board_for_a_signed_in_person_though_it_is_read_on_another_site() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let report = json!({ "service": "checkout", "severity": "ERR", "title": "Payments fail", "message": "" });
    let number = scene.report(report).await;
    let letter = scene.letter("checkout-jo@example.org").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mail.html");
    std::fs::write(&file, &letter.html).unwrap();
    let open = format!("a[href$='/board/incidents/{number}']");
    let there = format!("/board/incidents/{number}");
    let phone = Window::signed_in(&scene.server, "Jo").await;
    phone.go(&format!("file://{}", file.display())).await;
    phone.press(&open).await;
    phone.until("#do-claim").await;
    assert!(phone.address().await.ends_with(&there), "{}", phone.address().await);
    // A visitor who is not signed in signs in first, and is there.
    phone.press("footer button").await;
    phone.until_says("You are signed out").await;
    phone.go(&format!("file://{}", file.display())).await;
    phone.press(&open).await;
    phone.type_into("#name", "Jo").await;
    phone.type_into("#key", crate::server::KEY).await;
    phone.press("main button").await;
    phone.until("#do-claim").await;
    assert!(phone.address().await.ends_with(&there), "{}", phone.address().await);
}

#[tokio::test]
async fn a_tap_on_the_list_takes_it_and_focus_and_buttons_survive_what_changes() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let report =
        |title: &str| json!({ "service": "checkout", "severity": "WARN", "title": title, "message": "" });
    let first = scene.report(report("First")).await;
    let phone = Window::signed_in(&scene.server, "Jo").await;
    phone.run(&format!("document.getElementById('claim-{first}').focus()")).await;
    scene.report(report("Second")).await;
    phone.until_says("Second").await;
    assert_eq!(phone.run("return document.activeElement.id").await, format!("claim-{first}"));
    // Nothing is swapped under a finger that is down.
    phone.run("document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }))").await;
    scene.report(report("Third")).await;
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert!(!phone.text().await.contains("Third"));
    phone.run("document.body.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }))").await;
    phone.until_says("Third").await;
    phone.press(&format!("#claim-{first}")).await;
    phone.until_says("Claimed by Jo").await;
    assert!(phone.address().await.ends_with(&format!("/board/incidents/{first}")));
    assert_eq!(scene.state(first).await, "CLAIMED");
}
