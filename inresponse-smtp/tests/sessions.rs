//! What becomes of connections that are kept, of replies out of step, and of secrets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use inresponse_core::plan;
use inresponse_smtp::{SmtpConfig, SmtpNotifier};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What one connection replies where it is not what a server should: to which command, and what. Each is said
/// once, in order.
type Script = &'static [(&'static str, Reply)];

#[derive(Debug, Clone, Copy)]
enum Reply {
    Says(&'static str),
    HangsUp,
    Hangs,
}

use Reply::{Hangs, HangsUp, Says};

/// A server whose connections follow one script each, and none after the last.
struct Server {
    port: u16,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(scripts: &[Script]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, commands: Arc::default() };
        let (commands, mut scripts) = (server.commands.clone(), VecDeque::from(scripts.to_vec()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = scripts.pop_front().unwrap_or_default();
                commands.lock().unwrap().push("CONNECT".to_owned());
                tokio::spawn(session(stream, script.to_vec(), commands.clone()));
            }
        });
        server
    }

    /// How often a command came; `CONNECT` and `CONTENT` count as such.
    fn count(&self, command: &str) -> usize {
        self.commands.lock().unwrap().iter().filter(|c| *c == command).count()
    }

    fn notifier(&self) -> SmtpNotifier {
        self.notifier_as("")
    }

    fn notifier_as(&self, credentials: &str) -> SmtpNotifier {
        let url = format!("smtp://{credentials}127.0.0.1:{}", self.port);
        let config = SmtpConfig::from_url(&url, "ir@example.org").unwrap();
        SmtpNotifier::new(config, Arc::new(SystemClock::new())).unwrap()
    }
}

async fn session(
    stream: TcpStream,
    mut script: Vec<(&'static str, Reply)>,
    commands: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test\r\n").await?;
    let mut command = String::new();
    loop {
        if command == "DATA" {
            while lines.next_line().await?.is_some_and(|line| line != ".") {}
            command = "CONTENT".to_owned();
        } else {
            let Some(line) = lines.next_line().await? else { return Ok(()) };
            command = line.split([' ', ':']).next().unwrap_or_default().to_owned();
        }
        commands.lock().unwrap().push(command.clone());
        let proper = match &*command {
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            _ => "250 ok",
        };
        let scripted = script.iter().position(|(of, _)| *of == command).map(|i| script.remove(i).1);
        match scripted.unwrap_or(Says(proper)) {
            Says(reply) => {
                write.write_all(format!("{reply}\r\n").as_bytes()).await?;
                if command == "DATA" && !reply.starts_with("354") {
                    command.clear();
                }
            }
            HangsUp => return Ok(()),
            Hangs => std::future::pending().await,
        }
    }
}

fn alert() -> Alert {
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let matrix =
        Matrix::new(vec![vec![Contact::new("jo@example.org").unwrap()]], vec![], Duration::from_secs(600));
    let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
    let (opening, sends) =
        plan::open(report, TeamName::new("t").unwrap(), matrix, Some(Duration::from_secs(30)), at);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 1, sends[0].delivery, sends[0].attempt, sends[0].contact.clone())
        .with_claim_url("https://ir.example.org/incidents/10001/claim?token=canary-link".to_owned())
}

async fn send(notifier: &SmtpNotifier) -> Outcome {
    notifier.notify(&alert(), Duration::from_secs(20)).await
}

#[tokio::test]
async fn p10_a_recipient_is_named_once_in_an_attempt_over_a_kept_connection_too() {
    let servers: [&[Script]; 4] = [
        &[&[("RCPT", Says("250 ok")), ("RCPT", Says("452 4.2.2 busy"))]],
        &[&[("RCPT", Says("250 ok")), ("RCPT", Says("421 4.7.0 later"))]],
        &[&[("RCPT", Says("250 ok")), ("RCPT", HangsUp)]],
        &[&[("DATA", Says("354 go on")), ("DATA", HangsUp)]],
    ];
    for scripts in servers {
        let server = Server::start(scripts).await;
        let notifier = server.notifier();
        assert_eq!(send(&notifier).await, Outcome::Accepted);
        let outcome = send(&notifier).await;
        let may_be = matches!(outcome, Outcome::Unavailable { .. } | Outcome::Throttled { .. });
        assert!(may_be, "{scripts:?}: {outcome:?}");
        assert_eq!(server.count("RCPT"), 2, "{scripts:?}");
        assert_eq!(send(&notifier).await, Outcome::Accepted, "{scripts:?}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_died_in_silence_costs_no_attempt() {
    let server = Server::start(&[&[("MAIL", Says("250 ok")), ("MAIL", Hangs)]]).await;
    let notifier = server.notifier();
    for _ in 0..3 {
        assert_eq!(send(&notifier).await, Outcome::Accepted);
    }
    assert_eq!((server.count("CONNECT"), server.count("CONTENT")), (2, 3));
}

#[tokio::test]
async fn p09_replies_out_of_step_are_never_an_acceptance() {
    // After a stray reply everything is read one reply too early, so that 354 would be taken for the last one.
    let scripts: [Script; 3] = [
        &[("MAIL", Says("250 ok\r\n250 stray")), ("CONTENT", Says("550 no"))],
        &[("RCPT", Says("250 ok\r\n250 stray")), ("CONTENT", Says("550 no"))],
        &[("DATA", Says("250 what"))],
    ];
    for script in scripts {
        let server = Server::start(&[script]).await;
        let notifier = server.notifier();
        let outcome = send(&notifier).await;
        assert!(matches!(outcome, Outcome::Unavailable { .. }), "{script:?}: {outcome:?}");
        assert_eq!(send(&notifier).await, Outcome::Accepted);
        assert_eq!(server.count("CONNECT"), 2, "{script:?}");
    }
    let server = Server::start(&[&[("CONTENT", Says("354 more"))]]).await;
    let outcome = send(&server.notifier()).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[tokio::test]
async fn p09_who_must_log_in_first_is_not_the_recipient() {
    let scripts: [Script; 4] = [
        &[("AUTH", Says("535 5.7.8 wrong password"))],
        &[("MAIL", Says("530 5.7.0 Must issue a STARTTLS command first"))],
        &[("MAIL", Says("530 5.7.0 Authentication required"))],
        &[("RCPT", Says("538 5.7.11 Encryption required"))],
    ];
    for script in scripts {
        let server = Server::start(&[script]).await;
        let outcome = send(&server.notifier_as("user:password@")).await;
        assert!(matches!(outcome, Outcome::Unavailable { .. }), "{script:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn p13_an_abandoned_attempt_leaves_neither_its_connection_nor_its_place_taken() {
    let scripts: Vec<Script> = vec![&[("RCPT", Hangs)]; 100];
    let server = Server::start(&scripts).await;
    let notifier = server.notifier();
    for _ in 0..100 {
        let given_up = tokio::time::timeout(Duration::from_millis(5), send(&notifier)).await;
        assert!(given_up.is_err(), "{given_up:?}");
    }
    while server.count("CONNECT") < 100 {
        let _ = tokio::time::timeout(Duration::from_millis(50), send(&notifier)).await;
    }
    assert_eq!(send(&notifier).await, Outcome::Accepted);
}

/// Where everything that is logged goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_password_nor_claim_link_is_logged_at_any_level() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let server = Server::start(&[]).await;
    let notifier = server.notifier_as("user:canary-password@");
    assert_eq!(send(&notifier).await, Outcome::Accepted);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // The second is what AUTH PLAIN sends for that user and password.
    for secret in ["canary", "AHVzZXIAY2FuYXJ5LXBhc3N3b3Jk"] {
        assert!(!log.contains(secret), "{log}");
    }
}
