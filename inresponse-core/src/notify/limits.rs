//! Limits of a deployment: how many messages one address gets, and how many one channel carries in a day.
//!
//! This file decides, and knows no clock and no store; [`Notifiers::limited`](super::Notifiers::limited) counts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::clock::{earlier, later};
use crate::model::Scheme;

/// How far the clocks of servers may differ: a message that was sent in the near future was sent now.
const SKEW: Duration = Duration::from_secs(60);

/// The maximum number of messages within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    most: u32,
    within: Duration,
}

impl Window {
    /// The maximum number of messages that a window can have.
    pub const MOST: u32 = 1_000;
    /// The longest window.
    pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

    /// At most `most` messages within a time. Both are cut to what is possible.
    pub fn new(most: u32, within: Duration) -> Self {
        let within = within.clamp(Duration::from_secs(1), Self::LONGEST);
        Self { most: most.clamp(1, Self::MOST), within }
    }
}

/// The limits of one channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelLimits {
    per_address: Vec<Window>,
    per_day: Option<u32>,
}

impl ChannelLimits {
    /// No limits.
    pub fn none() -> Self {
        Self::default()
    }

    /// The usual limits of calls to one number: 3 in 15 minutes and 7 in an hour.
    pub fn of_calls() -> Self {
        Self::none().per_address([(3, 15), (7, 60)].map(minutes))
    }

    /// The usual limits of text messages to one number: 5 in 15 minutes, 11 in an hour and 21 in three hours.
    pub fn of_texts() -> Self {
        Self::none().per_address([(5, 15), (11, 60), (21, 180)].map(minutes))
    }

    /// Sets how many messages one address gets.
    #[must_use]
    pub fn per_address(mut self, windows: impl IntoIterator<Item = Window>) -> Self {
        self.per_address = windows.into_iter().collect();
        self
    }

    /// Sets how many messages the channel carries in a day of UTC: the budget.
    #[must_use]
    pub fn per_day(mut self, most: u32) -> Self {
        self.per_day = Some(most);
        self
    }

    /// The budget.
    pub fn budget(&self) -> Option<u32> {
        self.per_day
    }

    pub(super) fn counts_addresses(&self) -> bool {
        !self.per_address.is_empty()
    }

    /// Those of the times of messages that still count, the oldest first.
    pub(super) fn still_counting(&self, sent: &[DateTime<Utc>], now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let longest = self.per_address.iter().map(|window| window.within).max().unwrap_or_default();
        let (after, before) = (earlier(now, longest), later(now, SKEW));
        let mut counting: Vec<_> = sent.iter().copied().filter(|at| *at > after && *at <= before).collect();
        counting.sort_unstable();
        counting.drain(..counting.len().saturating_sub(Window::MOST as usize));
        counting
    }
}

fn minutes((most, minutes): (u32, u64)) -> Window {
    Window::new(most, Duration::from_secs(minutes * 60))
}

/// The limits of all channels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    by_scheme: BTreeMap<String, ChannelLimits>,
}

impl Limits {
    /// No limits.
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets the limits of the channel for contacts of that scheme.
    #[must_use]
    pub fn with(mut self, scheme: &Scheme, limits: ChannelLimits) -> Self {
        self.by_scheme.insert(scheme.as_str().to_owned(), limits);
        self
    }

    pub(super) fn of(&self, scheme: &str) -> Option<&ChannelLimits> {
        self.by_scheme.get(scheme)
    }

    pub(super) fn schemes(&self) -> impl Iterator<Item = &str> {
        self.by_scheme.keys().map(String::as_str)
    }

    /// The channels that have a budget, each with it.
    pub(super) fn budgets(&self) -> impl Iterator<Item = (&str, u32)> {
        self.by_scheme.iter().filter_map(|(scheme, limits)| Some((scheme.as_str(), limits.per_day?)))
    }
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// One address got that many messages.
    Window(Window),
    /// The channel carried that many messages today.
    Budget(u32),
}

impl Reached {
    /// The name in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Reached::Window(_) => "address",
            Reached::Budget(_) => "budget",
        }
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reached::Window(Window { most, within }) => {
                write!(f, "limit of {most} messages in {} s for one address", within.as_secs())
            }
            Reached::Budget(most) => write!(f, "budget of {most} messages in a day is spent"),
        }
    }
}

/// Whether a message may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Verdict {
    /// It is within all limits.
    Within,
    /// It is beyond a limit, which allows the next message at that time.
    Beyond(Reached, DateTime<Utc>),
}

/// Decides whether an address may get one more message, if it got messages at `sent` and the channel carried `today`
/// messages today. If several limits are reached, the one that lasts longest is told.
pub(super) fn judge(
    limits: &ChannelLimits,
    sent: &[DateTime<Utc>],
    today: u32,
    now: DateTime<Utc>,
) -> Verdict {
    let sent = limits.still_counting(sent, now);
    let of_windows = limits.per_address.iter().filter_map(|window| {
        // The window is full until the oldest of the newest `most` messages leaves it.
        let oldest = sent.len().checked_sub(window.most as usize).and_then(|i| sent.get(i))?;
        let until = later((*oldest).min(now), window.within);
        (until > now).then_some((until, Reached::Window(*window)))
    });
    let budget = limits.per_day.filter(|most| today >= *most);
    let of_budget = budget.map(|most| (midnight_after(now), Reached::Budget(most)));
    match of_windows.chain(of_budget).max_by_key(|(until, _)| *until) {
        Some((until, limit)) => Verdict::Beyond(limit, until),
        None => Verdict::Within,
    }
}

/// The day whose budget counts.
pub(super) fn day(now: DateTime<Utc>) -> NaiveDate {
    now.date_naive()
}

fn midnight_after(now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = day(now).checked_add_days(Days::new(1));
    tomorrow.map_or(now, |day| day.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-11-24T03:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
    }

    #[test]
    fn p09_a_message_is_held_back_until_every_window_has_room() {
        let texts = ChannelLimits::of_texts();
        let budget = ChannelLimits::none().per_day(2);
        let every = |seconds: i64, n: i64| (0..n).map(|i| i * seconds).collect::<Vec<_>>();
        // (what, limits, sent at, sent today, now, beyond a limit until)
        let cases = [
            ("nothing was sent", &texts, vec![], 900, 0, None),
            ("four of five", &texts, every(1, 4), 0, 10, None),
            ("five of five", &texts, every(1, 5), 0, 10, Some(900)),
            ("as the first leaves", &texts, every(1, 5), 0, 899, Some(900)),
            ("when it has left", &texts, every(1, 5), 0, 900, None),
            ("the hour is full", &texts, every(200, 11), 0, 2100, Some(3600)),
            ("three hours are full", &texts, every(500, 21), 0, 10_050, Some(10_800)),
            ("more than the limit", &texts, every(1, 8), 0, 10, Some(903)),
            ("a server ahead", &texts, vec![30; 5], 0, 10, Some(910)),
            ("the clock went back", &texts, vec![86_400; 5], 0, 10, None),
            ("a budget that is not spent", &budget, vec![], 1, 0, None),
            ("a budget that is spent", &budget, vec![], 2, 0, Some(21 * 3600)),
        ];
        for (what, limits, sent, today, now, until) in cases {
            let sent: Vec<_> = sent.into_iter().map(at).collect();
            let told = match judge(limits, &sent, today, at(now)) {
                Verdict::Within => None,
                Verdict::Beyond(_, until) => Some((until - at(0)).num_seconds()),
            };
            assert_eq!(told, until, "{what}");
        }
    }

    #[test]
    fn the_usual_limits_of_phones_are_these() {
        let told = |limits: ChannelLimits| {
            limits.per_address.iter().map(|w| (w.most, w.within.as_secs() / 60)).collect::<Vec<_>>()
        };
        assert_eq!(told(ChannelLimits::of_calls()), [(3, 15), (7, 60)]);
        assert_eq!(told(ChannelLimits::of_texts()), [(5, 15), (11, 60), (21, 180)]);
    }

    proptest! {
        /// Whatever somebody asks for, no window ever holds more than its limit, and who waits as told is served.
        #[test]
        fn p09_no_window_is_exceeded_and_who_waits_is_served(gaps in vec(0..400i64, 1..80)) {
            let limits = ChannelLimits::of_texts();
            let (mut now, mut sent) = (at(0), Vec::new());
            for gap in gaps {
                now += TimeDelta::seconds(gap);
                if let Verdict::Beyond(_, until) = judge(&limits, &sent, 0, now) {
                    prop_assert!(until > now);
                    now = until;
                }
                prop_assert_eq!(judge(&limits, &sent, 0, now), Verdict::Within);
                sent.push(now);
            }
            for window in &limits.per_address {
                for (i, first) in sent.iter().enumerate() {
                    let within = sent[i..].iter().filter(|at| **at < later(*first, window.within)).count();
                    prop_assert!(within <= window.most as usize, "{within} in {:?}", window.within);
                }
            }
        }
    }
}
