//! The page at `/docs`, where people browse the API document and try calls.

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::Api;
use crate::caller::Caller;
use crate::here::Here;
#[cfg(feature = "pages")]
use crate::pages::session::SignedIn;
#[cfg(feature = "pages")]
use crate::problem::Problem;
#[cfg(feature = "pages")]
use crate::refusals::Refusal;

/// The content security policy of the viewer. The viewer adds inline styles to its page; all its files come from this
/// server.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The routes of the viewer. All users get the same viewer. The viewer has its own copy of the document, which needs a
/// key or a session: a viewer that was just opened has no key.
pub(crate) fn routes(api: &Api) -> Router<Api> {
    // Found from the viewer's own page, wherever that is.
    let viewer = SwaggerUi::new("/docs").config(Config::new(["openapi.json"]));
    let viewer = Router::from(viewer).layer(from_fn_with_state(api.clone(), under_prefix));
    #[cfg(feature = "pages")]
    let viewer = viewer.layer(from_fn_with_state(api.clone(), signed_in));
    viewer
        .route("/docs/openapi.json", get(document))
        .layer(SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, POLICY))
}

#[cfg(feature = "pages")]
async fn document(
    Here(api): Here,
    key: Result<Caller, Problem>,
    signed_in: Result<SignedIn, Response>,
) -> Result<Response, Problem> {
    match (key, signed_in) {
        (Err(problem), Err(elsewhere)) => Err(match elsewhere.extensions().get::<Refusal>() {
            Some(refusal) => problem.refused(*refusal),
            None => problem,
        }),
        (Ok(_), _) | (_, Ok(_)) => Ok(shown(&api)),
    }
}

#[cfg(not(feature = "pages"))]
async fn document(Here(api): Here, _: Caller) -> Response {
    shown(&api)
}

fn shown(api: &Api) -> Response {
    ([(CONTENT_TYPE, "application/json")], api.document()).into_response()
}

/// Redirects a visitor without a key and without a session to the sign-in page.
#[cfg(feature = "pages")]
async fn signed_in(
    key: Result<Caller, Problem>,
    signed_in: Result<SignedIn, Response>,
    request: Request,
    next: Next,
) -> Response {
    let is_page =
        matches!(request.uri().path().trim_end_matches('/').rsplit('/').next(), Some("docs" | "index.html"));
    match signed_in {
        Err(elsewhere) if is_page && key.is_err() => elsewhere,
        Ok(_) | Err(_) => next.run(request).await,
    }
}

/// Adds the path prefix to the viewer's redirect from `/docs` to `/docs/`, because the viewer does not know the prefix.
async fn under_prefix(Here(api): Here, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let leads = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    let leads = leads.filter(|to| to.starts_with("/docs"));
    if let Some(to) = leads.and_then(|to| HeaderValue::from_str(&format!("{}{to}", api.prefix())).ok()) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}
