//! The laws of every notifier.

use std::sync::Arc;

use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::clock::SystemClock;
use inresponse_core::model::Contact;
use inresponse_outward::{InternalHosts, Outward};
use inresponse_push::{NtfyConfig, NtfyNotifier, PushoverConfig, PushoverNotifier};
use inresponse_testkit::carrier::{Carrier, Got};
use serde_json::Value;

use crate::services::{NTFY, PUSHOVER};

pub(crate) fn outward() -> Outward {
    Outward::new(&InternalHosts::new().allow("127.0.0.1")).unwrap()
}

pub(crate) fn ntfy(carrier: &Carrier) -> NtfyNotifier {
    let config = NtfyConfig::at(&carrier.url()).unwrap().with_token("tk_canary").unwrap();
    let public_url = Some("https://ir.example.org/alerts");
    NtfyNotifier::new(config, public_url, outward(), Arc::new(SystemClock::new())).unwrap()
}

pub(crate) fn pushover(carrier: &Carrier) -> PushoverNotifier {
    let config = PushoverConfig::new("canarycanary").unwrap().at(&carrier.url()).unwrap();
    PushoverNotifier::new(config, outward(), Arc::new(SystemClock::new())).unwrap()
}

struct Ntfy(Carrier);

impl NotifierHarness for Ntfy {
    type Notifier = NtfyNotifier;

    async fn notifier(&self) -> NtfyNotifier {
        ntfy(&self.0)
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("ntfy:topic-{n}")).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.0.behave(contact.address(), behaviour).await;
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.0.got(contact.address()).len()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let arrival = |got: Got| {
            // A server takes at most 4 KiB of a message, and twice that in all.
            assert!(got.body.len() <= 8192, "{}", got.body.len());
            Arrival {
                delivery_id: got.json()["sequence_id"].as_str().unwrap().to_owned(),
                text: texts(&got.json(), &["title", "message"]),
            }
        };
        self.0.got(contact.address()).into_iter().filter(|got| got.taken).map(arrival).collect()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["tk_canary".to_owned()]
    }
}

struct Pushover(Carrier);

impl NotifierHarness for Pushover {
    type Notifier = PushoverNotifier;

    async fn notifier(&self) -> PushoverNotifier {
        pushover(&self.0)
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("pushover:u{n:029}")).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.0.behave(contact.address(), behaviour).await;
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.0.got(contact.address()).len()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let arrival = |got: Got| {
            let text = texts(&got.json(), &["title", "message", "url"]);
            let message = got.json()["message"].as_str().unwrap().to_owned();
            assert!((1..=1024).contains(&message.chars().count()));
            let delivery_id = message.lines().last().unwrap().trim_start_matches("alert ").to_owned();
            Arrival { delivery_id, text }
        };
        self.0.got(contact.address()).into_iter().filter(|got| got.taken).map(arrival).collect()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["canarycanary".to_owned()]
    }
}

fn texts(message: &Value, fields: &[&str]) -> String {
    fields.iter().filter_map(|field| message[*field].as_str()).collect::<Vec<_>>().join("\n")
}

mod of_ntfy {
    use super::*;
    inresponse_conformance::notifier_laws!(Ntfy(Carrier::start(NTFY)), except: reject);
}

mod of_pushover {
    use super::*;
    inresponse_conformance::notifier_laws!(Pushover(Carrier::start(PUSHOVER)));
}
