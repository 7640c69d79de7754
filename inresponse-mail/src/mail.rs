//! Builds the message: headers, threading, parts.

use std::fmt;
use std::time::{Duration, SystemTime};

use askama::Template;
use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, Incident, Scheme, Severity};
use inresponse_core::notify::{Alert, Bundle, Occasion};
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentTransferEncoding, Header, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MessageBuilder, MultiPart, SinglePart};

use crate::bundle::{self, BundleHtml, BundleText, BundleView};
use crate::config::Sender;
use crate::error::{MailError, MailErrorKind};
use crate::subject::subject;
use crate::view::{
    CalledInHtml, CalledInText, ClaimEndsHtml, ClaimEndsText, HandedHtml, HandedText, Html, NoticeHtml,
    NoticeText, StatusUpdateHtml, StatusUpdateText, Text, View,
};

/// The latest date that a mail can have.
const LAST_DATE: u64 = 253_402_300_799;

/// The maximum length of a line in a part that is sent without an encoding; RFC 5322 section 2.1.1 allows 998.
const MAX_LINE: usize = 900;

/// A finished mail.
#[derive(Clone)]
pub struct Mail {
    envelope: Envelope,
    message: Vec<u8>,
}

impl Mail {
    /// The sender and the recipient that the mail carrier needs.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The message with its headers. Lines end in CRLF. All bytes are ASCII, except in a recipient's address that is
    /// not ASCII.
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

impl fmt::Debug for Mail {
    /// Hides the message, which contains a secret link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("to", &self.envelope.to()).finish_non_exhaustive()
    }
}

/// Makes the mail for an alert, a status update or a notice.
///
/// Every attempt of a delivery has the same `Message-ID`, and all mails of an incident refer to one thread. `now`
/// becomes the `Date`.
///
/// # Errors
/// The recipient's address is not valid in a mail.
pub fn render(alert: &Alert, sender: &Sender, now: DateTime<Utc>) -> Result<Mail, MailError> {
    let recipient = recipient(alert.contact())?;
    let incident = alert.incident();
    let view = View::new(alert);
    let rendered = match alert.occasion() {
        Occasion::Alert => (Text { view: &view }.render(), Html { view: &view }.render()),
        Occasion::Claimed | Occasion::Resolved => {
            (StatusUpdateText { view: &view }.render(), StatusUpdateHtml { view: &view }.render())
        }
        Occasion::CalledIn => (CalledInText { view: &view }.render(), CalledInHtml { view: &view }.render()),
        Occasion::Handed => (HandedText { view: &view }.render(), HandedHtml { view: &view }.render()),
        Occasion::ClaimEnds => {
            (ClaimEndsText { view: &view }.render(), ClaimEndsHtml { view: &view }.render())
        }
        Occasion::Notice => (NoticeText { view: &view }.render(), NoticeHtml { view: &view }.render()),
    };
    let text = rendered.0.map_err(|e| broken(e.into()))?;
    let html = rendered.1.map_err(|e| broken(e.into()))?;

    let id = format!("<{}@{}>", alert.delivery_id(), sender.domain());
    let mut builder = begun(sender, recipient, now)
        .message_id(Some(id))
        .raw_header(subject(&view.subject()))
        .header(Delivery(alert.delivery_id().to_string()));
    // A notice is about no incident, so it is in no thread.
    if alert.as_notice().is_none() {
        let thread = thread_id(incident, sender.domain());
        builder = builder.in_reply_to(thread.clone()).references(thread);
        builder = builder.header(Number(incident.number().to_string()));
    }
    let is_urgent = matches!(alert.occasion(), Occasion::Alert | Occasion::CalledIn);
    if incident.severity() == Severity::Crit && is_urgent {
        builder = builder.header(Importance).header(Priority);
    }
    finished(builder, &text, &html)
}

/// Makes the mail for many alerts to one contact.
///
/// The header `X-InResponse-Delivery` lists the ids of all deliveries. Every attempt with the same deliveries has the same
/// `Message-ID`. The mail belongs to no thread. `now` becomes the `Date`.
///
/// # Errors
/// The recipient's address is not valid in a mail.
pub fn render_bundle(bundle: &Bundle, sender: &Sender, now: DateTime<Utc>) -> Result<Mail, MailError> {
    let recipient = recipient(bundle.contact())?;
    let view = BundleView::new(bundle);
    let text = BundleText { view: &view }.render().map_err(|e| broken(e.into()))?;
    let html = BundleHtml { view: &view }.render().map_err(|e| broken(e.into()))?;
    let mut builder = begun(sender, recipient, now)
        .message_id(Some(format!("<{}@{}>", bundle.id(), sender.domain())))
        .raw_header(subject(&view.subject()))
        .header(Delivery(bundle::ids(bundle)))
        .header(Number(bundle::incident_numbers(bundle)));
    if view.is_crit() {
        builder = builder.header(Importance).header(Priority);
    }
    finished(builder, &text, &html)
}

/// The headers that every mail has.
fn begun(sender: &Sender, recipient: Address, now: DateTime<Utc>) -> MessageBuilder {
    Message::builder()
        .from(sender.mailbox().clone())
        .to(Mailbox::new(None, recipient))
        .date(date(now))
        .header(AutoSubmitted)
        .header(SuppressResponses)
}

fn finished(builder: MessageBuilder, text: &str, html: &str) -> Result<Mail, MailError> {
    let message = builder
        .multipart(
            MultiPart::alternative()
                .singlepart(SinglePart::plain(body(text)))
                .singlepart(SinglePart::html(body(html))),
        )
        .map_err(|e| broken(Box::<dyn std::error::Error + Send + Sync>::from(e)))?;
    Ok(Mail { envelope: message.envelope().clone(), message: message.formatted() })
}

fn broken(cause: Box<dyn std::error::Error + Send + Sync>) -> MailError {
    MailError::new(MailErrorKind::Message, "the message cannot be built", cause)
}

fn recipient(contact: &Contact) -> Result<Address, MailError> {
    const REFUSED: &str = "the recipient is not a mail address";
    if contact.scheme() != Scheme::mailto().as_str() {
        return Err(MailError::new(MailErrorKind::Recipient, REFUSED, "its scheme is not mailto"));
    }
    contact.address().parse().map_err(|e| MailError::new(MailErrorKind::Recipient, REFUSED, e))
}

/// The date of a mail, limited to the years 1970 to 9999. Beyond them the mail library panics, and a wrong clock must
/// not keep an alert from being sent.
fn date(now: DateTime<Utc>) -> SystemTime {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0).min(LAST_DATE);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The body of a part. The body is not encoded if that is legal, so that the link in a saved mail can be copied without
/// a mail reader. Otherwise the mail library chooses the encoding.
fn body(text: &str) -> Body {
    // A bare carriage return may not be sent (RFC 5321 section 2.3.8); servers refuse it for good.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_plain = |line: &str| line.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'));
    if text.split('\n').all(|line| line.len() <= MAX_LINE && is_plain(line)) {
        let text = text.replace('\n', "\r\n").into_bytes();
        return Body::dangerous_pre_encoded(text, ContentTransferEncoding::SevenBit);
    }
    Body::new(text)
}

/// The id of a message that never existed. Every mail of the incident refers to it, so that the mails are one thread.
fn thread_id(incident: &Incident, domain: &str) -> String {
    format!("<incident-{}-{}@{domain}>", incident.number(), incident.created_at().timestamp_micros())
}

/// Defines a header with a fixed name. The header's values contain no characters that end a line.
macro_rules! header {
    ($(#[$doc:meta])* $name:ident($value:ty), $text:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        struct $name($value);
        header!(@impl $name, $text, |header: &$name| header.0.clone());
    };
    ($(#[$doc:meta])* $name:ident = $value:literal, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        struct $name;
        header!(@impl $name, $text, |_: &$name| $value.to_owned());
    };
    (@impl $name:ident, $text:literal, $value:expr) => {
        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($text)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Err("this header is only written".into())
            }

            fn display(&self) -> HeaderValue {
                let value: fn(&$name) -> String = $value;
                HeaderValue::new(Self::name(), value(self))
            }
        }
    };
}

header!(
    /// The delivery id, by which a recipient can recognise a repeat.
    Delivery(String), "X-InResponse-Delivery"
);
header!(Number(String), "X-InResponse-Incident");
header!(
    /// Asks mail servers not to send vacation notes (RFC 3834).
    AutoSubmitted = "auto-generated", "Auto-Submitted"
);
header!(
    /// Asks Microsoft's mail servers not to send automatic replies.
    SuppressResponses = "All", "X-Auto-Response-Suppress"
);
header!(Importance = "high", "Importance");
header!(Priority = "1", "X-Priority");
