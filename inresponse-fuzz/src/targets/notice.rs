//! Fuzzes the reports of SES about a mail.

use inresponse_ses::{Notice, read};

pub(super) fn notice(data: &[u8]) {
    match read(data) {
        Ok(Notice::Alert(told)) => {
            assert!(told.reason.len() <= 200);
            assert!(told.recipient.len() <= data.len() * 6);
        }
        Ok(Notice::Foreign) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
