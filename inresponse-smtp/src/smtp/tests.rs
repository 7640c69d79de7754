//! How long each phase of an attempt may take, in simulated time over streams in memory.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::plan;
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

use super::*;

/// What the deadline of an attempt is by default.
const DEADLINE: Duration = Duration::from_secs(120);

fn mail() -> Mail {
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let contact = Contact::new("jo@example.org").unwrap();
    let matrix = Matrix::new(vec![vec![contact]], vec![], Duration::from_secs(600));
    let report = Report::builder("athens", Severity::Crit, "5xx").message("many of them, ".repeat(100));
    let team = TeamName::new("t").unwrap();
    let (opening, sends) =
        plan::open(report.build().unwrap(), team, matrix, Some(Duration::from_secs(30)), at);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    let alert = Alert::new(incident, 1, sends[0].delivery, sends[0].attempt, sends[0].contact.clone());
    inresponse_mail::render(&alert, &Sender::new("ir@example.org").unwrap(), at).unwrap()
}

/// A server that pauses before each of its replies for so many seconds: greeting, EHLO, MAIL, RCPT, DATA, content.
async fn server(stream: DuplexStream, pauses: [u64; 6]) -> Option<()> {
    let replies = ["220 test", "250 test", "250 ok", "250 ok", "354 go on", "250 taken"];
    let mut stream = BufReader::new(stream);
    for (reply, (place, pause)) in replies.iter().zip((0..).zip(pauses)) {
        if place > 0 {
            let end = if place == 5 { ".\r\n" } else { "\r\n" };
            let mut line = String::new();
            while !(line.ends_with(end) && (place < 5 || line == end)) {
                line.clear();
                stream.read_line(&mut line).await.ok()?;
            }
        }
        tokio::time::sleep(Duration::from_secs(pause)).await;
        stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}

/// One attempt over that stream, as a notifier makes it once it is connected.
async fn attempt(stream: DuplexStream) -> Outcome {
    let (mail, progress) = (mail(), Progress::new());
    let attempt = async {
        let mut session = Session::begin(stream).await?;
        session.hello(&ClientId::Domain("test".to_owned())).await?;
        progress.reach(Phase::Sender);
        begin(&mut session, &mail).await?;
        hand_over(&mut session, &mail, &progress).await
    };
    match within(DEADLINE, attempt).await {
        Ok(()) => Outcome::Accepted,
        Err(failure) => outcome(&failure, progress.phase()),
    }
}

#[tokio::test(start_paused = true)]
async fn p10_a_slow_server_is_waited_for_in_every_phase() {
    for (pauses, expected) in [
        ([0, 0, 0, 0, 0, 0], "accepted"),
        // A server that lets its clients wait before it greets them, as 20 s are common.
        ([59, 0, 0, 0, 0, 0], "accepted"),
        ([61, 0, 0, 0, 0, 0], "unavailable"),
        ([0, 29, 0, 0, 0, 0], "accepted"),
        ([0, 31, 0, 0, 0, 0], "unavailable"),
        ([0, 0, 29, 0, 0, 0], "accepted"),
        // A server that asks others about the sender or the recipient before it answers.
        ([0, 0, 100, 0, 0, 0], "accepted"),
        ([0, 0, 0, 100, 0, 0], "accepted"),
        ([0, 0, 0, 0, 100, 0], "accepted"),
        ([0, 0, 121, 0, 0, 0], "unavailable"),
        ([0, 0, 0, 121, 0, 0], "unavailable"),
        ([0, 0, 0, 0, 121, 0], "unavailable"),
        // The whole time that is left.
        ([0, 0, 0, 0, 0, 119], "accepted"),
        ([20, 20, 20, 20, 20, 19], "accepted"),
        ([0, 0, 0, 0, 0, 121], "unknown"),
        ([20, 20, 20, 20, 20, 21], "unknown"),
        // The deadline comes before the end of the content.
        ([50, 29, 29, 29, 0, 0], "unavailable"),
    ] {
        let (near, far) = tokio::io::duplex(1024);
        let serving = tokio::spawn(server(far, pauses));
        let outcome = attempt(near).await;
        serving.abort();
        let kind = match outcome {
            Outcome::Accepted | Outcome::AcceptedAs(_) => "accepted",
            Outcome::Unavailable { .. } => "unavailable",
            Outcome::Unknown { .. } => "unknown",
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, expected, "{pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn p10_a_mail_whose_content_never_ended_was_not_handed_over() {
    for hangs_up in [true, false] {
        let (near, far) = tokio::io::duplex(64);
        let serving = tokio::spawn(async move {
            let mut stream = BufReader::new(far);
            for reply in ["220 test", "250 test", "250 ok", "250 ok", "354 go on"] {
                stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
                stream.read_line(&mut String::new()).await.unwrap();
            }
            // It takes some of the content, and no more.
            stream.read_exact(&mut [0; 100]).await.unwrap();
            if !hangs_up {
                std::future::pending::<()>().await;
            }
        });
        let outcome = attempt(near).await;
        serving.abort();
        assert!(matches!(outcome, Outcome::Unavailable { .. }), "{hangs_up}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn p13_recipients_who_hang_delay_the_next_mail_by_a_second_at_most() {
    let config = SmtpConfig::from_url("smtp://127.0.0.1:1", "ir@example.org").unwrap();
    let clock = inresponse_core::clock::SystemClock::new();
    let notifier = Arc::new(SmtpNotifier::new(config, Arc::new(clock)).unwrap());
    for _ in 0..5 * AT_ONCE {
        let notifier = Arc::clone(&notifier);
        tokio::spawn(async move { notifier.in_turn(std::future::pending::<Result<(), Failure>>()).await });
    }
    tokio::task::yield_now().await;
    let next = notifier.in_turn(async { Ok(()) });
    assert!(tokio::time::timeout(HANGS_AFTER * 6, next).await.unwrap().is_ok());
}
