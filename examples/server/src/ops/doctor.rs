//! `inresponse doctor`: checks this deployment.

use std::error::Error;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use clap::Args;
use inresponse_channels::{ChannelSettings, Outlets, PhoneConfig};
use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::DAYS_AHEAD;
use inresponse_core::forgotten;
use inresponse_core::model::Level;
use inresponse_core::notify::Notifiers;
use inresponse_core::store::ListQuery;
use inresponse_core::text::visible;
use inresponse_postgres::Schema;
use inresponse_smtp::{Secrecy, SmtpConfig, SmtpNotifier};
use inresponse_sqlite::backup::Checked;
use inresponse_webhook::WebhookConfig;

use crate::config::ServeArgs;
use crate::config::{Config, MailConfig, StorageConfig, WeakSecrets};
use crate::exposure::exposed;
use crate::keys::first_key_hash;
use crate::notifiers::notifiers;
use crate::storage::Storage;

/// The maximum accepted difference between servers' clocks.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(2);

/// Checks settings, database, mail server, clock and roster as the server would use them, and reports problems.
///
/// Doctor changes nothing, alerts nobody, and can run beside a server. The command exits with 0 if there is no problem,
/// otherwise with 1. A warning is not a problem.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  inresponse doctor --config /etc/inresponse.toml")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    serve: ServeArgs,
}

/// Prints findings as they are found, and counts them.
#[derive(Debug, Default)]
struct Findings {
    wrong: usize,
}

impl Findings {
    fn fine(&mut self, what: &str, how: impl Display) {
        print_finding("ok   ", what, how);
    }

    fn warn(&mut self, what: &str, how: impl Display) {
        print_finding("warn ", what, how);
    }

    fn wrong(&mut self, what: &str, how: impl Display) {
        self.wrong += 1;
        print_finding("WRONG", what, how);
    }
}

/// Prints a finding on one line. Names of teams and texts of mail servers may contain anything.
fn print_finding(how_bad: &str, what: &str, how: impl Display) {
    println!("{how_bad} {what}: {}", visible(&how.to_string()));
}

pub(crate) async fn doctor(args: DoctorArgs) -> Result<(), Box<dyn Error>> {
    let mut findings = Findings::default();
    let config = Config::load(args.serve)?;
    findings.fine("config", "all settings are valid");
    for exposed in exposed(&config) {
        findings.warn("files", exposed);
    }
    match config.weak_secrets {
        WeakSecrets::Allowed => findings.warn("keys", "weak secrets are allowed, which is for tests only"),
        WeakSecrets::Refused => {}
    }
    let named = config.named();
    links(&mut findings, config.public_url.as_deref());
    if config.channels.phone.twilio.is_some() {
        phone(&mut findings, config.public_url.as_deref());
    }
    #[cfg(feature = "aws")]
    if matches!(config.mail, MailConfig::Ses(_)) && config.intake.ses_topics.is_empty() {
        findings.warn("intake.ses-topics", "is empty, so the server does not learn of bounced mail");
    }
    let clock = SystemClock::new();
    let deadline = Engine::send_deadline(config.lease);
    let ChannelSettings { webhook, outlets, phone, .. } = config.channels;
    let outlets = Outlets::new(outlets, webhook.internal(), config.public_url.as_deref(), &clock);
    let outlets = match outlets {
        Ok(outlets) => outlets,
        Err(error) => {
            findings.wrong("channels", told(&*error));
            Outlets::default()
        }
    };
    let given = (config.mail, webhook, phone);
    let notifiers = mail(&mut findings, given, &outlets, deadline, &clock).await;
    if let Some(notifiers) = &notifiers {
        for problem in named.unreachable(|contact| notifiers.reach(contact)) {
            findings.wrong("config", problem);
        }
    }
    let (mut is_readable, mut is_absent) = (false, false);
    match &config.storage {
        StorageConfig::Sqlite(path) if !path.exists() => {
            is_absent = true;
            absent(&mut findings, path);
        }
        StorageConfig::Sqlite(path) => {
            let file = path.clone();
            let checked =
                tokio::task::spawn_blocking(move || inresponse_sqlite::backup::check(&file)).await?;
            match checked {
                Ok(Checked::Current) => {
                    is_readable = true;
                    findings.fine("database", format_args!("{} is intact", path.display()));
                }
                Ok(Checked::Older) => findings.warn(
                    "database",
                    format_args!("{} is intact; the server will upgrade its schema", path.display()),
                ),
                Ok(Checked::Newer) => findings.wrong(
                    "database",
                    format_args!("{} was made by a newer version of this program", path.display()),
                ),
                Err(error) => findings.wrong("database", told(&error)),
            }
        }
        StorageConfig::Postgres(postgres) => match inresponse_postgres::Database::check(postgres).await {
            Ok(Schema::Current) => {
                is_readable = true;
                findings.fine("database", format_args!("{postgres} can be used"));
            }
            Ok(Schema::Older) => findings
                .warn("database", format_args!("{postgres} can be used; the server will upgrade its schema")),
            Ok(Schema::Absent) => {
                is_absent = true;
                findings
                    .warn("database", format_args!("{postgres} is empty; the server will create its tables"));
            }
            Ok(Schema::Newer) => findings
                .wrong("database", format_args!("{postgres} was made by a newer version of this program")),
            Err(error) => findings.wrong("database", format_args!("{postgres}: {}", told(&error))),
        },
        #[cfg(feature = "aws")]
        StorageConfig::Dynamo { .. } => is_readable = true,
    }
    if let (true, Some(notifiers)) = (is_readable, notifiers) {
        let storage = Storage::open(config.storage).await?;
        if let Some(hash) = first_key_hash(&storage).await? {
            let hash: String = hash.chars().take(12).filter(char::is_ascii_hexdigit).collect();
            let made = format!("the key that was made on the first start (SHA-256 {hash}…)");
            match config.keys.is_empty() {
                true => findings
                    .warn("keys", format_args!("{made} has all scopes; `inresponse key replace` revokes it")),
                false => findings.fine(
                    "keys",
                    format_args!("{made} is not accepted, because the configuration names keys"),
                ),
            }
        }
        let engine = storage.engine(notifiers, clock).defaults(config.defaults).build();
        if let Some(unknown) = named.unknown_team(Some(&engine)).await? {
            findings.wrong("config", unknown);
        }
        contents(&mut findings, &engine).await?;
    } else if let Some(unknown) = named.unknown_team(None).await?.filter(|_| is_absent) {
        findings.wrong("config", unknown);
    }
    match findings.wrong {
        0 => Ok(()),
        1 => Err("1 problem found".into()),
        many => Err(format!("{many} problems found").into()),
    }
}

/// The text of an error with its causes, on one line.
fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    told
}

fn links(findings: &mut Findings, public_url: Option<&str>) {
    match public_url {
        None => findings.warn("public-url", "is not set, so links in mails use the listen address"),
        Some(url) if url.starts_with("http://") => {
            findings.warn(
                "public-url",
                format_args!("{url} is not encrypted, and the links in mails can claim incidents"),
            );
        }
        Some(url) => findings.fine("public-url", url),
    }
}

fn phone(findings: &mut Findings, public_url: Option<&str>) {
    match public_url {
        None => findings.warn("twilio", "without public-url nobody is called, and no answer comes back"),
        Some(url) => findings.fine(
            "twilio",
            format_args!(
                "messages to the sender must come to {}/channels/twilio/sms",
                url.trim_end_matches('/')
            ),
        ),
    }
}

fn absent(findings: &mut Findings, path: &Path) {
    let folder =
        path.parent().filter(|f| !f.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    match std::fs::metadata(&folder) {
        Ok(found) if found.is_dir() => {
            findings.warn(
                "database",
                format_args!("{} does not exist yet; the server will create it", path.display()),
            );
        }
        Ok(_) => findings.wrong("database", format_args!("{} is not a folder", folder.display())),
        Err(error) => findings.wrong("database", format_args!("{}: {error}", folder.display())),
    }
}

async fn mail(
    findings: &mut Findings,
    (mail, webhook, phone): (MailConfig, WebhookConfig, PhoneConfig),
    outlets: &Outlets,
    deadline: Duration,
    clock: &SystemClock,
) -> Option<Notifiers> {
    match &mail {
        MailConfig::Smtp(smtp) => greet(findings, smtp, deadline).await,
        MailConfig::Outbox { dir, .. } => {
            let text = format!(
                "no mail server is configured: mails are files in {} and reach nobody",
                dir.display()
            );
            findings.warn("mail", text);
        }
        #[cfg(feature = "aws")]
        MailConfig::Ses(_) => findings.fine("mail", "Amazon SES (try it with test-alert)"),
    }
    match notifiers(mail, webhook, phone, outlets, clock).await {
        Ok(notifiers) => Some(notifiers),
        Err(error) => {
            findings.wrong("mail", told(&*error));
            None
        }
    }
}

async fn greet(findings: &mut Findings, smtp: &SmtpConfig, deadline: Duration) {
    match smtp.secrecy() {
        Secrecy::Encrypted | Secrecy::Plain => {}
        Secrecy::PlainPassword => findings.warn(
            "mail",
            format_args!("the password goes to {smtp} unencrypted; use smtps:// or ?tls=required"),
        ),
        Secrecy::Opportunistic => findings.warn(
            "mail",
            "with tls=opportunistic, anyone on the network path can make the server send the password and mails unencrypted; \
             use tls=required",
        ),
    }
    match SmtpNotifier::greet(smtp.clone(), deadline).await {
        Ok(()) => {
            let login = if smtp.has_login() { "login accepted" } else { "no login configured" };
            findings.fine("mail", format_args!("{smtp} answers, {login}"));
        }
        Err(error) => findings.wrong("mail", format_args!("{smtp}: {}", told(&error))),
    }
}

/// Checks the stored data: the times of incidents, and who would be alerted.
async fn contents(findings: &mut Findings, engine: &Engine) -> Result<(), Box<dyn Error>> {
    let newest = engine.list(&ListQuery { limit: 1, ..ListQuery::default() }).await?;
    let ahead = newest.first().map(|record| record.incident.created_at() - engine.now());
    match ahead {
        Some(ahead) if ahead > CLOCKS_DIFFER => {
            let text = format!("the newest incident was reported {} s in the future", ahead.num_seconds());
            findings.wrong("clock", text);
        }
        Some(_) | None => findings.fine("clock", engine.clock().now().to_rfc3339()),
    }
    let census = engine.census().await?;
    if census.undelivered + census.waiting > 0 {
        let text = format!("{} undelivered, {} waiting for minutes", census.undelivered, census.waiting);
        findings.warn("alerts", text);
    }
    let forgotten = forgotten::forgotten(engine, None).await?;
    if let Some(first) = forgotten.last() {
        let text = format!(
            "{} claimed for more than a day and still reported, the first is incident {}",
            forgotten.len(),
            first.number()
        );
        findings.warn("claims", text);
    }
    for (team, days) in engine.uncovered().await? {
        let Some(on_call) = engine.on_call(&team, engine.now()).await? else {
            findings
                .wrong("roster", format_args!("team {team} has no settings, and the deployment no fallback"));
            continue;
        };
        let levels = (1..=on_call.matrix.height()).map(Level::At).chain([Level::Fallback]);
        let contacts = levels.flat_map(|level| on_call.matrix.contacts(level));
        for contact in contacts.filter(|contact| !engine.can_reach(contact)) {
            findings.wrong("roster", format_args!("team {team}: no configured channel reaches {contact}"));
        }
        match days.first() {
            None => findings
                .fine("roster", format_args!("team {team} has somebody on call for {DAYS_AHEAD} days")),
            Some(first) => findings.warn(
                "roster",
                format_args!(
                    "team {team} has nobody on call on {} of {DAYS_AHEAD} days, first on {first}",
                    days.len()
                ),
            ),
        }
    }
    Ok(())
}
