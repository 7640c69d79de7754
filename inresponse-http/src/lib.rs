//! InResponse's HTTP API as an [`axum`] router that any program can mount.
//!
//! ```no_run
//! # async fn mount(engine: inresponse_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
//! use inresponse_http::{Api, ApiKey, Keys, Scope, router};
//!
//! // With `.claim_links("https://example.org/alerting", secrets)?`, the links in mails lead there.
//!
//! let keys = Keys::new(vec![ApiKey::from_plain("monitoring", "a long random key", vec![Scope::Report])?]);
//! let app = axum::Router::new().nest("/alerting", router(Api::new(engine, keys)));
//! # let _ = app;
//! # Ok(()) }
//! ```
//!
//! Every address (links and forms of the pages, cookies, redirects, `location`, the API document) begins with the path
//! of the engine's public URL. So addresses are right behind a proxy that removes a prefix. Without such a path they
//! begin with the path at which the router is nested.
//!
//! | file | holds |
//! |---|---|
//! | `api` | what the routes work on |
//! | `here` | the same as a request meets it |
//! | `routes` | the calls: incidents, roster, other systems' messages, health and metrics |
//! | `pages` | pages for people: the board, and the one behind the link in an alert |
//! | `api_page` | the API document to be browsed, behind the feature `docs` |
//! | `signals` | does what other systems' messages ask for |
//! | `wire` | what goes over the wire |
//! | `doors`, `scope` | who may do what: one table of every route, and the scopes that it asks for |
//! | `document` | what the API document says of every call |
//! | `outsiders` | how many incidents a key hands to people outside the roster |
//! | `recently` | how often something was done recently |
//! | `domains` | where to |
//! | `hand_over` | whether somebody who is given an incident may never learn of it |
//! | `input` | reading bodies and queries, naming the field that is wrong |
//! | `cursor` | where the next page of a list begins |
//! | `problem` | errors as RFC 9457 problem details |
//! | `keys` | API keys |
//! | `grant` | what a configuration grants a key |
//! | `caller`, `entrance` | who has sent a request, by its key, which is checked at the door |
//! | `admission` | when a request takes a place |
//! | `lanes` | each key's share of places and of the store's queue |
//! | `limits` | request ids, logs, time, panics |
//! | `carry` | changes that are carried through even if the client goes away |
//! | `address` | who sent a request, and the proxies whose word on that is taken |
//! | `refusals` | wrong keys and failed sign-ins: told, counted, slowed down |
//! | `site` | what every address begins with |
//! | `visible` | how what strangers wrote is put into pages |
//! | `metrics` | what is counted |

mod address;
mod admission;
mod api;
#[cfg(feature = "docs")]
mod api_page;
mod caller;
mod carry;
mod cursor;
mod document;
mod domains;
mod doors;
mod entrance;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod hand_over;
mod here;
mod input;
mod keys;
mod lanes;
mod limits;
pub mod metrics;
mod outsiders;
#[cfg(feature = "pages")]
mod pages;
mod problem;
mod recently;
mod refusals;
mod routes;
mod scope;
mod signals;
mod site;
#[cfg(feature = "pages")]
mod visible;
mod wire;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey as ApiKeyScheme, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use address::TrustedProxies;
pub use api::{Api, Readiness};
pub use domains::HandOverDomains;
pub use doors::{Act, DOORS, Door, Proof};
pub use grant::Grant;
pub use inresponse_intake::generic::Mapping;
pub use inresponse_intake::{Rule, sns::AmazonUrl};
pub use keys::{ApiKey, Keys, hash_of};
#[cfg(feature = "pages")]
pub use pages::Pages;
pub use refusals::HeldBack;
pub use scope::Scope;
pub use signals::{FetchFromAmazon, Intake};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "InResponse",
        description = "Incident alerting and escalation: report an incident and get a number; the on-call engineer is \
                       alerted, and the next levels after them, until somebody claims it."
    ),
    tags(
        (name = "incidents", description = "report, claim, release, resolve, read"),
        (name = "intake", description = "what other monitoring systems send"),
        (name = "roster", description = "services, teams, calendars, people, schedules"),
        (name = "system", description = "health, metrics, this document"),
    )
)]
struct Document;

/// The calls that do the work.
fn work() -> OpenApiRouter<Api> {
    use routes::senders::{generic, grafana, nagios, opsgenie, pagerduty, prometheus, sns};
    use routes::{calendars, changes, incidents, outlook, people, roster, schedules};
    let routes = OpenApiRouter::new()
        .routes(routes!(incidents::put, incidents::post, incidents::list))
        .routes(routes!(incidents::get_one, incidents::post_one))
        .routes(routes!(roster::put_service, roster::get_service, roster::delete_service))
        .routes(routes!(roster::put_team, roster::get_team, roster::delete_team))
        .routes(routes!(roster::put_day, roster::get_day, roster::delete_day))
        .routes(routes!(roster::on_call))
        .routes(routes!(roster::list_services))
        .routes(routes!(roster::list_teams))
        .routes(routes!(people::put_person, people::get_person, people::delete_person))
        .routes(routes!(people::list_people))
        .routes(routes!(people::test_person))
        .routes(routes!(schedules::put_schedule, schedules::get_schedule, schedules::delete_schedule))
        .routes(routes!(schedules::list_schedules))
        .routes(routes!(schedules::put_override, schedules::get_override, schedules::delete_override))
        .routes(routes!(schedules::list_overrides))
        .routes(routes!(schedules::shifts))
        .routes(routes!(calendars::schedule_token))
        .routes(routes!(calendars::schedule))
        .routes(routes!(calendars::person_token))
        .routes(routes!(calendars::person))
        .routes(routes!(outlook::plan))
        .routes(routes!(outlook::coverage))
        .routes(routes!(changes::list))
        .routes(routes!(prometheus::webhook))
        .routes(routes!(prometheus::alerts, prometheus::query))
        .routes(routes!(grafana::webhook))
        .routes(routes!(sns::message))
        .routes(routes!(sns::eventbridge))
        .routes(routes!(nagios::notification))
        .routes(routes!(generic::mapped))
        .routes(routes!(pagerduty::enqueue))
        .routes(routes!(opsgenie::create))
        .routes(routes!(opsgenie::acknowledge))
        .routes(routes!(opsgenie::unacknowledge))
        .routes(routes!(opsgenie::add_note))
        .routes(routes!(opsgenie::close))
        .routes(routes!(opsgenie::status));
    #[cfg(feature = "pages")]
    let routes = routes.merge(pages::claim_routes());
    routes
}

/// The calls for health and metrics, which must be answered even under overload.
fn system() -> OpenApiRouter<Api> {
    use routes::system;
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let key = SecurityScheme::ApiKey(ApiKeyScheme::Header(ApiKeyValue::new("x-api-key")));
    components.add_security_scheme("key", key);
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
    let genie_key = ApiKeyValue::with_description("authorization", "`GenieKey` and the key");
    components.add_security_scheme("genieKey", SecurityScheme::ApiKey(ApiKeyScheme::Header(genie_key)));
    OpenApiRouter::with_openapi(document)
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
        .routes(routes!(system::metrics))
        .routes(routes!(system::openapi))
}

/// The OpenAPI 3.1 document of the API, as JSON.
pub fn document() -> String {
    let (_, document) = system().merge(work()).split_for_parts();
    document::complete(&document)
}

/// The routes, with their limits around them.
pub fn router(api: Api) -> Router {
    let api = api.documented(document());
    let work = work();
    #[cfg(feature = "pages")]
    let work = work.merge(pages::routes(&api).into());
    let work = work.layer(from_fn_with_state(api.clone(), limits::bound));
    let (routes, _) = system().merge(work).split_for_parts();
    #[cfg(feature = "docs")]
    let routes = routes.merge(api_page::routes(&api));
    routes
        .fallback(limits::no_route)
        .method_not_allowed_fallback(limits::no_method)
        .layer(CatchPanicLayer::custom(limits::panicked))
        .layer(from_fn_with_state(api.clone(), limits::observe))
        .with_state(api)
}
