//! The notifier: one attempt over a kept connection.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};
use inresponse_mail::{Mail, Sender};
use lettre::transport::smtp::commands::{Data, Mail as MailCommand, Quit, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailParameter};
use tokio::sync::Semaphore;

use crate::config::SmtpConfig;
use crate::connect::Connector;
use crate::error::{SmtpError, SmtpErrorKind};
use crate::pool::{Kept, Pool};
use crate::reply::{Failure, Phase, outcome};
use crate::session::{Session, within};

/// The maximum number of mails that begin at once. Far fewer connections stay open when idle.
const AT_ONCE: usize = 64;
/// A mail that takes longer than this makes room for another, so that recipients who hang delay nobody else. The engine
/// limits how many hang at once.
const HANGS_AFTER: Duration = Duration::from_secs(1);
/// The time limit for a reply on a kept connection. After this limit a new connection replaces the kept one, which a
/// firewall may have dropped.
const FORGOTTEN: Duration = Duration::from_secs(5);

/// Sends alerts through a mail server.
pub struct SmtpNotifier {
    sender: Sender,
    connector: Connector,
    pool: Pool,
    begun: Semaphore,
    clock: Arc<dyn Clock>,
}

impl SmtpNotifier {
    /// A notifier for that server. The notifier does not connect yet.
    ///
    /// # Errors
    /// TLS is required, and this machine trusts no certificates.
    pub fn new(config: SmtpConfig, clock: Arc<dyn Clock>) -> Result<Self, SmtpError> {
        Ok(Self {
            sender: config.sender.clone(),
            connector: Connector::new(config)?,
            pool: Pool::default(),
            begun: Semaphore::new(AT_ONCE),
            clock,
        })
    }

    /// Connects, encrypts and signs in as for a mail, and ends the conversation, all within `deadline`.
    ///
    /// # Errors
    /// The server cannot be reached or refuses.
    pub async fn greet(config: SmtpConfig, deadline: Duration) -> Result<(), SmtpError> {
        let failed =
            |failure: Failure| SmtpError::new(SmtpErrorKind::Server, "cannot be used").because(failure);
        let connector = Connector::new(config)?;
        let greeted = async {
            let mut session = connector.connect(deadline).await?;
            session.command(Quit).await.map(drop)
        };
        within(deadline, greeted).await.map_err(failed)
    }

    async fn send(&self, mail: &Mail, deadline: Duration) -> Outcome {
        let progress = Progress::new();
        // A connection in the middle of something is dropped with the attempt.
        match within(deadline, self.in_turn(self.attempt(mail, deadline, &progress))).await {
            Ok(()) => Outcome::Accepted,
            Err(failure) => outcome(&failure, progress.phase()),
        }
    }

    /// Makes one attempt, and records its progress.
    async fn attempt(&self, mail: &Mail, deadline: Duration, progress: &Progress) -> Result<(), Failure> {
        let mut kept = self.begin(mail, deadline, progress).await?;
        hand_over(&mut kept.session, mail, progress).await?;
        // Text that a server sends without a command would be taken for the reply to the next command.
        if kept.session.is_quiet() {
            self.pool.put(kept, self.clock.monotonic());
        }
        Ok(())
    }

    /// Limits how many connections are opened at the same time.
    async fn in_turn<T>(&self, attempt: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let Ok(place) = self.begun.acquire().await else {
            return Err(Failure::Lost("the notifier was closed".to_owned()));
        };
        let mut attempt = pin!(attempt);
        match tokio::time::timeout(HANGS_AFTER, attempt.as_mut()).await {
            Ok(done) => done,
            Err(_) => {
                drop(place);
                attempt.await
            }
        }
    }

    /// Begins the mail on a connection: a kept one, or a new one if the server closed the kept one or does not answer.
    /// The recipient was not named before, so this is not a second attempt.
    async fn begin(&self, mail: &Mail, deadline: Duration, progress: &Progress) -> Result<Kept, Failure> {
        if let Some(mut kept) = self.pool.take(self.clock.monotonic()) {
            progress.reach(Phase::Sender);
            match within(FORGOTTEN.min(deadline / 4), begin(&mut kept.session, mail)).await {
                Ok(()) => return Ok(kept),
                Err(failure) if !failure.is_farewell() => return Err(failure),
                Err(_) => progress.reach(Phase::Connecting),
            }
        }
        let mut kept = Kept::new(self.connector.connect(deadline).await?);
        progress.reach(Phase::Sender);
        begin(&mut kept.session, mail).await?;
        Ok(kept)
    }
}

/// Begins the mail by naming the sender.
async fn begin(session: &mut Session, mail: &Mail) -> Result<(), Failure> {
    let mut parameters = Vec::new();
    if needs_utf8(mail) {
        if !session.can(Extension::SmtpUtfEight) {
            return Err(Failure::AsciiOnly);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let sender = mail.envelope().from().cloned();
    session.command_of_mail(MailCommand::new(sender, parameters)).await?.completed().map(drop)
}

/// Sends the recipient and the content. After the end of the content the server may have the mail.
async fn hand_over(session: &mut Session, mail: &Mail, progress: &Progress) -> Result<(), Failure> {
    progress.reach(Phase::Recipient);
    for recipient in mail.envelope().to() {
        session.command_of_mail(Rcpt::new(recipient.clone(), Vec::new())).await?.completed()?;
    }
    progress.reach(Phase::Content);
    session.command_of_mail(Data).await?.goes_ahead()?;
    session.content(mail.message()).await?;
    progress.reach(Phase::HandedOver);
    session.end_of_content().await?.completed().map(drop)
}

/// Whether an address needs SMTPUTF8 (RFC 6531): domains are in A-labels, so only a local part can.
fn needs_utf8(mail: &Mail) -> bool {
    mail.envelope().to().iter().chain(mail.envelope().from()).any(|address| !address.to_string().is_ascii())
}

/// The progress of an attempt, which is read when the attempt has ended.
struct Progress(AtomicU8);

impl Progress {
    const PHASES: [Phase; 5] =
        [Phase::Connecting, Phase::Sender, Phase::Recipient, Phase::Content, Phase::HandedOver];

    fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    fn reach(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        Self::PHASES[usize::from(self.0.load(Ordering::Relaxed))]
    }
}

#[async_trait]
impl Notifier for SmtpNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        match inresponse_mail::render(alert, &self.sender, self.clock.now()) {
            Ok(mail) => self.send(&mail, deadline).await,
            Err(error) => error.outcome(),
        }
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for SmtpNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        match inresponse_mail::render_bundle(bundle, &self.sender, self.clock.now()) {
            Ok(mail) => self.send(&mail, deadline).await,
            Err(error) => error.outcome(),
        }
    }
}

impl fmt::Debug for SmtpNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpNotifier").field("connector", &self.connector).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
