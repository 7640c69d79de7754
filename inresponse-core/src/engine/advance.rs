//! Advances one incident, or all due incidents, until nothing is left to do now.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::clocks::Clocks;
use super::deliver::Sender;
use super::lease::{Leased, Leases};
use super::paging::{PAGE, Paging};
use super::slots::SLOTS;
use super::swap::Swap;
use crate::error::{Chain, Outage, OutageKind};
use crate::model::IncidentNumber;
use crate::plan;
use crate::store::{Record, Store};

/// How soon to try again if due sends wait for a slot.
const BLOCKED_PAUSE: TimeDelta = TimeDelta::seconds(1);

/// The result of advancing an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Advanced {
    /// Nothing will be due unless somebody acts.
    Done,
    /// The incident is due again at this time.
    WaitUntil(DateTime<Utc>),
    /// There is no such incident.
    Absent,
    /// A newer timer has replaced the one that called.
    Superseded,
}

/// Does what is due, in the call that asks for it.
#[derive(Debug)]
pub(super) struct Advance {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) leases: Arc<Leases>,
    pub(super) sender: Arc<Sender>,
    pub(super) swap: Arc<Swap>,
    /// How long leases last.
    pub(super) lease: Duration,
}

impl Advance {
    /// Does everything that is due of the incident of that number, and answers when to come back.
    pub(super) async fn number(&self, number: IncidentNumber) -> Result<Advanced, Outage> {
        match self.store.load(number).await? {
            Some(record) => self.record(record, None).await,
            None => Ok(Advanced::Absent),
        }
    }

    /// Does everything that is due of an incident.
    ///
    /// Advances a record, but takes no lease after `last_lease`, by the monotonic clock. Sends that were leased before
    /// get half a lease more.
    pub(super) async fn record(
        &self,
        record: Record,
        last_lease: Option<Duration>,
    ) -> Result<Advanced, Outage> {
        let number = record.number();
        let give_up_at = last_lease.map(|last| last + self.lease / 2);
        let mut sends = FuturesUnordered::new();
        let mut next = Some(record);
        loop {
            let may_lease = last_lease.is_none_or(|last| self.clocks.monotonic() < last);
            let mut outcome_came = false;
            let leased = async {
                let record = match next.take() {
                    Some(record) => Some(record),
                    None => self.store.load(number).await?,
                };
                match record {
                    Some(record) if may_lease => self.leases.lease_due(record).await,
                    Some(record) => Ok(Leased::nothing(plan::due_at(&record.incident))),
                    None => Ok(Leased::nothing(None)),
                }
            };
            let leased = while_going_on(&mut sends, leased, |()| outcome_came = true).await;
            let Leased { due_at, sends: leased, blocked } = match leased {
                Ok(leased) => leased,
                Err(error) => {
                    while sends.next().await.is_some() {}
                    // The next call may come to another process, which would not know that nothing was sent.
                    if error.kind() == OutageKind::Unknown
                        && let Ok(Some(record)) = self.store.load(number).await
                        && let Err(again) = self.swap.take_back_unsent(record).await
                    {
                        tracing::debug!(
                            incident = number.value(),
                            error = %Chain::of(&again),
                            "an unused lease could not be returned yet"
                        );
                    }
                    return Err(error);
                }
            };
            sends.extend(leased.into_iter().map(|send| self.sender.deliver(send, give_up_at)));
            if outcome_came {
                continue;
            }
            let now = self.clocks.now();
            if sends.is_empty() {
                let come_back = |at: DateTime<Utc>| if blocked { at.max(now + BLOCKED_PAUSE) } else { at };
                return Ok(due_at.map_or(Advanced::Done, |at| Advanced::WaitUntil(come_back(at))));
            }
            if !may_lease {
                sends.next().await;
                continue;
            }
            let until_due = match due_at {
                Some(at) if blocked => at.max(now + BLOCKED_PAUSE) - now,
                Some(at) => at - now,
                None => TimeDelta::days(1),
            };
            let until_due = until_due.to_std().unwrap_or(Duration::ZERO);
            // Whichever comes first, an outcome or the next due time: then look again.
            match select(sends.next(), self.clocks.sleep(until_due)).await {
                Either::Left(_) | Either::Right(_) => {}
            }
        }
    }

    /// Advances every due incident, and returns how many were advanced.
    pub(super) async fn tick(&self) -> Result<usize, Outage> {
        let (now, mut advanced) = (self.clocks.now(), 0);
        let (mut paging, mut under_way) = (Paging::due_by(now), FuturesUnordered::new());
        let looked = loop {
            let Some((after, limit)) = paging.next() else { break Ok(()) };
            let page = self.store.due(now, after, limit);
            let page = match while_going_on(&mut under_way, page, |done| advanced += usize::from(done)).await
            {
                Ok(page) => page,
                Err(error) => break Err(error),
            };
            paging.read(&page);
            under_way.extend(page.into_iter().map(|record| self.logged(record, None)));
            // Those that have no sending slot are done with at once, so this waits for nobody who hangs.
            while under_way.len() > PAGE + SLOTS {
                advanced += under_way.next().await.map_or(0, usize::from);
            }
        };
        while let Some(done) = under_way.next().await {
            advanced += usize::from(done);
        }
        looked.map(|()| advanced)
    }

    /// The same, for callers who continue after a failure. Returns whether the incident was advanced.
    pub(super) async fn logged(&self, record: Record, last_lease: Option<Duration>) -> bool {
        let number = record.number();
        match self.record(record, last_lease).await {
            Ok(_) => true,
            Err(error) => {
                tracing::error!(incident = number.value(), error = %Chain::of(&error), "an incident could not be advanced");
                false
            }
        }
    }
}

/// Does `work` while other tasks continue, so that neither waits for the other, not even for a connection to the store.
async fn while_going_on<F: Future, T>(
    others: &mut FuturesUnordered<F>,
    work: impl Future<Output = T>,
    mut done: impl FnMut(F::Output),
) -> T {
    let mut work = pin!(work);
    while !others.is_empty() {
        match select(work.as_mut(), others.next()).await {
            Either::Left((result, _)) => return result,
            Either::Right((other, _)) => other.into_iter().for_each(&mut done),
        }
    }
    work.await
}
