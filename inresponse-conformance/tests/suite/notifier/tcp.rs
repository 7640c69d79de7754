//! A toy carrier on real sockets, one per recipient, and the notifier for it.
//!
//! The notifier sends a line of JSON and is answered with a line: `taken`, `refused`, `not-from-you`, `busy`,
//! `pause 7`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Notifier, Outcome};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Recipients by their number; made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct Carriers {
    by_number: Mutex<HashMap<usize, Arc<Carrier>>>,
}

#[derive(Debug)]
struct Carrier {
    contact: Contact,
    mailbox: Mutex<Mailbox>,
}

#[derive(Debug)]
struct Mailbox {
    behaviour: Behaviour,
    attempts: usize,
    arrived: Vec<Arrival>,
    serving: JoinHandle<()>,
}

impl Carriers {
    fn of(&self, contact: &Contact) -> Arc<Carrier> {
        let carriers = self.by_number.lock().unwrap();
        carriers.values().find(|carrier| carrier.contact == *contact).unwrap().clone()
    }
}

impl Carrier {
    fn start() -> Arc<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let contact = Contact::new(format!("x-tcp:{}", listener.local_addr().unwrap())).unwrap();
        Arc::new_cyclic(|carrier: &std::sync::Weak<Self>| {
            let serving = tokio::spawn(serve(carrier.clone(), listener));
            let mailbox = Mailbox { behaviour: Behaviour::Accept, attempts: 0, arrived: Vec::new(), serving };
            Carrier { contact, mailbox: Mutex::new(mailbox) }
        })
    }

    async fn converse(&self, connection: TcpStream) {
        let mut connection = BufReader::new(connection);
        let mut line = String::new();
        connection.read_line(&mut line).await.unwrap();
        let message: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |field: &str| message[field].as_str().unwrap().to_owned();
        let behaviour = {
            let mut mailbox = self.mailbox.lock().unwrap();
            mailbox.attempts += 1;
            let takes = [Behaviour::Accept, Behaviour::TakeAndHang, Behaviour::TakeAndClose];
            if takes.contains(&mailbox.behaviour) {
                mailbox.arrived.push(Arrival { delivery_id: text("delivery"), text: text("text") });
            }
            mailbox.behaviour
        };
        let reply = match behaviour {
            Behaviour::Accept => "taken\n".to_owned(),
            Behaviour::Reject => "refused\n".to_owned(),
            Behaviour::RefuseSender => "not-from-you\n".to_owned(),
            Behaviour::Busy => "busy\n".to_owned(),
            Behaviour::Throttle => format!("pause {}\n", Behaviour::PAUSE.as_secs()),
            Behaviour::TakeAndClose | Behaviour::Unreachable => return,
            Behaviour::Hang | Behaviour::TakeAndHang => std::future::pending().await,
        };
        connection.write_all(reply.as_bytes()).await.unwrap();
    }
}

async fn serve(carrier: std::sync::Weak<Carrier>, listener: std::net::TcpListener) {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((connection, _)) = listener.accept().await {
        let Some(carrier) = carrier.upgrade() else { return };
        tokio::spawn(async move { carrier.converse(connection).await });
    }
}

impl NotifierHarness for Carriers {
    type Notifier = LineNotifier;

    async fn notifier(&self) -> LineNotifier {
        LineNotifier
    }

    fn contact(&self, n: usize) -> Contact {
        self.by_number.lock().unwrap().entry(n).or_insert_with(Carrier::start).contact.clone()
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        let carrier = self.of(contact);
        let stopped = {
            let mut mailbox = carrier.mailbox.lock().unwrap();
            let was = std::mem::replace(&mut mailbox.behaviour, behaviour);
            if behaviour == Behaviour::Unreachable {
                Some(std::mem::replace(&mut mailbox.serving, tokio::spawn(async {})))
            } else {
                if was == Behaviour::Unreachable {
                    let listener = std::net::TcpListener::bind(contact.address()).unwrap();
                    mailbox.serving = tokio::spawn(serve(Arc::downgrade(&carrier), listener));
                }
                None
            }
        };
        // Only then nobody listens.
        if let Some(serving) = stopped {
            serving.abort();
            let _ = serving.await;
        }
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.of(contact).mailbox.lock().unwrap().attempts
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        self.of(contact).mailbox.lock().unwrap().arrived.clone()
    }
}

/// The notifier: one connection for one alert.
#[derive(Debug)]
pub(crate) struct LineNotifier;

impl LineNotifier {
    async fn attempt(&self, alert: &Alert) -> Outcome {
        let connection = match TcpStream::connect(alert.contact().address()).await {
            Ok(connection) => connection,
            Err(error) => return Outcome::unavailable(error.to_string()),
        };
        let incident = alert.incident();
        let text = format!("#{} {}\n{}", incident.number(), incident.title(), incident.message());
        let message = serde_json::json!({ "delivery": alert.delivery_id().as_str(), "text": text });
        let mut connection = BufReader::new(connection);
        let mut reply = String::new();
        // After the first byte may have been sent, only a reply shows the result.
        if let Err(error) = connection.write_all(format!("{message}\n").as_bytes()).await {
            return Outcome::unknown(error.to_string());
        }
        if let Err(error) = connection.read_line(&mut reply).await {
            return Outcome::unknown(error.to_string());
        }
        match reply.trim().split_once(' ').unwrap_or((reply.trim(), "")) {
            ("taken", _) => Outcome::Accepted,
            ("refused", _) => Outcome::rejected("refused"),
            ("busy" | "not-from-you", _) => Outcome::unavailable("busy"),
            ("pause", seconds) => Outcome::throttled(Duration::from_secs(seconds.parse().unwrap()), "pause"),
            (other, _) => Outcome::unknown(format!("unexpected reply `{other}`")),
        }
    }
}

#[async_trait]
impl Notifier for LineNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let attempt = timeout(deadline, self.attempt(alert)).await;
        attempt.unwrap_or_else(|_| Outcome::unknown("no reply by the deadline"))
    }
}
