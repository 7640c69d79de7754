//! The laws of every notifier, with a mail server that does to each recipient what it is told to.

#![allow(clippy::unwrap_used, reason = "tests may panic, helpers too")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use inresponse_conformance::{Arrival, Behaviour, NotifierHarness};
use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, IncidentNumber, Matrix, OutcomeKind, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Bundle, Notifier};
use inresponse_core::plan;
use inresponse_smtp::{OutboxNotifier, SmtpConfig, SmtpNotifier};
use mail_parser::{HeaderValue, MessageParser};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

fn recipient(n: usize) -> Contact {
    Contact::new(format!("recipient.{n}@conformance.example")).unwrap()
}

fn arrival(message: &[u8]) -> Arrival {
    let mail = MessageParser::default().parse(message).unwrap();
    let delivery_id = mail.header("X-InResponse-Delivery").and_then(HeaderValue::as_text).unwrap();
    // What a reader sees: the subject and the text, with line ends as they were reported.
    let text = format!("{}\n{}", mail.subject().unwrap(), mail.body_text(0).unwrap()).replace("\r\n", "\n");
    Arrival { delivery_id: delivery_id.to_owned(), text }
}

#[derive(Default)]
struct Mailboxes {
    behaviours: HashMap<String, Behaviour>,
    attempts: HashMap<String, usize>,
    arrived: HashMap<String, Vec<Arrival>>,
}

type Shared = Arc<Mutex<Mailboxes>>;

struct Server {
    port: u16,
    mailboxes: Shared,
    serving: Mutex<JoinHandle<()>>,
}

impl Server {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mailboxes = Shared::default();
        let serving = Mutex::new(serve(listener, Arc::clone(&mailboxes)));
        Self { port, mailboxes, serving }
    }
}

/// Serves until it is aborted; its connections end with it.
fn serve(listener: std::net::TcpListener, mailboxes: Shared) -> JoinHandle<()> {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::spawn(async move {
        let mut sessions = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let mailboxes = Arc::clone(&mailboxes);
            sessions.spawn(async move { session(stream, &mailboxes).await });
        }
    })
}

async fn session(stream: TcpStream, mailboxes: &Mutex<Mailboxes>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await.ok()?;
    let (mut to, mut behaviour) = (String::new(), Behaviour::Accept);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let reply: &[u8] = match line.get(..4).unwrap_or_default() {
            "EHLO" => b"250-test\r\n250 AUTH PLAIN\r\n",
            "AUTH" => b"235 ok\r\n",
            "RCPT" => {
                to = line.split(['<', '>']).nth(1)?.to_owned();
                let mut mailboxes = mailboxes.lock().unwrap();
                *mailboxes.attempts.entry(to.clone()).or_default() += 1;
                behaviour = mailboxes.behaviours.get(&to).copied().unwrap_or(Behaviour::Accept);
                match behaviour {
                    Behaviour::Reject => b"550 5.1.1 no such user\r\n",
                    Behaviour::RefuseSender => b"554 5.7.1 Relay access denied\r\n",
                    Behaviour::Busy => b"451 4.3.0 later\r\n",
                    _ => b"250 ok\r\n",
                }
            }
            "DATA" => {
                if behaviour == Behaviour::Hang {
                    std::future::pending::<()>().await;
                }
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let message = content(&mut stream).await?;
                mailboxes.lock().unwrap().arrived.entry(to.clone()).or_default().push(arrival(&message));
                match behaviour {
                    Behaviour::TakeAndHang => std::future::pending().await,
                    Behaviour::TakeAndClose => return None,
                    _ => b"250 taken\r\n",
                }
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply).await.ok()?;
    }
}

/// The message up to the single dot, without the dots that were doubled (RFC 5321 section 4.5.2).
async fn content(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

impl NotifierHarness for Server {
    type Notifier = SmtpNotifier;

    async fn notifier(&self) -> SmtpNotifier {
        let url = format!("smtp://user:canary-password@127.0.0.1:{}", self.port);
        let config = SmtpConfig::from_url(&url, "ir@example.org").unwrap();
        SmtpNotifier::new(config, Arc::new(SystemClock::new())).unwrap()
    }

    fn contact(&self, n: usize) -> Contact {
        recipient(n)
    }

    async fn behave(&self, contact: &Contact, behaviour: Behaviour) {
        let to = contact.address().to_owned();
        let before = self.mailboxes.lock().unwrap().behaviours.insert(to, behaviour);
        let was_gone = before == Some(Behaviour::Unreachable);
        if behaviour == Behaviour::Unreachable {
            self.serving.lock().unwrap().abort();
            while !self.serving.lock().unwrap().is_finished() {
                tokio::task::yield_now().await;
            }
        } else if was_gone {
            let listener = std::net::TcpListener::bind(("127.0.0.1", self.port)).unwrap();
            *self.serving.lock().unwrap() = serve(listener, Arc::clone(&self.mailboxes));
        }
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.mailboxes.lock().unwrap().attempts.get(contact.address()).copied().unwrap_or_default()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        self.mailboxes.lock().unwrap().arrived.get(contact.address()).cloned().unwrap_or_default()
    }

    fn secrets(&self) -> Vec<String> {
        vec!["canary-password".to_owned()]
    }
}

/// The outbox: a folder that always takes what it is given.
struct Outbox(tempfile::TempDir);

impl NotifierHarness for Outbox {
    type Notifier = OutboxNotifier;

    async fn notifier(&self) -> OutboxNotifier {
        OutboxNotifier::new(self.0.path(), "ir@example.org", Arc::new(SystemClock::new())).unwrap()
    }

    fn contact(&self, n: usize) -> Contact {
        recipient(n)
    }

    async fn behave(&self, _: &Contact, behaviour: Behaviour) {
        assert_eq!(behaviour, Behaviour::Accept);
    }

    async fn attempts(&self, contact: &Contact) -> usize {
        self.arrived(contact).await.len()
    }

    async fn arrived(&self, contact: &Contact) -> Vec<Arrival> {
        let files = std::fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|e| e == "eml")).collect();
        files.sort_by_key(|file| file.metadata().unwrap().modified().unwrap());
        let messages = files.iter().map(|file| std::fs::read(file).unwrap());
        let to_contact = |message: &Vec<u8>| {
            let mail = MessageParser::default().parse(message).unwrap();
            mail.to().unwrap().first().unwrap().address() == Some(contact.address())
        };
        messages.filter(to_contact).map(|message| arrival(&message)).collect()
    }
}

fn alert(number: u64, to: &Contact) -> Alert {
    let report = Report::builder("athens", Severity::Crit, format!("title {number}")).build().unwrap();
    let matrix = Matrix::new(vec![vec![to.clone()]], vec![to.clone()], Duration::from_secs(600));
    let (team, lease) = (TeamName::new("devops").unwrap(), Some(Duration::from_secs(30)));
    let (opening, sends) = plan::open(report, team, matrix, lease, DateTime::UNIX_EPOCH);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(number)).into_incident());
    Alert::new(incident, 1, sends[0].delivery, sends[0].attempt, to.clone())
}

#[tokio::test]
async fn p23_a_bundle_is_one_mail_with_every_delivery_and_ends_as_a_single_mail_would() {
    let server = Server::start();
    let notifier = server.notifier().await;
    let send = async |to: &Contact| {
        let bundle = Bundle::new((1..=40).map(|number| alert(number, to)).collect()).unwrap();
        let outcome = notifier.bundler(to).unwrap().notify_bundle(&bundle, Duration::from_secs(60)).await;
        (bundle, outcome.kind())
    };
    let to = recipient(1);
    let (bundle, outcome) = send(&to).await;
    assert_eq!(outcome, OutcomeKind::Accepted);
    let arrived = server.arrived(&to).await;
    assert_eq!(arrived.len(), 1);
    let ids: Vec<_> = arrived[0].delivery_id.split(',').map(str::trim).collect();
    assert_eq!(ids, bundle.delivery_ids().map(|id| id.as_str()).collect::<Vec<_>>());
    for number in 1..=40 {
        assert!(arrived[0].text.contains(&format!("#{number}")), "{number}");
    }
    for (n, behaviour, kind) in [
        (2, Behaviour::Reject, OutcomeKind::Rejected),
        (3, Behaviour::RefuseSender, OutcomeKind::Unavailable),
        (4, Behaviour::Busy, OutcomeKind::Unavailable),
        (5, Behaviour::TakeAndClose, OutcomeKind::Unknown),
    ] {
        server.behave(&recipient(n), behaviour).await;
        assert_eq!(send(&recipient(n)).await.1, kind, "{behaviour:?}");
    }
}

mod smtp {
    // SMTP has no way to ask for a pause of so many seconds.
    inresponse_conformance::notifier_laws!(super::Server::start(), except: throttle);
}

mod outbox {
    inresponse_conformance::notifier_laws!(
        super::Outbox(tempfile::tempdir().unwrap()),
        except: reject, refuse_sender, busy, throttle, unreachable, hang, take_and_hang, take_and_close
    );
}
