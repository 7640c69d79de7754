//! Laws of expiry: the storage keeps when an incident may be deleted ([`Draft::expires_at`]).
//!
//! [`Draft::expires_at`]: inresponse_core::plan::Draft::expires_at

use std::time::Duration;

use inresponse_core::store::{ListQuery, Store};

use super::acts::{ALL, commit, listed, load, new, present};
use crate::Expiring;
use crate::scene::{at, opening, report, resolved};
use crate::waiting::eventually;

const HOUR: Duration = Duration::from_secs(3_600);

/// An incident is deleted once it has expired: not before, and no other incident. Without it, a database grows forever.
pub async fn what_has_expired_is_deleted_and_nothing_else<H: Expiring<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let mut records = Vec::new();
    for _ in 0..4 {
        records.push(new(&store, opening(report("athens"), at(0))).await);
    }
    // The first one stays open, and the second one is kept forever.
    for (place, kept) in [(1, None), (2, Some(2 * HOUR)), (3, Some(HOUR))] {
        let draft = resolved(&records[place].incident, at(10));
        let draft = match kept {
            Some(kept) => draft.kept_for(kept),
            None => draft,
        };
        records[place] = commit(&store, &records[place], draft).await;
    }
    // A storage may count in whole seconds.
    let (just_before, expired) = (at(10 + 3_600 - 2), at(10 + 3_600 + 2));
    harness.expire(&store, just_before).await;
    for record in &records {
        assert_eq!(present(&store, record.number()).await, *record, "before it has expired");
    }
    harness.expire(&store, expired).await;
    let last = records.pop().expect("there are four");
    assert_eq!(load(&store, last.number()).await, None, "incident {} has expired", last.number());
    for record in &records {
        assert_eq!(present(&store, record.number()).await, *record, "it has not expired");
    }
    let query = ListQuery { limit: ALL, ..ListQuery::default() };
    let left: Vec<_> = records.iter().rev().map(|record| record.number()).collect();
    eventually(&left, || listed(&store, &query)).await;
    let next = new(&store, opening(report("athens"), at(20))).await.number();
    assert!(next > last.number(), "the number {next} was given after {}, which was deleted", last.number());
}
