//! Chooses the notifiers by the settings.

use std::error::Error;
use std::sync::Arc;

use inresponse_core::Chain;
use inresponse_core::clock::SystemClock;
use inresponse_core::notify::Notifiers;
use inresponse_smtp::{OutboxNotifier, SmtpNotifier};
use inresponse_webhook::{WebhookConfig, WebhookErrorKind, WebhookNotifier};

use crate::config::MailConfig;
use crate::outlets::Outlets;

pub(crate) async fn notifiers(
    mail: MailConfig,
    webhook: WebhookConfig,
    outlets: &Outlets,
    clock: &SystemClock,
) -> Result<Notifiers, Box<dyn Error>> {
    let clock = Arc::new(clock.clone());
    let notifiers = match mail {
        MailConfig::Smtp(smtp) => Notifiers::new().mail(SmtpNotifier::new(*smtp, clock.clone())?),
        MailConfig::Outbox { dir, from } => {
            tracing::info!(outbox = %dir.display(), "no mail server is configured: mails are written as files");
            Notifiers::new().mail(OutboxNotifier::new(dir, &from, clock.clone())?)
        }
        #[cfg(feature = "aws")]
        MailConfig::Ses(ses) => {
            let aws = crate::aws::environment("ses").await?;
            Notifiers::new().mail(inresponse_ses::SesNotifier::new(&aws, ses, clock.clone()))
        }
    };
    let has_channels = webhook.has_channels();
    match WebhookNotifier::new(webhook, clock) {
        Ok(webhooks) => {
            let notifiers =
                webhooks.schemes().into_iter().fold(notifiers, |n, scheme| n.with(scheme, webhooks.clone()));
            Ok(outlets.add_to(notifiers))
        }
        // Where no channel is configured, a machine without certificates sends mails anyway.
        Err(error) if error.kind() == WebhookErrorKind::Certificates && !has_channels => {
            tracing::warn!(error = %Chain::of(&error), "there are no webhooks here");
            Ok(outlets.add_to(notifiers))
        }
        Err(error) => Err(error.into()),
    }
}
