//! What arrives, as a mail reader sees it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::model::{
    Contact, DeliveryId, DeliveryKey, Incident, IncidentNumber, Level, Matrix, Person, Report, ReportBuilder,
    Severity, StatusUpdates, TeamName, Zone,
};
use inresponse_core::notify::{Alert, Notice, Outcome};
use inresponse_core::plan::{self, Decision, HoldNothing, Input, StateChange, TakeOver, Update};
use inresponse_core::text::visible;
use inresponse_mail::{Sender, render};
use mail_parser::{HeaderValue, MessageParser};
use proptest::prelude::*;

fn at() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

fn contact(address: &str) -> Contact {
    Contact::new(address).unwrap()
}

fn matrix() -> Matrix {
    Matrix::new(
        vec![vec![contact("jo@example.org"), contact("kim@example.org")], vec![contact("lee@example.org")]],
        vec![contact("ops@example.org")],
        Duration::from_secs(600),
    )
    .with_status_updates(StatusUpdates::On)
}

fn alert(report: ReportBuilder) -> Alert {
    alert_of(report, matrix())
}

fn alert_of(report: ReportBuilder, matrix: Matrix) -> Alert {
    let team = TeamName::new("devops").unwrap();
    let lease = Some(Duration::from_secs(30));
    let (opening, sends) = plan::open(report.build().unwrap(), team, matrix, lease, at());
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    Alert::new(incident, 3, sends[0].delivery, sends[0].attempt, sends[0].contact.clone())
        .with_claim_url("https://ir.example.org/incidents/10001/claim?token=abc.def".to_owned())
        .with_board_url("https://ir.example.org/board/incidents/10001".to_owned())
}

/// The alert of the second level: jo has the first one's mail, kim's was refused.
fn second_alert() -> Alert {
    let mut incident = alert(spike()).incident().clone();
    let rejected = Outcome::Rejected { reason: "550 no such user".to_owned() };
    for (place, outcome) in [(0, &Outcome::Accepted), (1, &rejected)] {
        let delivery = DeliveryKey::alert(1, Level::At(1), place);
        incident = stepped(&incident, Input::Outcome { delivery, attempt: 1, outcome }, at()).0;
    }
    let due = Input::Due { lease: Duration::from_secs(30), hold: &HoldNothing, round: None };
    let (incident, sends) = stepped(&incident, due, at() + Duration::from_secs(600));
    Alert::new(Arc::new(incident), 1, sends[0].delivery, sends[0].attempt, sends[0].contact.clone())
}

fn stepped(incident: &Incident, input: Input<'_>, now: DateTime<Utc>) -> (Incident, Vec<plan::Dispatch>) {
    match plan::step(incident, input, now) {
        Decision::Change(plan) => (plan.draft.into_incident(), plan.sends),
        other => panic!("{other:?}"),
    }
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

12 % of requests fail.
Since the last deploy.

Claim it, and the alerts stop:
https://ir.example.org/incidents/10001/claim?token=abc.def

Claim it and resolve it:
https://ir.example.org/incidents/10001/claim?token=abc.def&then=resolve

Open it:
https://ir.example.org/board/incidents/10001

Runbook: https://wiki.example.org/5xx

Incident  #10001
Service   athens (team devops)
Detected  2026-11-24 03:00:00 UTC
Reported  2026-11-24 03:00:00 UTC, reported 3 times
Source    prometheus
Labels    region=eu-south-1

You are alerted at level 1, together with kim@example.org.
Unless somebody claims it:
  2026-11-24 03:10:00 UTC  lee@example.org
  2026-11-24 03:20:00 UTC  ops@example.org (fallback)

-- 
To jo@example.org, delivery 10001-1-1-0-";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn the_html_has_three_buttons_in_the_order_of_haste() {
    let bytes = message(&alert(spike()));
    let html = MessageParser::default().parse(&bytes).unwrap().body_html(0).unwrap().into_owned();
    let buttons: Vec<(&str, &str)> = html
        .split("<a ")
        .skip(1)
        .map(|link| (link.split('"').nth(1).unwrap(), link.split(['>', '<']).nth(1).unwrap()))
        .collect();
    let claim = "https://ir.example.org/incidents/10001/claim?token=abc.def";
    let and_resolve = format!("{claim}&amp;then=resolve");
    assert_eq!(buttons[0], (claim, "Claim"));
    assert_eq!(buttons[1], (and_resolve.as_str(), "Claim and resolve"));
    assert_eq!(buttons[2], ("https://ir.example.org/board/incidents/10001", "Open"));
    assert!(buttons.len() == 4 && buttons[3].1 == "Runbook", "{buttons:?}");
    assert!(html.find("5xx Error Spike") < html.find(">Claim<"), "what is broken comes first");
}

#[test]
fn the_html_keeps_its_colours_in_the_dark_and_its_severity_without_any() {
    for (severity, shape) in
        [(Severity::Crit, "&#9650;"), (Severity::Err, "&#9670;"), (Severity::Warn, "&#9679;")]
    {
        let bytes = message(&alert(Report::builder("athens", severity, "t")));
        let html = MessageParser::default().parse(&bytes).unwrap().body_html(0).unwrap().into_owned();
        assert!(html.contains(&format!("{shape}&nbsp;{severity}")), "{severity}");
        for name in ["color-scheme", "supported-color-schemes"] {
            assert!(html.contains(&format!("<meta name=\"{name}\" content=\"light dark\">")), "{name}");
        }
        assert!(html.contains("@media (prefers-color-scheme: dark)"));
    }
}

#[test]
fn a_later_level_is_told_who_was_alerted_before_and_when() {
    let bytes = message(&second_alert());
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    let text = parsed.body_text(0).unwrap().replace("\r\n", "\n");
    let expected = "\
You are alerted at level 2.
Nobody has claimed it. Before you:
  2026-11-24 03:00:00 UTC  jo@example.org was alerted, kim@example.org could not be reached: 550 no such user
Unless somebody claims it:
  2026-11-24 03:20:00 UTC  ops@example.org (fallback)
";
    assert!(text.contains(expected), "{text}");
    let html = parsed.body_html(0).unwrap();
    assert!(html.contains("Before you, no answer") && html.contains(">03:00 UTC<"), "{html}");
    assert!(html.contains("kim@example.org could not be reached: 550 no such user"), "{html}");
    let first = message(&alert(spike()));
    assert!(!String::from_utf8(first).unwrap().contains("Before you"), "nobody was");
}

/// What is told after that change by kim of an alert that jo and kim got.
fn status_update(change: StateChange, to: &str) -> Alert {
    let alert = alert(spike());
    let mut incident = alert.incident().clone();
    for place in [0, 1] {
        let delivery = DeliveryKey::alert(1, Level::At(1), place);
        let outcome = Input::Outcome { delivery, attempt: 1, outcome: &Outcome::Accepted };
        incident = stepped(&incident, outcome, at()).0;
    }
    let update = Update::state(Person::new("kim@example.org").unwrap(), change);
    let later = at() + Duration::from_secs(120);
    incident = stepped(&incident, Input::Update { update: &update, round: None }, later).0;
    let due = Input::Due { lease: Duration::from_secs(30), hold: &HoldNothing, round: None };
    let (incident, sends) = stepped(&incident, due, later);
    let send = sends.iter().find(|send| send.contact == contact(to)).expect("they are told");
    Alert::new(Arc::new(incident), 3, send.delivery, send.attempt, send.contact.clone())
        .with_claim_url(alert.claim_url().unwrap().to_owned())
        .with_board_url(alert.board_url().unwrap().to_owned())
}

#[test]
fn a_status_update_is_short_stands_in_the_thread_of_its_alert_and_offers_what_can_still_be_done() {
    let handed_on = StateChange::HandTo(Person::new("lee@example.org").unwrap());
    for (change, says, subject, offers) in [
        (
            StateChange::Claim(TakeOver::No),
            "kim@example.org has it",
            "Claimed by kim@example.org: CRIT athens: 5xx Error Spike (#10001)",
            "Take it over:",
        ),
        (
            handed_on,
            "kim@example.org handed the incident to lee@example.org",
            "Handed to lee@example.org by kim@example.org: CRIT athens: 5xx Error Spike (#10001)",
            "Take it over:",
        ),
        (
            StateChange::Resolve,
            "kim@example.org resolved it",
            "Resolved by kim@example.org: CRIT athens: 5xx Error Spike (#10001)",
            "Open it:",
        ),
    ] {
        let is_over = change == StateChange::Resolve;
        let (bytes, first) = (message(&status_update(change, "jo@example.org")), message(&alert(spike())));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let original = MessageParser::default().parse(&first).unwrap();
        // A locked screen shows little more than the subject, which must not look like another alert.
        assert_eq!(parsed.subject(), Some(subject));
        assert_eq!(parsed.header_raw("References"), original.header_raw("References"));
        assert_ne!(parsed.message_id(), original.message_id());
        assert_eq!(parsed.header_raw("Importance"), None, "nobody need hurry");
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        assert!(text.starts_with(&format!("{says}: CRIT on athens: 5xx Error Spike")), "{text}");
        assert!(html.contains(says) && html.contains("2026-11-24 03:02:00 UTC"), "{html}");
        assert!(text.contains(offers) && text.contains("/board/incidents/10001"), "{text}");
        for part in [&text, &html] {
            assert_eq!(part.contains("/claim?token="), !is_over, "{part}");
            assert!(!part.contains("then=resolve") && !part.contains("You are alerted"), "{part}");
        }
    }
}

#[test]
fn the_new_holder_is_told_what_happened_and_offered_what_they_can_do() {
    for to in ["jo@example.org", "lee@example.org"] {
        let bytes = message(&status_update(StateChange::HandTo(Person::new(to).unwrap()), to));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let subject = "Handed to you by kim@example.org: CRIT athens: 5xx Error Spike (#10001)";
        assert_eq!(parsed.subject(), Some(subject));
        let (text, html) = (parsed.body_text(0).unwrap().replace("\r\n", "\n"), parsed.body_html(0).unwrap());
        let link = "https://ir.example.org/incidents/10001/claim?token=abc.def";
        let expected = format!(
            "\
kim@example.org handed the incident to you: CRIT on athens: 5xx Error Spike

12 % of requests fail.
Since the last deploy.

Answer by 2026-11-24 03:12:00 UTC, or the alerts begin again.

Confirm that you have it:
{link}

Resolve it:
{link}&then=resolve

Release it:
{link}&then=release

Open it:
https://ir.example.org/board/incidents/10001

Runbook: https://wiki.example.org/5xx

Incident  #10001
Service   athens (team devops)
Detected  2026-11-24 03:00:00 UTC
Reported  2026-11-24 03:00:00 UTC, reported 3 times
Source    prometheus
Labels    region=eu-south-1

Before you:
  2026-11-24 03:00:00 UTC  jo@example.org was alerted, kim@example.org was alerted

-- 
To {to}, delivery 10001-1-n1-0-"
        );
        assert!(text.starts_with(&expected), "{text}");
        for part in
            [">Resolve<", ">Release<", ">Open<", ">Runbook<", "12 % of requests fail.", "03:12:00 UTC"]
        {
            assert!(html.contains(part), "{part} in {html}");
        }
        for part in [&*text, &*html] {
            assert!(!part.contains("Take over") && !part.contains("Take it over"), "they have it: {part}");
        }
    }
}

#[test]
fn a_person_who_is_called_in_is_told_by_whom_and_who_has_it() {
    let before = status_update(StateChange::Claim(TakeOver::No), "jo@example.org");
    let people = Matrix::new(vec![vec![contact("lee@example.org")]], Vec::new(), Duration::from_secs(600));
    let update = Update::call_in(Person::new("jo@example.org").unwrap(), people);
    let later = at() + Duration::from_secs(180);
    let (incident, _) = stepped(before.incident(), Input::Update { update: &update, round: None }, later);
    let due = Input::Due { lease: Duration::from_secs(30), hold: &HoldNothing, round: None };
    let (incident, sends) = stepped(&incident, due, later);
    let send = sends.iter().find(|send| send.contact == contact("lee@example.org")).expect("lee is called");
    let alert = Alert::new(Arc::new(incident), 1, send.delivery, send.attempt, send.contact.clone())
        .with_claim_url("https://ir.example.org/incidents/10001/claim?token=abc.def".to_owned());
    let bytes = message(&alert);
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    let subject = "Called in by jo@example.org: CRIT athens: 5xx Error Spike (#10001)";
    assert_eq!(parsed.subject(), Some(subject));
    let (text, html) = (parsed.body_text(0).unwrap().replace("\r\n", "\n"), parsed.body_html(0).unwrap());
    let begins = "jo@example.org called you in; kim@example.org has it: CRIT on athens: 5xx Error Spike\n";
    assert!(text.starts_with(begins), "{text}");
    for part in ["Say that you are on it:", "Resolve it:", "Alerted before:", "delivery 10001-1-c1-0-"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(html.contains(">I'm on it</a>") && !html.contains("Take over"), "{html}");
}

#[test]
fn times_are_those_of_the_team_by_the_name_of_its_zone_with_utc_beside_them_in_the_details() {
    for (zone, at_first, next, beside) in [
        ("Europe/Athens", "2026-11-24 05:00:00 EET", "05:10 EET", "(03:00:00 UTC)"),
        ("America/St_Johns", "2026-11-23 23:30:00 NST", "23:40 NST", "(2026-11-24 03:00:00 UTC)"),
        ("Asia/Kathmandu", "2026-11-24 08:45:00 UTC+05:45", "08:55 UTC+05:45", "(03:00:00 UTC)"),
        ("UTC", "2026-11-24 03:00:00 UTC", "03:10 UTC", "2026-11-24 03:00:00 UTC, reported 3 times"),
    ] {
        let matrix = matrix().in_zone(Zone::new(zone).unwrap());
        let bytes = message(&alert_of(spike(), matrix));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        for part in [&text, &html] {
            assert!(part.contains(at_first) && part.contains(beside), "{zone}: {part}");
        }
        assert!(html.contains(next), "{zone}: {html}");
        let full =
            if zone == "UTC" { "2026-11-24 03:10:00 UTC  lee" } else { next.split(' ').next().unwrap() };
        assert!(text.contains(full), "{zone}: {text}");
    }
}

#[test]
fn p12_a_further_round_is_told_with_the_people_who_are_on_call_then() {
    let bytes = message(&alert_of(spike(), matrix().repeated(1)));
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
    assert!(text.contains("2026-11-24 03:20:00 UTC  Round 2: the people on call then"), "{text}");
    assert!(html.contains("03:20 UTC") && html.contains("Round 2: the people on call then"), "{html}");
    assert!(!text.contains("fallback"), "{text}");
}

#[test]
fn a_message_of_many_lines_keeps_its_columns() {
    let table = "host     cpu   disk\nweb-1    12 %  99 %\nweb-22   7 %   1 %";
    let long = "x ".repeat(300);
    let (lines, prose) = ("It fails.\nSince the deploy.".to_owned(), long.clone());
    for (given, look) in [
        (table.to_owned(), Some("white-space:pre;overflow-x:auto")),
        ("a\tb\nc\td".to_owned(), Some("white-space:pre;overflow-x:auto")),
        (format!("{table}\n{long}end"), Some("white-space:pre;overflow-x:auto")),
        // Nothing of what is not a table is out of sight on a phone.
        (lines, Some("white-space:pre-wrap;overflow-wrap:anywhere")),
        (prose, None),
    ] {
        let bytes = message(&alert(Report::builder("athens", Severity::Crit, "t").message(&given)));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let text = parsed.body_text(0).unwrap().replace("\r\n", "\n");
        assert!(text.contains(&format!("\n\n{}\n\n", given.trim())), "not wrapped: {text}");
        let html = parsed.body_html(0).unwrap().replace("\r\n", "\n");
        let pre = html.split("<pre").nth(1).and_then(|rest| rest.split("</pre>").next());
        assert_eq!(pre.is_some(), look.is_some(), "{html}");
        let (Some(pre), Some(look)) = (pre, look) else { continue };
        assert!(pre.contains(look) && pre.contains("monospace") && pre.contains(given.trim()), "{html}");
    }
}

#[test]
fn without_links_there_are_no_buttons() {
    let html = second_alert();
    let bytes = message(&html);
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    for part in [parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap()] {
        assert!(!part.contains("claim?token") && !part.contains("then=resolve") && !part.contains("Open"));
    }
}

#[test]
fn p10_every_attempt_bears_the_same_delivery_and_every_mail_the_same_thread() {
    let first = alert(spike());
    let key = DeliveryKey::alert(1, Level::At(1), 0);
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
fn subjects_that_look_encoded_arrive_as_they_are() {
    for title in
        ["=?utf-8?b?QWxsIGdvb2Q=?=", "a =?utf-8?q?b?= c", "é a é  b é", "a  b", "a \u{5d0}b\u{fffd} c"]
    {
        let bytes = message(&alert(Report::builder("athens", Severity::Err, title)));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(parsed.subject(), Some(&*format!("[ERR] #10001 athens: {title}")));
    }
}

#[test]
fn p14_a_clock_that_is_far_out_does_not_keep_an_alert_from_being_rendered() {
    let sender = Sender::new("alerts@example.org").unwrap();
    for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let mail = render(&alert(spike()), &sender, now).unwrap();
        let date = MessageParser::default().parse(mail.message()).unwrap().date().unwrap().year;
        assert!(matches!(date, 1970 | 9999), "{date}");
    }
}

#[test]
fn the_claim_link_can_be_copied_from_a_saved_mail() {
    let link = format!("https://ir.example.org/incidents/10001/claim?token={}", "abc_DEF-12".repeat(12));
    let bytes = message(&alert(spike()).with_claim_url(link.clone()));
    let saved = String::from_utf8(bytes).unwrap();
    assert!(saved.contains(&format!("\r\n{link}\r\n")), "{saved}");
}

#[test]
fn a_message_without_a_claim_link_holds_no_bare_carriage_return() {
    let with_link = alert(Report::builder("athens", Severity::Warn, "t").message("a\r.\rb"));
    let key = DeliveryKey::alert(1, Level::At(1), 0);
    let without = Alert::new(Arc::new(with_link.incident().clone()), 1, key, 1, with_link.contact().clone());
    let bytes = message(&without);
    assert!(!bytes.windows(2).any(|w| w[0] == b'\r' && w[1] != b'\n'));
}

#[test]
fn nobody_answers_automatically_and_crit_is_urgent() {
    let header = |severity, name: &str| {
        let bytes = message(&alert(Report::builder("athens", severity, "t")));
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        parsed.header_raw(name).map(|value| value.trim().to_owned())
    };
    for severity in Severity::ALL {
        assert_eq!(header(severity, "Auto-Submitted").as_deref(), Some("auto-generated"));
        assert_eq!(header(severity, "X-Auto-Response-Suppress").as_deref(), Some("All"));
        let is_crit = severity == Severity::Crit;
        assert_eq!(header(severity, "Importance").as_deref(), is_crit.then_some("high"));
        assert_eq!(header(severity, "X-Priority").as_deref(), is_crit.then_some("1"));
    }
}

#[test]
fn the_claim_link_does_not_show_in_debug_output() {
    let mail = render(&alert(spike()), &Sender::new("a@b.c").unwrap(), at()).unwrap();
    let shown = format!("{mail:?}");
    assert!(shown.contains("jo@example.org") && shown.len() < 200, "{shown}");
}

#[test]
fn a_recipient_who_cannot_stand_in_a_mail_is_an_error() {
    let good = alert(spike());
    let bad = Alert::new(
        Arc::new(good.incident().clone()),
        1,
        DeliveryKey::alert(1, Level::At(1), 0),
        1,
        contact("chat:jo@example.org"),
    );
    let sender = Sender::new("a@b.c").unwrap();
    let error = render(&bad, &sender, at()).unwrap_err();
    assert_eq!(error.kind(), inresponse_mail::MailErrorKind::Recipient);
    for sender in ["nobody", "a@bü_cher.example", "é@b.c", "é@bücher.example", "a\r\nBcc: x@y.z <a@b.c>"]
    {
        let kind = Sender::new(sender).unwrap_err().kind();
        assert_eq!(kind, inresponse_mail::MailErrorKind::Sender, "{sender:?}");
    }
}

#[test]
fn p09_domains_beyond_ascii_are_a_labels_in_envelope_and_headers() {
    let good = alert(spike());
    let alert = Alert::new(
        Arc::new(good.incident().clone()),
        1,
        DeliveryKey::alert(1, Level::At(1), 0),
        1,
        contact("jo@bücher.example"),
    );
    let mail = render(&alert, &Sender::new("Bücher <alerts@Bücher.example>").unwrap(), at()).unwrap();
    let envelope = mail.envelope();
    assert_eq!(envelope.from().unwrap().to_string(), "alerts@xn--bcher-kva.example");
    assert_eq!(envelope.to()[0].to_string(), "jo@xn--bcher-kva.example");
    assert!(mail.message().is_ascii());
    let parsed = MessageParser::default().parse(mail.message()).unwrap();
    let from = parsed.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Bücher"), Some("alerts@xn--bcher-kva.example")));
    assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("jo@xn--bcher-kva.example"));
    for name in ["Message-ID", "References", "In-Reply-To"] {
        let id = parsed.header(name).unwrap().as_text().unwrap();
        assert!(id.ends_with("@xn--bcher-kva.example"), "{name}: {id}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_title_or_message_becomes_a_header_or_a_second_message(
        title in r"(\PC{0,40}|=\?utf-8\?[qb]\?|=\?utf-8\?b\?YQ==\?=| {1,3}|\.|From |Bcc: x@y\.z|[^\x00-\x1f]{0,20}){1,8}",
        message_text in r"(\PC{0,60}|\r\n|\n|\r|\r\.\r|\.\r\n|\r\n\.\r\n|Bcc: x@y\.z\r\n|--){0,12}",
        service in r"([^\x00-\x1f\x7f-\x9f]{1,60}| {1,3}|é){1,3}",
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
        prop_assert_eq!(parsed.subject(), Some(&*visible(&subject)));
        prop_assert!(bytes.is_ascii());
        prop_assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() <= 999), "a line is too long");
        let bare = |w: &[u8]| (w[0] == b'\r') != (w[1] == b'\n');
        prop_assert!(!bytes.windows(2).any(bare), "a bare carriage return or line feed");
    }
}

#[test]
fn what_a_reader_would_not_see_of_a_text_is_shown_in_every_part() {
    let hidden = "pay \u{202e}txt.exe\u{200b} <b> 👩\u{200d}💻";
    let report = Report::builder("athens", Severity::Crit, hidden).message(hidden).label("host", hidden);
    let bytes = message(&alert(report.link(hidden, "https://wiki.example.org/5xx")));
    let mail = MessageParser::default().parse(&bytes).unwrap();
    let shown = r"pay \u{202e}txt.exe\u{200b} ";
    let (subject, text) = (mail.subject().unwrap(), mail.body_text(0).unwrap());
    assert!(subject.contains(&format!("{shown}<b> 👩\u{200d}💻")), "{subject}");
    assert_eq!(text.matches(&format!("{shown}<b> 👩\u{200d}💻")).count(), 4, "{text}");
    let html = mail.body_html(0).unwrap();
    assert_eq!(html.matches(&format!("{shown}&#60;b&#62; 👩\u{200d}💻")).count(), 4, "{html}");
    for part in [subject, &text, &html] {
        assert!(!part.contains(['\u{202e}', '\u{200b}']), "{part}");
    }
}

#[test]
fn links_that_claim_do_not_show_in_debug_output() {
    let alert = alert(spike());
    let mail = render(&alert, &Sender::new("a@b.c").unwrap(), at()).unwrap();
    assert!(String::from_utf8_lossy(mail.message()).contains("token"), "the mail itself has the link");
    for shown in [format!("{alert:?}"), format!("{mail:?}")] {
        assert!(shown.contains("jo@example.org") && !shown.contains("abc.def"), "{shown}");
    }
}

#[test]
fn a_notice_is_about_the_roster_and_in_no_thread() {
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let notice = Notice {
        title: "You are on call for <web> until Mon 14 Dec 2026 11:00 EET".to_owned(),
        message: "a line\nand <b>another</b>".to_owned(),
        facts: vec![fact("Team", "web"), fact("Alerted next", "kim")],
    };
    let id = DeliveryId::read("notice-0123456789abcdef").unwrap();
    let notice = Alert::notice(id, &contact("jo@example.org"), notice, at()).unwrap();
    let bytes = message(&notice.with_board_url("https://ir.example.org/board/oncall".to_owned()));
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.subject(), Some("You are on call for <web> until Mon 14 Dec 2026 11:00 EET"));
    assert_eq!(parsed.message_id().unwrap().split('@').next(), Some("notice-0123456789abcdef"));
    assert_eq!(parsed.header_raw("X-InResponse-Delivery").map(str::trim), Some("notice-0123456789abcdef"));
    for header in ["References", "In-Reply-To", "X-InResponse-Incident", "Importance"] {
        assert_eq!(parsed.header_raw(header), None, "{header}");
    }
    assert_eq!(parsed.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
    let expected = "You are on call for <web> until Mon 14 Dec 2026 11:00 EET\n\na line\nand <b>another</b>\n\n\
        Team: web\nAlerted next: kim\n\nLook at the roster:\nhttps://ir.example.org/board/oncall\n";
    assert!(text.replace("\r\n", "\n").starts_with(expected), "{text}");
    assert!(html.contains("You are on call for &#60;web&#62;") && !html.contains("<b>another"), "{html}");
    for part in [&text, &html] {
        assert!(!part.contains("WARN") && !part.contains("#0 ") && !part.contains("laim"), "{part}");
    }
}

/// The incident that kim claimed at 03:02 and snoozed for an hour, and what is due of it so many seconds later.
fn snoozed(seconds: u64) -> (Incident, Vec<plan::Dispatch>) {
    let mut incident = alert(spike()).incident().clone();
    let later = at() + Duration::from_secs(120);
    for change in [StateChange::Claim(TakeOver::No), StateChange::Snooze(Duration::from_secs(3600))] {
        let update = Update::state(Person::new("kim@example.org").unwrap(), change);
        incident = stepped(&incident, Input::Update { update: &update, round: None }, later).0;
    }
    let round = plan::NextRound::of(incident.team().clone(), matrix());
    let due = Input::Due { lease: Duration::from_secs(30), hold: &HoldNothing, round: Some(round) };
    stepped(&incident, due, later + Duration::from_secs(seconds))
}

#[test]
fn p22_the_claimant_is_told_when_their_claim_ends_and_how_to_keep_it() {
    let (incident, sends) = snoozed(3000);
    let send = sends.iter().find(|send| send.contact == contact("kim@example.org")).unwrap();
    let alert = Alert::new(Arc::new(incident), 3, send.delivery, send.attempt, send.contact.clone())
        .with_claim_url("https://ir.example.org/incidents/10001/claim?token=abc.def".to_owned());
    let bytes = message(&alert);
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    let subject = "Your claim ends at 04:02 UTC: CRIT athens: 5xx Error Spike (#10001)";
    assert_eq!(parsed.subject(), Some(subject));
    let (text, html) = (parsed.body_text(0).unwrap().replace("\r\n", "\n"), parsed.body_html(0).unwrap());
    let link = "https://ir.example.org/incidents/10001/claim?token=abc.def";
    let expected = format!(
        "\
Your claim ends at 2026-11-24 04:02:00 UTC: CRIT on athens: 5xx Error Spike

Then the alerts begin again. To keep it, set a later end.

Keep it for another hour:
{link}&then=snooze
"
    );
    assert!(text.starts_with(&expected), "{text}");
    assert!(html.contains("then=snooze") && html.contains("Your claim ends at"), "{html}");
}

#[test]
fn p22_the_alert_of_the_next_round_says_whose_claim_ended() {
    let (incident, sends) = snoozed(3600);
    let send = &sends[0];
    let alert = Alert::new(Arc::new(incident), 3, send.delivery, send.attempt, send.contact.clone());
    let bytes = message(&alert);
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    let why = "The claim of kim@example.org ended at 2026-11-24 04:02:00 UTC after 1 h.";
    for part in [parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap()] {
        assert!(part.contains(why), "{part}");
    }
    assert!(!String::from_utf8(message(&second_alert())).unwrap().contains("The claim of"));
}
