//! The laws of every notifier.

use inresponse_chat::{SlackNotifier, TelegramNotifier};
use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::model::Contact;
use inresponse_testkit::carrier::{Carrier, Got};

use crate::services::{self, SLACK, TELEGRAM};

struct Telegram(Carrier);

impl NotifierHarness for Telegram {
    type Notifier = TelegramNotifier;

    async fn notifier(&self) -> TelegramNotifier {
        services::telegram(&self.0)
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("telegram:{}", 1000 + n)).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.0.behave(contact.address(), behaviour).await;
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.0.got(contact.address()).len()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let arrival = |got: Got| {
            let text = got.json()["text"].as_str().unwrap().to_owned();
            assert!(text.encode_utf16().count() <= 4096);
            let last = text.lines().last().unwrap();
            let delivery_id =
                last.strip_prefix("alert ").or(last.strip_prefix("alerts ")).unwrap().to_owned();
            Arrival { delivery_id, text }
        };
        self.0.got(contact.address()).into_iter().filter(|got| got.taken).map(arrival).collect()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["bot-canary".to_owned(), services::WEBHOOK_SECRET.to_owned()]
    }
}

struct Slack(Carrier);

impl NotifierHarness for Slack {
    type Notifier = SlackNotifier;

    async fn notifier(&self) -> SlackNotifier {
        services::slack(&self.0)
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("slack:C{n:08}")).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.0.behave(contact.address(), behaviour).await;
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.0.got(contact.address()).len()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let arrival = |got: Got| {
            let message = got.json();
            let last = message["blocks"].as_array().unwrap().last().unwrap();
            let delivery_id = last["block_id"].as_str().unwrap().to_owned();
            Arrival { delivery_id, text: message.to_string() }
        };
        self.0.got(contact.address()).into_iter().filter(|got| got.taken).map(arrival).collect()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["xoxb-canary".to_owned(), services::SIGNING_SECRET.to_owned()]
    }
}

mod of_telegram {
    use super::*;
    inresponse_conformance::notifier_laws!(Telegram(Carrier::start(TELEGRAM)));
}

mod of_slack {
    use super::*;
    inresponse_conformance::notifier_laws!(Slack(Carrier::start(SLACK)));
}
