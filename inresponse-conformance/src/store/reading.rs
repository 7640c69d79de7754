//! Laws for promises 1 and 7: what was answered is stored exactly.

use std::time::Duration;

use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity};
use inresponse_core::notify::Outcome;
use inresponse_core::store::{Record, Store};

use super::acts::{commit, load, new, present};
use crate::Harness;
use crate::scene::{
    WAIT, at, claimed, ended, leased, noted, opening, opening_with, released, report, resolved, rich_report,
    with_severity,
};

/// A new incident is loaded as it was answered, to the last character and microsecond, and with its own number.
pub async fn p01_a_new_incident_is_loaded_as_it_was_answered<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    for builder in [report("athens"), rich_report()] {
        let opening = opening(builder, at(0));
        let record = new(&store, opening.clone()).await;
        let expected = Record::created(opening.numbered(record.number()).into_incident());
        assert_eq!(record, expected, "as answered");
        assert_eq!(present(&store, record.number()).await, expected, "as loaded");
    }
}

/// Every commit is loaded as it was committed, through the whole life of an incident: leases, every kind of outcome, a
/// claim, a release, notes, the resolution.
pub async fn p01_every_commit_is_loaded_as_it_was_committed<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut record = new(&store, opening(rich_report(), at(0))).await;
    let number = record.number();
    let mut second = 0;
    let outcomes = [
        Outcome::unavailable("connection refused"),
        Outcome::throttled(Duration::from_millis(1_500), "not so fast"),
        Outcome::unknown("no reply ✉ after “DATA”"),
        Outcome::rejected("550 no such user"),
        Outcome::Accepted,
    ];
    for outcome in &outcomes {
        second += 100;
        let plan = leased(&record.incident, at(second));
        record = commit(&store, &record, plan.draft).await;
        assert_eq!(present(&store, number).await, record, "after a lease");
        for send in &plan.sends {
            let draft = ended(&record.incident, send, outcome, at(second + 1));
            record = commit(&store, &record, draft).await;
            assert_eq!(present(&store, number).await, record, "after {outcome:?}");
        }
    }
    let now = at(second + 10);
    let people: [&dyn Fn(&Record) -> _; 6] = [
        &|r| claimed(&r.incident, "Jo Müller 🚒", now),
        &|r| noted(&r.incident, "one\n\ttwo 'three' \"four\" \\", now),
        &|r| with_severity(&r.incident, Severity::Warn, now),
        &|r| released(&r.incident, "Jo Müller 🚒", now),
        &|r| leased(&r.incident, now).draft,
        &|r| resolved(&r.incident, now),
    ];
    for act in people {
        let draft = act(&record);
        record = commit(&store, &record, draft).await;
        assert_eq!(present(&store, number).await, record);
    }
}

/// The largest possible incident is stored completely: the largest report, the most and longest contacts, and a full
/// timeline.
pub async fn p07_the_largest_incident_is_kept_whole<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let message = "🔥".repeat(Report::MAX_MESSAGE_BYTES / 4);
    let largest = (0..7).fold(report("athens").message(message), |report, i| {
        report.label(format!("label {i}"), "\u{e9}".repeat(512))
    });
    let long = |i: usize| Contact::new(format!("x-long:{:0>1$}", i, Contact::MAX_BYTES - 7)).unwrap();
    let everyone: Vec<_> = (0..Matrix::MAX_CONTACTS / 2).map(long).collect();
    let matrix = Matrix::new(vec![everyone.clone()], everyone, WAIT);
    let mut record = new(&store, opening_with(largest, matrix, at(0))).await;
    assert_eq!(present(&store, record.number()).await, record);
    record = commit(&store, &record, leased(&record.incident, at(0)).draft).await;
    for i in 1..=12 {
        record = commit(&store, &record, noted(&record.incident, &"\"".repeat(2_000), at(i))).await;
        assert_eq!(present(&store, record.number()).await, record);
    }
}

/// An unknown number is absent, not an outage, whatever the number.
pub async fn an_unknown_number_is_absent<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let known = new(&store, opening(report("athens"), at(0))).await.number().value();
    let odd = [0, 1, known - 1, known + 1, 1 << 53, i64::MAX as u64, 1 << 63, u64::MAX];
    for number in odd.into_iter().filter(|n| *n != known) {
        assert_eq!(load(&store, IncidentNumber::new(number)).await, None, "{number}");
    }
}
