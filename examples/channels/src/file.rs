//! The sections of channels in a config file as TOML. This module checks only their shape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::secret::SecretText;

/// Webhooks: hosts, and channels of chats with their secret URLs.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileWebhook {
    /// The secret URLs of incoming webhooks of Slack; the contact is `slack:NAME`.
    #[serde(default)]
    pub slack: BTreeMap<String, String>,
    /// The secret URLs of webhooks of Teams; the contact is `teams:NAME`.
    #[serde(default)]
    pub teams: BTreeMap<String, String>,
    /// Internal hosts to which all channels may send, also by plain HTTP.
    #[serde(default)]
    pub internal: Vec<String>,
}

impl std::fmt::Debug for FileWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileWebhook").field("internal", &self.internal).finish_non_exhaustive()
    }
}

/// Pushes by ntfy; the contact is `ntfy:TOPIC`. The section may be empty.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileNtfy {
    /// The URL of the server (default: `https://ntfy.sh`).
    pub url: Option<String>,
    /// An access token, if the server needs one.
    pub token: Option<SecretText>,
}

/// Pushes by Pushover; the contact is `pushover:USERKEY`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilePushover {
    /// The token of the application at Pushover.
    pub token: SecretText,
    /// Where the API is reached, if not at its usual place.
    pub api_url: Option<String>,
}

/// A bot of Telegram; the contact is `telegram:CHATID`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileTelegram {
    /// The token of the bot.
    pub bot_token: SecretText,
    /// The secret of the webhook to which Telegram posts answers; without it the server asks Telegram for them.
    pub webhook_secret: Option<SecretText>,
    /// Where the API is reached, if not at its usual place.
    pub api_url: Option<String>,
}

/// An app of Slack; the contact is `slack:CHANNEL` or `slack:USERID`.
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

/// A program that sends alerts; the contact is `command:NAME`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileCommand {
    /// The path of the program.
    pub program: PathBuf,
    /// Its arguments, which may contain secrets.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Its environment beside `PATH`, which may contain secrets.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

impl std::fmt::Debug for FileCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileCommand").field("program", &self.program).finish_non_exhaustive()
    }
}

/// Text messages and calls through an account at Twilio; the contacts are `sms:+…` and `tel:+…`.
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

/// What applies to all phone numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilePhone {
    /// The beginnings of numbers of premium rate or shared cost that may be reached anyway.
    #[serde(default)]
    pub allow_numbers: Vec<String>,
}

/// How many messages a channel carries; the name is the scheme of its contacts, such as `sms`.
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

/// A gateway for text messages or calls, by HTTP. Several are tried in the order of their names, after Twilio.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileGateway {
    /// The URL, with placeholders.
    pub url: String,
    /// The method of the request (default: `POST`).
    pub method: Option<String>,
    /// The headers, with placeholders; they may contain secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, with placeholders.
    #[serde(default)]
    pub body: String,
    /// The schemes that it reaches: `sms`, `tel` or both.
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
