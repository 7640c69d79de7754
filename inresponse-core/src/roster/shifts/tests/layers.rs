use serde_json::{Value, json};

use super::scene::{Scene, hours, layer, people, with};

fn stacked(more: [Value; 2]) -> Scene {
    let [first, second] = more;
    let lower = with(layer("ann", "1 week", "2026-01-01"), json!({ "name": "low" }));
    let upper = with(
        layer("bob", "1 week", "2026-01-01"),
        json!({ "name": "high", "hours": hours("* 12:00-13:00") }),
    );
    Scene::of(&json!({ "timezone": "UTC", "layers": [with(lower, first), with(upper, second)] }))
}

#[test]
fn p15_the_higher_rank_hides_the_lower_and_equal_ranks_are_on_call_together() {
    let told = |more| stacked(more).told("2026-01-02T11:00", "2026-01-02T14:00");
    let (before, after) = ("01-02T11:00 ann (layer:low)", "01-02T13:00 ann (layer:low)");
    assert_eq!(told([json!({}), json!({})]), [before, "01-02T12:00 bob (layer:high)", after]);
    assert_eq!(told([json!({ "rank": 9 }), json!({ "rank": 8 })]), [before]);
    let together = "01-02T12:00 ann bob (layer:low+layer:high)";
    assert_eq!(told([json!({ "rank": 9 }), json!({ "rank": 9 })]), [before, together, after]);
    // The default of the second is 2.
    assert_eq!(told([json!({ "rank": 2 }), json!({})]), [before, together, after]);
}

#[test]
fn p15_who_is_away_is_taken_out_and_nobody_moves_up() {
    let away = json!({ "absences": [{ "from": "2026-01-02T06:00", "to": "2026-01-02T18:00Z" }] });
    let bob = with(people()["bob"].clone(), away);
    let lower = with(layer("ann", "1 week", "2026-01-01"), json!({ "name": "low" }));
    let scene = |upper: &str| {
        Scene::new(&json!({
            "people": with(people(), json!({ "bob": bob })),
            "teams": { "t": { "schedules": { "s": {
                "layers": [lower, layer(upper, "1 day", "2026-01-02")],
                "overrides": { "o": { "from": "2026-01-02T08:00Z", "to": "2026-01-02T09:00Z", "oncall": ["person:bob"] } },
            }}}},
        }))
    };
    // The layer yields nobody, so it hides nothing. An override that names only him leaves a gap.
    let expected = [
        "01-02T00:00 bob (layer:a)",
        "01-02T06:00 ann (layer:low)",
        "01-02T08:00 (override:o)",
        "01-02T09:00 ann (layer:low)",
        "01-02T18:00 bob (layer:a)",
        "01-03T00:00 cat (layer:a)",
    ];
    assert_eq!(scene("bob cat").told("2026-01-02", "2026-01-03T12:00"), expected);
    let expected = [
        "01-02T00:00 bob dan (layer:a)",
        "01-02T06:00 dan (layer:a)",
        "01-02T08:00 (override:o)",
        "01-02T09:00 dan (layer:a)",
        "01-02T18:00 bob dan (layer:a)",
    ];
    assert_eq!(scene("bob+dan cat").told("2026-01-02", "2026-01-03"), expected);
}

#[test]
fn p17_a_name_that_is_not_there_is_nobody_and_a_contact_is_an_address() {
    let members = json!({ "members": [["person:zoe"], ["schedule:nothing", "team:nothing"], ["sms:+301", "sms:+301"]] });
    let scene = Scene::of(&json!({ "layers": [with(layer("ann", "1 day", "2026-01-01"), members)] }));
    assert_eq!(scene.told("2026-01-01", "2026-01-04"), ["01-01T00:00", "01-03T00:00 sms:+301 (layer:a)"]);
    assert_eq!(scene.shown("other", "2026-01-01", "2026-01-04"), ["01-01T00:00"]);
    assert_eq!(scene.shown("u/other", "2026-01-01", "2026-01-04"), ["01-01T00:00"]);
}
