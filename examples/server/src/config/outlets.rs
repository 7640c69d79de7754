//! Reads and checks the settings of pushes, chats and programs.

use std::collections::BTreeMap;
use std::fmt::Display;

use inresponse_chat::{SlackConfig, TelegramConfig};
use inresponse_command::{CommandConfig, Program};
use inresponse_core::InvalidInput;
use inresponse_push::{NtfyConfig, PushoverConfig};

use super::file::{FileCommand, FileNtfy, FilePushover, FileSlackApp, FileTelegram};

/// The settings of the channels that are configured.
#[derive(Debug, Default)]
pub(crate) struct OutletsConfig {
    pub(crate) ntfy: Option<NtfyConfig>,
    pub(crate) pushover: Option<PushoverConfig>,
    pub(crate) telegram: Option<TelegramConfig>,
    pub(crate) slack: Option<SlackConfig>,
    pub(crate) command: CommandConfig,
}

/// The settings of the channels as given, unchecked.
pub(super) struct GivenOutlets {
    pub(super) ntfy: Option<FileNtfy>,
    pub(super) pushover: Option<FilePushover>,
    pub(super) telegram: Option<FileTelegram>,
    pub(super) slack: Option<FileSlackApp>,
    pub(super) command: BTreeMap<String, FileCommand>,
}

impl GivenOutlets {
    pub(super) fn check(self, invalid: &mut InvalidInput) -> OutletsConfig {
        OutletsConfig {
            ntfy: self.ntfy.and_then(|file| ntfy(file, invalid)),
            pushover: self.pushover.and_then(|file| pushover(file, invalid)),
            telegram: self.telegram.and_then(|file| telegram(file, invalid)),
            slack: self.slack.and_then(|file| slack(file, invalid)),
            command: commands(self.command, invalid),
        }
    }
}

fn kept<T>(key: &str, result: Result<T, impl Display>, invalid: &mut InvalidInput) -> Option<T> {
    invalid.keep(result.map_err(|e| InvalidInput::field(key.to_owned(), e.to_string())))
}

fn ntfy(file: FileNtfy, invalid: &mut InvalidInput) -> Option<NtfyConfig> {
    let url = file.url.unwrap_or_else(|| NtfyConfig::URL.to_owned());
    let config = kept("ntfy.url", NtfyConfig::at(&url), invalid)?;
    match file.token {
        Some(token) => kept("ntfy.token", config.with_token(&token.0), invalid),
        None => Some(config),
    }
}

fn pushover(file: FilePushover, invalid: &mut InvalidInput) -> Option<PushoverConfig> {
    let config = kept("pushover.token", PushoverConfig::new(&file.token.0), invalid)?;
    match file.api_url {
        Some(url) => kept("pushover.api-url", config.at(&url), invalid),
        None => Some(config),
    }
}

fn telegram(file: FileTelegram, invalid: &mut InvalidInput) -> Option<TelegramConfig> {
    let mut config = kept("telegram.bot-token", TelegramConfig::new(&file.bot_token.0), invalid)?;
    if let Some(url) = file.api_url {
        config = kept("telegram.api-url", config.at(&url), invalid)?;
    }
    match file.webhook_secret {
        Some(secret) => kept("telegram.webhook-secret", config.with_webhook_secret(&secret.0), invalid),
        None => Some(config),
    }
}

fn slack(file: FileSlackApp, invalid: &mut InvalidInput) -> Option<SlackConfig> {
    let config = SlackConfig::new(&file.bot_token.0, &file.signing_secret.0);
    let config = kept("slack-app", config, invalid)?;
    match file.api_url {
        Some(url) => kept("slack-app.api-url", config.at(&url), invalid),
        None => Some(config),
    }
}

fn commands(files: BTreeMap<String, FileCommand>, invalid: &mut InvalidInput) -> CommandConfig {
    let mut config = CommandConfig::new();
    for (name, file) in files {
        let key = format!("command.{name}");
        let program = Program::new(file.program, file.arguments).and_then(|program| {
            file.environment.iter().try_fold(program, |program, (name, value)| program.with(name, value))
        });
        let Some(program) = kept(&key, program, invalid) else { continue };
        config = kept(&key, config.clone().with(&name, program), invalid).unwrap_or(config);
    }
    config
}
