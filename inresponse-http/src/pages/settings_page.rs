//! What is set elsewhere, where it is set, and the first steps.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::first_steps::{self, FirstSteps};
use super::session::SignedIn;
use super::{Frame, Place, html, outage};
use crate::here::Here;
use crate::input::NoParams;

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    frame: Frame,
    key: String,
    first_steps: FirstSteps,
}

/// The page of the settings.
pub(super) async fn page(Here(api): Here, me: SignedIn, _: NoParams) -> Response {
    match first_steps::look(&api, &me).await {
        Ok(first_steps) => {
            let frame = Frame::new(&api, Some(&me.by), Place::Settings);
            html(StatusCode::OK, &Page { frame, key: me.caller.key.to_string(), first_steps })
        }
        Err(error) => outage(&api, &me.by, &error),
    }
}
