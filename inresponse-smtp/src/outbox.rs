//! The notifier that writes mails as files, to try things out.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::clock::Clock;
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Bundle, Notifier, NotifyBundle, Outcome};
use inresponse_mail::{Mail, Sender};

use crate::error::{SmtpError, SmtpErrorKind};

/// Writes each mail as an `.eml` file into a folder.
#[derive(Debug)]
pub struct OutboxNotifier {
    dir: PathBuf,
    sender: Sender,
    clock: Arc<dyn Clock>,
}

impl OutboxNotifier {
    /// A notifier that writes into `dir`, which is created if it does not exist. Only their owner can read folder and
    /// files, because the reader of a mail can claim the incident.
    ///
    /// # Errors
    /// The folder cannot be created, or the sender is not a mail address.
    pub fn new(dir: impl Into<PathBuf>, sender: &str, clock: Arc<dyn Clock>) -> Result<Self, SmtpError> {
        let dir = dir.into();
        create_private_folder(&dir).map_err(|e| {
            let message = format!("the outbox {} cannot be created", dir.display());
            SmtpError::new(SmtpErrorKind::Outbox, message).because(e)
        })?;
        let sender = Sender::new(sender)
            .map_err(|e| SmtpError::new(SmtpErrorKind::Sender, e.to_string()).because(e))?;
        Ok(Self { dir, sender, clock })
    }
}

#[async_trait]
impl Notifier for OutboxNotifier {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let name = format!("{}-{}", alert.delivery_id(), alert.attempt());
        match inresponse_mail::render(alert, &self.sender, self.clock.now()) {
            Ok(mail) => self.put(name, mail, deadline).await,
            Err(error) => error.outcome(),
        }
    }

    fn bundler(&self, _: &Contact) -> Option<&dyn NotifyBundle> {
        Some(self)
    }
}

#[async_trait]
impl NotifyBundle for OutboxNotifier {
    async fn notify_bundle(&self, bundle: &Bundle, deadline: Duration) -> Outcome {
        // The worst delivery is only in one bundle at a time.
        let worst =
            bundle.worst().first().map(|alert| format!("{}-{}", alert.delivery_id(), alert.attempt()));
        let name = format!("bundle-{}-{}", bundle.alerts().len(), worst.unwrap_or_default());
        match inresponse_mail::render_bundle(bundle, &self.sender, self.clock.now()) {
            Ok(mail) => self.put(name, mail, deadline).await,
            Err(error) => error.outcome(),
        }
    }
}

impl OutboxNotifier {
    async fn put(&self, name: String, mail: Mail, deadline: Duration) -> Outcome {
        let dir = self.dir.clone();
        let writing = tokio::task::spawn_blocking(move || write(&dir, &name, mail.message()));
        match tokio::time::timeout(deadline, writing).await {
            Ok(Ok(Ok(()))) => Outcome::Accepted,
            Ok(Ok(Err(error))) => Outcome::unavailable(format!("the outbox cannot be written: {error}")),
            Ok(Err(_)) | Err(_) => Outcome::unknown("the outbox did not answer in time"),
        }
    }
}

fn create_private_folder(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

/// Writes the file under a temporary name first, so that nobody reads half a mail.
fn write(dir: &Path, name: &str, message: &[u8]) -> io::Result<()> {
    // A hidden file, so that `outbox/*` never names half a mail.
    let unfinished = dir.join(format!(".{name}.tmp"));
    // A process that died during a write may have left this file, and others may be able to read it.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(message)?;
    file.sync_all()?;
    fs::rename(unfinished, dir.join(format!("{name}.eml")))
}
