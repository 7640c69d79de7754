use serde_json::json;

use super::scene::{Scene, in_zone, layer, with};

const NEW_YORK: &str = "America/New_York";

#[test]
fn p15_turns_of_days_follow_the_clocks_and_turns_of_hours_do_not() {
    // Clocks in New York go forward at 02:00 on 8 March 2026 and back at 02:00 on 1 November.
    let days = Scene::of(&in_zone(NEW_YORK, &[layer("ann bob", "1 day", "2026-03-06T02:30")]));
    let expected = ["03-07T00:00 ann", "03-07T07:30 bob", "03-08T07:00 ann", "03-09T06:30 bob"];
    assert_eq!(days.names("2026-03-07", "2026-03-10"), expected);
    let days = Scene::of(&in_zone(NEW_YORK, &[layer("ann bob", "1 day", "2026-10-31T01:30")]));
    let expected = ["10-31T12:00 ann", "11-01T05:30 bob", "11-02T06:30 ann"];
    assert_eq!(days.names("2026-10-31T12:00", "2026-11-02T12:00"), expected);
    let hours = Scene::of(&in_zone(NEW_YORK, &[layer("ann bob", "6 hour", "2026-03-07T20:00")]));
    let expected =
        ["03-08T00:00", "03-08T01:00 ann", "03-08T07:00 bob", "03-08T13:00 ann", "03-08T19:00 bob"];
    assert_eq!(hours.names("2026-03-08", "2026-03-08T20:00"), expected);
    let weeks = Scene::of(&in_zone(NEW_YORK, &[layer("ann bob", "1 week", "2026-02-23T09:00")]));
    let expected = ["03-02T14:00 bob", "03-09T13:00 ann", "03-16T13:00 bob"];
    assert_eq!(weeks.names("2026-03-02T14:00", "2026-03-17"), expected);
}

#[test]
fn p15_a_month_ends_on_the_anchors_day_or_on_the_last() {
    let months = Scene::of(&in_zone("UTC", &[layer("ann bob cat", "1 month", "2027-12-31")]));
    let expected =
        ["01-30T00:00 ann", "01-31T00:00 bob", "02-29T00:00 cat", "03-31T00:00 ann", "04-30T00:00 bob"];
    assert_eq!(months.names("2028-01-30", "2028-05-02"), expected);
    // A leap day's anniversary, and a turn of twelve months that is skipped by the clocks.
    let years = Scene::of(&in_zone("UTC", &[layer("ann bob", "12 month", "2024-02-29T12:00")]));
    let expected = ["01-01T00:00 bob", "02-28T12:00 ann", "02-28T12:00 bob", "02-29T12:00 ann"];
    assert_eq!(years.names("2026-01-01", "2028-03-01"), expected);
    let gap = Scene::of(&in_zone("Europe/Athens", &[layer("ann bob", "1 month", "2027-02-28T03:30")]));
    assert_eq!(gap.names("2027-03-20", "2027-04-01"), ["03-20T00:00 ann", "03-28T01:00 bob"]);
}

#[test]
fn p15_a_turn_of_a_day_that_the_clocks_skip_has_no_length() {
    // Apia had no 30 December 2011.
    let days = Scene::of(&in_zone("Pacific/Apia", &[layer("ann bob cat", "1 day", "2011-12-28")]));
    let expected = ["12-28T10:00 ann", "12-29T10:00 bob", "12-30T10:00 ann", "12-31T10:00 bob"];
    assert_eq!(days.names("2011-12-28T10:00", "2012-01-01"), expected);
}

#[test]
fn p15_groups_take_turns_together_and_nobody_takes_a_turn_off() {
    let scene = Scene::of(&in_zone("UTC", &[layer("bob+ann - cat", "1 day", "2026-01-01")]));
    let expected = [
        "01-01T00:00 bob ann (layer:a)",
        "01-02T00:00",
        "01-03T00:00 cat (layer:a)",
        "01-04T00:00 bob ann (layer:a)",
    ];
    assert_eq!(scene.told("2026-01-01", "2026-01-05"), expected);
}

#[test]
fn p15_turns_are_counted_from_the_anchor_though_a_layer_begins_later() {
    let dates = json!({ "begins": "2026-01-02T12:00", "until": "2026-01-04T06:00" });
    let scene = Scene::of(&in_zone("UTC", &[with(layer("ann bob", "1 day", "2026-01-01"), dates)]));
    let expected = ["01-01T00:00", "01-02T12:00 bob", "01-03T00:00 ann", "01-04T00:00 bob", "01-04T06:00"];
    assert_eq!(scene.names("2026-01-01", "2026-01-06"), expected);
}

#[test]
fn p15_a_layer_ends_where_the_next_turn_would_begin_though_the_clocks_show_it_twice() {
    // In Athens, 03:30 of 31 October 2027 is at 00:30 and at 01:30 UTC.
    let until = json!({ "until": "2027-10-31T03:30" });
    let ends = with(layer("ann bob", "1 day", "2027-10-30T03:30"), until);
    let scene = Scene::of(&in_zone("Europe/Athens", &[ends]));
    assert_eq!(scene.names("2027-10-30T12:00", "2027-11-01"), ["10-30T12:00 ann", "10-31T00:30"]);
}

#[test]
fn p15_each_turn_goes_to_the_next_who_is_a_member_at_its_start() {
    let dated = json!({ "members": [
        "person:ann",
        { "who": "person:bob", "until": "2026-01-05T12:00" },
        { "who": "person:cat", "from": "2026-01-03" },
    ]});
    let scene = Scene::of(&in_zone("UTC", &[with(layer("ann", "1 day", "2026-01-01"), dated)]));
    let expected = [
        "01-01T00:00 ann",
        "01-02T00:00 bob",
        "01-03T00:00 cat",
        "01-04T00:00 ann",
        // Bob leaves, so that the next takes the rest. The turn was bob's: cat has her own after it.
        "01-05T00:00 bob",
        "01-05T12:00 cat",
        "01-07T00:00 ann",
        "01-08T00:00 cat",
    ];
    assert_eq!(scene.names("2026-01-01", "2026-01-09"), expected);
}

#[test]
fn p15_a_member_who_joins_later_changes_nothing_before() {
    let joins =
        json!({ "members": ["person:ann", { "who": "person:cat", "from": "2026-01-05" }, "person:bob"] });
    let scene = Scene::of(&in_zone("UTC", &[with(layer("ann", "1 day", "2026-01-01"), joins)]));
    let before = Scene::of(&in_zone("UTC", &[layer("ann bob", "1 day", "2026-01-01")]));
    let span = ("2026-01-01", "2026-01-05");
    assert_eq!(scene.names(span.0, span.1), before.names(span.0, span.1));
    let expected =
        ["01-04T00:00 bob", "01-05T00:00 ann", "01-06T00:00 cat", "01-07T00:00 bob", "01-08T00:00 ann"];
    assert_eq!(scene.names("2026-01-04", "2026-01-09"), expected);
}

#[test]
fn p15_the_rest_of_a_turn_passes_on_as_often_as_somebody_leaves() {
    let dated = json!({ "members": [
        { "who": "person:ann", "until": "2026-01-01T06:00" },
        { "who": "person:bob", "until": "2026-01-01T12:00" },
        // Nobody takes the rest before they are a member, or the rest of a turn that nobody had.
        { "who": "person:cat", "from": "2026-01-01T13:00", "until": "2026-01-02T12:00" },
        { "who": "person:dan", "from": "2026-01-03T12:00" },
    ]});
    let scene = Scene::of(&in_zone("UTC", &[with(layer("ann", "1 day", "2026-01-01"), dated)]));
    let expected = [
        "01-01T00:00 ann",
        "01-01T06:00 bob",
        "01-01T12:00",
        "01-02T00:00 cat",
        "01-02T12:00",
        "01-04T00:00 dan",
    ];
    assert_eq!(scene.names("2026-01-01", "2026-01-05"), expected);
}
