//! Silences on the board: the list, the form that makes one, and the way from an incident to it.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use inresponse_core::model::{Person, SilenceId};
use inresponse_core::roster::{Entry, MatchOp, Matcher, RosterEdit, Silence};
use inresponse_testkit::access::sign_in;
use serde_json::{Value, json};

use super::{Browser, location, rota, world};
use crate::world::{ADMIN_ONLY, REPORT, RESPOND, World};

const LIST: &str = "/board/silences";
const NEW: &str = "/board/new-silence";

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn deploy() -> String {
    form(&[
        ("zone", "UTC"),
        ("matchers", "service=athens\r\n\r\nhost !~ db-.*\r\n"),
        ("from", ""),
        ("to", "2h"),
        ("comment", "new <database>"),
        ("do", "save"),
    ])
}

async fn silences(world: &World) -> Vec<Value> {
    world.get("/silences").await.json["silences"].as_array().unwrap().clone()
}

#[tokio::test]
async fn p21_a_silence_is_made_by_form_and_lifting_it_alerts_once() {
    let world = world().await;
    let jo = Browser::signed_in(&world, "Jo").await;
    let empty = jo.get(LIST).await.text;
    assert!(empty.contains("There are no silences. Make one") && empty.contains(NEW), "{empty}");
    assert!(jo.get("/board/oncall").await.text.contains("href=\"/board/silences\""));
    assert!(jo.get(NEW).await.text.contains("name=\"to\" value=\"2h\""));
    // A button that is pressed twice makes one silence.
    assert_eq!(location(&jo.post(NEW, &deploy()).await), LIST);
    assert_eq!(location(&jo.post(NEW, &deploy()).await), LIST);
    let made = silences(&world).await;
    let [made] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!((&made["id"], &made["by"]), (&json!("20261124-030000"), &json!("Jo")));
    let span = [&made["from"], &made["to"]];
    assert_eq!(span, [&json!("2026-11-24T03:00:00Z"), &json!("2026-11-24T05:00:00Z")]);
    let changes = world.get("/roster/changes").await.json;
    assert_eq!(changes["changes"][0]["by"], "Jo");

    let number = world.report().await;
    world.engine.tick().await.unwrap();
    assert_eq!(world.notifier.attempts().len(), 0);
    let list = jo.get(LIST).await.text;
    for part in [
        "active",
        "new &#60;database&#62;",
        "1 incident waits",
        ", by Jo",
        "Tue 24 Nov 03:00",
        "Times in UTC",
    ] {
        assert!(list.contains(part), "{part} in {list}");
    }
    assert!(list.contains("service=&#34;athens&#34;") && !list.contains("<database>"), "{list}");

    let lift = form(&[("silence", "20261124-030000"), ("do", "lift")]);
    assert_eq!(jo.post(LIST, "do=lift&silence=other").await.status, StatusCode::NOT_FOUND);
    assert_eq!(jo.post(LIST, "do=keep&silence=20261124-030000").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(location(&jo.post(LIST, &lift).await), LIST);
    assert_eq!(silences(&world).await, Vec::<Value>::new());
    for _ in 0..2 {
        world.engine.tick().await.unwrap();
        assert_eq!(world.notifier.attempts().len(), 1);
    }
    assert_eq!(world.get(&format!("/incidents/{number}")).await.json["quietUntil"], Value::Null);
    let again = jo.post(LIST, &lift).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert!(again.text.contains("no such silence any more"), "{}", again.text);
}

#[tokio::test]
async fn an_incident_leads_to_a_form_with_its_service_and_labels() {
    let world = world().await;
    let labels = json!({ "alertname": "DiskFull", "host": "db \"1\"\\\nx", "a=b": "x", "team": "other" });
    let report =
        json!({ "service": "athens", "severity": "ERR", "title": "x", "message": "y", "labels": labels });
    let number = world.put("/incidents", report).await.json["incidentId"].clone();
    let jo = Browser::signed_in(&world, "Jo").await;
    let page = jo.get(&format!("/board/incidents/{number}")).await.text;
    let tag =
        page.split('<').find(|tag| tag.starts_with("input") && tag.contains("name=\"matchers\"")).unwrap();
    let value = tag.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    let matchers = value.replace("&#34;", "\"").replace("&#60;", "<").replace("&#38;", "&");
    assert_eq!(matchers, "service=\"athens\"\nalertname=\"DiskFull\"\nhost=\"db \\\"1\\\"\\\\\\nx\"");
    let begun = jo.post(NEW, &form(&[("matchers", &matchers), ("do", "begin")])).await;
    assert_eq!(begun.status, StatusCode::OK);
    assert!(
        begun.text.contains("alertname=&#34;DiskFull&#34;") && begun.text.contains("value=\"2h\""),
        "{}",
        begun.text
    );
    assert_eq!(silences(&world).await.len(), 0, "nothing is silent yet");
    let save = [("zone", "UTC"), ("matchers", matchers.as_str()), ("to", "1h"), ("do", "save")];
    location(&jo.post(NEW, &form(&save)).await);
    world.engine.tick().await.unwrap();
    let quiet = world.get(&format!("/incidents/{number}")).await.json;
    assert_eq!(quiet["quietUntil"], "2026-11-24T04:00:00Z", "{quiet}");
}

#[tokio::test]
async fn p16_a_refused_silence_names_the_field_and_keeps_what_was_typed() {
    let world = world().await;
    let jo = Browser::signed_in(&world, "Jo").await;
    let typed = [
        ("zone", "UTC"),
        ("matchers", "service=athens\nhost=~("),
        ("from", ""),
        ("to", "tonight"),
        ("comment", "why not"),
    ];
    let refused = jo.post(NEW, &form(&[&typed[..], &[("do", "save")]].concat())).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    for part in [
        "entry 2: must be a regular expression",
        "id=\"to-error\">must be a duration like 30m, 2h or 7d",
        ">service=athens\nhost=~(</textarea>",
        "value=\"tonight\"",
        "value=\"why not\"",
        "Nothing was changed.",
    ] {
        assert!(refused.text.contains(part), "{part} in {}", refused.text);
    }
    for (name, value, error) in [
        ("matchers", "", "matchers: must contain one"),
        ("matchers", "host=", "matchers: must contain one"),
        ("matchers", "host", "must be like name="),
        ("to", "", "to: is missing"),
        ("to", "401d", "to: must be at most 400 days"),
        ("to", "2026-11-24T02:00", "to: must be in the future"),
        ("from", "now", "from: must be a day and a time"),
        ("comment", &"x".repeat(1_001), "comment: "),
        ("do", "other", "button: is not a button of this page"),
    ] {
        let mut fields =
            vec![("zone", "UTC"), ("matchers", "service=athens"), ("from", ""), ("to", "2h"), ("do", "save")];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        let refused = jo.post(NEW, &form(&fields)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name} {value}");
        assert!(refused.text.contains(error), "{error} in {}", refused.text);
    }
    assert_eq!(silences(&world).await.len(), 0);
}

#[tokio::test]
async fn silences_are_shown_by_the_readers_clock_and_what_is_over_is_removed() {
    let world = rota().await;
    let put = async |id: &str, from: &str, to: &str, weekly: Value| {
        let silence = json!({ "matchers": [{ "name": "service", "value": id }], "from": from, "to": to,
            "weekly": weekly, "comment": format!("why {id}") });
        let put = world.put(&format!("/silences/{id}"), silence).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    };
    put("over", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", Value::Null).await;
    put("planned", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z", Value::Null).await;
    let weekly = json!({ "days": ["Sun"], "from": "02:00", "to": "04:00", "timezone": "Europe/Paris" });
    put("weekly", "2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z", weekly).await;
    let jo = Browser::signed_in(&world, "jo").await;
    let page = jo.get(LIST).await.text;
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in {page}"));
    assert!(at("why weekly") < at("why planned") && at("why planned") < at("why over"), "{page}");
    assert!(page.contains("Times in Europe/Athens") && page.contains("Tue 1 Dec 02:00"), "{page}");
    assert!(page.contains("only Sun 02:00 to 04:00 (Europe/Paris)"), "{page}");
    assert!(page.contains(">Remove</button>") && page.contains("aria-label=\"Lift why planned\""), "{page}");
    location(&jo.post(LIST, "do=lift&silence=over").await);
    assert!(!jo.get(LIST).await.text.contains("why over"));
}

#[tokio::test]
async fn who_may_only_report_makes_no_silence_and_who_may_change_the_roster_does() {
    let world = world().await;
    let roster = Browser::signed_in_with(&world, ADMIN_ONLY, "Kim").await;
    location(&roster.post(NEW, &deploy()).await);
    assert_eq!(sign_in(&world, REPORT).await, None, "there is no session that may only report");
    let reporter = Browser::new(&world);
    for answer in [
        reporter.get(LIST).await,
        reporter.get(NEW).await,
        reporter.post(NEW, &deploy()).await,
        reporter.post(LIST, "do=lift&silence=20261124-030000").await,
    ] {
        assert!(location(&answer).starts_with("/board/sign-in?next="), "{}", answer.text);
    }
    assert_eq!(silences(&world).await.len(), 1);
}

#[tokio::test]
async fn p16_there_are_at_most_a_thousand_silences() {
    let world = world().await;
    let silence = |n: usize| -> RosterEdit {
        let matcher = Matcher::new("service", MatchOp::Equal, &format!("s{n}")).unwrap();
        let (from, to) = ("2026-11-24T02:00:00Z".parse().unwrap(), "2026-11-24T05:00:00Z".parse().unwrap());
        let id = SilenceId::new(format!("s{n}")).unwrap();
        Entry::silence(&id, Silence::new(vec![matcher], from, to).unwrap()).into()
    };
    let (all, by): (Vec<RosterEdit>, _) = ((0..1_000).map(silence).collect(), Person::new("Jo").unwrap());
    for edits in all.chunks(40) {
        let _ = world.engine.edit_roster(&by, edits).await.unwrap();
    }
    let given = json!({ "matchers": [{ "name": "service", "value": "x" }], "to": "2026-11-25T00:00:00Z" });
    let refused = world.put("/silences/one-more", given.clone()).await;
    assert_eq!((refused.status, refused.fields()), (StatusCode::UNPROCESSABLE_ENTITY, vec!["silence"]));
    assert!(refused.text.contains("1000 silences"), "{}", refused.text);
    let posted =
        json!({ "matchers": given["matchers"], "startsAt": "2026-11-24T02:00:00Z", "endsAt": given["to"] });
    let posted = world.call(RESPOND, Method::POST, "/api/v2/silences", Body::from(posted.to_string())).await;
    assert_eq!(posted.status, StatusCode::UNPROCESSABLE_ENTITY);
    let jo = Browser::signed_in(&world, "Jo").await;
    let refused = jo.post(NEW, &deploy()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.text.contains("service=athens") && refused.text.contains("1000 silences"),
        "{}",
        refused.text
    );
    // What is there can still be changed and lifted.
    assert_eq!(world.put("/silences/s1", given.clone()).await.status, StatusCode::OK);
    assert_eq!(world.delete("/silences/s1").await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.put("/silences/one-more", given).await.status, StatusCode::OK);
}
