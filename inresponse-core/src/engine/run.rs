//! Advances due incidents, forever.

use std::cmp::Reverse;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::backlog::Turns;
use super::bundles::Bundles;
use super::clocks::Clocks;
use super::deliver::Sender;
use super::judge_again::JudgeAgain;
use super::lease::Leases;
use super::leased::LeasedSend;
use super::paging::{PAGE, Paging};
use super::repair::{ClockWentBack, Repair, Watch};
use super::slots::{Slots, Urgency};
use super::trouble::Trouble;
use super::wake::Wake;
use crate::error::{Chain, Outage};
use crate::model::IncidentNumber;
use crate::store::{DueMark, Record, Store};

/// The longest pause between two queries for due incidents, because another server may share the store.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How late another server's writes may become visible for the next query to find them. A full query finds later ones.
const LAG: TimeDelta = TimeDelta::seconds(2);
/// The pause after a full query is this many times the query's duration.
const REST_AFTER_WHOLE_LOOK: u32 = 10;
/// The longest such pause.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Works through what is due, until it is told to stop.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) wake: Arc<Wake>,
    pub(super) slots: Arc<Slots>,
    pub(super) leases: Arc<Leases>,
    pub(super) sender: Arc<Sender>,
    pub(super) bundles: Arc<Bundles>,
    pub(super) repair: Repair,
    pub(super) judge_again: Arc<JudgeAgain>,
    /// Whether it finishes what it began.
    pub(super) stopping: Arc<AtomicBool>,
    /// How long leases last.
    pub(super) lease: Duration,
}

impl Runner {
    /// Advances incidents as soon as they are due, until `shutdown` resolves. Then it finishes the sends in progress.
    pub(super) async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut handoff = self.wake.open_handoff();
        self.slots.begin_bundling();
        self.stopping.store(false, Ordering::Relaxed);
        let (mut sends, mut handed) = (JoinSet::new(), JoinSet::new());
        let (mut watch, mut trouble) = (Watch::begin(&self.clocks), Trouble::begin(&self.clocks));
        // For all that is known, the clock went back while nobody ran. Beside the work, since it may be much to read.
        let mut repairs = JoinSet::new();
        repairs.spawn(self.repair.clone().repair(ClockWentBack));
        let mut sweep = Sweep::default();
        let (mut judging, mut judged_at) = (JoinSet::new(), None);
        'running: loop {
            let written = self.wake.take_went_back().then_some(ClockWentBack);
            if let Some(back) = watch.clock(&self.clocks).or(written) {
                repairs.abort_all();
                repairs.spawn(self.repair.clone().repair(back));
                sweep = Sweep::default();
                self.wake.forget();
            }
            while repairs.try_join_next().is_some() {}
            while judging.try_join_next().is_some() {}
            let monotonic = self.clocks.monotonic();
            let must_look =
                judged_at.is_none_or(|at| monotonic >= at + LOOK_EVERY) || self.wake.has_new_rules();
            if judging.is_empty() && must_look {
                self.wake.take_new_rules();
                judged_at = Some(monotonic);
                let judge_again = Arc::clone(&self.judge_again);
                judging.spawn(async move { judge_again.if_changed().await });
            }
            let looking = async {
                trouble.look(&*self.store, &self.clocks).await;
                if sweep.pause(self.clocks.monotonic()).is_zero() {
                    self.look(&mut sweep, &mut sends).await;
                }
                self.lease_known(&mut sends).await;
            };
            self.taking_over(&mut handoff, &mut handed, looking).await;
            let mut pause = pin!(self.clocks.sleep(sweep.pause(self.clocks.monotonic())));
            loop {
                let until_due =
                    self.wake.next_at().map(|due| (due - self.clocks.now()).to_std().unwrap_or_default());
                let relief = self.wake.relief(&self.slots);
                let until_due = until_due.into_iter().chain(relief).min();
                tokio::select! {
                    biased;
                    () = &mut shutdown => break 'running,
                    Some(send) = handoff.recv() => self.begin(&mut handed, send),
                    Some(_) = sends.join_next() => {}
                    Some(_) = handed.join_next() => {}
                    () = self.wake.rung() => {
                        let is_due = self.wake.next_at().is_some_and(|due| due <= self.clocks.now());
                        if self.wake.take_freed() || is_due || self.wake.has_new_rules() {
                            break;
                        }
                    }
                    () = self.clocks.sleep(until_due.unwrap_or(LOOK_EVERY)), if until_due.is_some() => break,
                    () = &mut pause => break,
                }
            }
        }
        self.wake.close_handoff();
        self.slots.end_bundling();
        self.stopping.store(true, Ordering::Relaxed);
        while let Ok(send) = handoff.try_recv() {
            self.begin(&mut handed, send);
        }
        self.finish(sends, handed).await;
        self.stopping.store(false, Ordering::Relaxed);
    }

    /// Does `work` and at the same time begins sends that are handed over, so that a slow store delays no leased send.
    async fn taking_over<T>(
        &self,
        handoff: &mut UnboundedReceiver<LeasedSend>,
        handed: &mut JoinSet<()>,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                Some(send) = handoff.recv() => self.begin(handed, send),
                done = &mut work => return done,
            }
        }
    }

    fn begin(&self, sends: &mut JoinSet<()>, send: LeasedSend) {
        let sender = Arc::clone(&self.sender);
        sends.spawn(async move { sender.deliver(send, None).await });
    }

    /// Waits for the sends in progress, at most for the duration of a lease.
    async fn finish(&self, mut sends: JoinSet<()>, mut handed: JoinSet<()>) {
        let mut patience = pin!(self.clocks.sleep(self.lease));
        while !sends.is_empty() || !handed.is_empty() {
            tokio::select! {
                Some(_) = sends.join_next() => {}
                Some(_) = handed.join_next() => {}
                () = &mut patience => {
                    let unrecorded = sends.len() + handed.len();
                    tracing::warn!(unrecorded, "stopped before every outcome was recorded");
                    return;
                }
            }
        }
    }

    /// Queries the store for due incidents: from time to time for all, otherwise for those that became due recently.
    async fn look(&self, sweep: &mut Sweep, sends: &mut JoinSet<()>) {
        if let Err(error) = self.lease_all_due(sweep, sends).await {
            tracing::error!(error = %Chain::of(&error), "due incidents cannot be read");
        }
        sweep.looked_at = Some(self.clocks.monotonic());
    }

    /// Leases due incidents that this process does not know yet, and starts their sends.
    async fn lease_all_due(&self, sweep: &mut Sweep, sends: &mut JoinSet<()>) -> Result<(), Outage> {
        let (now, began) = (self.clocks.now(), self.clocks.monotonic());
        let whole = sweep.whole_look_is_due(began);
        let mut paging = Paging::due_by(now).after(if whole { None } else { sweep.seen });
        while let Some((after, limit)) = paging.next() {
            let page = self.store.due(now, after, limit).await?;
            paging.read(&page);
            let mut fresh: Vec<_> =
                page.into_iter().filter(|r| !self.wake.knows(r.number(), r.version)).collect();
            fresh.sort_by_key(|record| Reverse(Urgency::of(&record.incident)));
            let mut leases: FuturesUnordered<_> = fresh.into_iter().map(|r| self.lease_logged(r)).collect();
            while let Some(leased) = leases.next().await {
                leased.into_iter().for_each(|send| self.begin(sends, send));
            }
            while sends.try_join_next().is_some() {}
            // Reading may take a while, so those who have a slot again do not wait for it.
            if paging.next().is_some() {
                self.lease_known(sends).await;
            }
        }
        let seen = now.checked_sub_signed(LAG).unwrap_or(now);
        sweep.seen = Some(DueMark { due_at: seen, number: IncidentNumber::new(0) });
        if whole {
            let ended = self.clocks.monotonic();
            sweep.whole = Some((ended, ended.saturating_sub(began)));
        }
        Ok(())
    }

    /// Leases known due incidents, and incidents for which a slot is free now, and starts their sends.
    async fn lease_known(&self, sends: &mut JoinSet<()>) {
        let now = self.clocks.now();
        let Turns { numbers, groups } = self.wake.take(now, PAGE, &self.slots);
        for group in groups {
            let bundles = Arc::clone(&self.bundles);
            sends.spawn(async move { bundles.send(group).await });
        }
        let mut leases: FuturesUnordered<_> =
            numbers.into_iter().map(|number| self.lease_number(number)).collect();
        while let Some(leased) = leases.next().await {
            leased.into_iter().for_each(|send| self.begin(sends, send));
        }
    }

    async fn lease_number(&self, number: IncidentNumber) -> Vec<LeasedSend> {
        match self.store.load(number).await {
            Ok(Some(record)) => self.lease_logged(record).await,
            Ok(None) => Vec::new(),
            Err(error) => self.try_again(number, &error),
        }
    }

    async fn lease_logged(&self, record: Record) -> Vec<LeasedSend> {
        let number = record.number();
        match self.leases.lease_due(record).await {
            Ok(leased) => leased.sends,
            Err(error) => self.try_again(number, &error),
        }
    }

    fn try_again(&self, number: IncidentNumber, error: &Outage) -> Vec<LeasedSend> {
        self.wake.after_outage(number, error, self.clocks.now());
        Vec::new()
    }
}

/// How far the due incidents in the store have been read.
#[derive(Debug, Default)]
struct Sweep {
    /// When the store was last queried, by the monotonic clock.
    looked_at: Option<Duration>,
    /// The mark up to which everything was read, except for late commits.
    seen: Option<DueMark>,
    /// When the last full query ran, and how long it took.
    whole: Option<(Duration, Duration)>,
}

impl Sweep {
    /// The time until the next query.
    fn pause(&self, monotonic: Duration) -> Duration {
        self.looked_at.map_or(Duration::ZERO, |at| (at + LOOK_EVERY).saturating_sub(monotonic))
    }

    fn whole_look_is_due(&self, monotonic: Duration) -> bool {
        self.whole.is_none_or(|(at, took)| monotonic >= at + (took * REST_AFTER_WHOLE_LOOK).min(LONGEST_REST))
    }
}
