//! The laws of every notifier: for text messages and calls through Twilio, and for text messages through a gateway.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::clock::SystemClock;
use inresponse_core::model::Contact;
use inresponse_outward::InternalHosts;
use inresponse_phone::{GatewayConfig, GatewayNotifier, GatewaySettings, TwilioConfig, TwilioNotifier};

use crate::fake::{FROM, Fake, Request, SID, TOKEN};

/// Recipients of messages or calls; each has a number.
struct Phones {
    fake: Fake,
    scheme: &'static str,
}

impl Phones {
    fn of(scheme: &'static str) -> Self {
        Self { fake: Fake::start(), scheme }
    }
}

/// A notifier of that account at the fake.
pub(crate) fn notifier(fake: &Fake) -> TwilioNotifier {
    let config = TwilioConfig::new(SID, TOKEN, FROM).unwrap().api_url(&fake.url()).unwrap();
    let config = config.public_url("https://ir.example.org/");
    let gate = InternalHosts::new().allow("127.0.0.1");
    TwilioNotifier::new(config, &gate, Arc::new(SystemClock::new())).unwrap()
}

impl NotifierHarness for Phones {
    type Notifier = TwilioNotifier;

    async fn notifier(&self) -> TwilioNotifier {
        notifier(&self.fake)
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("{}:+30210{:07}", self.scheme, n)).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.fake.behave(contact.address(), behaviour).await;
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.fake.requests(contact.address()).len()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let arrival = |request: Request| {
            assert!(request.authorized);
            let text = format!("{}{}", request.value("Body"), request.value("Twiml"));
            Arrival { delivery_id: request.reported("delivery").unwrap_or_default(), text }
        };
        self.fake.requests(contact.address()).into_iter().filter(|r| r.taken).map(arrival).collect()
    }

    fn secrets(&self) -> Vec<String> {
        vec![TOKEN.to_owned(), "canary-number".to_owned()]
    }
}

/// The same phones, reached through a gateway: a template that makes the requests that the fake reads.
struct Gateway(Phones);

impl NotifierHarness for Gateway {
    type Notifier = GatewayNotifier;

    async fn notifier(&self) -> GatewayNotifier {
        let login = STANDARD.encode(format!("{SID}:{TOKEN}"));
        let settings = GatewaySettings {
            url: format!("{}/send?token={TOKEN}&to={{digits}}", self.0.fake.url()),
            headers: [("authorization".to_owned(), format!("Basic {login}"))].into(),
            body: "To={number}&Body={text}&StatusCallback=https%3A%2F%2Fx%2F%3Fdelivery%3D{delivery}"
                .to_owned(),
            schemes: vec!["sms".to_owned()],
            accepted: Some("\"status\":\"queued\"".to_owned()),
            gone: Some("\"code\":21211".to_owned()),
            ..GatewaySettings::default()
        };
        let config = GatewayConfig::new("backup", &settings).unwrap();
        let gate = InternalHosts::new().allow("127.0.0.1");
        GatewayNotifier::new(config, &gate, Arc::new(SystemClock::new())).unwrap()
    }

    fn contact(&self, n: usize) -> Contact {
        self.0.contact(n)
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.0.behave(contact, behaviour).await;
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.0.attempts(contact).await
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        self.0.arrived(contact).await
    }

    fn secrets(&self) -> Vec<String> {
        self.0.secrets()
    }
}

mod gateway {
    inresponse_conformance::notifier_laws!(super::Gateway(super::Phones::of("sms")));
}

mod sms {
    inresponse_conformance::notifier_laws!(super::Phones::of("sms"));
}

mod voice {
    inresponse_conformance::notifier_laws!(super::Phones::of("tel"));
}
