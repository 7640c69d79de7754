//! The pure planner: every decision about what happens to an incident, once.
//!
//! `(incident, input, now) → (new incident, sends, next due)`. No async, no I/O, no clock, no randomness, no
//! logging. [`open`] makes an incident of a report; [`step`] takes everything that can happen to it. The engine
//! executes what they decide; every deployment shares them.
//!
//! | file | decides |
//! |---|---|
//! | `open` | how an incident begins, what a repeated report does |
//! | `ladder` | which level, repeat round or fallback is next, and when |
//! | `due` | what to do now that time has come: expired leases, levels that begin, sends to lease |
//! | `outcome` | what an attempt's outcome means, and when to try again |
//! | `bounce` | what it means that something accepted came back |
//! | `people` | claim, release, resolve, hand over, escalate, severity, note |
//! | `news` | who is told that somebody has it |
//! | `handover` | the person who was given it and has not answered |
//! | `account` | what happened and what comes, as facts that every surface words |
//! | `round` | whose a new round is, and what the timeline says of it |
//! | `clock_back` | what a clock that went back does to stored times |

mod account;
mod backoff;
mod bounce;
mod clock_back;
mod due;
mod handover;
mod ladder;
mod news;
mod open;
mod outcome;
mod people;
mod round;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use account::{Follows, Happened, Reached, Turn, Upcoming, history, outlook, reached, turns};
pub use open::{Opening, open, open_leasing};
pub use people::{Refusal, StateChange, TakeOver, Update};
pub use round::{Alerted, NextRound, RoundOf};

use crate::model::{
    Contact, DedupKey, DeliveryId, DeliveryKey, DeliveryStatus, Incident, IncidentNumber, KeyName,
    OutcomeKind, ServiceName, Severity, State, Unknown,
};
use crate::notify::Outcome;

/// The most times that a delivery may end its process in mid-send before it is dead.
pub const MAX_EXPIRED: u32 = 5;

/// Something that happened, for [`step`] to decide about.
#[derive(Debug)]
pub enum Input<'a> {
    /// Time has come: lease what is due.
    Due {
        /// How long the leases taken now last.
        lease: Duration,
        /// Deliveries that must not be leased now.
        hold: &'a dyn Hold,
        /// The next round, if [`Decision::NeedsRound`] asked for it.
        round: Option<NextRound>,
    },
    /// A send is still under way and its lease is to last longer.
    Renew {
        /// Whose send.
        delivery: DeliveryKey,
        /// Which attempt of it.
        attempt: u32,
        /// How long the lease lasts from now on.
        lease: Duration,
    },
    /// An attempt ended.
    Outcome {
        /// Whose attempt.
        delivery: DeliveryKey,
        /// Which attempt of it.
        attempt: u32,
        /// How it ended.
        outcome: &'a Outcome,
    },
    /// Something that a carrier had accepted came back.
    Bounced {
        /// Which delivery.
        delivery: &'a DeliveryId,
        /// What the carrier said.
        reason: &'a str,
    },
    /// A report with the incident's key came again.
    Repeat {
        /// How bad that report says it is.
        severity: Severity,
        /// With which key it was made.
        key: Option<&'a KeyName>,
    },
    /// A person wants something.
    Update {
        /// What.
        update: &'a Update,
        /// The next round, if [`Decision::NeedsRound`] asked for it.
        round: Option<NextRound>,
    },
    /// Another keeper of its time has been started, under this count.
    Woken {
        /// The count.
        wake: u32,
    },
    /// The clock may have gone back behind what the incident knows of.
    ClockWentBack {
        /// How long leases last.
        lease: Duration,
    },
}

/// Which deliveries must not be leased now.
pub trait Hold: std::fmt::Debug {
    /// Whether this one may be leased, and why not.
    fn held(&self, delivery: &DeliveryId, contact: &Contact) -> Held;

    /// Whether this process let the incident's latest level wait for slots itself; then no process has died since the
    /// level began.
    fn has_let_it_wait(&self) -> bool {
        false
    }
}

/// Whether a delivery may be leased now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Held {
    /// It may.
    Free,
    /// This process is still sending it, whatever the clock says of its lease. A level whose deliveries are all in
    /// flight does not begin.
    InFlight,
    /// No sending slot is free for its contact. Its level begins, and the delivery waits (promise 8).
    NoSlot,
}

/// Holds nothing back.
#[derive(Debug, Clone, Copy)]
pub struct HoldNothing;

impl Hold for HoldNothing {
    fn held(&self, _: &DeliveryId, _: &Contact) -> Held {
        Held::Free
    }
}

/// These deliveries are in flight.
impl Hold for std::collections::HashSet<DeliveryId> {
    fn held(&self, delivery: &DeliveryId, _: &Contact) -> Held {
        if self.contains(delivery) { Held::InFlight } else { Held::Free }
    }
}

/// No sending slot is free for these contacts.
impl Hold for std::collections::HashSet<Contact> {
    fn held(&self, _: &DeliveryId, contact: &Contact) -> Held {
        if self.contains(contact) { Held::NoSlot } else { Held::Free }
    }
}

/// What is to be done about an input.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision {
    /// Commit this, then send that.
    Change(Box<Plan>),
    /// Nothing changes.
    Nothing,
    /// A person's wish that cannot be granted.
    Refuse(Refusal),
    /// A round is about to begin: ask again with what the roster says of it now.
    NeedsRound(RoundOf),
}

/// A changed incident, and what may be sent once it is committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The record to commit.
    pub draft: Draft,
    /// The sends whose leases that commit takes.
    pub sends: Vec<Send>,
}

/// One attempt that a committed lease allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Which delivery.
    pub delivery: DeliveryKey,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// To whom.
    pub contact: Contact,
    /// When the lease ends; no send begins after that.
    pub lease_until: DateTime<Utc>,
}

/// A record as it is to be committed: the incident with what a store needs to know about it.
///
/// A store keeps [`body`](Self::body) as it is and indexes the rest; it never looks at state or severity to
/// decide anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    incident: Incident,
    due_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

impl Draft {
    pub(crate) fn new(incident: Incident) -> Self {
        let mut due_at = due_at(&incident);
        // What else is due of it a newer server knows, so one looks at once.
        if incident.is_left_to_newer() {
            due_at = Some(due_at.map_or(incident.updated_at, |at| at.min(incident.updated_at)));
        }
        Self { due_at, expires_at: None, incident }
    }

    /// The same, to be kept no longer than `keep` after it was resolved; for ever, unless it is.
    #[must_use]
    pub fn kept_for(mut self, keep: Duration) -> Self {
        self.expires_at = self.incident.resolved.as_ref().map(|resolved| later(resolved.at, keep));
        self
    }

    /// The incident.
    pub fn incident(&self) -> &Incident {
        &self.incident
    }

    /// The incident itself.
    pub fn into_incident(self) -> Incident {
        self.incident
    }

    /// When something must be done about it; `None`: never, unless somebody acts.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.due_at
    }

    /// The latest time that it tells of as one that has come, or an end of a lease that is later.
    ///
    /// Where this is not after the clock, no clock by which it was changed was ahead (promise 14).
    pub fn latest_at(&self) -> DateTime<Utc> {
        clock_back::latest_at(&self.incident)
    }

    /// From when on nobody needs it any more, and the store may let go of it; `None`: never.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// Promise 3: what no other open incident may have; `None` once it is resolved or if it has no key.
    pub fn open_key(&self) -> Option<(&ServiceName, &DedupKey)> {
        let key = self.incident.dedup_key.as_ref()?;
        (self.incident.state != State::Resolved).then_some((&self.incident.service, key))
    }

    /// The incident as bytes, for [`Record::decode`](crate::store::Record::decode).
    ///
    /// JSON, bounded well under 100 KB.
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(&self.incident)
            .expect("an incident has only string keys and no failing serializer")
    }
}

/// When something must be done about an incident: the earliest of its pending deliveries, lease ends, and the next
/// level, repeat round, fallback or end of the escalation. Where it is not OPEN, nothing but news is due, and the
/// answer of somebody whom it was handed to.
pub fn due_at(incident: &Incident) -> Option<DateTime<Utc>> {
    if incident.state != State::Open {
        let news = incident.current_news().filter_map(|d| d.due_at());
        return news.chain(handover::due_at(incident)).min();
    }
    let deliveries = incident.current_deliveries().filter_map(|d| d.due_at());
    deliveries.chain(ladder::next(incident).map(|next| next.at)).min()
}

/// The same, of what is due after `now` only: when there is more to do than what is due already.
#[cfg(feature = "runner")]
pub(crate) fn due_after(incident: &Incident, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let deliveries: Vec<_> = if incident.state == State::Open {
        let rung = ladder::next(incident).map(|next| next.at);
        incident.current_deliveries().filter_map(|d| d.due_at()).chain(rung).collect()
    } else {
        let news = incident.current_news().filter_map(|d| d.due_at());
        news.chain(handover::due_at(incident)).collect()
    };
    deliveries.into_iter().filter(|at| *at > now).min()
}

/// When somebody is alerted next: the earliest pending delivery or beginning of a level, repeat round or fallback.
pub fn next_alert_at(incident: &Incident) -> Option<DateTime<Utc>> {
    if incident.state != State::Open {
        return None;
    }
    let pending = incident.current_deliveries().filter_map(|d| match d.status {
        DeliveryStatus::Pending { due_at } => Some(due_at),
        DeliveryStatus::InFlight { .. }
        | DeliveryStatus::Accepted { .. }
        | DeliveryStatus::Dead { .. }
        | DeliveryStatus::Stopped { .. } => None,
    });
    pending.chain(next_level_due(incident)).min()
}

/// When the next level, repeat round or fallback begins; `None` where none does.
pub(crate) fn next_level_due(incident: &Incident) -> Option<DateTime<Utc>> {
    ladder::next(incident).filter(|next| next.rung != ladder::Rung::Over).map(|next| next.at)
}

/// When the claim of the person who has it ends, unless they answer; `None` if it does not end by itself.
pub fn claim_ends_at(incident: &Incident) -> Option<DateTime<Utc>> {
    handover::answer_by(incident)
}

/// Whether a person may ask that the next level be alerted without waiting.
pub fn may_escalate(incident: &Incident) -> bool {
    people::escalates_at(incident).is_ok()
}

/// Decides what `input` does to `incident` at `now`.
///
/// Pure: the same arguments give the same decision. `now` is wall time in UTC; stored times have whole
/// microseconds.
pub fn step(incident: &Incident, input: Input<'_>, now: DateTime<Utc>) -> Decision {
    let now = crate::clock::to_micros(now);
    if let Some(decision) = left_to_newer(incident, &input) {
        return decision;
    }
    let decision = match input {
        Input::Due { lease, hold, round } => return due::due(incident, lease, hold, round, now),
        Input::Renew { delivery, attempt, lease } => {
            return due::renew(incident, delivery, attempt, lease, now);
        }
        Input::Outcome { delivery, attempt, outcome } => {
            return outcome::outcome(incident, delivery, attempt, outcome, now);
        }
        Input::Woken { wake } => return woken(incident, wake),
        Input::Bounced { delivery, reason } => bounce::bounced(incident, delivery, reason, now),
        Input::Repeat { severity, key } => open::repeat(incident, severity, key, now),
        Input::Update { update, round } => people::update(incident, update, round, now),
        Input::ClockWentBack { lease } => clock_back::clock_went_back(incident, lease, now),
    };
    sooner(incident, decision)
}

/// Nothing that time brings about is done to an incident in a newer format: this version would do it wrongly. What
/// people ask for and what is learnt of attempts is noted as far as the record can be read.
fn left_to_newer(incident: &Incident, input: &Input<'_>) -> Option<Decision> {
    if !incident.is_left_to_newer() {
        return None;
    }
    match input {
        Input::Due { .. } | Input::Woken { .. } | Input::ClockWentBack { .. } => Some(Decision::Nothing),
        Input::Update { .. } => incident.in_part.then_some(Decision::Refuse(Refusal::NewerFormat)),
        // What is being sent may go on.
        Input::Renew { .. } | Input::Outcome { .. } | Input::Bounced { .. } | Input::Repeat { .. } => {
            incident.in_part.then_some(Decision::Nothing)
        }
    }
}

/// Where somebody's doing made it due sooner, whoever keeps its time must be told: nobody else would be.
///
/// What time itself brings about (leases and their outcomes) happens in the presence of whoever keeps it.
fn sooner(before: &Incident, mut decision: Decision) -> Decision {
    if let Decision::Change(plan) = &mut decision
        && let Some(due_at) = plan.draft.due_at
        && self::due_at(before).is_none_or(|before| due_at < before)
    {
        plan.draft.incident.wake = before.wake.saturating_add(1);
    }
    decision
}

/// The count only rises, and only where there is time to keep.
fn woken(incident: &Incident, wake: u32) -> Decision {
    if wake <= incident.wake || due_at(incident).is_none() {
        return Decision::Nothing;
    }
    let next = Incident { wake, ..incident.clone() };
    Decision::Change(Box::new(Plan { draft: Draft::new(next), sends: Vec::new() }))
}

fn change(mut incident: Incident, sends: Vec<Send>, now: DateTime<Utc>) -> Decision {
    incident.updated_at = now;
    Decision::Change(Box::new(Plan { draft: Draft::new(incident), sends }))
}

fn later(at: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    chrono::TimeDelta::from_std(by)
        .ok()
        .and_then(|by| at.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Stops what was pending: it will not be sent.
fn stop_pending(incident: &mut Incident, now: DateTime<Utc>) {
    for delivery in &mut incident.deliveries {
        if matches!(delivery.status, DeliveryStatus::Pending { .. }) {
            delivery.status = DeliveryStatus::Stopped { at: now };
        }
    }
}

fn last_outcome(kind: OutcomeKind, detail: &str, now: DateTime<Utc>) -> Option<crate::model::LastOutcome> {
    Some(crate::model::LastOutcome {
        kind,
        detail: crate::model::short_detail(detail),
        at: now,
        unknown: Unknown::default(),
    })
}

/// A number that no store gives, for incidents that have none yet.
const UNNUMBERED: IncidentNumber = IncidentNumber::new(0);

#[cfg(test)]
mod tests;
