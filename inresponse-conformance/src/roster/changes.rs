//! Who changed the roster, and when.

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::Person;
use inresponse_core::roster::{ChangeMark, Roster, RosterChange};

use crate::{Durable, Harness, Shared};

/// The `nth` change: each later than the one before. In years to come, so that no storage lets go of it.
fn change(nth: u32, what: &str) -> RosterChange {
    let first: DateTime<Utc> = "2090-01-01T00:00:00.000001Z".parse().unwrap();
    let by = Person::new(["ann", "Jo Müller", "ops/eu | 2"][nth as usize % 3]).unwrap();
    RosterChange::new(first + TimeDelta::milliseconds(i64::from(nth) * 1_001), by, what)
}

async fn note(roster: &impl Roster, change: &RosterChange) {
    roster.note_change(change).await.expect("the roster notes a change");
}

async fn page(
    roster: &impl Roster,
    before: Option<&ChangeMark>,
    limit: usize,
) -> Vec<(ChangeMark, RosterChange)> {
    roster.changes(before, limit).await.expect("the roster lists its changes")
}

async fn listed(roster: &impl Roster) -> Vec<RosterChange> {
    page(roster, None, 1_000).await.into_iter().map(|(_, change)| change).collect()
}

/// Changes of every kind, oldest first.
async fn noted(roster: &impl Roster) -> Vec<RosterChange> {
    let long = "é".repeat(RosterChange::MAX_WHAT);
    let what = ["service athens: team devops, before nobody", "'; DROP TABLE x; --", "日本 🚒", &long, ""];
    let mut changes = Vec::new();
    for (nth, what) in (0..).zip(what) {
        changes.push(change(nth, what));
        note(roster, &changes[changes.len() - 1]).await;
    }
    changes
}

/// Each of them once and exactly as it was noted, also one that was noted before.
pub async fn what_was_noted_is_listed_newest_first<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    assert_eq!(listed(&roster).await, []);
    let mut expected = noted(&roster).await;
    expected.reverse();
    assert_eq!(listed(&roster).await, expected);
    note(&roster, &expected[0]).await;
    expected.insert(0, expected[0].clone());
    assert_eq!(listed(&roster).await, expected);
}

/// Whatever is noted meanwhile, and where several were noted at the same time.
pub async fn pages_of_changes_leave_none_out_and_double_none<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let mut expected = Vec::new();
    for nth in 0..12 {
        // Some of them at the same time, of which nobody can say which is newer.
        expected.push(change(nth / 3, &format!("change {nth}")));
        note(&roster, &expected[expected.len() - 1]).await;
    }
    expected.sort_by(|a, b| a.what().cmp(b.what()));
    let mut newer = 0;
    for limit in [1, 2, 5, 11, 12, 13] {
        // What was noted while the runs before read is on top.
        let on_top = newer;
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = page(&roster, before.as_ref(), limit).await;
            assert!(page.len() <= limit, "{} on a page of {limit}", page.len());
            let Some((mark, _)) = page.last() else { break };
            before = Some(mark.clone());
            found.extend(page.into_iter().map(|(_, change)| change));
            assert!(found.len() <= on_top + expected.len(), "more than there are, with {limit} to a page");
            newer += 1;
            note(&roster, &change(100 + u32::try_from(newer).unwrap(), "newer")).await;
        }
        assert!(found.is_sorted_by(|a, b| a.at() >= b.at()), "newest first, with {limit} to a page");
        let mut found = found.split_off(on_top.min(found.len()));
        found.sort_by(|a, b| a.what().cmp(b.what()));
        assert_eq!(found, expected, "with {limit} to a page");
    }
}

/// Durable when it is noted.
pub async fn what_was_noted_survives_a_crash<H: Durable<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let mut expected = noted(&roster).await;
    expected.reverse();
    let (mark, _) = page(&roster, None, 2).await.pop().expect("two were noted");
    let roster = harness.reopen(roster).await;
    assert_eq!(listed(&roster).await, expected);
    let rest: Vec<_> =
        page(&roster, Some(&mark), 1_000).await.into_iter().map(|(_, change)| change).collect();
    assert_eq!(rest, expected[2..], "what comes after a mark that was given before");
    let newest = change(100, "after the crash");
    note(&roster, &newest).await;
    expected.insert(0, newest);
    assert_eq!(listed(&roster).await, expected);
}

/// At once, and in one order.
pub async fn what_one_handle_notes_another_lists<H: Shared<Subject: Roster>>(harness: &H) {
    let one = harness.fresh().await;
    let other = harness.another(&one).await;
    let mut expected = Vec::new();
    for (nth, handle) in (0..).zip([&one, &other, &one]) {
        expected.insert(0, change(nth, "team devops: deleted"));
        note(handle, &expected[0]).await;
        assert_eq!(listed(&one).await, expected);
        assert_eq!(listed(&other).await, expected);
    }
    let (mark, _) = page(&one, None, 1).await.pop().expect("something was noted");
    let rest: Vec<_> = page(&other, Some(&mark), 9).await.into_iter().map(|(_, change)| change).collect();
    assert_eq!(rest, expected[1..], "the mark of one handle is the other's");
}
