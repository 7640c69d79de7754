use serde_json::json;

use super::scene::{Scene, hours, in_zone, layer, with};

fn working(layer: serde_json::Value, text: &str) -> serde_json::Value {
    with(layer, json!({ "hours": hours(text) }))
}

#[test]
fn p15_hours_end_on_the_next_day_if_they_do_not_end_after_they_begin() {
    let scene = Scene::of(&in_zone(
        "UTC",
        &[working(layer("ann", "1 week", "2026-01-01"), "Mon 22:00-06:00; Wed 08:00-08:00; Sun 20:00-04:00")],
    ));
    let expected = [
        "01-04T12:00",
        "01-04T20:00 ann",
        "01-05T04:00",
        "01-05T22:00 ann",
        "01-06T06:00",
        "01-07T08:00 ann",
        "01-08T08:00",
    ];
    assert_eq!(scene.names("2026-01-04T12:00", "2026-01-09"), expected);
}

#[test]
fn p15_hours_overlap_where_the_clocks_repeat_and_leave_no_hole_where_they_skip() {
    let together = |name: &str, who: &str, text: &str| {
        let layer = working(layer(who, "1 week", "2026-01-01"), text);
        with(layer, json!({ "name": name, "rank": 1 }))
    };
    let layers = [together("a", "ann", "* 00:00-01:30"), together("b", "bob", "* 01:30-03:00")];
    let scene = Scene::of(&in_zone("America/New_York", &layers));
    let expected = [
        "11-01T04:00 ann (layer:a)",
        "11-01T05:30 ann bob (layer:a+layer:b)",
        "11-01T06:30 bob (layer:b)",
        "11-01T08:00",
    ];
    assert_eq!(scene.told("2026-11-01T04:00", "2026-11-01T09:00"), expected);
    // On 8 March the second has no time at all.
    let layers = [together("a", "ann", "* 00:00-02:30"), together("b", "bob", "* 02:30-03:00")];
    let scene = Scene::of(&in_zone("America/New_York", &layers));
    assert_eq!(
        scene.told("2026-03-08T05:00", "2026-03-08T08:00"),
        ["03-08T05:00 ann (layer:a)", "03-08T07:00"]
    );
}

#[test]
fn p15_hours_over_midnight_hold_where_midnight_is_skipped() {
    // Cairo goes from midnight to 01:00 on 24 April 2026, a Friday.
    let layers = [working(layer("ann", "1 week", "2026-01-01"), "Thu 22:00-00:30; Fri 00:15-02:00")];
    let scene = Scene::of(&in_zone("Africa/Cairo", &layers));
    let expected = ["04-23T18:00", "04-23T20:00 ann", "04-23T23:00"];
    assert_eq!(scene.names("2026-04-23T18:00", "2026-04-24T12:00"), expected);
}

#[test]
fn p15_worked_turns_count_only_turns_that_contain_hours() {
    // 5 January 2026 is a Monday. With elapsed days, some would only ever have one of the two days.
    let weekend = |turn| working(layer("ann bob cat", turn, "2026-01-05"), "Sat,Sun 10:00-12:00");
    let names = |turn| Scene::of(&in_zone("UTC", &[weekend(turn)])).names("2026-01-09", "2026-01-18");
    let worked = ["01-09T00:00", "01-10T10:00 ann", "01-10T12:00", "01-11T10:00 bob", "01-11T12:00"];
    assert_eq!(names("1 day worked")[..5], worked);
    assert_eq!(names("1 day worked")[5], "01-17T10:00 cat");
    assert_eq!(names("1 day")[1], "01-10T10:00 cat");
    assert_eq!(names("1 day")[3], "01-11T10:00 ann");
}

#[test]
fn p15_a_turn_whose_hours_the_clocks_skip_is_not_worked() {
    // In Athens 03:00 to 04:00 is skipped on Sunday 29 March 2026, so that week has no shift and costs nobody a turn.
    let hours = working(layer("ann bob", "1 week worked", "2026-03-16"), "Sun 03:00-04:00");
    let scene = Scene::of(&in_zone("Europe/Athens", &[hours]));
    let expected = ["03-20T00:00", "03-22T01:00 ann", "03-22T02:00", "04-05T00:00 bob", "04-05T01:00"];
    assert_eq!(scene.names("2026-03-20", "2026-04-06"), expected);
    // Sunday 25 October has 03:30 twice. The turn that begins there at the first contains the rest of the hours.
    let hours = working(layer("ann bob cat", "7 day worked", "2026-10-18T03:30"), "Sun 03:00-03:30");
    let scene = Scene::of(&in_zone("Europe/Athens", &[hours]));
    let expected = ["10-24T00:00", "10-25T00:00 ann", "10-25T00:30 bob", "10-25T01:30"];
    assert_eq!(scene.names("2026-10-24", "2026-10-31"), expected);
}

#[test]
fn p15_an_anchor_of_1970_is_answered_as_one_of_last_week() {
    // 1 January 1970 was a Thursday. Up to Monday 5 January 2026 there are 2922 whole weeks and four days.
    let old = Scene::of(&in_zone("UTC", &[layer("ann bob cat", "1 day", "1970-01-01")]));
    assert_eq!(old.names("2026-01-05", "2026-01-06"), ["01-05T00:00 bob"], "{}", (2922 * 7 + 4) % 3);
    let worked = working(layer("ann bob cat", "1 day worked", "1970-01-01"), "Sat,Sun 10:00-12:00");
    let old = Scene::of(&in_zone("UTC", &[worked]));
    // So 2923 Saturdays and Sundays were before that of the 10th, of which each week has two.
    assert_eq!(old.names("2026-01-10T10:00", "2026-01-10T11:00"), ["01-10T10:00 cat"], "{}", 2923 * 2 % 3);
}
