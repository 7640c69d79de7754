//! The configuration of the functions, which the template passes in their environment.

use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::claim::TokenSecret;
use inresponse_core::model::{Contact, StatusUpdates, TeamName};
use inresponse_core::roster::Defaults;
use inresponse_http::{ApiKey, HandOverDomains};

use crate::channels::{self, SecretName};
use crate::secrets;
use crate::variables::Variables;

/// The configuration that all functions share.
#[derive(Debug)]
pub(crate) struct Config {
    /// The prefix of the tables' names.
    pub(crate) table_prefix: String,
    pub(crate) mail_from: String,
    pub(crate) configuration_set: Option<String>,
    /// The URL with which links in mails begin.
    pub(crate) public_url: String,
    /// The secrets of claim tokens. The first secret signs.
    pub(crate) token_secrets: Vec<TokenSecret>,
    pub(crate) api_keys: Vec<ApiKey>,
    pub(crate) defaults: Defaults,
    pub(crate) status_updates: StatusUpdates,
    pub(crate) hand_over_domains: HandOverDomains,
    pub(crate) catch_all: Option<TeamName>,
    pub(crate) state_machine: String,
    pub(crate) keep_resolved: Option<Duration>,
    /// The secret with the settings of the channels besides mail, if there are any.
    pub(crate) channels: Option<SecretName>,
}

impl Config {
    /// Reads the configuration. The error names every variable that is invalid.
    pub(crate) fn read(
        variable: impl Fn(&str) -> Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, InvalidInput> {
        let variables = Variables::new(&variable);
        let mut invalid = InvalidInput::default();
        let mail_from = variables.required("INRESPONSE_MAIL_FROM", &mut invalid);
        let public_url = variables.required("INRESPONSE_PUBLIC_URL", &mut invalid);
        let state_machine = variables.required("INRESPONSE_STATE_MACHINE", &mut invalid);
        let token_secrets = secrets::token_secrets(&variables, now, &mut invalid);
        let api_keys = secrets::api_keys(&variables, &mut invalid);
        let named = |name: &'static str| move |e: InvalidInput| InvalidInput::field(name, e.to_string());
        let optional = |name: &str| variables.optional(name);
        let fallback = optional("INRESPONSE_FALLBACK").unwrap_or_default();
        let fallback: Result<Vec<_>, _> =
            fallback.split(',').map(str::trim).filter(|c| !c.is_empty()).map(Contact::new).collect();
        let defaults = fallback.and_then(|contacts| match contacts.is_empty() {
            true => Ok(Defaults::none()),
            false => Defaults::with_fallback(contacts),
        });
        let defaults = invalid.keep(defaults.map_err(named("INRESPONSE_FALLBACK")));
        let catch_all = optional("INRESPONSE_CATCH_ALL").map(TeamName::new).transpose();
        let catch_all = invalid.keep(catch_all.map_err(named("INRESPONSE_CATCH_ALL")));
        let keep_resolved = optional("INRESPONSE_KEEP_RESOLVED_DAYS").map(|days| days.parse::<u32>());
        let keep_resolved = keep_resolved.transpose().map_err(|_| {
            InvalidInput::field(
                "INRESPONSE_KEEP_RESOLVED_DAYS",
                "must be a whole number of days; 0 keeps incidents forever",
            )
        });
        let keep_resolved = invalid.keep(keep_resolved);
        let domains = optional("INRESPONSE_HAND_OVER_DOMAINS").unwrap_or_default();
        let domains: Vec<String> =
            domains.split(',').map(|domain| domain.trim().to_owned()).filter(|d| !d.is_empty()).collect();
        let domains = HandOverDomains::new(&domains).map_err(named("INRESPONSE_HAND_OVER_DOMAINS"));
        let hand_over_domains = invalid.keep(domains).unwrap_or_default();
        let status_updates = match optional("INRESPONSE_TELL_CLAIMS").as_deref() {
            None | Some("false") => StatusUpdates::Off,
            Some("true") => StatusUpdates::On,
            Some(_) => {
                invalid.push("INRESPONSE_TELL_CLAIMS", "must be true or false");
                StatusUpdates::Off
            }
        };
        let secret = optional(channels::VARIABLE).map(|reference| SecretName::read(&reference));
        let channels = invalid.keep(secret.transpose());
        let (Some(defaults), Some(catch_all), Some(days), Some(channels), true) =
            (defaults, catch_all, keep_resolved, channels, invalid.is_empty())
        else {
            return Err(invalid);
        };
        Ok(Self {
            table_prefix: optional("INRESPONSE_TABLE_PREFIX").unwrap_or_default(),
            mail_from,
            configuration_set: optional("INRESPONSE_CONFIGURATION_SET"),
            public_url,
            token_secrets,
            api_keys,
            defaults,
            status_updates,
            hand_over_domains,
            catch_all,
            state_machine,
            channels,
            keep_resolved: days.filter(|d| *d > 0).map(|d| Duration::from_secs(u64::from(d) * 24 * 3600)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 5] = [
        ("INRESPONSE_MAIL_FROM", "InResponse <alerts@example.org>"),
        ("INRESPONSE_PUBLIC_URL", "https://alerts.example.org"),
        ("INRESPONSE_STATE_MACHINE", "arn:aws:states:eu-central-1:1:stateMachine:x"),
        ("INRESPONSE_TOKEN_SECRET", "0123456789abcdef0123456789abcdef"),
        ("INRESPONSE_API_KEY", "a long random key"),
    ];

    fn read(changed: &[(&str, &str)]) -> Result<Config, InvalidInput> {
        let find = |name: &str| {
            let found = changed.iter().chain(&GOOD).find(|(n, _)| *n == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::read(find, "2026-11-24T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn p16_every_invalid_variable_is_named() {
        let all_wrong = [
            ("INRESPONSE_MAIL_FROM", " "),
            ("INRESPONSE_TOKEN_SECRET", "short"),
            ("INRESPONSE_API_KEY", "fifteen letters"),
            ("INRESPONSE_FALLBACK", "ops@example.org, nobody"),
            ("INRESPONSE_KEEP_RESOLVED_DAYS", "-1"),
            ("INRESPONSE_HAND_OVER_DOMAINS", "example.org, a b"),
            ("INRESPONSE_TELL_CLAIMS", "yes"),
            ("INRESPONSE_CHANNELS", "twilio"),
        ];
        let refused = read(&all_wrong).unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|e| e.field()).collect();
        assert_eq!(fields, all_wrong.map(|(name, _)| name));
    }

    #[test]
    fn what_is_optional_may_be_empty() {
        let config = read(&[("INRESPONSE_KEEP_RESOLVED_DAYS", "0"), ("INRESPONSE_CATCH_ALL", "")]).unwrap();
        assert!(config.keep_resolved.is_none() && config.catch_all.is_none());
        assert!(config.defaults.team().is_none() && config.configuration_set.is_none());
        assert!(config.channels.is_none());
        let config = read(&[
            ("INRESPONSE_KEEP_RESOLVED_DAYS", "2"),
            ("INRESPONSE_FALLBACK", "a@b.c"),
            ("INRESPONSE_TELL_CLAIMS", "true"),
        ])
        .unwrap();
        assert_eq!(config.status_updates, StatusUpdates::On);
        assert_eq!(config.keep_resolved, Some(Duration::from_secs(172_800)));
        assert!(config.defaults.team().is_some());
    }
}
