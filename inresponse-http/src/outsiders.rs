//! Hand-overs to people outside the roster: limits the domains, and how many a key may make, so that nobody can use
//! this server to send mail to strangers.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::Outage;
use inresponse_core::engine::Receiver;
use inresponse_core::model::{IncidentNumber, KeyName, State};
use inresponse_core::plan::{StateChange, Update};
use inresponse_core::settings::Swapped;

use crate::Api;

/// The maximum number of hand-overs to people outside the roster that a key may make within [`WINDOW`].
const MOST: usize = 5;
const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// The maximum number of times to retry a change that lost against another server's change.
const MAX_TRIES: usize = 8;

/// Whether a hand-over is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(crate) enum Allowed {
    /// The hand-over is allowed.
    Yes,
    /// The hand-over is refused: the recipient's domain is not on the list.
    NotThere(String),
    /// The hand-over is refused for now: the key has made too many. The key may try again after this time.
    NotNow(Duration),
}

impl Allowed {
    /// Why the hand-over is refused, if it is.
    pub(crate) fn refusal(&self, key: &KeyName) -> Option<String> {
        match self {
            Allowed::Yes => None,
            Allowed::NotThere(to) => {
                Some(format!("{to} is not in the roster, and incidents may not be handed to its domain"))
            }
            Allowed::NotNow(after) => Some(format!(
                "the API key `{key}` has handed over {MOST} incidents to people outside the roster within {} \
                 minutes; try again in {} seconds",
                WINDOW.num_minutes(),
                after.as_secs()
            )),
        }
    }
}

/// Whether that update, if it is a hand-over, is allowed for that key. Counts it if the receiver is outside the roster.
pub(crate) async fn allowed(
    api: &Api,
    key: &KeyName,
    number: IncidentNumber,
    update: &Update,
) -> Result<Allowed, Outage> {
    let Some(StateChange::HandTo(to)) = &update.state else { return Ok(Allowed::Yes) };
    let Some(contact) = to.contact().filter(|_| !to.is(&update.by)) else { return Ok(Allowed::Yes) };
    let Some(record) = api.engine().get(number).await? else { return Ok(Allowed::Yes) };
    let incident = &record.incident;
    let has_it = incident.claimed().is_some_and(|claimed| claimed.by.is(to));
    if incident.state() == State::Resolved || (incident.state() == State::Claimed && has_it) {
        // Nobody is told anything.
        return Ok(Allowed::Yes);
    }
    match api.engine().receiver(incident.team(), to).await? {
        Receiver::Known | Receiver::Untold => Ok(Allowed::Yes),
        Receiver::NotInRoster if !api.hand_over_domains().allow(&contact) => {
            Ok(Allowed::NotThere(to.to_string()))
        }
        Receiver::NotInRoster => count(api, key).await,
    }
}

/// Counts one more hand-over where all servers see it, unless the key made too many recently.
async fn count(api: &Api, key: &KeyName) -> Result<Allowed, Outage> {
    let name = format!("hand-overs:{key}");
    for _ in 0..MAX_TRIES {
        let was = api.shared().setting(&name).await?;
        let now = api.engine().now();
        // What cannot be read was no hand-over.
        let made: Option<Vec<i64>> = was.as_deref().and_then(|was| serde_json::from_slice(was).ok());
        let made = made.unwrap_or_default().into_iter().filter_map(DateTime::<Utc>::from_timestamp_micros);
        // Also of a clock that was ahead, but not forever.
        let mut made: Vec<_> = made.filter(|at| (now - *at).abs() < WINDOW).collect();
        if made.len() >= MOST {
            let oldest = made.iter().min().copied().unwrap_or(now);
            let after = (oldest + WINDOW - now).to_std().unwrap_or_default();
            return Ok(Allowed::NotNow(Duration::from_secs(after.as_secs() + 1)));
        }
        made.push(now);
        let made: Vec<i64> = made.iter().map(DateTime::timestamp_micros).collect();
        let value = serde_json::to_vec(&made)
            .map_err(|e| Outage::permanent("hand-overs cannot be counted").because(e))?;
        match api.shared().swap_setting(&name, was.as_deref(), &value).await? {
            Swapped::Done => return Ok(Allowed::Yes),
            Swapped::Changed => {}
        }
    }
    Err(Outage::retryable("too many incidents are handed over at once"))
}
