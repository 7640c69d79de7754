//! One incident, and its buttons.

use axum::http::StatusCode;
use serde_json::json;

use super::{Browser, location, numbers, world};

#[tokio::test]
async fn the_buttons_do_what_they_say_in_the_name_of_the_signed_in_person() {
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
        "Kim took the incident over from Jo",
        "Kim released it",
        "Jo resolved it",
    ] {
        assert!(page.contains(line), "{line}");
    }
    assert!(page.contains("Note by Jo") && page.contains("rolled back\nit helps"));
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
    assert!(page.contains("Jo escalated it") && page.contains("Alerting level 2: kim@example.org"), "{page}");
    let doubt = jo.post(&path, "do=hand-to-person&person=Lee").await;
    assert_eq!(doubt.status, StatusCode::CONFLICT);
    assert!(
        doubt.text.contains("Lee is not an address") && doubt.text.contains("Nobody has this incident yet")
    );
    location(&jo.post(&path, "do=hand-to-person&person=Lee&confirmed=yes").await);
    assert!(jo.get(&path).await.text.contains("Jo handed the incident to Lee"));
    // The people of the fallback are called in, and Lee keeps it.
    assert!(jo.get(&path).await.text.contains("Call in the next level"));
    location(&jo.post(&path, "do=escalate").await);
    assert!(jo.get(&path).await.text.contains("Jo called in ops@example.org"));
    let refused = jo.post(&path, "do=escalate").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("Nothing was done: nobody is left to alert."));
    assert!(!jo.get(&path).await.text.contains("value=\"escalate\""));
    assert_eq!(jo.post(&path, "do=hand-to-team&team=nobody").await.status, StatusCode::CONFLICT);
    assert_eq!(jo.post(&path, "do=hand-to-person&person=").await.status, StatusCode::BAD_REQUEST);
    location(&jo.post(&path, "do=hand-to-team&team=db").await);
    let page = jo.get(&path).await.text;
    assert!(
        page.contains("Jo handed the incident from team devops to team db") && page.contains("Team db"),
        "{page}"
    );
    assert_eq!(numbers(&jo.get("/?team=db").await.text), [number]);
    assert!(numbers(&jo.get("/?team=devops").await.text).is_empty());
}

#[tokio::test]
async fn the_incident_tells_who_was_alerted_and_how_it_ended() {
    let world = world().await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let page = Browser::signed_in(&world, "Jo").await.get(&format!("/board/incidents/{number}")).await.text;
    for part in
        ["Alerting level 1: ops@example.org", "<strong>ops@example.org</strong>", "class=\"good\">alerted<"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn p09_whom_the_roster_does_not_know_is_given_an_incident_only_if_that_is_meant() {
    let world = world().await;
    let today = json!({ "oncall": "jo@example.org" });
    world.put("/teams/devops/calendar/2026-11-24", today).await;
    let jo = Browser::signed_in(&world, "Jo").await;
    for (person, why) in [
        ("mraia@exmaple.org", Some("mraia@exmaple.org is not in the roster of team devops")),
        ("Maria", Some("Maria is not an address")),
        ("sms:+30123", Some("sms:+30123 is not an address")),
        ("jo@example.org", None),
        ("ops@example.org", None),
        ("Jo", None),
    ] {
        let number = world.report().await;
        let path = format!("/board/incidents/{number}");
        let form = format!("do=hand-to-person&person={}", person.replace('@', "%40").replace('+', "%2B"));
        let state = async || world.get(&format!("/incidents/{number}")).await.json["state"].clone();
        let answer = jo.post(&path, &form).await;
        let Some(why) = why else {
            location(&answer);
            assert_eq!(state().await, "CLAIMED", "{person}");
            continue;
        };
        assert_eq!((answer.status, state().await), (StatusCode::CONFLICT, json!("OPEN")), "{person}");
        assert!(answer.text.contains(why) && answer.text.contains("name=\"confirmed\""), "{}", answer.text);
        location(&jo.post(&path, &format!("{form}&confirmed=yes")).await);
        assert_eq!(state().await, "CLAIMED", "{person}");
    }
}

#[tokio::test]
async fn p22_a_hand_over_that_nobody_answers_shows_and_is_answered_by_a_button() {
    let world = world().await;
    let number = world.report().await;
    let path = format!("/board/incidents/{number}");
    let (jo, kim) = (Browser::signed_in(&world, "Jo").await, Browser::signed_in(&world, "Kim").await);
    world.engine.tick().await.unwrap();
    location(&jo.post(&path, "do=hand-to-person&person=Kim&confirmed=yes").await);
    let page = jo.get(&path).await.text;
    assert!(page.contains("Answer by") && page.contains("03:10:00 UTC"), "{page}");
    assert!(!page.contains("could not be notified"), "{page}");
    world.clock.advance(std::time::Duration::from_secs(60));
    world.engine.tick().await.unwrap();
    for page in [jo.get(&path).await.text, jo.get("/").await.text] {
        assert!(page.contains("Kim could not be notified of the hand-over"), "{page}");
    }
    let page = kim.get(&path).await.text;
    assert!(
        page.contains(">I have it<") && page.contains(">Release<") && !page.contains("Take over"),
        "{page}"
    );
    location(&kim.post(&path, "do=claim").await);
    let page = kim.get(&path).await.text;
    assert!(page.contains("Kim claimed it") && !page.contains("Answer by"), "{page}");

    location(&kim.post(&path, "do=hand-to-person&person=Lee&confirmed=yes").await);
    world.clock.advance(std::time::Duration::from_secs(600));
    world.engine.tick().await.unwrap();
    let page = kim.get(&path).await.text;
    assert!(page.contains("Lee did not answer in time, so the incident is open again"), "{page}");
    assert!(page.contains("Nobody has this incident yet") && page.contains("Round 2"), "{page}");
}

#[tokio::test]
async fn p12_escalation_is_offered_at_the_last_level_of_a_round_that_is_repeated() {
    let world = world().await;
    let team = json!({ "fallback": ["ops@example.org"], "repeat": 1, "timezone": "Europe/Athens" });
    world.put("/teams/devops", team).await;
    world.put("/teams/devops/calendar/2026-11-24", json!({ "oncall": "jo@example.org" })).await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let path = format!("/board/incidents/{number}");
    let jo = Browser::signed_in(&world, "Jo").await;
    let page = jo.get(&path).await.text;
    assert!(page.contains("Round 2: the people on call then") && page.contains("05:10:00 EET"), "{page}");
    assert!(page.contains("value=\"escalate\""), "{page}");
    let api = world.get(&format!("/incidents/{number}")).await.json;
    assert_eq!(api["upcoming"], json!([{ "at": "2026-11-24T03:10:00Z", "round": 2 }]));
    assert_eq!(api["nextAlertAt"], "2026-11-24T03:10:00Z");
    location(&jo.post(&path, "do=escalate").await);
    world.engine.tick().await.unwrap();
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["round"], 2);
}

#[tokio::test]
async fn p15_times_are_those_of_the_team_and_utc_stands_beside_them_in_the_details() {
    let world = world().await;
    world.put("/teams/devops", json!({ "fallback": ["ops@example.org"], "timezone": "Europe/Athens" })).await;
    let number = world.report().await;
    world.engine.tick().await.unwrap();
    let page = Browser::signed_in(&world, "Jo").await.get(&format!("/board/incidents/{number}")).await.text;
    let time = "data-as=\"clock\">24 Nov 2026, 05:00:00 EET</time>";
    assert!(page.contains(time), "{page}");
    assert!(page.contains(&format!("{time} <span class=\"quiet\">(03:00:00 UTC)</span>")), "{page}");
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["createdAt"], "2026-11-24T03:00:00Z");
}

#[tokio::test]
async fn a_message_of_many_lines_keeps_its_columns() {
    let world = world().await;
    let report =
        json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "a   b\n1   2<" });
    let number = world.put("/incidents", report).await.json["incidentId"].as_u64().unwrap();
    let page = Browser::signed_in(&world, "Jo").await.get(&format!("/board/incidents/{number}")).await.text;
    assert!(page.contains("<pre class=\"message columns\" tabindex=\"0\">a   b\n1   2&#60;</pre>"), "{page}");
}

#[tokio::test]
async fn p22_a_claim_is_snoozed_by_a_form() {
    let world = world().await;
    let number = world.report().await;
    let path = format!("/board/incidents/{number}");
    let jo = Browser::signed_in(&world, "Jo").await;
    let refused = jo.post(&path, "do=snooze&seconds=3600").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("there is no claim to snooze"), "{}", refused.text);
    location(&jo.post(&path, "do=claim").await);
    for wrong in ["do=snooze", "do=snooze&seconds=0", "do=snooze&seconds=604801", "do=snooze&seconds=2h"] {
        assert_eq!(jo.post(&path, wrong).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    location(&jo.post(&path, "do=snooze&seconds=7200").await);
    let page = jo.get(&path).await.text;
    assert!(page.contains("The claim ends at") && page.contains("05:00:00"), "{page}");
    world.clock.advance(std::time::Duration::from_secs(7200));
    world.engine.tick().await.unwrap();
    let page = jo.get(&path).await.text;
    assert!(page.contains("The claim of Jo ended after 2 h, so the incident is open again"), "{page}");
}

#[tokio::test]
async fn somebody_is_called_in_by_a_form_and_says_that_they_are_on_it() {
    let world = world().await;
    for person in ["kim", "lee"] {
        let methods = json!({ "methods": { "mail": format!("{person}@example.org") } });
        assert_eq!(world.put(&format!("/people/{person}"), methods).await.status, StatusCode::OK);
    }
    let number = world.report().await;
    let path = format!("/board/incidents/{number}");
    let (jo, kim) = (Browser::signed_in(&world, "jo").await, Browser::signed_in(&world, "kim").await);
    location(&jo.post(&path, "do=claim").await);
    let page = jo.get(&path).await.text;
    assert!(
        page.contains("<option value=\"person:kim\">") && page.contains("<option value=\"team:devops\">"),
        "{page}"
    );
    assert!(!kim.get(&path).await.text.contains("value=\"respond\""));
    // A name alone is a person.
    location(&jo.post(&path, "do=call-in&whom=kim").await);
    location(&jo.post(&path, "do=call-in&whom=person%3Alee").await);
    let refused = jo.post(&path, "do=call-in&whom=person%3Aal").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("Nothing was done: `person:al` is not in the roster."), "{}", refused.text);
    assert_eq!(jo.post(&path, "do=call-in&whom=").await.status, StatusCode::BAD_REQUEST);
    world.engine.tick().await.unwrap();
    let page = kim.get(&path).await.text;
    assert!(page.contains("value=\"respond\"") && page.contains("value=\"take-over\""), "{page}");
    location(&kim.post(&path, "do=respond").await);
    let page = kim.get(&path).await.text;
    for text in ["Claimed by jo", "With the help of kim", "jo called in kim", "kim is on it too", "Called in"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("value=\"respond\""));
}
