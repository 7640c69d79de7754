//! The configuration: the signing secret, the channels, and the internal hosts that may get posts.

use std::collections::BTreeMap;
use std::fmt;

use inresponse_core::model::Scheme;
use inresponse_outward::InternalHosts;
use url::Url;

use crate::error::{WebhookError, WebhookErrorKind};
use crate::sign::SigningKey;

/// A chat system that has its own message format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Chat {
    /// Slack, through an incoming webhook.
    Slack,
    /// Microsoft Teams, through a webhook of its Workflows.
    Teams,
}

impl Chat {
    /// All chat systems.
    pub const ALL: [Chat; 2] = [Chat::Slack, Chat::Teams];

    /// The scheme of the contacts for its channels: `slack`, `teams`.
    pub fn scheme(self) -> Scheme {
        Scheme::new(self.name()).expect("the names are schemes")
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Chat::Slack => "slack",
            Chat::Teams => "teams",
        }
    }
}

/// The signing secret, the channels, and the internal hosts that may get posts.
#[derive(Clone, Default)]
pub struct WebhookConfig {
    pub(crate) key: Option<SigningKey>,
    pub(crate) channels: BTreeMap<(Chat, String), Url>,
    pub(crate) internal: InternalHosts,
}

impl WebhookConfig {
    /// Posts without a signature, to no channels and to no internal host.
    pub fn new() -> Self {
        Self::default()
    }

    /// Signs the JSON. `secret` is `whsec_` and the base64 of 24 to 64 random bytes.
    ///
    /// # Errors
    /// The secret is invalid. The error does not contain it.
    pub fn sign_with(mut self, secret: &str) -> Result<Self, WebhookError> {
        let key = SigningKey::read(secret).ok_or_else(|| {
            let message = "the secret of webhooks must be whsec_ and the base64 of 24 to 64 bytes";
            WebhookError::new(WebhookErrorKind::Secret, message)
        })?;
        self.key = Some(key);
        Ok(self)
    }

    /// Adds a channel, whose contact is `slack:name` or `teams:name`.
    ///
    /// # Errors
    /// The name or the URL is invalid. The error does not contain the URL, which is a secret.
    pub fn channel(mut self, chat: Chat, name: &str, url: &str) -> Result<Self, WebhookError> {
        let chat_name = chat.name();
        let wrong = |what: &str| {
            WebhookError::new(WebhookErrorKind::Channel, format!("the channel {chat_name}:{name} {what}"))
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(wrong(
                "must have a name of 1 to 64 ASCII letters, digits, dots, hyphens and underscores",
            ));
        }
        let url = Url::parse(url).map_err(|e| wrong("has a URL that cannot be read").because(e))?;
        self.channels.insert((chat, name.to_owned()), url);
        Ok(self)
    }

    /// Whether a channel is configured.
    pub fn has_channels(&self) -> bool {
        !self.channels.is_empty()
    }

    /// Allows posts to a host, by name or address, although its address is internal, and also by plain `http:`. Without
    /// an allowed host, nothing is posted by `http:` or to a loopback, private, link-local or metadata address.
    #[must_use]
    pub fn allow_internal(mut self, host: &str) -> Self {
        self.internal = self.internal.allow(host);
        self
    }

    /// The internal hosts that may get posts.
    pub fn internal(&self) -> &InternalHosts {
        &self.internal
    }
}

impl fmt::Debug for WebhookConfig {
    /// Shows everything except the secret and the channels' URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.channels.keys().collect();
        f.debug_struct("WebhookConfig")
            .field("signs", &self.key.is_some())
            .field("channels", &channels)
            .field("internal", &self.internal)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_show_neither_in_debug_output_nor_in_errors() {
        let secret = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5";
        let url = "https://hooks.slack.com/services/canary";
        let config =
            WebhookConfig::new().sign_with(secret).unwrap().channel(Chat::Slack, "ops", url).unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("ops") && !shown.contains("canary") && !shown.contains("Y2Fu"), "{shown}");
        let errors = [
            WebhookConfig::new().sign_with("canary").unwrap_err(),
            WebhookConfig::new().channel(Chat::Slack, "", url).unwrap_err(),
            WebhookConfig::new().channel(Chat::Teams, "ops", "https://canary:x/").unwrap_err(),
        ];
        for error in errors {
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }
}
