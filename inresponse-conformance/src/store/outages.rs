//! Laws of promise 4: an outage tells the truth. If an answer was lost, the change may have happened.

use inresponse_core::store::{Committed, Created, Record, Store};

use super::acts::{new, present};
use super::open::open;
use crate::Interrupted;
use crate::line::{Line, Loss, losses, tells_undone};
use crate::scene::{at, keyed, noted, opening};

/// If the answer to a create was lost, an outage that says that nothing was changed is a lie: the reporter would report
/// again, or give up an incident that alerts somebody. A store that finds out what happened may answer.
pub async fn p04_a_create_whose_answer_was_lost_is_not_told_as_undone<H: Interrupted<Subject: Store>>(
    harness: &H,
) {
    let first = harness.fresh().await;
    let line = Line::new();
    let store = harness.over(&first, &line).await;
    let mut undone = Vec::new();
    for (key, loss) in losses() {
        line.lose(loss);
        let created = store.create(opening(keyed("athens", &key), at(0))).await;
        line.lose(Loss::None);
        let stored = open(&first, "athens", &key).await;
        match created {
            Ok(Created::New(record)) => assert_eq!(stored, Some(record), "{key}: as answered"),
            Ok(Created::Repeat(record)) => {
                panic!(
                    "{key}: nobody else has reported, but the store returned {record:?} as a repeat: it must \
                     recognise its own create when it repeats it"
                )
            }
            Err(outage) if tells_undone(&outage) => undone.push((key.clone(), outage)),
            Err(_) => {}
        }
        let count = stored.map_or(1, |record| record.count);
        assert_eq!(count, 1, "the answer to one report was lost ({key}), and it was counted {count} times");
    }
    for (key, outage) in undone {
        let stored = open(&first, "athens", &key).await;
        assert_eq!(
            stored.map(|record| record.number()),
            None,
            "{key}: an outage of kind {:?} says that nothing was changed, but the incident exists: after a lost \
             answer the kind must be Unknown ({outage})",
            outage.kind()
        );
    }
}

/// If the answer to a commit was lost, an outage that says that nothing was changed is a lie, and so is *stale*: an
/// alert would be sent twice.
pub async fn p04_a_commit_whose_answer_was_lost_is_not_told_as_undone<H: Interrupted<Subject: Store>>(
    harness: &H,
) {
    let first = harness.fresh().await;
    let line = Line::new();
    let store = harness.over(&first, &line).await;
    let mut undone = Vec::new();
    for (key, loss) in losses() {
        let before = new(&first, opening(keyed("athens", &key), at(0))).await;
        let draft = noted(&before.incident, "looking", at(1));
        line.lose(loss);
        let committed = store.commit(before.version, &draft).await;
        line.lose(Loss::None);
        let stored = present(&first, before.number()).await;
        let after =
            Record { version: before.version.next(), incident: draft.into_incident(), ..before.clone() };
        match committed {
            Ok(Committed::At(version)) => {
                assert_eq!((version, stored), (after.version, after), "{key}: as answered");
            }
            Ok(Committed::Stale) => panic!(
                "{key}: nobody else has committed, but the store answered that the version was stale: it must \
                 recognise its own commit when it repeats it"
            ),
            Err(outage) if tells_undone(&outage) => undone.push((before, outage)),
            Err(_) => assert!(stored == before || stored == after, "{key}: {stored:#?}"),
        }
    }
    for (before, outage) in undone {
        assert_eq!(
            present(&first, before.number()).await.version,
            before.version,
            "an outage of kind {:?} says that nothing was changed, but the commit happened: after a lost answer the \
             kind must be Unknown ({outage})",
            outage.kind()
        );
    }
}

/// If the answer to a repeat was lost, the report was counted once or not at all, and the store does not say that
/// nothing was changed if it was counted.
pub async fn p04_a_repeat_whose_answer_was_lost_is_counted_once_at_most<H: Interrupted<Subject: Store>>(
    harness: &H,
) {
    let first = harness.fresh().await;
    let line = Line::new();
    let store = harness.over(&first, &line).await;
    let mut undone = Vec::new();
    for (key, loss) in losses() {
        let open = new(&first, opening(keyed("athens", &key), at(0))).await;
        line.lose(loss);
        let repeated = store.create(opening(keyed("athens", &key), at(1))).await;
        line.lose(Loss::None);
        let count = present(&first, open.number()).await.count;
        assert!(count <= 2, "one report, whose answer was lost ({key}), was counted {} times", count - 1);
        match repeated {
            Ok(Created::Repeat(record)) => assert_eq!((record.count, count), (2, 2), "{key}: as answered"),
            Ok(Created::New(record)) => panic!("{key}: the key was taken, but {record:?} is new"),
            Err(outage) if tells_undone(&outage) => undone.push((open, outage)),
            Err(_) => {}
        }
    }
    for (open, outage) in undone {
        assert_eq!(
            present(&first, open.number()).await.count,
            1,
            "an outage of kind {:?} says that nothing was changed, but the report was counted: after a lost answer the \
             kind must be Unknown ({outage})",
            outage.kind()
        );
    }
}
