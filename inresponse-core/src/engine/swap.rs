//! Changes a record by compare-and-swap, and tries again if somebody else changed the record first.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::clocks::Clocks;
use super::lookup::Lookup;
use super::timers::Alarm;
use super::unsent::{self, Unsent};
use super::wake::Wake;
use crate::error::{Outage, OutageKind};
use crate::model::{Incident, IncidentNumber, Version};
use crate::plan::{self, Decision, Draft, Input, NextRound, Plan, Refusal};
use crate::store::{Committed, Record, Store};

/// The maximum number of times that a change is planned because somebody else changed the record in between.
const MAX_TRIES: usize = 32;

/// Changes records: reads, plans, commits, and begins again whenever somebody else was faster.
#[derive(Debug)]
pub(super) struct Swap {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    /// Who is alerted in a round that a change begins.
    pub(super) lookup: Arc<Lookup>,
    pub(super) unsent: Unsent,
    pub(super) wake: Arc<Wake>,
    pub(super) alarm: Alarm,
    pub(super) keep_resolved: Option<Duration>,
}

/// The plan for a record: a commit, or an answer without a commit.
pub(super) enum Planned<W, A> {
    Commit(Box<Proposal<W>>),
    Rest(A),
}

/// A plan for a record as it was read.
pub(super) struct Proposal<W> {
    pub(super) record: Record,
    pub(super) plan: Plan,
    /// When the change was planned.
    pub(super) now: DateTime<Utc>,
    /// Values that are kept until the result of the commit is known.
    pub(super) with: W,
}

/// The result of a compare-and-swap.
pub(super) enum Swapped<W, A> {
    /// The proposal is committed, with that version.
    Done(Box<Proposal<W>>, Version),
    /// Nothing needed to be committed.
    Rested(A),
    /// The incident no longer exists.
    Gone,
}

/// The result of a change.
pub(super) enum Changed {
    /// The change is committed.
    Done { before: Box<Incident>, record: Record },
    /// There was nothing to change.
    Nothing(Record),
    /// A person's request was refused.
    Refused(Record, Refusal),
    /// There is no such incident, or none any more.
    Gone,
}

impl Swap {
    /// Plans and commits, and does so again if somebody else changed the record first.
    pub(super) async fn swap<W, A, F>(
        &self,
        mut record: Record,
        plan: impl Fn(Record) -> F,
    ) -> Result<Swapped<W, A>, Outage>
    where
        F: Future<Output = Result<Planned<W, A>, Outage>>,
    {
        for _ in 0..MAX_TRIES {
            let proposal = match plan(record).await? {
                Planned::Commit(proposal) => proposal,
                Planned::Rest(answer) => return Ok(Swapped::Rested(answer)),
            };
            let (number, version) = (proposal.record.number(), proposal.record.version);
            let committed = self.commit(version, &proposal.plan.draft).await;
            self.notice_clock(proposal.now);
            if let Err(error) = &committed
                && error.kind() == OutageKind::Unknown
            {
                self.unsent.remember(number, version, &proposal.plan.sends);
            }
            match committed? {
                Committed::At(version) => return Ok(Swapped::Done(proposal, version)),
                Committed::Stale => {}
            }
            match self.store.load(number).await? {
                Some(changed) => record = changed,
                None => return Ok(Swapped::Gone),
            }
        }
        Err(Outage::retryable("too many concurrent changes to the incident"))
    }

    /// Changes a record by an input of the planner.
    pub(super) async fn change<'a>(
        &self,
        record: Record,
        input: impl Fn(Option<NextRound>) -> Input<'a>,
    ) -> Result<Changed, Outage> {
        match self.swap(record, |record| self.plan_change(record, &input)).await? {
            Swapped::Rested(answer) => Ok(answer),
            Swapped::Gone => Ok(Changed::Gone),
            Swapped::Done(proposal, version) => {
                let Proposal { record, plan: Plan { draft, .. }, .. } = *proposal;
                self.wake.due(record.number(), version, draft.due_at());
                // If only the count rose, the timer that it counts exists already.
                let is_sooner = draft.due_at() != plan::due_at(&record.incident);
                if is_sooner && draft.incident().wake() != record.incident.wake() {
                    self.alarm.set(draft.incident()).await;
                }
                let before = Box::new(record.incident);
                let record = Record { incident: draft.into_incident(), version, ..record };
                Ok(Changed::Done { before, record })
            }
        }
    }

    /// Changes the incident of that number by one input of the planner.
    pub(super) async fn change_of<'a>(
        &self,
        number: IncidentNumber,
        input: impl Fn(Option<NextRound>) -> Input<'a>,
    ) -> Result<Changed, Outage> {
        match self.store.load(number).await? {
            Some(record) => self.change(record, input).await,
            None => Ok(Changed::Gone),
        }
    }

    async fn plan_change<'a>(
        &self,
        record: Record,
        input: &impl Fn(Option<NextRound>) -> Input<'a>,
    ) -> Result<Planned<(), Changed>, Outage> {
        let mut round = None;
        loop {
            let now = self.clocks.now();
            let plan = match plan::step(&record.incident, input(round.take()), now) {
                Decision::Change(plan) => *plan,
                Decision::Nothing => return Ok(Planned::Rest(Changed::Nothing(record))),
                Decision::Refuse(refusal) => return Ok(Planned::Rest(Changed::Refused(record, refusal))),
                Decision::NeedsRound(of) => {
                    // Boxed, since few changes begin a round.
                    round = Some(Box::pin(self.lookup.next_round(&record.incident, &of, now)).await?);
                    continue;
                }
            };
            return Ok(Planned::Commit(Box::new(Proposal { record, plan, now, with: () })));
        }
    }

    /// Makes due again what a commit leased whose result this process never learnt.
    pub(super) async fn take_back_unsent(&self, mut record: Record) -> Result<Record, Outage> {
        let mut unused = self.unsent.take(&record);
        while let Some(lease) = unused.pop() {
            let (number, unsent::Lease { delivery, attempt, .. }) = (record.number(), lease);
            let reason = "the commit of its lease was unknown";
            let input = |_| Input::NotBegun { delivery, attempt, reason };
            match self.change(record.clone(), input).await {
                Ok(
                    Changed::Done { record: changed, .. }
                    | Changed::Nothing(changed)
                    | Changed::Refused(changed, _),
                ) => record = changed,
                Ok(Changed::Gone) => return Ok(record),
                Err(error) => {
                    unused.push(lease);
                    self.unsent.put_back(number, unused);
                    return Err(error);
                }
            }
        }
        Ok(record)
    }

    /// Commits a draft, with the time after which the incident may be deleted.
    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        match self.keep_resolved {
            Some(keep) if draft.incident().resolved().is_some() => {
                self.store.commit(version, &draft.clone().kept_for(keep)).await
            }
            Some(_) | None => self.store.commit(version, draft).await,
        }
    }

    /// Notices that the clock may go back during a write with its old time (promise 14). Then the correction of due
    /// times may run before that write takes effect.
    pub(super) fn notice_clock(&self, planned: DateTime<Utc>) {
        if self.clocks.now() < planned {
            self.wake.clock_went_back();
        }
    }
}
