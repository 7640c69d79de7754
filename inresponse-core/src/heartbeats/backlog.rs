//! When this process must look at which heartbeat, and what it last knew of each. Only a shortcut: the rows decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::lock::Mutex;

use super::row::{HeartbeatState, Stored};
use crate::model::HeartbeatName;
use crate::roster::Heartbeat;

/// The heartbeats that a process knows.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    known: BTreeMap<HeartbeatName, Known>,
    due: BTreeSet<(DateTime<Utc>, HeartbeatName)>,
}

/// The last ping that this process recorded. The holder of the lock records one.
pub(super) type Recorded = Arc<Mutex<Option<LastPing>>>;

/// A ping that this process recorded.
#[derive(Debug)]
pub(super) struct LastPing {
    /// When, by the monotonic clock.
    pub(super) at: Duration,
    /// What was stored then. Another process may have changed it since.
    pub(super) stored: Stored,
}

#[derive(Debug)]
struct Known {
    span: Duration,
    look_at: DateTime<Utc>,
    state: Option<HeartbeatState>,
    recorded: Recorded,
}

impl Backlog {
    /// Takes over the definitions of the roster. What is new or has another interval is looked at at once.
    pub(super) fn define(&mut self, defined: &BTreeMap<HeartbeatName, Arc<Heartbeat>>) {
        let gone: Vec<_> = self.known.keys().filter(|name| !defined.contains_key(*name)).cloned().collect();
        gone.iter().for_each(|name| self.forget(name));
        for (name, heartbeat) in defined {
            if self.known.get(name).is_none_or(|known| known.span != heartbeat.span()) {
                self.look_now(name, heartbeat.span());
            }
        }
    }

    /// Looks at a heartbeat at the next opportunity.
    pub(super) fn look_now(&mut self, name: &HeartbeatName, span: Duration) {
        let (state, recorded) =
            self.known.get(name).map(|known| (known.state, known.recorded.clone())).unwrap_or_default();
        self.put(name, Known { span, look_at: DateTime::<Utc>::MIN_UTC, state, recorded });
    }

    /// Looks at all of them, since the clock jumped.
    pub(super) fn look_at_all(&mut self) {
        let spans: Vec<_> = self.known.iter().map(|(name, known)| (name.clone(), known.span)).collect();
        spans.iter().for_each(|(name, span)| self.look_now(name, *span));
    }

    /// Notes what was found or stored of a heartbeat, and when to look again.
    pub(super) fn note(
        &mut self,
        name: &HeartbeatName,
        span: Duration,
        state: Option<HeartbeatState>,
        look_at: DateTime<Utc>,
    ) {
        let recorded = self.recorded(name, span);
        self.put(name, Known { span, look_at, state, recorded });
    }

    /// Looks at a heartbeat later.
    pub(super) fn postpone(&mut self, name: &HeartbeatName, look_at: DateTime<Utc>) {
        if let Some(known) = self.known.get(name) {
            let known =
                Known { look_at, span: known.span, state: known.state, recorded: known.recorded.clone() };
            self.put(name, known);
        }
    }

    /// The heartbeat is not defined any more.
    pub(super) fn forget(&mut self, name: &HeartbeatName) {
        if let Some(known) = self.known.remove(name) {
            self.due.remove(&(known.look_at, name.clone()));
        }
    }

    /// The lock of the heartbeat's pings.
    pub(super) fn recorded(&mut self, name: &HeartbeatName, span: Duration) -> Recorded {
        if !self.known.contains_key(name) {
            self.look_now(name, span);
        }
        self.known.get(name).map(|known| known.recorded.clone()).unwrap_or_default()
    }

    fn put(&mut self, name: &HeartbeatName, known: Known) {
        self.forget(name);
        self.due.insert((known.look_at, name.clone()));
        self.known.insert(name.clone(), known);
    }

    /// The heartbeats to look at by `now`.
    pub(super) fn due(&self, now: DateTime<Utc>) -> Vec<HeartbeatName> {
        self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, name)| name.clone()).collect()
    }

    /// When to look next.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How many heartbeats are in which state, as far as this process knows.
    pub(super) fn counts(&self) -> BTreeMap<HeartbeatState, usize> {
        let mut counts: BTreeMap<_, _> = HeartbeatState::ALL.into_iter().map(|state| (state, 0)).collect();
        for state in self.known.values().filter_map(|known| known.state) {
            *counts.entry(state).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::model::{ServiceName, Severity};

    #[test]
    fn p24_a_heartbeat_is_looked_at_when_it_is_new_changed_or_due() {
        let at = |seconds: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let name = |name: &str| HeartbeatName::new(name).unwrap();
        let defined = |all: &[(&str, u64)]| -> BTreeMap<_, _> {
            let heartbeat = |every: u64| {
                let service = ServiceName::new("athens").unwrap();
                let every = Duration::from_secs(every);
                Arc::new(Heartbeat::new(service, Severity::Crit, every, Duration::ZERO, None).unwrap())
            };
            all.iter().map(|(of, every)| (name(of), heartbeat(*every))).collect()
        };
        let mut backlog = Backlog::default();
        backlog.define(&defined(&[("a", 10), ("b", 10)]));
        assert_eq!(backlog.due(at(0)), [name("a"), name("b")], "new ones");
        for of in ["a", "b"] {
            backlog.note(&name(of), Duration::from_secs(10), Some(HeartbeatState::Waiting), at(20));
        }
        backlog.note(&name("b"), Duration::from_secs(10), Some(HeartbeatState::Beating), at(10));
        assert_eq!((backlog.due(at(9)), backlog.next_at()), (Vec::new(), Some(at(10))));
        assert_eq!(backlog.due(at(30)), [name("b"), name("a")], "the first due first");
        backlog.define(&defined(&[("a", 10), ("b", 10)]));
        assert_eq!(backlog.due(at(9)), [], "nothing changed");
        backlog.define(&defined(&[("a", 5)]));
        assert_eq!(backlog.due(at(9)), [name("a")], "another interval");
        assert_eq!(backlog.due(at(99)), [name("a")], "a deleted one");
        assert_eq!(backlog.counts()[&HeartbeatState::Waiting], 1);
    }
}
