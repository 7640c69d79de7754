//! Laws for promises 8, 9 and 11: what is due, never early and never lost.

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::IncidentNumber;
use inresponse_core::notify::Outcome;
use inresponse_core::plan;
use inresponse_core::store::{DueMark, Record, Store};

use super::acts::{commit, due, due_numbers, load, new, numbers, repeat};
use crate::Harness;
use crate::scene::{
    LEASE, MICRO, at, claimed, ended, keyed, leased, noted, opening, released, report, resolved,
};
use crate::waiting::eventually;

/// No incident is due before its time, not even by a microsecond.
pub async fn p08_nothing_is_due_before_its_time<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let number = new(&store, opening(report("athens"), at(60))).await.number();
    new(&store, opening(report("athens"), at(3_600))).await;
    eventually(&vec![number], || due_numbers(&store, at(61))).await;
    assert_eq!(
        due_numbers(&store, at(60) - MICRO).await,
        [],
        "the incident is not due a microsecond before its time"
    );
    assert_eq!(due_numbers(&store, at(59)).await, [], "the incident is not due a second before its time");
}

/// An incident is due at its exact microsecond and at any time after it.
pub async fn p09_everything_is_due_at_its_time<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let number = new(&store, opening(report("athens"), at(60))).await.number();
    for now in [at(60), at(60) + MICRO, at(61), at(60) + TimeDelta::days(400)] {
        eventually(&vec![number], || due_numbers(&store, now)).await;
    }
}

/// Creates several incidents with few due times, and returns them in the order in which they must be listed. Incidents
/// that are due later were created first.
async fn several_due(store: &impl Store) -> Vec<Record> {
    let mut records = Vec::new();
    // The first one is leased last, and is then due when the second one is, as the one with the lower number.
    let first = new(store, opening(report("athens"), at(0))).await;
    for second in [30, 20, 25, 20, 10, 30, 20] {
        records.push(new(store, opening(report("athens"), at(second))).await);
    }
    records.push(new(store, opening(report("athens"), at(20) + MICRO)).await);
    records.push(new(store, opening(report("athens"), at(20) - MICRO)).await);
    assert_eq!(LEASE.as_secs(), 30);
    records.push(commit(store, &first, leased(&first.incident, at(0)).draft).await);
    records.sort_by_key(mark);
    records
}

fn mark(record: &Record) -> DueMark {
    let due_at = plan::due_at(&record.incident).expect("the record has a due time");
    DueMark { due_at, number: record.number() }
}

/// Due incidents are ordered by time, the oldest first, so that the longest wait ends first.
pub async fn p09_due_is_ordered_by_time_then_number<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let expected = numbers(&several_due(&store).await);
    eventually(&expected, || due_numbers(&store, at(100))).await;
}

/// Pages of due incidents skip and repeat nothing, whatever the size of a page, even if several are due at the same
/// time.
pub async fn p09_due_goes_on_after_a_mark_without_gaps_or_repeats<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let records = several_due(&store).await;
    let expected = numbers(&records);
    eventually(&expected, || due_numbers(&store, at(100))).await;
    for limit in [1, 2, 3, 4, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        // One page more than there can be ends a store that goes round in circles.
        for _ in 0..=records.len() {
            let page = store.due(at(100), after, limit).await.expect("the store lists due incidents");
            let Some(last) = page.last() else { break };
            after = Some(mark(last));
            seen.extend(numbers(&page));
        }
        assert_eq!(seen, expected, "the due incidents, in pages of {limit}");
    }
    // A mark need not be that of a record, and what comes after it is still bounded by `now`.
    for (record, place) in records.iter().zip(1..) {
        let before = DueMark { number: IncidentNumber::new(0), ..mark(record) };
        let later = store.due(at(25), Some(before), 100).await.expect("the store lists due incidents");
        let wanted: Vec<_> =
            records.iter().filter(|r| mark(r) > before && mark(r).due_at <= at(25)).cloned().collect();
        assert_eq!(numbers(&later), numbers(&wanted), "the due incidents after the mark of record {place}");
    }
}

/// A page of due incidents has at most the requested number: a storm must not be answered all at once.
pub async fn p09_due_holds_at_most_its_limit<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let expected = numbers(&several_due(&store).await);
    eventually(&expected, || due_numbers(&store, at(100))).await;
    for limit in [1, 2, 5, expected.len(), expected.len() + 1] {
        let page = store.due(at(100), None, limit).await.expect("the store lists due incidents");
        assert_eq!(
            numbers(&page),
            expected[..limit.min(expected.len())],
            "the due incidents with a limit of {limit}"
        );
    }
}

/// Due incidents are returned as whole records, as last committed, with their counters.
pub async fn p09_due_answers_whole_records<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let record = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let record = commit(&store, &record, noted(&record.incident, "looking", at(1))).await;
    let record = Record { count: 2, last_reported_at: at(2), ..record };
    assert_eq!(repeat(&store, opening(keyed("athens", "5xx"), at(2))).await, record);
    eventually(&vec![record], || due(&store, at(0))).await;
}

/// The due time follows the last commit: a lease, an outcome and a release move it, forwards or back.
pub async fn p09_due_follows_the_last_commit<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let record = new(&store, opening(report("athens"), at(0))).await;
    let number = record.number();
    let is_due_from = async |record: &Record, from: DateTime<Utc>| {
        assert_eq!(mark(record).due_at, from, "the test data is valid");
        eventually(&vec![number], || due_numbers(&store, from)).await;
        eventually(&vec![], || due_numbers(&store, from - MICRO)).await;
    };
    is_due_from(&record, at(0)).await;

    let plan = leased(&record.incident, at(0));
    let record = commit(&store, &record, plan.draft).await;
    is_due_from(&record, at(30)).await;

    let outcome = Outcome::throttled(std::time::Duration::from_secs(7), "not so fast");
    let draft = ended(&record.incident, &plan.sends[0], &outcome, at(1));
    let record = commit(&store, &record, draft).await;
    is_due_from(&record, at(8)).await;

    let record = commit(&store, &record, claimed(&record.incident, "jo", at(9))).await;
    eventually(&vec![], || due_numbers(&store, at(100_000))).await;

    let record = commit(&store, &record, released(&record.incident, "jo", at(40))).await;
    is_due_from(&record, at(40)).await;
}

/// A claimed or resolved incident is no longer due, because nobody is alerted for it.
pub async fn p11_what_is_claimed_or_resolved_is_no_longer_due<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut records = Vec::new();
    for second in 0..3 {
        records.push(new(&store, opening(report("athens"), at(second))).await);
    }
    eventually(&numbers(&records), || due_numbers(&store, at(100))).await;
    let draft = claimed(&records[0].incident, "jo", at(5));
    commit(&store, &records[0], draft).await;
    eventually(&numbers(&records[1..]), || due_numbers(&store, at(100))).await;
    let draft = resolved(&records[2].incident, at(5));
    commit(&store, &records[2], draft).await;
    eventually(&vec![records[1].number()], || due_numbers(&store, at(100))).await;
}

/// The store finds every record with a time after the clock: the time of the report, of an attempt, or only of a lease.
/// These records are listed in the order of their due times, page by page.
pub async fn p14_whatever_lies_ahead_of_the_clock_is_found<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let begin = async |second| new(&store, opening(report("athens"), at(second))).await;
    let now = at(700);

    let reported = begin(1_000).await;
    let record = begin(1_000).await;
    let changed_since = commit(&store, &record, noted(&record.incident, "back again", at(50))).await;
    let record = begin(0).await;
    let plan = leased(&record.incident, at(0));
    let record = commit(&store, &record, plan.draft).await;
    let failed = Outcome::unavailable("down");
    let draft = ended(&record.incident, &plan.sends[0], &failed, at(1));
    let record = commit(&store, &record, draft).await;
    let record = commit(&store, &record, leased(&record.incident, at(1_000)).draft).await;
    let leased_only = commit(&store, &record, noted(&record.incident, "back again", at(60))).await;
    let record = begin(0).await;
    let plan = leased(&record.incident, at(0));
    let record = commit(&store, &record, plan.draft).await;
    let draft = ended(&record.incident, &plan.sends[0], &Outcome::Accepted, at(1_000));
    let due_before = commit(&store, &record, draft).await;
    assert!(mark(&due_before).due_at < now, "the test data is valid");
    let record = begin(2_000).await;
    commit(&store, &record, claimed(&record.incident, "jo", at(2_000))).await;
    begin(10).await;

    let mut wanted = [reported, changed_since, leased_only, due_before].to_vec();
    wanted.sort_by_key(mark);
    for limit in [1, 2, 100] {
        let found = async || {
            let (mut found, mut after) = (Vec::new(), None);
            // One page more than there can be ends a store that goes round in circles.
            for _ in 0..8 {
                let page = store
                    .ahead(now, after, limit)
                    .await
                    .expect("the store lists records with a time after the clock");
                assert!(
                    page.len() <= limit,
                    "the store returned {} records with a limit of {limit}",
                    page.len()
                );
                let Some(last) = page.last() else { break };
                after = Some(mark(last));
                found.extend(page);
            }
            assert!(found.is_sorted_by_key(mark), "the records are in the order of their due times");
            found.retain(|record| wanted.contains(record));
            found
        };
        eventually(&wanted, found).await;
    }
}

/// An older server that commits a record of a newer version loses no field of it, and neither does its store.
pub async fn p09_what_a_newer_version_wrote_is_kept<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let record = new(&store, opening(report("athens"), at(0))).await;
    let record = commit(&store, &record, leased(&record.incident, at(0)).draft).await;
    let incident = crate::scene::written_by_a_newer_version(&record.incident);
    let record =
        commit(&store, &record, noted(&incident, "the record was committed by an older version", at(1)))
            .await;
    assert!(record.incident.is_left_to_newer(), "the test data is valid");
    assert_eq!(load(&store, record.number()).await, Some(record.clone()));
    eventually(&vec![record], || due(&store, at(30))).await;
}
