//! What arrives, as a mail reader sees it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, ReportBuilder, Severity, TeamName};
use inresponse_core::notify::Alert;
use inresponse_core::plan;
use inresponse_mail::{Sender, render};
use mail_parser::{HeaderValue, MessageParser};
use proptest::prelude::*;

fn at() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

fn contact(address: &str) -> Contact {
    Contact::new(address).unwrap()
}

fn alert(report: ReportBuilder) -> Alert {
    let matrix = Matrix::new(
        vec![vec![contact("jo@example.org"), contact("kim@example.org")], vec![contact("lee@example.org")]],
        vec![contact("ops@example.org")],
        Duration::from_secs(600),
    );
    let team = TeamName::new("devops").unwrap();
    let lease = Some(Duration::from_secs(30));
    let (opening, sends) = plan::open(report.build().unwrap(), team, matrix, lease, at());
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 3, sends[0].delivery, sends[0].attempt, sends[0].contact.clone())
        .with_claim_url("https://ir.example.org/incidents/10001/claim?token=abc.def".to_owned())
}

fn message(alert: &Alert) -> Vec<u8> {
    let sender = Sender::new("InResponse <alerts@example.org>").unwrap();
    render(alert, &sender, at()).unwrap().message().to_vec()
}

fn spike() -> ReportBuilder {
    Report::builder("athens", Severity::Crit, "5xx Error Spike")
        .message("12 % of requests fail.\nSince the last deploy.")
        .source("prometheus")
        .label("region", "eu-south-1")
        .link("Runbook", "https://wiki.example.org/5xx")
}

#[test]
fn the_text_says_what_where_how_bad_since_when_and_who_else() {
    let bytes = message(&alert(spike()));
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.subject(), Some("[CRIT] #10001 athens: 5xx Error Spike"));
    let text = parsed.body_text(0).unwrap().replace("\r\n", "\n");
    let expected = "\
CRIT on athens: 5xx Error Spike

Claim it, and the alerts stop:
https://ir.example.org/incidents/10001/claim?token=abc.def

12 % of requests fail.
Since the last deploy.

Incident  #10001
Service   athens (team devops)
Detected  2026-11-24 03:00:00 UTC
Reported  2026-11-24 03:00:00 UTC, 3 times by now
Source    prometheus
Labels    region=eu-south-1

Runbook: https://wiki.example.org/5xx

You are alerted at level 1, together with kim@example.org.
Unless somebody claims it:
  2026-11-24 03:10:00 UTC  lee@example.org
  2026-11-24 03:20:00 UTC  ops@example.org (fallback)

-- 
To jo@example.org, delivery 10001-1-1-0-";
    assert!(text.starts_with(expected), "{text}");
    let html = parsed.body_html(0).unwrap();
    assert!(html.contains("claim?token=abc.def") && html.contains("5xx Error Spike"), "{html}");
}

#[test]
fn p10_every_attempt_bears_the_same_delivery_and_every_mail_the_same_thread() {
    let first = alert(spike());
    let key = inresponse_core::model::DeliveryKey {
        round: 1,
        level: inresponse_core::model::Level::At(1),
        place: 0,
    };
    let second = Alert::new(Arc::new(first.incident().clone()), 3, key, 2, first.contact().clone());
    let (first, second) = (message(&first), message(&second));
    let parse = |bytes| MessageParser::default().parse(bytes).unwrap();
    let (first, second) = (parse(&first), parse(&second));
    assert_eq!(first.message_id(), second.message_id());
    let header =
        |m: &mail_parser::Message<'_>, name: &str| m.header(name).cloned().map(HeaderValue::into_owned);
    for name in ["X-InResponse-Delivery", "References", "In-Reply-To"] {
        assert!(header(&first, name).is_some(), "{name}");
        assert_eq!(header(&first, name), header(&second, name), "{name}");
    }
    assert_eq!(first.header("Auto-Submitted").and_then(HeaderValue::as_text), Some("auto-generated"));
}

#[test]
fn spaces_between_words_beyond_ascii_are_kept() {
    let bytes = message(&alert(Report::builder("Αθήνα", Severity::Err, "é  à ü a  ö")));
    let subject = MessageParser::default().parse(&bytes).unwrap().subject().unwrap().to_owned();
    assert_eq!(subject, "[ERR] #10001 Αθήνα: é à ü a ö");
}

#[test]
fn html_is_escaped() {
    let hostile = Report::builder("<s>", Severity::Warn, "<script>alert(1)</script>")
        .message("</p><img src=x onerror=y>")
        .label("<b>", "\"><i>")
        .link("<u>", "https://example.org/\"onclick=\"x");
    let bytes = message(&alert(hostile));
    let html = MessageParser::default().parse(&bytes).unwrap().body_html(0).unwrap().into_owned();
    for tag in ["<script", "<img", "<b>", "<i>", "<u>", "<s>", "\"onclick"] {
        assert!(!html.contains(tag), "{tag} in {html}");
    }
}

#[test]
fn a_recipient_who_cannot_stand_in_a_mail_is_an_error() {
    let good = alert(spike());
    let bad = Alert::new(
        Arc::new(good.incident().clone()),
        1,
        inresponse_core::model::DeliveryKey {
            round: 1,
            level: inresponse_core::model::Level::At(1),
            place: 0,
        },
        1,
        contact("sms:123"),
    );
    let sender = Sender::new("a@b.c").unwrap();
    let error = render(&bad, &sender, at()).unwrap_err();
    assert_eq!(error.kind(), inresponse_mail::MailErrorKind::Recipient);
    assert!(Sender::new("nobody").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_title_or_message_becomes_a_header_or_a_second_message(
        title in r"(\PC{0,40}|=\?utf-8\?[qb]\?|\.|From |Bcc: x@y\.z|[^\x00-\x1f]{0,20}){1,8}",
        message_text in r"(\PC{0,60}|\r\n|\n|\.\r\n|\r\n\.\r\n|Bcc: x@y\.z\r\n|--){0,12}",
        service in r"[^\x00-\x1f\x7f-\x9f]{1,60}",
    ) {
        let report = Report::builder(&service, Severity::Crit, &title).message(&message_text);
        prop_assume!(report.clone().build().is_ok());
        let hostile = alert(report);
        let bytes = message(&hostile);
        let plain = message(&alert(Report::builder("s", Severity::Crit, "t")));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let count = |bytes: &[u8]| MessageParser::default().parse(bytes).unwrap().headers().len();
        prop_assert_eq!(count(&bytes), count(&plain));
        prop_assert_eq!(parsed.attachment_count(), 0);
        prop_assert_eq!((parsed.text_body_count(), parsed.html_body_count()), (1, 1));
        let subject = format!("[CRIT] #10001 {}: {}", hostile.incident().service(), hostile.incident().title());
        // Runs of white space may be folded by either side, and what is invisible does not count.
        let squeeze = |s: &str| s.replace('\u{200b}', "").split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(squeeze(parsed.subject().unwrap_or_default()), squeeze(&subject));
        prop_assert!(bytes.is_ascii());
        prop_assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() <= 999), "a line is too long");
        prop_assert!(!bytes.windows(2).any(|w| w[1] == b'\n' && w[0] != b'\r'), "a bare line feed");
    }
}
