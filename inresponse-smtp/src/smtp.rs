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
use crate::connect::{ConnectError, Connector};
use crate::error::{SmtpError, SmtpErrorKind};
use crate::pool::{Kept, Pool};
use crate::reply::{Failure, Phase, completed, goes_ahead, no_reply, outcome};

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

    /// Connects, encrypts and signs in as it would for a mail, and says goodbye.
    ///
    /// # Errors
    /// The server cannot be reached or refuses. Ends when it is dropped; it has no time limit of its own.
    pub async fn greet(config: SmtpConfig) -> Result<(), SmtpError> {
        let failed = |e| SmtpError::new(SmtpErrorKind::Server, "cannot be used").because(e);
        let mut connection = Connector::new(config)?.connect().await.map_err(failed)?;
        connection.quit().await.map(drop).map_err(|e| failed(e.into()))
    }

    /// One attempt, which notes how far it has come.
    async fn attempt(&self, mail: &Mail, deadline: Duration, progress: &Progress) -> Outcome {
        let Ok(_place) = self.connections.acquire().await else {
            return Outcome::unavailable("the notifier was closed");
        };
        let mut kept = match self.begin(mail, deadline / 4).await {
            Ok(kept) => kept,
            Err(outcome) => return outcome,
        };
        progress.reach(Phase::Offering);
        if let Err(failure) = offer(&mut kept.connection, mail).await {
            return outcome(&failure, Phase::Offering);
        }
        progress.reach(Phase::HandingOver);
        match hand_over(&mut kept.connection, mail).await {
            Ok(()) => {
                self.pool.put(kept, self.clock.monotonic());
                Outcome::Accepted
            }
            Err(failure) => outcome(&failure, Phase::HandingOver),
        }
    }

    /// A connection on which the mail has been begun: a kept one, or a new one where the server has tired of
    /// that or says nothing for the length of `patience`, as where a firewall has forgotten it. The recipient was
    /// not named by then, so this is no second attempt.
    async fn begin(&self, mail: &Mail, patience: Duration) -> Result<Kept, Outcome> {
        if let Some(mut kept) = self.pool.take(self.clock.monotonic()) {
            match tokio::time::timeout(patience, begin(&mut kept.connection, mail)).await {
                Ok(Ok(())) => return Ok(kept),
                Ok(Err(failure)) if !failure.is_farewell() => return Err(outcome(&failure, Phase::Offering)),
                Ok(Err(_)) | Err(_) => {}
            }
        }
        let connection = self.connector.connect().await.map_err(connect_failed)?;
        let mut kept = Kept::new(connection);
        begin(&mut kept.connection, mail).await.map_err(|failure| outcome(&failure, Phase::Offering))?;
        Ok(kept)
    }
}

fn connect_failed(error: ConnectError) -> Outcome {
    match error.downcast::<lettre::transport::smtp::Error>() {
        Ok(error) => outcome(&Failure::Error(*error), Phase::Connecting),
        Err(error) => Outcome::unavailable(error.to_string()),
    }
}

/// The sender.
async fn begin(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), Failure> {
    let mut parameters = Vec::new();
    if needs_utf8(mail) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Failure::AsciiOnly);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let sender = mail.envelope().from().cloned();
    completed(connection.command(MailCommand::new(sender, parameters)).await?)
}

/// The recipient, and DATA; after this the server waits for the content.
async fn offer(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), Failure> {
    for recipient in mail.envelope().to() {
        completed(connection.command(Rcpt::new(recipient.clone(), Vec::new())).await?)?;
    }
    goes_ahead(connection.command(Data).await?)
}

/// The content; after this the server has it or has not.
async fn hand_over(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), Failure> {
    completed(connection.message(mail.message()).await?)
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
        match tokio::time::timeout(deadline, self.attempt(&mail, deadline, &progress)).await {
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
