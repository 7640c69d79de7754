//! The routes that change the roster share `edit`; the route `/roster/changes` lists who changed it, and when.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use inresponse_api::Changes;
use inresponse_core::Outage;
use inresponse_core::engine::RosterEdited;
use inresponse_core::model::{Person, SilenceId, TeamName};
use inresponse_core::roster::{Effect, Entry, EntryKey, MAX_EDITS, Refusal, RosterEdit, Rule};

use super::incidents::{DEFAULT_LIMIT, limit};
use crate::Api;
use crate::caller::Caller;
use crate::common::InvalidParameter;
use crate::cursor;
use crate::input::Params;
use crate::problem::Problem;
use crate::wire::roster::{Named, change};

/// The maximum number of silences in a roster.
const MAX_SILENCES: usize = 1_000;

/// Makes one edit of the roster in the name of a key.
pub(super) async fn edit(api: &Api, by: &Caller, edit: RosterEdit) -> Result<Effect, Problem> {
    edit_naming(api, by, edit, &[]).await
}

/// Makes one edit in the name of a key. `named` are the fields that name somebody, for errors.
pub(super) async fn edit_naming(
    api: &Api,
    by: &Caller,
    edit: RosterEdit,
    named: &[Named],
) -> Result<Effect, Problem> {
    edit_as(api, &Person::from(&by.key), &[edit], named).await
}

/// Makes all edits or none, in somebody's name. Returns the effect of the first edit.
pub(crate) async fn edit_as(
    api: &Api,
    by: &Person,
    edits: &[RosterEdit],
    named: &[Named],
) -> Result<Effect, Problem> {
    let team = edits.first().and_then(|edit| edit.key().team().cloned());
    leave_room(api, edits).await?;
    let edited = api.engine().edit_roster(by, edits).await;
    match edited.map_err(|e| Problem::outage_of_change(&e))? {
        RosterEdited::Done(effects) => Ok(effects.first().copied().unwrap_or(Effect::Unchanged)),
        RosterEdited::UnknownTeam(team) => {
            Err(Problem::unprocessable("team", format!("there is no team `{team}`")))
        }
        RosterEdited::CatchAllTeam(team) => {
            Err(conflict(format!("team `{team}` is the catch-all team of the configuration")))
        }
        RosterEdited::Refused(refusal) => {
            let of_rule = in_rules(edits, &refusal);
            Err(refused(&refusal, team.as_ref(), named, of_rule))
        }
    }
}

/// Refuses a new silence if there are too many: each is asked for each incident.
async fn leave_room(api: &Api, edits: &[RosterEdit]) -> Result<(), Problem> {
    let made = edits.iter().filter_map(|edit| match edit {
        RosterEdit::Put(Entry::Silence { id, .. }) => Some(id),
        RosterEdit::Put(_) | RosterEdit::Delete(_) => None,
    });
    let made: BTreeSet<&SilenceId> = made.collect();
    if made.is_empty() {
        return Ok(());
    }
    let rules = present(api, api.engine().roster().quiet()).await.map_err(|e| Problem::outage(&e))?;
    let others = rules.silences().filter(|(id, _)| !made.contains(id)).count();
    let is_new = |id: &&SilenceId| rules.silences().all(|(known, _)| known != *id);
    if others + made.len() > MAX_SILENCES && made.iter().any(is_new) {
        let message =
            format!("there are {MAX_SILENCES} silences already, the maximum: remove one that is over");
        return Err(Problem::unprocessable("silence", message));
    }
    Ok(())
}

fn conflict(detail: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, detail)
}

/// The field of a routing rule that names what is not in the roster.
fn in_rules(edits: &[RosterEdit], refusal: &Refusal) -> Option<String> {
    let Refusal::Unknown { key, by: EntryKey::Routes } = refusal else { return None };
    let rules = edits.iter().filter_map(|edit| match edit {
        RosterEdit::Put(Entry::Routes(routes)) => Some(routes.rules()),
        RosterEdit::Put(_) | RosterEdit::Delete(_) => None,
    });
    let names = |rule: &Rule| match key {
        EntryKey::Team(team) => rule.team.as_ref() == Some(team),
        EntryKey::Heartbeat(heartbeat) => rule.heartbeat.as_ref() == Some(heartbeat),
        _ => false,
    };
    let at = rules.flatten().position(names)?;
    Some(format!("rules[{at}].{}", key.kind().as_str()))
}

fn refused(refusal: &Refusal, team: Option<&TeamName>, named: &[Named], of_rule: Option<String>) -> Problem {
    let told = told(refusal);
    match refusal {
        Refusal::InUse { .. } | Refusal::Twice(_) | Refusal::TooMany(_) | Refusal::LastMethod { .. } => {
            conflict(told)
        }
        Refusal::Unknown { .. } if of_rule.is_some() => {
            Problem::unprocessable(of_rule.unwrap_or_default(), told)
        }
        Refusal::Unknown { key, .. } => {
            let names = |(_, target): &&Named| {
                team.and_then(|team| EntryKey::named_by(target, team)).as_ref() == Some(key)
            };
            let field = named.iter().find(names).map_or_else(|| key.kind().as_str(), |(field, _)| field);
            Problem::unprocessable(field.to_owned(), told)
        }
        Refusal::Circle(_) => {
            let field = named.first().map_or("body", |(field, _)| field);
            Problem::unprocessable(field.to_owned(), told)
        }
        Refusal::NoFallback(_) => Problem::unprocessable("fallback", told),
        Refusal::UnverifiedPhone { field, .. } => Problem::unprocessable(field.clone(), told),
    }
}

/// The text for a refusal.
pub(crate) fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::InUse { key, by: EntryKey::Service(service) } => {
            format!("{} still owns the service `{service}`", quoted(key))
        }
        Refusal::InUse { key, by } => format!("{} is still used by {}", quoted(key), quoted(by)),
        Refusal::Twice(key) => format!("{key} is edited twice"),
        Refusal::TooMany(edits) => {
            format!("these are {edits} edits; at most {MAX_EDITS} are made at once")
        }
        Refusal::Unknown { key, .. } => format!("there is no {}", quoted(key)),
        Refusal::Circle(path) => {
            let path: Vec<String> = path.iter().chain(path.first()).map(quoted).collect();
            format!("these names form a circle: {}", path.join(" → "))
        }
        Refusal::NoFallback(_) => "must name a contact, or a person with a method".to_owned(),
        Refusal::UnverifiedPhone { method, .. } => format!(
            "the number of `{method}` is not verified: leave it out of the rules, verify it, and use it then"
        ),
        Refusal::LastMethod { person, team } => format!(
            "person `{person}` is the only one whom the fallback of team `{team}` reaches, and needs a method"
        ),
    }
}

fn quoted(key: &EntryKey) -> String {
    match key {
        EntryKey::Team(team) => format!("team `{team}`"),
        EntryKey::Person(person) => format!("person `{person}`"),
        EntryKey::Schedule(team, schedule) => format!("schedule `{schedule}` of team `{team}`"),
        EntryKey::Heartbeat(heartbeat) => format!("heartbeat `{heartbeat}`"),
        EntryKey::Service(_)
        | EntryKey::Day(..)
        | EntryKey::Override(..)
        | EntryKey::Feed(..)
        | EntryKey::Silence(_) => key.to_string(),
        EntryKey::Routes => "the routing rules".to_owned(),
    }
}

/// Reads the current value of an entry. The local copy of the roster may lag behind another server's change.
pub(super) async fn present<T>(
    api: &Api,
    read: impl Future<Output = Result<T, Outage>>,
) -> Result<T, Outage> {
    api.engine().roster().refresh().await?;
    read.await
}

/// List who changed the roster and when, newest first.
///
/// Every change is recorded in the same step that makes it. Addresses are masked.
#[utoipa::path(get, path = "/roster/changes", operation_id = "roster_changes", tag = "roster",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "nextCursor of the previous page"),
    ),
    responses(
        (status = 200, description = "a page", body = Changes),
        InvalidParameter,
    ))]
pub(crate) async fn list(
    State(api): State<Api>,
    _: Caller,
    mut params: Params,
) -> Result<Json<Changes>, Problem> {
    let limit = params.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
    let before = params.take("cursor", cursor::read_change);
    params.finish()?;
    // One more than requested is read, to know whether there is a next page.
    let changes = api.engine().roster().changes(before.as_ref(), limit + 1).await;
    let mut changes = changes.map_err(|e| Problem::outage(&e))?;
    let more = changes.len() > limit;
    changes.truncate(limit);
    let cursor = changes.last().filter(|_| more).map(|(mark, _)| cursor::write_change(mark));
    let changes = changes.iter().map(|(_, noted)| change(noted)).collect();
    Ok(Json(Changes { changes, cursor }))
}
