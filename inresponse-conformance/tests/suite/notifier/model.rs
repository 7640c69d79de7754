//! A notifier and its carrier in some lines, sound or with one defect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::Defect::{self, *};

const PASSWORD: &str = "the-password";

/// Everybody's mailboxes, and how each of them meets an attempt.
#[derive(Debug, Default)]
struct Carrier {
    behaviours: BTreeMap<Contact, Behaviour>,
    attempts: BTreeMap<Contact, usize>,
    arrived: BTreeMap<Contact, Vec<Arrival>>,
}

/// What a notifier hears from the carrier, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Taken,
    Refused,
    SenderRefused,
    Busy,
    Pause(Duration),
    NobodyThere,
    Lost,
}

#[derive(Debug, Clone)]
pub(crate) struct Models {
    defect: Defect,
    carrier: Arc<Mutex<Carrier>>,
}

pub(crate) fn harness(defect: Defect) -> Models {
    Models { defect, carrier: Arc::default() }
}

impl Models {
    fn carrier(&self) -> MutexGuard<'_, Carrier> {
        self.carrier.lock().unwrap()
    }

    async fn hand_over(&self, contact: &Contact, message: Arrival) -> Reply {
        yield_now().await;
        let behaviour = {
            let mut carrier = self.carrier();
            let behaviour = carrier.behaviours.get(contact).copied().unwrap_or(Behaviour::Accept);
            if behaviour != Behaviour::Unreachable {
                *carrier.attempts.entry(contact.clone()).or_default() += 1;
            }
            let takes = [Behaviour::Accept, Behaviour::TakeAndHang, Behaviour::TakeAndClose];
            if takes.contains(&behaviour) {
                carrier.arrived.entry(contact.clone()).or_default().push(message);
            }
            behaviour
        };
        match behaviour {
            Behaviour::Accept => Reply::Taken,
            Behaviour::Reject => Reply::Refused,
            Behaviour::RefuseSender => Reply::SenderRefused,
            Behaviour::Busy => Reply::Busy,
            Behaviour::Throttle => Reply::Pause(Behaviour::PAUSE),
            Behaviour::Unreachable => Reply::NobodyThere,
            Behaviour::TakeAndClose => Reply::Lost,
            Behaviour::Hang | Behaviour::TakeAndHang => pending().await,
        }
    }
}

impl NotifierHarness for Models {
    type Notifier = Model;

    async fn notifier(&self) -> Model {
        let post = self.clone();
        Model { post, notes: Mutex::default(), one: Semaphore::new(1), slots: Semaphore::new(8) }
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("x-model:{n}")).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.carrier().behaviours.insert(contact.clone(), behaviour);
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.carrier().attempts.get(contact).copied().unwrap_or(0)
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        self.carrier().arrived.get(contact).cloned().unwrap_or_default()
    }

    fn secrets(&self) -> Vec<String> {
        vec![PASSWORD.to_owned()]
    }
}

/// What a notifier remembers from one alert to another: for defects only.
#[derive(Debug, Default)]
struct Notes {
    message: Option<Arrival>,
    link: String,
    avoided: BTreeSet<Contact>,
    refused: bool,
    disconnected: bool,
}

pub(crate) struct Model {
    post: Models,
    notes: Mutex<Notes>,
    one: Semaphore,
    slots: Semaphore,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.post.defect {
            shows_its_password => PASSWORD.to_owned(),
            shows_the_last_link => self.notes().link.clone(),
            _ => "…".to_owned(),
        };
        f.debug_tuple("Model").field(&shown).finish()
    }
}

impl Model {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    /// What goes out: mostly one message.
    fn messages(&self, alert: &Alert) -> Vec<Arrival> {
        let incident = alert.incident();
        let (number, link) = (incident.number(), alert.claim_url().unwrap_or_default());
        let text = format!("#{number} {}\n\n{}\n\n{link}", incident.title(), incident.message());
        let mut delivery_id = alert.delivery_id().to_string();
        match self.post.defect {
            names_no_delivery => delivery_id.clear(),
            names_each_attempt => delivery_id = format!("{delivery_id}-{}", alert.attempt()),
            names_the_incident_only => delivery_id = number.to_string(),
            takes_headers_from_the_text => {
                if let Some((_, forged)) = text.split_once("X-InResponse-Delivery: ") {
                    delivery_id = forged.lines().next().unwrap_or_default().to_owned();
                }
            }
            _ => {}
        }
        match self.post.defect {
            names_no_incident => vec![Arrival { delivery_id, text: incident.title().to_owned() }],
            delivers_twice => vec![Arrival { delivery_id, text }; 2],
            accepts_without_delivering => Vec::new(),
            holds_repeats_back if alert.attempt() > 1 => Vec::new(),
            ends_messages_at_a_dot => {
                let ends = text.replace("\r\n", "\n");
                let parts = ends.split("\n.\n").map(str::to_owned);
                parts.map(|text| Arrival { delivery_id: delivery_id.clone(), text }).collect()
            }
            _ => vec![Arrival { delivery_id, text }],
        }
    }

    async fn send(&self, alert: &Alert) -> Reply {
        let mut reply = Reply::Taken;
        self.notes().link = alert.claim_url().unwrap_or_default().to_owned();
        for mut message in self.messages(alert) {
            match self.post.defect {
                keeps_the_alert_it_sends_in_a_field => {
                    self.notes().message = Some(message.clone());
                    yield_now().await;
                    message = self.notes().message.clone().unwrap();
                }
                keeps_the_link_it_sends_in_a_field => {
                    yield_now().await;
                    message.text += &self.notes().link;
                }
                _ => {}
            }
            reply = self.post.hand_over(alert.contact(), message).await;
        }
        reply
    }

    /// One attempt, or what a defect makes of it.
    async fn attempt(&self, alert: &Alert) -> Reply {
        let reply = self.send(alert).await;
        let again = match (self.post.defect, reply) {
            (tries_a_refusal_again, Reply::Refused) => Some(Duration::ZERO),
            (retries_by_itself, Reply::Busy) => Some(Duration::from_secs(1)),
            (waits_and_tries_again, Reply::Pause(pause)) => Some(pause),
            (sends_again_when_the_reply_is_lost, Reply::Lost) => Some(Duration::ZERO),
            _ => None,
        };
        match again {
            Some(pause) => {
                sleep(pause).await;
                self.send(alert).await
            }
            None => reply,
        }
    }

    fn outcome(&self, alert: &Alert, reply: Option<Reply>) -> Outcome {
        let refused = || Outcome::rejected("refused for good");
        let down = || Outcome::unavailable("it did not work");
        let unknown = || Outcome::unknown("no reply");
        let mut notes = self.notes();
        match reply {
            Some(Reply::Refused) => notes.refused = true,
            Some(Reply::Busy) => _ = notes.avoided.insert(alert.contact().clone()),
            Some(Reply::NobodyThere | Reply::Lost) => notes.disconnected = true,
            Some(Reply::Taken | Reply::SenderRefused | Reply::Pause(_)) | None => {}
        }
        let taken = !self.post.carrier().arrived.is_empty();
        match (self.post.defect, reply) {
            (takes_every_error_for_accepted, _) => Outcome::Accepted,
            (says_its_password, Some(Reply::Taken)) => Outcome::unavailable(PASSWORD),
            (takes_a_refusal_for_an_outage, Some(Reply::Refused)) => down(),
            (takes_a_refused_sender_for_a_refusal, Some(Reply::SenderRefused)) => refused(),
            (takes_busy_for_a_refusal, Some(Reply::Busy)) => refused(),
            (takes_busy_for_accepted, Some(Reply::Busy)) => Outcome::Accepted,
            (takes_busy_for_unknown, Some(Reply::Busy)) => unknown(),
            (takes_a_pause_for_an_outage, Some(Reply::Pause(_))) => down(),
            (doubles_the_pause, Some(Reply::Pause(pause))) => Outcome::throttled(pause * 2, ""),
            (takes_unreachable_for_unknown, Some(Reply::NobodyThere)) => unknown(),
            (takes_unreachable_for_a_refusal, Some(Reply::NobodyThere)) => refused(),
            (takes_a_lost_reply_for_an_outage, Some(Reply::Lost)) => down(),
            (takes_a_lost_reply_for_accepted, Some(Reply::Lost)) => Outcome::Accepted,
            (takes_silence_for_accepted, None) => Outcome::Accepted,
            (takes_silence_for_a_refusal, None) => refused(),
            (takes_a_missing_reply_for_accepted, None) if taken => Outcome::Accepted,
            (takes_a_missing_reply_for_an_outage, None) if taken => down(),
            (_, Some(Reply::Taken)) => Outcome::Accepted,
            (_, Some(Reply::Refused)) => refused(),
            (_, Some(Reply::SenderRefused | Reply::Busy | Reply::NobodyThere)) => down(),
            (_, Some(Reply::Pause(pause))) => Outcome::throttled(pause, "too many"),
            (_, Some(Reply::Lost) | None) => unknown(),
        }
    }
}

#[async_trait]
impl Notifier for Model {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let defect = self.post.defect;
        {
            let notes = self.notes();
            match defect {
                refuses_everybody_after_a_refusal if notes.refused => return Outcome::rejected("again"),
                stays_away_from_who_was_busy if notes.avoided.contains(alert.contact()) => {
                    return Outcome::unavailable("it was busy");
                }
                never_connects_again if notes.disconnected => return Outcome::unavailable("no connection"),
                uses_the_lost_connection_again if notes.disconnected => return Outcome::unknown("no reply"),
                refuses_long_messages if alert.incident().message().len() > 1000 => {
                    return Outcome::rejected("too long");
                }
                _ => {}
            }
        }
        let turn = match defect {
            sends_one_at_a_time => Some(self.one.acquire().await.unwrap()),
            _ => None,
        };
        if defect == loses_a_slot_to_an_abandoned_alert {
            self.slots.acquire().await.unwrap().forget();
        }
        let limit = match defect {
            hangs_past_its_deadline => deadline + Duration::from_secs(600),
            tries_silence_again => deadline / 2,
            _ => deadline,
        };
        let mut reply = timeout(limit, self.attempt(alert)).await.ok();
        if reply.is_none() && defect == tries_silence_again {
            reply = timeout(limit, self.attempt(alert)).await.ok();
        }
        if defect == loses_a_slot_to_an_abandoned_alert {
            self.slots.add_permits(1);
        }
        if defect == delivers_again_later {
            let (post, contact, messages) =
                (self.post.clone(), alert.contact().clone(), self.messages(alert));
            tokio::spawn(async move {
                sleep(Duration::from_millis(10)).await;
                post.hand_over(&contact, messages[0].clone()).await
            });
        }
        drop(turn);
        self.outcome(alert, reply)
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

impl Model {
    async fn send_many(&self, bundle: &Bundle) -> Reply {
        let defect = self.post.defect;
        let worst = bundle.alerts()[0].incident().number();
        let text = match defect {
            says_nothing_of_the_others => format!("#{worst}"),
            _ => format!("{}\n#{worst}", bundle.headline()),
        };
        let messages = match defect {
            sends_each_alert_of_a_bundle => bundle.alerts().len(),
            keeps_a_bundle => 0,
            tries_a_bundle_again => 2,
            _ => 1,
        };
        let mut reply = Reply::Taken;
        for _ in 0..messages {
            let message = Arrival { delivery_id: bundle.id(), text: text.clone() };
            reply = self.post.hand_over(bundle.contact(), message).await;
        }
        reply
    }
}

#[async_trait]
impl NotifyBundle for Model {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        let defect = self.post.defect;
        let limit = match defect {
            hangs_with_a_bundle => deadline + Duration::from_secs(600),
            _ => deadline,
        };
        let reply = timeout(limit, self.send_many(bundle)).await.ok();
        match (defect, reply) {
            (takes_a_refused_bundle_for_an_outage, Some(Reply::Refused)) => Outcome::unavailable("refused"),
            (takes_the_sender_of_a_bundle_for_its_recipient, Some(Reply::SenderRefused)) => {
                Outcome::rejected("refused")
            }
            (takes_a_pause_of_a_bundle_for_an_outage, Some(Reply::Pause(_))) => Outcome::unavailable("later"),
            (takes_an_unreachable_bundle_for_unknown, Some(Reply::NobodyThere)) => Outcome::unknown("gone"),
            (takes_a_silent_bundle_for_accepted, None) => Outcome::Accepted,
            (takes_a_lost_bundle_for_accepted, Some(Reply::Lost)) => Outcome::Accepted,
            (_, reply) => self.outcome(&bundle.alerts()[0], reply),
        }
    }
}
