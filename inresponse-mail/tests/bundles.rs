//! Many alerts in one mail, as a mail reader sees it (promise 23).

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::{Alert, Bundle};
use inresponse_core::plan;
use inresponse_mail::{Sender, render_bundle};
use mail_parser::{HeaderValue, MessageParser};

fn at() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

fn alert(number: u64, service: &str, severity: Severity) -> Alert {
    let report = Report::builder(service, severity, format!("title <b>{number}</b>"))
        .message(format!("message of {number}\r\nX-Forged: yes"))
        .build()
        .unwrap();
    let on_call = vec![vec![Contact::new("jo@example.org").unwrap()]];
    let matrix = Matrix::new(on_call, vec![Contact::new("z@example.org").unwrap()], Duration::from_secs(600));
    let lease = Some(Duration::from_secs(30));
    let (opening, sends) = plan::open(report, TeamName::new("devops").unwrap(), matrix, lease, at());
    let incident = Arc::new(opening.numbered(IncidentNumber::new(number)).into_incident());
    Alert::new(incident, 1, sends[0].delivery, sends[0].attempt, sends[0].contact.clone())
        .with_claim_url(format!("https://ir.example.org/incidents/{number}/claim?token=abc"))
        .with_board_url(format!("https://ir.example.org/board/incidents/{number}"))
}

fn bundle(warns: u64, crits: u64) -> Bundle {
    let warns = (0..warns).map(|i| alert(10_000 + i, "billing", Severity::Warn));
    let crits =
        (0..crits).map(|i| alert(20_000 + i, if i == 0 { "search" } else { "checkout" }, Severity::Crit));
    let bundle = Bundle::new(warns.chain(crits).collect()).unwrap();
    bundle.with_claim_all_url("https://ir.example.org/claims?token=all".to_owned())
}

fn message(bundle: &Bundle) -> Vec<u8> {
    let sender = Sender::new("InResponse <alerts@example.org>").unwrap();
    render_bundle(bundle, &sender, at()).unwrap().message().to_vec()
}

#[test]
fn p23_a_mail_has_the_counts_the_worst_ten_the_numbers_of_the_others_and_a_link_to_claim_all() {
    let message = message(&bundle(7, 6));
    let mail = MessageParser::default().parse(&message).unwrap();
    assert_eq!(mail.subject().unwrap(), "[6 CRIT, 7 WARN] checkout and 2 other services");
    let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
    assert!(
        text.starts_with("13 incidents: 6 CRIT, 7 WARN\n\nSee all of them, and claim all of these:\n"),
        "{text}"
    );
    assert!(text.contains("https://ir.example.org/claims?token=all\n"));
    assert!(text.contains("CRIT  ERR WARN  Service\n   5    0    0  checkout\n   1    0    0  search\n   0    0    7  billing\n"), "{text}");
    let places = [20_000, 20_005, 10_000, 10_003].map(|n| text.find(&format!("#{n} ")).unwrap());
    assert!(places.is_sorted(), "the worst come first: {text}");
    assert!(text.contains("message of 10003"));
    assert!(text.contains("\n3 others:\nWARN #10004, #10005, #10006\n"), "{text}");
    assert!(!text.contains("message of 10004"));
    let html = mail.body_html(0).unwrap();
    assert!(html.contains("Claim all of these") && html.contains("title &#60;b&#62;20000"), "{html}");
    assert!(mail.header("X-Forged").is_none());
    assert_eq!(mail.header("X-Priority").and_then(HeaderValue::as_text), Some("1"));
}

#[test]
fn p10_p23_a_mail_of_500_alerts_carries_every_delivery_id_and_a_repeat_has_the_same_message_id() {
    let whole = bundle(250, 250);
    let message = message(&whole);
    let mail = MessageParser::default().parse(&message).unwrap();
    let header = |name: &str| match mail.header(name).unwrap() {
        HeaderValue::Text(text) => text.to_string(),
        HeaderValue::TextList(list) => list.join(", "),
        other => panic!("{other:?}"),
    };
    let ids = header("X-InResponse-Delivery");
    let ids: Vec<_> = ids.split(',').map(str::trim).collect();
    let expected: Vec<_> = whole.delivery_ids().map(|id| id.as_str()).collect();
    assert_eq!(ids, expected);
    assert_eq!(header("X-InResponse-Incident").split(',').count(), 500);
    let lines = message.split(|byte| *byte == b'\n');
    assert!(lines.map(<[u8]>::len).max().unwrap() < 998, "RFC 5322 allows no longer lines");
    let again = self::message(&bundle(250, 250));
    let id =
        |message: &[u8]| MessageParser::default().parse(message).unwrap().message_id().unwrap().to_owned();
    assert_eq!(id(&message), id(&again));
    assert_ne!(id(&message), id(&self::message(&bundle(250, 249))));
}

#[test]
fn p16_p23_a_long_message_is_cut_and_many_services_are_counted() {
    let alerts = (0..60).map(|i| alert(i + 1, &format!("service-{i:02}"), Severity::Err)).collect();
    let bundle = Bundle::new(alerts).unwrap();
    let message = message(&bundle);
    let mail = MessageParser::default().parse(&message).unwrap();
    assert_eq!(mail.subject().unwrap(), "[60 ERR] service-00 and 59 other services");
    assert!(mail.body_text(0).unwrap().contains("and 10 other services"));
}
