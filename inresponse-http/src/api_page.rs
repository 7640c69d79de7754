//! The API document, to be browsed and tried at `/docs`.

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
use crate::site::Here;

/// The viewer styles its page itself; everything comes from here.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The viewer with its own copy of the document, which is the same for everybody and needs no key. What is tried there
/// does.
pub(crate) fn routes(api: &Api) -> Router<Api> {
    // Found from the viewer's own page, wherever that is.
    let viewer = SwaggerUi::new("/docs").config(Config::new(["openapi.json"]));
    Router::from(viewer)
        .layer(from_fn_with_state(api.clone(), under_prefix))
        .route("/docs/openapi.json", get(document))
        .layer(SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, POLICY))
}

async fn document(Here(api): Here) -> Response {
    ([(CONTENT_TYPE, "application/json")], api.document()).into_response()
}

/// The viewer leads from `/docs` to `/docs/`, and knows of no prefix.
async fn under_prefix(Here(api): Here, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let leads = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
    let leads = leads.filter(|to| to.starts_with("/docs"));
    if let Some(to) = leads.and_then(|to| HeaderValue::from_str(&format!("{}{to}", api.prefix())).ok()) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}
