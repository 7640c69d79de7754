//! Wires the parts together and runs them.

use std::error::Error;
use std::sync::Arc;

use inresponse_core::clock::SystemClock;
use inresponse_core::notify::Notifiers;
use inresponse_http::{Api, Intake, Keys, Readiness};
use inresponse_smtp::{OutboxNotifier, SmtpNotifier};
use inresponse_webhook::{WebhookErrorKind, WebhookNotifier};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::amazon::FromAmazon;
use crate::config::{Config, MailConfig};
use crate::storage::Storage;
use crate::{keys, listen, secret, seed};

/// Serves until the process is told to stop.
pub(crate) async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let metrics = inresponse_http::metrics::install()?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|e| format!("cannot listen on {}: {e}", config.listen))?;
    let public_url = match config.public_url {
        Some(url) => url,
        None => format!("http://{}", listener.local_addr()?),
    };
    let storage = Storage::open(config.storage).await?;
    let secrets = secret::token_secrets(&storage, config.token_secret).await?;

    let clock = SystemClock::new();
    let notifiers = match config.mail {
        MailConfig::Smtp(smtp) => Notifiers::new().mail(SmtpNotifier::new(*smtp, Arc::new(clock.clone()))?),
        MailConfig::Outbox { dir, from } => {
            tracing::info!(outbox = %dir.display(), "no mail server is configured: mails are written as files");
            Notifiers::new().mail(OutboxNotifier::new(dir, &from, Arc::new(clock.clone()))?)
        }
        #[cfg(feature = "aws")]
        MailConfig::Ses(ses) => {
            let aws = crate::aws::environment("ses").await?;
            Notifiers::new().mail(inresponse_ses::SesNotifier::new(&aws, ses, Arc::new(clock.clone())))
        }
    };
    let has_channels = config.webhook.has_channels();
    let notifiers = match WebhookNotifier::new(config.webhook, Arc::new(clock.clone())) {
        Ok(webhooks) => webhooks.schemes().into_iter().fold(notifiers, |n, s| n.with(s, webhooks.clone())),
        // Where no channel is configured, a machine without certificates sends mails all the same.
        Err(error) if error.kind() == WebhookErrorKind::Certificates && !has_channels => {
            tracing::warn!(%error, "there are no webhooks here");
            notifiers
        }
        Err(error) => return Err(error.into()),
    };
    let mut engine = storage
        .engine(notifiers, clock)
        .lease(config.lease)
        .defaults(config.defaults)
        .claim_links(&public_url, secrets)?;
    if let Some(team) = config.catch_all {
        engine = engine.catch_all(team);
    }
    let engine = engine.build();
    if config.roster.teams.is_empty() {
        seed::sample(&storage, engine.roster()).await?;
    } else {
        seed::seed(engine.roster(), &config.roster).await?;
    }
    let api_keys = if config.keys.is_empty() { vec![keys::first_key(&storage).await?] } else { config.keys };

    let mut intake = Intake::new(config.intake.rule).mappings(config.intake.mappings);
    match FromAmazon::new() {
        Ok(amazon) => intake = intake.amazon_by(amazon),
        Err(error) => tracing::warn!(%error, "messages of Amazon SNS cannot be checked here"),
    }
    let readiness = Readiness::new();
    let api = Api::new(engine.clone(), Keys::new(api_keys))
        .intake_by(intake)
        .metrics(metrics)
        .readiness(readiness.clone());
    println!("InResponse listens on http://{}", listener.local_addr()?);

    let (stop, stopped) = watch::channel(());
    let requests_ended = after(stopped.clone());
    let (requests_done, all_requests_ended) = watch::channel(());
    let running = tokio::spawn(async move { engine.run(after(all_requests_ended)).await });
    let listening = tokio::spawn(listen::serve(listener, inresponse_http::router(api), requests_ended));

    told_to_stop().await?;
    tracing::info!("stopping: finishing what is being answered and sent");
    readiness.stop();
    drop(stop);
    listening.await?;
    // Only then, so that an incident reported by the last request is still alerted by this process.
    drop(requests_done);
    running.await?;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves when the sender is dropped.
async fn after(mut stopped: watch::Receiver<()>) {
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
