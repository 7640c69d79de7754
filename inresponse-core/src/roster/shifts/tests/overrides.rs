use serde_json::{Value, json};

use super::scene::{Scene, layer, with};

/// An override of 2 January 2026 from one hour to another.
fn put(span: (&str, &str), oncall: &str) -> Value {
    let names: Vec<_> = oncall.split_whitespace().map(|who| format!("person:{who}")).collect();
    json!({ "from": format!("2026-01-02T{}:00Z", span.0), "to": format!("2026-01-02T{}:00Z", span.1), "oncall": names })
}

fn instead(span: (&str, &str), oncall: &str, of: &str) -> Value {
    let names: Vec<_> = of.split_whitespace().map(|who| format!("person:{who}")).collect();
    with(put(span, oncall), json!({ "insteadOf": names }))
}

fn told(overrides: Value) -> Vec<String> {
    let layers = [layer("ann+dan", "1 week", "2026-01-01")];
    let scene = Scene::of(&json!({ "timezone": "UTC", "layers": layers, "overrides": overrides }));
    scene.told("2026-01-02", "2026-01-02T12:00")
}

#[test]
fn p15_an_override_replaces_everybody_or_some_or_adds_or_takes_away() {
    let got = told(json!({
        "whole": put(("01", "02"), "bob"),
        "adds": instead(("03", "04"), "bob", ""),
        "some": instead(("05", "06"), "bob", "ann cat"),
        "nothing": instead(("07", "08"), "bob", "cat"),
        "gap": put(("09", "10"), ""),
        "less": instead(("10", "11"), "", "ann"),
        "all": instead(("11", "12"), "", "dan ann"),
    }));
    let expected = [
        "01-02T00:00 ann dan (layer:a)",
        "01-02T01:00 bob (override:whole)",
        "01-02T02:00 ann dan (layer:a)",
        "01-02T03:00 ann dan bob (layer:a+override:adds)",
        "01-02T04:00 ann dan (layer:a)",
        "01-02T05:00 dan bob (layer:a+override:some)",
        "01-02T06:00 ann dan (layer:a)",
        "01-02T09:00 (override:gap)",
        "01-02T10:00 dan (layer:a)",
        "01-02T11:00 (override:all)",
    ];
    assert_eq!(got, expected);
}

#[test]
fn p15_overrides_apply_by_their_beginning_then_the_longer_then_by_id() {
    let two = |z, a| told(json!({ "z": z, "a": a }))[1..].to_vec();
    let got = two(put(("01", "05"), "bob"), instead(("02", "04"), "cat", "bob"));
    let expected = [
        "01-02T01:00 bob (override:z)",
        "01-02T02:00 cat (override:a)",
        "01-02T04:00 bob (override:z)",
        "01-02T05:00 ann dan (layer:a)",
    ];
    assert_eq!(got, expected);
    // The shorter has the last word though its id comes first.
    let got = two(put(("01", "05"), "bob"), put(("01", "04"), "cat"));
    assert_eq!(got[..2], ["01-02T01:00 cat (override:a)", "01-02T04:00 bob (override:z)"]);
    assert_eq!(two(put(("01", "05"), "bob"), put(("01", "05"), "cat"))[0], "01-02T01:00 bob (override:z)");
    // Two hours of a gap are covered.
    let got = two(put(("01", "05"), ""), put(("02", "04"), "cat"));
    let expected = ["01-02T01:00 (override:z)", "01-02T02:00 cat (override:a)", "01-02T04:00 (override:z)"];
    assert_eq!(got[..3], expected);
}

#[test]
fn p15_an_override_whose_people_are_not_there_takes_away() {
    let got = told(json!({
        // Nobody of that name.
        "a": put(("01", "02"), "zoe"),
        "b": instead(("02", "03"), "zoe", "ann"),
        // Nobody is added.
        "c": instead(("03", "04"), "", ""),
        // Somebody is added who is on call already: both say so.
        "d": instead(("05", "06"), "ann", ""),
    }));
    let expected = [
        "01-02T00:00 ann dan (layer:a)",
        "01-02T01:00 (override:a)",
        "01-02T02:00 dan (layer:a)",
        "01-02T03:00 ann dan (layer:a)",
        "01-02T05:00 ann dan (layer:a+override:d)",
        "01-02T06:00 ann dan (layer:a)",
    ];
    assert_eq!(got, expected);
}

#[test]
fn p15_an_override_by_local_times_starts_at_the_first_and_ends_at_the_last() {
    let local =
        json!({ "o": { "from": "2026-10-25T03:30", "to": "2026-10-25T03:45", "oncall": ["person:bob"] } });
    let layers = [layer("ann", "1 week", "2026-01-01")];
    let scene = Scene::of(&json!({ "timezone": "Europe/Athens", "layers": layers, "overrides": local }));
    let expected = ["10-25T00:00 ann", "10-25T00:30 bob", "10-25T01:45 ann"];
    assert_eq!(scene.names("2026-10-25", "2026-10-25T03:00"), expected);
}
