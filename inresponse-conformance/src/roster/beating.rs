//! Laws of heartbeats: a read returns what was written, and the service that a heartbeat names is kept.

use std::time::Duration;

use inresponse_core::model::{HeartbeatName, ServiceName, Severity};
use inresponse_core::roster::{
    Effect, Entry, EntryKey, EntryKind, Heartbeat, Listed, Refusal, Roster, RosterEdit,
};

use super::acting::{done_one, listed, must_refuse, put_service};
use super::scene::put;
use crate::Harness;

fn heartbeat(name: &str, service: &str, every: u64) -> Entry {
    let service = ServiceName::new(service).expect("the name is valid");
    let (every, grace) = (Duration::from_secs(every), Duration::from_secs(7));
    let title = Some(format!("{name} is silent"));
    let heartbeat = Heartbeat::new(service, Severity::Err, every, grace, title).expect("it is valid");
    Entry::heartbeat(&HeartbeatName::new(name).expect("the name is valid"), heartbeat)
}

/// Heartbeats are returned exactly, one by one and in the list, in the order of their names; and a service is not deleted
/// while a heartbeat names it.
pub async fn p24_heartbeats_are_answered_exactly_and_keep_their_service<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    let unknown = heartbeat("a", "athens", 60);
    let service = EntryKey::Service(ServiceName::new("athens").expect("the name is valid"));
    let named = Refusal::Unknown { key: service.clone(), by: unknown.key() };
    must_refuse(&roster, &[put(&unknown)], &named).await;
    put_service(&roster, "athens", "devops").await;
    let names = ["a", "A", "a b", "a%", "a.b:c", "α", "日本 🚒"];
    let mut entries: Vec<_> = names.iter().zip(1..).map(|(name, n)| heartbeat(name, "athens", n)).collect();
    for entry in &entries {
        assert_eq!(done_one(&roster, 1, put(entry)).await, Effect::Created);
        assert_eq!(done_one(&roster, 2, put(entry)).await, Effect::Unchanged);
        let read = roster.entry(&entry.key()).await.expect("the roster is read");
        assert_eq!(read.as_ref(), Some(entry));
    }
    entries[0] = heartbeat("a", "athens", 3_600);
    assert_eq!(done_one(&roster, 3, put(&entries[0])).await, Effect::Replaced);
    let in_order = |entries: &[Entry]| {
        let mut all: Vec<_> = entries.iter().cloned().map(Listed::from).collect();
        all.sort_by_key(|listed| listed.key.clone());
        all
    };
    assert_eq!(listed(&roster, EntryKind::Heartbeat).await, in_order(&entries));
    let gone = entries.pop().expect("there are some");
    assert_eq!(done_one(&roster, 4, RosterEdit::Delete(gone.key())).await, Effect::Deleted);
    assert_eq!(done_one(&roster, 5, RosterEdit::Delete(gone.key())).await, Effect::Absent);
    assert_eq!(listed(&roster, EntryKind::Heartbeat).await, in_order(&entries));
    for entry in entries.iter().skip(1) {
        assert_eq!(done_one(&roster, 6, RosterEdit::Delete(entry.key())).await, Effect::Deleted);
    }
    let in_use = Refusal::InUse { key: service.clone(), by: entries[0].key() };
    must_refuse(&roster, &[RosterEdit::Delete(service.clone())], &in_use).await;
    assert_eq!(done_one(&roster, 7, RosterEdit::Delete(entries[0].key())).await, Effect::Deleted);
    assert_eq!(done_one(&roster, 8, RosterEdit::Delete(service)).await, Effect::Deleted);
}
