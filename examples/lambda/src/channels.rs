//! The channels besides mail. Their settings are a secret in AWS Secrets Manager.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use inresponse_channels::{ChannelSettings, GivenChannels};
use inresponse_core::InvalidInput;
use lambda_runtime::Error;

/// The variable that names the secret.
pub(crate) const VARIABLE: &str = "INRESPONSE_CHANNELS";

/// The time limit for reading the secret, retries included. A cold start waits for it.
const TIMEOUT: Duration = Duration::from_secs(8);

/// The name of the secret with the settings of the channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretName(String);

impl SecretName {
    /// Reads `secretsmanager:NAME`.
    pub(crate) fn read(reference: &str) -> Result<Self, InvalidInput> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        match reference.strip_prefix("secretsmanager:") {
            Some(name) if (1..=512).contains(&name.len()) && name.chars().all(plain) => {
                Ok(Self(name.to_owned()))
            }
            Some(_) | None => Err(InvalidInput::field(
                VARIABLE,
                "must be secretsmanager: and the name of a secret, such as secretsmanager:inresponse/channels",
            )),
        }
    }
}

/// Reads and checks the settings of the channels.
pub(crate) async fn settings(
    aws: &SdkConfig,
    name: &SecretName,
    public_url: &str,
) -> Result<ChannelSettings, Error> {
    let SecretName(name) = name;
    let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
    let retries = RetryConfig::standard().with_max_attempts(3);
    let config = aws_sdk_secretsmanager::config::Builder::from(aws);
    let client = Client::from_conf(config.timeout_config(timeouts).retry_config(retries).build());
    let secret = client.get_secret_value().secret_id(name).send().await;
    let secret = secret.map_err(|error| {
        let why = error.into_service_error();
        format!("the secret {name} with the settings of the channels cannot be read: {why}")
    })?;
    let text = secret.secret_string().ok_or_else(|| format!("the secret {name} is not a text"))?;
    Ok(checked(text, public_url)?)
}

/// Checks the text of a secret: the sections of channels in the server's config file. The error names every setting that is
/// invalid, and shows none.
fn checked(text: &str, public_url: &str) -> Result<ChannelSettings, InvalidInput> {
    let given = GivenChannels::read(text).map_err(|why| InvalidInput::field(VARIABLE, why))?;
    let mut invalid = InvalidInput::default();
    for name in given.command.keys() {
        let why = "is not possible on Lambda: no program but the function runs there";
        invalid.push(format!("command.{name}"), why);
    }
    if given.telegram.as_ref().is_some_and(|telegram| telegram.webhook_secret.is_none()) {
        let why = "is missing: on Lambda no process asks Telegram, so its answers come by a webhook";
        invalid.push("telegram.webhook-secret", why);
    }
    let settings = given.check(Some(public_url), &mut invalid);
    if invalid.is_empty() { Ok(settings) } else { Err(invalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_reference_that_is_no_secret_is_refused() {
        assert!(SecretName::read("secretsmanager:inresponse/channels").is_ok());
        for wrong in [
            "inresponse/channels",
            "secretsmanager:",
            "ssm:x",
            "secretsmanager:a b",
            "secretsmanager:arn:aws",
        ] {
            let refused = SecretName::read(wrong).unwrap_err();
            assert_eq!(refused.errors()[0].field(), VARIABLE, "{wrong}");
        }
    }

    #[test]
    fn p16_a_setting_that_is_wrong_is_named_and_not_shown() {
        const GOOD: &str = r#"
            [ntfy]
            [twilio]
            account-sid = "AC0123456789abcdef0123456789abcdef"
            auth-token = "canary-token-0123456789abcdef012"
            from = "+15005550006"
            [telegram]
            bot-token = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
            webhook-secret = "0123456789abcdef"
        "#;
        let problems = |text: &str| {
            let refused = checked(text, "https://alerts.example.org").unwrap_err();
            assert!(!refused.to_string().contains("canary"), "{refused}");
            refused.errors().iter().map(|error| error.field().to_owned()).collect::<Vec<_>>()
        };
        let settings = checked(GOOD, "https://alerts.example.org").unwrap();
        assert!(settings.phone.twilio.is_some() && settings.outlets.ntfy.is_some());
        assert!(checked("", "https://alerts.example.org").is_ok());
        for (text, expected) in [
            ("[ntfy]\nurl = \"canary\"", "ntfy.url"),
            ("[pushover]\ntoken = \"canary canary\"", "pushover.token"),
            (
                "[telegram]\nbot-token = \"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11\"",
                "telegram.webhook-secret",
            ),
            ("[command.page]\nprogram = \"/bin/canary\"", "command.page"),
            ("db = \"canary.db\"", VARIABLE),
            ("canary", VARIABLE),
        ] {
            assert_eq!(problems(text), [expected], "{text}");
        }
    }
}
