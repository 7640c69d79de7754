//! The message: headers, threading, parts.

use askama::Template;
use chrono::{DateTime, Utc};
use inresponse_core::model::{Incident, Severity};
use inresponse_core::notify::Alert;
use lettre::address::{Address, Envelope};
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};

use crate::config::Sender;
use crate::error::{MailError, MailErrorKind};
use crate::view::{Html, Text, View};

/// A finished mail.
#[derive(Debug, Clone)]
pub struct Mail {
    envelope: Envelope,
    message: Vec<u8>,
}

impl Mail {
    /// From whom and to whom, for the carrier.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The message with its headers: lines end in CRLF, all bytes are ASCII.
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

/// Makes the mail of an alert.
///
/// Every attempt of a delivery has the same `Message-ID`, and all mails of an incident refer to one thread. `now`
/// becomes the `Date`.
///
/// # Errors
/// The recipient's address cannot stand in a mail.
pub fn render(alert: &Alert, sender: &Sender, now: DateTime<Utc>) -> Result<Mail, MailError> {
    let recipient: Address =
        alert.contact().address().parse().map_err(|e| {
            MailError::new(MailErrorKind::Recipient, "the recipient is not a mail address", e)
        })?;
    let broken = |e| MailError::new(MailErrorKind::Message, "the message cannot be built", e);
    let incident = alert.incident();
    let thread = thread_id(incident, sender.domain());
    let view = View::new(alert);
    let text = Text { view: &view }.render().map_err(|e| broken(e.into()))?;
    let html = Html { view: &view }.render().map_err(|e| broken(e.into()))?;

    let mut builder = Message::builder()
        .from(sender.mailbox().clone())
        .to(Mailbox::new(None, recipient))
        .date(now.into())
        .message_id(Some(format!("<{}@{}>", alert.delivery_id(), sender.domain())))
        .in_reply_to(thread.clone())
        .references(thread)
        .subject(view.subject())
        .header(Delivery(alert.delivery_id().to_string()))
        .header(Number(incident.number().to_string()))
        .header(AutoSubmitted);
    if incident.severity() == Severity::Crit {
        builder = builder.header(Importance);
    }
    let message = builder
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|e| broken(Box::<dyn std::error::Error + Send + Sync>::from(e)))?;
    Ok(Mail { envelope: message.envelope().clone(), message: message.formatted() })
}

/// A message that never existed and that every mail of the incident answers, so that they are one thread.
fn thread_id(incident: &Incident, domain: &str) -> String {
    format!("<incident-{}-{}@{domain}>", incident.number(), incident.created_at().timestamp_micros())
}

/// A header with a fixed name; its values are made of what cannot end a line.
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
    /// The delivery, by which a recipient can tell a repeat.
    Delivery(String), "X-InResponse-Delivery"
);
header!(Number(String), "X-InResponse-Incident");
header!(
    /// No vacation notes in answer to it (RFC 3834).
    AutoSubmitted = "auto-generated", "Auto-Submitted"
);
header!(Importance = "high", "Importance");
