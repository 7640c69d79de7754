//! Who changed the roster, and when.

use axum::Json;
use axum::extract::State;
use inresponse_core::model::Person;
use inresponse_core::roster::RosterChange;
use inresponse_core::roster::told::Before;
use inresponse_core::{Chain, Outage};

use super::incidents::{DEFAULT_LIMIT, limit};
use crate::Api;
use crate::cursor;
use crate::input::Params;
use crate::keys::Caller;
use crate::problem::Problem;
use crate::wire::roster::ChangesView;

/// Notes what somebody is about to change. What cannot be noted must not be changed.
pub(super) async fn note(api: &Api, by: &Caller, what: &str) -> Result<(), Problem> {
    let change = RosterChange::new(api.engine().now(), Person::from(&by.key), what);
    api.engine().roster().note_change(&change).await.map_err(|error| {
        let outage = Outage::retryable("the change could not be noted, and was not made").because(error);
        Problem::outage_of_change(&outage)
    })?;
    tracing::info!(by = by.key.as_str(), key = by.key.as_str(), change = what, "the roster is changed");
    Ok(())
}

/// What is there now: the copy of the roster that is at hand may lag behind another server's change.
pub(super) async fn present<T>(
    api: &Api,
    read: impl Future<Output = Result<T, Outage>>,
) -> Result<T, Outage> {
    api.engine().roster().refresh().await?;
    read.await
}

/// What is there before a change. What cannot be read can still be replaced.
pub(super) async fn before<T>(api: &Api, read: impl Future<Output = Result<Option<T>, Outage>>) -> Before<T> {
    match present(api, read).await {
        Ok(Some(was)) => Before::Was(was),
        Ok(None) => Before::Absent,
        Err(error) => {
            tracing::warn!(error = %Chain::of(&error), "what is about to be changed cannot be read");
            Before::Unknown
        }
    }
}

/// Who changed the roster and when, newest first.
///
/// A change is noted before it is made: where that then failed and was answered 503, the note may be there without it.
#[utoipa::path(get, path = "/roster/changes", operation_id = "roster_changes", tag = "roster",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500; 50 unless given"),
        ("cursor" = Option<String>, Query, description = "from the page before"),
    ),
    responses(
        (status = 200, description = "a page", body = ChangesView),
        (status = 400, description = "a parameter does not hold", body = Problem),
    ))]
pub(crate) async fn list(
    State(api): State<Api>,
    _: Caller,
    mut params: Params,
) -> Result<Json<ChangesView>, Problem> {
    let limit = params.take("limit", limit).unwrap_or(DEFAULT_LIMIT);
    let before = params.take("cursor", cursor::read_change);
    params.finish()?;
    // One more than asked for tells whether there is a next page.
    let changes = api.engine().roster().changes(before.as_ref(), limit + 1).await;
    let mut changes = changes.map_err(|e| Problem::outage(&e))?;
    let more = changes.len() > limit;
    changes.truncate(limit);
    let cursor = changes.last().filter(|_| more).map(|(mark, _)| cursor::write_change(mark));
    let changes = changes.iter().map(|(_, change)| change.into()).collect();
    Ok(Json(ChangesView { changes, cursor }))
}
