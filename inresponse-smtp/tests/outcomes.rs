//! Every way in which a mail server can fail, at every point, and the outcome that it is.

#![allow(clippy::unwrap_used, reason = "tests may panic, helpers too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use inresponse_core::plan;
use inresponse_smtp::{OutboxNotifier, SmtpConfig, SmtpNotifier};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Where in a session the server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Greeting,
    Ehlo,
    Mail,
    Rcpt,
    Data,
    Content,
    Nowhere,
}

/// What it does there.
#[derive(Debug, Clone, Copy)]
enum Does {
    Replies(&'static str),
    HangsUp,
    HalfReplies,
    Hangs,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    connections: Arc<AtomicUsize>,
    offers: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
}

/// A server that speaks just enough SMTP, and misbehaves from the `after`th mail of a connection on.
async fn server(at: At, does: Does, after: usize) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let counts = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            seen.connections.fetch_add(1, Ordering::SeqCst);
            let seen = seen.clone();
            tokio::spawn(async move { session(stream, at, does, after, &seen).await });
        }
    });
    (port, counts)
}

async fn session(stream: TcpStream, at: At, does: Does, after: usize, seen: &Seen) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mails = 0;
    let mut point = At::Greeting;
    loop {
        if point == at && mails >= after {
            match does {
                Does::Replies(reply) => write.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?,
                Does::HangsUp => return None,
                Does::HalfReplies => {
                    write.write_all(b"25").await.ok()?;
                    return None;
                }
                Does::Hangs => std::future::pending().await,
            }
        } else {
            let reply: &[u8] = match point {
                At::Greeting => b"220 test\r\n",
                At::Data => b"354 go on\r\n",
                At::Content => {
                    seen.accepted.fetch_add(1, Ordering::SeqCst);
                    mails += 1;
                    b"250 taken\r\n"
                }
                At::Ehlo | At::Mail | At::Rcpt | At::Nowhere => b"250 ok\r\n",
            };
            write.write_all(reply).await.ok()?;
        }
        let was_data = point == At::Data && !(at == At::Data && mails >= after);
        if was_data {
            while lines.next_line().await.ok()?? != "." {}
            point = At::Content;
            continue;
        }
        let command = lines.next_line().await.ok()??;
        point = match command.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => At::Ehlo,
            "MAIL" => {
                seen.offers.fetch_add(1, Ordering::SeqCst);
                At::Mail
            }
            "RCPT" => At::Rcpt,
            "DATA" => At::Data,
            _ => At::Nowhere,
        };
    }
}

fn alert(to: &str) -> Alert {
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let contact = Contact::new(to).unwrap();
    let matrix = Matrix::new(vec![vec![contact]], vec![], Duration::from_secs(600));
    let report = Report::builder("athens", Severity::Crit, "5xx").build().unwrap();
    let (opening, sends) =
        plan::open(report, TeamName::new("t").unwrap(), matrix, Some(Duration::from_secs(30)), at);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 1, sends[0].delivery, sends[0].attempt, sends[0].contact.clone())
}

fn notifier(port: u16) -> SmtpNotifier {
    let config = SmtpConfig::from_url(&format!("smtp://127.0.0.1:{port}"), "ir@example.org").unwrap();
    SmtpNotifier::new(config, Arc::new(SystemClock::new())).unwrap()
}

/// A deadline that nothing but a hanging server meets, on a busy machine too.
const AMPLE: Duration = Duration::from_secs(60);

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted | Outcome::AcceptedAs(_) => "accepted",
        Outcome::Rejected { .. } => "rejected",
        Outcome::Throttled { .. } => "throttled",
        Outcome::Limited { .. } => "limited",
        Outcome::Unavailable { .. } => "unavailable",
        Outcome::Unknown { .. } => "unknown",
    }
}

#[tokio::test]
async fn p09_every_failure_at_every_point_is_the_outcome_it_should_be_after_one_attempt() {
    use At::{Content, Data, Ehlo, Greeting, Mail, Nowhere, Rcpt};
    use Does::{HalfReplies, Hangs, HangsUp, Replies};
    let cases = [
        (Nowhere, Hangs, "accepted"),
        // What goes wrong before RCPT is no fault of the recipient.
        (Greeting, Replies("554 go away"), "unavailable"),
        (Greeting, Replies("421 too many connections"), "throttled"),
        (Greeting, HangsUp, "unavailable"),
        (Greeting, Hangs, "unavailable"),
        (Ehlo, Replies("550 not you"), "unavailable"),
        (Ehlo, Replies("550 5.1.1 user unknown"), "unavailable"),
        (Ehlo, HalfReplies, "unavailable"),
        (Mail, Replies("550 5.7.1 no"), "unavailable"),
        (Mail, Replies("553 5.7.1 Sender address rejected: not owned by user ir"), "unavailable"),
        (Mail, Replies("501 mail from address must be same as authorization user"), "unavailable"),
        (Mail, Replies("550 5.1.1 user unknown"), "unavailable"),
        (Mail, Replies("451 4.3.0 later"), "unavailable"),
        (Mail, Replies("421 4.7.0 too many"), "throttled"),
        (Rcpt, Replies("550 5.1.1 unknown user"), "rejected"),
        (Rcpt, Replies("550-5.1.1 no\r\n550 5.1.1 such user"), "rejected"),
        (Rcpt, Replies("550 no such user"), "rejected"),
        (Rcpt, Replies("550 5.4.5 Daily user sending quota exceeded"), "unavailable"),
        (Rcpt, Replies("554 5.7.1 <jo@example.org>: Relay access denied"), "unavailable"),
        (Rcpt, Replies("550 5.3.0 system"), "unavailable"),
        (Rcpt, Replies("550"), "unavailable"),
        (Rcpt, Replies("450 4.2.0 busy"), "unavailable"),
        (Rcpt, Replies("450 4.7.1 greylisted"), "throttled"),
        (Rcpt, Replies("452 4.3.1 slow down"), "throttled"),
        (Rcpt, HangsUp, "unavailable"),
        (Rcpt, HalfReplies, "unavailable"),
        (Rcpt, Hangs, "unavailable"),
        // Of the message, unless it says so of the mailbox.
        (Data, Replies("554 5.6.0 no"), "unavailable"),
        (Data, Replies("550 5.1.1 unknown user"), "rejected"),
        (Data, Replies("451 4.3.0 later"), "unavailable"),
        (Data, HangsUp, "unavailable"),
        (Data, Hangs, "unavailable"),
        // From here on it may have been taken, unless the server says that it was not.
        (Content, Replies("554 Message rejected: Email address is not verified."), "unavailable"),
        (Content, Replies("554 5.7.1 spam"), "unavailable"),
        (Content, Replies("552 5.2.2 full"), "rejected"),
        (Content, Replies("451 4.3.0 later"), "unavailable"),
        (Content, HangsUp, "unknown"),
        (Content, HalfReplies, "unknown"),
        (Content, Hangs, "unknown"),
    ];
    for (at, does, expected) in cases {
        let (port, seen) = server(at, does, 0).await;
        let is_met = matches!(does, Hangs | HalfReplies) && expected != "accepted";
        let deadline = if is_met { Duration::from_secs(3) } else { AMPLE };
        let outcome = notifier(port).notify(&alert("jo@example.org"), deadline).await;
        assert_eq!(kind(&outcome), expected, "{does:?} at {at:?}: {outcome:?}");
        let offers = seen.offers.load(Ordering::SeqCst);
        assert!(offers <= 1, "{offers} attempts where it {does:?} at {at:?}");
        assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let outcome = notifier(port).notify(&alert("jo@example.org"), AMPLE).await;
    assert_eq!(kind(&outcome), "unavailable", "{outcome:?}");
}

#[tokio::test]
async fn mails_go_over_kept_connections_that_are_renewed() {
    let (port, seen) = server(At::Nowhere, Does::Hangs, 0).await;
    let notifier = notifier(port);
    for _ in 0..200 {
        assert_eq!(notifier.notify(&alert("jo@example.org"), AMPLE).await, Outcome::Accepted);
    }
    assert_eq!(seen.accepted.load(Ordering::SeqCst), 200);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 3, "90 mails each");
}

#[tokio::test]
async fn a_kept_connection_that_the_server_has_tired_of_costs_no_attempt() {
    for does in [Does::Replies("452 4.5.3 too many"), Does::Replies("421 bye"), Does::HangsUp] {
        let (port, seen) = server(At::Mail, does, 1).await;
        let notifier = notifier(port);
        for _ in 0..3 {
            let outcome = notifier.notify(&alert("jo@example.org"), AMPLE).await;
            assert_eq!(outcome, Outcome::Accepted, "{does:?}");
        }
        assert_eq!(seen.accepted.load(Ordering::SeqCst), 3, "{does:?}");
    }
}

#[tokio::test]
async fn p13_a_hanging_send_does_not_delay_another() {
    let (port, _) = server(At::Rcpt, Does::Hangs, 0).await;
    let (good_port, _) = server(At::Nowhere, Does::Hangs, 0).await;
    let (hanging, good) = (notifier(port), notifier(good_port));
    let (first, second) = (alert("a@example.org"), alert("b@example.org"));
    let deadline = Duration::from_millis(500);
    let all = async { tokio::join!(hanging.notify(&first, deadline), hanging.notify(&second, deadline)) };
    let (hung, sent) = tokio::join!(tokio::time::timeout(AMPLE, all), good.notify(&first, AMPLE));
    assert!(hung.is_ok(), "both end at their own deadline");
    assert_eq!(sent, Outcome::Accepted);
}

#[tokio::test]
async fn a_local_part_beyond_ascii_is_rejected_where_the_server_cannot_take_it() {
    let (port, seen) = server(At::Nowhere, Does::Hangs, 0).await;
    let outcome = notifier(port).notify(&alert("josé@example.org"), AMPLE).await;
    assert_eq!(kind(&outcome), "rejected", "{outcome:?}");
    assert!(format!("{outcome:?}").contains("SMTPUTF8"), "{outcome:?}");
    assert_eq!(seen.offers.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_outbox_holds_one_whole_mail_for_each_attempt() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = dir.path().join("out/box");
    let notifier = OutboxNotifier::new(&outbox, "ir@example.org", Arc::new(SystemClock::new())).unwrap();
    let alert = alert("jo@example.org");
    assert_eq!(notifier.notify(&alert, AMPLE).await, Outcome::Accepted);
    let files: Vec<_> = std::fs::read_dir(&outbox).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(files, [outbox.join(format!("{}-1.eml", alert.delivery_id()))]);
    let bytes = std::fs::read(&files[0]).unwrap();
    let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.subject(), Some("[CRIT] #10001 athens: 5xx"));

    std::fs::remove_dir_all(&outbox).unwrap();
    let outcome = notifier.notify(&alert, AMPLE).await;
    assert_eq!(kind(&outcome), "unavailable", "{outcome:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_outbox_and_its_mails_are_for_their_owner_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let outbox = dir.path().join("out/box");
    let notifier = OutboxNotifier::new(&outbox, "ir@example.org", Arc::new(SystemClock::new())).unwrap();
    assert_eq!((mode(&outbox), mode(outbox.parent().unwrap())), (0o700, 0o700));
    let alert = alert("jo@example.org");
    let mail = outbox.join(format!("{}-1.eml", alert.delivery_id()));
    assert_eq!(notifier.notify(&alert, AMPLE).await, Outcome::Accepted);
    assert_eq!(mode(&mail), 0o600);

    // Where a process died during a write, and where somebody planted a link, in a folder that was there before.
    std::fs::set_permissions(&outbox, PermissionsExt::from_mode(0o777)).unwrap();
    let notifier = OutboxNotifier::new(&outbox, "ir@example.org", Arc::new(SystemClock::new())).unwrap();
    let unfinished = outbox.join(format!(".{}-1.tmp", alert.delivery_id()));
    let elsewhere = dir.path().join("elsewhere");
    std::fs::write(&unfinished, "half").unwrap();
    std::fs::set_permissions(&unfinished, PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(notifier.notify(&alert, AMPLE).await, Outcome::Accepted);
    assert_eq!(mode(&mail), 0o600);
    symlink(&elsewhere, &unfinished).unwrap();
    assert_eq!(notifier.notify(&alert, AMPLE).await, Outcome::Accepted);
    assert!(mode(&mail) == 0o600 && !elsewhere.exists());
}
