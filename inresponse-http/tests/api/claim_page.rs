//! The page behind the link in an alert.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::world::{Answer, World};

async fn open(world: &World, method: Method, link: &str, form: &str) -> Answer {
    let request = Request::builder().method(method).uri(link).body(Body::from(form.to_owned())).unwrap();
    world.send(request).await
}

/// Reports an incident, has it alerted, and answers the path of its link.
async fn alerted(world: &World) -> String {
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let attempts = world.notifier.attempts();
    let url = attempts.last().unwrap().claim_url.clone().unwrap();
    assert!(url.starts_with(&format!("https://ir.example.org/incidents/{number}/claim?token=")), "{url}");
    url["https://ir.example.org".len()..].to_owned()
}

#[tokio::test]
async fn looking_changes_nothing_and_the_button_claims() {
    let world = World::new().await;
    let link = alerted(&world).await;
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let page = open(&world, method, &link, "").await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    }
    assert_eq!(world.get("/incidents/10000").await.json["state"], "OPEN");
    let page = open(&world, Method::POST, &link, "name=").await;
    assert!(
        page.status == StatusCode::OK && page.text.contains("Claimed by ops@example.org"),
        "{}",
        page.text
    );
    let incident = world.get("/incidents/10000").await.json;
    assert_eq!(incident["claimedBy"], "ops@example.org");
    let last = incident["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["key"]), (&json!("claimed"), &json!("link")));
}

#[tokio::test]
async fn p06_who_comes_second_is_told_and_may_take_over() {
    let world = World::new().await;
    let link = alerted(&world).await;
    open(&world, Method::POST, &link, "name=Jo").await;
    let page = open(&world, Method::POST, &link, "name=Kim+%3Cb%3E").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.text.contains("Claimed by Jo") && page.text.contains("Take over") && !page.text.contains("<b>")
    );
    let page = open(&world, Method::POST, &link, "name=Kim&takeOver=yes").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(world.get("/incidents/10000").await.json["claimedBy"], "Kim");
    world.post("/incidents/10000", json!({ "state": "RESOLVED" })).await;
    let page = open(&world, Method::POST, &link, "name=Kim").await;
    assert!(page.status == StatusCode::CONFLICT && page.text.contains("Resolved by admin"));
    assert!(open(&world, Method::GET, &link, "").await.text.contains("Resolved by admin"));
}

#[tokio::test]
async fn a_name_is_read_whether_or_not_the_form_was_encoded() {
    for (form, name) in [
        ("name=Jo+Doe", "Jo Doe"),
        ("name=Jo%20D%C3%B6", "Jo Dö"),
        ("name=Jo Doe", "Jo Doe"),
        ("name=Jo#2\r\n", "Jo#2"),
        ("name=\"Jö\" <jo>", "\"Jö\" <jo>"),
        ("", "ops@example.org"),
    ] {
        let world = World::new().await;
        let link = alerted(&world).await;
        assert_eq!(open(&world, Method::POST, &link, form).await.status, StatusCode::OK, "{form}");
        assert_eq!(world.get("/incidents/10000").await.json["claimedBy"], name, "{form}");
    }
}

#[tokio::test]
async fn a_link_holds_for_its_incident_and_a_week_and_needs_no_key() {
    let world = World::new().await;
    let link = alerted(&world).await;
    world.report().await;
    let other = link.replace("/10000/", "/10001/");
    let forged = link.replacen("token=M", "token=N", 1);
    for bad in [other.as_str(), &forged, "/incidents/10000/claim", "/incidents/10000/claim?token=x.y"] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(open(&world, method, bad, "").await.status, StatusCode::FORBIDDEN, "{bad}");
        }
    }
    // A key opens nothing here.
    let answer = world.post("/incidents/10000/claim", json!({})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let long = format!("name={}", "x".repeat(200));
    assert_eq!(open(&world, Method::POST, &link, &long).await.status, StatusCode::BAD_REQUEST);
    let huge = format!("name={}", "x".repeat(5000));
    assert_eq!(open(&world, Method::POST, &link, &huge).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(world.get("/incidents/10000").await.json["state"], "OPEN");
    world.clock.advance(std::time::Duration::from_secs(7 * 24 * 3600 + 1));
    let page = open(&world, Method::POST, &link, "name=Jo").await;
    assert!(page.status == StatusCode::FORBIDDEN && page.text.contains("expired"));
}

#[tokio::test]
async fn claim_and_resolve_is_one_press_and_the_link_only_puts_its_button_first() {
    let world = World::new().await;
    let link = alerted(&world).await;
    let buttons = |page: &Answer| {
        let named: Vec<usize> =
            ["value=\"\"", "value=\"resolve\""].iter().map(|v| page.text.find(v).unwrap()).collect();
        named[0] < named[1]
    };
    assert!(buttons(&open(&world, Method::GET, &link, "").await), "claim comes first");
    let resolving = format!("{link}&then=resolve");
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(open(&world, method, &resolving, "").await.status, StatusCode::OK);
    }
    assert!(!buttons(&open(&world, Method::GET, &resolving, "").await), "claim and resolve comes first");
    assert_eq!(world.get("/incidents/10000").await.json["state"], "OPEN");
    // What the query says, no press of a button does.
    open(&world, Method::POST, &resolving, "name=Jo&then=").await;
    assert_eq!(world.get("/incidents/10000").await.json["state"], "CLAIMED");
    // Another's is not resolved but where it is taken over.
    let page = open(&world, Method::POST, &link, "name=Kim&then=resolve").await;
    assert!(
        page.status == StatusCode::CONFLICT && page.text.contains("Take over and resolve"),
        "{}",
        page.text
    );
    assert_eq!(world.get("/incidents/10000").await.json["state"], "CLAIMED");
    for _pressed_twice in 0..2 {
        let page = open(&world, Method::POST, &link, "name=Kim&takeOver=yes&then=resolve").await;
        assert!(page.status == StatusCode::OK && page.text.contains("Resolved by Kim"), "{}", page.text);
    }
    let incident = world.get("/incidents/10000").await.json;
    assert_eq!((&incident["claimedBy"], &incident["resolvedBy"]), (&json!("Kim"), &json!("Kim")));
}

#[tokio::test]
async fn the_page_says_who_has_it_and_needs_no_script() {
    let world = World::new().await;
    let link = alerted(&world).await;
    open(&world, Method::POST, &link, "name=Jo").await;
    let page = open(&world, Method::GET, &link, "").await;
    assert!(page.text.contains("Claimed by Jo") && page.text.contains("datetime=\"2026-11-24T03:00:00Z\""));
    assert!(!page.text.contains("<script") && !page.text.contains("style="), "{}", page.text);
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
}

#[tokio::test]
async fn p22_the_new_holder_answers_by_their_link() {
    for (form, state, by) in [
        ("", "CLAIMED", Some("kim@example.org")),
        ("then=release", "OPEN", None),
        ("then=resolve", "RESOLVED", Some("kim@example.org")),
    ] {
        let world = World::new().await;
        alerted(&world).await;
        world.post("/incidents/10000", json!({ "handTo": "kim@example.org", "by": "jo" })).await;
        world.engine.tick().await.unwrap();
        let sent = world.notifier.attempts().pop().unwrap();
        let link = sent.claim_url.unwrap()["https://ir.example.org".len()..].to_owned();
        let page = open(&world, Method::GET, &link, "").await.text;
        assert!(page.contains("It was handed to you") && page.contains("Answer by"), "{page}");
        for button in [">I have it<", ">Resolve<", ">Release<"] {
            assert!(page.contains(button), "{button} in {page}");
        }
        assert!(!page.contains("Take over") && !page.contains("name=\"name\""), "{page}");
        let page = open(&world, Method::GET, &format!("{link}&then=release"), "").await.text;
        assert!(page.find(">Release<") < page.find(">I have it<"), "{page}");

        let page = open(&world, Method::POST, &link, form).await;
        assert_eq!(page.status, StatusCode::OK, "{form}: {}", page.text);
        let now = world.get("/incidents/10000").await.json;
        assert_eq!((&now["state"], &now["claimedBy"]), (&json!(state), &json!(by)), "{form}");
        assert_eq!(now["claimEndsAt"], serde_json::Value::Null, "{form}");
    }
}

#[tokio::test]
async fn who_has_it_by_their_address_may_release_it_and_nobody_else() {
    let world = World::new().await;
    let link = alerted(&world).await;
    open(&world, Method::POST, &link, "name=").await;
    let page = open(&world, Method::GET, &link, "").await.text;
    assert!(page.contains(">Release<") && !page.contains(">I have it<"), "{page}");
    world.post("/incidents/10000", json!({ "state": "CLAIMED", "by": "Jo", "takeOver": true })).await;
    assert_eq!(open(&world, Method::POST, &link, "then=release").await.status, StatusCode::CONFLICT);
    assert_eq!(world.get("/incidents/10000").await.json["claimedBy"], "Jo");
}

#[tokio::test]
async fn the_page_shows_links_and_who_was_alerted_before() {
    let world = World::new().await;
    let team = json!({ "fallback": ["ops@example.org"], "timezone": "Europe/Athens" });
    world.put("/teams/devops", team).await;
    let rota = json!({ "oncall": ["jo@example.org", "kim@example.org"], "escalation": "lee@example.org" });
    world.put("/teams/devops/calendar/2026-11-24", rota).await;
    let refused = inresponse_core::notify::Outcome::rejected("550 no such user");
    world.notifier.then_for(inresponse_core::model::Contact::new("kim@example.org").unwrap(), refused);
    let report = json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "a   b\n1   2",
        "links": [{ "text": "Runbook", "url": "https://wiki.example.org/5xx" }] });
    world.put("/incidents", report).await;
    world.engine.tick().await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(600));
    world.engine.tick().await.unwrap();
    let url = world.notifier.attempts().last().unwrap().claim_url.clone().unwrap();
    let page = open(&world, Method::GET, &url["https://ir.example.org".len()..], "").await.text;
    for part in [
        "<a href=\"https://wiki.example.org/5xx\" rel=\"noreferrer\">Runbook</a>",
        "<pre class=\"message columns\" tabindex=\"0\">a   b\n1   2</pre>",
        "<strong>jo@example.org</strong> <span class=\"good\">alerted</span>",
        "<strong>kim@example.org</strong> <span class=\"bad\">could not be reached</span>",
        "550 no such user",
        "05:00:00 EET",
        "(03:00:00 UTC)",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn p22_the_claimant_keeps_a_claim_by_their_link() {
    let world = World::new().await;
    let link = alerted(&world).await;
    open(&world, Method::POST, &link, "name=").await;
    let page = open(&world, Method::GET, &link, "").await.text;
    assert!(!page.contains("Keep it"), "this claim does not end: {page}");
    world.post("/incidents/10000", json!({ "snoozeSeconds": 1800, "by": "jo" })).await;
    world.clock.advance(std::time::Duration::from_secs(1200));
    world.engine.tick().await.unwrap();
    let sent = world.notifier.attempts().pop().unwrap();
    assert_eq!(sent.contact.address(), "ops@example.org");
    let link = sent.claim_url.unwrap()["https://ir.example.org".len()..].to_owned();
    let page = open(&world, Method::GET, &format!("{link}&then=snooze"), "").await.text;
    assert!(page.contains("The claim ends at") && page.contains("03:30:00"), "{page}");
    assert!(page.find(">Keep it for another hour<") < page.find(">Resolve<"), "{page}");
    assert_eq!(world.get("/incidents/10000").await.json["claimEndsAt"], "2026-11-24T03:30:00Z", "looking");

    // Nobody else keeps it.
    let other = open(&world, Method::POST, &link, "name=Kim&then=snooze").await;
    assert_eq!(other.status, StatusCode::CONFLICT, "{}", other.text);
    assert_eq!(world.get("/incidents/10000").await.json["claimEndsAt"], "2026-11-24T03:30:00Z");
    let kept = open(&world, Method::POST, &link, "then=snooze").await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text);
    assert_eq!(world.get("/incidents/10000").await.json["claimEndsAt"], "2026-11-24T04:20:00Z");

    // The claim ended before they pressed it.
    world.clock.advance(std::time::Duration::from_secs(2 * 3600));
    world.engine.tick().await.unwrap();
    assert_eq!(world.get("/incidents/10000").await.json["state"], "OPEN");
    open(&world, Method::POST, &link, "then=snooze").await;
    let now = world.get("/incidents/10000").await.json;
    assert_eq!((&now["state"], &now["claimEndsAt"]), (&json!("CLAIMED"), &json!("2026-11-24T06:20:00Z")));
}

#[tokio::test]
async fn p20_a_person_who_was_called_in_says_so_on_the_page_of_the_link() {
    let world = World::new().await;
    let kim = json!({ "methods": { "push": "push@example.org", "call": "call@example.org" } });
    assert_eq!(world.put("/people/kim", kim).await.status, StatusCode::OK);
    let number = world.report().await;
    let path = format!("/incidents/{number}");
    world.post(&path, json!({ "state": "CLAIMED", "by": "jo" })).await;
    for alert in ["person:kim", "room@example.org"] {
        let answer = world.post(&path, json!({ "alert": [alert], "by": "jo" })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    world.engine.tick().await.unwrap();
    let link = |to: &str| {
        let attempts = world.notifier.attempts();
        let sent = attempts.iter().find(|attempt| attempt.contact.address() == to).unwrap();
        sent.claim_url.clone().unwrap()["https://ir.example.org".len()..].to_owned()
    };
    let push = link("push@example.org");
    let page = open(&world, Method::GET, &push, "").await.text;
    assert!(page.contains("You were called in; jo has it") && page.contains("m on it</button>"), "{page}");
    let done = open(&world, Method::POST, &push, "name=").await;
    assert_eq!(done.status, StatusCode::OK);
    assert!(done.text.contains("jo has it, and you help"), "{}", done.text);
    // Everybody who has the link of a shared address may answer there under their own name.
    let done = open(&world, Method::POST, &link("room@example.org"), "name=Al").await;
    assert!(done.text.contains("jo has it, and you help"), "{}", done.text);
    let now = world.get(&path).await.json;
    let helping: Vec<_> = now["responders"].as_array().unwrap().iter().map(|one| one["by"].clone()).collect();
    assert_eq!((&now["claimedBy"], helping), (&json!("jo"), vec![json!("kim"), json!("Al")]));
}
