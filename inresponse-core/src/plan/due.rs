//! Decides what to do when an incident is due.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::claim_notice::{self, Stopped};
use super::decision::{Decision, Dispatch, change};
use super::handover::{self, Matured};
use super::hold::{Held, Hold};
use super::ladder::{self, Rung};
use super::limited;
use super::personal;
use super::round::{NextRound, RoundOf, begin_round, next_of};
use super::{call_in, claim_end, defer};
use crate::clock::later;
use crate::model::{
    BegunLevel, Delivery, DeliveryKey, DeliveryStatus, Event, Incident, LastOutcome, Level, OutcomeKind,
    Purpose, State,
};

/// A delivery is dead once this many processes have died while they sent it.
pub const MAX_EXPIRED: u32 = 5;

/// Does everything that is due of an incident.
pub(super) fn due(
    incident: &Incident,
    lease: Duration,
    hold: &dyn Hold,
    round: Option<NextRound>,
    now: DateTime<Utc>,
) -> Decision {
    let mut incident = incident.clone();
    let mut changed = false;
    for mature in [handover::mature, claim_end::mature] {
        match mature(&mut incident, round.as_ref(), now) {
            Matured::Nothing => {}
            Matured::Changed => changed = true,
            Matured::NeedsRound(of) => return Decision::NeedsRound(of),
        }
    }
    match defer::mature(&mut incident, hold.quiet(), round.as_ref(), now) {
        Matured::Nothing => {}
        Matured::Changed => changed = true,
        Matured::NeedsRound(of) => return Decision::NeedsRound(of),
    }
    changed |= defer::before_alerting(&mut incident, hold.quiet(), now);
    changed |= claim_notice::stop_outdated(&mut incident, now) == Stopped::Some;
    let alerts = incident.state == State::Open && incident.quiet.is_none();
    let mut due = Due { incident, lease, hold, now, sends: Vec::new(), changed };

    // The people who were being alerted come first: after an outage the on-call engineer, not everyone at once.
    let renewal_held = due.expire_leases();
    if alerts && !renewal_held {
        due.begin_unsent_again();
        match due.climb(round) {
            Climb::Rested => {}
            Climb::NeedsRound(of) => return Decision::NeedsRound(of),
        }
    }
    // Only now, so that nothing is sent for a round that is just over.
    due.lease_pending();
    if due.changed { change(due.incident, due.sends, now) } else { Decision::Nothing }
}

/// Renews the lease of a long send, as long as its process lives (promise 10).
///
/// The new end uses the current clock, even if the clock went back. Nothing is changed if the attempt is no longer in
/// flight, or if no other process would begin it because the incident's state or a new round ends it.
pub(super) fn renew(
    incident: &Incident,
    key: DeliveryKey,
    attempt: u32,
    lease: Duration,
    now: DateTime<Utc>,
) -> Decision {
    let until = later(now, lease);
    let is_this = |d: &Delivery| {
        let ends_otherwise = matches!(d.status, DeliveryStatus::InFlight { until: end } if end != until);
        d.key() == key && d.attempts == attempt && ends_otherwise
    };
    let Some(i) = incident.deliveries.iter().position(|d| is_this(d) && incident.wants(d)) else {
        return Decision::Nothing;
    };
    let mut next = incident.clone();
    next.deliveries[i].status = DeliveryStatus::InFlight { until };
    change(next, Vec::new(), now)
}

enum Climb {
    Rested,
    NeedsRound(RoundOf),
}

struct Due<'a> {
    incident: Incident,
    lease: Duration,
    hold: &'a dyn Hold,
    now: DateTime<Utc>,
    sends: Vec<Dispatch>,
    changed: bool,
}

impl Due<'_> {
    /// Records leases that ended before an outcome came, and makes their deliveries due again.
    ///
    /// A level without any recorded outcome begins again with its first repeat, once (promise 8). Returns whether such
    /// a level waits for a delivery that is held back; the next level waits with it.
    fn expire_leases(&mut self) -> bool {
        let (mut renewal_held, mut expired) = (false, Vec::new());
        for i in 0..self.incident.deliveries.len() {
            let delivery = &self.incident.deliveries[i];
            let ended = matches!(delivery.status, DeliveryStatus::InFlight { until } if until <= self.now);
            if !ended || !self.incident.wants(delivery) {
                continue;
            }
            let purpose = delivery.purpose;
            let renewable = purpose.level().filter(|level| self.is_renewable(*level));
            if self.held(delivery) == Held::InFlight {
                renewal_held |= renewable.is_some();
                continue;
            }
            let delivery = &mut self.incident.deliveries[i];
            delivery.expired.push(delivery.attempts);
            self.changed = true;
            if delivery.expired() >= MAX_EXPIRED {
                let detail = "the process died during the send too often";
                delivery.last = Some(LastOutcome::new(OutcomeKind::Expired, detail, self.now));
                delivery.status = DeliveryStatus::Dead { at: self.now };
                note_dead_level(&mut self.incident, purpose, self.now);
                continue;
            }
            delivery.status = DeliveryStatus::Pending { due_at: self.now };
            expired.push(i);
            if let Some(level) = renewable {
                self.begin_again(level);
            }
        }
        // An expiry is not an outcome, so it is noted only after every delivery of the level was looked at.
        for i in expired {
            self.incident.deliveries[i].last = Some(LastOutcome::new(OutcomeKind::Expired, "", self.now));
        }
        if self.changed {
            limited::try_again(&mut self.incident, self.now);
        }
        renewal_held
    }

    /// A level that began without a slot begins again, once (promise 8), if its first send is late or the next level
    /// would overtake it, and the process that let it wait may have died. So after an outage the on-call engineer is
    /// alerted first.
    fn begin_unsent_again(&mut self) {
        let Some(begun) = self.incident.begun.last().filter(|begun| !begun.again && begun.at < self.now)
        else {
            return;
        };
        // A person who escalates waits for nobody.
        if begun.passed_at.is_some() || self.hold.has_let_it_wait() {
            return;
        }
        let level = begun.level;
        let unsent = |d: &Delivery| d.attempts == 0 && matches!(d.status, DeliveryStatus::Pending { .. });
        let deliveries = || self.incident.level_deliveries(level);
        let is_free = |d: &Delivery| {
            let is_due = matches!(d.status, DeliveryStatus::Pending { due_at } if due_at <= self.now);
            is_due && self.held(d) == Held::Free
        };
        let next_at = ladder::next(&self.incident).map(|next| next.at);
        let is_overtaken = next_at.is_some_and(|at| at <= self.now);
        // Otherwise enough of the wait is left for whom it alerts now.
        let is_late = next_at.is_some_and(|at| at <= later(self.now, self.lease));
        let waits = deliveries().next().is_some() && deliveries().all(unsent);
        let is_leased_now = deliveries().any(is_free);
        if waits && ((is_leased_now && is_late) || is_overtaken) {
            self.begin_again(level);
            // A lease that is lost may begin it again once more; to wait for a slot again may not.
            if is_leased_now && let Some(begun) = self.incident.begun.last_mut() {
                begun.again = false;
            }
            self.changed = true;
        }
    }

    fn is_renewable(&self, level: Level) -> bool {
        let latest = self.incident.begun.last().is_some_and(|b| b.level == level && !b.again);
        latest && self.incident.level_deliveries(level).all(|d| d.last.is_none())
    }

    fn begin_again(&mut self, level: Level) {
        if let Some(begun) = self.incident.begun.last_mut() {
            begun.at = self.now;
            begun.again = true;
        }
        personal::move_steps(&mut self.incident, level, self.now);
        let event = Event::LevelBeganAgain { round: self.incident.round, level };
        self.incident.timeline.push(self.now, event);
    }

    /// Leases every pending delivery of this round that is due and not held back.
    fn lease_pending(&mut self) {
        for i in 0..self.incident.deliveries.len() {
            let delivery = &self.incident.deliveries[i];
            let due = matches!(delivery.status, DeliveryStatus::Pending { due_at } if due_at <= self.now);
            if due && self.incident.wants(delivery) && self.held(delivery) == Held::Free {
                self.lease(i);
            }
        }
    }

    /// Whether the first attempt of a later step is leased now.
    fn leases_a_step(&self) -> bool {
        self.incident.current_deliveries().any(|d| {
            let is_due = matches!(d.status, DeliveryStatus::Pending { due_at } if due_at <= self.now);
            d.purpose.level().is_some() && d.is_later_step() && is_due && self.held(d) == Held::Free
        })
    }

    fn lease(&mut self, i: usize) {
        let lease_until = later(self.now, self.lease);
        let delivery = &mut self.incident.deliveries[i];
        delivery.attempts += 1;
        delivery.status = DeliveryStatus::InFlight { until: lease_until };
        self.sends.push(Dispatch {
            delivery: delivery.key(),
            attempt: delivery.attempts,
            contact: delivery.contact.clone(),
            lease_until,
        });
        self.changed = true;
    }

    fn held(&self, delivery: &Delivery) -> Held {
        self.hold.held(&self.incident.delivery_id(delivery.key()), &delivery.contact)
    }

    /// Begins every rung whose turn has come; more than one if a level is empty or dead.
    fn climb(&mut self, round: Option<NextRound>) -> Climb {
        while let Some(next) = ladder::next(&self.incident) {
            if next.at > self.now {
                break;
            }
            match next.rung {
                Rung::Level(n) => {
                    if !self.begin_level(Level::At(n), next.at) {
                        break;
                    }
                }
                // The last step is due at the same time, and the new round would stop it.
                Rung::RepeatRound if self.leases_a_step() => break,
                Rung::RepeatRound => {
                    let Some(round) = round.clone() else {
                        return Climb::NeedsRound(next_of(&self.incident));
                    };
                    self.incident.repeats_done += 1;
                    begin_round(&mut self.incident, round, self.now);
                    self.changed = true;
                    // The round may be that of another team, which has other alert hours.
                    if defer::before_alerting(&mut self.incident, self.hold.quiet(), self.now) {
                        break;
                    }
                }
                Rung::Fallback => {
                    if !self.begin_level(Level::Fallback, next.at) {
                        break;
                    }
                    self.exhaust();
                }
                Rung::Over => self.exhaust(),
            }
        }
        Climb::Rested
    }

    /// Begins a level, whose sends are leased next. Returns whether it has begun: it has not if all of its deliveries
    /// are still in flight.
    ///
    /// The level begins even if no sending slot is free for its contacts (promise 8), so that a hanging contact delays
    /// no later level.
    fn begin_level(&mut self, level: Level, due_at: DateTime<Utc>) -> bool {
        let round = self.incident.round;
        let begun = BegunLevel::new(level, self.now);
        let (mut deliveries, left_out) = personal::beginning(&self.incident, level, self.now);
        if deliveries.is_empty() {
            self.incident.begun.push(begun);
            self.incident.timeline.push(self.now, Event::LevelEmpty { round, level });
            self.changed = true;
            return true;
        }
        for first in deliveries.iter_mut().filter(|delivery| delivery.after.is_zero()) {
            first.since = due_at.min(self.now);
        }
        let first = || deliveries.iter().filter(|delivery| delivery.after.is_zero());
        let is_in_flight = |delivery: &Delivery| self.held(delivery) == Held::InFlight;
        if first().next().is_some() && first().all(is_in_flight) {
            return false;
        }
        let contacts = first().map(|delivery| delivery.contact.clone()).collect();
        self.incident.deliveries.extend(deliveries);
        self.incident.begun.push(begun);
        self.incident.timeline.push(self.now, Event::LevelBegan { round, level, contacts });
        personal::note_cut(&mut self.incident, left_out, self.now);
        self.changed = true;
        true
    }

    fn exhaust(&mut self) {
        self.incident.exhausted = true;
        self.incident.timeline.push(self.now, Event::Unclaimed);
        self.changed = true;
    }
}

/// A delivery of that purpose died in this round: the person's next step may be due at once. Notes in the timeline that
/// its level is dead, if it now is; and that nobody can be notified of a handover.
pub(super) fn note_dead_level(incident: &mut Incident, of: Purpose, now: DateTime<Utc>) {
    handover::learn(incident, now);
    match of {
        Purpose::Alert(level) => personal::hasten(incident, level, now),
        Purpose::CallIn(_) => call_in::hasten(incident, of, now),
        Purpose::StatusUpdate(_) => {}
    }
    if let Purpose::Alert(level) = of
        && incident.level_deliveries(level).all(Delivery::is_dead)
    {
        let event = Event::LevelDead { round: incident.round, level };
        incident.timeline.push(now, event);
    }
}
