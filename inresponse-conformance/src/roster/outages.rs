//! Laws of promise 4: an outage tells the truth. If an answer was lost, the edits may have been made.

use inresponse_core::Outage;
use inresponse_core::roster::{Edited, Effect, EntryKey, Roster, RosterChange, What};

use super::acting::{call, editor, everything, owner, time};
use super::scene::{put, service, service_of, team};
use crate::Interrupted;
use crate::line::{Line, Loss, losses, tells_undone};

/// The edits whose answers were lost: the name of the service that it put, and what was answered.
async fn play<H: Interrupted<Subject: Roster>>(
    harness: &H,
) -> (H::Subject, Vec<(String, Result<Edited, Outage>)>) {
    let first = harness.fresh().await;
    let line = Line::new();
    let roster = harness.over(&first, &line).await;
    let mut answers = Vec::new();
    for (nth, (name, loss)) in (0..).zip(losses()) {
        line.lose(loss);
        let edited = roster.apply(&editor(nth), time(nth), &[put(&service_of(&name, "ops"))]).await;
        line.lose(Loss::None);
        if let Ok(Edited::Refused(refusal)) = &edited {
            panic!("{name}: the edit was refused with {refusal:?}, but nobody else edits the roster");
        }
        answers.push((name, edited));
    }
    first.refresh().await.expect("the roster is refreshed");
    (first, answers)
}

/// If the answer to an edit was lost, an outage that says that nothing was changed is a lie, and so is an effect that the
/// edit did not have: the caller would tell somebody that the entry was there before.
pub async fn p04_an_edit_whose_answer_was_lost_is_not_told_as_undone<H: Interrupted<Subject: Roster>>(
    harness: &H,
) {
    let (first, answers) = play(harness).await;
    for (name, edited) in answers {
        let stored = owner(&first, &name).await;
        match edited {
            Ok(edited) => {
                let expected = Edited::Done(vec![Effect::Created]);
                assert_eq!((edited, stored), (expected, Some(team("ops"))), "{name}: as answered");
            }
            Err(outage) if tells_undone(&outage) => assert_eq!(
                stored,
                None,
                "{name}: an outage of kind {:?} says that nothing was changed, but the edit was made: after a lost \
                 answer the kind must be Unknown ({outage})",
                outage.kind()
            ),
            Err(_) => {}
        }
    }
}

/// If the answer to an edit was lost, the edit has one audit record if it was made, and otherwise none. The next edit is
/// made as usual.
pub async fn p04_an_edit_whose_answer_was_lost_is_recorded_once_if_it_was_made<
    H: Interrupted<Subject: Roster>,
>(
    harness: &H,
) {
    let (first, answers) = play(harness).await;
    let (_, records) = everything(&first).await;
    let records = |name: &str| {
        let key = EntryKey::Service(service(name));
        let is_of = |record: &RosterChange| matches!(record.what(), What::Entry(entry) if entry.key == key);
        records.iter().filter(|(_, record)| is_of(record)).count()
    };
    for (name, edited) in &answers {
        let made = usize::from(owner(&first, name).await.is_some());
        assert_eq!(records(name), made, "{name}: the records of an edit that was answered with {edited:?}");
    }
    let edited = call(&first, 100, &[put(&service_of("next", "ops"))]).await;
    assert_eq!(edited, Edited::Done(vec![Effect::Created]));
}
