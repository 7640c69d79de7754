//! Laws of promise 3: one open incident per service and key, with an exact count.

use std::sync::Arc;

use inresponse_core::model::{DedupKey, Report, Severity, State, Version};
use inresponse_core::store::{Committed, Created, Record, Store};
use tokio::sync::Barrier;

use super::acts::{commit, create, new, present, repeat};
use crate::Harness;
use crate::scene::{at, claimed, keyed, leased, noted, opening, released, report, resolved};
use crate::waiting::together;

/// A report with the key of an open incident of that service returns that incident, with its count increased.
pub async fn p03_a_repeat_answers_the_open_incident_and_counts<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    assert_eq!(first.count, 1, "a new incident was reported once");
    for count in 2..=4 {
        let again = repeat(&store, opening(keyed("athens", "5xx"), at(0))).await;
        assert_eq!((again.number(), again.count), (first.number(), count));
        assert_eq!(present(&store, first.number()).await.count, count, "the answered count is stored");
    }
}

/// A repeat changes nothing but the count and the time of the last report. The engine decides what else it means.
pub async fn p03_a_repeat_changes_nothing_but_the_count<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx").message("the first"), at(0))).await;
    let louder = Report::builder("athens", Severity::Crit, "another title")
        .dedup_key("5xx")
        .message("another")
        .label("region", "eu");
    let expected = Record { count: 2, last_reported_at: at(5), ..first.clone() };
    assert_eq!(repeat(&store, opening(louder, at(5))).await, expected, "as answered");
    assert_eq!(present(&store, first.number()).await, expected, "as loaded");
}

/// A commit that was prepared before a repeat still succeeds after it.
pub async fn p03_a_repeat_leaves_the_version_alone<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    assert_eq!(first.version, Version::FIRST);
    let prepared = leased(&first.incident, at(1)).draft;
    assert_eq!(repeat(&store, opening(keyed("athens", "5xx"), at(1))).await.version, first.version);
    commit(&store, &first, prepared).await;
}

/// A repeat returns the incident as last committed, not as it was created.
pub async fn p03_a_repeat_answers_the_incident_as_last_committed<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let second = commit(&store, &first, noted(&first.incident, "looking", at(1))).await;
    let again = repeat(&store, opening(keyed("athens", "5xx"), at(2))).await;
    assert_eq!(again, Record { count: 2, last_reported_at: at(2), ..second });
}

/// A commit does not overwrite the count and the time of the last report.
pub async fn p03_a_commit_keeps_the_count<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let prepared = leased(&first.incident, at(1)).draft;
    repeat(&store, opening(keyed("athens", "5xx"), at(7))).await;
    let reported = repeat(&store, opening(keyed("athens", "5xx"), at(8))).await;
    let expected = commit(&store, &reported, prepared).await;
    assert_eq!((expected.count, expected.last_reported_at), (3, at(8)));
    assert_eq!(present(&store, first.number()).await, expected);
}

/// Concurrent repeats are all counted: each adds one.
pub async fn p03_concurrent_repeats_are_all_counted<H: Harness<Subject: Store>>(harness: &H) {
    let store = Arc::new(harness.fresh().await);
    let first = new(&*store, opening(keyed("athens", "5xx"), at(0))).await;
    let reporters = (0..32).map(|i| {
        let store = store.clone();
        async move { repeat(&*store, opening(keyed("athens", "5xx"), at(i))).await.number() }
    });
    for number in together(reporters).await {
        assert_eq!(number, first.number());
    }
    let now = present(&*store, first.number()).await;
    assert_eq!((now.count, now.last_reported_at), (33, at(31)), "the count of a report and 32 repeats");
}

/// Repeats and commits at the same time do not lose each other.
pub async fn p03_repeats_among_commits_are_all_counted<H: Harness<Subject: Store>>(harness: &H) {
    const ROUNDS: usize = 12;
    const REPEATS: usize = 5;
    let store = Arc::new(harness.fresh().await);
    let first = new(&*store, opening(keyed("athens", "5xx"), at(0))).await;
    let number = first.number();
    // Each commit was read before the barrier, and is made in the midst of the repeats after it.
    let barrier = Arc::new(Barrier::new(4));
    let actors = (0..4).map(|actor| {
        let (store, barrier) = (store.clone(), barrier.clone());
        async move {
            for round in 0..ROUNDS {
                let read = present(&*store, number).await;
                barrier.wait().await;
                if actor == 0 {
                    commit(&*store, &read, noted(&read.incident, &format!("round {round}"), at(1))).await;
                } else {
                    for _ in 0..REPEATS {
                        repeat(&*store, opening(keyed("athens", "5xx"), at(2))).await;
                    }
                }
                barrier.wait().await;
            }
        }
    });
    together(actors).await;
    let now = present(&*store, number).await;
    let version = (0..ROUNDS).fold(Version::FIRST, |version, _| version.next());
    assert_eq!((now.version, now.count), (version, 1 + (3 * REPEATS * ROUNDS) as u64));
    let notes = now.incident.timeline().entries().len() - first.incident.timeline().entries().len();
    assert_eq!(notes, ROUNDS, "every commit is there");
}

/// Of many concurrent first reports, one creates the incident and all others are its repeats.
pub async fn p03_concurrent_first_reports_make_one_incident<H: Harness<Subject: Store>>(harness: &H) {
    let store = Arc::new(harness.fresh().await);
    for key in ["5xx", "disk full", "latency"] {
        let barrier = Arc::new(Barrier::new(16));
        let reporters = (0..16).map(|_| {
            let (store, barrier) = (store.clone(), barrier.clone());
            async move {
                barrier.wait().await;
                create(&*store, opening(keyed("athens", key), at(0))).await
            }
        });
        let (mut made, mut repeated) = (Vec::new(), Vec::new());
        for created in together(reporters).await {
            match created {
                Created::New(record) => made.push(record.number()),
                Created::Repeat(record) => repeated.push(record.number()),
            }
        }
        assert_eq!((made.len(), repeated.len()), (1, 15), "new incidents {made:?}, repeats of {repeated:?}");
        assert!(repeated.iter().all(|n| *n == made[0]), "new incidents {made:?}, repeats of {repeated:?}");
        assert_eq!(present(&*store, made[0]).await.count, 16);
    }
}

/// The time of the last report moves only forward, to the microsecond, even if a report comes late.
pub async fn p03_the_last_report_moves_only_forward<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx"), at(10))).await;
    let micro = crate::scene::MICRO;
    assert_eq!(first.last_reported_at, at(10));
    for (reported, last) in
        [(at(20), at(20)), (at(5), at(20)), (at(20) + micro, at(20) + micro), (at(20), at(20) + micro)]
    {
        let again = repeat(&store, opening(keyed("athens", "5xx"), reported)).await;
        assert_eq!(again.last_reported_at, last, "the time of the last report, after a report at {reported}");
        assert_eq!(present(&store, first.number()).await.last_reported_at, last);
    }
}

/// The same key for another service belongs to another incident.
pub async fn p03_the_key_of_another_service_is_another_incident<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let athens = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let sparta = new(&store, opening(keyed("sparta", "5xx"), at(0))).await;
    assert_eq!(repeat(&store, opening(keyed("athens", "5xx"), at(0))).await.number(), athens.number());
    assert_eq!(repeat(&store, opening(keyed("sparta", "5xx"), at(0))).await.number(), sparta.number());
}

/// Keys are compared exactly: no combination of service and key, in any script, is confused with another.
pub async fn p03_keys_are_compared_exactly<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let long = "k".repeat(DedupKey::MAX_BYTES - 1);
    let mut pairs = vec![
        ("athens".to_owned(), "5xx".to_owned()),
        ("athens".to_owned(), "5XX".to_owned()),
        ("Athens".to_owned(), "5xx".to_owned()),
        ("athens".to_owned(), "5 xx".to_owned()),
        ("athens".to_owned(), "%".to_owned()),
        ("athens".to_owned(), "5__".to_owned()),
        ("athens".to_owned(), "'; --".to_owned()),
        // One letter of its own, and a letter with a combining accent.
        ("athens".to_owned(), "caf\u{e9}".to_owned()),
        ("athens".to_owned(), "cafe\u{301}".to_owned()),
        ("athens".to_owned(), format!("{long}a")),
        ("athens".to_owned(), format!("{long}b")),
        ("a".to_owned(), "bc".to_owned()),
        ("ab".to_owned(), "c".to_owned()),
    ];
    for separator in ['#', '|', ':', '/', ' ', '.', ',', '-', '_', '\u{a0}'] {
        pairs.push(("a".to_owned(), format!("b{separator}c")));
        pairs.push((format!("a{separator}b"), "c".to_owned()));
    }
    let mut made = Vec::new();
    for (service, key) in &pairs {
        made.push(new(&store, opening(keyed(service, key), at(0))).await.number());
    }
    for ((service, key), number) in pairs.iter().zip(made) {
        let again = repeat(&store, opening(keyed(service, key), at(0))).await;
        assert_eq!((again.number(), again.count), (number, 2), "{service:?} {key:?}");
    }
}

/// Reports without a key are separate incidents.
pub async fn p03_reports_without_a_key_are_incidents_of_their_own<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(report("athens"), at(0))).await;
    let second = new(&store, opening(report("athens"), at(0))).await;
    assert_eq!(present(&store, first.number()).await, first);
    assert_eq!(present(&store, second.number()).await, second);
}

/// A claimed incident still holds its key, and so does a released one.
pub async fn p03_a_claim_keeps_the_key<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let record = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let record = commit(&store, &record, claimed(&record.incident, "jo", at(1))).await;
    let record = Record { count: 2, ..record };
    assert_eq!(repeat(&store, opening(keyed("athens", "5xx"), at(0))).await, record);
    let record = commit(&store, &record, released(&record.incident, "jo", at(2))).await;
    let record = Record { count: 3, ..record };
    assert_eq!(repeat(&store, opening(keyed("athens", "5xx"), at(0))).await, record);
}

/// A committed resolution frees the key: the next report is a new incident, and the old one does not change.
pub async fn p03_a_resolution_frees_the_key<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let old = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let old = commit(&store, &old, resolved(&old.incident, at(1))).await;
    let new = new(&store, opening(keyed("athens", "5xx"), at(2))).await;
    assert!(new.number() > old.number());
    assert_eq!((new.count, new.version), (1, Version::FIRST), "the new incident's count starts at 1");
    let again = repeat(&store, opening(keyed("athens", "5xx"), at(2))).await;
    assert_eq!(again.number(), new.number());
    assert_eq!(present(&store, old.number()).await, old);
}

/// A stale resolution frees nothing, because it was not committed.
pub async fn p03_a_stale_resolution_keeps_the_key<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let first = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let prepared = resolved(&first.incident, at(1));
    commit(&store, &first, noted(&first.incident, "looking", at(1))).await;
    let committed = store.commit(first.version, &prepared).await.expect("the store commits");
    assert_eq!(committed, Committed::Stale);
    let again = repeat(&store, opening(keyed("athens", "5xx"), at(2))).await;
    assert_eq!((again.number(), again.incident.state()), (first.number(), State::Open));
}

/// A late commit, such as a note on a resolved incident, does not affect the incident that has its key now.
pub async fn p03_a_late_commit_leaves_the_keys_new_holder_alone<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let old = new(&store, opening(keyed("athens", "5xx"), at(0))).await;
    let old = commit(&store, &old, resolved(&old.incident, at(1))).await;
    let holder = new(&store, opening(keyed("athens", "5xx"), at(2))).await;
    commit(&store, &old, noted(&old.incident, "the disk was full", at(3))).await;
    let again = repeat(&store, opening(keyed("athens", "5xx"), at(4))).await;
    assert_eq!(again.number(), holder.number());
}

/// If a report and a resolution race, no report is lost and at most one incident is open, whichever wins.
pub async fn p03_a_report_racing_the_resolution_is_a_repeat_or_a_new_incident<H: Harness<Subject: Store>>(
    harness: &H,
) {
    let store = Arc::new(harness.fresh().await);
    for round in 0..12 {
        let key = format!("round {round}");
        let old = new(&*store, opening(keyed("athens", &key), at(0))).await;
        let barrier = Arc::new(Barrier::new(5));
        let resolving = {
            let (store, barrier, old) = (store.clone(), barrier.clone(), old.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                commit(&*store, &old, resolved(&old.incident, at(1))).await;
            })
        };
        let reporters = (0..4).map(|_| {
            let (store, barrier, key) = (store.clone(), barrier.clone(), key.clone());
            async move {
                barrier.wait().await;
                create(&*store, opening(keyed("athens", &key), at(2))).await
            }
        });
        let answers = together(reporters).await;
        resolving.await.expect("the resolution of a record that only repeats touch succeeds");

        let (mut of_old, mut made, mut of_new) = (0, Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Created::Repeat(record) if record.number() == old.number() => {
                    // Nobody would be alerted of a report that is added to an incident that is over.
                    assert_ne!(record.incident.state(), State::Resolved, "a repeat of a resolved incident");
                    of_old += 1;
                }
                Created::Repeat(record) => of_new.push(record.number()),
                Created::New(record) => made.push(record.number()),
            }
        }
        assert_eq!(
            present(&*store, old.number()).await.count,
            1 + of_old,
            "the repeats of the resolved incident"
        );
        assert!(made.len() <= 1, "two open incidents under one key: {made:?}");
        assert!(of_new.iter().all(|n| made.contains(n)), "repeats of {of_new:?}, new incidents {made:?}");
        if let Some(number) = made.first() {
            assert_eq!(present(&*store, *number).await.count, 1 + of_new.len() as u64);
            assert_eq!(repeat(&*store, opening(keyed("athens", &key), at(3))).await.number(), *number);
        } else {
            new(&*store, opening(keyed("athens", &key), at(3))).await;
        }
    }
}
