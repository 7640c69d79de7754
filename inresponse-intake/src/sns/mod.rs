//! Translates messages of Amazon SNS and EventBridge: CloudWatch alarms, and any other published message.
//!
//! Sources: Amazon's documentation of HTTP subscriptions, of the verification of messages' signatures, of the
//! notifications of CloudWatch alarms, and of the alarm events of EventBridge. A message of SNS is translated only if
//! its signature is valid and its time is within an hour of now. The caller fetches the certificate and the
//! confirmation of a subscription, from hosts of Amazon SNS only.

pub(crate) mod alarm;
mod url;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::InvalidInput;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;

pub use url::AmazonUrl;

use self::alarm::Alarm;
use crate::json::{Object, exactly, object};
use crate::trouble::Repairs;
use crate::{Context, Signal, Translated, Trouble, key, time};

/// How far the time of a message may be from now. SNS tries to deliver a message for an hour at most.
const MAX_AGE: TimeDelta = TimeDelta::hours(1);

/// A message of SNS whose signature is not verified yet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Envelope {
    r#type: String,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    token: Option<String>,
}

/// A message of SNS whose signature is verified.
#[derive(Debug)]
pub struct Verified {
    envelope: Envelope,
}

/// The meaning of a message.
#[derive(Debug)]
#[must_use]
pub enum Request {
    /// A URL that the caller must fetch, so that the topic's messages come here.
    Confirm(AmazonUrl),
    /// The translation of an alarm.
    Alert(Translated),
    /// The message says that the subscription has ended.
    Unsubscribed,
}

impl Envelope {
    /// Reads a message.
    ///
    /// # Errors
    /// The body is not a message of SNS.
    pub fn read(body: &[u8]) -> Result<Self, InvalidInput> {
        exactly(body)
    }

    /// The URL of the certificate with which the message claims to be signed.
    ///
    /// # Errors
    /// The URL is not a certificate at a host of Amazon SNS.
    pub fn certificate_url(&self) -> Result<AmazonUrl, InvalidInput> {
        let refused = || InvalidInput::field("SigningCertURL", "must be that of a certificate of Amazon SNS");
        AmazonUrl::certificate(&self.signing_cert_url).ok_or_else(refused)
    }

    /// Checks the message's signature with the PEM certificate from [`certificate_url`](Self::certificate_url), and
    /// checks its time.
    ///
    /// # Errors
    /// The message is not signed by that certificate, the certificate is invalid, or the message's time is more than an
    /// hour from `now`.
    pub fn verify(self, certificate: &[u8], now: DateTime<Utc>) -> Result<Verified, InvalidInput> {
        let refused = |what: &str| InvalidInput::field("Signature", what);
        let algorithm: &'static RsaParameters = match self.signature_version.as_str() {
            "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            "2" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(InvalidInput::field("SignatureVersion", "must be 1 or 2")),
        };
        let signed = self.signed_text()?;
        let signature = STANDARD.decode(&self.signature).map_err(|_| refused("must be base64"))?;
        let certificate = CertificateDer::from_pem_slice(certificate)
            .map_err(|_| refused("cannot be checked: the certificate is invalid"))?;
        let certificate = webpki::EndEntityCert::try_from(&certificate)
            .map_err(|_| refused("cannot be checked: the certificate is invalid"))?;
        let key = certificate.subject_public_key_info();
        let verified = UnparsedPublicKey::new(algorithm, key.as_ref()).verify(signed.as_bytes(), &signature);
        verified.map_err(|_| refused("is invalid"))?;
        let sent = DateTime::parse_from_rfc3339(&self.timestamp)
            .map_err(|_| InvalidInput::field("Timestamp", "must be a time"))?;
        if now.signed_duration_since(sent).abs() > MAX_AGE {
            return Err(InvalidInput::field("Timestamp", "must be within an hour of now"));
        }
        Ok(Verified { envelope: self })
    }

    /// The text that is signed: names and values of the signed fields, sorted by name.
    fn signed_text(&self) -> Result<String, InvalidInput> {
        let missing = |field| InvalidInput::field(field, "is missing");
        let mut fields = vec![("Message", self.message.as_str()), ("MessageId", &self.message_id)];
        match self.r#type.as_str() {
            "Notification" => fields.extend(self.subject.as_deref().map(|subject| ("Subject", subject))),
            "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
                let url = self.subscribe_url.as_deref().ok_or_else(|| missing("SubscribeURL"))?;
                fields.push(("SubscribeURL", url));
            }
            _ => return Err(InvalidInput::field("Type", "is not a host of Amazon SNS")),
        }
        fields.push(("Timestamp", &self.timestamp));
        if self.r#type != "Notification" {
            fields.push(("Token", self.token.as_deref().ok_or_else(|| missing("Token"))?));
        }
        fields.extend([("TopicArn", self.topic_arn.as_str()), ("Type", &self.r#type)]);
        Ok(fields.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect())
    }
}

impl Verified {
    /// The resource name of the message's topic.
    pub fn topic(&self) -> &str {
        &self.envelope.topic_arn
    }

    /// The published text; `None` for a message about the subscription itself.
    pub fn message(&self) -> Option<&str> {
        (self.envelope.r#type == "Notification").then_some(&self.envelope.message)
    }

    /// Translates the message.
    ///
    /// # Errors
    /// The subscription would be confirmed at a host that is not Amazon SNS, or for another topic.
    pub fn translate(self, context: &Context<'_>) -> Result<Request, InvalidInput> {
        let envelope = self.envelope;
        match envelope.r#type.as_str() {
            "SubscriptionConfirmation" => {
                let url = envelope.subscribe_url.as_deref();
                let url = url.and_then(|url| AmazonUrl::confirmation(url, &envelope.topic_arn));
                let refused = || {
                    InvalidInput::field(
                        "SubscribeURL",
                        "must confirm the subscription to this topic at Amazon SNS",
                    )
                };
                url.map(Request::Confirm).ok_or_else(refused)
            }
            "UnsubscribeConfirmation" => Ok(Request::Unsubscribed),
            _ => Ok(Request::Alert(envelope.alert(context))),
        }
    }
}

impl Envelope {
    /// The name of the topic: the last part of its resource name.
    fn topic(&self) -> &str {
        self.topic_arn.rsplit(':').next().unwrap_or_default()
    }

    fn alert(&self, context: &Context<'_>) -> Translated {
        if let Ok(message) = object(self.message.as_bytes()) {
            if let Some(alarm) = Alarm::notified(&message).or_else(|| Alarm::event(&message)) {
                return alarm.translate(Some(self.topic()), context);
            }
            if message.get("detail-type").is_some() {
                return other_event(&message, Some(self.topic()), context);
            }
        }
        // Any other message becomes an alert with its text, so that it is not lost.
        let key = key::of(&self.message_id);
        let key = key.ok_or_else(|| InvalidInput::field("MessageId", "must not be empty"))?;
        let labels = [("topic", self.topic())];
        let label = |name: &str| labels.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        let service = context.rule.service(label, context.service);
        let mut repairs = Repairs::default();
        let began = Value::from(self.timestamp.as_str());
        let trouble = Trouble::new(service, key, context.rule.severity(label), "sns")
            .title(self.subject.as_deref().into_iter().chain([self.message.as_str()]))
            .paragraph(&self.message)
            .labels(labels)
            .began(time::read("Timestamp", Some(&began), &mut repairs).at())
            .repaired(repairs);
        Ok(Signal::Report(Box::new(trouble)))
    }
}

/// Translates an event that EventBridge sends directly; `None` if the body is not such an event.
///
/// The event is not signed, so its sender must have shown a key.
pub fn event(body: &[u8], context: &Context<'_>) -> Option<Translated> {
    let event = object(body).ok()?;
    event.get("detail-type")?;
    Some(match Alarm::event(&event) {
        Some(alarm) => alarm.translate(None, context),
        None => other_event(&event, None, context),
    })
}

/// Reports an event that is not about an alarm's state, once and with its content unchanged.
fn other_event(event: &Object, topic: Option<&str>, context: &Context<'_>) -> Translated {
    let text = |name: &str| event.text(name).unwrap_or_default();
    let kind = text("detail-type");
    if kind == "CloudWatch Alarm Configuration Change" {
        return Ok(Signal::Nothing("the definition of an alarm changed, not its state"));
    }
    let detail = event.get("detail").map(Value::to_string).unwrap_or_default();
    let key = key::of(&text("id")).unwrap_or_else(|| key::of_whole(&kind, detail.as_bytes()));
    let given = [
        ("topic", topic.unwrap_or_default().to_owned()),
        ("source", text("source")),
        ("region", text("region")),
        ("account", text("account")),
    ];
    let labels =
        given.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (*name, value.as_str()));
    let label = |name: &str| labels.clone().find(|(given, _)| *given == name).map(|(_, value)| value);
    let service = context.rule.service(label, context.service);
    let mut repairs = Repairs::default();
    let began = time::read("time", event.get("time"), &mut repairs).at();
    let trouble = Trouble::new(service, key, context.rule.severity(label), "eventbridge")
        .title([kind.as_str()])
        .paragraph(&detail)
        .labels(labels.clone())
        .began(began)
        .repaired(repairs);
    Ok(Signal::Report(Box::new(trouble)))
}
