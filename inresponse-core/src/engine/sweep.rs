//! Replaces lost timers, and works for timers that are due; for deployments without a runner.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt};

use super::advance::{Advance, Advanced};
use super::clocks::Clocks;
use super::judge_again::JudgeAgain;
use super::paging::Paging;
use super::swap::{Changed, Swap};
use super::timers::Alarm;
use crate::error::{Chain, Outage};
use crate::model::IncidentNumber;
use crate::plan::{self, Input};
use crate::store::{Record, Store};

/// How many timers are started at the same time by a sweep.
const AT_ONCE: usize = 16;

/// The result of a sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Incidents for which a timer was started.
    pub restarted: usize,
    /// Incidents that were advanced here, since no timer could be started.
    pub advanced: usize,
    /// Incidents for which neither could be done; they stay overdue.
    pub failed: usize,
}

/// Replaces lost timers, and works for timers that are due.
#[derive(Debug)]
pub(super) struct Sweeper {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) swap: Arc<Swap>,
    pub(super) alarm: Alarm,
    pub(super) advance: Arc<Advance>,
    pub(super) judge_again: JudgeAgain,
    /// How long leases last.
    pub(super) lease: Duration,
}

impl Sweeper {
    /// Advances an incident for the timer that was started under `wake`, unless a newer one was started. Takes no lease
    /// later than `within` from now.
    pub(super) async fn woken(
        &self,
        number: IncidentNumber,
        wake: u32,
        within: Duration,
    ) -> Result<Advanced, Outage> {
        let last_lease = self.clocks.monotonic() + within;
        match self.store.load(number).await? {
            Some(record) if record.incident.wake() > wake => Ok(Advanced::Superseded),
            Some(record) => self.advance.record(record, Some(last_lease)).await,
            None => Ok(Advanced::Absent),
        }
    }

    /// Replaces the timers of an incident by a new one, if there is something to wait for.
    pub(super) async fn restart_by_number(&self, number: IncidentNumber) -> Result<(), Outage> {
        match self.store.load(number).await? {
            Some(record) => self.restart(record).await,
            None => Ok(()),
        }
    }

    /// Finds incidents that are overdue, so their timers were lost, and starts new timers. If that fails, it advances
    /// the incident itself. Then it judges quiet incidents again whose silences or alert hours have changed.
    pub(super) async fn sweep(&self, overdue_by: Duration) -> Result<Swept, Outage> {
        // Incidents that are overdue do not wait for the others.
        let swept = self.sweep_overdue(overdue_by).await;
        let judged = self.judge_again.all().await;
        swept.and_then(|swept| judged.map(|_| swept))
    }

    async fn sweep_overdue(&self, overdue_by: Duration) -> Result<Swept, Outage> {
        let overdue_by = TimeDelta::from_std(overdue_by).unwrap_or(TimeDelta::MAX);
        let Some(since) = self.clocks.now().checked_sub_signed(overdue_by) else {
            return Ok(Swept::default());
        };
        let (mut swept, mut paging) = (Swept::default(), Paging::due_by(since));
        while let Some((after, limit)) = paging.next() {
            let page = self.store.due(since, after, limit).await?;
            paging.read(&page);
            let mut under_way =
                stream::iter(page).map(|record| self.rescue(record)).buffer_unordered(AT_ONCE);
            while let Some(rescued) = under_way.next().await {
                match rescued {
                    Rescued::Restarted => swept.restarted += 1,
                    Rescued::Advanced => swept.advanced += 1,
                    Rescued::Failed => swept.failed += 1,
                }
            }
        }
        Ok(swept)
    }

    async fn rescue(&self, record: Record) -> Rescued {
        let number = record.number().value();
        tracing::warn!(incident = number, "an incident is overdue: its timer was lost");
        metrics::counter!("inresponse_timers_lost_total").increment(1);
        match self.restart(record.clone()).await {
            Ok(()) => Rescued::Restarted,
            Err(error) => {
                tracing::error!(incident = number, error = %Chain::of(&error), "a timer could not be started");
                // A sweep ends in bounded time, also if a carrier hangs.
                let last_lease = self.clocks.monotonic() + self.lease / 2;
                if self.advance.logged(record, Some(last_lease)).await {
                    Rescued::Advanced
                } else {
                    Rescued::Failed
                }
            }
        }
    }

    /// The timer is started before it is noted: were it the other way round, its start might fail when those
    /// that it takes the place of have stopped already.
    async fn restart(&self, record: Record) -> Result<(), Outage> {
        let timers = self.alarm.timers()?;
        if plan::due_at(&record.incident).is_none() {
            return Ok(());
        }
        let wake = record.incident.wake().saturating_add(1);
        timers.start(record.number(), wake).await?;
        match self.swap.change(record, |_| Input::Woken { wake }).await? {
            Changed::Done { .. } | Changed::Nothing(_) | Changed::Refused(..) | Changed::Gone => Ok(()),
        }
    }
}

enum Rescued {
    Restarted,
    Advanced,
    Failed,
}
