//! Judges quiet incidents again after silences or alert hours have changed (promise 21).

use std::sync::Arc;
#[cfg(feature = "runner")]
use std::sync::{Mutex, PoisonError};
#[cfg(feature = "runner")]
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt};

#[cfg(feature = "runner")]
use super::clocks::Clocks;
use super::lookup::Lookup;
use super::paging::Paging;
use super::swap::{Changed, Swap};
#[cfg(feature = "runner")]
use crate::error::Chain;
use crate::error::Outage;
use crate::plan::Input;
use crate::store::{Record, Store};

/// How many incidents are judged at the same time.
const AT_ONCE: usize = 16;
/// How long after a change another server may still judge by rules that it read before.
#[cfg(feature = "runner")]
const OTHERS_LAG: Duration = Duration::from_secs(5);
/// The interval at which the store is asked if no rules change, because another server may have died after it judged by
/// older rules.
#[cfg(feature = "runner")]
const ASK_ANYWAY: Duration = Duration::from_secs(30);

/// Judges quiet incidents again.
#[derive(Debug)]
pub(super) struct JudgeAgain {
    pub(super) store: Arc<dyn Store>,
    #[cfg(feature = "runner")]
    pub(super) clocks: Arc<Clocks>,
    pub(super) lookup: Arc<Lookup>,
    pub(super) swap: Arc<Swap>,
    #[cfg(feature = "runner")]
    pub(super) looked: Mutex<Looked>,
}

/// What was last looked for.
#[cfg(feature = "runner")]
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// When the store was last asked, by the monotonic clock.
    asked_at: Option<Duration>,
}

impl JudgeAgain {
    #[cfg(feature = "runner")]
    /// Judges again what was judged by other rules, if the rules have changed; for callers who continue after a failure.
    pub(super) async fn if_changed(&self) {
        if let Err(error) = self.look().await {
            tracing::error!(error = %Chain::of(&error), "quiet incidents cannot be judged again yet");
        }
    }

    #[cfg(feature = "runner")]
    async fn look(&self) -> Result<(), Outage> {
        self.lookup.quiet_rules().await?;
        if !self.must_ask(self.lookup.rules.since(), self.clocks.monotonic()) {
            return Ok(());
        }
        let began = self.clocks.monotonic();
        self.all().await?;
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).asked_at = Some(began);
        Ok(())
    }

    #[cfg(feature = "runner")]
    fn must_ask(&self, since: Duration, monotonic: Duration) -> bool {
        let asked_at = self.looked.lock().unwrap_or_else(PoisonError::into_inner).asked_at;
        let is_recent = monotonic.saturating_sub(since) <= OTHERS_LAG;
        is_recent || asked_at.is_none_or(|at| at < since || monotonic.saturating_sub(at) >= ASK_ANYWAY)
    }

    /// Judges again everything that was judged by other rules than today's. Returns how many incidents were changed.
    pub(super) async fn all(&self) -> Result<usize, Outage> {
        let rules = &*self.lookup.quiet_rules().await?;
        let (mut changed, mut paging) = (0, Paging::due_by(DateTime::<Utc>::MAX_UTC));
        while let Some((after, limit)) = paging.next() {
            let page = self.store.quiet(rules.id(), after, limit).await?;
            paging.read(&page);
            let judge = async |record: Record| {
                if record.incident.is_left_to_newer() {
                    return Ok(false);
                }
                match self.swap.change(record, |round| Input::Judge { rules, round }).await? {
                    Changed::Done { .. } => Ok(true),
                    Changed::Nothing(_) | Changed::Refused(..) | Changed::Gone => Ok(false),
                }
            };
            let is_quiet =
                |record: &Record| record.incident.quiet().is_some_and(|quiet| quiet.judged_by != rules.id());
            let judged = stream::iter(page.into_iter().filter(is_quiet)).map(judge).buffer_unordered(AT_ONCE);
            let judged: Vec<Result<bool, Outage>> = judged.collect().await;
            for one in judged {
                changed += usize::from(one?);
            }
        }
        Ok(changed)
    }
}
