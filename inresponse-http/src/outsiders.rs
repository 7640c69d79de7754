//! Hand-overs to people outside the roster, and calls: limits the domains, and how many a key may make, so that nobody can use
//! this server to send mail to strangers.

use std::time::Duration;

use chrono::TimeDelta;
use inresponse_core::Outage;
use inresponse_core::engine::Receiver;
use inresponse_core::model::{Contact, IncidentNumber, KeyName, Person, State, TeamName};
use inresponse_core::plan::{StateChange, Update};

use crate::Api;
use crate::recently::{Counted, Limit, count};

/// The maximum number of hand-overs to people outside the roster that a key may make within [`WINDOW`].
const MOST: usize = 5;
const WINDOW: TimeDelta = TimeDelta::minutes(10);

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
        // Nobody is notified.
        return Ok(Allowed::Yes);
    }
    allowed_at(api, key, incident.team(), (to, &contact)).await
}

/// Whether a key may make this server alert a person at an address. Counts it if the address is outside the roster.
pub(crate) async fn allowed_at(
    api: &Api,
    key: &KeyName,
    team: &TeamName,
    (to, contact): (&Person, &Contact),
) -> Result<Allowed, Outage> {
    match api.engine().receiver(team, to).await? {
        Receiver::Known | Receiver::Untold => Ok(Allowed::Yes),
        Receiver::NotInRoster if !api.hand_over_domains().allow(contact) => {
            Ok(Allowed::NotThere(to.to_string()))
        }
        Receiver::NotInRoster => {
            Ok(match count(api, &format!("hand-overs:{key}"), Limit { most: MOST, window: WINDOW }).await? {
                Counted::Yes => Allowed::Yes,
                Counted::NotNow(after) => Allowed::NotNow(after),
            })
        }
    }
}
