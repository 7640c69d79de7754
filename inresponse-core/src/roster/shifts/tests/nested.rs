use serde_json::{Value, json};

use super::scene::{Scene, layer, people, with};

fn layers(members: Value, turn: &str, from: &str) -> Value {
    json!({ "timezone": "UTC", "layers": [with(layer("ann", turn, from), json!({ "members": members }))] })
}

#[test]
fn p17_the_boundaries_of_a_nested_schedule_are_boundaries_of_the_outer_one() {
    let scene = Scene::new(&json!({ "people": people(), "teams": { "t": { "schedules": {
        "inner": layers(json!(["person:ann", "person:bob"]), "1 day", "2026-01-01"),
        "s": layers(json!(["schedule:inner", "schedule:t/inner", "person:cat"]), "1 day", "2026-01-01T06:00"),
    }}}}));
    let expected = ["01-01T06:00 ann", "01-02T00:00 bob", "01-03T00:00 ann", "01-03T06:00 cat"];
    assert_eq!(scene.names("2026-01-01T06:00", "2026-01-04T06:00"), expected);
    assert_eq!(scene.shown("s", "2026-01-02", "2026-01-02T01:00"), ["01-02T00:00 bob (layer:a)"]);
}

#[test]
fn p17_a_team_is_its_calendars_day_else_its_first_level_else_its_fallback() {
    let other = json!({
        "timezone": "America/New_York", "fallback": ["last@example.org"],
        "levels": [{ "notify": ["schedule:own", "person:dan"] }, { "notify": ["person:cat"] }],
        "calendar": { "2026-03-08": { "oncall": ["person:cat"], "escalation": [] } },
        "schedules": { "own": layers(json!(["person:ann", "person:bob"]), "1 day", "2026-03-01T17:00") },
    });
    let scene = |other: Value| {
        Scene::new(&json!({ "people": people(), "teams": {
            "t": { "schedules": { "s": layers(json!(["team:u"]), "1 week", "2026-01-01") } }, "u": other,
        }}))
    };
    let expected = [
        "03-07T12:00 bob dan",
        "03-07T17:00 ann dan",
        // The day of the calendar has 23 hours.
        "03-08T05:00 cat",
        "03-09T04:00 bob dan",
        "03-09T17:00 ann dan",
    ];
    assert_eq!(scene(other.clone()).names("2026-03-07T12:00", "2026-03-10"), expected);
    let none = with(other, json!({ "levels": [], "calendar": {} }));
    assert_eq!(scene(none).names("2026-03-07T12:00", "2026-03-10"), ["03-07T12:00 last@example.org"]);
}

#[test]
fn p17_an_absence_takes_out_whom_a_layer_reaches_over_a_team() {
    let away = json!({ "absences": [{ "from": "2026-01-01", "to": "2027-01-01" }] });
    let ann = with(people()["ann"].clone(), away);
    let scene = Scene::new(&json!({ "people": with(people(), json!({ "ann": ann })), "teams": {
        "t": { "schedules": {
            "s": layers(json!(["team:u", "schedule:inner"]), "1 day", "2026-01-01"),
            "inner": layers(json!([["person:ann", "person:bob"]]), "1 day", "2026-01-01"),
        }},
        "u": { "levels": [{ "notify": ["person:ann"] }] },
    }}));
    assert_eq!(scene.names("2026-03-01", "2026-03-03"), ["03-01T00:00 bob", "03-02T00:00"]);
}

#[test]
fn p17_instead_of_names_those_whom_a_target_means_then() {
    let overrides = json!({ "o": {
        "from": "2026-01-01T12:00Z", "to": "2026-01-03T00:00Z",
        "oncall": ["person:dan"], "insteadOf": ["team:u"],
    }});
    let own = with(
        layers(json!([["person:ann", "person:cat"]]), "1 week", "2026-01-01"),
        json!({ "overrides": overrides }),
    );
    let scene = Scene::new(&json!({ "people": people(), "teams": {
        "t": { "schedules": { "s": own } },
        "u": {
            "levels": [{ "notify": ["schedule:x"] }],
            "schedules": { "x": layers(json!(["person:ann", "person:bob"]), "1 day", "2026-01-01") },
        },
    }}));
    let expected = ["01-01T00:00 ann cat", "01-01T12:00 cat dan", "01-02T00:00 ann cat"];
    assert_eq!(scene.names("2026-01-01", "2026-01-03"), expected);
}

#[test]
fn p17_a_circle_ends_as_nobody() {
    // The roster refuses circles; two servers can make one at once.
    let scene = Scene::new(&json!({ "people": people(), "teams": {
        "t": {
            "levels": [{ "notify": ["schedule:s"] }],
            "schedules": {
                "s": layers(json!([["schedule:r", "person:ann"]]), "1 day", "2026-01-01"),
                "r": layers(json!([["schedule:s", "team:u"]]), "1 day", "2026-01-01"),
            },
        },
        "u": { "levels": [{ "notify": ["team:t", "person:bob"] }] },
    }}));
    assert_eq!(scene.names("2026-01-01", "2026-01-02"), ["01-01T00:00 bob ann"]);
}
