//! Reports to the operator which alerts do not get through (promise 12).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::census::{WAITING_TOO_LONG, census};
use super::clocks::Clocks;
use super::paging::Paging;
use crate::model::IncidentNumber;
use crate::plan;
use crate::store::{Census, Record, Store};

/// The interval at which the store is asked.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The first interval after which the same problem is reported again. The intervals double.
const FIRST_GAP: Duration = Duration::from_secs(60);
/// The longest interval after which the same problem is reported again.
const LONGEST_GAP: Duration = Duration::from_secs(3600);
/// The maximum number of incidents that one log line names.
const NAMED: usize = 10;
/// The maximum number of pages of due incidents that are searched for names. Waiting alerts are retried soon, so these
/// incidents are among the first.
const PAGES: usize = 8;

/// The problems that the runner has already reported.
pub(super) struct Trouble {
    looked_at: Duration,
    waiting: Reminder,
    last: Census,
}

impl Trouble {
    pub(super) fn begin(clocks: &Clocks) -> Self {
        let looked_at = clocks.monotonic();
        Self { looked_at, waiting: Reminder::default(), last: Census::default() }
    }

    /// Looks for alerts that do not get through, and reports new problems.
    pub(super) async fn look(&mut self, store: &dyn Store, clocks: &Clocks) {
        let monotonic = clocks.monotonic();
        if monotonic.saturating_sub(self.looked_at) < LOOK_EVERY {
            return;
        }
        self.looked_at = monotonic;
        let Ok(census) = census(store, clocks).await else { return };
        let named = if census.waiting > 0 { waiting(store, clocks).await } else { Vec::new() };
        if self.waiting.is_due(census.waiting, &named, monotonic) {
            tracing::error!(
                incidents = census.waiting,
                numbers = listed(&named, census.waiting),
                minutes = WAITING_TOO_LONG.num_minutes(),
                "alerts were not accepted in time"
            );
        }
        if census.undelivered > 0 && census.undelivered != self.last.undelivered {
            tracing::error!(
                incidents = census.undelivered,
                "open incidents for which nobody could be reached"
            );
        }
        if census.unclaimed > 0 && census.unclaimed != self.last.unclaimed {
            tracing::warn!(incidents = census.unclaimed, "open incidents that nobody has claimed");
        }
        self.last = census;
    }
}

/// Some of the incidents with an alert that has waited too long.
async fn waiting(store: &dyn Store, clocks: &Clocks) -> Vec<IncidentNumber> {
    let before = clocks.now() - WAITING_TOO_LONG;
    let waits = |record: &&Record| plan::waiting_since(&record.incident).is_some_and(|since| since < before);
    let (mut paging, mut found) = (Paging::due_by(DateTime::<Utc>::MAX_UTC), Vec::new());
    for _ in 0..PAGES {
        let Some((after, limit)) = paging.next() else { break };
        // If incidents cannot be read, the line is logged without their numbers.
        let Ok(page) = store.due(DateTime::<Utc>::MAX_UTC, after, limit).await else { break };
        found.extend(page.iter().filter(waits).map(Record::number));
        paging.read(&page);
        if found.len() >= NAMED {
            break;
        }
    }
    found.truncate(NAMED);
    found.sort_unstable();
    found
}

/// The numbers of the named incidents, and how many more there are.
fn listed(named: &[IncidentNumber], all: u64) -> String {
    let numbers: Vec<String> = named.iter().map(ToString::to_string).collect();
    match all.saturating_sub(named.len() as u64) {
        0 => numbers.join(", "),
        more => format!("{} and {more} more", numbers.join(", ")),
    }
}

/// Decides when a lasting problem is reported again.
#[derive(Debug, Default)]
struct Reminder {
    count: u64,
    named: Vec<IncidentNumber>,
    told_at: Duration,
    gap: Duration,
}

impl Reminder {
    /// Whether to report the problem: at once if it has grown, otherwise at longer and longer intervals.
    fn is_due(&mut self, count: u64, named: &[IncidentNumber], monotonic: Duration) -> bool {
        if count == 0 {
            *self = Self::default();
            return false;
        }
        // If there are very many incidents, each line names only some of them, and other ones each time.
        let all_are_named = count <= NAMED as u64;
        let is_new = |number: &IncidentNumber| !self.named.contains(number);
        let more = count > self.count || (all_are_named && named.iter().any(is_new));
        let due = more || monotonic.saturating_sub(self.told_at) >= self.gap;
        if due {
            self.told_at = monotonic;
            self.gap = if more { FIRST_GAP } else { (self.gap * 2).min(LONGEST_GAP) };
        }
        self.count = count;
        self.named = named.to_vec();
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(range: std::ops::Range<u64>) -> Vec<IncidentNumber> {
        range.map(IncidentNumber::new).collect()
    }

    /// The seconds at which the problem is reported within `hours`, if every look finds the same incidents.
    fn told(reminder: &mut Reminder, named: &[IncidentNumber], from: u64, hours: u64) -> Vec<u64> {
        let looks = (from..from + hours * 3600).step_by(30);
        looks
            .filter(|second| reminder.is_due(named.len() as u64, named, Duration::from_secs(*second)))
            .collect()
    }

    #[test]
    fn p12_what_lasts_is_told_ever_more_rarely() {
        let mut reminder = Reminder::default();
        let told = told(&mut reminder, &numbers(1..3), 600, 24);
        assert_eq!(told[..5], [600, 660, 780, 1020, 1500]);
        let gaps: Vec<u64> = told.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.is_sorted() && gaps.last() == Some(&3600) && told.len() < 32, "{told:?}");
    }

    #[test]
    fn p12_what_is_new_is_told_at_once_and_what_ends_is_not_told() {
        let mut reminder = Reminder::default();
        told(&mut reminder, &numbers(1..3), 0, 24);
        let mut tell = |named: &[IncidentNumber], count, second: u64| {
            reminder.is_due(count, named, Duration::from_secs(24 * 3600 + second))
        };
        assert!(!tell(&numbers(1..3), 2, 30));
        assert!(tell(&numbers(1..4), 3, 60), "one more");
        assert!(!tell(&numbers(2..4), 2, 90), "one less");
        assert!(tell(&numbers(4..6), 2, 100), "as many others");
        assert!(tell(&numbers(1..11), 500, 120), "very many");
        assert!(!tell(&numbers(11..21), 500, 150), "as many, of which others are named");
        assert!(!tell(&[], 0, 180));
        assert!(tell(&numbers(4..6), 2, 210), "the same after an end");
    }

    #[test]
    fn at_most_ten_are_named() {
        assert_eq!(listed(&numbers(7..9), 2), "7, 8");
        assert_eq!(listed(&numbers(1..11), 500), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 490 more");
    }
}
