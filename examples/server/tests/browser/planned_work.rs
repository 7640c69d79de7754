//! On a phone: an incident is silenced and the silence is lifted; a heartbeat that stops, and comes back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::looks::looked_at;
use crate::scene::Scene;
use crate::server::SOON;
use crate::window::{LOOKS, Look, PHONE, Window};

/// Reads the page again until it says that.
async fn until_it_says(phone: &Window, page: &str, text: &str) {
    for _ in 0..SOON.as_millis() / 200 {
        phone.go(page).await;
        if phone.text().await.contains(text) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{page} never says {text:?}:\n{}", phone.text().await);
}

fn on_a_phone() -> Vec<Look> {
    LOOKS.into_iter().filter(|look| look.width == PHONE).collect()
}

fn alerts(scene: &Scene, title: &str) -> usize {
    let mails = scene.mail.accepted();
    let is_alert = |mail: &&Value| mail["to"] == "checkout-jo@example.org";
    mails.iter().filter(is_alert).filter(|mail| mail["raw"].as_str().unwrap().contains(title)).count()
}

#[tokio::test]
async fn p21_on_a_phone_an_incident_is_silenced_and_what_waited_alerts_once_when_the_silence_is_lifted() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let report = |title: &str| {
        let labels = json!({ "region": "eu-south-1" });
        json!({ "service": "checkout", "severity": "CRIT", "title": title, "message": "", "labels": labels })
    };
    let first = scene.report(report("Queue-A is full")).await;
    scene.letter_that_says("checkout-jo@example.org", "Queue-A is full").await;

    let looks = on_a_phone();
    let phone = Window::signed_in(&scene.server, "jo").await;
    phone.look(looks[0]).await;
    phone.go(&format!("{}/board/incidents/{first}", scene.server.url)).await;
    phone.press("#do-silence").await;
    phone.until("#comment").await;
    let conditions = phone.run("return document.querySelector('#matchers').value").await;
    let conditions = conditions.as_str().unwrap();
    assert!(conditions.contains("service=\"checkout\""), "{conditions}");
    assert!(conditions.contains("region=\"eu-south-1\""), "{conditions}");
    phone.type_into("#to", "soon").await;
    phone.type_into("#comment", "the new queue is deployed").await;
    phone.press("#do-save").await;
    phone.until_says("must be a duration like 30m").await;
    phone.type_into("#to", "2h").await;
    phone.press("#do-save").await;
    phone.until_at("/board/silences").await;
    phone.until_says("the new queue is deployed").await;

    let second = scene.report(report("Queue-B is full")).await;
    let list = format!("{}/board/silences", scene.server.url);
    until_it_says(&phone, &list, "1 incident waits").await;
    looked_at(&phone, "silences-waiting", &looks).await;
    phone.look(looks[0]).await;
    let incident = scene.server.get(&format!("/incidents/{second}")).await;
    assert!(incident["quietUntil"].is_string(), "{incident}");
    assert_eq!(alerts(&scene, "Queue-B is full"), 0);
    phone.go(&format!("{}/board/incidents/{second}", scene.server.url)).await;
    looked_at(&phone, "incident-quiet", &looks).await;
    phone.look(looks[0]).await;

    phone.go(&list).await;
    phone.press("button[value=lift]").await;
    phone.until_says("There are no silences").await;
    scene.letter_that_says("checkout-jo@example.org", "Queue-B is full").await;
    assert_eq!(alerts(&scene, "Queue-B is full"), 1);
    let incident = scene.server.get(&format!("/incidents/{second}")).await;
    assert!(incident["quietUntil"].is_null(), "{incident}");
}

#[tokio::test]
async fn p24_on_a_phone_a_heartbeat_that_stops_shows_its_incident_until_it_pings_again() {
    let scene = Scene::new().await;
    scene.team("checkout", 600).await;
    let heartbeat =
        json!({ "service": "checkout", "severity": "ERR", "everySeconds": 1, "title": "Backup did not run" });
    scene.server.put("/heartbeats/backup", heartbeat).await;
    let phone = Window::signed_in(&scene.server, "jo").await;
    let looks = on_a_phone();
    phone.look(looks[0]).await;
    let list = format!("{}/board/heartbeats", scene.server.url);
    until_it_says(&phone, &list, "missed").await;
    until_it_says(&phone, &list, "incident ").await;
    looked_at(&phone, "heartbeats-missed", &looks).await;
    phone.look(looks[0]).await;
    scene.letter_that_says("checkout-jo@example.org", "Backup did not run").await;

    // A longer interval, so that the ping is not followed by another miss at once.
    let heartbeat = json!({ "service": "checkout", "severity": "ERR", "everySeconds": 86_400 });
    scene.server.put("/heartbeats/backup", heartbeat).await;
    let (status, answer) = scene.server.post("/heartbeats/backup/ping", Value::Null).await;
    assert!(status.is_success(), "{answer}");
    until_it_says(&phone, &list, "pings in time").await;
    phone.go(&format!("{}/board/heartbeats/backup", scene.server.url)).await;
    phone.until_says("next ping").await;
    looked_at(&phone, "heartbeat-back", &looks).await;
    let missed = scene.server.get("/heartbeats/backup").await;
    let number = missed["misses"][0]["incidentId"].as_u64().unwrap_or_else(|| panic!("{missed}"));
    assert_eq!(scene.state(number).await, "RESOLVED");
}
