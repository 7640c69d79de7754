//! The routes that change the roster share `edit`; the route `/roster/changes` lists who changed it, and when.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use inresponse_api::Changes;
use inresponse_core::Outage;
use inresponse_core::engine::RosterEdited;
use inresponse_core::model::Person;
use inresponse_core::roster::{Effect, EntryKey, MAX_EDITS, Refusal, RosterEdit};

use super::incidents::{DEFAULT_LIMIT, limit};
use crate::Api;
use crate::caller::Caller;
use crate::cursor;
use crate::input::Params;
use crate::problem::Problem;
use crate::wire::roster::change;

/// Makes one edit of the roster in the name of a key.
pub(super) async fn edit(api: &Api, by: &Caller, edit: RosterEdit) -> Result<Effect, Problem> {
    let conflict = |detail: String| Err(Problem::new(StatusCode::CONFLICT, detail));
    let edited = api.engine().edit_roster(&Person::from(&by.key), &[edit]).await;
    match edited.map_err(|e| Problem::outage_of_change(&e))? {
        RosterEdited::Done(effects) => Ok(effects.first().copied().unwrap_or(Effect::Unchanged)),
        RosterEdited::UnknownTeam(team) => {
            Err(Problem::unprocessable("team", format!("there is no team `{team}`")))
        }
        RosterEdited::CatchAllTeam(team) => {
            conflict(format!("team `{team}` is the catch-all team of the configuration"))
        }
        RosterEdited::Refused(Refusal::InUse { key, by: EntryKey::Service(service) }) => {
            conflict(format!("{} still owns the service `{service}`", quoted(&key)))
        }
        RosterEdited::Refused(Refusal::InUse { key, by }) => {
            conflict(format!("{} is still used by {by}", quoted(&key)))
        }
        RosterEdited::Refused(Refusal::Twice(key)) => conflict(format!("{key} is edited twice")),
        RosterEdited::Refused(Refusal::TooMany(edits)) => {
            conflict(format!("these are {edits} edits; at most {MAX_EDITS} are made at once"))
        }
    }
}

fn quoted(key: &EntryKey) -> String {
    match key {
        EntryKey::Team(team) => format!("team `{team}`"),
        EntryKey::Service(_) | EntryKey::Day(..) => key.to_string(),
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
        (status = 400, description = "a parameter is invalid", body = Problem),
    ))]
pub(crate) async fn list(
    State(api): State<Api>,
    _: Caller,
    mut params: Params,
) -> Result<Json<Changes>, Problem> {
    let limit = params.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
    let before = params.take("cursor", cursor::read_change);
    params.finish()?;
    // One more than asked for tells whether there is a next page.
    let changes = api.engine().roster().changes(before.as_ref(), limit + 1).await;
    let mut changes = changes.map_err(|e| Problem::outage(&e))?;
    let more = changes.len() > limit;
    changes.truncate(limit);
    let cursor = changes.last().filter(|_| more).map(|(mark, _)| cursor::write_change(mark));
    let changes = changes.iter().map(|(_, noted)| change(noted)).collect();
    Ok(Json(Changes { changes, cursor }))
}
