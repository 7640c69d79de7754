//! Who sends.

use lettre::message::Mailbox;

use crate::error::{MailError, MailErrorKind};

/// The sender of the mails.
#[derive(Debug, Clone)]
pub struct Sender {
    mailbox: Mailbox,
}

impl Sender {
    /// A sender as a mail shows it: `InResponse <alerts@example.org>`, or the bare address.
    ///
    /// # Errors
    /// It is not a mailbox (RFC 5322 section 3.4).
    pub fn new(mailbox: &str) -> Result<Self, MailError> {
        mailbox
            .parse()
            .map(|mailbox| Self { mailbox })
            .map_err(|e| MailError::new(MailErrorKind::Sender, "the sender is not a mail address", e))
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The domain that names of messages end with.
    pub(crate) fn domain(&self) -> &str {
        self.mailbox.email.domain()
    }
}
