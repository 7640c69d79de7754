//! Calls to the roster under test, with checks of their answers.

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Person, TeamName};
use inresponse_core::roster::{
    ChangeMark, Edited, Effect, EntryChange, EntryKey, EntryKind, Listed, Refusal, Roster, RosterChange,
    RosterEdit, Rota, Team, What,
};
use inresponse_core::testing::RosterTestExt;

use super::scene::{day, day_of, no_team, put, service, service_of, settings_for, team};

/// The limit of a list that must contain all entries or records of a law.
const ALL: usize = 1_000;

/// The time of the `nth` call: each is later than the one before. The years are in the future, so that no storage
/// deletes the records.
pub(super) fn time(nth: u32) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2090-01-01T00:00:00.000001999Z".parse().unwrap();
    first + TimeDelta::milliseconds(i64::from(nth) * 1_001)
}

/// The person who makes the `nth` call.
pub(super) fn editor(nth: u32) -> Person {
    Person::new(["ann", "Jo Müller", "ops/eu | 2"][nth as usize % 3]).unwrap()
}

pub(super) async fn call(roster: &impl Roster, nth: u32, edits: &[RosterEdit]) -> Edited {
    roster.apply(&editor(nth), time(nth), edits).await.expect("the roster makes edits")
}

/// Makes the edits of the `nth` call, and returns the effect of each.
pub(super) async fn done(roster: &impl Roster, nth: u32, edits: &[RosterEdit]) -> Vec<Effect> {
    match call(roster, nth, edits).await {
        Edited::Done(effects) => effects,
        Edited::Refused(refusal) => panic!("the edits were refused with {refusal:?}: {edits:?}"),
    }
}

/// Makes the only edit of the `nth` call, and returns its effect.
pub(super) async fn done_one(roster: &impl Roster, nth: u32, edit: RosterEdit) -> Effect {
    match done(roster, nth, &[edit]).await[..] {
        [effect] => effect,
        ref effects => panic!("one edit has one effect, not {effects:?}"),
    }
}

/// Checks that a call is refused and changes nothing.
pub(super) async fn must_refuse(roster: &impl Roster, edits: &[RosterEdit], expected: &Refusal) {
    let before = everything(roster).await;
    match call(roster, 900, edits).await {
        Edited::Refused(refusal) => assert_eq!(refusal, *expected, "for {edits:?}"),
        Edited::Done(effects) => {
            panic!("{edits:#?}\nmust be refused by {expected:?}, but were made: {effects:?}")
        }
    }
    assert_eq!(everything(roster).await, before, "refused edits must change nothing: {edits:?}");
}

pub(super) async fn listed(roster: &impl Roster, kind: EntryKind) -> Vec<Listed> {
    roster.entries(kind, None, ALL).await.expect("the roster lists its entries")
}

pub(super) async fn page_of_changes(
    roster: &impl Roster,
    before: Option<&ChangeMark>,
    limit: usize,
) -> Vec<(ChangeMark, RosterChange)> {
    roster.changes(before, limit).await.expect("the roster lists its changes")
}

/// All audit records, newest first.
pub(super) async fn records(roster: &impl Roster) -> Vec<RosterChange> {
    page_of_changes(roster, None, ALL).await.into_iter().map(|(_, change)| change).collect()
}

/// The changes of entries in all audit records, oldest first.
pub(super) async fn told(roster: &impl Roster) -> Vec<EntryChange> {
    let oldest_first = records(roster).await.into_iter().rev();
    let entry = |record: RosterChange| match record.what() {
        What::Entry(entry) => entry.clone(),
        What::Text(text) => panic!("the audit record of an edit describes no entry, but {text:?}"),
    };
    oldest_first.map(entry).collect()
}

/// The overrides and the copies of feeds.
pub(super) async fn held_parts(roster: &impl Roster) -> Vec<Listed> {
    let mut parts = listed(roster, EntryKind::Override).await;
    parts.extend(listed(roster, EntryKind::Feed).await);
    parts
}

/// All entries, and all audit records with their marks. The handle is refreshed first, because others may have written.
pub(super) async fn everything(roster: &impl Roster) -> (Vec<Listed>, Vec<(ChangeMark, RosterChange)>) {
    roster.refresh().await.expect("the roster is refreshed");
    let mut entries = Vec::new();
    for kind in EntryKind::ALL {
        entries.extend(listed(roster, kind).await);
    }
    (entries, page_of_changes(roster, None, ALL).await)
}

pub(super) async fn put_service(roster: &impl Roster, name: &str, owner: &str) {
    let _ = done_one(roster, 0, put(&service_of(name, owner))).await;
}

pub(super) async fn put_team(roster: &impl Roster, name: &str, settings: &Team) {
    let _ = done_one(roster, 0, put(&settings_for(name, settings.clone()))).await;
}

pub(super) async fn put_day(roster: &impl Roster, name: &str, date: &str, rota: &Rota) {
    let _ = done_one(roster, 0, put(&day_of(name, date, rota.clone()))).await;
}

pub(super) async fn delete_service(roster: &impl Roster, name: &str) -> Effect {
    done_one(roster, 0, RosterEdit::Delete(EntryKey::Service(service(name)))).await
}

pub(super) async fn delete_team(roster: &impl Roster, name: &str) -> Effect {
    done_one(roster, 0, no_team(name)).await
}

pub(super) async fn delete_day(roster: &impl Roster, name: &str, date: &str) -> Effect {
    done_one(roster, 0, RosterEdit::Delete(EntryKey::Day(team(name), day(date)))).await
}

pub(super) async fn owner(roster: &impl Roster, name: &str) -> Option<TeamName> {
    roster.service(&service(name)).await.expect("the roster answers")
}

pub(super) async fn settings_of(roster: &impl Roster, name: &str) -> Option<Team> {
    let found = roster.team(&team(name)).await.expect("the roster answers");
    found.map(|settings| (*settings).clone())
}

pub(super) async fn entry(roster: &impl Roster, name: &str, date: &str) -> Option<Rota> {
    let found = roster.day(&team(name), day(date)).await.expect("the roster answers");
    found.map(|rota| (*rota).clone())
}

pub(super) async fn knows(roster: &impl Roster, name: &str) -> bool {
    roster.knows_team(&team(name)).await.expect("the roster answers")
}
