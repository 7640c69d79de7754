//! The sender of mails.

use std::error::Error;

use inresponse_core::model::Contact;
use lettre::message::Mailbox;

use crate::error::{MailError, MailErrorKind};

/// The sender of the mails.
#[derive(Debug, Clone)]
pub struct Sender {
    mailbox: Mailbox,
}

impl Sender {
    /// A sender in the form of a mail header: `InResponse <alerts@example.org>`, or the bare address.
    ///
    /// The sender's domain is also used in Message-IDs, which are ASCII (RFC 5322 section 3.6.4). So a non-ASCII domain
    /// is written in A-labels.
    ///
    /// # Errors
    /// The text is not a mailbox (RFC 5322 section 3.4), or its local part is not ASCII.
    pub fn new(mailbox: &str) -> Result<Self, MailError> {
        let refused = |e| MailError::new(MailErrorKind::Sender, "the sender is not a mail address", e);
        let mut mailbox: Mailbox =
            mailbox.parse().map_err(|e| refused(Box::<dyn Error + Send + Sync>::from(e)))?;
        let email = mailbox.email.to_string();
        if !mailbox.email.user().is_ascii() {
            let cause = "only its name and its domain may have characters other than ASCII";
            return Err(MailError::new(MailErrorKind::Sender, "the sender's address is not ASCII", cause));
        }
        if !email.is_ascii() {
            let contact = Contact::new(email).map_err(|e| refused(e.into()))?;
            mailbox.email = contact.address().parse().map_err(|e| refused(Box::from(e)))?;
        }
        Ok(Self { mailbox })
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The domain with which message ids end.
    pub(crate) fn domain(&self) -> &str {
        self.mailbox.email.domain()
    }
}
