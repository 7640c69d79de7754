//! Laws of promise 1: answered changes are still there after a crash.

use std::sync::Arc;

use inresponse_core::model::State;
use inresponse_core::store::{Census, Committed, ListQuery, Record, Store};

use super::acts::{ALL, commit, due, new, numbers, present, repeat};
use crate::Durable;
use crate::scene::{at, claimed, keyed, leased, noted, opening, report, resolved, rich_report};
use crate::waiting::{eventually, together};

/// Every answered incident and commit survives a crash, even if many are made at once.
pub async fn p01_what_was_answered_survives_a_crash<H: Durable<Subject: Store>>(harness: &H) {
    let store = Arc::new(harness.fresh().await);
    let reporters = (0..12).map(|i| {
        let store = store.clone();
        async move {
            let report = if i == 0 { rich_report() } else { report("athens") };
            let record = new(&*store, opening(report, at(i))).await;
            match i % 3 {
                0 => record,
                1 => commit(&*store, &record, claimed(&record.incident, "jo", at(50))).await,
                _ => commit(&*store, &record, leased(&record.incident, at(50)).draft).await,
            }
        }
    });
    let mut expected = together(reporters).await;
    let store = Arc::into_inner(store).expect("every task has ended");
    let store = harness.reopen(store).await;
    for record in &expected {
        assert_eq!(present(&store, record.number()).await, *record);
    }
    expected.sort_by_key(|record| std::cmp::Reverse(record.number()));
    let query = ListQuery { limit: ALL, ..ListQuery::default() };
    eventually(&expected, || async { store.list(&query).await.expect("the store lists") }).await;
}

/// Numbers continue after each of several crashes, even if the incident with the last number is resolved.
pub async fn p02_numbers_go_on_after_a_crash<H: Durable<Subject: Store>>(harness: &H) {
    let mut store = harness.fresh().await;
    let mut last = None;
    for _ in 0..3 {
        for i in 0..3 {
            let record = new(&store, opening(report("athens"), at(i))).await;
            let number = record.number();
            assert!(last < Some(number), "the number {number} was answered after {last:?}");
            last = Some(number);
            commit(&store, &record, resolved(&record.incident, at(10))).await;
        }
        store = harness.reopen(store).await;
    }
}

/// The guard of an open key, the count, and the time of the last report survive a crash.
pub async fn p03_keys_and_counts_survive_a_crash<H: Durable<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let open = new(&store, opening(keyed("athens", "open"), at(0))).await;
    let over = new(&store, opening(keyed("athens", "over"), at(0))).await;
    commit(&store, &over, resolved(&over.incident, at(1))).await;
    repeat(&store, opening(keyed("athens", "open"), at(2))).await;
    repeat(&store, opening(keyed("athens", "open"), at(3))).await;

    let store = harness.reopen(store).await;
    let expected = Record { count: 3, last_reported_at: at(3), ..open };
    assert_eq!(present(&store, expected.number()).await, expected);
    let again = repeat(&store, opening(keyed("athens", "open"), at(4))).await;
    assert_eq!(again, Record { count: 4, last_reported_at: at(4), ..expected });
    new(&store, opening(keyed("athens", "over"), at(5))).await;
}

/// Versions survive a crash: a commit that was prepared before the crash is stale if another was made before the crash.
pub async fn p06_versions_survive_a_crash<H: Durable<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(report("athens"), at(0))).await;
    let stale = leased(&first.incident, at(1)).draft;
    let second = commit(&store, &first, claimed(&first.incident, "jo", at(1))).await;

    let store = harness.reopen(store).await;
    let committed = store.commit(first.version, &stale).await.expect("the store commits");
    assert_eq!(committed, Committed::Stale);
    let third = commit(&store, &second, noted(&second.incident, "after the crash", at(2))).await;
    assert_eq!(present(&store, first.number()).await, third);
}

/// Due times survive a crash: due incidents are still due, claimed ones are not.
pub async fn p09_due_times_survive_a_crash<H: Durable<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut records = Vec::new();
    for second in [10, 5, 1, 0] {
        records.push(new(&store, opening(report("athens"), at(second))).await);
    }
    // Due again when the lease ends, half a minute later.
    records[3] = commit(&store, &records[3], leased(&records[3].incident, at(0)).draft).await;
    records[2] = commit(&store, &records[2], claimed(&records[2].incident, "jo", at(9))).await;

    let store = harness.reopen(store).await;
    let expected = vec![records[1].clone(), records[0].clone(), records[3].clone()];
    eventually(&expected, || due(&store, at(30))).await;
    eventually(&numbers(&expected[..2]), || super::acts::due_numbers(&store, at(29))).await;
    let census = Census { open: 3, claimed: 1, next_due_at: Some(at(5)), ..Census::default() };
    let counted = async || store.census(at(0)).await.expect("the store counts");
    eventually(&census, async || Census { resolved: None, ..counted().await }).await;
    assert_eq!(present(&store, records[2].number()).await.incident.state(), State::Claimed);
}
