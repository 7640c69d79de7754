//! The sections of all channels, as given and as checked.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use inresponse_core::notify::Limits;
use inresponse_webhook::WebhookConfig;
use serde::Deserialize;

use crate::file::{
    FileCommand, FileGateway, FileLimits, FileNtfy, FilePhone, FilePushover, FileSlackApp, FileTelegram,
    FileTwilio, FileWebhook,
};
use crate::phones::PhoneConfig;
use crate::pushes::OutletsConfig;
use crate::secret::SecretText;
use crate::{limits, phones, pushes, webhooks};

/// The sections of all channels as given, unchecked. They are also a file of their own.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GivenChannels {
    /// The secret that signs webhooks.
    pub webhook_secret: Option<SecretText>,
    /// Webhooks.
    #[serde(default)]
    pub webhook: FileWebhook,
    /// Where ntfy is.
    pub ntfy: Option<FileNtfy>,
    /// The application at Pushover.
    pub pushover: Option<FilePushover>,
    /// The bot of Telegram.
    pub telegram: Option<FileTelegram>,
    /// The app of Slack.
    pub slack_app: Option<FileSlackApp>,
    /// Programs by their names.
    #[serde(default)]
    pub command: BTreeMap<String, FileCommand>,
    /// The account at Twilio.
    pub twilio: Option<FileTwilio>,
    /// Gateways for text messages and calls, by their names.
    #[serde(default)]
    pub gateway: BTreeMap<String, FileGateway>,
    /// What applies to all numbers.
    #[serde(default)]
    pub phone: FilePhone,
    /// The limits of channels, by the schemes of their addresses.
    #[serde(default)]
    pub limits: BTreeMap<String, FileLimits>,
}

/// The checked settings of all channels.
#[derive(Debug)]
pub struct ChannelSettings {
    /// Webhooks, and the internal hosts that all channels may reach.
    pub webhook: WebhookConfig,
    /// Pushes, chats and programs.
    pub outlets: OutletsConfig,
    /// Text messages and calls.
    pub phone: PhoneConfig,
    /// How many messages the channels carry.
    pub limits: Limits,
}

impl GivenChannels {
    /// Reads the text of a file that has only these sections.
    ///
    /// # Errors
    /// What is wrong, with the number of its line, and without a value: it may be a secret.
    pub fn read(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| told(&error, text))
    }

    /// Checks all settings. `invalid` gets every problem with its key.
    pub fn check(self, public_url: Option<&str>, invalid: &mut InvalidInput) -> ChannelSettings {
        ChannelSettings {
            webhook: webhooks::check(self.webhook_secret, self.webhook, invalid),
            outlets: OutletsConfig {
                ntfy: self.ntfy.and_then(|file| pushes::ntfy(file, invalid)),
                pushover: self.pushover.and_then(|file| pushes::pushover(file, invalid)),
                telegram: self.telegram.and_then(|file| pushes::telegram(file, invalid)),
                slack: self.slack_app.and_then(|file| pushes::slack(file, invalid)),
                command: pushes::commands(self.command, invalid),
            },
            phone: phones::check(self.twilio, self.gateway, &self.phone, public_url, invalid),
            limits: limits::check(self.limits, invalid),
        }
    }
}

/// The text of a TOML error with its line number, but without the line or a value, because either may contain a secret.
pub fn told(error: &toml::de::Error, text: &str) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    let message = error.message();
    let mismatch = message.rsplit_once(", expected ").filter(|(found, _)| found.starts_with("invalid "));
    match mismatch {
        Some((found, expected)) => {
            let kind = found.split(['"', '`']).next().unwrap_or_default().trim_end();
            format!("line {line}: {kind}, expected {expected}")
        }
        None => format!("line {line}: {message}"),
    }
}
