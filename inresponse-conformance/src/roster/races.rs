//! Laws of concurrent calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use inresponse_core::roster::{Effect, Entry, EntryKey, EntryKind, Roster, RosterChange, RosterEdit, What};

use super::acting::{
    done, done_one, entry, listed, owner, put_day, put_service, put_team, records, settings_of,
};
use super::scene::{day_of, delete, put, rota, service, service_of, settings, settings_for, team};
use crate::Harness;
use crate::waiting::together;

/// The number of calls that contend for the same entries.
const AT_ONCE: u32 = 8;

/// Concurrent writes of different entries do not overwrite each other.
pub async fn concurrent_puts_are_all_kept<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = Arc::new(harness.fresh().await);
    let writers = (1..=16).map(|i| {
        let roster = roster.clone();
        async move {
            put_day(&*roster, "devops", &format!("2026-03-{i:02}"), &rota(&format!("person.{i}"))).await;
            put_service(&*roster, &format!("service {i}"), "devops").await;
            put_team(&*roster, &format!("team {i}"), &settings(&format!("person.{i}"))).await;
        }
    });
    together(writers).await;
    for i in 1..=16 {
        let person = format!("person.{i}");
        assert_eq!(entry(&*roster, "devops", &format!("2026-03-{i:02}")).await, Some(rota(&person)));
        assert_eq!(owner(&*roster, &format!("service {i}")).await, Some(team("devops")));
        assert_eq!(settings_of(&*roster, &format!("team {i}")).await, Some(settings(&person)));
    }
    assert_eq!(records(&*roster).await.len(), 3 * 16, "a record for each");
}

/// Of concurrent calls for one entry, one creates or deletes it. The other calls replace the entry, or find nothing to
/// delete.
pub async fn of_concurrent_calls_one_creates_and_one_deletes_an_entry<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = Arc::new(harness.fresh().await);
    let kinds: [fn(u32) -> Entry; 3] = [
        |i| service_of("athens", &format!("team {i}")),
        |i| settings_for("devops", settings(&format!("person.{i}"))),
        |i| day_of("ops", "2026-03-29", rota(&format!("person.{i}"))),
    ];
    for entry in kinds {
        for (edit, first, others) in [
            (put as fn(&Entry) -> RosterEdit, Effect::Created, Effect::Replaced),
            (delete as fn(&Entry) -> RosterEdit, Effect::Deleted, Effect::Absent),
        ] {
            let calls = (0..AT_ONCE).map(|i| {
                let (roster, edit) = (roster.clone(), edit(&entry(i)));
                async move { done_one(&*roster, i, edit).await }
            });
            let mut effects = together(calls).await;
            effects.sort_by_key(|effect| *effect != first);
            let (done, rest) = effects.split_first().expect("there is at least one call");
            assert_eq!(*done, first, "one of the calls must create or delete the entry: {effects:?}");
            assert!(
                rest.iter().all(|effect| *effect == others),
                "only one of the calls may create or delete the entry: {effects:?}"
            );
        }
    }
}

/// The records of concurrent calls form a chain: what each call found is what another left, and the last call left the
/// current value.
pub async fn records_of_concurrent_calls_link_up<H: Harness<Subject: Roster>>(harness: &H) {
    must_link_up(vec![harness.fresh().await]).await;
}

/// Checks that the records of concurrent calls form a chain, with the calls spread over all handles.
pub(super) async fn must_link_up<R: Roster>(handles: Vec<R>) {
    let handles: Vec<_> = handles.into_iter().map(Arc::new).collect();
    let calls = (0..AT_ONCE).zip(handles.iter().cycle().cloned()).map(|(i, roster)| async move {
        let entry = service_of("athens", &format!("team {i}"));
        done_one(&*roster, i, put(&entry)).await
    });
    let effects = together(calls).await;
    let roster = &*handles[0];
    roster.refresh().await.expect("the roster is refreshed");
    let chain = chain_of(&records(roster).await, "athens");
    assert_eq!(chain.len(), effects.len(), "one record for each of {effects:?}");
    let last = chain.last().map(|name| team(name));
    assert_eq!(owner(roster, "athens").await, last, "the current owner is the last of {chain:?}");
}

/// Concurrent calls that edit the same entries take effect in one order, as if one came after the other.
pub async fn concurrent_calls_of_several_edits_do_not_mix<H: Harness<Subject: Roster>>(harness: &H) {
    let roster = Arc::new(harness.fresh().await);
    let names = ["athens", "delphi", "sparta"];
    let calls = (0..AT_ONCE).map(|i| {
        let roster = roster.clone();
        async move {
            let mut edits = names.map(|name| put(&service_of(name, &format!("team {i}"))));
            // In whatever order they are named.
            edits.rotate_left(i as usize % names.len());
            done(&*roster, i, &edits).await
        }
    });
    together(calls).await;
    let records = records(&*roster).await;
    let chains = names.map(|name| chain_of(&records, name));
    assert_eq!(chains[0].len(), AT_ONCE as usize, "one record for each call");
    assert_eq!(chains[0], chains[1], "the order of edits on {} and {} is the same", names[0], names[1]);
    assert_eq!(chains[0], chains[2], "the order of edits on {} and {} is the same", names[0], names[2]);
    let expected: Vec<_> =
        names.iter().map(|name| service_of(name, &chains[0][AT_ONCE as usize - 1])).collect();
    let left: Vec<_> =
        listed(&*roster, EntryKind::Service).await.into_iter().filter_map(|l| l.entry).collect();
    assert_eq!(left, expected, "the entry has the value of the last of {:?}", chains[0]);
}

/// The owners of a service in the order of its changes, which are found from the records in any order.
fn chain_of(records: &[RosterChange], name: &str) -> Vec<String> {
    let key = EntryKey::Service(service(name));
    let mut steps = BTreeMap::new();
    for record in records {
        if matches!(record.what(), What::Entry(entry) if entry.key == key) {
            let (before, after) = owners_told(record);
            let twice = steps.insert(before, after);
            assert_eq!(twice, None, "two calls found the same previous owner:\n{records:#?}");
        }
    }
    let (mut chain, mut at) = (Vec::new(), None);
    while let Some(after) = steps.remove(&at) {
        chain.extend(after.clone());
        at = after;
    }
    assert!(steps.is_empty(), "after the owners {chain:?} the changes {steps:?} cannot follow");
    chain
}

/// The owner of a service after a change, by its record.
pub(super) fn owner_told(record: &RosterChange) -> Option<String> {
    owners_told(record).1
}

/// The owner of a service before and after a change, as the change's audit record says.
fn owners_told(record: &RosterChange) -> (Option<String>, Option<String>) {
    let field = match record.what() {
        What::Entry(entry) => entry.fields.get("team"),
        What::Text(_) => None,
    };
    let field = field.unwrap_or_else(|| panic!("a service's record must contain its team: {record:?}"));
    let text = |value: &Option<serde_json::Value>| value.as_ref().and_then(|v| v.as_str()).map(str::to_owned);
    (text(&field.before), text(&field.after))
}
