//! The notifier: one call of `SendEmail`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Builder, Config};
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, MessageTag, RawMessage};
use inresponse_core::clock::Clock;
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};
use inresponse_mail::Mail;

use crate::config::SesConfig;
use crate::handed::Handed;
use crate::reply::outcome;

/// The tags of our mails, by which [`read`](crate::read) finds the delivery. Tags consist of letters, digits,
/// underscores and dashes (API reference of SES v2, `MessageTag`).
const TAG_INCIDENT: &str = "inresponse-incident";
const TAG_DELIVERY: &str = "inresponse-delivery";

/// Why a contact is rejected.
const ASCII_ONLY: &str = "SES accepts only ASCII local parts";

/// Sends alerts through Amazon SES.
///
/// SES gives each mail its own `Message-ID`. The delivery id stays in `X-InResponse-Delivery`, and `References` keeps
/// the mails of an incident together.
pub struct SesNotifier {
    client: Client,
    config: SesConfig,
    clock: Arc<dyn Clock>,
}

impl SesNotifier {
    /// A notifier that uses region, credentials and HTTP client of `aws`: an `&aws_config::SdkConfig` or a builder.
    /// Retries are turned off. The notifier does not connect yet.
    pub fn new(aws: impl Into<Builder>, config: SesConfig, clock: Arc<dyn Clock>) -> Self {
        let aws = aws.into().behavior_version(BehaviorVersion::v2026_01_12());
        let aws = aws.retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(aws), config, clock }
    }

    async fn send(&self, mail: &Mail, tags: Option<Vec<MessageTag>>, deadline: Duration) -> Outcome {
        let recipients = mail.envelope().to().iter().map(ToString::to_string);
        let destination = Destination::builder().set_to_addresses(Some(recipients.collect())).build();
        let raw = RawMessage::builder().data(Blob::new(mail.message())).build();
        let raw = match raw {
            Ok(raw) => raw,
            Err(error) => return Outcome::unavailable(error.to_string()),
        };
        let handed = Handed::default();
        let timeouts = TimeoutConfig::builder().operation_timeout(deadline).build();
        let sent = self
            .client
            .send_email()
            .set_from_email_address(mail.envelope().from().map(ToString::to_string))
            .destination(destination)
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.config.configuration_set.clone())
            .set_email_tags(tags)
            .customize()
            .config_override(Config::builder().timeout_config(timeouts))
            .interceptor(handed.clone())
            .send()
            .await;
        match sent {
            Ok(_) => Outcome::Accepted,
            Err(error) => outcome(&error, handed.over()),
        }
    }
}

/// The tags by which events find the delivery. The tags' values are short and consist of letters, digits and dashes, as
/// tags must.
fn tags(alert: &Alert) -> Result<Vec<MessageTag>, aws_sdk_sesv2::error::BuildError> {
    let tag = |name: &str, value: String| MessageTag::builder().name(name).value(value).build();
    Ok(vec![
        tag(TAG_INCIDENT, alert.incident().number().to_string())?,
        tag(TAG_DELIVERY, alert.delivery_id().to_string())?,
    ])
}

#[async_trait]
impl Notifier for SesNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        if !self.reaches(alert.contact()) {
            return Outcome::rejected(ASCII_ONLY);
        }
        let tags = match tags(alert) {
            Ok(tags) => Some(tags),
            Err(error) => return Outcome::unavailable(error.to_string()),
        };
        match inresponse_mail::render(alert, &self.config.sender, self.clock.now()) {
            Ok(mail) => self.send(&mail, tags, deadline).await,
            Err(error) => error.outcome(),
        }
    }

    /// Does not reach an address whose local part is not ASCII: SES has no SMTPUTF8 (API reference of SES v2,
    /// `Destination`). Domains are in A-labels.
    fn reaches(&self, contact: &Contact) -> bool {
        contact.address().is_ascii()
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

/// The mail of a bundle has no tags, which name one delivery: a bounce of it is not read.
#[async_trait]
impl NotifyBundle for SesNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        if !self.reaches(bundle.contact()) {
            return Outcome::rejected(ASCII_ONLY);
        }
        match inresponse_mail::render_bundle(bundle, &self.config.sender, self.clock.now()) {
            Ok(mail) => self.send(&mail, None, deadline).await,
            Err(error) => error.outcome(),
        }
    }
}

impl fmt::Debug for SesNotifier {
    /// Hides the client, which contains credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SesNotifier").field("config", &self.config).finish_non_exhaustive()
    }
}
