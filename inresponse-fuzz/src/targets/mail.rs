//! Fuzzes the mail of an incident, which a strict and a lax parser read.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::Alert;
use inresponse_core::plan;
use inresponse_mail::{Sender, render};
use mail_parser::MessageParser;
use mailparse::MailHeaderMap;

use super::{now, once};

thread_local! {
    static SCENE: OnceCell<Scene> = const { OnceCell::new() };
}

struct Scene {
    sender: Sender,
    /// The names of the headers that every mail has.
    headers: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let sender = Sender::new("InResponse <alerts@example.org>").unwrap();
        let plain = Report::builder("s", Severity::Err, "t").build().unwrap();
        let mail = render(&alert(plain, None), &sender, now()).unwrap();
        let headers = header_names(mail.message());
        Self { sender, headers }
    }
}

fn alert(report: Report, recipient: Option<Contact>) -> Alert {
    let contact = |text: &str| Contact::new(text).unwrap();
    let first = recipient.unwrap_or_else(|| contact("jo@example.org"));
    let levels = vec![vec![first, contact("kim@example.org")], vec![contact("lee@example.org")]];
    let matrix = Matrix::new(levels, vec![contact("ops@example.org")], Duration::from_secs(600));
    let lease = Some(Duration::from_secs(30));
    let (opening, sends) = plan::open(report, TeamName::new("devops").unwrap(), matrix, lease, now());
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10_001)).into_incident());
    let send = &sends[0];
    Alert::new(incident, 3, send.delivery, send.attempt, send.contact.clone())
        .with_claim_url("https://ir.example.org/incidents/10001/claim?token=abc.def".to_owned())
}

fn header_names(message: &[u8]) -> Vec<String> {
    let (headers, _) = mailparse::parse_headers(message).unwrap();
    headers.iter().map(|header| header.get_key()).collect()
}

/// Reads the fields of an incident, separated by bytes that are not UTF-8: title, message, service, source, key, a
/// label, a link, the recipient.
pub(super) fn mail(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == 0xff).map(std::str::from_utf8);
    let mut part = || parts.next().and_then(Result::ok).filter(|part| !part.is_empty());
    let Some(title) = part() else { return };
    let message = part().unwrap_or_default();
    let mut report = Report::builder(part().unwrap_or("athens"), Severity::Err, title).message(message);
    if let Some(source) = part() {
        report = report.source(source);
    }
    if let Some(key) = part() {
        report = report.dedup_key(key);
    }
    if let (Some(name), Some(value)) = (part(), part()) {
        report = report.label(name, value);
    }
    if let (Some(text), Some(url)) = (part(), part()) {
        report = report.link(text, url);
    }
    let recipient = part().and_then(|text| Contact::new(text).ok()).filter(|c| c.scheme() == "mailto");
    let Ok(report) = report.build() else { return };
    let alert = alert(report, recipient);
    once(&SCENE, Scene::new, |scene| {
        // An address that no mail can bear is refused, and never sent to another.
        if let Ok(mail) = render(&alert, &scene.sender, now()) {
            holds(scene, &alert, &mail);
        }
    });
}

fn holds(scene: &Scene, alert: &Alert, mail: &inresponse_mail::Mail) {
    let bytes = mail.message();
    let address = alert.contact().address();
    let to = mail.envelope().to();
    assert!(to.len() == 1 && AsRef::<str>::as_ref(&to[0]) == address, "{to:?} is not {address}");

    assert!(bytes.is_ascii() || !address.is_ascii());
    assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() <= 999), "a line is too long");
    let bare = |w: &[u8]| (w[0] == b'\r') != (w[1] == b'\n');
    assert!(!bytes.windows(2).any(bare), "a bare carriage return or line feed");

    // The lax parser.
    assert_eq!(header_names(bytes), scene.headers);
    let lax = mailparse::parse_mail(bytes).unwrap();
    assert_eq!(lax.subparts.len(), 2, "text and HTML");
    assert_eq!(lax.headers.get_all_headers("To").len(), 1);
    assert_eq!(lax.headers.get_first_value("From").unwrap(), "InResponse <alerts@example.org>");

    // The strict parser.
    let strict = MessageParser::default().parse(bytes).unwrap();
    assert_eq!(strict.headers().len(), scene.headers.len());
    assert_eq!((strict.text_body_count(), strict.html_body_count(), strict.attachment_count()), (1, 1, 0));
    let recipients: Vec<_> = strict.to().unwrap().iter().filter_map(|to| to.address()).collect();
    if address.is_ascii() {
        assert_eq!(recipients, [address]);
    }
    assert!(strict.cc().is_none() && strict.bcc().is_none());
    let incident = alert.incident();
    let subject = format!("[ERR] #10001 {}: {}", incident.service(), incident.title());
    assert_eq!(strict.subject(), Some(&*inresponse_core::text::visible(&subject)));
    let html = strict.body_html(0).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
}
