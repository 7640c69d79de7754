//! Silences and alert hours, for callers who must not wait for the roster: an alert is more important than quiet.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::clocks::Clocks;
use crate::error::{Chain, Outage};
use crate::roster::{QuietRules, Roster};

/// For how long the last rules count if the roster cannot be read. After that, nothing is quiet: a silence may have been
/// lifted in the meantime.
const RULES_LAST: Duration = Duration::from_secs(60);

/// The last rules that were read.
#[derive(Debug, Default)]
pub(super) struct KnownRules {
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// The rules, and when they were read, by the monotonic clock.
    read: Option<(Arc<QuietRules>, Duration)>,
    /// Since when every read has had these rules, by the monotonic clock.
    #[cfg(feature = "runner")]
    since: Duration,
    failing: Failing,
}

/// Whether the last read failed, and was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Failing {
    #[default]
    No,
    /// The last rules are used.
    UsesLast,
    /// Nothing is quiet.
    UsesNone,
}

impl KnownRules {
    /// Reads the rules.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub(super) async fn read(&self, roster: &dyn Roster, clocks: &Clocks) -> Result<Arc<QuietRules>, Outage> {
        let rules = roster.quiet().await?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let monotonic = clocks.monotonic();
        #[cfg(feature = "runner")]
        if last.read.as_ref().is_none_or(|(before, _)| before.id() != rules.id()) {
            last.since = monotonic;
        }
        last.read = Some((Arc::clone(&rules), monotonic));
        if last.failing != Failing::No {
            last.failing = Failing::No;
            drop(last);
            tracing::info!("silences and alert hours can be read again");
        }
        Ok(rules)
    }

    /// Since when every read has had the same rules, by the monotonic clock. Rules that came and went between two looks
    /// count, if something was judged by them here.
    #[cfg(feature = "runner")]
    pub(super) fn since(&self) -> Duration {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).since
    }

    /// Reads the rules. If the roster is unavailable, the last rules count for [`RULES_LAST`], and then nothing is quiet.
    pub(super) async fn read_or_last(&self, roster: &dyn Roster, clocks: &Clocks) -> Arc<QuietRules> {
        let error = match self.read(roster, clocks).await {
            Ok(rules) => return rules,
            Err(error) => error,
        };
        metrics::counter!("inresponse_quiet_rules_unread_total").increment(1);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let monotonic = clocks.monotonic();
        let read = last.read.as_ref().filter(|(_, at)| monotonic.saturating_sub(*at) <= RULES_LAST);
        let rules = read.map(|(rules, _)| Arc::clone(rules));
        let failing = if rules.is_some() { Failing::UsesLast } else { Failing::UsesNone };
        let is_new = std::mem::replace(&mut last.failing, failing) != failing;
        drop(last);
        // Every alert comes by here, so each state is logged once.
        if is_new {
            match failing {
                Failing::UsesNone => tracing::error!(
                    error = %Chain::of(&error),
                    "silences and alert hours cannot be read: alerts are sent as if there were none"
                ),
                Failing::UsesLast | Failing::No => tracing::warn!(
                    error = %Chain::of(&error),
                    seconds = RULES_LAST.as_secs(),
                    "silences and alert hours cannot be read: the last ones still count for a while"
                ),
            }
        }
        rules.unwrap_or_default()
    }
}
