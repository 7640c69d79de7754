//! Asks Telegram for what comes back, where no webhook is set: `getUpdates` with long polling.
//!
//! Telegram lets one process ask at a time. Every process calls [`TelegramPolling::run`]; a row in the shared settings
//! holds the lease of the one that asks, and the offset: the id of the next update. The offset moves on only after an
//! update was taken. If a process dies in between, the next one takes the update again, which changes nothing twice.
//!
//! Ids increase by one, but after a week without an update Telegram begins at a random id, which may be lower
//! (core.telegram.org/bots/api#update). So the offset is always what follows the last update, and an update is never
//! skipped because of its id. Another bot or another server has other ids, so the row says whose they are.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::{Chain, Engine, Outage, OutageKind};
use inresponse_outward::{StatusCode, brief};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::bot::TelegramNotifier;
use super::taking::taken;
use super::update::read_update;

/// For how long Telegram holds a request without an update.
const HELD: Duration = Duration::from_secs(10);
/// The time limit of a request.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long the lease of the process that asks is: it covers a request and what is done with its updates.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// The pause if another process asks, or if Telegram cannot be reached.
const PAUSE: Duration = Duration::from_secs(5);
/// The shortest time between two requests without an update.
const AT_LEAST: Duration = Duration::from_secs(1);
/// The maximum number of updates in one answer.
const MOST: usize = 50;
/// The name of the row.
const ROW: &str = "telegram.polling";

/// Asks for what comes back to a bot.
#[derive(Debug, Clone)]
pub struct TelegramPolling {
    engine: Engine,
    settings: Arc<dyn Settings>,
    bot: TelegramNotifier,
}

/// The row that all processes share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    /// Until when a process asks.
    until: Option<DateTime<Utc>>,
    /// The id of the next update.
    offset: i64,
    /// Whose ids these are.
    of: String,
}

/// How a look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Polled {
    /// That many updates were taken.
    Took(usize),
    /// Another process asks.
    NotOurs,
    /// Telegram could not be asked.
    Failed,
}

#[derive(Deserialize)]
struct Updates<'a> {
    ok: bool,
    #[serde(borrow, default)]
    result: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Numbered {
    update_id: i64,
}

impl TelegramPolling {
    /// Asks for the answers to the engine's alerts by that bot. Lease and offset are kept in `settings`.
    pub fn new(engine: Engine, settings: Arc<dyn Settings>, bot: TelegramNotifier) -> Self {
        Self { engine, settings, bot }
    }

    /// Asks again and again, until it is dropped.
    pub async fn run(self) {
        loop {
            let clock = self.engine.clock();
            let began = clock.monotonic();
            match self.poll(HELD).await {
                // Some servers answer at once: they are asked after a pause.
                Ok(Polled::Took(0)) if clock.monotonic().saturating_sub(began) < AT_LEAST => {
                    clock.sleep(AT_LEAST).await;
                }
                Ok(Polled::Took(_)) => {}
                Ok(Polled::NotOurs | Polled::Failed) => self.engine.clock().sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(error = %Chain::of(&error), "the answers of Telegram could not be taken");
                    self.engine.clock().sleep(PAUSE).await;
                }
            }
        }
    }

    /// Asks once, if no other process does, and takes what came. Telegram holds the request for up to `held`.
    ///
    /// # Errors
    /// The settings, the store or the roster are unavailable. What was not taken comes again.
    pub async fn poll(&self, held: Duration) -> Result<Polled, Outage> {
        let Some((mut row, mut stored)) = self.leased().await? else { return Ok(Polled::NotOurs) };
        let parameters = json!({
            "offset": row.offset,
            "limit": MOST,
            "timeout": held.as_secs(),
            "allowed_updates": ["message", "callback_query"],
        });
        let answer = match self.bot.call("getUpdates", &parameters, DEADLINE).await {
            Ok(answer) if answer.status.is_success() => answer,
            Ok(answer) => {
                let why = match answer.status {
                    StatusCode::CONFLICT => {
                        "another program asks for them, or a webhook is set: set webhook-secret, or delete the webhook"
                    }
                    _ => "the bot is refused",
                };
                let status = answer.status.as_u16();
                tracing::warn!(status, "the answers of Telegram cannot be read: {why}");
                self.free(&row, &stored).await?;
                return Ok(Polled::Failed);
            }
            Err(outcome) => {
                let reason = brief::reason(outcome.reason());
                tracing::warn!(reason, "the answers of Telegram cannot be read");
                self.free(&row, &stored).await?;
                return Ok(Polled::Failed);
            }
        };
        let updates = serde_json::from_slice::<Updates<'_>>(&answer.body).ok().filter(|updates| updates.ok);
        let Some(updates) = updates else {
            tracing::warn!("the answers of Telegram cannot be read: they are not JSON");
            self.free(&row, &stored).await?;
            return Ok(Polled::Failed);
        };
        let mut took = 0;
        for update in updates.result.iter().map(|update| update.get().as_bytes()).take(MOST) {
            let Ok(Numbered { update_id }) = serde_json::from_slice(update) else { continue };
            let call = match read_update(update) {
                Some(update) => match taken(&self.engine, update).await {
                    Ok(call) => call,
                    // It would fail again, and the updates after it would never be taken.
                    Err(error) if error.kind() == OutageKind::Permanent => {
                        tracing::error!(update_id, error = %Chain::of(&error), "an answer of Telegram is dropped");
                        None
                    }
                    Err(error) => {
                        self.free(&row, &stored).await?;
                        return Err(error);
                    }
                },
                None => None,
            };
            let (until, offset) = (Some(self.engine.now() + LEASE), update_id.saturating_add(1));
            let next = Row { until, offset, ..row.clone() };
            let bytes = written(&next)?;
            match self.settings.swap_setting(ROW, Some(&stored), &bytes).await? {
                Swapped::Done => (row, stored) = (next, bytes),
                // The lease was over, and another process has it now.
                Swapped::Changed => return Ok(Polled::Took(took)),
            }
            took += 1;
            if let Some(call) = call {
                self.bot.answer(call).await;
            }
        }
        self.free(&row, &stored).await?;
        Ok(Polled::Took(took))
    }

    /// Takes the lease, if no other process has it.
    async fn leased(&self) -> Result<Option<(Row, Vec<u8>)>, Outage> {
        let stored = self.settings.setting(ROW).await?;
        let row: Row =
            stored.as_deref().and_then(|stored| serde_json::from_slice(stored).ok()).unwrap_or_default();
        let now = self.engine.now();
        // A lease that ends later than any that is made comes from a clock that was wrong.
        if row.until.is_some_and(|until| until > now && until <= now + LEASE) {
            return Ok(None);
        }
        let of = self.bot.identity();
        // A row without a name was written before there was one.
        let is_same = row.of == of || row.of.is_empty();
        let offset = if is_same { row.offset } else { 0 };
        let ours = Row { until: Some(now + LEASE), offset, of };
        let bytes = written(&ours)?;
        match self.settings.swap_setting(ROW, stored.as_deref(), &bytes).await? {
            Swapped::Done => Ok(Some((ours, bytes))),
            Swapped::Changed => Ok(None),
        }
    }

    /// Ends the lease, so that any process may ask next.
    async fn free(&self, row: &Row, stored: &[u8]) -> Result<(), Outage> {
        let free = written(&Row { until: None, ..row.clone() })?;
        // If another process has the lease by now, it stays.
        let _ = self.settings.swap_setting(ROW, Some(stored), &free).await?;
        Ok(())
    }
}

fn written(row: &Row) -> Result<Vec<u8>, Outage> {
    serde_json::to_vec(row).map_err(|e| Outage::permanent("the row of Telegram cannot be written").because(e))
}
