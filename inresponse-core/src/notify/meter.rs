//! Counts messages where a deployment limits them.
//!
//! The counts are rows of the settings, so they survive restarts and are shared by all servers of a database. A message
//! counts from before it is sent until the carrier has certainly not taken it. So a process that dies may count one message
//! too many. If the settings are unavailable, or change too often, nothing is counted and nothing is held back: a limit
//! never costs an alert.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::lock::Mutex;

use super::limits::{ChannelLimits, Limits, Reached, Verdict, day, judge};
use super::reached::row_of;
use super::{Alert, Outcome};
use crate::clock::Clock;
use crate::error::{Chain, Outage};
use crate::model::OutcomeKind;
use crate::plan;
use crate::settings::{Settings, Swapped};

/// The number of times that a row is read again because another process changed it.
const TRIES: usize = 16;

/// Counts messages and holds them back.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    limits: Arc<Limits>,
    settings: Arc<dyn Settings>,
    clock: Arc<dyn Clock>,
    /// Within a process one message of a channel is counted after the other, so that only processes compete.
    turns: Arc<BTreeMap<String, Mutex<()>>>,
    marks: Arc<Marks>,
}

/// Makes marks that nobody else makes. Without one, two processes that write the same count at once would both succeed.
#[derive(Debug)]
struct Marks {
    process: u64,
    made: AtomicU64,
}

impl Marks {
    fn next(&self) -> String {
        format!("#{:x}-{}", self.process, self.made.fetch_add(1, Ordering::Relaxed))
    }
}

/// Whether a message may be sent.
#[must_use]
pub(super) enum Passage {
    /// It may, and it is counted as sent at that time, if it is counted.
    Free(Option<DateTime<Utc>>),
    /// A limit holds it back.
    Held(Outcome),
}

impl Meter {
    pub(super) fn new(limits: Limits, settings: Arc<dyn Settings>, clock: Arc<dyn Clock>) -> Self {
        let turns = limits.schemes().map(|scheme| (scheme.to_owned(), Mutex::new(()))).collect();
        let marks = Marks { process: RandomState::new().hash_one(0_u8), made: AtomicU64::new(0) };
        Self { limits: Arc::new(limits), settings, clock, turns: Arc::new(turns), marks: Arc::new(marks) }
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Counts the message of an alert, or holds it back.
    pub(super) async fn pass(&self, alert: &Alert) -> Passage {
        let scheme = alert.contact().scheme();
        // To change or withdraw a message costs nothing.
        let Some(limits) = self.limits.of(scheme).filter(|_| alert.receipt().is_none()) else {
            return Passage::Free(None);
        };
        match self.count(alert, scheme, limits).await {
            Ok(passage) => passage,
            Err(error) => {
                tracing::warn!(scheme, error = %Chain::of(&error), "a message could not be counted: no limit applies");
                Passage::Free(None)
            }
        }
    }

    async fn count(&self, alert: &Alert, scheme: &str, limits: &ChannelLimits) -> Result<Passage, Outage> {
        let _turn = match self.turns.get(scheme) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let now = self.clock.now();
        let (sent_row, day_row) = (row_of("sent", alert.contact()), day_row(scheme));
        for _ in 0..TRIES {
            let stored = self.settings.setting(&sent_row).await?;
            let sent = times(stored.as_deref());
            let today = match limits.budget() {
                Some(_) => today(self.settings.setting(&day_row).await?.as_deref(), now),
                None => 0,
            };
            if let Verdict::Beyond(limit, until) = judge(limits, &sent, today, now) {
                let may_hold = plan::may_be_held_back(alert.incident(), alert.key());
                metrics::counter!("inresponse_beyond_limit_total", "channel" => scheme.to_owned(), "limit" => limit.as_str(),
                    "held" => if may_hold { "yes" } else { "no" })
                .increment(1);
                if may_hold {
                    let after = (until - now).to_std().unwrap_or_default();
                    return Ok(Passage::Held(Outcome::limited(after, limit.to_string())));
                }
                let (delivery, contact) = (alert.delivery_id().as_str(), alert.contact());
                tracing::warn!(delivery, %contact, %limit, "sent beyond a limit: the person has no other way");
            }
            if limits.counts_addresses() {
                let mut sent = limits.still_counting(&sent, now);
                sent.push(now);
                let value = written(&sent, &self.marks.next());
                match self.settings.swap_setting(&sent_row, stored.as_deref(), &value).await? {
                    Swapped::Done => {}
                    Swapped::Changed => continue,
                }
            }
            if let Some(most) = limits.budget() {
                self.add_to_day(&day_row, 1, now).await?;
                report_budget(scheme, today.saturating_add(1), most);
            }
            return Ok(Passage::Free(Some(now)));
        }
        Err(Outage::retryable("too many concurrent changes to the count of messages"))
    }

    /// Takes back the count of a message if no carrier took it. A message that may have arrived counts.
    pub(super) async fn ended(&self, alert: &Alert, counted: DateTime<Utc>, outcome: &Outcome) {
        let was_sent = match outcome.kind() {
            OutcomeKind::Accepted | OutcomeKind::Unknown => true,
            OutcomeKind::Rejected | OutcomeKind::Throttled | OutcomeKind::Unavailable => false,
            // A notifier does not say these.
            OutcomeKind::Limited | OutcomeKind::Expired | OutcomeKind::NotBegun | OutcomeKind::Bounced => {
                true
            }
        };
        if !was_sent && let Err(error) = self.take_back(alert, counted).await {
            tracing::debug!(error = %Chain::of(&error), "a message that was not sent stays counted");
        }
    }

    async fn take_back(&self, alert: &Alert, counted: DateTime<Utc>) -> Result<(), Outage> {
        let scheme = alert.contact().scheme();
        let Some(limits) = self.limits.of(scheme) else { return Ok(()) };
        let row = row_of("sent", alert.contact());
        for _ in 0..TRIES {
            let stored = self.settings.setting(&row).await?;
            let mut sent = times(stored.as_deref());
            let Some(i) = sent.iter().position(|at| at.timestamp() == counted.timestamp()) else { break };
            sent.remove(i);
            let value = written(&sent, &self.marks.next());
            match self.settings.swap_setting(&row, stored.as_deref(), &value).await? {
                Swapped::Done => break,
                Swapped::Changed => {}
            }
        }
        match limits.budget() {
            Some(_) => self.add_to_day(&day_row(scheme), -1, counted).await,
            None => Ok(()),
        }
    }

    /// Adds to the count of a day, unless a later day is counted already.
    async fn add_to_day(&self, row: &str, more: i32, at: DateTime<Utc>) -> Result<(), Outage> {
        for _ in 0..TRIES {
            let stored = self.settings.setting(row).await?;
            if day_of(stored.as_deref()).is_some_and(|counted| counted > day(at)) {
                return Ok(());
            }
            let count = today(stored.as_deref(), at).saturating_add_signed(more);
            let value = format!("{} {count} {}", day(at), self.marks.next());
            match self.settings.swap_setting(row, stored.as_deref(), value.as_bytes()).await? {
                Swapped::Done => return Ok(()),
                Swapped::Changed => {}
            }
        }
        Err(Outage::retryable("too many concurrent changes to the count of messages"))
    }

    /// The channels whose budget of today is spent.
    pub(super) async fn spent(&self) -> Result<Vec<String>, Outage> {
        let mut spent = Vec::new();
        for (scheme, most) in self.limits.budgets() {
            let stored = self.settings.setting(&day_row(scheme)).await?;
            if today(stored.as_deref(), self.clock.now()) >= most {
                spent.push(scheme.to_owned());
            }
        }
        Ok(spent)
    }
}

/// Raises the alarm of the operator when a budget is spent.
fn report_budget(scheme: &str, today: u32, most: u32) {
    metrics::gauge!("inresponse_budget_used_ratio", "channel" => scheme.to_owned())
        .set(f64::from(today) / f64::from(most.max(1)));
    if today == most {
        let limit = Reached::Budget(most);
        tracing::warn!(scheme, %limit, "further messages take another way until midnight UTC");
    }
}

/// The name of the row that counts the messages of a channel on one day.
fn day_row(scheme: &str) -> String {
    format!("sent-today-{scheme}")
}

/// The times of messages, in whole seconds, and a mark, as they are stored.
fn written(sent: &[DateTime<Utc>], mark: &str) -> Vec<u8> {
    let sent = sent.iter().map(|at| at.timestamp().to_string());
    sent.chain([mark.to_owned()]).collect::<Vec<_>>().join(" ").into_bytes()
}

/// What cannot be read does not count.
fn times(stored: Option<&[u8]>) -> Vec<DateTime<Utc>> {
    let text = stored.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let seconds = text.split_ascii_whitespace().filter_map(|word| i64::from_str(word).ok());
    seconds.filter_map(|seconds| DateTime::from_timestamp(seconds, 0)).collect()
}

fn counted(stored: Option<&[u8]>) -> Option<(NaiveDate, u32)> {
    let mut words = std::str::from_utf8(stored?).ok()?.split_ascii_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn day_of(stored: Option<&[u8]>) -> Option<NaiveDate> {
    counted(stored).map(|(day, _)| day)
}

/// The messages of the day of `now`.
fn today(stored: Option<&[u8]>, now: DateTime<Utc>) -> u32 {
    counted(stored).filter(|(counted, _)| *counted == day(now)).map_or(0, |(_, count)| count)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures_util::future::join_all;

    use super::super::{Notifier, Notifiers};
    use super::*;
    use crate::memory::MemorySettings;
    use crate::model::{Contact, Scheme};
    use crate::testing::{ManualClock, RecordingNotifier};

    const DEADLINE: Duration = Duration::from_secs(30);

    fn clock() -> ManualClock {
        ManualClock::at("2026-11-24T23:30:00Z".parse().unwrap())
    }

    /// A process: what it sends, through its own notifiers.
    fn process(
        limits: ChannelLimits,
        settings: impl Settings,
        clock: &ManualClock,
    ) -> (Notifiers, RecordingNotifier) {
        let (sms, recorder) = (Scheme::new("sms").unwrap(), RecordingNotifier::new());
        let notifiers = Notifiers::new().with(sms.clone(), recorder.clone());
        let limits = Limits::none().with(&sms, limits);
        (notifiers.limited(limits, Arc::new(settings), clock.clone()), recorder)
    }

    /// The kinds of the outcomes of so many messages to a number.
    async fn send(
        notifiers: &Notifiers,
        clock: &ManualClock,
        number: &str,
        times: usize,
    ) -> Vec<OutcomeKind> {
        let contact = Contact::new(format!("sms:{number}")).unwrap();
        let mut kinds = Vec::new();
        for _ in 0..times {
            let alert = Alert::test(&contact, clock.now()).unwrap();
            kinds.push(notifiers.notify(&alert, DEADLINE).await.kind());
        }
        kinds
    }

    const JO: &str = "+302101234567";
    const KIM: &str = "+302107654321";

    fn held(kinds: &[OutcomeKind]) -> usize {
        kinds.iter().filter(|kind| **kind == OutcomeKind::Limited).count()
    }

    #[tokio::test]
    async fn counts_are_of_one_address_and_survive_a_restart_and_are_shared() {
        let (settings, clock) = (MemorySettings::new(), clock());
        let (first, sent) = process(ChannelLimits::of_texts(), settings.clone(), &clock);
        assert_eq!(held(&send(&first, &clock, JO, 4).await), 0);
        let (second, more) = process(ChannelLimits::of_texts(), settings, &clock);
        assert_eq!(held(&send(&second, &clock, JO, 3).await), 2, "five of fifteen minutes");
        assert_eq!(held(&send(&first, &clock, JO, 1).await), 1, "for every process");
        assert_eq!(held(&send(&first, &clock, KIM, 5).await), 0, "another number has its own limit");
        assert_eq!(
            (sent.attempts().len(), more.attempts().len()),
            (9, 1),
            "what is held back reaches no carrier"
        );
        clock.advance(Duration::from_secs(901));
        assert_eq!(held(&send(&first, &clock, JO, 1).await), 0);
    }

    #[tokio::test]
    async fn a_message_that_no_carrier_took_does_not_count() {
        let clock = clock();
        let (notifiers, carrier) = process(ChannelLimits::of_texts(), MemorySettings::new(), &clock);
        for outcome in
            [Outcome::rejected("no"), Outcome::unavailable("busy"), Outcome::throttled(DEADLINE, "slow")]
        {
            for _ in 0..3 {
                carrier.then(outcome.clone());
            }
        }
        assert_eq!(held(&send(&notifiers, &clock, JO, 9).await), 0);
        (0..5).for_each(|_| carrier.then(Outcome::unknown("lost")));
        assert_eq!(held(&send(&notifiers, &clock, JO, 6).await), 1, "what may have arrived counts");
    }

    #[tokio::test]
    async fn servers_that_send_at_once_do_not_exceed_the_limits_together() {
        let (settings, clock) = (MemorySettings::new(), clock());
        let limits = || ChannelLimits::of_texts().per_day(7);
        let processes: Vec<_> = (0..4).map(|_| process(limits(), settings.clone(), &clock)).collect();
        let numbers = [JO, KIM];
        let all = processes
            .iter()
            .flat_map(|(notifiers, _)| numbers.map(|number| send(notifiers, &clock, number, 3)));
        join_all(all).await;
        let sent: usize = processes.iter().map(|(_, carrier)| carrier.attempts().len()).sum();
        assert_eq!(sent, 7);
    }

    #[tokio::test]
    async fn messages_at_once_do_not_exceed_the_limits() {
        let clock = clock();
        let limits = ChannelLimits::of_texts().per_day(30);
        let (notifiers, carrier) = process(limits, MemorySettings::new(), &clock);
        let numbers: Vec<_> = (0..20).map(|n| format!("+30210000{n:04}")).collect();
        let all = numbers.iter().flat_map(|number| [0; 4].map(|_| send(&notifiers, &clock, number, 2)));
        join_all(all).await;
        assert_eq!(carrier.attempts().len(), 30);
    }

    #[tokio::test]
    async fn a_budget_is_of_a_day_of_utc_and_counts_what_was_taken() {
        let clock = clock();
        let (notifiers, carrier) = process(ChannelLimits::none().per_day(3), MemorySettings::new(), &clock);
        carrier.then(Outcome::unavailable("busy"));
        assert_eq!(held(&send(&notifiers, &clock, JO, 4).await), 0);
        assert_eq!(notifiers.spent().await.unwrap(), ["sms"]);
        assert_eq!(held(&send(&notifiers, &clock, KIM, 1).await), 1);
        clock.advance(Duration::from_secs(1800));
        assert_eq!(notifiers.spent().await.unwrap(), Vec::<String>::new());
        assert_eq!(held(&send(&notifiers, &clock, KIM, 4).await), 1);
    }

    /// Settings that cannot be reached.
    #[derive(Debug)]
    struct Away;

    #[async_trait]
    impl Settings for Away {
        async fn setting(&self, _: &str) -> Result<Option<Vec<u8>>, Outage> {
            Err(Outage::retryable("away"))
        }

        async fn swap_setting(&self, _: &str, _: Option<&[u8]>, _: &[u8]) -> Result<Swapped, Outage> {
            Err(Outage::retryable("away"))
        }
    }

    #[tokio::test]
    async fn p09_without_settings_nothing_is_held_back() {
        let clock = clock();
        let (notifiers, carrier) = process(ChannelLimits::of_texts().per_day(1), Away, &clock);
        assert_eq!(held(&send(&notifiers, &clock, JO, 9).await), 0);
        assert_eq!(carrier.attempts().len(), 9);
    }

    #[test]
    fn what_is_stored_is_read_again_and_rubbish_does_not_count() {
        let now = clock().now();
        let at = |stored: &str| times(Some(stored.as_bytes())).len();
        assert_eq!(times(Some(&written(&[now, now], "#a-1"))), [now, now]);
        assert_eq!((at(""), at("x 1 99999999999999999999"), at("1 2")), (0, 1, 2));
        for (stored, count) in [
            ("2026-11-24 7", 7),
            ("2026-11-24 7 #a-1", 7),
            ("2026-11-23 7", 0),
            ("2026-11-24", 0),
            ("7", 0),
            ("", 0),
        ] {
            assert_eq!(today(Some(stored.as_bytes()), now), count, "{stored}");
        }
        assert_eq!(today(None, now), 0);
    }
}
