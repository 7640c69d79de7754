//! Calls more people in: asks whom the targets mean, and limits alerts to people outside the roster.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use inresponse_core::InvalidInput;
use inresponse_core::engine::Callees;
use inresponse_core::model::{IncidentNumber, KeyName, Person, State};
use inresponse_core::plan::Update;
use inresponse_core::roster::Target;

use crate::Api;
use crate::outsiders::{Allowed, allowed_at};
use crate::problem::Problem;

/// Adds whom the targets mean to an update. `field` gives the name of the field of each.
pub(crate) async fn complete(
    api: &Api,
    key: &KeyName,
    number: IncidentNumber,
    update: &mut Update,
    (targets, field): (&[Target], impl Fn(usize) -> String),
) -> Result<(), Problem> {
    if targets.is_empty() {
        return Ok(());
    }
    let engine = api.engine();
    let outage = |e| Problem::outage(&e).not_recorded();
    let record = engine.get(number).await.map_err(outage)?;
    let record = record.ok_or_else(|| Problem::not_found(format!("there is no incident {number}")))?;
    let team = record.incident.team();
    let matrix = match engine.callees(team, targets).await.map_err(outage)? {
        Callees::These(matrix) => matrix,
        Callees::Not(not) => {
            let mut invalid = InvalidInput::default();
            for (i, why) in not {
                invalid.push(field(i), format!("`{}` {why}", targets[i]));
            }
            return Err(Problem::unprocessable_fields(&invalid));
        }
    };
    // Nobody is alerted of what is resolved.
    let addresses = targets.iter().enumerate().filter(|_| record.incident.state() != State::Resolved);
    for (i, contact) in addresses.filter_map(|(i, target)| Some((i, target.contact()?))) {
        let person = Person::new(contact.to_string()).map_err(|_| {
            Problem::unprocessable(field(i), "is too long: name the person who has this address")
        })?;
        match allowed_at(api, key, team, (&person, contact)).await.map_err(outage)? {
            Allowed::Yes => {}
            Allowed::NotThere(to) => {
                let why = format!("{to} is not in the roster, and nobody may be called in at its domain");
                return Err(Problem::unprocessable(field(i), why));
            }
            Allowed::NotNow(after) => {
                let why = format!(
                    "the API key `{key}` has alerted too many people outside the roster; try again in {} seconds",
                    after.as_secs()
                );
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, why);
                let after = HeaderValue::from(after.as_secs());
                return Err(problem.header(RETRY_AFTER, after).not_recorded());
            }
        }
    }
    update.call_in = Some(matrix);
    Ok(())
}
