//! How often one contact gets a message (promise 23).
//!
//! A few alerts a minute go out as they come. If more of them wait, they go out together, in messages with a growing gap
//! between them. This file decides, and knows no clock: times are of the monotonic clock, and are arguments.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::engine::urgency::Urgency;
use crate::model::Severity;

/// The default number of single alerts to one contact in a minute.
pub(in crate::engine) const SINGLES_PER_MINUTE: u32 = 5;
/// The time in which messages are counted. If no bundle went out for as long, the gap is short again.
const MINUTE: Duration = Duration::from_secs(60);
/// The gap before the second bundle, and between a single alert and a bundle.
const FIRST_GAP: Duration = Duration::from_secs(1);
/// The longest gap.
const LONGEST_GAP: Duration = Duration::from_secs(30);
/// The longest gap if a CRIT waits.
const LONGEST_GAP_OF_CRIT: Duration = Duration::from_secs(5);
/// A carrier that takes no bundle that many times in a row has an outage: no delivery is to blame.
const OUTAGE: u32 = 3;
/// The maximum number of deliveries of a contact that are remembered as possible causes.
const BLAMED: usize = 4096;
/// The maximum number of deliveries in a bundle.
pub(in crate::engine) const MOST: usize = crate::notify::Bundle::MOST;

/// What one contact got lately.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// When the latest messages began; the newest last. No more are remembered than single alerts are allowed.
    began: VecDeque<Duration>,
    bundled: Option<Bundled>,
    /// When the latest single alert began, apart from those that followed another one within [`FIRST_GAP`]: alerts that
    /// keep coming do not put off the bundle of those that wait.
    last_single: Option<Duration>,
    /// How many bundles with a delivery failed, so that it may be the cause.
    blamed: Blamed,
    /// The number of bundles that failed in a row.
    failures: u32,
}

/// How many bundles with a delivery failed, by the delivery's id.
pub(in crate::engine) type Blamed = HashMap<String, u32>;

/// The latest bundle.
#[derive(Debug, Clone, Copy)]
struct Bundled {
    at: Duration,
    /// The gap after it, and the gap before it.
    gap: Duration,
    previous: Duration,
    /// Whether the next one may follow at once.
    follow: Follow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    AtOnce,
    AfterGap,
}

/// What waits for a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Crowd {
    /// The number of alerts that wait. Beyond the single alerts of a minute it need not be exact.
    pub(in crate::engine) alerts: usize,
    /// Whether one of them is CRIT.
    pub(in crate::engine) worst: Worst,
}

impl Crowd {
    /// So many alerts, the worst of them with that urgency.
    pub(in crate::engine) fn of(alerts: usize, urgency: Urgency) -> Self {
        let is_crit = urgency == Urgency::Alert(Severity::Crit);
        Self { alerts, worst: if is_crit { Worst::Crit } else { Worst::Less } }
    }

    /// The urgency of a message for them.
    #[cfg(feature = "runner")]
    pub(in crate::engine) fn urgency(self) -> Urgency {
        Urgency::Alert(match self.worst {
            Worst::Crit => Severity::Crit,
            Worst::Less => Severity::Warn,
        })
    }
}

/// How urgent the most urgent alert is that waits for a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Worst {
    Crit,
    Less,
}

/// How what waits for a contact goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(in crate::engine) enum Turn {
    /// Each alert goes out on its own.
    Single,
    /// They go out together now.
    Bundle,
    /// Nothing goes out before that time.
    At(Duration),
}

/// How a bundle ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Fate {
    /// The carrier accepted the message, or refused the recipient.
    Settled,
    /// The carrier, or a limit, asked for a pause.
    Paused,
    /// The message failed otherwise, so that one of its alerts may be the cause.
    Failed,
}

/// Whether more waited for a bundle than it could hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Filled {
    Fully,
    InPart,
}

impl Pace {
    /// How what waits goes out at `now`, if a contact may get `singles` single alerts in a minute.
    pub(super) fn turn(&self, singles: u32, crowd: Crowd, now: Duration) -> Turn {
        if singles == 0 || crowd.alerts <= self.singles_left(singles, now) {
            return Turn::Single;
        }
        let bundled = self.bundled.filter(|bundled| now < bundled.at + MINUTE);
        let after_bundle = bundled.map_or(Duration::ZERO, |bundled| match (bundled.follow, crowd.worst) {
            (Follow::AtOnce, _) => bundled.at,
            (Follow::AfterGap, Worst::Crit) => bundled.at + bundled.gap.min(LONGEST_GAP_OF_CRIT),
            (Follow::AfterGap, Worst::Less) => bundled.at + bundled.gap,
        });
        let after_single = self.last_single.map_or(Duration::ZERO, |at| at + FIRST_GAP);
        let at = after_bundle.max(after_single);
        if at <= now { Turn::Bundle } else { Turn::At(at) }
    }

    /// The number of alerts that may go out on their own.
    pub(super) fn singles_left(&self, singles: u32, now: Duration) -> usize {
        let recent = self.began.iter().filter(|at| now < **at + MINUTE).count();
        usize::try_from(singles).unwrap_or(usize::MAX).saturating_sub(recent)
    }

    /// A single alert begins.
    pub(super) fn single(&mut self, singles: u32, now: Duration) {
        if self.last_single.is_none_or(|at| at + FIRST_GAP <= now) {
            self.last_single = Some(now);
        }
        self.begin(singles, now);
    }

    /// A bundle begins.
    pub(super) fn bundle(&mut self, singles: u32, now: Duration) {
        let before = self.bundled.filter(|bundled| now < bundled.at + MINUTE).map(|bundled| bundled.gap);
        let gap = before.map_or(FIRST_GAP, |gap| (gap * 2).clamp(FIRST_GAP, LONGEST_GAP));
        let previous = before.unwrap_or_default();
        self.bundled = Some(Bundled { at: now, gap, previous, follow: Follow::AfterGap });
        self.begin(singles, now);
    }

    fn begin(&mut self, singles: u32, now: Duration) {
        self.began.push_back(now);
        while self.began.len() > usize::try_from(singles).unwrap_or(usize::MAX) {
            self.began.pop_front();
        }
    }

    /// What began at that time was not sent after all.
    pub(super) fn take_back(&mut self, began: Duration) {
        if let Some(i) = self.began.iter().rposition(|at| *at == began) {
            self.began.remove(i);
        }
        self.last_single = self.last_single.filter(|at| *at != began);
    }

    /// The bundle of these deliveries that began at that time has ended.
    pub(super) fn ended(&mut self, began: Duration, riders: &[String], fate: Fate, filled: Filled) {
        match fate {
            Fate::Settled if self.failures >= OUTAGE => self.blamed.clear(),
            Fate::Settled => riders.iter().for_each(|id| _ = self.blamed.remove(id)),
            Fate::Paused => {}
            Fate::Failed => self.blame(riders),
        }
        match (fate, riders) {
            (Fate::Settled, _) => self.failures = 0,
            // One that fails alone says nothing about the carrier.
            (Fate::Paused, _) | (Fate::Failed, [_]) => {}
            (Fate::Failed, _) => self.failures = self.failures.saturating_add(1),
        }
        if let Some(bundled) = self.bundled.as_mut().filter(|bundled| bundled.at == began)
            && fate == Fate::Settled
            && filled == Filled::Fully
        {
            bundled.gap = bundled.previous;
            bundled.follow = Follow::AtOnce;
        }
    }

    fn blame(&mut self, riders: &[String]) {
        if self.blamed.len() + riders.len() > BLAMED {
            self.blamed.clear();
        }
        for id in riders {
            let failed = self.blamed.entry(id.clone()).or_default();
            *failed = failed.saturating_add(1);
        }
    }

    /// How many bundles with a delivery failed, for those that may be the cause.
    pub(super) fn blamed(&self) -> &Blamed {
        &self.blamed
    }

    /// Whether nothing that happened to the contact matters any more.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        let last = self.began.back().copied().max(self.bundled.map(|bundled| bundled.at));
        last.is_none_or(|at| at + MINUTE <= now)
    }
}

#[cfg(test)]
mod tests;
