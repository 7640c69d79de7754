//! The page that shows who changed the roster, and when.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use inresponse_core::model::Zone;

use super::session::SignedIn;
use super::words::Moment;
use super::{Frame, Place, html, outage};
use crate::here::Here;

/// The number of changes that the page shows.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "changes.html")]
struct Page {
    frame: Frame,
    changes: Vec<Change>,
}

struct Change {
    at: Moment,
    by: String,
    what: String,
}

/// The page with the newest changes.
pub(super) async fn page(Here(api): Here, me: SignedIn) -> Response {
    let changes = match api.engine().roster().changes(None, SHOWN).await {
        Ok(changes) => changes,
        Err(error) => return outage(&api, &me.by, &error),
    };
    let changes = changes.into_iter().map(|(_, change)| Change {
        at: Moment::clock(&Zone::utc(), change.at()),
        by: change.by().to_string(),
        what: change.description(),
    });
    let frame = Frame::new(&api, Some(&me.by), Place::Settings);
    html(StatusCode::OK, &Page { frame, changes: changes.collect() })
}
