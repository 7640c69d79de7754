//! The function `sweeper`, which a schedule calls every minute.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use inresponse_core::feeds::Feeds;
use inresponse_core::heartbeats::Heartbeats;
use inresponse_core::notices::Notices;
use inresponse_core::settings::Settings;
use inresponse_core::{Chain, Engine};
use inresponse_push::PushoverReceipts;
use inresponse_webhook::CalendarFetcher;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

use crate::config::Config;
use crate::wiring::{Parts, parts};

/// How long an incident must be overdue before its execution counts as lost.
const OVERDUE: Duration = Duration::from_secs(10);

/// How long after the beginning of a call acknowledgements may still be asked for. The last one is asked for ten seconds later,
/// and ends after five more.
const RECEIPTS_WITHIN: Duration = Duration::from_secs(15);

/// How long after the beginning of a call a look at the heartbeats must end. A look that is cut short is finished by the next
/// call.
const HEARTBEATS_WITHIN: Duration = Duration::from_secs(15);

/// If no call has looked at the heartbeats for this long, senders get another interval.
const HEARTBEATS_GAP: Duration = Duration::from_secs(180);

/// How long after the beginning of a call the reading of a calendar feed may still begin. It ends ten seconds later, well
/// before the function's own time-out (50 s).
const FEEDS_WITHIN: Duration = Duration::from_secs(20);

/// How long after the beginning of a call a notice may still begin to be sent. It ends 15 s later.
const NOTICES_WITHIN: Duration = Duration::from_secs(30);

/// Notices are looked for in one of this many minutes, because every look reads all teams.
const NOTICES_EVERY: i64 = 5;

/// The maximum number of calendar feeds that one call reads. The others are read by the next calls.
const MAX_FEEDS: usize = 40;

/// Sweeps whenever it is called, until Lambda ends the process.
pub(crate) async fn run(config: Config) -> Result<(), Error> {
    let Parts { engine, store, outlets, webhook, .. } = parts(&config).await?;
    let settings: Arc<dyn Settings> = Arc::new(store.clone());
    let receipts = outlets.receipts(&engine, &settings);
    // The keys of a hash map are random numbers.
    let process = RandomState::new().build_hasher().finish();
    let heartbeats = Heartbeats::new(engine.clone(), Arc::clone(&settings), process);
    let heartbeats = heartbeats.looked_at_within(HEARTBEATS_GAP);
    let feeds = match CalendarFetcher::new(&webhook) {
        Ok(calendars) => Some(Feeds::new(engine.clone(), Arc::new(store.clone()), calendars)),
        Err(error) => {
            tracing::error!(error = %Chain::of(&error), "calendar feeds cannot be read here");
            None
        }
    };
    let notices = Notices::new(engine.clone(), Arc::new(store));
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| {
        sweep(&engine, receipts.as_ref(), &heartbeats, feeds.as_ref(), &notices).await
    }))
    .await
}

/// Advances overdue incidents first. What else is due follows, as far as the time allows: a failure of it is logged and
/// tried again by the next calls.
async fn sweep(
    engine: &Engine,
    receipts: Option<&PushoverReceipts>,
    heartbeats: &Heartbeats,
    feeds: Option<&Feeds>,
    notices: &Notices,
) -> Result<Value, Error> {
    let began = engine.clock().monotonic();
    let left = |within: Duration| {
        let left = within.saturating_sub(engine.clock().monotonic().saturating_sub(began));
        Some(left).filter(|left| !left.is_zero())
    };
    let swept = engine.sweep(OVERDUE).await?;
    let (mut claimed, mut missed, mut read, mut sent) = (0, 0, 0, 0);
    if let Some((receipts, _)) = receipts.zip(left(RECEIPTS_WITHIN)) {
        match receipts.tick().await {
            Ok(claims) => claimed = claims,
            Err(error) => {
                tracing::error!(error = %Chain::of(&error), "the receipts of Pushover could not be looked at");
            }
        }
    }
    if let Some(left) = left(HEARTBEATS_WITHIN) {
        match tokio::time::timeout(left, heartbeats.look()).await {
            Ok(Ok(opened)) => missed = opened,
            Ok(Err(error)) => {
                tracing::error!(error = %Chain::of(&error), "the heartbeats could not be looked at");
            }
            Err(_) => tracing::error!("not all heartbeats could be looked at in time"),
        }
    }
    if let Some((feeds, left)) = feeds.zip(left(FEEDS_WITHIN)) {
        match feeds.tick_within(MAX_FEEDS, left).await {
            Ok(good) => read = good,
            Err(error) => {
                tracing::error!(error = %Chain::of(&error), "the calendar feeds could not be looked at");
            }
        }
    }
    let is_time = engine.now().timestamp().div_euclid(60).rem_euclid(NOTICES_EVERY) == 0;
    if let Some(left) = left(NOTICES_WITHIN).filter(|_| is_time) {
        match notices.tick_within(left).await {
            Ok(accepted) => sent = accepted,
            Err(error) => tracing::error!(error = %Chain::of(&error), "the notices could not be looked at"),
        }
    }
    if swept.failed > 0 {
        return Err(Error::from(format!("{} incidents stay overdue", swept.failed)));
    }
    Ok(json!({
        "restarted": swept.restarted,
        "advanced": swept.advanced,
        "failed": swept.failed,
        "acknowledged": claimed,
        "missed": missed,
        "feeds": read,
        "notices": sent,
    }))
}
