//! Laws for promises 6 and 11: the version is the only fence.

use std::sync::Arc;

use inresponse_core::model::{IncidentNumber, Version};
use inresponse_core::store::{Census, Committed, ListQuery, Store};
use tokio::sync::Barrier;

use super::acts::{ALL, commit, load, new, present};
use crate::Harness;
use crate::scene::{at, claimed, keyed, leased, noted, opening, report, resolved};
use crate::waiting::{eventually, together};

/// A commit at the version that was read replaces the record, and increases the version.
pub async fn p06_a_commit_at_the_read_version_replaces_the_record<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut record = new(&store, opening(report("athens"), at(0))).await;
    for i in 1..=5 {
        record = commit(&store, &record, noted(&record.incident, &format!("note {i}"), at(i))).await;
        assert_eq!(present(&store, record.number()).await, record);
    }
}

/// A commit at another version is stale and changes nothing, whether the version is older or never existed.
pub async fn p06_a_commit_at_another_version_is_stale_and_changes_nothing<H: Harness<Subject: Store>>(
    harness: &H,
) {
    let store = harness.fresh().await;
    let first = new(&store, opening(report("athens"), at(0))).await;
    let prepared = [claimed(&first.incident, "ann", at(1)), resolved(&first.incident, at(1))];
    let second = commit(&store, &first, claimed(&first.incident, "jo", at(1))).await;
    for draft in &prepared {
        for version in [first.version, second.version.next(), Version::new(0), Version::new(1_000_000)] {
            let committed = store.commit(version, draft).await.expect("the store commits");
            assert_eq!(
                committed,
                Committed::Stale,
                "a commit at {version:?} of a record at {:?} is stale",
                second.version
            );
            assert_eq!(present(&store, first.number()).await, second, "a stale commit changes nothing");
        }
    }
}

/// Of concurrent commits at one version one wins: claims by several people and the lease of an alert, all read before
/// any of them is written.
pub async fn p06_of_concurrent_commits_at_one_version_one_wins<H: Harness<Subject: Store>>(harness: &H) {
    const ACTORS: usize = 8;
    let store = Arc::new(harness.fresh().await);
    for _ in 0..6 {
        let number = new(&*store, opening(report("athens"), at(0))).await.number();
        let barrier = Arc::new(Barrier::new(ACTORS));
        let actors = (0..ACTORS).map(|actor| {
            let (store, barrier) = (store.clone(), barrier.clone());
            async move {
                let read = present(&*store, number).await;
                let draft = match actor % 2 {
                    0 => claimed(&read.incident, &format!("person {actor}"), at(1)),
                    _ => leased(&read.incident, at(1) + chrono::TimeDelta::seconds(actor as i64)).draft,
                };
                // Without it a store that has no fence would pass by luck.
                barrier.wait().await;
                let committed = store.commit(read.version, &draft).await.expect("the store commits");
                (committed, draft)
            }
        });
        let mut won = Vec::new();
        for (committed, draft) in together(actors).await {
            match committed {
                Committed::At(version) => won.push((version, draft)),
                Committed::Stale => {}
            }
        }
        assert_eq!(won.len(), 1, "one of {ACTORS} commits at one version wins");
        let now = present(&*store, number).await;
        assert_eq!(
            (now.version, &now.incident),
            (won[0].0, won[0].1.incident()),
            "the record has the content of the winning commit"
        );
        assert_eq!(now.version, Version::FIRST.next());
    }
}

/// A commit changes its own record only.
pub async fn p06_a_commit_leaves_other_incidents_alone<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut records = Vec::new();
    for key in ["one", "two", "three"] {
        records.push(new(&store, opening(keyed("athens", key), at(0))).await);
    }
    records[1] = commit(&store, &records[1], resolved(&records[1].incident, at(1))).await;
    for record in &records {
        assert_eq!(present(&store, record.number()).await, *record);
    }
    let due = vec![records[0].clone(), records[2].clone()];
    eventually(&due, || super::acts::due(&store, at(1))).await;
}

/// A commit with an unknown number creates nothing. The answer may be stale or an outage, but no incident exists
/// afterwards.
pub async fn a_commit_of_an_unknown_number_creates_nothing<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let known = new(&store, opening(report("athens"), at(0))).await;
    let unknown = IncidentNumber::new(known.number().value() + 1_000);
    let draft = opening(report("athens"), at(0)).numbered(unknown);
    for version in [Version::new(0), Version::FIRST] {
        if let Ok(committed) = store.commit(version, &draft).await {
            assert_eq!(
                committed,
                Committed::Stale,
                "a commit with a number that was never given creates nothing"
            );
        }
        assert_eq!(load(&store, unknown).await, None);
    }
    let census = Census { open: 1, next_due_at: Some(at(0)), ..Census::default() };
    let counted = async || store.census(at(0)).await.expect("the store counts");
    eventually(&census, async || Census { resolved: None, ..counted().await }).await;
    let query = ListQuery { limit: ALL, ..ListQuery::default() };
    eventually(&vec![known.number()], || super::acts::listed(&store, &query)).await;
}
