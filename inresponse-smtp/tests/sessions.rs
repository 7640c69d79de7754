//! Sessions: kept connections, replies out of step, and secrets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::engine::Reported;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{
    Contact, Delivery, DeliveryStatus, IncidentNumber, Matrix, Report, ServiceName, Severity, TeamName,
};
use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
use inresponse_core::roster::{Rota, Team};
use inresponse_core::testing::RosterTestExt;
use inresponse_core::{Engine, plan};
use inresponse_smtp::{SmtpConfig, SmtpNotifier};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What one connection replies where it is not what a server should: to which command, and what. Each is said
/// once, in order.
type Script = &'static [(&'static str, Reply)];

#[derive(Debug, Clone, Copy)]
enum Reply {
    Says(&'static str),
    Writes(&'static [u8]),
    HangsUp,
    Hangs,
}

use Reply::{Hangs, HangsUp, Says, Writes};

/// A server whose connections follow one script each, and none after the last.
struct Server {
    port: u16,
    /// Whole lines; `CONNECT` and `CONTENT` count as such.
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

    /// The number of times that a command came.
    fn count(&self, command: &str) -> usize {
        self.commands.lock().unwrap().iter().filter(|line| name(line) == command).count()
    }

    /// The lines that began with that command.
    fn lines(&self, command: &str) -> Vec<String> {
        self.commands.lock().unwrap().iter().filter(|line| name(line) == command).cloned().collect()
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

fn name(line: &str) -> &str {
    line.split([' ', ':']).next().unwrap_or_default()
}

async fn session(
    stream: TcpStream,
    mut script: Vec<(&'static str, Reply)>,
    commands: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut line = "GREETING".to_owned();
    loop {
        let command = name(&line).to_owned();
        let proper = match &*command {
            "GREETING" => "220 test",
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            _ => "250 ok",
        };
        let scripted = script.iter().position(|(of, _)| *of == command).map(|i| script.remove(i).1);
        let reply = match scripted.unwrap_or(Says(proper)) {
            Says(reply) => reply.as_bytes(),
            Writes(reply) => reply,
            HangsUp => return Ok(()),
            Hangs => std::future::pending().await,
        };
        write.write_all(&[reply, b"\r\n"].concat()).await?;
        if command == "DATA" && reply.starts_with(b"354") {
            while lines.next_line().await?.is_some_and(|line| line != ".") {}
            line = "CONTENT".to_owned();
        } else {
            let Some(next) = lines.next_line().await? else { return Ok(()) };
            line = next;
        }
        commands.lock().unwrap().push(line.clone());
    }
}

fn alert() -> Alert {
    alert_to("jo@example.org")
}

fn alert_to(contact: &str) -> Alert {
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let matrix = Matrix::new(vec![vec![Contact::new(contact).unwrap()]], vec![], Duration::from_secs(600));
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

#[tokio::test]
async fn p09_a_server_that_refuses_the_sender_for_a_while_costs_nobody_an_alert() {
    let refusals: [Script; 4] = [
        &[("MAIL", Says("553 5.7.1 Sender address rejected: not owned by user ir"))],
        &[("RCPT", Says("554 5.7.1 <jo@example.org>: Relay access denied"))],
        &[("RCPT", Says("550 5.4.5 Daily user sending quota exceeded"))],
        &[("CONTENT", Says("554 Message rejected: Email address is not verified."))],
    ];
    let server = Server::start(&refusals).await;
    let contacts = |name: &str| vec![Contact::new(format!("{name}@example.org")).unwrap()];
    let (roster, team) = (MemoryRoster::new(), TeamName::new("devops").unwrap());
    roster.put_team(&team, &Team::builder(contacts("ops")).build().unwrap()).await.unwrap();
    roster.put_service(&ServiceName::new("athens").unwrap(), &team).await.unwrap();
    let today = SystemClock::new().now().date_naive();
    for day in [today.pred_opt().unwrap(), today, today.succ_opt().unwrap()] {
        let rota = Rota::new(contacts("jo"), vec![contacts("kim")]).unwrap();
        roster.put_day(&team, day, &rota).await.unwrap();
    }
    let notifiers = Notifiers::new().mail(server.notifier());
    let engine = Engine::builder(MemoryStore::new(), roster, notifiers, SystemClock::new()).build();
    let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
    let Reported::New(record) = engine.report(report).await.unwrap() else { panic!("a new incident") };
    loop {
        let _ = engine.advance(record.number()).await.unwrap();
        let incident = engine.get(record.number()).await.unwrap().unwrap().incident;
        let statuses: Vec<_> = incident.deliveries().iter().map(Delivery::status).collect();
        assert!(!statuses.iter().any(|s| matches!(s, DeliveryStatus::Dead { .. })), "{statuses:?}");
        if statuses.iter().any(|s| matches!(s, DeliveryStatus::Accepted { .. })) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = server.lines("RCPT");
    assert!(told.len() == 4 && told.iter().all(|line| line == "RCPT TO:<jo@example.org>"), "{told:?}");
}

#[tokio::test]
async fn p09_a_reply_that_is_not_utf8_is_what_its_three_digits_say() {
    let scripts: [(Script, &str); 7] = [
        (&[("CONTENT", Writes(b"250 \xfcbernommen"))], "Accepted"),
        (&[("GREETING", Writes(b"220 gr\xfc\xdfe"))], "Accepted"),
        (&[("EHLO", Writes(b"250-gr\xfc\xdfe\r\n250-SIZE\r\n250 AUTH PLAIN"))], "Accepted"),
        (&[("MAIL", Writes(b"250-\xff\xfe\r\n250 ok"))], "Accepted"),
        (&[("RCPT", Writes(b"550 5.1.1 Empf\xe4nger unbekannt"))], "Rejected"),
        (&[("RCPT", Writes(b"450 4.2.0 sp\xe4ter"))], "Unavailable"),
        (&[("CONTENT", Writes(b"552 5.2.2 Postfach \xfcberf\xfcllt"))], "Rejected"),
    ];
    for (script, expected) in scripts {
        let server = Server::start(&[script]).await;
        let outcome = send(&server.notifier()).await;
        assert!(format!("{outcome:?}").starts_with(expected), "{script:?}: {outcome:?}");
    }
    let server = Server::start(&[&[("RCPT", Says("550 5.1.1 Empfänger \u{1f4a5}"))]]).await;
    let outcome = send(&server.notifier()).await;
    assert_eq!(outcome, Outcome::rejected("550 5.1.1 Empfänger \u{1f4a5}"), "what is UTF-8 stays");
}

#[tokio::test]
async fn p09_a_domain_beyond_ascii_is_told_in_a_labels_to_a_server_without_smtputf8() {
    let server = Server::start(&[]).await;
    let url = format!("smtp://127.0.0.1:{}/bücher.example", server.port);
    let config = SmtpConfig::from_url(&url, "IR <ir@bücher.example>").unwrap();
    let notifier = SmtpNotifier::new(config, Arc::new(SystemClock::new())).unwrap();
    let alert = alert_to("jo@bücher.example");
    assert_eq!(notifier.notify(&alert, Duration::from_secs(4)).await, Outcome::Accepted);
    assert_eq!(server.lines("EHLO"), ["EHLO xn--bcher-kva.example"]);
    assert_eq!(server.lines("MAIL"), ["MAIL FROM:<ir@xn--bcher-kva.example>"]);
    assert_eq!(server.lines("RCPT"), ["RCPT TO:<jo@xn--bcher-kva.example>"]);
}

#[tokio::test]
async fn p09_a_local_part_beyond_ascii_needs_a_server_that_takes_it() {
    let server = Server::start(&[&[("EHLO", Says("250-test\r\n250 SMTPUTF8"))]]).await;
    let alert = alert_to("josé@bücher.example");
    assert_eq!(server.notifier().notify(&alert, Duration::from_secs(4)).await, Outcome::Accepted);
    assert_eq!(server.lines("MAIL"), ["MAIL FROM:<ir@example.org> SMTPUTF8"]);
    assert_eq!(server.lines("RCPT"), ["RCPT TO:<josé@xn--bcher-kva.example>"]);
}

#[tokio::test]
async fn a_server_that_asks_for_name_and_password_is_told_them() {
    let script: Script = &[
        ("EHLO", Says("250-test\r\n250 AUTH LOGIN")),
        ("AUTH", Says("334 VXNlcm5hbWU6")),
        ("dXNlcg==", Says("334 UGFzc3dvcmQ6")),
        ("cGFzc3dvcmQ=", Says("235 welcome")),
    ];
    let server = Server::start(&[script]).await;
    assert_eq!(send(&server.notifier_as("user:password@")).await, Outcome::Accepted);
    let script: Script = &[("EHLO", Says("250-test\r\n250 AUTH LOGIN")), ("AUTH", Says("334 Tm9ib2R5"))];
    let server = Server::start(&[script]).await;
    let outcome = send(&server.notifier_as("user:password@")).await;
    assert!(matches!(outcome, Outcome::Unavailable { .. }), "{outcome:?}");
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
