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
    /// Its domain is also that of the Message-IDs, which are ASCII (RFC 5322 section 3.6.4).
    ///
    /// # Errors
    /// It is not a mailbox (RFC 5322 section 3.4), or its address is not ASCII.
    pub fn new(mailbox: &str) -> Result<Self, MailError> {
        let mailbox: Mailbox = mailbox
            .parse()
            .map_err(|e| MailError::new(MailErrorKind::Sender, "the sender is not a mail address", e))?;
        if !mailbox.email.to_string().is_ascii() {
            let cause = "only its name may hold characters beyond ASCII";
            return Err(MailError::new(MailErrorKind::Sender, "the sender's address is not ASCII", cause));
        }
        Ok(Self { mailbox })
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The domain that names of messages end with.
    pub(crate) fn domain(&self) -> &str {
        self.mailbox.email.domain()
    }
}
