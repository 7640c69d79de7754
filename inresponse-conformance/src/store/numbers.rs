//! Laws of promise 2: numbers are unique.

use std::collections::HashSet;
use std::sync::Arc;

use inresponse_core::store::Store;

use super::acts::{commit, new};
use crate::Harness;
use crate::scene::{at, opening, report, resolved};
use crate::waiting::together;

/// A report made after another was answered gets a higher number.
pub async fn p02_numbers_rise<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut last = None;
    for i in 0..20 {
        let number = new(&store, opening(report("athens"), at(i))).await.number();
        assert!(last < Some(number), "the number {number} was answered after {last:?}");
        last = Some(number);
    }
}

/// Numbers are unique and ascending even if many reports are made at once.
pub async fn p02_numbers_are_unique_and_rise_under_concurrency<H: Harness<Subject: Store>>(harness: &H) {
    let store = Arc::new(harness.fresh().await);
    let reporters = (0..16).map(|i| {
        let store = store.clone();
        async move {
            let mut own = Vec::new();
            for _ in 0..4 {
                own.push(new(&*store, opening(report("athens"), at(i))).await.number());
            }
            own
        }
    });
    let answered = together(reporters).await;
    for own in &answered {
        assert!(
            own.is_sorted_by(|a, b| a < b),
            "the numbers {own:?}, in the order of the reports, do not ascend"
        );
    }
    let all: Vec<_> = answered.concat();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "a number was used twice: {all:?}");
    let later = new(&*store, opening(report("athens"), at(0))).await.number();
    assert!(all.iter().all(|n| *n < later), "the number {later} was answered after all of {all:?}");
}

/// The number of a resolved incident is not used again.
pub async fn p02_the_number_of_a_resolved_incident_is_not_used_again<H: Harness<Subject: Store>>(
    harness: &H,
) {
    let store = harness.fresh().await;
    let record = new(&store, opening(report("athens"), at(0))).await;
    let record = commit(&store, &record, resolved(&record.incident, at(1))).await;
    let later = new(&store, opening(report("athens"), at(2))).await.number();
    assert!(later > record.number(), "the number {later} was answered after {}", record.number());
}
