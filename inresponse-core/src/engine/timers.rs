//! Who keeps the time of incidents if there is no runner.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};

use super::Engine;
use super::advance::{Advanced, PAGE, next_page};
use super::swap::Changed;
use crate::error::{Chain, Outage};
use crate::model::{Incident, IncidentNumber};
use crate::plan::{self, Input};
use crate::store::Record;

/// How many timers are started at the same time by a sweep.
const AT_ONCE: usize = 16;

/// Starts a timer outside this process that calls [`Engine::advance_woken`] when it is time.
///
/// For deployments in which no process runs all the time. A timer knows only the time: the incident is in the store. It
/// calls at once, then at each time that the call returns, and ends when there is nothing to wait for.
/// [`Engine::sweep`] replaces lost timers.
#[async_trait]
pub trait Timers: Debug + Send + Sync + 'static {
    /// Starts a timer under a name made of the incident's number and `wake`; that there was one of that name is
    /// success. Ends in bounded time.
    async fn start(&self, incident: IncidentNumber, wake: u32) -> Result<(), Outage>;
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Incidents for which a timer was started.
    pub restarted: usize,
    /// Incidents that were advanced here, since no timer could be started.
    pub advanced: usize,
    /// Incidents for which neither could be done; they stay overdue.
    pub failed: usize,
}

impl Engine {
    /// As [`advance`](Self::advance), for the timer that was started under `wake`. It does nothing if a newer timer was
    /// started.
    ///
    /// For processes with a time limit. It takes no lease later than `within` after the call. A send that has not ended
    /// half a lease after that is given up, so that everything is done by then, except storage. The rest is due at
    /// once.
    ///
    /// # Errors
    /// As `advance`.
    pub async fn advance_woken(
        &self,
        number: IncidentNumber,
        wake: u32,
        within: Duration,
    ) -> Result<Advanced, Outage> {
        let last_lease = self.inner.clock.monotonic() + within;
        match self.inner.store.load(number).await? {
            Some(record) if record.incident.wake() > wake => Ok(Advanced::Superseded),
            Some(record) => self.advance_record(record, Some(last_lease)).await,
            None => Ok(Advanced::Absent),
        }
    }

    /// Replaces the timers of an incident by a new one, before a timer reaches its limits.
    ///
    /// Does nothing if there is nothing to wait for.
    ///
    /// # Errors
    /// The timer cannot be started, or the store is unavailable. Then its existing timers continue.
    pub async fn restart_timer(&self, number: IncidentNumber) -> Result<(), Outage> {
        match self.inner.store.load(number).await? {
            Some(record) => self.restart(record).await,
            None => Ok(()),
        }
    }

    /// Finds incidents that are overdue by `overdue_by` or more, so their timers were lost, and starts new timers. If
    /// that fails, it advances the incident itself.
    ///
    /// Nothing runs any more when this returns.
    ///
    /// # Errors
    /// The store cannot list the due incidents.
    pub async fn sweep(&self, overdue_by: Duration) -> Result<Swept, Outage> {
        let overdue_by = chrono::TimeDelta::from_std(overdue_by).unwrap_or(chrono::TimeDelta::MAX);
        let Some(since) = self.now().checked_sub_signed(overdue_by) else { return Ok(Swept::default()) };
        let (mut swept, mut after) = (Swept::default(), None);
        loop {
            let page = self.inner.store.due(since, after, PAGE).await?;
            let next = next_page(&page, after, since);
            let mut under_way =
                stream::iter(page).map(|record| self.rescue(record)).buffer_unordered(AT_ONCE);
            while let Some(rescued) = under_way.next().await {
                match rescued {
                    Rescued::Restarted => swept.restarted += 1,
                    Rescued::Advanced => swept.advanced += 1,
                    Rescued::Failed => swept.failed += 1,
                }
            }
            if next.is_none() {
                return Ok(swept);
            }
            after = next;
        }
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
                let last_lease = self.inner.clock.monotonic() + self.inner.lease / 2;
                if self.advance_logged(record, Some(last_lease)).await {
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
        let Some(timers) = &self.inner.timers else {
            return Err(Outage::permanent("no timers are configured"));
        };
        if plan::due_at(&record.incident).is_none() {
            return Ok(());
        }
        let wake = record.incident.wake().saturating_add(1);
        timers.start(record.number(), wake).await?;
        match self.change(record, |_| Input::Woken { wake }).await? {
            Changed::Done { .. } | Changed::Nothing(_) | Changed::Refused(..) | Changed::Gone => Ok(()),
        }
    }

    /// Starts a timer for an incident that is due sooner than its timer knows, if this deployment has timers. If that
    /// fails, the commit still counts: a sweep finds the incident overdue.
    pub(super) async fn start_timer(&self, incident: &Incident) {
        let Some(timers) = &self.inner.timers else { return };
        if plan::due_at(incident).is_none() {
            return;
        }
        if let Err(error) = timers.start(incident.number(), incident.wake()).await {
            metrics::counter!("inresponse_timers_failed_total").increment(1);
            tracing::error!(
                incident = incident.number().value(),
                error = %Chain::of(&error),
                "a timer could not be started: the alert waits for the next sweep"
            );
        }
    }
}

enum Rescued {
    Restarted,
    Advanced,
    Failed,
}
