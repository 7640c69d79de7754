//! The sections of channels in a config file as TOML. This module checks only their shape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::secret::SecretText;

/// The settings of webhooks: hosts, and channels of chats with their secret URLs.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileWebhook {
    /// The URLs of incoming webhooks of Slack, by their names.
    #[serde(default)]
    pub slack: BTreeMap<String, String>,
    /// The URLs of webhooks of Teams, by their names.
    #[serde(default)]
    pub teams: BTreeMap<String, String>,
    /// Internal hosts to which the server may post, also by plain HTTP.
    #[serde(default)]
    pub internal: Vec<String>,
}

impl std::fmt::Debug for FileWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWebhook").field("internal", &self.internal).finish_non_exhaustive()
    }
}

/// Where ntfy is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileNtfy {
    /// The URL.
    pub url: Option<String>,
    /// The token.
    pub token: Option<SecretText>,
}

/// The application at Pushover.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilePushover {
    /// The token.
    pub token: SecretText,
    /// Where the API is reached, if not at its usual place.
    pub api_url: Option<String>,
}

/// The bot of Telegram.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileTelegram {
    /// The token of the bot.
    pub bot_token: SecretText,
    /// The secret of the webhook; without it the server asks for answers.
    pub webhook_secret: Option<SecretText>,
    /// Where the API is reached, if not at its usual place.
    pub api_url: Option<String>,
}

/// The app of Slack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSlackApp {
    /// The token of the bot.
    pub bot_token: SecretText,
    /// The secret that signs what comes back.
    pub signing_secret: SecretText,
    /// Where the API is reached, if not at its usual place.
    pub api_url: Option<String>,
}

/// A program that sends alerts. Its arguments and its environment may contain secrets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

impl std::fmt::Debug for FileCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileCommand").field("program", &self.program).finish_non_exhaustive()
    }
}

/// The account at Twilio.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileTwilio {
    /// The account's SID.
    pub account_sid: String,
    /// The account's token.
    pub auth_token: SecretText,
    /// A phone number, or the SID of a messaging service.
    pub from: String,
    /// The number that calls, if a messaging service sends the text messages.
    pub call_from: Option<String>,
    /// Where the API is reached (default: `https://api.twilio.com`).
    pub api_url: Option<String>,
}

/// What applies to all numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilePhone {
    /// The beginnings of numbers of premium rate or shared cost that may be reached anyway.
    #[serde(default)]
    pub allow_numbers: Vec<String>,
}

/// How many messages a channel carries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileLimits {
    /// How many messages one address gets (default: the usual limits of text messages and calls; others have none).
    pub per_address: Option<Vec<FileWindow>>,
    /// How many messages the channel carries in a day of UTC.
    pub per_day: Option<u32>,
}

/// The maximum number of messages in a time.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileWindow {
    /// The number of messages.
    pub most: u32,
    /// The time.
    pub minutes: u64,
}

/// A gateway for text messages or calls. Its texts may contain secrets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileGateway {
    /// The URL.
    pub url: String,
    /// The method.
    pub method: Option<String>,
    /// The headers, with placeholders.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, with placeholders.
    #[serde(default)]
    pub body: String,
    /// The schemes that it reaches.
    pub schemes: Vec<String>,
    /// A text in every answer to an accepted message.
    pub accepted: Option<String>,
    /// A text in a refusal that says that the number does not exist.
    pub gone: Option<String>,
}

impl std::fmt::Debug for FileGateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileGateway").field("schemes", &self.schemes).finish_non_exhaustive()
    }
}
