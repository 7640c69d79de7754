//! Laws of targets that lead to other teams and schedules, and never in a circle.

use std::collections::BTreeMap;

use inresponse_core::roster::{Directory, Edited, Effect, Entry, EntryKey, Refusal, Roster, RosterEdit};

use super::acting::{call, done, done_one, everything};
use super::crew::{
    directory, fallback_of, level_of, override_of, put_all, replacement_of, rota_of, schedule_key,
    schedule_of,
};
use super::scene::{put, team};
use crate::Harness;

const DAY: &str = "2026-03-29";

/// Checks that a call is refused because its names form a circle, and that it changes nothing.
async fn must_find_the_circle(roster: &impl Roster, edits: &[RosterEdit], expected: &[EntryKey]) {
    let before = everything(roster).await;
    match call(roster, 900, edits).await {
        Edited::Refused(Refusal::Circle(mut path)) => {
            // The circle may be listed from any of its entries on.
            path.sort();
            assert_eq!(path, expected, "the circle of {edits:#?}");
        }
        other @ (Edited::Refused(_) | Edited::Done(_)) => {
            panic!("{edits:#?}\nclose a circle, but: {other:?}")
        }
    }
    assert_eq!(everything(roster).await, before, "nothing was changed by {edits:?}");
}

/// Lists of entries whose last one closes a circle, each with the keys in that circle.
fn circles() -> Vec<(Vec<Entry>, Vec<EntryKey>)> {
    let turns = |name: &str, to: &str| schedule_of("web", name, &["jo", to]);
    let named = |name: &str| schedule_key("web", name);
    let of_team = |name: &str| EntryKey::Team(team(name));
    let both = || vec![of_team("ops"), of_team("web")];
    let level = |of: &str, to: &str| level_of(of, &["jo", to]);
    vec![
        (vec![turns("a", "schedule:a")], vec![named("a")]),
        (vec![turns("a", "schedule:b"), turns("b", "schedule:web/a")], vec![named("a"), named("b")]),
        (
            vec![turns("a", "schedule:b"), turns("b", "schedule:c"), turns("c", "schedule:a")],
            vec![named("a"), named("b"), named("c")],
        ),
        (
            vec![override_of("web", "a", "o", &["schedule:b"]), turns("b", "schedule:a")],
            vec![named("a"), named("b")],
        ),
        (
            vec![turns("a", "schedule:b"), override_of("web", "b", "o", &["schedule:a"])],
            vec![named("a"), named("b")],
        ),
        (vec![level("web", "team:web")], vec![of_team("web")]),
        (vec![level("web", "team:ops"), level("ops", "team:web")], both()),
        (vec![fallback_of("web", &["last", "team:ops"]), level("ops", "team:web")], both()),
        (vec![level("ops", "team:web"), fallback_of("web", &["last", "team:ops"])], both()),
        (vec![rota_of("web", DAY, &["team:ops"], &[]), level("ops", "team:web")], both()),
        (vec![level("ops", "team:web"), rota_of("web", DAY, &["team:ops"], &[])], both()),
        // Whatever the dates.
        (
            vec![rota_of("web", DAY, &["team:ops"], &[]), rota_of("ops", "2031-01-01", &["team:web"], &[])],
            both(),
        ),
        (
            vec![
                level("web", "schedule:a"),
                override_of("web", "a", "o", &["team:ops"]),
                rota_of("ops", DAY, &["schedule:web/b"], &[]),
                turns("b", "team:web"),
            ],
            vec![of_team("ops"), of_team("web"), named("a"), named("b")],
        ),
    ]
}

/// A circle of names is refused, whether one call writes all of it or the last of several calls closes it.
pub async fn p16_what_leads_round_in_a_circle_is_refused<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let plain = [
        schedule_of("web", "a", &["jo"]),
        schedule_of("web", "b", &["jo"]),
        schedule_of("web", "c", &["jo"]),
        fallback_of("web", &["last"]),
        fallback_of("ops", &["last"]),
    ];
    put_all(&roster, &plain).await;
    for (entries, circle) in circles() {
        let edits: Vec<_> = entries.iter().map(put).collect();
        must_find_the_circle(&roster, &edits, &circle).await;
        let (last, others) = edits.split_last().expect("there are some");
        for edit in others {
            let _ = done_one(&roster, 1, edit.clone()).await;
        }
        must_find_the_circle(&roster, std::slice::from_ref(last), &circle).await;
        // As before, for the next one.
        for entry in &entries[..others.len()] {
            if matches!(entry, Entry::Day { .. } | Entry::Override { .. }) {
                let _ = done_one(&roster, 2, RosterEdit::Delete(entry.key())).await;
            }
        }
        put_all(&roster, &plain).await;
    }
}

/// The names in a day's escalation and in an override's `insteadOf` are not part of a circle: `team:NAME` means the
/// people who are on call.
pub async fn what_leads_round_by_an_escalation_is_no_circle<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let entries = [
        schedule_of("web", "a", &["jo"]),
        schedule_of("web", "b", &["schedule:a"]),
        replacement_of("web", "a", "o", &["jo"], &["schedule:b"]),
        level_of("web", &["schedule:b"]),
        level_of("ops", &["team:web"]),
        rota_of("web", DAY, &["jo"], &["team:ops"]),
        rota_of("web", "2026-03-30", &["schedule:b"], &["team:ops"]),
        rota_of("ops", DAY, &["team:web"], &["team:ops"]),
    ];
    for entry in entries {
        assert_eq!(done_one(&roster, 1, put(&entry)).await, Effect::Created, "{entry:?}");
    }
}

/// Circles are judged after all edits of a call: a name that the same call removes is not part of one.
pub async fn what_the_same_call_takes_away_closes_no_circle<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let plain = [
        schedule_of("web", "a", &["jo"]),
        schedule_of("web", "b", &["jo"]),
        fallback_of("web", &["last"]),
        fallback_of("ops", &["last"]),
    ];
    let day = |oncall: &str| rota_of("web", DAY, &[oncall], &[]);
    let stand_in = |oncall: &str| override_of("web", "a", "o", &[oncall]);
    let gone = |entry: Entry| RosterEdit::Delete(entry.key());
    let cases = [
        (day("team:ops"), put(&day("jo")), level_of("ops", &["team:web"])),
        (day("team:ops"), gone(day("jo")), level_of("ops", &["team:web"])),
        (level_of("web", &["team:ops"]), put(&plain[2]), level_of("ops", &["team:web"])),
        (stand_in("schedule:b"), put(&stand_in("jo")), schedule_of("web", "b", &["schedule:a"])),
        (stand_in("schedule:b"), gone(stand_in("jo")), schedule_of("web", "b", &["schedule:a"])),
    ];
    for (first, takes_away, second) in cases {
        put_all(&roster, &plain).await;
        put_all(&roster, std::slice::from_ref(&first)).await;
        for edit in [&takes_away, &put(&second)] {
            assert!(
                !matches!(edit, RosterEdit::Put(entry) if *entry == first),
                "the scene changes something"
            );
        }
        let effects = done(&roster, 1, &[put(&second), takes_away]).await;
        assert!(effects.iter().all(|effect| effect.changes()), "after {first:?}: {effects:?}");
    }
}

/// A directory contains every team to which its team's targets lead, directly or through other teams, with its settings
/// and its days of the span.
pub async fn p17_a_directory_holds_the_teams_that_its_targets_lead_to<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    let entries = [
        fallback_of("by day", &["last"]),
        rota_of("by day", "2026-03-30", &["jo"], &[]),
        fallback_of("by escalation", &["last"]),
        fallback_of("by override", &["last"]),
        rota_of("by override", "2026-03-29", &["jo"], &["by.override"]),
        level_of("by layer", &["team:by override"]),
        schedule_of("turns", "primary", &["team:by layer", "jo"]),
        schedule_of("turns", "secondary", &["jo"]),
        override_of("turns", "secondary", "o", &["team:by escalation"]),
        rota_of("by level", "2026-03-28", &["schedule:turns/primary"], &["schedule:turns/secondary"]),
        fallback_of("by fallback", &["last", "team:by level"]),
        level_of("devops", &["jo", "team:by fallback"]),
        rota_of("devops", "2026-03-29", &["jo"], &["team:by day"]),
    ];
    put_all(&roster, &entries).await;
    let found = directory(&roster, "devops").await;
    for of in ["devops", "by fallback", "by level", "by layer", "by override", "by escalation", "by day"] {
        assert_eq!(part_of(&found, of), expected_part(&entries, of), "of {of}");
    }
    // No target of this team leads to the other teams.
    let found = directory(&roster, "by layer").await;
    assert_eq!(part_of(&found, "by override"), expected_part(&entries, "by override"));
    assert_eq!(found.book().schedules().count(), 2, "schedules are in every directory");
}

type Part = (Option<Entry>, BTreeMap<EntryKey, Entry>);

/// The settings and the days of a team in a directory.
fn part_of(found: &Directory, of: &str) -> Part {
    let name = team(of);
    let part = found.part(&name).unwrap_or_else(|| panic!("the directory holds nothing of {of}"));
    let settings = part.settings.clone().map(|settings| Entry::Team { team: name.clone(), settings });
    let entry = |(day, rota): (&chrono::NaiveDate, &std::sync::Arc<inresponse_core::roster::Rota>)| {
        let entry = Entry::Day { team: name.clone(), day: *day, rota: rota.clone() };
        (entry.key(), entry)
    };
    (settings, part.days.iter().map(entry).collect())
}

fn expected_part(entries: &[Entry], of: &str) -> Part {
    let name = team(of);
    let is_settings = |entry: &&Entry| entry.key() == EntryKey::Team(name.clone());
    let is_day = |entry: &&Entry| matches!(entry, Entry::Day { team, .. } if *team == name);
    let days = entries.iter().filter(is_day).map(|entry| (entry.key(), entry.clone()));
    (entries.iter().find(is_settings).cloned(), days.collect())
}
