//! The config file as TOML. This module checks only its shape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use inresponse_channels::{
    FileCommand, FileGateway, FileLimits, FileNtfy, FilePhone, FilePushover, FileSlackApp, FileTelegram,
    FileTwilio, FileWebhook, SecretText,
};
use inresponse_http::Mapping;
use serde::Deserialize;

use super::file_roster::FileRoster;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) db: Option<PathBuf>,
    pub(super) postgres_url: Option<SecretText>,
    pub(super) dynamo_prefix: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) api_key: Option<SecretText>,
    pub(super) smtp_url: Option<SecretText>,
    #[serde(default)]
    pub(super) ses: bool,
    pub(super) mail_from: Option<String>,
    pub(super) outbox: Option<PathBuf>,
    pub(super) webhook_secret: Option<SecretText>,
    #[serde(default)]
    pub(super) webhook: FileWebhook,
    pub(super) ntfy: Option<FileNtfy>,
    pub(super) pushover: Option<FilePushover>,
    pub(super) telegram: Option<FileTelegram>,
    pub(super) slack_app: Option<FileSlackApp>,
    /// Programs by their names.
    #[serde(default)]
    pub(super) command: BTreeMap<String, FileCommand>,
    pub(super) twilio: Option<FileTwilio>,
    /// Gateways for text messages and calls, by their names.
    #[serde(default)]
    pub(super) gateway: BTreeMap<String, FileGateway>,
    #[serde(default)]
    pub(super) phone: FilePhone,
    /// Whether people's rules may only use phone numbers that are verified.
    #[serde(default)]
    pub(super) require_verified_phones: bool,
    /// The limits of channels, by the schemes of their addresses.
    #[serde(default)]
    pub(super) limits: BTreeMap<String, FileLimits>,
    pub(super) lease_seconds: Option<u64>,
    pub(super) singles_per_minute: Option<u32>,
    #[serde(default)]
    pub(super) tell_claims: bool,
    pub(super) keep_resolved_days: Option<u32>,
    pub(super) canary: Option<String>,
    pub(super) token_secret: Option<SecretText>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<String>,
    /// The team that gets the reports of services that nobody owns.
    pub(super) catch_all: Option<String>,
    /// The contacts that are alerted for teams without settings, and for deleted teams.
    #[serde(default)]
    pub(super) fallback: Vec<String>,
    /// The domains of people outside the roster to whom incidents may be handed (default: every domain).
    #[serde(default)]
    pub(super) hand_over_domains: Vec<String>,
    #[serde(default)]
    pub(super) keys: Vec<FileKey>,
    pub(super) roster: Option<FileRoster>,
    #[serde(default)]
    pub(super) intake: FileIntake,
}

/// The settings for messages from monitoring systems.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileIntake {
    /// The labels that may name the service; the first one present counts.
    pub(super) service_labels: Option<Vec<String>>,
    /// The labels that may give the severity; the first with a known word counts.
    pub(super) severity_labels: Option<Vec<String>>,
    /// The severity if no label gives one.
    pub(super) default_severity: Option<String>,
    /// Additional words for severities.
    #[serde(default)]
    pub(super) severities: BTreeMap<String, String>,
    /// The ARNs of the topics of Amazon SNS from which bounces of Amazon SES are accepted.
    #[serde(default)]
    pub(super) ses_topics: Vec<String>,
    /// Mappings for any JSON, by their names.
    #[serde(default)]
    pub(super) generic: BTreeMap<String, Mapping>,
}

/// An API key. It has either `hash` or `key`. `inresponse key new` makes a key and prints its hash.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileKey {
    /// The name, which timelines and the log show.
    pub(super) name: String,
    /// The text of the key, of at least 16 characters.
    pub(super) key: Option<SecretText>,
    /// The hash of the key.
    pub(super) hash: Option<SecretText>,
    /// What the key may do: `report`, `respond`, `admin`.
    pub(super) scopes: Vec<String>,
    /// The service that the key is restricted to. If a system's messages name no service, their incidents belong to
    /// this service.
    pub(super) service: Option<String>,
}
