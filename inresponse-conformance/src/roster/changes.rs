//! Laws of the audit records: who changed the roster, and when.

use std::convert::Infallible;
use std::slice;

use inresponse_core::model::Contact;
use inresponse_core::roster::{
    Answers, EntryChange, Judged, MAX_EDITS, Question, Roster, RosterChange, RosterEdit, Rota, Team, Was,
    judge_by,
};

use super::acting::{call, done, done_one, editor, page_of_changes, put_service, records, time, told};
use super::scene::{all_settings, day_of, delete, put, rota, service_of, settings, settings_for};
use crate::Harness;

/// The audit record of the only edit of the `nth` call. `was` is the entry before the edit, which names nothing else.
fn record(nth: u32, edit: &RosterEdit, was: Was) -> RosterChange {
    let answer = |question: &Question, answers: &mut Answers| {
        match question {
            Question::Entry(key) => answers.entry(key.clone(), was.clone()),
            Question::Users(_) | Question::Parts(_) | Question::OnCallOfDays { .. } => {
                answers.keys(question.clone(), Vec::new());
            }
        }
        Ok::<_, Infallible>(())
    };
    let Ok(judged) = judge_by(&editor(nth), time(nth), slice::from_ref(edit), answer);
    match judged {
        Judged::Write { changes, .. } if changes.len() == 1 => changes[0].clone(),
        other @ (Judged::Write { .. } | Judged::Refused(_) | Judged::Ask(_)) => {
            panic!("the test data is invalid: {other:?}")
        }
    }
}

/// Sorts records in an order that does not depend on when they were written.
fn sorted(mut records: Vec<RosterChange>) -> Vec<RosterChange> {
    records.sort_by_cached_key(RosterChange::stored);
    records
}

/// Audit records say who made an edit and when, to the microsecond, and are listed newest first, even if the same edit
/// was made before.
pub async fn records_are_listed_newest_first<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let owned = ["ops", "platform"].map(|owner| service_of("athens", owner));
    let (create, was) = (put(&owned[0]), Was::Entry(owned[0].clone()));
    // By the same person at the same time, so that nobody can say which is newer.
    for edit in [create.clone(), delete(&owned[0]), create.clone()] {
        assert!(done_one(&roster, 0, edit).await.changes());
    }
    let created = record(0, &create, Was::Absent);
    let first = vec![created.clone(), record(0, &delete(&owned[0]), was.clone()), created];
    assert_eq!(sorted(records(&roster).await), sorted(first.clone()));
    let mut expected = Vec::new();
    let mut was = was;
    for nth in 1..7 {
        let next = &owned[nth as usize % 2];
        assert!(done_one(&roster, nth, put(next)).await.changes());
        expected.insert(0, record(nth, &put(next), was));
        was = Was::Entry(next.clone());
    }
    let found = records(&roster).await;
    assert_eq!(found[..expected.len().min(found.len())], expected);
    assert_eq!(sorted(found[expected.len()..].to_vec()), sorted(first));
}

/// An audit record contains the fields that changed and no others, with their values before and after.
pub async fn a_record_tells_what_was_before_and_is_after<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let many = all_settings().into_iter().max_by_key(|team| team.fallback().len()).expect("there are some");
    let fallback = many.fallback().to_vec();
    let repeated =
        |times| settings_for("devops", Team::builder(fallback.clone()).repeat(times).build().unwrap());
    let eve = |oncall: &str| {
        let level = rota("boss").oncall().to_vec();
        day_of("devops", "2026-12-24", Rota::new(rota(oncall).oncall().to_vec(), vec![level]).unwrap())
    };
    let steps = [
        (put(&service_of("athens", "ops")), "service athens: Created, team - > \"ops\""),
        (put(&service_of("athens", "dev")), "service athens: Replaced, team \"ops\" > \"dev\""),
        (delete(&service_of("athens", "dev")), "service athens: Deleted, team \"dev\" > -"),
        (
            put(&repeated(1)),
            "team devops: Created, alertLevels - > {}, escalateAfterSeconds - > 600.0, fallback - > 20, \
             repeat - > 1, timezone - > \"UTC\"",
        ),
        (put(&repeated(2)), "team devops: Replaced, repeat 1 > 2"),
        (put(&eve("jo")), "calendar of devops, 2026-12-24: Created, escalation - > 1, oncall - > 1"),
        (put(&eve("ann")), "calendar of devops, 2026-12-24: Replaced, oncall 1 > 1"),
        (delete(&eve("ann")), "calendar of devops, 2026-12-24: Deleted, escalation 1 > -, oncall 1 > -"),
        (
            delete(&repeated(2)),
            "team devops: Deleted, alertLevels {} > -, escalateAfterSeconds 600.0 > -, fallback 20 > -, \
             repeat 2 > -, timezone \"UTC\" > -",
        ),
    ];
    for (nth, (edit, _)) in (1..).zip(&steps) {
        assert!(done_one(&roster, nth, edit.clone()).await.changes());
    }
    let found: Vec<_> = told(&roster).await.iter().map(in_short).collect();
    assert_eq!(found, steps.map(|(_, expected)| expected));
}

/// A short text of a change: its fields before and after, with lists as their lengths.
fn in_short(told: &EntryChange) -> String {
    let short = |value: &Option<serde_json::Value>| match value {
        None => "-".to_owned(),
        Some(serde_json::Value::Array(list)) => list.len().to_string(),
        Some(other) => other.to_string(),
    };
    let fields = told.fields.iter();
    let fields = fields.map(|(name, f)| format!(", {name} {} > {}", short(&f.before), short(&f.after)));
    format!("{}: {:?}{}", told.key, told.change, fields.collect::<String>())
}

/// Audit records contain no addresses, because everybody who may read the records could then use the addresses.
pub async fn a_record_holds_no_address<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let of = |texts: [&str; 3]| texts.map(|text| Contact::new(text).unwrap()).to_vec();
    let first = of(["jo.adams@example.org", "https://hooks.example/T0/B0/secret", "sms:+302101234567"]);
    let second = of(["jim@example.org", "https://hooks.example/T0/B0/other", "tel:+302107654321"]);
    let settings = |to: &[Contact]| settings_for("devops", Team::builder(to.to_vec()).build().unwrap());
    let day = |to: &[Contact], then: &[Contact]| {
        day_of("devops", "2026-12-24", Rota::new(to.to_vec(), vec![then.to_vec()]).unwrap())
    };
    let edits = [
        put(&settings(&first)),
        put(&settings(&second)),
        put(&day(&first, &second)),
        put(&day(&second, &first)),
        delete(&day(&first, &second)),
        delete(&settings(&second)),
    ];
    for (nth, edit) in (1..).zip(&edits) {
        assert!(done_one(&roster, nth, edit.clone()).await.changes());
    }
    let records = records(&roster).await;
    assert_eq!(records.len(), edits.len());
    for record in &records {
        let text = format!("{record:?} {} {}", record.stored(), record.description());
        for contact in first.iter().chain(&second) {
            assert!(!text.contains(contact.address()), "the address {contact} appears in the record {text}");
        }
    }
}

/// A call writes one record for each edit that changed something, in their order, even if a page ends between them.
pub async fn a_call_writes_a_record_for_each_edit_in_their_order<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    put_service(&roster, "athens", "devops").await;
    // As many as there may be, so that the tenth of them comes after the second.
    let mut edits =
        vec![put(&service_of("athens", "devops")), delete(&settings_for("absent", settings("jo")))];
    edits.extend((edits.len()..MAX_EDITS).map(|n| put(&service_of(&format!("service {n}"), "other"))));
    let _ = done(&roster, 1, &edits).await;
    let _ = call(&roster, 2, &[put(&service_of("athens", "other"))]).await;
    let mut expected: Vec<_> = edits[2..].iter().map(|edit| record(1, edit, Was::Absent)).collect();
    expected.reverse();
    let after = Was::Entry(service_of("athens", "devops"));
    expected.insert(0, record(2, &put(&service_of("athens", "other")), after));
    expected.push(record(0, &edits[0], Was::Absent));
    for limit in [1, 7, 1_000] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = page_of_changes(&roster, before.as_ref(), limit).await;
            let Some((mark, _)) = page.last() else { break };
            before = Some(mark.clone());
            found.extend(page.into_iter().map(|(_, record)| record));
            assert!(
                found.len() <= expected.len(),
                "the pages list more records than exist, with {limit} on a page"
            );
        }
        assert_eq!(found, expected, "the listed records, with {limit} on a page");
    }
}

/// Pages of changes skip and repeat nothing, even if other changes are recorded in between, or several at the same
/// time.
pub async fn pages_of_changes_leave_none_out_and_double_none<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = harness.fresh().await;
    let mut expected = Vec::new();
    for nth in 0..12 {
        // Some of them at the same time, so that nobody can say which is newer.
        let edit = put(&service_of(&format!("service {nth}"), "devops"));
        let _ = done_one(&roster, nth / 3, edit.clone()).await;
        expected.push(record(nth / 3, &edit, Was::Absent));
    }
    let expected = sorted(expected);
    let mut newer = 0;
    for limit in [1, 2, 5, 11, 12, 13] {
        // What was recorded while the runs before read is on top.
        let on_top = newer;
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = page_of_changes(&roster, before.as_ref(), limit).await;
            assert!(page.len() <= limit, "a page with a limit of {limit} has {} items", page.len());
            let Some((mark, _)) = page.last() else { break };
            before = Some(mark.clone());
            found.extend(page.into_iter().map(|(_, change)| change));
            assert!(
                found.len() <= on_top + expected.len(),
                "the pages list more records than exist, with {limit} on a page"
            );
            newer += 1;
            let newest = put(&service_of(&format!("newer {newer}"), "devops"));
            let _ = done_one(&roster, 100 + u32::try_from(newer).unwrap(), newest).await;
        }
        assert!(
            found.is_sorted_by(|a, b| a.at() >= b.at()),
            "the records are listed newest first, with {limit} on a page"
        );
        let found = found.split_off(on_top.min(found.len()));
        assert_eq!(sorted(found), expected, "the listed records, with {limit} on a page");
    }
}

/// Audit records are kept: at least the newest 10,000, or those of the last 400 days. The law looks at a thousand of the
/// same day.
pub async fn the_newest_thousand_records_are_kept<H: Harness<Subject: Roster>>(harness: &H) {
    const CALLS: u32 = 26;
    let roster = harness.fresh().await;
    let services: Vec<_> = (0..MAX_EDITS).map(|i| format!("service {i}")).collect();
    for nth in 1..=CALLS {
        let owner = format!("team {nth}");
        let edits: Vec<_> = services.iter().map(|name| put(&service_of(name, &owner))).collect();
        let effects = done(&roster, nth, &edits).await;
        assert!(effects.iter().all(|effect| effect.changes()), "{effects:?}");
    }
    let (mut kept, mut before) = (0, None);
    loop {
        let page = page_of_changes(&roster, before.as_ref(), 500).await;
        kept += page.len();
        match page.last() {
            Some((mark, _)) => before = Some(mark.clone()),
            None => break,
        }
    }
    assert_eq!(kept, CALLS as usize * MAX_EDITS, "of all the audit records of one day, some are gone");
}
