//! The laws of every notifier.
//!
//! None is excepted. That of the delivery's name is looked for in `X-InResponse-Delivery`, since SES writes a
//! `Message-ID` of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::model::Contact;
use inresponse_ses::SesNotifier;
use mail_parser::{HeaderValue, MessageParser};

use crate::stub::{Answer, Call, SECRET, Stub};

#[derive(Default)]
struct Mailboxes {
    behaviours: HashMap<String, Behaviour>,
    arrived: HashMap<String, Vec<Arrival>>,
}

struct Ses {
    stub: Stub,
    mailboxes: Arc<Mutex<Mailboxes>>,
}

impl Ses {
    fn start() -> Self {
        let mailboxes = Arc::<Mutex<Mailboxes>>::default();
        let of_stub = Arc::clone(&mailboxes);
        Self { stub: Stub::start(move |call| answer(&mut of_stub.lock().unwrap(), call)), mailboxes }
    }
}

fn answer(mailboxes: &mut Mailboxes, call: &Call) -> Answer {
    let to = call.to();
    let behaviour = mailboxes.behaviours.get(&to).copied().unwrap_or(Behaviour::Accept);
    if matches!(behaviour, Behaviour::Accept | Behaviour::TakeAndHang | Behaviour::TakeAndClose) {
        mailboxes.arrived.entry(to).or_default().push(arrival(&call.message()));
    }
    match behaviour {
        Behaviour::Accept => Answer::accepted(),
        Behaviour::Reject => Answer::error(400, "BadRequestException", "Domain contains dot-dot"),
        Behaviour::RefuseSender => Answer::error(400, "MessageRejected", "Email address is not verified."),
        Behaviour::Busy => Answer::error(503, "ServiceUnavailableException", "try again"),
        Behaviour::Throttle => {
            let headers = format!(
                "x-amzn-errortype: TooManyRequestsException\r\nretry-after: {}\r\n",
                Behaviour::PAUSE.as_secs()
            );
            Answer::new(429, &headers, r#"{"message":"Too many requests"}"#)
        }
        Behaviour::Hang | Behaviour::TakeAndHang => Answer::Hangs,
        Behaviour::TakeAndClose => Answer::RepliesAndCloses(String::new()),
        Behaviour::Unreachable => panic!("nobody can be reached"),
    }
}

fn arrival(message: &[u8]) -> Arrival {
    let mail = MessageParser::default().parse(message).unwrap();
    let delivery_id = mail.header("X-InResponse-Delivery").and_then(HeaderValue::as_text).unwrap();
    // What a reader sees: the subject and the text, with line ends as they were reported.
    let text = format!("{}\n{}", mail.subject().unwrap(), mail.body_text(0).unwrap()).replace("\r\n", "\n");
    Arrival { delivery_id: delivery_id.to_owned(), text }
}

impl NotifierHarness for Ses {
    type Notifier = SesNotifier;

    async fn notifier(&self) -> SesNotifier {
        self.stub.notifier()
    }

    fn contact(&self, n: usize) -> Contact {
        Contact::new(format!("recipient.{n}@conformance.example")).unwrap()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        self.mailboxes.lock().unwrap().behaviours.insert(contact.address().to_owned(), behaviour);
        match behaviour {
            Behaviour::Unreachable => self.stub.stop().await,
            _ => self.stub.resume(),
        }
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.stub.calls().iter().filter(|call| call.to() == contact.address()).count()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        self.mailboxes.lock().unwrap().arrived.get(contact.address()).cloned().unwrap_or_default()
    }

    fn secrets(&self) -> Vec<String> {
        vec![SECRET.to_owned()]
    }
}

inresponse_conformance::notifier_laws!(Ses::start());
