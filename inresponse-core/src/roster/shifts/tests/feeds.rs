use serde_json::{Value, json};

use super::super::unmatched;
use super::scene::{Scene, hours, layer, people, with};
use crate::roster::{FeedCopy, FeedEvent};

fn event(from: &str, to: &str, names: &[&str]) -> Value {
    json!({ "from": format!("2026-01-02T{from}:00Z"), "to": format!("2026-01-02T{to}:00Z"), "names": names })
}

fn scene(feeds: &[(&str, &[Value])]) -> Scene {
    let url = |place: usize| format!("https://c.example/{place}");
    let listed: Vec<_> =
        feeds.iter().enumerate().map(|(i, (role, _))| json!({ "url": url(i), "as": role })).collect();
    let copies = feeds.iter().enumerate().map(|(i, (_, events))| (url(i), json!({ "events": events })));
    let noon = json!({ "hours": hours("* 12:00-13:00") });
    let jo =
        json!({ "jo": { "name": "Jo Doe", "methods": { "mail": "Jo@Example.org", "phone": "tel:+301" } } });
    Scene::new(&json!({
        "people": with(people(), jo),
        "teams": { "t": { "schedules": { "s": {
            "layers": [with(layer("ann", "1 week", "2026-01-01"), noon)],
            "feeds": listed,
            "copies": Value::Object(copies.collect()),
        }}}},
    }))
}

/// What is told, with the feeds' ids replaced by their places.
fn told(feeds: &[(&str, &[Value])]) -> Vec<String> {
    let scene = scene(feeds);
    let schedule = scene.directory.book().schedules().next().unwrap().2.schedule().unwrap().clone();
    let ids: Vec<_> = schedule.feeds().iter().map(|feed| feed.id().to_string()).collect();
    let plain = |line: String| {
        ids.iter().enumerate().fold(line, |line, (place, id)| line.replace(id.as_str(), &place.to_string()))
    };
    scene.told("2026-01-02T10:00", "2026-01-02T15:00").into_iter().map(plain).collect()
}

#[test]
fn p15_base_feeds_lie_below_the_layers_and_override_feeds_above_them() {
    let long = [event("11:00", "14:00", &["bob"])];
    let ann = "01-02T12:00 ann (layer:a)";
    let bob = |at: &str, place| format!("01-02T{at}:00 bob (feed:{place})");
    let none = |at: &str| format!("01-02T{at}:00");
    let base = told(&[("base", &long)]);
    assert_eq!(base, [none("10"), bob("11", 0), ann.to_owned(), bob("13", 0), none("14")]);
    assert_eq!(told(&[("override", &long)]), [none("10"), bob("11", 0), none("14")]);
    // A feed without events, or whose event names nobody, hides nothing.
    let quiet = [none("10"), ann.to_owned(), none("13")];
    assert_eq!(told(&[("override", &[])]), quiet);
    assert_eq!(told(&[("override", &[event("11:00", "14:00", &["on call", "zoe"])])]), quiet);
}

#[test]
fn p15_events_that_overlap_and_feeds_of_one_role_are_on_call_together() {
    let first = [event("12:30", "13:30", &["cat"]), event("11:00", "13:00", &["bob"])];
    let second = [event("13:00", "14:00", &["dan"])];
    let expected = [
        "01-02T10:00",
        "01-02T11:00 bob (feed:0)",
        "01-02T12:30 bob cat (feed:0)",
        "01-02T13:00 cat dan (feed:0+feed:1)",
        "01-02T13:30 dan (feed:1)",
        "01-02T14:00",
    ];
    assert_eq!(told(&[("override", &first), ("override", &second)]), expected);
}

#[test]
fn p15_an_event_names_people_by_id_display_name_or_mail() {
    let names = |names: &[&str]| told(&[("override", &[event("11:00", "12:00", names)])])[1].clone();
    let of = |who: &str| format!("01-02T11:00 {who} (feed:0)");
    assert_eq!(names(&["jo"]), of("jo"));
    assert_eq!(names(&[" JO doe "]), of("jo"));
    assert_eq!(names(&["jo@example.ORG"]), of("jo"));
    assert_eq!(names(&["MAILTO:JO@example.org"]), of("jo"));
    assert_eq!(names(&["on call", "bob", "jo", "Jo Doe"]), of("bob jo"));
    // Without a display name of its own, an id is one.
    assert_eq!(names(&["BOB"]), of("bob"));
    for nobody in ["JO", "Jo", "tel:+301", "+301", "", "jo@", "Doe"] {
        assert_eq!(names(&[nobody]), "01-02T12:00 ann (layer:a)", "{nobody:?}");
    }
}

#[test]
fn p15_an_address_or_a_display_name_of_two_people_names_neither() {
    let both = json!({
        "one": { "name": "Kim", "methods": { "mail": "team@example.org" } },
        "two": { "name": "kim", "methods": { "mail": "mailto:team@example.org", "again": "team@example.org" } },
    });
    let scene = Scene::new(&json!({ "people": both }));
    let event = |name: &str| FeedEvent {
        from: "2026-01-01T00:00:00Z".parse().unwrap(),
        to: "2026-01-02T00:00:00Z".parse().unwrap(),
        names: vec![name.to_owned()],
    };
    let events = ["one", "Kim", "team@example.org", "two"].map(event).to_vec();
    let copy = FeedCopy { events: events.clone(), findings: Vec::new() };
    assert_eq!(unmatched(scene.directory.book(), &copy), [&events[1], &events[2]]);
}

#[test]
fn p17_people_who_come_and_go_are_known_and_forgotten_at_once() {
    let mut scene = scene(&[]);
    let copy = FeedCopy {
        events: vec![FeedEvent {
            from: "2026-01-01T00:00:00Z".parse().unwrap(),
            to: "2026-01-02T00:00:00Z".parse().unwrap(),
            names: vec!["Jo Doe".to_owned()],
        }],
        findings: Vec::new(),
    };
    assert!(unmatched(scene.snapshot.book(), &copy).is_empty());
    let jo = crate::model::PersonId::new("jo").unwrap();
    let mut book = crate::roster::Book::clone(scene.snapshot.book());
    book.delete(&crate::roster::EntryKey::Person(jo));
    assert_eq!(unmatched(&book, &copy).len(), 1);
    let other =
        crate::testing::roster_document(&json!({ "people": { "kim": { "name": "Jo Doe" } } })).unwrap();
    scene.snapshot = other;
    let entries: Vec<_> = scene.snapshot.book().entries().collect();
    entries.into_iter().for_each(|entry| book.put(entry));
    assert!(unmatched(&book, &copy).is_empty());
}
