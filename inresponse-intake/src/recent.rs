//! What was over a moment ago: late messages, and trouble that comes back.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{DedupKey, ServiceName};

use crate::{Covers, Recovery, Subject, Trouble};

/// Trouble that comes back within this of its recovery flaps.
pub const FLAPPING_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// How long a recovery is remembered; Prometheus repeats one for as long.
const REMEMBERED_FOR: TimeDelta = TimeDelta::minutes(15);

/// Whether trouble was there a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    /// It was not.
    Fresh,
    /// It was, and was over for less than [`FLAPPING_WITHIN`].
    Flapping,
}

/// What a report means after the recoveries that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Standing {
    /// There is trouble.
    Open(Recurrence),
    /// It was sent before, and came after, the recovery of the same trouble.
    Late,
}

type Key = (ServiceName, DedupKey);

/// The last recoveries, at most [`Recoveries::MAX`] of them.
///
/// They are a help, not a record: after a restart late reports open an incident again and flapping goes
/// unmarked for some minutes.
#[derive(Debug, Default)]
pub struct Recoveries {
    by_key: HashMap<Key, Ended>,
    order: VecDeque<(Key, u64)>,
    noted: u64,
}

#[derive(Debug)]
struct Ended {
    id: u64,
    noted_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    covers: Covers,
}

impl Recoveries {
    /// The most recoveries that are remembered.
    pub const MAX: usize = 20_000;

    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a recovery. To be called before the incident is looked for.
    pub fn note(&mut self, recovery: &Recovery, now: DateTime<Utc>) {
        let Subject::Key(key) = &recovery.subject else { return };
        self.noted += 1;
        let key = (recovery.service.clone(), key.clone());
        let ended_at = recovery.ended_at.unwrap_or(now).min(now);
        let ended = Ended { id: self.noted, noted_at: now, ended_at, covers: recovery.covers };
        self.order.push_back((key.clone(), ended.id));
        self.by_key.insert(key, ended);
        while let Some((key, id)) = self.order.front() {
            let current = self.by_key.get(key).filter(|ended| ended.id == *id);
            let over = current.is_none_or(|ended| now - ended.noted_at > REMEMBERED_FOR);
            if !over && self.order.len() <= Self::MAX {
                break;
            }
            if current.is_some() {
                self.by_key.remove(key);
            }
            self.order.pop_front();
        }
    }

    /// What a report of that trouble means. To be asked before it is stored and, where it was new, after that too.
    pub fn standing(&self, trouble: &Trouble, now: DateTime<Utc>) -> Standing {
        let key = (trouble.service().clone(), trouble.key().clone());
        let Some(ended) = self.by_key.get(&key) else { return Standing::Open(Recurrence::Fresh) };
        let late = match (ended.covers, trouble.began_at()) {
            (Covers::Episode(began), Some(at)) => at == began,
            (Covers::Until(end), Some(at)) => at < end,
            (Covers::Episode(_) | Covers::Until(_), None) | (Covers::None, _) => false,
        };
        if late && now - ended.noted_at <= REMEMBERED_FOR {
            return Standing::Late;
        }
        let flaps = now - ended.ended_at <= FLAPPING_WITHIN;
        Standing::Open(if flaps { Recurrence::Flapping } else { Recurrence::Fresh })
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inresponse_core::model::Severity;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_489_200 + seconds, 0).unwrap()
    }

    fn recovery(key: &str, ended: i64, covers: Covers) -> Recovery {
        let (service, key) = (ServiceName::new("s").unwrap(), DedupKey::new(key).unwrap());
        Recovery { service, subject: Subject::Key(key), ended_at: Some(at(ended)), covers, by: None }
    }

    fn trouble(key: &str, began: Option<i64>) -> Trouble {
        let (service, key) = (ServiceName::new("s").unwrap(), DedupKey::new(key).unwrap());
        Trouble::new(service, key, Severity::Err, "test").began(began.map(at))
    }

    #[test]
    fn what_comes_back_within_five_minutes_flaps_and_what_came_late_is_late() {
        use Recurrence::{Flapping, Fresh};
        let (episode, until) = (Covers::Episode(at(0)), Covers::Until(at(60)));
        let cases = [
            (episode, Some(0), 61, Standing::Late),
            (episode, Some(0), 959, Standing::Late),
            (episode, Some(0), 961, Standing::Open(Fresh)),
            (episode, Some(-1), 61, Standing::Open(Flapping)),
            (episode, Some(70), 70, Standing::Open(Flapping)),
            (episode, Some(300), 360, Standing::Open(Flapping)),
            (episode, Some(300), 361, Standing::Open(Fresh)),
            (episode, None, 70, Standing::Open(Flapping)),
            (until, Some(59), 61, Standing::Late),
            (until, Some(60), 61, Standing::Open(Flapping)),
            (until, Some(-5), 61, Standing::Late),
            (until, Some(61), 61, Standing::Open(Flapping)),
            (until, None, 61, Standing::Open(Flapping)),
            (Covers::None, Some(0), 61, Standing::Open(Flapping)),
        ];
        for (covers, began, now, expected) in cases {
            let mut recoveries = Recoveries::new();
            recoveries.note(&recovery("k", 60, covers), at(60));
            let standing = recoveries.standing(&trouble("k", began), at(now));
            assert_eq!(standing, expected, "{covers:?} {began:?} at {now}");
            let other = recoveries.standing(&trouble("another", began), at(now));
            assert_eq!(other, Standing::Open(Fresh));
        }
    }

    #[test]
    fn a_recovery_that_is_repeated_ends_the_trouble_when_it_ended() {
        let mut recoveries = Recoveries::new();
        for minute in 1..=15 {
            recoveries.note(&recovery("k", 60, Covers::Episode(at(0))), at(60 * minute));
        }
        assert_eq!(recoveries.standing(&trouble("k", Some(0)), at(901)), Standing::Late);
        assert_eq!(recoveries.standing(&trouble("k", Some(900)), at(901)), Standing::Open(Recurrence::Fresh));
        assert_eq!(recoveries.len(), 1);
    }

    #[test]
    fn p16_no_more_are_remembered_than_there_is_room_for() {
        let mut recoveries = Recoveries::new();
        for i in 0..2 * Recoveries::MAX {
            recoveries.note(&recovery(&format!("k{i}"), 0, Covers::None), at(0));
        }
        assert_eq!((recoveries.len(), recoveries.order.len()), (Recoveries::MAX, Recoveries::MAX));
        for _ in 0..2 * Recoveries::MAX {
            recoveries.note(&recovery("one", 0, Covers::None), at(0));
        }
        assert!(recoveries.order.len() <= Recoveries::MAX);
        assert!(
            recoveries.by_key.contains_key(&(ServiceName::new("s").unwrap(), DedupKey::new("one").unwrap()))
        );
        recoveries.note(&recovery("later", 0, Covers::None), at(901));
        assert_eq!((recoveries.len(), recoveries.order.len()), (1, 1), "what is long over is forgotten");
    }
}
