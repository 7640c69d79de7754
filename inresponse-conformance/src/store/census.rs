//! Laws of promise 12: unanswered incidents show in health and metrics.

use chrono::{DateTime, Utc};
use inresponse_core::model::Matrix;
use inresponse_core::notify::Outcome;
use inresponse_core::plan;
use inresponse_core::store::{Census, Record, Store};

use super::acts::{commit, new};
use crate::Harness;
use crate::scene::{
    MICRO, WAIT, at, claimed, contact, ended, leased, opening, opening_with, report, resolved,
};
use crate::waiting::eventually;

async fn census(store: &impl Store, waiting_before: DateTime<Utc>) -> Census {
    store.census(waiting_before).await.expect("the store counts")
}

/// The census of an empty store is zero, and not an outage.
pub async fn p12_the_census_of_an_empty_store_is_zero<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let census = census(&store, at(0)).await;
    assert_eq!(census.resolved.unwrap_or(0), 0, "or not counted");
    assert_eq!(Census { resolved: None, ..census }, Census::default());
}

/// The census counts the incidents in each state, as last committed. Resolved incidents may be left uncounted.
pub async fn p12_the_census_counts_states<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut records = Vec::new();
    for i in 0..6 {
        records.push(new(&store, opening(report("athens"), at(i))).await);
    }
    for i in [0, 1, 2] {
        records[i] = commit(&store, &records[i], claimed(&records[i].incident, "jo", at(9))).await;
    }
    records[2] = commit(&store, &records[2], resolved(&records[2].incident, at(10))).await;
    let states = async || {
        let census = census(&store, at(0)).await;
        (census.open, census.claimed, census.resolved.unwrap_or(1))
    };
    eventually(&(3, 2, 1), states).await;
}

/// Leases the deliveries due at `now`, and ends every send with `outcome`.
async fn alerted(store: &impl Store, record: Record, outcome: &Outcome, now: DateTime<Utc>) -> Record {
    let plan = leased(&record.incident, now);
    let mut record = commit(store, &record, plan.draft).await;
    for send in &plan.sends {
        record = commit(store, &record, ended(&record.incident, send, outcome, now)).await;
    }
    record
}

/// The census counts open incidents that everybody was alerted for, and those for which nobody was reached.
pub async fn p12_the_census_counts_the_unclaimed_and_the_undelivered<H: Harness<Subject: Store>>(
    harness: &H,
) {
    let store = harness.fresh().await;
    let small = || Matrix::new(vec![vec![contact("one")]], vec![contact("last")], WAIT);
    let begin = async || new(&store, opening_with(report("athens"), small(), at(0))).await;
    let refused = Outcome::rejected("no such user");

    let fresh = begin().await;
    let unclaimed = alerted(&store, begin().await, &Outcome::Accepted, at(0)).await;
    let unclaimed = alerted(&store, unclaimed, &Outcome::Accepted, at(600)).await;
    let mut undelivered = Vec::new();
    for _ in 0..3 {
        let record = alerted(&store, begin().await, &refused, at(0)).await;
        undelivered.push(alerted(&store, record, &refused, at(1)).await);
    }
    assert!(!fresh.incident.is_unclaimed());
    assert!(unclaimed.incident.is_unclaimed() && !unclaimed.incident.is_undelivered());
    assert!(undelivered.iter().all(|record| record.incident.is_undelivered()));

    let counted = async || {
        let census = census(&store, at(0)).await;
        (census.open, census.unclaimed, census.undelivered)
    };
    eventually(&(5, 4, 3), counted).await;
    commit(&store, &undelivered[0], claimed(&undelivered[0].incident, "jo", at(700))).await;
    eventually(&(4, 3, 2), counted).await;
    commit(&store, &unclaimed, resolved(&unclaimed.incident, at(700))).await;
    eventually(&(3, 2, 2), counted).await;
}

/// The census counts open incidents that have waited since before a given time, and not those since exactly that time.
/// Claimed incidents do not wait.
pub async fn p12_the_census_counts_those_that_wait_since_before_a_time<H: Harness<Subject: Store>>(
    harness: &H,
) {
    let store = harness.fresh().await;
    let untouched = new(&store, opening(report("athens"), at(10))).await;
    let begin = async || new(&store, opening(report("athens"), at(20))).await;
    let failing = alerted(&store, begin().await, &Outcome::unavailable("down"), at(20)).await;
    let reached = alerted(&store, begin().await, &Outcome::Accepted, at(25)).await;
    let record = new(&store, opening(report("athens"), at(0))).await;
    let claimed = commit(&store, &record, claimed(&record.incident, "jo", at(30))).await;

    let waits =
        [&untouched, &failing, &reached, &claimed].map(|record| plan::waiting_since(&record.incident));
    assert_eq!(waits, [Some(at(10)), Some(at(20)), Some(at(625)), None], "the test data is valid");
    let cases = [
        (at(5), 0),
        (at(10), 0),
        (at(10) + MICRO, 1),
        (at(20), 1),
        (at(20) + MICRO, 2),
        (at(625), 2),
        (at(625) + MICRO, 3),
    ];
    for (before, waiting) in cases {
        eventually(&(before, waiting), async || (before, census(&store, before).await.waiting)).await;
    }
}

/// The census contains the earliest due time of all incidents, overdue or not; `None` if nothing is due.
pub async fn p12_the_census_tells_the_next_due_time<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let next = async || census(&store, at(0)).await.next_due_at;
    let later = new(&store, opening(report("athens"), at(70))).await;
    eventually(&Some(at(70)), next).await;
    let sooner = new(&store, opening(report("athens"), at(60) + MICRO)).await;
    eventually(&Some(at(60) + MICRO), next).await;
    commit(&store, &sooner, leased(&sooner.incident, at(61)).draft).await;
    eventually(&Some(at(70)), next).await;
    commit(&store, &later, claimed(&later.incident, "jo", at(70))).await;
    eventually(&Some(at(91)), next).await;
}
