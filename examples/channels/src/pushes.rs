//! Reads and checks the settings of pushes, chats and programs.

use std::collections::BTreeMap;
use std::fmt::Display;

use inresponse_chat::{SlackConfig, TelegramConfig};
use inresponse_command::{CommandConfig, Program};
use inresponse_core::InvalidInput;
use inresponse_push::{NtfyConfig, PushoverConfig};

use crate::file::{FileCommand, FileNtfy, FilePushover, FileSlackApp, FileTelegram};

/// The settings of the channels that are configured.
#[derive(Debug, Default)]
pub struct OutletsConfig {
    /// ntfy.
    pub ntfy: Option<NtfyConfig>,
    /// Pushover.
    pub pushover: Option<PushoverConfig>,
    /// The bot of Telegram.
    pub telegram: Option<TelegramConfig>,
    /// The app of Slack.
    pub slack: Option<SlackConfig>,
    /// Programs.
    pub command: CommandConfig,
}

fn kept<T>(key: &str, result: Result<T, impl Display>, invalid: &mut InvalidInput) -> Option<T> {
    invalid.keep(result.map_err(|e| InvalidInput::field(key.to_owned(), e.to_string())))
}

pub(crate) fn ntfy(file: FileNtfy, invalid: &mut InvalidInput) -> Option<NtfyConfig> {
    let url = file.url.unwrap_or_else(|| NtfyConfig::URL.to_owned());
    let config = kept("ntfy.url", NtfyConfig::at(&url), invalid)?;
    match file.token {
        Some(token) => kept("ntfy.token", config.with_token(&token.0), invalid),
        None => Some(config),
    }
}

pub(crate) fn pushover(file: FilePushover, invalid: &mut InvalidInput) -> Option<PushoverConfig> {
    let config = kept("pushover.token", PushoverConfig::new(&file.token.0), invalid)?;
    match file.api_url {
        Some(url) => kept("pushover.api-url", config.at(&url), invalid),
        None => Some(config),
    }
}

pub(crate) fn telegram(file: FileTelegram, invalid: &mut InvalidInput) -> Option<TelegramConfig> {
    let mut config = kept("telegram.bot-token", TelegramConfig::new(&file.bot_token.0), invalid)?;
    if let Some(url) = file.api_url {
        config = kept("telegram.api-url", config.at(&url), invalid)?;
    }
    match file.webhook_secret {
        Some(secret) => kept("telegram.webhook-secret", config.with_webhook_secret(&secret.0), invalid),
        None => Some(config),
    }
}

pub(crate) fn slack(file: FileSlackApp, invalid: &mut InvalidInput) -> Option<SlackConfig> {
    let config = SlackConfig::new(&file.bot_token.0, &file.signing_secret.0);
    let config = kept("slack-app", config, invalid)?;
    match file.api_url {
        Some(url) => kept("slack-app.api-url", config.at(&url), invalid),
        None => Some(config),
    }
}

pub(crate) fn commands(files: BTreeMap<String, FileCommand>, invalid: &mut InvalidInput) -> CommandConfig {
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
