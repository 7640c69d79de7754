//! How many writes a batch may have: as many as are worth one sync of the disk.

use std::time::Duration;

use inresponse_core::share::Share;

/// The maximum number of writes in a batch.
pub(crate) const MOST: usize = 512;
/// The minimum of that maximum. A machine that was busy for a moment must not make every batch tiny.
const FEWEST: usize = 4;
/// While one client is alone, the writes of a batch may take this many times as long as a sync.
const ALONE: u32 = 8;
/// How long no client counts as alone after a second one wrote.
const COMPANY: Duration = Duration::from_secs(1);

/// What batches cost, measured as they are written. Times are on the monotonic clock.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The moving average of the time of a sync.
    sync: Duration,
    /// The moving average of the time of one write without the sync.
    write: Duration,
    latest: Option<Share>,
    company_until: Duration,
}

impl Pace {
    pub(crate) fn new() -> Self {
        let (sync, write) = (Duration::from_millis(1), Duration::from_micros(50));
        Self { sync, write, latest: None, company_until: Duration::ZERO }
    }

    /// Records that these clients have writes in the queue.
    pub(crate) fn meet(&mut self, clients: impl Iterator<Item = Share>, now: Duration) {
        for client in clients {
            if self.latest.is_some_and(|latest| latest != client) {
                self.company_until = now + COMPANY;
            }
            self.latest = Some(client);
        }
    }

    /// The number of writes of the next batch. In company, they take half as long as the sync that they share, so that
    /// nobody waits long for the batch of another client. A client that is alone waits only for its own writes.
    pub(crate) fn writes(&self, now: Duration) -> usize {
        let budget = if now < self.company_until { self.sync / 2 } else { self.sync * ALONE };
        let writes = budget.as_nanos() / self.write.as_nanos().max(1);
        usize::try_from(writes).unwrap_or(MOST).clamp(FEWEST, MOST)
    }

    /// Records how long a batch took: its writes, and then the sync.
    pub(crate) fn record(&mut self, writes: usize, writing: Duration, syncing: Duration) {
        let count = u32::try_from(writes.max(1)).unwrap_or(u32::MAX);
        self.sync = average(self.sync, syncing);
        self.write = average(self.write, writing / count);
    }
}

/// The moving average after one more value. A value that is far away moves it little.
fn average(before: Duration, value: Duration) -> Duration {
    const LEAST: Duration = Duration::from_micros(100);
    (before * 15 + value.min((before * 16).max(LEAST))) / 16
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);
    const MICRO: Duration = Duration::from_micros(1);

    fn paced(sync: Duration, write: Duration) -> Pace {
        let mut pace = Pace::new();
        (0..200).for_each(|_| pace.record(10, write * 10, sync));
        pace
    }

    #[test]
    fn the_slower_the_disk_the_larger_the_batch() {
        let fast = paced(MICRO * 250, MICRO * 25).writes(MILLI);
        assert!((75..=85).contains(&fast), "{fast}");
        assert_eq!(paced(MILLI * 5, MICRO * 25).writes(MILLI), MOST);
    }

    #[test]
    fn p13_in_company_a_batch_is_small_and_a_second_later_large_again() {
        let (storm, other) = (Share::new(), Share::new());
        let mut pace = paced(MICRO * 250, MICRO * 25);
        let alone = pace.writes(MILLI);
        pace.meet([storm].into_iter(), MILLI);
        assert_eq!(pace.writes(MILLI), alone);
        pace.meet([storm, other].into_iter(), MILLI);
        let in_company = pace.writes(MILLI);
        assert!((FEWEST..=6).contains(&in_company), "{in_company}");
        pace.meet([other].into_iter(), MILLI + COMPANY);
        assert_eq!(pace.writes(MILLI + COMPANY), alone);
    }

    #[test]
    fn on_a_slow_disk_batches_are_large_even_in_company() {
        let mut pace = paced(MILLI * 5, MICRO * 25);
        pace.meet([Share::new(), Share::new()].into_iter(), MILLI);
        let writes = pace.writes(MILLI);
        assert!((90..=110).contains(&writes), "{writes}");
    }

    #[test]
    fn one_value_that_is_far_away_moves_the_average_little_and_none_stops_it() {
        let mut pace = paced(MILLI, MICRO * 50);
        pace.record(1, Duration::from_secs(3), Duration::from_secs(3));
        assert!(pace.sync < MILLI * 2 && pace.write < MICRO * 100, "{pace:?}");
        let mut pace = paced(Duration::ZERO, Duration::ZERO);
        assert!((FEWEST..=MOST).contains(&pace.writes(MILLI)));
        pace.record(0, MILLI, MILLI);
        (0..400).for_each(|_| pace.record(10, MILLI, MILLI * 5));
        assert!(pace.sync > MILLI, "it grows again from nothing: {pace:?}");
    }
}
