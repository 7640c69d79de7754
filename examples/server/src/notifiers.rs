//! Chooses the notifiers by the settings.

use std::error::Error;
use std::sync::Arc;

use inresponse_channels::{Outlets, PhoneConfig, add_channels};
use inresponse_core::clock::SystemClock;
use inresponse_core::notify::Notifiers;
use inresponse_smtp::{OutboxNotifier, SmtpNotifier};
use inresponse_webhook::WebhookConfig;

use crate::config::MailConfig;

pub(crate) async fn notifiers(
    mail: MailConfig,
    webhook: WebhookConfig,
    phone: PhoneConfig,
    outlets: &Outlets,
    clock: &SystemClock,
) -> Result<Notifiers, Box<dyn Error>> {
    let shared = Arc::new(clock.clone());
    let notifiers = match mail {
        MailConfig::Smtp(smtp) => Notifiers::new().mail(SmtpNotifier::new(*smtp, shared.clone())?),
        MailConfig::Outbox { dir, from } => {
            tracing::info!(outbox = %dir.display(), "no mail server is configured: mails are written as files");
            Notifiers::new().mail(OutboxNotifier::new(dir, &from, shared.clone())?)
        }
        #[cfg(feature = "aws")]
        MailConfig::Ses(ses) => {
            let aws = crate::aws::environment("ses").await?;
            Notifiers::new().mail(inresponse_ses::SesNotifier::new(&aws, ses, shared.clone()))
        }
    };
    add_channels(notifiers, webhook, phone, outlets, clock).map_err(|error| -> Box<dyn Error> { error })
}
