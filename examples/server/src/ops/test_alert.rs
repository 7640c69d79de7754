//! The command `inresponse test-alert CONTACT`.

use std::error::Error;
use std::time::Duration;

use clap::Args;
use inresponse_channels::{ChannelSettings, Outlets};
use inresponse_core::Engine;
use inresponse_core::clock::{Clock, SystemClock};
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Notifier, Outcome};

use crate::config::{Config, MailConfig, ServeArgs};
use crate::notifiers::notifiers;

/// How long a notifier may exceed its deadline before the command stops waiting.
const GRACE: Duration = Duration::from_millis(500);

/// Sends one alert that is marked as a test, the way the server would, and prints the result.
///
/// The command stores nothing and needs no running server. The command exits with 0 if the alert was accepted,
/// otherwise with 1.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  inresponse test-alert jo@example.org --smtp-url smtp://mail.example.org")]
pub(crate) struct TestAlertArgs {
    /// The contact to alert
    contact: String,
    #[command(flatten)]
    serve: ServeArgs,
}

pub(crate) async fn test_alert(args: TestAlertArgs) -> Result<(), Box<dyn Error>> {
    let contact = Contact::new(&args.contact)?;
    let config = Config::load(args.serve)?;
    let clock = SystemClock::new();
    let folder = match &config.mail {
        MailConfig::Outbox { dir, .. } if contact.as_str().starts_with("mailto:") => Some(dir.clone()),
        _ => None,
    };
    let ChannelSettings { webhook, outlets, phone, .. } = config.channels;
    let outlets = Outlets::new(outlets, webhook.internal(), config.public_url.as_deref(), &clock);
    let outlets = outlets.map_err(|error| -> Box<dyn Error> { error })?;
    let notifiers = notifiers(config.mail, webhook, phone, &outlets, &clock).await?;
    if !notifiers.reach(&contact) {
        return Err(format!("no configured channel reaches {contact}").into());
    }
    let alert = Alert::test(&contact, clock.now())?;
    let deadline = Engine::send_deadline(config.lease);
    let began = clock.monotonic();
    let outcome = tokio::time::timeout(deadline + GRACE, notifiers.notify(&alert, deadline)).await;
    let took = clock.monotonic().saturating_sub(began).as_secs_f64();
    let (what, reason) = match outcome {
        Ok(Outcome::Accepted | Outcome::AcceptedAs(_)) => {
            println!("accepted for {contact} after {took:.2} s");
            if let Some(folder) = folder {
                println!(
                    "no mail server is configured: the mail is a file in {} and reached nobody",
                    folder.display()
                );
            }
            return Ok(());
        }
        Ok(Outcome::Rejected { reason }) => ("rejected permanently", reason),
        Ok(Outcome::Throttled { reason, .. }) => ("deferred", reason),
        Ok(Outcome::Limited { reason, .. }) => ("held back by a limit", reason),
        Ok(Outcome::Unavailable { reason }) => ("not possible now", reason),
        Ok(Outcome::Unknown { reason }) => ("the alert may or may not have arrived", reason),
        Err(_) => ("no answer", "the carrier did not answer in time".to_owned()),
    };
    Err(format!("{contact}: {what} after {took:.2} s: {reason}").into())
}
