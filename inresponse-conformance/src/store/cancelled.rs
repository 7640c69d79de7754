//! Laws of promise 4: a call whose future was dropped has either happened completely or not at all.

use inresponse_core::store::{Created, ListQuery, Store};

use super::acts::{ALL, commit, create, listed, load, new, present};
use crate::Harness;
use crate::scene::{at, keyed, noted, opening};
use crate::waiting::{abandoned, eventually};

/// The number of turns that other tasks get before a call is dropped: from none to more than a call in memory takes.
const PATIENCE: [usize; 8] = [0, 1, 2, 3, 5, 8, 50, 500];

/// A dropped `create` leaves a whole incident or none: a key is never held by a missing incident.
pub async fn p04_an_abandoned_create_is_whole_or_absent<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    for patience in PATIENCE {
        let key = format!("the call was dropped after {patience} turns");
        abandoned(patience, store.create(opening(keyed("athens", &key), at(0)))).await;
        let number = match create(&store, opening(keyed("athens", &key), at(0))).await {
            Created::New(record) => record.number(),
            Created::Repeat(record) => {
                assert_eq!(record.count, 2, "the count of the dropped call and this one");
                record.number()
            }
        };
        let found = load(&store, number).await.map(|record| record.number());
        assert_eq!(found, Some(number), "the answered incident exists");
    }
    // Each key has one incident, however late a call that was given up may have taken effect.
    let query = ListQuery { limit: ALL, ..ListQuery::default() };
    let distinct = PATIENCE.len();
    eventually(&distinct, || async { listed(&store, &query).await.len() }).await;
}

/// A dropped `commit` leaves the record before it or after it, and the next commit works as usual.
pub async fn p04_an_abandoned_commit_is_whole_or_absent<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    for patience in PATIENCE {
        let key = format!("the call was dropped after {patience} turns");
        let before = new(&store, opening(keyed("athens", &key), at(0))).await;
        let draft = noted(&before.incident, "given up", at(1));
        abandoned(patience, store.commit(before.version, &draft)).await;
        // Commits are decided one after another, so this one settles the fate of the one before it.
        let rival = noted(&before.incident, "the rival", at(2));
        let rival_won = store.commit(before.version, &rival).await.expect("the store commits")
            != inresponse_core::store::Committed::Stale;
        let now = present(&store, before.number()).await;
        let expected = if rival_won { &rival } else { &draft };
        assert_eq!(now.incident, *expected.incident());
        assert_eq!(now.version, before.version.next());
        let last = commit(&store, &now, noted(&now.incident, "the last", at(3))).await;
        assert_eq!(present(&store, before.number()).await, last);
    }
}
