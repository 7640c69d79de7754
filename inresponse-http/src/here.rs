//! The extractor `Here`: the API with the path prefix of the current request.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::Api;

/// The API with the path prefix of the current request, for handlers that return an address.
#[derive(Debug)]
pub(crate) struct Here(pub(crate) Api);

impl FromRequestParts<Api> for Here {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Infallible> {
        Ok(Self(api.nested_as(&parts.extensions)))
    }
}
