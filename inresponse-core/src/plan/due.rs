//! What to do now that time has come.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::ladder::{self, Rung};
use super::{Decision, Hold, MAX_EXPIRED, Send, change, last_outcome, later, stop_pending};
use crate::model::{
    BegunLevel, Delivery, DeliveryKey, DeliveryStatus, Event, Incident, Level, Matrix, OutcomeKind, State,
    Unknown,
};
use crate::planted::planted;

/// How many deliveries of earlier rounds are kept, to be read and to be found by outcomes that come late.
const KEPT_DELIVERIES: usize = 24;

pub(super) fn due(
    incident: &Incident,
    lease: Duration,
    hold: &dyn Hold,
    matrix: Option<Matrix>,
    now: DateTime<Utc>,
) -> Decision {
    let alerts = match incident.state {
        State::Open => true,
        State::Claimed => planted!(ClaimLeavesPending),
        State::Resolved => false,
    };
    let mut due =
        Due { incident: incident.clone(), alerts, lease, hold, now, sends: Vec::new(), changed: false };

    // Whoever was being alerted comes first: after an outage the on-call engineer, not everyone at once.
    let renewal_held = due.expire_leases();
    if alerts && !renewal_held {
        match due.climb(matrix) {
            Climb::Rested => {}
            Climb::NeedsMatrix => return Decision::NeedsMatrix,
        }
    }
    // Only now, so that nothing is sent for a round that is just over.
    due.lease_pending();
    if due.changed { change(due.incident, due.sends, now) } else { Decision::Nothing }
}

enum Climb {
    Rested,
    NeedsMatrix,
}

struct Due<'a> {
    incident: Incident,
    /// Where nobody is to be alerted, there may still be news to tell.
    alerts: bool,
    lease: Duration,
    hold: &'a dyn Hold,
    now: DateTime<Utc>,
    sends: Vec<Send>,
    changed: bool,
}

impl Due<'_> {
    /// Takes note of leases that ended before an outcome came, and makes their deliveries due again.
    ///
    /// Promise 8: a level of which no outcome was ever recorded begins anew with its first repeat, once.
    /// Answers whether such a level waits for a delivery that is held back; the next level waits with it.
    fn expire_leases(&mut self) -> bool {
        let (mut renewal_held, mut expired) = (false, Vec::new());
        for i in 0..self.incident.deliveries.len() {
            let delivery = &self.incident.deliveries[i];
            let ended = matches!(delivery.status, DeliveryStatus::InFlight { until } if until <= self.now);
            if !ended || !self.is_of_now(delivery) {
                continue;
            }
            let renewable = self.is_renewable(delivery.level);
            if self.is_held(delivery.key()) {
                renewal_held |= renewable;
                continue;
            }
            let level = delivery.level;
            let delivery = &mut self.incident.deliveries[i];
            delivery.expired.push(delivery.attempts);
            self.changed = true;
            if delivery.expired() >= MAX_EXPIRED || planted!(ExpiredIsDead) {
                let detail = "ended its process in mid-send too often";
                delivery.last = last_outcome(OutcomeKind::Expired, detail, self.now);
                delivery.status = DeliveryStatus::Dead { at: self.now };
                note_dead_level(&mut self.incident, level, self.now);
                continue;
            }
            delivery.status = DeliveryStatus::Pending { due_at: self.now };
            expired.push(i);
            if renewable && !planted!(NeverAnew) {
                self.begin_anew(level);
            }
        }
        // An expiry is not an outcome, so it is noted only after every delivery of the level was looked at.
        for i in expired {
            self.incident.deliveries[i].last = last_outcome(OutcomeKind::Expired, "", self.now);
        }
        renewal_held
    }

    fn is_renewable(&self, level: Level) -> bool {
        let latest = self.incident.begun.last().is_some_and(|b| b.level == level && !b.anew);
        latest && self.incident.level_deliveries(level).all(|d| d.last.is_none())
    }

    fn begin_anew(&mut self, level: Level) {
        if let Some(begun) = self.incident.begun.last_mut() {
            begun.at = self.now;
            begun.anew = true;
        }
        let event = Event::LevelBeganAnew { round: self.incident.round, level };
        self.incident.timeline.push(self.now, event);
    }

    /// Leases every pending delivery of this round that is due and not held back.
    fn lease_pending(&mut self) {
        for i in 0..self.incident.deliveries.len() {
            let delivery = &self.incident.deliveries[i];
            let due = matches!(delivery.status, DeliveryStatus::Pending { due_at } if due_at <= self.now);
            if due && self.is_of_now(delivery) && !self.is_held(delivery.key()) {
                self.lease(i);
            }
        }
    }

    fn lease(&mut self, i: usize) {
        let lease_until = later(self.now, self.lease);
        let delivery = &mut self.incident.deliveries[i];
        delivery.attempts += 1;
        delivery.status = DeliveryStatus::InFlight { until: lease_until };
        self.sends.push(Send {
            delivery: delivery.key(),
            attempt: delivery.attempts,
            contact: delivery.contact.clone(),
            lease_until,
        });
        self.changed = true;
    }

    fn is_of_now(&self, delivery: &Delivery) -> bool {
        delivery.round == self.incident.round && (self.alerts || delivery.is_news())
    }

    fn is_held(&self, key: DeliveryKey) -> bool {
        self.hold.holds(&self.incident.delivery_id(key))
    }

    /// Begins every rung whose turn has come; more than one where a level is empty or dead.
    fn climb(&mut self, matrix: Option<Matrix>) -> Climb {
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
                Rung::RepeatRound => {
                    let Some(matrix) = matrix.clone() else { return Climb::NeedsMatrix };
                    let matrix = if planted!(OldMatrix) { self.incident.matrix.clone() } else { matrix };
                    self.incident.repeats_done += 1;
                    begin_round(&mut self.incident, matrix, self.now);
                    self.changed = true;
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

    /// Begins a level, whose sends are leased next. Answers whether it has begun: not if all is held back.
    fn begin_level(&mut self, level: Level, due_at: DateTime<Utc>) -> bool {
        let round = self.incident.round;
        let contacts = self.incident.matrix.contacts(level).to_vec();
        let at = if planted!(BegunWhenDue) { due_at.min(self.now) } else { self.now };
        let mut begun = BegunLevel::new(level, at);
        if planted!(EscalationCascades) {
            begun.passed_at = self.incident.begun.last().and_then(|before| before.passed_at);
        }
        if contacts.is_empty() {
            self.incident.begun.push(begun);
            self.incident.timeline.push(self.now, Event::LevelEmpty { round, level });
            self.changed = true;
            return true;
        }
        let keys = (0..=u16::MAX).map(|place| DeliveryKey { round, level, place });
        if contacts.iter().zip(keys.clone()).all(|(_, key)| self.is_held(key)) {
            return false;
        }
        for (contact, key) in contacts.iter().zip(keys) {
            self.incident.deliveries.push(Delivery {
                round,
                level,
                place: key.place,
                contact: contact.clone(),
                status: DeliveryStatus::Pending { due_at: self.now },
                attempts: 0,
                expired: Vec::new(),
                since: due_at.min(self.now),
                last: None,
                unknown: Unknown::default(),
            });
        }
        self.incident.begun.push(begun);
        self.incident.timeline.push(self.now, Event::LevelBegan { round, level, contacts });
        self.changed = true;
        true
    }

    fn exhaust(&mut self) {
        self.incident.exhausted = true;
        self.incident.timeline.push(self.now, Event::Unclaimed);
        self.changed = true;
    }
}

/// Begins a round at level 1, at once, with a matrix frozen now. What was pending is stopped.
pub(super) fn begin_round(incident: &mut Incident, matrix: Matrix, now: DateTime<Utc>) {
    stop_pending(incident, now);
    incident.round += 1;
    incident.round_began_at = now;
    incident.matrix = matrix;
    incident.begun.clear();
    incident.news = 0;
    forget_oldest(incident, now);
    incident.timeline.push(now, Event::RoundBegan { round: incident.round });
}

/// Promise 7: of earlier rounds a bounded number stays; longest what is in flight, so that its outcome finds it.
fn forget_oldest(incident: &mut Incident, now: DateTime<Utc>) {
    let mut surplus = incident.deliveries.len().saturating_sub(KEPT_DELIVERIES);
    let in_flight = |d: &Delivery| matches!(d.status, DeliveryStatus::InFlight { until } if until > now);
    for also_in_flight in [false, true] {
        incident.deliveries.retain(|d| {
            let drop = surplus > 0 && (also_in_flight || !in_flight(d));
            surplus -= usize::from(drop);
            !drop
        });
    }
}

/// Notes in the timeline that a level of this round is dead, if it now is.
pub(super) fn note_dead_level(incident: &mut Incident, level: Level, now: DateTime<Utc>) {
    let is_news = matches!(level, Level::News(_));
    if !is_news && incident.level_deliveries(level).all(Delivery::is_dead) {
        let event = Event::LevelDead { round: incident.round, level };
        incident.timeline.push(now, event);
    }
}
