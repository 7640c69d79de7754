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
//! Every address that the API returns (links and forms of the pages, cookies, redirects, `location`, the API document)
//! begins with the path of the engine's public URL. So addresses are right behind a proxy that removes a prefix. If the
//! public URL has no path, addresses begin with the path at which the router is nested.
//!
//! | file | holds |
//! |---|---|
//! | `api` | the shared state of the routes |
//! | `here` | an extractor: the state with the path prefix of the request |
//! | `routes` | the calls: incidents, roster, other systems' messages, health and metrics |
//! | `pages` | pages for people: the board, and the page behind the link in an alert |
//! | `api_page` | the page to browse the API document, behind the feature `docs` |
//! | `signals` | executes the messages of other monitoring systems |
//! | `wire` | conversions between the core's types and those on the wire |
//! | `entries` | turns the bodies of requests into entries of the roster, for other programs |
//! | `doors`, `scope` | who may do what: one table of every route, and the scopes that each route needs |
//! | `document` | the parts of the API document that all calls share |
//! | `outsiders` | limits how many incidents a key hands to people outside the roster |
//! | `recently` | counts how many times something was done recently |
//! | `domains` | the domains of people outside the roster to whom incidents may be handed |
//! | `hand_over` | warns if the receiver of a hand-over may never learn of it |
//! | `input` | reads bodies and queries; errors name the wrong field |
//! | `cursor` | where the next page of a list begins |
//! | `problem` | errors as RFC 9457 problem details |
//! | `keys`, `verified` | API keys, and which of them were verified before |
//! | `grant` | the permissions that a configuration gives to a key |
//! | `caller`, `entrance` | who sent a request: checks its key at the door |
//! | `admission` | decides when a request takes a place |
//! | `lanes` | each key's share of places and of the store's queue |
//! | `limits` | request ids, logs, time limits, panics |
//! | `carry` | completes changes even if the client disconnects |
//! | `address` | the client's address, and the proxies that are trusted to report it |
//! | `refusals` | wrong keys and failed sign-ins: logged, counted, slowed down |
//! | `site` | the path prefix of every address |
//! | `visible` | escapes untrusted text in pages |
//! | `metrics`, `counted` | the metrics, and those of each answered request |

mod address;
mod admission;
mod api;
#[cfg(feature = "docs")]
mod api_page;
mod call_in;
mod caller;
#[cfg(all(test, feature = "pages"))]
mod calls_page;
mod carry;
mod common;
mod counted;
mod cursor;
mod document;
mod domains;
mod doors;
mod entrance;
pub mod entries;
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
mod verified;
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
        (name = "heartbeats", description = "what must ping, and pings"),
        (name = "channels", description = "answers that come back over channels"),
        (name = "system", description = "health, metrics, this document"),
    )
)]
struct Document;

/// The routes for incidents, the roster and messages of other systems.
fn work() -> OpenApiRouter<Api> {
    use routes::senders::{generic, grafana, nagios, opsgenie, pagerduty, prometheus, sns};
    use routes::{
        alertmanager, calendars, changes, channels, heartbeats, incidents, outlook, people, roster, routing,
        schedules, silences, verification,
    };
    let routes = OpenApiRouter::new()
        .routes(routes!(incidents::put, incidents::post, incidents::list))
        .routes(routes!(incidents::get_one, incidents::post_one))
        .routes(routes!(roster::put_service, roster::get_service, roster::delete_service))
        .routes(routes!(roster::put_team, roster::get_team, roster::delete_team))
        .routes(routes!(roster::put_day, roster::get_day, roster::delete_day))
        .routes(routes!(roster::list_days))
        .routes(routes!(roster::on_call))
        .routes(routes!(roster::list_services))
        .routes(routes!(roster::list_teams))
        .routes(routes!(people::put_person, people::get_person, people::delete_person))
        .routes(routes!(people::list_people))
        .routes(routes!(people::test_person))
        .routes(routes!(verification::send_code, verification::confirm_code))
        .routes(routes!(schedules::put_schedule, schedules::get_schedule, schedules::delete_schedule))
        .routes(routes!(schedules::list_schedules))
        .routes(routes!(schedules::put_override, schedules::get_override, schedules::delete_override))
        .routes(routes!(schedules::list_overrides))
        .routes(routes!(schedules::shifts))
        .routes(routes!(silences::put_silence, silences::get_silence, silences::delete_silence))
        .routes(routes!(silences::list_silences))
        .routes(routes!(alertmanager::post_silence, alertmanager::list_silences))
        .routes(routes!(alertmanager::get_silence, alertmanager::delete_silence))
        .routes(routes!(alertmanager::status))
        .routes(routes!(routing::put_routes, routing::get_routes, routing::delete_routes))
        .routes(routes!(routing::route))
        .routes(routes!(calendars::schedule_token))
        .routes(routes!(calendars::schedule))
        .routes(routes!(calendars::person_token))
        .routes(routes!(calendars::person))
        .routes(routes!(outlook::plan))
        .routes(routes!(outlook::coverage))
        .routes(routes!(changes::list))
        .routes(routes!(channels::answer))
        .routes(routes!(channels::answer_part))
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
        .routes(routes!(opsgenie::status))
        .routes(routes!(heartbeats::put_heartbeat, heartbeats::get_heartbeat, heartbeats::delete_heartbeat))
        .routes(routes!(heartbeats::list_heartbeats))
        .routes(routes!(heartbeats::post_ping, heartbeats::get_ping))
        .routes(routes!(heartbeats::opsgenie_post, heartbeats::opsgenie_get));
    #[cfg(feature = "pages")]
    let routes = routes.merge(pages::claim_routes());
    routes
}

/// The routes for health and metrics, which must be answered even under overload.
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

/// All routes, with the limits around them.
pub fn router(api: Api) -> Router {
    let api = api.documented(document());
    let work = work();
    #[cfg(feature = "pages")]
    let work = work.merge(pages::routes(&api).into());
    let work = work.layer(from_fn_with_state(api.clone(), limits::bound));
    let (routes, _) = system().merge(work).split_for_parts();
    #[cfg(feature = "docs")]
    let routes = routes.merge(api_page::routes(&api));
    let routes = routes
        .fallback(limits::no_route)
        .method_not_allowed_fallback(limits::no_method)
        .layer(CatchPanicLayer::custom(limits::panicked))
        .layer(from_fn_with_state(api.clone(), limits::observe));
    #[cfg(feature = "pages")]
    let routes = routes.layer(from_fn_with_state(api.clone(), pages::told_as_page));
    routes.with_state(api)
}
