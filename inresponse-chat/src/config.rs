//! The configuration: the tokens and secrets of a bot and of an app.

use std::fmt;

use url::Url;

use crate::error::{ChatError, ChatErrorKind};

/// The token of a bot of Telegram, and the secret of its webhook.
#[derive(Clone)]
pub struct TelegramConfig {
    pub(crate) url: Url,
    pub(crate) bot_token: String,
    pub(crate) webhook_secret: Option<String>,
}

impl TelegramConfig {
    /// Telegram's API.
    pub const URL: &'static str = "https://api.telegram.org";

    /// A bot by its token, as BotFather gives it. Answers come by long polling.
    ///
    /// # Errors
    /// The token is not digits, a colon, and letters, digits, hyphens and underscores. The error does not contain it.
    pub fn new(bot_token: &str) -> Result<Self, ChatError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let is_token = bot_token.len() <= 256
            && bot_token.split_once(':').is_some_and(|(id, secret)| {
                !id.is_empty()
                    && id.bytes().all(|b| b.is_ascii_digit())
                    && !secret.is_empty()
                    && secret.bytes().all(plain)
            });
        if !is_token {
            let message = "the token of the bot of Telegram must be like 123456:ABC-DEF";
            return Err(ChatError::new(ChatErrorKind::Secret, message));
        }
        Ok(Self { url: base("Telegram", Self::URL)?, bot_token: bot_token.to_owned(), webhook_secret: None })
    }

    /// Answers come by a webhook that was set with that `secret_token`, instead of by long polling.
    ///
    /// # Errors
    /// The secret is not 16 to 256 ASCII letters, digits, hyphens and underscores. The error does not contain it.
    pub fn with_webhook_secret(mut self, secret: &str) -> Result<Self, ChatError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if !(16..=256).contains(&secret.len()) || !secret.bytes().all(plain) {
            let message = "the secret of the webhook of Telegram must be 16 to 256 ASCII letters, digits, hyphens and \
                underscores";
            return Err(ChatError::new(ChatErrorKind::Secret, message));
        }
        self.webhook_secret = Some(secret.to_owned());
        Ok(self)
    }

    /// The same, with the API at another URL, such as that of a Bot API server of one's own.
    ///
    /// # Errors
    /// The URL cannot be read, or has a query.
    pub fn at(self, url: &str) -> Result<Self, ChatError> {
        Ok(Self { url: base("Telegram", url)?, ..self })
    }

    /// Whether answers come by a webhook.
    pub fn has_webhook(&self) -> bool {
        self.webhook_secret.is_some()
    }
}

impl fmt::Debug for TelegramConfig {
    /// Shows everything except the token and the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let webhook = self.webhook_secret.is_some();
        f.debug_struct("TelegramConfig")
            .field("host", &self.url.host_str())
            .field("webhook", &webhook)
            .finish_non_exhaustive()
    }
}

/// The tokens of an app of Slack.
#[derive(Clone)]
pub struct SlackConfig {
    pub(crate) url: Url,
    pub(crate) bot_token: String,
    pub(crate) signing_secret: String,
}

impl SlackConfig {
    /// Slack's API.
    pub const URL: &'static str = "https://slack.com/api";

    /// An app by its bot token (`xoxb-…`) and its signing secret.
    ///
    /// # Errors
    /// One of them is empty, too long, or not visible ASCII. The error contains neither.
    pub fn new(bot_token: &str, signing_secret: &str) -> Result<Self, ChatError> {
        let visible = |what: &str, text: &str| {
            let is_fine = (1..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
            let message =
                || format!("the {what} of the app of Slack must be 1 to 256 visible ASCII characters");
            is_fine.then(|| text.to_owned()).ok_or_else(|| ChatError::new(ChatErrorKind::Secret, message()))
        };
        let bot_token = visible("bot token", bot_token)?;
        let signing_secret = visible("signing secret", signing_secret)?;
        Ok(Self { url: base("Slack", Self::URL)?, bot_token, signing_secret })
    }

    /// The same, with the API at another URL.
    ///
    /// # Errors
    /// The URL cannot be read, or has a query.
    pub fn at(self, url: &str) -> Result<Self, ChatError> {
        Ok(Self { url: base("Slack", url)?, ..self })
    }
}

impl fmt::Debug for SlackConfig {
    /// Shows everything except the token and the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackConfig").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// A base URL. Its path ends with a slash, so that paths can be joined to it.
fn base(service: &str, url: &str) -> Result<Url, ChatError> {
    let wrong = |what: &str| ChatError::new(ChatErrorKind::Url, format!("the URL of {service} {what}"));
    let mut url = Url::parse(url).map_err(|e| wrong("cannot be read").because(e))?;
    if url.query().is_some() || url.fragment().is_some() || url.cannot_be_a_base() {
        return Err(wrong("must have no query and no fragment"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_show_neither_in_debug_output_nor_in_errors() {
        let telegram =
            TelegramConfig::new("1:canary").unwrap().with_webhook_secret("canary-canary-canary").unwrap();
        let slack = SlackConfig::new("xoxb-canary", "canary").unwrap();
        assert!(!format!("{telegram:?} {slack:?}").contains("canary"));
        for error in [
            TelegramConfig::new("canary").unwrap_err(),
            TelegramConfig::new("1:canary/x").unwrap_err(),
            TelegramConfig::new("1:x").unwrap().with_webhook_secret("canary").unwrap_err(),
            SlackConfig::new("canary canary", "x").unwrap_err(),
            SlackConfig::new("x", "canary canary").unwrap_err(),
            SlackConfig::new("x", "x").unwrap().at("canary").unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }
}
