//! The configuration: where the services are, and their tokens.

use std::fmt;

use url::Url;

use crate::error::{PushError, PushErrorKind};

/// Where ntfy is, and its token.
#[derive(Clone)]
pub struct NtfyConfig {
    pub(crate) url: Url,
    pub(crate) token: Option<String>,
}

impl NtfyConfig {
    /// The public server.
    pub const URL: &'static str = "https://ntfy.sh";

    /// A server by its URL, without a token.
    ///
    /// # Errors
    /// The URL cannot be read, or has a query.
    pub fn at(url: &str) -> Result<Self, PushError> {
        Ok(Self { url: base("ntfy", url)?, token: None })
    }

    /// Publishes with an access token (`tk_…`).
    ///
    /// # Errors
    /// The token is empty, too long, or not visible ASCII. The error does not contain it.
    pub fn with_token(mut self, token: &str) -> Result<Self, PushError> {
        self.token = Some(visible("ntfy", token)?);
        Ok(self)
    }
}

impl fmt::Debug for NtfyConfig {
    /// Shows everything except the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtfyConfig").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// Where Pushover is, and the token of the application.
#[derive(Clone)]
pub struct PushoverConfig {
    pub(crate) url: Url,
    pub(crate) token: String,
}

impl PushoverConfig {
    /// Pushover's API.
    pub const URL: &'static str = "https://api.pushover.net";

    /// Pushes with the token of an application.
    ///
    /// # Errors
    /// The token is empty, too long, or not visible ASCII. The error does not contain it.
    pub fn new(token: &str) -> Result<Self, PushError> {
        Ok(Self { url: base("Pushover", Self::URL)?, token: visible("Pushover", token)? })
    }

    /// The same, with the API at another URL.
    ///
    /// # Errors
    /// The URL cannot be read, or has a query.
    pub fn at(self, url: &str) -> Result<Self, PushError> {
        Ok(Self { url: base("Pushover", url)?, ..self })
    }
}

impl fmt::Debug for PushoverConfig {
    /// Shows everything except the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushoverConfig").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// A base URL. Its path ends with a slash, so that paths can be joined to it.
fn base(service: &str, url: &str) -> Result<Url, PushError> {
    let wrong = |what: &str| PushError::new(PushErrorKind::Url, format!("the URL of {service} {what}"));
    let mut url = Url::parse(url).map_err(|e| wrong("cannot be read").because(e))?;
    if url.query().is_some() || url.fragment().is_some() || url.cannot_be_a_base() {
        return Err(wrong("must have no query and no fragment"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn visible(service: &str, token: &str) -> Result<String, PushError> {
    let is_fine = (1..=256).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    let message = || format!("the token of {service} must be 1 to 256 visible ASCII characters");
    is_fine.then(|| token.to_owned()).ok_or_else(|| PushError::new(PushErrorKind::Token, message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_show_neither_in_debug_output_nor_in_errors() {
        let ntfy = NtfyConfig::at(NtfyConfig::URL).unwrap().with_token("tk_canary").unwrap();
        let pushover = PushoverConfig::new("canary").unwrap();
        assert!(!format!("{ntfy:?} {pushover:?}").contains("canary"));
        for error in [
            NtfyConfig::at(NtfyConfig::URL).unwrap().with_token("canary canary").unwrap_err(),
            PushoverConfig::new("canary\n").unwrap_err(),
            NtfyConfig::at("canary").unwrap_err(),
            NtfyConfig::at("https://x/?canary").unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
        assert_eq!(NtfyConfig::at("https://x/ntfy").unwrap().url.as_str(), "https://x/ntfy/");
    }
}
