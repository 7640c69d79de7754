//! Reads and checks the settings of webhooks.

use inresponse_core::InvalidInput;
use inresponse_webhook::{Chat, WebhookConfig};

use crate::file::FileWebhook;
use crate::secret::SecretText;

pub(crate) fn check(
    secret: Option<SecretText>,
    file: FileWebhook,
    invalid: &mut InvalidInput,
) -> WebhookConfig {
    let mut config = WebhookConfig::new();
    let mut keep = |key: String, changed: Result<WebhookConfig, _>| {
        let changed =
            changed.map_err(|e: inresponse_webhook::WebhookError| InvalidInput::field(key, e.to_string()));
        invalid.keep(changed)
    };
    if let Some(secret) = secret {
        config = keep("webhook-secret".to_owned(), config.clone().sign_with(&secret.0)).unwrap_or(config);
    }
    for (chat, key, channels) in [(Chat::Slack, "slack", file.slack), (Chat::Teams, "teams", file.teams)] {
        for (name, url) in channels {
            let changed = config.clone().channel(chat, &name, &url);
            config = keep(format!("webhook.{key}.{name}"), changed).unwrap_or(config);
        }
    }
    file.internal.iter().fold(config, |config, host| config.allow_internal(host))
}
