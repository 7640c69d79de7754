//! Warns if the receiver of a hand-over may never learn of it.

use inresponse_core::engine::Receiver;
use inresponse_core::model::{Incident, Person};
use inresponse_core::{Engine, Outage};

/// A warning before an incident of `team` is handed to `person`; `None` if there is nothing to warn about.
pub(crate) async fn doubt(
    engine: &Engine,
    incident: &Incident,
    by: &Person,
    person: &Person,
) -> Result<Option<String>, Outage> {
    if person.is(by) {
        return Ok(None);
    }
    let team = incident.team();
    let wait = incident.matrix().wait().as_secs();
    Ok(match engine.receiver(team, person).await? {
        Receiver::Known => None,
        Receiver::NotInRoster => Some(format!(
            "{person} is not in the roster of team {team}; if they do not respond within {wait} seconds, \
             the incident is open again"
        )),
        Receiver::Untold => Some(format!(
            "{person} is not an address that this server can send to, so they will not be notified; if they do not \
             respond within {wait} seconds, the incident is open again"
        )),
    })
}
