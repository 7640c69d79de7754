//! Pages for people: the board, and the page behind the link in an alert.
//!
//! The pages are embedded in the program, load nothing from elsewhere, and work without scripts. The one script keeps
//! them up to date and shows times in the reader's zone.
//!
//! | file | holds |
//! |---|---|
//! | `claim` | the page behind the link in an alert; the link is its credential |
//! | `session` | the signed-in person, from the cookie |
//! | `sessions` | the sessions, shared by all servers |
//! | `sign_in` | signing in and out |
//! | `list`, `filter`, `search` | the list of incidents, its filter, and what the filter finds on each page |
//! | `several` | claims several incidents at once |
//! | `incident`, `words` | the page of one incident, and its texts |
//! | `acts` | executes the forms |
//! | `on_call` | who is on call |
//! | `teams`, `card`, `picture` | the calendar of a team, its schedules, and their weeks as pictures |
//! | `lines` | what each layer and feed of a schedule says, and what changes hands |
//! | `shifts` | taking a shift, giving it away, and taking that back |
//! | `schedules`, `schedule_form`, `preview` | editing a schedule, with a look at it before it is saved |
//! | `people`, `person_form` | people, and testing whether they are reached |
//! | `outlook` | who would be alerted, and what is missing |
//! | `reader`, `times` | who reads a page, and times by the reader's clocks |
//! | `form` | what was typed into a form, and what is wrong with it |
//! | `services` | services and the teams that own them, the forms of new ones, and test alerts |
//! | `first_steps`, `settings_page` | the first steps of a new installation, and what is set elsewhere |
//! | `heartbeats` | heartbeats, with the last pings and misses of each |
//! | `rules_page` | routing rules |
//! | `silences`, `silence_form` | silences, lifting them, and the form that makes one |
//! | `changes` | who changed the roster |
//! | `live` | the part of a page that is kept up to date |
//! | `events` | that part, on demand or as a stream |
//! | `upkeep` | the shared state of the pages |
//! | `frame` | the frame around every page |
//! | `readable` | errors as pages, for browsers |
//! | `streams` | limits how many streams of events are open at once |
//! | `assets` | style, script, icon |

mod acts;
mod assets;
mod card;
mod changes;
mod claim;
mod claims;
mod events;
mod filter;
mod first_steps;
mod form;
mod frame;
mod heartbeats;
mod incident;
mod lines;
mod list;
mod live;
mod on_call;
mod outlook;
mod people;
mod person_form;
mod picture;
mod preview;
mod readable;
mod reader;
mod rules_page;
mod schedule_form;
mod schedules;
mod search;
mod services;
pub(crate) mod session;
pub(crate) mod sessions;
mod settings_page;
mod several;
mod shifts;
mod sign_in;
mod silence_form;
mod silences;
mod streams;
mod team;
mod teams;
mod times;
mod upkeep;
mod words;

use axum::extract::Request;
use axum::http::header::REFERRER_POLICY;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Api;
use crate::here::Here;
use frame::{Frame, Place, html, message, outage, problem, see, told_outage};

pub(crate) use readable::told_as_page;
pub use upkeep::Pages;

/// Whether a request uses a valid link of an alert or of a bundle.
pub(crate) fn has_link(api: &Api, uri: &axum::http::Uri) -> bool {
    claim::has_link(api, uri) || claims::has_link(api, uri)
}

/// The routes behind the links in alerts and bundles. The addresses of these routes contain a secret, so browsers must send no
/// referrer.
pub(crate) fn claim_routes() -> OpenApiRouter<Api> {
    let told_to_nobody = HeaderValue::from_static("no-referrer");
    OpenApiRouter::new()
        .routes(routes!(claim::page, claim::claim))
        .routes(routes!(claims::page, claims::claim))
        .layer(SetResponseHeaderLayer::overriding(REFERRER_POLICY, told_to_nobody))
}

/// The board's routes. A form that another site sends is refused.
pub(crate) fn routes(api: &Api) -> Router<Api> {
    let mut csrf = CsrfLayer::new();
    if let Some(origin) = &api.site().origin {
        csrf = csrf.add_trusted_origin(origin).expect("the origin was tried when it was given");
    }
    let csrf = csrf.with_rejection_response(|_: ProtectionError| {
        (StatusCode::FORBIDDEN, Extension(FromElsewhere)).into_response()
    });
    board()
        .into_iter()
        .fold(Router::new(), |router, (path, route)| router.route(path, route))
        .layer(csrf)
        .layer(from_fn_with_state(api.clone(), tell_from_elsewhere))
}

/// Every path of the board, with its handler.
fn board() -> [(&'static str, MethodRouter<Api>); 31] {
    [
        ("/", get(list::page)),
        ("/board/incidents/{incidentId}", get(incident::page).post(acts::act)),
        ("/board/claim-several", post(several::claim)),
        ("/board/oncall", get(on_call::page)),
        ("/board/changes", get(changes::page)),
        ("/board/teams/{team}", get(teams::page)),
        ("/board/teams/{team}/shifts", get(shifts::page).post(shifts::act)),
        ("/board/teams/{team}/new-schedule", get(schedules::new).post(schedules::make)),
        ("/board/teams/{team}/schedules/{schedule}", get(schedules::edit).post(schedules::act)),
        ("/board/people", get(people::list)),
        ("/board/heartbeats", get(heartbeats::list)),
        ("/board/heartbeats/{heartbeat}", get(heartbeats::page)),
        ("/board/routes", get(rules_page::list)),
        ("/board/silences", get(silences::list).post(silences::act)),
        ("/board/new-silence", get(silence_form::page).post(silence_form::act)),
        ("/board/new-person", get(people::new).post(people::make)),
        ("/board/people/{person}", get(people::page).post(people::act)),
        ("/board/people/{person}/test", post(people::test)),
        ("/board/people/{person}/verification", post(people::verify)),
        ("/board/services", get(services::list)),
        ("/board/new-service", get(services::new).post(services::make)),
        ("/board/new-team", get(services::new_team).post(services::make_team)),
        ("/board/services/{service}/plan", get(outlook::plan)),
        ("/board/services/{service}/test", post(services::test)),
        ("/board/settings", get(settings_page::page)),
        ("/board/coverage", get(outlook::coverage)),
        ("/board/sign-in", get(sign_in::page).post(sign_in::sign_in)),
        ("/board/sign-out", post(sign_in::sign_out)),
        ("/board/fragment", get(events::fragment)),
        ("/board/events", get(events::stream)),
        ("/board/assets/{name}", get(assets::asset)),
    ]
}

/// The error for a form that another site has sent.
#[derive(Debug, Clone, Copy)]
struct FromElsewhere;

async fn tell_from_elsewhere(Here(api): Here, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<FromElsewhere>().is_none() {
        return response;
    }
    message(&api, None, StatusCode::FORBIDDEN, "This form came from another site. Nothing was changed.")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::board;
    use crate::doors::DOORS;

    #[test]
    fn every_route_of_the_board_is_a_door() {
        let mut routes = BTreeSet::new();
        for (path, route) in board() {
            // How a route of axum shows the methods that it takes.
            let shown = format!("{route:?}");
            for (method, field) in
                [("GET", "get"), ("POST", "post"), ("PUT", "put"), ("DELETE", "delete"), ("PATCH", "patch")]
            {
                assert!(shown.contains(&format!(" {field}: ")), "{shown}");
                if !shown.contains(&format!(" {field}: None")) {
                    routes.insert((method, path));
                }
            }
        }
        let is_board = |path: &str| path == "/" || path.starts_with("/board/");
        let doors = DOORS.iter().filter(|door| is_board(door.path)).map(|door| (door.method, door.path));
        assert_eq!(routes, doors.collect());
    }
}
