//! The parsers, for this workspace's fuzz targets and tests.

pub use crate::form::Form;
pub use crate::reply::{Said, read};

/// Whether a request to that URL was signed with that token. Also reads the report in it.
pub fn signed(token: &str, url: &str, signature: &str, body: &[u8]) -> bool {
    let Some(form) = Form::read(body) else { return false };
    let _ = crate::fate::later(&form);
    let token = crate::config::AuthToken(token.to_owned());
    crate::signature::holds(&token, url, form.parameters(), signature)
}
