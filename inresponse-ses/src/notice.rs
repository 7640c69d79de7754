//! Later reports of SES: bounces, complaints.
//!
//! Sources: "Contents of event data that Amazon SES publishes to Amazon SNS" and "Amazon SNS notification contents
//! for Amazon SES" in the developer guide of SES.

use std::borrow::Cow;

use inresponse_core::model::{DeliveryId, IncidentNumber};
use serde::Deserialize;

use crate::error::{SesError, SesErrorKind};

/// The headers by which a report identifies the incident and the delivery of our mails.
const HEADER_INCIDENT: &str = "X-InResponse-Incident";
const HEADER_DELIVERY: &str = "X-InResponse-Delivery";

/// The maximum size of a message of SNS (quotas of SNS: 256 KB).
const MAX_BYTES: usize = 256 * 1024;

/// The beginning of SES's test messages to a topic.
const VALIDATED: &[u8] = b"Successfully validated SNS topic for Amazon SES";
const SUBSCRIBED: &str = "AmazonSnsSubscriptionSucceeded";

/// The maximum length of a reason that is passed on, in bytes.
const MAX_REASON: usize = 200;

/// The content of a message of SES.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Notice {
    /// The message is about an alert.
    Alert(AlertNotice),
    /// The message is about another mail, or is a test of the topic.
    Foreign,
}

/// The fate of an alert that SES had accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNotice {
    /// The incident that the alert was about.
    pub number: IncidentNumber,
    /// The delivery that was sent.
    pub delivery: DeliveryId,
    /// The recipient of the mail.
    pub recipient: String,
    /// The fate of the mail.
    pub fate: Fate,
    /// The reason, in the carriers' words; at most 200 bytes.
    pub reason: String,
}

/// The fate of a mail.
///
/// A bounced mail is not sent again. So the fate of a mail depends on whether the recipient has the mail:
///
/// | SES reports | fate |
/// |---|---|
/// | `Bounce` `Permanent`: `General`, `NoEmail`, `Suppressed`, `OnAccountSuppressionList`, `UnsubscribedRecipient` | bounced |
/// | `Bounce` `Transient` (`MailboxFull`, `MessageTooLarge`, `ContentRejected`, out of office …) and `Undetermined` | transient |
/// | `DeliveryDelay` | transient: SES continues to try |
/// | `Reject` (a virus) | bounced: SES did not send the mail, and nobody has it |
/// | `Complaint` | complained |
/// | `Send`, `Delivery`, `Open`, anything new | other |
///
/// Source: "Bounce types" and "Contents of event data that Amazon SES publishes to Amazon SNS" in the developer guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Fate {
    /// The mail bounced permanently, or SES refused to send it (a suppressed address, a virus).
    Bounced,
    /// The recipient reported the mail as spam, or has done so before, and therefore did not get it.
    Complained,
    /// The mail is delayed, or bounced for a reason that may pass. An out-of-office answer is also this.
    Transient,
    /// The report says something else: sent, delivered, opened.
    Other,
}

impl Fate {
    /// Whether the recipient will not see the mail, so that its delivery is dead.
    pub fn is_dead(self) -> bool {
        match self {
            Fate::Bounced | Fate::Complained => true,
            Fate::Transient | Fate::Other => false,
        }
    }
}

/// Reads the `Message` of an SNS notification: an event of a configuration set's event destination, or a notification
/// of an identity with the original headers included.
///
/// The function trusts nothing in the message and never panics. The caller has checked that SNS sent it.
///
/// # Errors
/// The message is larger than SNS allows, or is not an SES notification.
pub fn read(message: &[u8]) -> Result<Notice, SesError> {
    let unreadable = |what: &str| SesError::new(SesErrorKind::Notice, what);
    if message.len() > MAX_BYTES {
        return Err(unreadable("the message is larger than SNS allows"));
    }
    if message.starts_with(VALIDATED) {
        return Ok(Notice::Foreign);
    }
    let told: Told<'_> = serde_json::from_slice(message)
        .map_err(|e| unreadable("the message is not a notification of SES").because(e))?;
    if told.event_type == SUBSCRIBED {
        return Ok(Notice::Foreign);
    }
    // Messages of other publishers may have an `eventType` too, but are not about a mail.
    if told.mail.as_ref().is_none_or(|mail| mail.destination.is_none()) {
        return Err(unreadable("the message is not about a mail"));
    }
    Ok(told.notice().map_or(Notice::Foreign, Notice::Alert))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    /// The type of the message: `eventType` in events, `notificationType` in notifications of an identity.
    #[serde(borrow, alias = "notificationType")]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    mail: Option<Mail<'a>>,
    #[serde(borrow)]
    bounce: Option<Details<'a>>,
    #[serde(borrow)]
    complaint: Option<Details<'a>>,
    #[serde(borrow)]
    delivery_delay: Option<Details<'a>>,
    #[serde(borrow)]
    reject: Option<Details<'a>>,
}

#[derive(Deserialize, Default)]
struct Mail<'a> {
    #[serde(borrow)]
    destination: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    headers: Vec<Header<'a>>,
    #[serde(borrow, default)]
    tags: Tags<'a>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
struct Tags<'a> {
    #[serde(borrow, default, rename = "inresponse-incident")]
    incident: Vec<Cow<'a, str>>,
    #[serde(borrow, default, rename = "inresponse-delivery")]
    delivery: Vec<Cow<'a, str>>,
}

/// The details of a bounce, complaint, delay or rejection.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    #[serde(borrow, alias = "delayType", alias = "complaintFeedbackType")]
    bounce_type: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "complaintSubType")]
    bounce_sub_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "complainedRecipients", alias = "delayedRecipients")]
    bounced_recipients: Vec<Recipient<'a>>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient<'a> {
    #[serde(borrow)]
    email_address: Cow<'a, str>,
    #[serde(borrow)]
    diagnostic_code: Option<Cow<'a, str>>,
}

impl Told<'_> {
    fn notice(self) -> Option<AlertNotice> {
        let mail = self.mail?;
        let number = mail.says(&mail.tags.incident, HEADER_INCIDENT)?.parse().ok()?;
        let delivery = DeliveryId::read(mail.says(&mail.tags.delivery, HEADER_DELIVERY)?).ok()?;
        let details = self.bounce.or(self.complaint).or(self.delivery_delay).or(self.reject);
        let details = details.unwrap_or_default();
        let fate = match &*self.event_type {
            "Bounce" if details.bounce_type.as_deref() == Some("Permanent") => Fate::Bounced,
            "Bounce" | "DeliveryDelay" => Fate::Transient,
            "Reject" => Fate::Bounced,
            "Complaint" => Fate::Complained,
            _ => Fate::Other,
        };
        let first = details.bounced_recipients.first();
        let words = [
            Some(&self.event_type),
            details.bounce_type.as_ref(),
            details.bounce_sub_type.as_ref(),
            details.reason.as_ref(),
            first.and_then(|recipient| recipient.diagnostic_code.as_ref()),
        ];
        let words: Vec<&str> = words.into_iter().flatten().map(|word| &**word).collect();
        let mut reason = words.join(" ");
        reason.truncate(reason.floor_char_boundary(MAX_REASON));
        let destination = mail.destination.as_ref().and_then(|all| all.first());
        let recipient = first.map(|recipient| &recipient.email_address).or(destination);
        let recipient = recipient.map(|address| address.to_string()).unwrap_or_default();
        Some(AlertNotice { number: IncidentNumber::new(number), delivery, recipient, fate, reason })
    }
}

impl Mail<'_> {
    /// The value of a mail's tag, or of its header if there are no tags.
    fn says<'a>(&'a self, tag: &'a [Cow<'_, str>], header: &str) -> Option<&'a str> {
        let header = || self.headers.iter().find(|h| h.name.eq_ignore_ascii_case(header)).map(|h| &*h.value);
        tag.first().map(|value| &**value).or_else(header)
    }
}
