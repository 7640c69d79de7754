//! The team that a page is about.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{TeamName, Zone};
use inresponse_core::roster::{Directory, Standing};

use super::message;
use super::session::SignedIn;
use crate::Api;
use crate::input::Path;
use crate::problem::Problem;

/// The team that a path names.
pub(super) fn named(in_path: Result<Path<String>, Problem>) -> Option<TeamName> {
    in_path.ok().and_then(|Path(text)| TeamName::new(text).ok())
}

/// The directory of a team, no older than this call. `None` if the team is not known.
pub(super) async fn find(
    api: &Api,
    team: &TeamName,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Option<Arc<Directory>>, Outage> {
    let roster = api.engine().roster();
    roster.refresh().await?;
    let directory = roster.directory(team, from, to).await?;
    Ok(Some(directory).filter(|directory| directory.standing() == Standing::Known))
}

/// The zone of a team.
pub(super) fn zone_of(directory: &Directory) -> Zone {
    directory.settings().map_or_else(Zone::utc, |settings| settings.timezone().clone())
}

/// The page that says that there is no such team.
pub(super) fn no_team(api: &Api, me: &SignedIn) -> Response {
    message(api, Some(&me.by), StatusCode::NOT_FOUND, "There is no such team.")
}
