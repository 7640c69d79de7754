//! Laws of several processes on one storage, for people, schedules and targets that lead to other teams.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::roster::{Edited, Effect, Entry, EntryKey, Refusal, Roster, Rota};

use super::acting::{call, done_one, everything, must_refuse};
use super::crew::{
    base, copy_of, crew_pairs, directory, fallback_of, held, level_of, override_of, person, person_key,
    put_all, rota_of, schedule_of,
};
use super::scene::{day, delete, put, team};
use crate::Shared;
use crate::waiting::{together, within};

/// A second or so; on a machine that is busy with other tests it may be very much later.
const NOTICED: Duration = Duration::from_secs(60);

const DAY: &str = "2026-03-29";

/// How many pairs of calls race.
const RACES: u32 = 6;

/// A handle notices the people and schedules that another handle writes, replaces or deletes, even if it has read an
/// older value before.
pub async fn people_and_schedules_that_one_handle_edits_another_notices<H: Shared<Subject: Roster>>(
    harness: &H,
) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    put_all(&one, &base()).await;
    for [first, second] in crew_pairs() {
        let key = first.key();
        for entry in [first, second] {
            held(&other, &key).await;
            put_all(&one, std::slice::from_ref(&entry)).await;
            assert_eq!(held(&one, &key).await.as_ref(), Some(&entry), "as seen by who wrote it");
            within(NOTICED, &Some(entry), || held(&other, &key)).await;
        }
        assert_eq!(
            done_one(&one, 1, inresponse_core::roster::RosterEdit::Delete(key.clone())).await,
            Effect::Deleted
        );
        within(NOTICED, &None, || held(&other, &key)).await;
    }
}

/// After a refresh, a handle returns the people and schedules that another handle wrote, because later reads decide who
/// is alerted.
pub async fn p12_a_handle_that_looks_again_answers_people_and_schedules_just_written<
    H: Shared<Subject: Roster>,
>(
    harness: &H,
) {
    let first = harness.fresh().await;
    let second = harness.another(&first).await;
    put_all(&first, &base()).await;
    for (one, other, nth) in [(&first, &second, 0), (&second, &first, 1)] {
        for entry in crew_pairs().map(|pair| pair[nth].clone()) {
            held(other, &entry.key()).await;
            put_all(one, std::slice::from_ref(&entry)).await;
            other.refresh().await.expect("the roster looks again");
            assert_eq!(held(other, &entry.key()).await.as_ref(), Some(&entry), "what was just put");
        }
    }
}

/// If a team's settings name another team, the other team's days decide who is alerted, so they must be as fresh as the
/// team's own days.
pub async fn p12_days_of_other_teams_are_as_fresh_as_a_teams_own<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    let settings = [level_of("ops", &["jo"]), level_of("devops", &["team:ops"])];
    put_all(&one, &settings).await;
    let rota = |name: &str| rota_of("ops", DAY, &[name], &[]);
    for (nth, name) in [(0, "jo"), (1, "ann"), (2, "bob")] {
        put_all(&one, &[rota(name)]).await;
        if nth < 2 {
            other.refresh().await.expect("the roster looks again");
            assert_eq!(ops_on_call(&other).await, Some(rota(name)), "what was just put");
        } else {
            within(NOTICED, &Some(rota(name)), || ops_on_call(&other)).await;
        }
    }
    let _ = done_one(&one, 1, delete(&rota("bob"))).await;
    other.refresh().await.expect("the roster looks again");
    assert_eq!(ops_on_call(&other).await, None, "what was just deleted");
}

/// The calendar day of team ops, as found in the directory of team devops, whose settings name ops.
async fn ops_on_call(roster: &impl Roster) -> Option<Entry> {
    let found = directory(roster, "devops").await;
    let part = found.part(&team("ops"))?;
    let rota: &Arc<Rota> = part.days.get(&day(DAY))?;
    Some(Entry::Day { team: team("ops"), day: day(DAY), rota: Arc::clone(rota) })
}

/// Whether a name is unknown, in use or part of a circle depends on the stored data, not on what a handle remembers.
pub async fn names_are_judged_by_what_another_handle_has_written<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    let turns = schedule_of("web", "primary", &["person:jo"]);
    everything(&other).await;
    put_all(&one, &[person("jo")]).await;
    assert_eq!(done_one(&other, 1, put(&turns)).await, Effect::Created, "jo was just put");
    let in_use = Refusal::InUse { key: person_key("jo"), by: turns.key() };
    must_refuse(&one, &[delete(&person("jo"))], &in_use).await;
    assert_eq!(done_one(&other, 2, delete(&turns)).await, Effect::Deleted);
    assert_eq!(done_one(&one, 3, delete(&person("jo"))).await, Effect::Deleted, "nobody uses jo any more");
    let unknown = Refusal::Unknown { key: person_key("jo"), by: turns.key() };
    match call(&other, 4, &[put(&turns)]).await {
        Edited::Refused(refusal) => assert_eq!(refusal, unknown, "jo was just deleted"),
        Edited::Done(effects) => panic!("jo was just deleted, yet: {effects:?}"),
    }
    // A part of what was just deleted.
    put_all(&one, &[schedule_of("web", "primary", &["jo"])]).await;
    everything(&other).await;
    assert_eq!(done_one(&one, 5, delete(&turns)).await, Effect::Deleted);
    for part in [override_of("web", "primary", "o", &["jo"]), copy_of("web", "primary", '0', &["jo"])] {
        match call(&other, 6, &[put(&part)]).await {
            Edited::Refused(refusal) => {
                assert_eq!(refusal, Refusal::Unknown { key: turns.key(), by: part.key() });
            }
            Edited::Done(effects) => panic!("the schedule was just deleted, yet: {effects:?}"),
        }
    }
}

/// If two handles each write one half of a circle, one of them is refused, whether the calls come one after the other
/// or at the same time.
pub async fn of_two_halves_of_a_circle_by_two_handles_one_is_refused<H: Shared<Subject: Roster>>(
    harness: &H,
) {
    let one = Arc::new(harness.fresh().await);
    let other = Arc::new(harness.another(&one).await);
    let plain = [
        schedule_of("web", "a", &["jo"]),
        schedule_of("web", "b", &["jo"]),
        fallback_of("web", &["last"]),
        fallback_of("ops", &["last"]),
    ];
    let halves = |nth: u32| match nth % 3 {
        0 => [schedule_of("web", "a", &["schedule:b"]), override_of("web", "b", "o", &["schedule:a"])],
        1 => [level_of("web", &["team:ops"]), level_of("ops", &["team:web"])],
        _ => [rota_of("web", DAY, &["team:ops"], &[]), rota_of("ops", DAY, &["team:web"], &[])],
    };
    let undo = async |half: &Entry| match half.key() {
        EntryKey::Override(..) | EntryKey::Day(..) => {
            let _ = done_one(&*one, 1, delete(half)).await;
        }
        _ => {}
    };
    put_all(&*one, &plain).await;
    for nth in 0..3 {
        let [first, second] = halves(nth);
        everything(&*other).await;
        put_all(&*one, std::slice::from_ref(&first)).await;
        match call(&*other, 2, &[put(&second)]).await {
            Edited::Refused(Refusal::Circle(_)) => {}
            edited @ (Edited::Refused(_) | Edited::Done(_)) => {
                panic!("the other has put {first:?}, yet of {second:?}: {edited:?}")
            }
        }
        undo(&first).await;
        put_all(&*one, &plain).await;
    }
    for nth in 0..RACES {
        let halves = halves(nth);
        let calls = [one.clone(), other.clone()].into_iter().zip(halves.clone());
        let calls = calls.map(|(roster, half)| async move { call(&*roster, nth, &[put(&half)]).await });
        let edited = together(calls).await;
        let made = edited.iter().filter(|edited| matches!(edited, Edited::Done(_))).count();
        let refused = edited.iter().filter(|edited| matches!(edited, Edited::Refused(Refusal::Circle(_))));
        assert_eq!((made, refused.count()), (1, 1), "of {halves:?}: {edited:?}");
        for half in &halves {
            undo(half).await;
        }
        put_all(&*one, &plain).await;
    }
}
