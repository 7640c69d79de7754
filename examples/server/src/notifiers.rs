//! How people are reached, by the settings.

use std::error::Error;
use std::sync::Arc;

use inresponse_core::clock::SystemClock;
use inresponse_core::notify::Notifiers;
use inresponse_smtp::{OutboxNotifier, SmtpNotifier};

use crate::config::MailConfig;

pub(crate) async fn notifiers(mail: MailConfig, clock: &SystemClock) -> Result<Notifiers, Box<dyn Error>> {
    let clock = Arc::new(clock.clone());
    Ok(match mail {
        MailConfig::Smtp(smtp) => Notifiers::new().mail(SmtpNotifier::new(*smtp, clock)?),
        MailConfig::Outbox { dir, from } => {
            tracing::info!(outbox = %dir.display(), "no mail server is configured: mails are written as files");
            Notifiers::new().mail(OutboxNotifier::new(dir, &from, clock)?)
        }
        #[cfg(feature = "aws")]
        MailConfig::Ses(ses) => {
            let aws = crate::aws::environment("ses").await?;
            Notifiers::new().mail(inresponse_ses::SesNotifier::new(&aws, ses, clock))
        }
    })
}
