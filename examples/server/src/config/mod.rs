//! Combines flags, environment and config file, and checks all settings before anything starts.

mod args;
mod aws;
mod chosen;
mod error;
mod file;
mod file_roster;
mod imported;
mod keys;
mod matchers;
mod named;
mod roster;
mod translation;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use inresponse_channels::{ChannelSettings, GivenChannels, SecretText, told};
use inresponse_core::claim::TokenSecret;
use inresponse_core::engine::{EngineBuilder, UnverifiedPhones};
use inresponse_core::model::{Contact, StatusUpdates, TeamName};
use inresponse_core::roster::Defaults;
use inresponse_core::{Engine, InvalidInput};
use inresponse_http::{ApiKey, HandOverDomains, TrustedProxies};
use inresponse_postgres::PostgresConfig;
use inresponse_smtp::SmtpConfig;

pub(crate) use args::ServeArgs;
pub(crate) use chosen::{MailConfig, StorageConfig};
pub(crate) use error::ConfigError;
pub(crate) use file_roster::{
    FileDay, FileHeartbeat, FileLevel, FileOverride, FilePerson, FileRoster, FileRule, FileSchedule,
    FileSilence, FileStep, FileTeam,
};
pub(crate) use imported::{read_roster, unquoted};
pub(crate) use keys::WeakSecrets;
pub(crate) use matchers::{matcher, matcher_text};
pub(crate) use named::SAMPLE_TEAM;
pub(crate) use roster::{FeedUrls, Given, RosterSeed, Wanted, is_masked, masked_schedule};
pub(crate) use translation::IntakeConfig;

use error::rename;
use file::File;

/// The checked settings of a server.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    /// The config file, if one is named.
    pub(crate) file: Option<PathBuf>,
    pub(crate) storage: StorageConfig,
    /// The URL by which people reach the server (default: the address on which it listens).
    pub(crate) public_url: Option<String>,
    /// Keys from flag and file. If there are none, a key is made on the first start.
    pub(crate) keys: Vec<ApiKey>,
    /// The domains of people outside the roster to whom incidents may be handed.
    pub(crate) hand_over_domains: HandOverDomains,
    pub(crate) weak_secrets: WeakSecrets,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) mail: MailConfig,
    pub(crate) channels: ChannelSettings,
    pub(crate) unverified_phones: UnverifiedPhones,
    pub(crate) lease: Duration,
    /// How many single alerts a contact gets in a minute, if it is not the default.
    pub(crate) singles_per_minute: Option<u32>,
    pub(crate) status_updates: StatusUpdates,
    pub(crate) keep_resolved: Option<Duration>,
    pub(crate) canary: Option<Contact>,
    pub(crate) token_secret: Option<SecretText>,
    pub(crate) catch_all: Option<TeamName>,
    pub(crate) defaults: Defaults,
    pub(crate) roster: RosterSeed,
    pub(crate) intake: IntakeConfig,
}

const DEFAULT_LISTEN: &str = "127.0.0.1:8080";
const DEFAULT_MAIL_FROM: &str = "InResponse <inresponse@localhost>";

impl Config {
    /// Reads the config file, if one is named, and combines all settings.
    ///
    /// # Errors
    /// Everything that is invalid, each with its line or key.
    pub(crate) fn load(args: ServeArgs) -> Result<Self, ConfigError> {
        let text = match &args.config {
            None => String::new(),
            Some(path) => {
                std::fs::read_to_string(path).map_err(|e| ConfigError::of_file(&args, &e.to_string()))?
            }
        };
        Self::read(args, &text)
    }

    /// Combines all settings with the text of the config file.
    ///
    /// # Errors
    /// The same errors as [`load`](Self::load).
    pub(crate) fn read(args: ServeArgs, text: &str) -> Result<Self, ConfigError> {
        let file = toml::from_str(text).map_err(|e| ConfigError::of_file(&args, &told(&e, text)))?;
        Self::check(args, file)
    }

    fn check(args: ServeArgs, file: File) -> Result<Self, ConfigError> {
        let mut invalid = InvalidInput::default();
        let listen = args.listen.or(file.listen).unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
        let listen = invalid.keep(listen.parse::<SocketAddr>().map_err(|_| {
            InvalidInput::field(
                "listen",
                format!("`{listen}` is not an address with a port like 127.0.0.1:8080"),
            )
        }));
        let public_url = args.public_url.or(file.public_url);
        if public_url.as_ref().is_some_and(|u| !u.starts_with("http://") && !u.starts_with("https://")) {
            invalid.push("public-url", "must begin with http:// or https://");
        }
        let lease = Duration::from_secs(args.lease_seconds.or(file.lease_seconds).unwrap_or(30));
        if lease < Engine::MIN_LEASE || lease > Engine::MAX_LEASE {
            let (least, most) = (Engine::MIN_LEASE.as_secs(), Engine::MAX_LEASE.as_secs());
            invalid.push("lease-seconds", format!("must be from {least} to {most}"));
        }
        let singles_per_minute = args.singles_per_minute.or(file.singles_per_minute);
        if singles_per_minute.is_some_and(|singles| singles > EngineBuilder::MOST_SINGLES) {
            invalid.push("singles-per-minute", format!("must be from 0 to {}", EngineBuilder::MOST_SINGLES));
        }
        let token_secret = args.token_secret.or(file.token_secret);
        if let Some(secret) = &token_secret {
            invalid.keep(TokenSecret::new(secret.0.as_bytes()));
        }
        let storage = GivenStorage {
            db: args.db.or(file.db),
            postgres_url: args.postgres_url.or(file.postgres_url),
            dynamo_prefix: args.dynamo_prefix.or(file.dynamo_prefix),
        };
        let storage = storage.check(&mut invalid);
        let mail = GivenMail {
            smtp_url: args.smtp_url.or(file.smtp_url),
            ses: args.ses || file.ses,
            outbox: args.outbox.or(file.outbox),
            from: args.mail_from.or(file.mail_from),
        };
        let mail = mail.check(&mut invalid);
        let channels = GivenChannels {
            webhook_secret: args.webhook_secret.or(file.webhook_secret),
            webhook: file.webhook,
            ntfy: file.ntfy,
            pushover: file.pushover,
            telegram: file.telegram,
            slack_app: file.slack_app,
            command: file.command,
            twilio: file.twilio,
            gateway: file.gateway,
            phone: file.phone,
            limits: file.limits,
        };
        let channels = channels.check(public_url.as_deref(), &mut invalid);
        let unverified_phones = match file.require_verified_phones {
            true => UnverifiedPhones::Refused,
            false => UnverifiedPhones::Allowed,
        };
        let weak_secrets = if args.allow_weak_secrets { WeakSecrets::Allowed } else { WeakSecrets::Refused };
        let keys = keys::check(args.api_key.or(file.api_key), file.keys, weak_secrets, &mut invalid);
        // An environment variable that is empty is one that was not set.
        let given: Vec<&str> =
            args.trusted_proxies.iter().map(String::as_str).filter(|proxy| !proxy.is_empty()).collect();
        let filed = file.trusted_proxies.iter().map(String::as_str);
        let proxies = if given.is_empty() { filed.collect() } else { given };
        let trusted_proxies = invalid.keep(TrustedProxies::new(proxies)).unwrap_or_default();
        let hand_over_domains =
            invalid.keep(HandOverDomains::new(&file.hand_over_domains)).unwrap_or_default();
        let status_updates =
            if args.tell_claims || file.tell_claims { StatusUpdates::On } else { StatusUpdates::Off };
        let keep_resolved = args.keep_resolved_days.or(file.keep_resolved_days);
        if keep_resolved == Some(0) {
            invalid.push("keep-resolved-days", "must be at least 1");
        }
        let keep_resolved = keep_resolved.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
        let canary = args.canary.or(file.canary).map(Contact::new).transpose();
        let canary = invalid.keep(canary.map_err(|e| rename(&e, "canary"))).flatten();
        let catch_all =
            file.catch_all.and_then(|t| invalid.keep(TeamName::new(t).map_err(|e| rename(&e, "catch-all"))));
        let defaults = if file.fallback.is_empty() {
            Some(Defaults::none())
        } else {
            let contacts = roster::contacts("fallback", file.fallback, &mut invalid);
            contacts.and_then(|contacts| invalid.keep(Defaults::with_fallback(contacts)))
        };
        let roster = RosterSeed::check(file.roster, FeedUrls::Whole, &mut invalid);
        let intake = IntakeConfig::check(file.intake, &mut invalid);
        match (listen, storage, mail, defaults, invalid.is_empty()) {
            (Some(listen), Some(storage), Some(mail), Some(defaults), true) => Ok(Self {
                listen,
                file: args.config,
                storage,
                public_url,
                keys,
                hand_over_domains,
                weak_secrets,
                trusted_proxies,
                mail,
                channels,
                unverified_phones,
                lease,
                singles_per_minute,
                token_secret,
                status_updates,
                keep_resolved,
                canary,
                catch_all,
                defaults,
                roster,
                intake,
            }),
            _ => Err(ConfigError::of(&invalid)),
        }
    }
}

/// The settings of the storage as given, unchecked.
struct GivenStorage {
    db: Option<PathBuf>,
    postgres_url: Option<SecretText>,
    dynamo_prefix: Option<String>,
}

impl GivenStorage {
    fn check(self, invalid: &mut InvalidInput) -> Option<StorageConfig> {
        let given = [
            ("db", self.db.is_some()),
            ("postgres-url", self.postgres_url.is_some()),
            ("dynamo-prefix", self.dynamo_prefix.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key);
        if let (Some(first), Some(other)) = (given.next(), given.next()) {
            invalid.push(other, format!("cannot be combined with {first}"));
            return None;
        }
        match (self.postgres_url, self.dynamo_prefix) {
            (Some(url), _) => {
                let config = PostgresConfig::from_url(&url.0).map_err(|e| rename(&e, "postgres-url"));
                invalid.keep(config).map(|config| StorageConfig::Postgres(Box::new(config)))
            }
            (None, Some(prefix)) => aws::dynamo(prefix, invalid),
            (None, None) => {
                Some(StorageConfig::Sqlite(self.db.unwrap_or_else(|| PathBuf::from("inresponse.db"))))
            }
        }
    }
}

/// The mail settings as given, unchecked.
struct GivenMail {
    smtp_url: Option<SecretText>,
    ses: bool,
    outbox: Option<PathBuf>,
    from: Option<String>,
}

impl GivenMail {
    fn check(self, invalid: &mut InvalidInput) -> Option<MailConfig> {
        let excluded = match (&self.smtp_url, self.ses, &self.outbox) {
            (Some(_), true, _) => Some(("ses", "smtp-url")),
            (None, true, Some(_)) => Some(("outbox", "ses")),
            (Some(_), false, Some(_)) => Some(("outbox", "smtp-url")),
            (Some(_), false, None) | (None, true, None) | (None, false, _) => None,
        };
        if let Some((key, other)) = excluded {
            invalid.push(key, format!("cannot be combined with {other}"));
            return None;
        }
        if self.ses {
            return aws::ses(self.from, invalid);
        }
        let from = self.from.unwrap_or_else(|| DEFAULT_MAIL_FROM.to_owned());
        match self.smtp_url {
            Some(url) => match SmtpConfig::from_url(&url.0, &from) {
                Ok(config) => Some(MailConfig::Smtp(Box::new(config))),
                Err(error) => {
                    invalid.push("smtp-url", error.to_string());
                    None
                }
            },
            None => {
                let dir = self.outbox.unwrap_or_else(|| PathBuf::from("outbox"));
                Some(MailConfig::Outbox { dir, from })
            }
        }
    }
}

#[cfg(test)]
mod tests;
