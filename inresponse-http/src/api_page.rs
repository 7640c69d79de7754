//! The API document, to be browsed and tried at `/docs`.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa_swagger_ui::SwaggerUi;

use crate::Api;

/// The viewer styles its page itself; everything comes from here.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The viewer with its own copy of the document, which is the same for everybody and needs no key. What is tried there
/// does.
pub(crate) fn routes() -> Router<Api> {
    let document: serde_json::Value =
        serde_json::from_str(&crate::document()).expect("the document is written as JSON");
    let viewer = SwaggerUi::new("/docs").external_url_unchecked("/docs/openapi.json", document);
    Router::from(viewer).layer(SetResponseHeaderLayer::overriding(CONTENT_SECURITY_POLICY, POLICY))
}
