//! Simulated carriers and inboxes: they decide what happens to a message.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::model::{Contact, DeliveryStatus, Purpose};
use inresponse_core::notify::{Alert, Notifier, Outcome};

use crate::fault::Fault;
use crate::history::{Sent, Told};
use crate::scenario::Mood;
use crate::world::{MILLI, Micros, Process, SECOND, World, micros};

/// The text of a simulated panic.
const SIMULATED: &str = "a simulated panic";

/// The carriers as one process reaches them.
#[derive(Debug)]
pub struct HostCarrier {
    /// The simulated world.
    pub world: Arc<World>,
    /// The process that sends.
    pub process: Process,
    /// The carriers with a fixed behaviour, by contact.
    pub moods: Arc<BTreeMap<Contact, Mood>>,
}

/// Records how an attempt ended, even if it is dropped.
#[derive(Debug)]
pub struct Attempt<'a> {
    world: &'a World,
    i: usize,
}

impl Attempt<'_> {
    fn arrive(&self) {
        let mut state = self.world.lock();
        let now = state.now();
        state.history.sends[self.i].arrived = Some(now);
        drop(state);
        self.world.note(|| format!("send {} arrives", self.i));
    }

    /// Records what the engine is told.
    pub fn tell(&self, told: Told, outcome: Outcome) -> Outcome {
        self.world.lock().history.sends[self.i].told = Some(told);
        self.world.note(|| format!("send {} ended with {told:?}", self.i));
        outcome
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        let now = state.now();
        state.history.sends[self.i].ended = Some(now);
    }
}

impl HostCarrier {
    fn strikes(&self, fault: Fault) -> bool {
        self.world.lock().faults.strikes(fault)
    }

    /// Decides whether the process crashes here. After a crash this function never returns.
    async fn may_crash(&self, fault: Fault) {
        if self.world.lives(self.process) && self.strikes(fault) {
            self.world.crash(self.process, fault);
        }
        if !self.world.lives(self.process) {
            std::future::pending::<()>().await;
        }
    }

    /// Records an attempt that begins.
    pub fn begin(&self, alert: &Alert) -> Attempt<'_> {
        let incident = alert.incident();
        let own =
            incident.deliveries().iter().find(|d| incident.delivery_id(d.key()) == *alert.delivery_id());
        let lease_until = own.and_then(|d| match d.status() {
            DeliveryStatus::InFlight { until } => Some(until),
            _ => None,
        });
        let level = alert.purpose().level();
        let after = own.map_or(Duration::ZERO, |own| own.after());
        let matrix = incident.matrix();
        let (contact, severity) = (alert.contact(), incident.severity());
        let called = own.and_then(|own| own.called()).and_then(|called| called.people.first());
        let of_call = called.and_then(|person| {
            let mut having = matrix.recipients().iter();
            having.find(|one| one.contact == *contact && one.person == *person)
        });
        let of_level = level.and_then(|level| matrix.recipient_after(level, contact, after, severity));
        let recipient = of_level.or(of_call);
        let wall = self.world.wall(self.process.host);
        let mut state = self.world.lock();
        let (began, i) = (state.now(), state.history.sends.len());
        state.history.sends.push(Sent {
            began,
            wall,
            process: self.process,
            number: incident.number(),
            title: incident.title().to_owned(),
            delivery: alert.delivery_id().as_str().to_owned(),
            attempt: alert.attempt(),
            round: alert.round(),
            purpose: alert.purpose(),
            contact: alert.contact().clone(),
            after: after.as_secs(),
            person: recipient.map(|one| (one.person.clone(), one.method.clone())),
            announces: alert.claim_ends_at(),
            lease_until,
            arrived: None,
            ended: None,
            told: None,
        });
        drop(state);
        self.world.note(|| {
            let (id, attempt) = (alert.delivery_id(), alert.attempt());
            let what = match alert.purpose() {
                Purpose::Alert(level) => format!("to level {level}"),
                Purpose::CallIn(_) => "as a call".to_owned(),
                Purpose::StatusUpdate(_) => "as a status update".to_owned(),
            };
            let host = self.process.host;
            format!("server {host}: send {i} of {id} #{attempt} {what}, {}", alert.contact())
        });
        Attempt { world: &self.world, i }
    }

    /// The outcome that the fixed behaviour of a contact's carrier gives an attempt, as long as it applies.
    fn mood(&self, contact: &Contact) -> Option<Mood> {
        let mood = *self.moods.get(contact)?;
        let fault = match mood {
            Mood::Refuses => Fault::Rejected,
            Mood::Away => Fault::Unavailable,
            Mood::Hangs => Fault::HangLost,
            Mood::Panics => Fault::Panic,
        };
        self.world.lock().faults.take(fault).then_some(mood)
    }

    fn latency(&self, from: Micros, to: Micros) -> Micros {
        self.world.lock().chance.between(from, to)
    }
}

#[async_trait]
impl Notifier for HostCarrier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        if !self.world.lives(self.process) {
            std::future::pending::<()>().await;
        }
        let attempt = self.begin(alert);
        self.world.sleep(self.latency(0, 20 * MILLI)).await;
        self.may_crash(Fault::CrashBeforeArrival).await;
        match self.mood(alert.contact()) {
            Some(Mood::Refuses) => return attempt.tell(Told::Rejected, Outcome::rejected("550 unknown")),
            Some(Mood::Away) => return attempt.tell(Told::Unavailable, Outcome::unavailable("421 away")),
            Some(Mood::Hangs) => std::future::pending::<()>().await,
            Some(Mood::Panics) => std::panic::resume_unwind(Box::new(SIMULATED)),
            None => {}
        }
        if self.strikes(Fault::Rejected) {
            return attempt.tell(Told::Rejected, Outcome::rejected("550 no"));
        }
        if self.strikes(Fault::Throttled) {
            let after = Duration::from_millis(self.latency(0, 40_000));
            return attempt.tell(Told::Throttled, Outcome::throttled(after, "450 slower"));
        }
        if self.strikes(Fault::Unavailable) {
            return attempt.tell(Told::Unavailable, Outcome::unavailable("421 later"));
        }
        if self.strikes(Fault::UnknownLost) {
            return attempt.tell(Told::Unknown, Outcome::unknown("connection lost"));
        }
        if self.strikes(Fault::HangLost) {
            std::future::pending::<()>().await;
        }
        if self.strikes(Fault::SlowCarrier) {
            let most = micros(deadline).saturating_sub(SECOND / 2);
            self.world.sleep(self.latency(100 * MILLI, most)).await;
        }
        if self.strikes(Fault::Panic) {
            if self.latency(0, 1) == 0 {
                attempt.arrive();
            }
            std::panic::resume_unwind(Box::new(SIMULATED));
        }
        attempt.arrive();
        self.may_crash(Fault::CrashAfterArrival).await;
        if self.strikes(Fault::HangArrived) {
            std::future::pending::<()>().await;
        }
        if self.strikes(Fault::LostReply) {
            return attempt.tell(Told::Unknown, Outcome::unknown("no reply"));
        }
        self.world.sleep(self.latency(0, 20 * MILLI)).await;
        attempt.tell(Told::Accepted, Outcome::Accepted)
    }
}
