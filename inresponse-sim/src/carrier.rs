//! Simulated carriers and inboxes: they decide what happens to a message.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::model::{Contact, DeliveryStatus, Purpose};
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};

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
    /// Whether many alerts go out in one message.
    pub bundling: Bundling,
}

/// Whether a carrier takes many alerts in one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundling {
    /// Each alert is a message.
    Off,
    /// Many alerts may be one message.
    On,
}

/// Records how an attempt ended, even if it is dropped.
#[derive(Debug)]
pub struct Attempt<'a> {
    world: &'a World,
    /// The first of its sends, and the number of sends: one for each alert in the message.
    first: usize,
    sends: usize,
}

impl Attempt<'_> {
    fn range(&self) -> Range<usize> {
        self.first..self.first + self.sends
    }

    fn arrive(&self) {
        let mut state = self.world.lock();
        let now = state.now();
        state.history.sends[self.range()].iter_mut().for_each(|send| send.arrived = Some(now));
        drop(state);
        self.world.note(|| format!("send {} arrives", self.first));
    }

    /// Records what the engine is told.
    pub fn tell(&self, told: Told, outcome: Outcome) -> Outcome {
        let mut state = self.world.lock();
        state.history.sends[self.range()].iter_mut().for_each(|send| send.told = Some(told));
        drop(state);
        self.world.note(|| format!("send {} ended with {told:?}", self.first));
        outcome
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.world.lock();
        let now = state.now();
        state.history.sends[self.range()].iter_mut().for_each(|send| send.ended = Some(now));
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

    /// Records an attempt that begins, with all alerts of its message.
    pub fn begin(&self, alerts: &[Alert]) -> Attempt<'_> {
        let first = self.world.lock().history.sends.len();
        alerts.iter().for_each(|alert| self.begin_one(alert, first));
        Attempt { world: &self.world, first, sends: alerts.len() }
    }

    fn begin_one(&self, alert: &Alert, message: usize) {
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
            severity,
            message,
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
            format!(
                "server {host}: send {i} of {id} #{attempt} {what}, {}, in message {message}",
                alert.contact()
            )
        });
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
        self.take(alert.contact(), std::slice::from_ref(alert), deadline).await
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        match self.bundling {
            Bundling::Off => None,
            Bundling::On => Some(self),
        }
    }
}

#[async_trait]
impl NotifyBundle for HostCarrier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        self.take(bundle.contact(), bundle.alerts(), deadline).await
    }
}

impl HostCarrier {
    /// What happens to a message.
    async fn take(&self, contact: &Contact, alerts: &[Alert], deadline: Duration) -> Outcome {
        if !self.world.lives(self.process) {
            std::future::pending::<()>().await;
        }
        let attempt = self.begin(alerts);
        self.world.sleep(self.latency(0, 20 * MILLI)).await;
        self.may_crash(Fault::CrashBeforeArrival).await;
        match self.mood(contact) {
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
