//! The law for promise 21: what must be judged again is found.

use inresponse_core::model::RulesId;
use inresponse_core::plan;
use inresponse_core::store::{DueMark, Record, Store};

use super::acts::{commit, new};
use crate::Harness;
use crate::scene::{at, claimed, opening, quieted, report, silences};
use crate::waiting::eventually;

/// The store finds every quiet record that was judged by other rules than the given ones, in the order of their due
/// times, page by page. The store uses the rules of the last commit.
pub async fn p21_what_was_judged_by_other_rules_is_found<H: Harness<Subject: Store>>(harness: &H) {
    let store = harness.fresh().await;
    let (first, second) = (silences(&[("deploy", 900)]), silences(&[("deploy", 1_200)]));
    let begin = async || new(&store, opening(report("athens"), at(0))).await;
    let mut by_first = Vec::new();
    for _ in 0..3 {
        let record = begin().await;
        by_first.push(commit(&store, &record, quieted(&record.incident, &first, at(1))).await);
    }
    let record = begin().await;
    let record = commit(&store, &record, quieted(&record.incident, &first, at(1))).await;
    let by_second = commit(&store, &record, quieted(&record.incident, &second, at(2))).await;
    let record = begin().await;
    let record = commit(&store, &record, quieted(&record.incident, &second, at(1))).await;
    commit(&store, &record, claimed(&record.incident, "jo", at(2))).await;
    begin().await;

    let everything = [&by_first[..], std::slice::from_ref(&by_second)].concat();
    for (rules, wanted) in [
        (second.id(), by_first.clone()),
        (first.id(), vec![by_second.clone()]),
        (RulesId::JUDGE_AGAIN, everything.clone()),
        (RulesId::NONE, everything),
    ] {
        for limit in [1, 2, 100] {
            let found = async || {
                let mut found = found(&store, rules, limit).await;
                found.retain(|record| wanted.contains(record));
                found
            };
            eventually(&wanted, found).await;
        }
    }
}

/// All pages.
async fn found(store: &impl Store, rules: RulesId, limit: usize) -> Vec<Record> {
    let (mut found, mut after) = (Vec::new(), None);
    // One page more than there can be ends a store that goes round in circles.
    for _ in 0..8 {
        let page = store.quiet(rules, after, limit).await;
        let page = page.expect("the store lists records that were judged by other rules");
        assert!(page.len() <= limit, "the store returned {} records with a limit of {limit}", page.len());
        let Some(last) = page.last() else { break };
        after = Some(mark(last));
        found.extend(page);
    }
    assert!(found.is_sorted_by_key(mark), "the records are in the order of their due times");
    found
}

fn mark(record: &Record) -> DueMark {
    let due_at = plan::due_at(&record.incident).expect("the record has a due time");
    DueMark { due_at, number: record.number() }
}
