//! Reads the API keys again while the server runs.

use std::future::Future;
use std::sync::Arc;

use inresponse_core::settings::Settings;
use inresponse_core::{Chain, Outage};
use inresponse_http::{ApiKey, Keys};

use crate::config::{Config, ServeArgs};
use crate::keys::{FIRST_KEY, first_key_of};

/// Waits for SIGHUP again and again, and each time accepts the keys that the config file then names.
///
/// All other settings stay as they were when the server started. If the file is invalid, the keys stay too.
///
/// # Errors
/// The process cannot listen for signals.
#[cfg(unix)]
pub(crate) fn on_hangup(
    args: ServeArgs,
    keys: Keys,
    settings: Arc<dyn Settings>,
) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        while hangup.recv().await.is_some() {
            replace(&args, &keys, &*settings).await;
        }
    })
}

/// There is no such signal.
#[cfg(not(unix))]
pub(crate) fn on_hangup(
    _: ServeArgs,
    _: Keys,
    _: Arc<dyn Settings>,
) -> std::io::Result<impl Future<Output = ()>> {
    Ok(std::future::pending())
}

async fn replace(args: &ServeArgs, keys: &Keys, settings: &dyn Settings) {
    let configured = match Config::load(args.clone()) {
        Ok(config) => config.keys,
        Err(error) => {
            tracing::error!(error = %Chain::of(&error), "the API keys stay as they are: the configuration is invalid");
            return;
        }
    };
    let accepted = match configured.is_empty() {
        false => Ok(configured),
        true => first_key(settings).await,
    };
    match accepted {
        Ok(accepted) => {
            tracing::info!(keys = accepted.len(), "the API keys were read again");
            keys.replace(accepted);
        }
        Err(error) => tracing::error!(error = %Chain::of(&error), "the API keys stay as they are"),
    }
}

/// The key that was made on the first start, or that replaced it.
async fn first_key(settings: &dyn Settings) -> Result<Vec<ApiKey>, Outage> {
    let kept = settings.setting(FIRST_KEY).await?;
    let kept = kept.ok_or_else(|| Outage::permanent("the configuration names no key, and none was made"))?;
    Ok(vec![first_key_of(&kept)?])
}
