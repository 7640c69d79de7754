//! Remembers recent recoveries, to recognise late messages and problems that return.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{DedupKey, ServiceName};

use crate::{Covers, Recovery, Recurrence, Subject, Trouble};

/// A problem that returns within this time after its recovery is flapping.
pub const FLAPPING_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// How long a recovery is remembered: fifteen minutes, the time for which Prometheus repeats a recovery.
const REMEMBERED_FOR: TimeDelta = TimeDelta::minutes(15);
/// How late a report may come after the recovery of its problem was first recorded, if there are several senders. A
/// report that comes later belongs to another sender, for which the problem is not over.
pub const LATE_FOR: TimeDelta = TimeDelta::minutes(2);
/// A recovery whose time has moved this many times in a row does not count as a recovery.
const MOVES: u8 = 2;
/// How much later or sooner a message may come than its sender's usual interval.
const UNEVEN: TimeDelta = TimeDelta::seconds(15);

/// What a report means, given the recent recoveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Standing {
    /// The report is current: there is a problem.
    Open(Recurrence),
    /// The report is late: it was sent before the recovery of the same problem, and came after it.
    Late,
}

type Key = (ServiceName, DedupKey);

/// The last recoveries, at most [`Recoveries::MAX`] of them.
///
/// Each process remembers recoveries only to avoid needless alerts. Without them a late report opens an
/// incident, and flapping is not marked: too many alerts are sent, never too few. Guarantees depend only on stored
/// data.
#[derive(Debug, Default)]
pub struct Recoveries {
    by_key: HashMap<Key, Ended>,
    order: VecDeque<(Key, u64)>,
    noted: u64,
}

#[derive(Debug)]
struct Ended {
    id: u64,
    /// When the recovery was first recorded.
    first_noted_at: DateTime<Utc>,
    noted_at: DateTime<Utc>,
    /// When the problem ended according to the sender, but not later than now.
    told: Option<DateTime<Utc>>,
    ended_at: DateTime<Utc>,
    covers: Covers,
    /// The number of messages in a row in which the end of the problem moved by the same time as the message.
    moves: u8,
}

impl Ended {
    /// How many times in a row the end has moved, including the current message.
    fn moves_by(&self, told: Option<DateTime<Utc>>, now: DateTime<Utc>) -> u8 {
        let (Covers::Episode(_), Some(before), Some(told)) = (self.covers, self.told, told) else { return 0 };
        let uneven = (told - before) - (now - self.noted_at);
        if told > before && uneven.abs() <= UNEVEN { self.moves.saturating_add(1) } else { 0 }
    }
}

impl Recoveries {
    /// The maximum number of recoveries that are remembered.
    pub const MAX: usize = 20_000;

    /// Remembers no recovery yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a recovery. Call this before you search for the incident.
    pub fn note(&mut self, recovery: &Recovery, now: DateTime<Utc>) {
        let Subject::Key(key) = &recovery.subject else { return };
        self.noted += 1;
        let key = (recovery.service.clone(), key.clone());
        let ended_at = recovery.ended_at.unwrap_or(now).min(now);
        let known = self.by_key.get(&key).filter(|known| known.covers == recovery.covers);
        let same = known.filter(|known| known.told == recovery.ended_at);
        let first_noted_at = same.map_or(now, |same| same.first_noted_at);
        let moves = known.map_or(0, |known| known.moves_by(recovery.ended_at, now));
        let (told, covers) = (recovery.ended_at, recovery.covers);
        let ended = Ended { id: self.noted, first_noted_at, noted_at: now, told, ended_at, covers, moves };
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

    /// Whether the last recorded end moves with every message. A moving end means that the problem continues, and that
    /// the sender's clock is behind: a time in the sender's future is already past here.
    pub fn is_moving(&self, recovery: &Recovery) -> bool {
        let Subject::Key(key) = &recovery.subject else { return false };
        let key = (recovery.service.clone(), key.clone());
        self.by_key.get(&key).is_some_and(|ended| ended.moves >= MOVES)
    }

    /// What a report of that problem means. Ask before the report is stored, and again after it was stored as a new
    /// incident.
    pub fn standing(&self, trouble: &Trouble, now: DateTime<Utc>) -> Standing {
        let key = (trouble.service().clone(), trouble.key().clone());
        let Some(ended) = self.by_key.get(&key) else { return Standing::Open(Recurrence::Fresh) };
        let late = match (ended.covers, trouble.began_at()) {
            (Covers::Episode(began), Some(at)) => {
                at == began && ended.moves < MOVES && now - ended.first_noted_at <= LATE_FOR
            }
            (Covers::Until(end), Some(at)) => at < end && now - ended.noted_at <= REMEMBERED_FOR,
            (Covers::Episode(_) | Covers::Until(_), None) | (Covers::None, _) => false,
        };
        if late {
            return Standing::Late;
        }
        let flaps = now - ended.ended_at <= FLAPPING_WITHIN;
        Standing::Open(if flaps { Recurrence::Flapping } else { Recurrence::Fresh })
    }

    /// The number of remembered recoveries.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no recovery is remembered.
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
        Recovery { ended_at: Some(at(ended)), covers, ..Recovery::untimed(service, Subject::Key(key)) }
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
            (episode, Some(0), 180, Standing::Late),
            (episode, Some(0), 181, Standing::Open(Flapping)),
            (episode, Some(0), 361, Standing::Open(Fresh)),
            (episode, Some(-1), 61, Standing::Open(Flapping)),
            (episode, Some(70), 70, Standing::Open(Flapping)),
            (episode, Some(300), 360, Standing::Open(Flapping)),
            (episode, Some(300), 361, Standing::Open(Fresh)),
            (episode, None, 70, Standing::Open(Flapping)),
            (until, Some(59), 61, Standing::Late),
            (until, Some(59), 959, Standing::Late),
            (until, Some(59), 961, Standing::Open(Fresh)),
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
            assert!(!recoveries.is_moving(&recovery("k", 60, Covers::Episode(at(0)))));
        }
        // Another sender, for which the same trouble began at the same moment, has said so for fourteen minutes.
        let open = Standing::Open(Recurrence::Fresh);
        assert_eq!(recoveries.standing(&trouble("k", Some(0)), at(901)), open);
        assert_eq!(recoveries.standing(&trouble("k", Some(900)), at(901)), Standing::Open(Recurrence::Fresh));
        assert_eq!(recoveries.len(), 1);
    }

    #[test]
    fn an_end_that_moves_with_every_message_is_none() {
        let end = |ended| recovery("k", ended, Covers::Episode(at(-900)));
        let moving = |messages: &[(i64, i64)]| {
            let mut recoveries = Recoveries::new();
            messages.iter().for_each(|(ended, now)| recoveries.note(&end(*ended), at(*now)));
            recoveries.is_moving(&end(0))
        };
        assert!(moving(&[(0, 300), (60, 360), (121, 420)]));
        assert!(moving(&[(0, 300), (60, 360), (120, 420), (180, 484)]));
        assert!(!moving(&[(0, 300), (60, 360)]), "two senders may report two ends");
        assert!(!moving(&[(0, 300), (60, 360), (0, 420), (60, 480)]), "and repeat them");
        assert!(!moving(&[(0, 300), (60, 360), (61, 600)]), "it has flapped");
        assert!(!moving(&[(0, 300), (60, 360), (120, 420), (100, 480)]), "now it is over");
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
