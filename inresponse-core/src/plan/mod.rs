//! The pure planner: every decision about what happens to an incident, once.
//!
//! `(incident, input, now) → (new incident, sends, next due)`. No async, no I/O, no clock, no randomness, no logging.
//! [`open`] makes an incident from a report. [`step`] handles everything that can happen to it. The engine executes
//! their decisions. Every deployment shares them.
//!
//! | file | decides |
//! |---|---|
//! | `open` | how an incident begins, what a repeated report does |
//! | `ladder` | which level, repeat round or fallback is next, and when |
//! | `due` | what to do when an incident is due: expired leases, levels that begin, sends to lease |
//! | `outcome` | what an attempt's outcome means, and when to try again |
//! | `bounce` | what a bounce of an accepted alert means |
//! | `people` | claim, release, resolve, hand over, escalate, severity, note |
//! | `status_updates` | status updates: who is notified of a claim |
//! | `handover` | the new holder who has not answered yet |
//! | `account` | what happened, as facts for pages, mails and answers |
//! | `outlook` | what comes next, as facts of the same kind |
//! | `draft` | the values that a store indexes, and when an incident is due |
//! | `round` | which team a new round alerts, and what the timeline records |
//! | `backoff` | the pause before the next attempt |
//! | `clock_back` | what a clock that went back does to stored times |

mod account;
mod backoff;
mod bounce;
mod clock_back;
mod draft;
mod due;
mod handover;
mod ladder;
mod open;
mod outcome;
mod outlook;
mod people;
mod round;
mod status_updates;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use account::{Follows, Happened, Reached, Turn, history, reached, turns};
#[cfg(feature = "runner")]
pub(crate) use draft::due_after;
pub use draft::{Draft, due_at};
pub use open::{Opening, open, open_leasing};
pub use outlook::{Upcoming, claim_ends_at, may_escalate, next_alert_at, outlook, waiting_since};
pub use people::{Refusal, StateChange, TakeOver, Update};
pub use round::{Alerted, NextRound, RoundOf};

use crate::model::{
    Contact, DeliveryId, DeliveryKey, DeliveryStatus, Incident, IncidentNumber, KeyName, Outcome,
    OutcomeKind, Severity, Unknown,
};

/// The most times that a delivery may end its process during a send before it is dead.
pub const MAX_EXPIRED: u32 = 5;

/// Something that happened, for [`step`] to decide about.
#[derive(Debug)]
pub enum Input<'a> {
    /// The incident is due: lease its sends.
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
    /// An attempt was not begun, since its lease was no longer good.
    NotBegun {
        /// Whose attempt.
        delivery: DeliveryKey,
        /// Which attempt of it.
        attempt: u32,
        /// Why not.
        reason: &'a str,
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
    /// Another scheduler has been started, under this count.
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

/// The decision about an input.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision {
    /// Commit this, then send that.
    Change(Box<Plan>),
    /// Nothing changes.
    Nothing,
    /// A person's request that is refused.
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
    pub sends: Vec<Dispatch>,
}

/// One attempt that a committed lease allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// Which delivery.
    pub delivery: DeliveryKey,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// To whom.
    pub contact: Contact,
    /// When the lease ends; no send begins after that.
    pub lease_until: DateTime<Utc>,
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
        Input::NotBegun { delivery, attempt, reason } => {
            return outcome::not_begun(incident, delivery, attempt, reason, now);
        }
        Input::Woken { wake } => return woken(incident, wake),
        Input::Bounced { delivery, reason } => bounce::bounced(incident, delivery, reason, now),
        Input::Repeat { severity, key } => open::repeat(incident, severity, key, now),
        Input::Update { update, round } => people::update(incident, update, round, now),
        Input::ClockWentBack { lease } => clock_back::clock_went_back(incident, lease, now),
    };
    sooner(incident, decision)
}

/// This version does nothing on time to an incident in a newer format, because it would do it wrongly. It records
/// people's updates and outcomes as far as it can read the record.
fn left_to_newer(incident: &Incident, input: &Input<'_>) -> Option<Decision> {
    if !incident.is_left_to_newer() {
        return None;
    }
    match input {
        Input::Due { .. } | Input::Woken { .. } | Input::ClockWentBack { .. } => Some(Decision::Nothing),
        Input::Update { .. } => incident.in_part.then_some(Decision::Refuse(Refusal::NewerFormat)),
        // What is being sent may go on.
        Input::Renew { .. }
        | Input::Outcome { .. }
        | Input::NotBegun { .. }
        | Input::Bounced { .. }
        | Input::Repeat { .. } => incident.in_part.then_some(Decision::Nothing),
    }
}

/// If somebody's update made it due sooner, its scheduler must be told: nothing else would wake it.
///
/// What time itself causes (leases and their outcomes) happens in the presence of its scheduler.
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

fn change(mut incident: Incident, sends: Vec<Dispatch>, now: DateTime<Utc>) -> Decision {
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
