//! The notifier: one attempt over a kept connection.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::notify::{Alert, Notifier, Outcome};
use inresponse_mail::{Mail, Sender};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailCommand, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailParameter};
use tokio::sync::Semaphore;

use crate::config::SmtpConfig;
use crate::connect::Connector;
use crate::error::SmtpError;
use crate::pool::{Kept, Pool};
use crate::reply::{Phase, no_reply, outcome};

/// How many connections are open at once. Idle ones are far fewer; this many only where recipients hang.
const MAX_CONNECTIONS: usize = 64;

/// Sends alerts through a mail server.
pub struct SmtpNotifier {
    sender: Sender,
    connector: Connector,
    pool: Pool,
    connections: Semaphore,
    clock: Arc<dyn Clock>,
}

impl SmtpNotifier {
    /// A notifier for that server. Nothing is connected yet.
    ///
    /// # Errors
    /// TLS is wanted and this machine trusts no certificates.
    pub fn new(config: SmtpConfig, clock: Arc<dyn Clock>) -> Result<Self, SmtpError> {
        Ok(Self {
            sender: config.sender.clone(),
            connector: Connector::new(config)?,
            pool: Pool::default(),
            connections: Semaphore::new(MAX_CONNECTIONS),
            clock,
        })
    }

    /// One attempt, which notes how far it has come.
    async fn attempt(&self, mail: &Mail, progress: &Progress) -> Outcome {
        let Ok(_place) = self.connections.acquire().await else {
            return Outcome::unavailable("the notifier was closed");
        };
        let mut kept = match self.pool.take(self.clock.monotonic()) {
            Some(kept) => kept,
            None => match self.connector.connect().await {
                Ok(connection) => Kept::new(connection),
                Err(error) => return connect_failed(&*error),
            },
        };
        if needs_utf8(mail) && !kept.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Outcome::rejected("the mail server takes no addresses beyond ASCII (RFC 6531)");
        }
        progress.reach(Phase::Offering);
        if let Err(error) = offer(&mut kept.connection, mail).await {
            let hung_up = error.status().is_none_or(|code| matches!(u16::from(code), 421 | 452));
            if !(kept.is_used() && hung_up) {
                return outcome(&error, Phase::Offering);
            }
            // The server has tired of a kept connection. Nothing was handed over, so a new one is no retry.
            progress.reach(Phase::Connecting);
            kept = match self.connector.connect().await {
                Ok(connection) => Kept::new(connection),
                Err(error) => return connect_failed(&*error),
            };
            progress.reach(Phase::Offering);
            if let Err(error) = offer(&mut kept.connection, mail).await {
                return outcome(&error, Phase::Offering);
            }
        }
        progress.reach(Phase::HandingOver);
        match kept.connection.message(mail.message()).await {
            Ok(_) => {
                self.pool.put(kept, self.clock.monotonic());
                Outcome::Accepted
            }
            Err(error) => outcome(&error, Phase::HandingOver),
        }
    }
}

fn connect_failed(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Outcome {
    match error.downcast_ref::<lettre::transport::smtp::Error>() {
        Some(error) => outcome(error, Phase::Connecting),
        None => Outcome::unavailable(error.to_string()),
    }
}

/// Sender, recipient and DATA; after this the server waits for the content.
async fn offer(
    connection: &mut AsyncSmtpConnection,
    mail: &Mail,
) -> Result<(), lettre::transport::smtp::Error> {
    let envelope = mail.envelope();
    let mut parameters = Vec::new();
    if needs_utf8(mail) {
        parameters.push(MailParameter::SmtpUtfEight);
    }
    connection.command(MailCommand::new(envelope.from().cloned(), parameters)).await?;
    for recipient in envelope.to() {
        connection.command(Rcpt::new(recipient.clone(), Vec::new())).await?;
    }
    connection.command(Data).await?;
    Ok(())
}

/// Whether an address needs SMTPUTF8 (RFC 6531).
fn needs_utf8(mail: &Mail) -> bool {
    mail.envelope().to().iter().chain(mail.envelope().from()).any(|address| !address.to_string().is_ascii())
}

/// How far an attempt has come, to be read when it is given up.
struct Progress(AtomicU8);

impl Progress {
    fn reach(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Connecting,
            1 => Phase::Offering,
            _ => Phase::HandingOver,
        }
    }
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let mail = match inresponse_mail::render(alert, &self.sender, self.clock.now()) {
            Ok(mail) => mail,
            Err(error) => return Outcome::rejected(error.to_string()),
        };
        let progress = Progress(AtomicU8::new(Phase::Connecting as u8));
        match tokio::time::timeout(deadline, self.attempt(&mail, &progress)).await {
            Ok(outcome) => outcome,
            // A connection in the middle of something was dropped with the attempt.
            Err(_) => no_reply("the mail server did not answer in time", progress.phase()),
        }
    }
}

impl fmt::Debug for SmtpNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpNotifier").field("connector", &self.connector).finish_non_exhaustive()
    }
}
