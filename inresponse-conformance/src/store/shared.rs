//! Laws of several processes on one storage: every promise holds across them.

use std::collections::HashSet;
use std::sync::Arc;

use inresponse_core::store::{Committed, Created, Store};
use tokio::sync::Barrier;

use super::acts::{commit, create, due_numbers, load, new, present, repeat};
use super::open::open;
use crate::Shared;
use crate::scene::{at, claimed, keyed, leased, noted, opening, report, resolved};
use crate::waiting::{eventually, together};

async fn two<H: Shared<Subject: Store>>(harness: &H) -> [Arc<H::Subject>; 2] {
    let first = harness.fresh().await;
    let second = harness.another(&first).await;
    [Arc::new(first), Arc::new(second)]
}

/// One handle loads at once what another committed, because the next decision depends on it.
pub async fn p01_what_one_handle_commits_another_loads<H: Shared<Subject: Store>>(harness: &H) {
    let [one, other] = two(harness).await;
    let mut record = new(&*one, opening(report("athens"), at(0))).await;
    for i in 1..=6 {
        let (writes, reads) = if i % 2 == 0 { (&one, &other) } else { (&other, &one) };
        assert_eq!(load(&**reads, record.number()).await, Some(record.clone()));
        record = commit(&**writes, &record, noted(&record.incident, &format!("note {i}"), at(i))).await;
        assert_eq!(load(&**reads, record.number()).await, Some(record.clone()));
    }
}

/// Numbers ascend across handles, with calls in turns and all at once.
pub async fn p02_numbers_rise_across_handles<H: Shared<Subject: Store>>(harness: &H) {
    let handles = two(harness).await;
    let mut last = None;
    for i in 0..10 {
        let number = new(&*handles[i % 2], opening(report("athens"), at(0))).await.number();
        assert!(last < Some(number), "the number {number} was answered after {last:?}");
        last = Some(number);
    }
    let reporters = (0..16).map(|i| {
        let store = handles[i % 2].clone();
        async move {
            let mut own = Vec::new();
            for _ in 0..3 {
                own.push(new(&*store, opening(report("athens"), at(0))).await.number());
            }
            own
        }
    });
    let answered = together(reporters).await;
    assert!(answered.iter().all(|own| own.is_sorted_by(|a, b| a < b)), "{answered:?}");
    let all = answered.concat();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "a number was used twice: {all:?}");
    assert!(
        all.iter().all(|number| Some(*number) > last),
        "the numbers {all:?} were answered after {last:?}"
    );
}

/// Handles share open keys and counts: there is one open incident, every report is counted, and a resolved incident's
/// key is free for both.
pub async fn p03_handles_share_open_keys_and_counts<H: Shared<Subject: Store>>(harness: &H) {
    let handles = two(harness).await;
    let barrier = Arc::new(Barrier::new(12));
    let reporters = (0..12).map(|i| {
        let (store, barrier) = (handles[i % 2].clone(), barrier.clone());
        async move {
            barrier.wait().await;
            create(&*store, opening(keyed("athens", "5xx"), at(0))).await
        }
    });
    let (mut made, mut repeated) = (Vec::new(), Vec::new());
    for created in together(reporters).await {
        match created {
            Created::New(record) => made.push(record.number()),
            Created::Repeat(record) => repeated.push(record.number()),
        }
    }
    assert_eq!((made.len(), repeated.len()), (1, 11), "new incidents {made:?}, repeats of {repeated:?}");
    for handle in &handles {
        assert_eq!(present(&**handle, made[0]).await.count, 12);
    }
    let record = present(&*handles[0], made[0]).await;
    commit(&*handles[0], &record, resolved(&record.incident, at(1))).await;
    let next = new(&*handles[1], opening(keyed("athens", "5xx"), at(2))).await;
    let again = repeat(&*handles[0], opening(keyed("athens", "5xx"), at(2))).await;
    assert_eq!((again.number(), again.count), (next.number(), 2));
}

/// Of concurrent commits across handles one wins. So several processes can share the work without a leader.
pub async fn p06_of_concurrent_commits_across_handles_one_wins<H: Shared<Subject: Store>>(harness: &H) {
    const ACTORS: usize = 6;
    let handles = two(harness).await;
    for _ in 0..6 {
        let number = new(&*handles[0], opening(report("athens"), at(0))).await.number();
        let barrier = Arc::new(Barrier::new(ACTORS));
        let actors = (0..ACTORS).map(|actor| {
            let (store, barrier) = (handles[actor % 2].clone(), barrier.clone());
            async move {
                let read = present(&*store, number).await;
                let now = at(1) + chrono::TimeDelta::seconds(actor as i64);
                let draft = match actor {
                    0 => claimed(&read.incident, "jo", now),
                    _ => leased(&read.incident, now).draft,
                };
                // Without it a store that has no fence would pass by luck.
                barrier.wait().await;
                (store.commit(read.version, &draft).await.expect("the store commits"), draft)
            }
        });
        let mut won = Vec::new();
        for (committed, draft) in together(actors).await {
            match committed {
                Committed::At(_) => won.push(draft.into_incident()),
                Committed::Stale => {}
            }
        }
        assert_eq!(won.len(), 1, "one of {ACTORS} commits at one version wins");
        for handle in &handles {
            assert_eq!(present(&**handle, number).await.incident, won[0]);
        }
    }
}

/// One handle finds due incidents that another created.
pub async fn p09_what_one_handle_creates_is_due_at_another<H: Shared<Subject: Store>>(harness: &H) {
    let [one, other] = two(harness).await;
    assert_eq!(due_numbers(&*other, at(10)).await, []);
    let record = new(&*one, opening(report("athens"), at(0))).await;
    eventually(&vec![record.number()], || due_numbers(&*other, at(0))).await;
    commit(&*other, &record, claimed(&record.incident, "jo", at(1))).await;
    eventually(&vec![], || due_numbers(&*one, at(10))).await;
}

/// One handle finds an open incident by its key at once, whichever handle created, counted, committed or resolved it.
pub async fn p03_what_one_handle_creates_another_finds_by_its_key<H: Shared<Subject: Store>>(harness: &H) {
    let [one, other] = two(harness).await;
    for (writes, reads, name) in [(&one, &other, "athens"), (&other, &one, "sparta")] {
        let record = new(&**writes, opening(keyed(name, "5xx"), at(0))).await;
        assert_eq!(open(&**reads, name, "5xx").await, Some(record.clone()));
        let record = commit(&**writes, &record, noted(&record.incident, "looking", at(1))).await;
        assert_eq!(open(&**reads, name, "5xx").await, Some(record.clone()));
        commit(&**reads, &record, resolved(&record.incident, at(2))).await;
        assert_eq!(open(&**writes, name, "5xx").await, None);
    }
}
