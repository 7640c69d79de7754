//! Wires the parts together and runs them.

use std::error::Error;
use std::sync::Arc;

use inresponse_channels::{ChannelSettings, Outlets};
use inresponse_core::Chain;
use inresponse_core::clock::{Clock as _, SystemClock};
use inresponse_core::feeds::Feeds;
use inresponse_core::notices::Notices;
use inresponse_http::{Api, Intake, Keys, Pages, Readiness};
use inresponse_phone::TwilioChannel;
use inresponse_webhook::CalendarFetcher;
use tokio::sync::watch::{Receiver, channel};

use crate::config::{Config, ConfigError, ServeArgs, WeakSecrets};
use crate::descriptors::Shares;
use crate::fetch::FromAmazon;
use crate::notifiers::notifiers;
use crate::ops::kept::kept;
use crate::ops::watch::{ask, watch};
use crate::storage::Storage;
use crate::{exposure, keys, listen, reload, secret, seed};

/// Runs the server until the process must stop. `args` are what `config` was read from.
pub(crate) async fn serve(args: ServeArgs, config: Config) -> Result<(), Box<dyn Error>> {
    let shares = Shares::of_this_process();
    let named = config.named();
    for exposed in exposure::exposed(&config) {
        tracing::warn!("{exposed}");
    }
    match config.weak_secrets {
        WeakSecrets::Allowed => tracing::warn!("weak secrets are allowed, so this server is for tests only"),
        WeakSecrets::Refused => {}
    }
    let metrics = inresponse_http::metrics::install()?;
    let listener = listen::bind(config.listen).map_err(|e| {
        format!("cannot listen on {}: {e}; `--listen` chooses another address", config.listen)
    })?;
    let public_url = match config.public_url {
        Some(url) => url,
        None => format!("http://{}", listener.local_addr()?),
    };
    let database = config.storage.to_string();
    let config_file =
        config.file.as_ref().map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    let storage = Storage::open(config.storage).await?;
    let clock = SystemClock::new();
    let secrets = secret::token_secrets(&storage, config.token_secret, clock.now()).await?;

    let ChannelSettings { webhook, outlets, phone, limits } = config.channels;
    let calendars = CalendarFetcher::new(&webhook);
    let outlets = Outlets::new(outlets, webhook.internal(), Some(&public_url), &clock);
    let outlets = outlets.map_err(|error| -> Box<dyn Error> { error })?;
    let notifiers = notifiers(config.mail, webhook, phone.clone(), &outlets, &clock).await?;
    let notifiers =
        notifiers.remembering(storage.settings()).limited(limits, storage.settings(), clock.clone());
    let mut engine = storage
        .engine(notifiers, clock)
        .lease(config.lease)
        .status_updates(config.status_updates)
        .unverified_phones(config.unverified_phones)
        .sends_at_once(shares.sends)
        .defaults(config.defaults)
        .claim_links(&public_url, secrets)?;
    if let Some(singles) = config.singles_per_minute {
        engine = engine.singles_per_minute(singles);
    }
    if let Some(team) = config.catch_all {
        engine = engine.catch_all(team);
    }
    if let Some(keep) = config.keep_resolved {
        engine = engine.keep_resolved(keep);
    }
    let engine = engine.build();
    let unreachable = named.unreachable(|contact| engine.can_reach(contact));
    if !unreachable.is_empty() {
        return Err(ConfigError::from(unreachable).into());
    }
    if config.roster.entries.is_empty() {
        seed::sample(&storage, &engine).await?;
    } else {
        seed::seed(&storage, &engine, &config.roster).await?;
    }
    if let Some(unknown) = named.unknown_team(Some(&engine)).await? {
        return Err(ConfigError::from(vec![unknown]).into());
    }
    let api_keys = if config.keys.is_empty() { vec![keys::first_key(&storage).await?] } else { config.keys };
    let api_keys = Keys::new(api_keys);
    let rereading = reload::on_hangup(args, api_keys.clone(), storage.settings())?;

    let mut intake = Intake::new(config.intake.rule).mappings(config.intake.mappings);
    match FromAmazon::new() {
        Ok(amazon) => intake = intake.amazon_by(amazon).notices_by(config.intake.ses_topics),
        Err(error) => {
            tracing::warn!(error = %Chain::of(&error), "messages of Amazon SNS cannot be checked here")
        }
    }
    let readiness = Readiness::new();
    let api = Api::new(engine.clone(), api_keys)
        .intake_by(intake)
        // This refuses an invalid URL.
        .pages(Pages::under(&public_url)?)
        .trusted_proxies(config.trusted_proxies)
        .metrics(metrics)
        .readiness(readiness.clone());
    let api = outlets.answers().into_iter().fold(api, Api::channel_by);
    let twilio = phone.twilio.into_iter();
    let twilio = twilio.map(|twilio| TwilioChannel::new(twilio, storage.settings()));
    let api = twilio.fold(api, |api, twilio| api.channel_by(Arc::new(twilio)));
    let api = storage.shared_by(api).hand_over_to(config.hand_over_domains);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        listen = %listener.local_addr()?,
        database,
        config = config_file,
        public_url = without_password(&public_url),
        "InResponse starts"
    );
    println!("InResponse listens on http://{}", listener.local_addr()?);

    let heartbeats = api.heartbeats().clone();
    let settings = storage.settings();
    let mut watching = watch(&engine, storage, config.canary);
    ask(outlets, &engine, &settings, &mut watching);
    watching.spawn(rereading);
    let notices = Arc::new(Notices::new(engine.clone(), settings.clone()));
    match calendars {
        Ok(calendars) => {
            let (feeds, engine) = (Arc::new(Feeds::new(engine.clone(), settings, calendars)), engine.clone());
            watching.spawn(async move {
                let read = || {
                    let feeds = Arc::clone(&feeds);
                    async move { feeds.run(std::future::pending()).await }
                };
                kept("feeds", engine.clock(), read).await;
            });
        }
        Err(error) => tracing::warn!(error = %Chain::of(&error), "calendar feeds cannot be read here"),
    }
    let (stop, stopped) = channel(());
    let requests_ended = after(stopped.clone());
    let (of_heartbeats, until) = (engine.clone(), stopped.clone());
    let beating = tokio::spawn(async move {
        let look = || {
            let (heartbeats, stopped) = (heartbeats.clone(), until.clone());
            async move { heartbeats.run(after(stopped)).await }
        };
        kept("heartbeats", of_heartbeats.clock(), look).await;
    });
    let of_notices = engine.clone();
    let noticing = tokio::spawn(async move {
        let notify = || {
            let (notices, stopped) = (Arc::clone(&notices), stopped.clone());
            async move { notices.run(after(stopped)).await }
        };
        kept("notices", of_notices.clock(), notify).await;
    });
    let (requests_done, all_requests_ended) = channel(());
    let running = tokio::spawn(async move {
        let run = || {
            let (engine, ended) = (engine.clone(), all_requests_ended.clone());
            async move { engine.run(after(ended)).await }
        };
        kept("runner", engine.clock(), run).await;
    });
    let listening = tokio::spawn(listen::serve(
        listener,
        inresponse_http::router(api),
        shares.connections,
        requests_ended,
    ));

    told_to_stop().await?;
    tracing::info!("stopping: finishing the requests and sends in progress");
    readiness.stop();
    drop((stop, watching));
    listening.await?;
    // The runner stops only after the last request, so that this process still sends the alerts of an incident reported
    // by that request.
    drop(requests_done);
    running.await?;
    noticing.await?;
    beating.await?;
    tracing::info!("stopped");
    Ok(())
}

/// A URL without its name and password. A proxy may need them, but the log does not.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Resolves when the sender of `stopped` is dropped.
async fn after(mut stopped: Receiver<()>) {
    while stopped.changed().await.is_ok() {}
}

/// Resolves on SIGTERM or Ctrl-C.
async fn told_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn the_public_url_is_logged_without_a_password() {
        for (url, logged) in [
            ("https://ir.example.org", "https://ir.example.org"),
            ("https://jo:canary@ir.example.org:8443/alerting/", "https://ir.example.org:8443/alerting/"),
            ("http://jo:can@ary@ir.example.org?token=canary#canary", "http://ir.example.org"),
            ("https://ir.example.org/a@b", "https://ir.example.org/a@b"),
        ] {
            assert_eq!(without_password(url), logged);
        }
    }
}
