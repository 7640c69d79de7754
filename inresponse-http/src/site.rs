//! Where people and programs find the router: said once, by the public URL or by where the router is nested.

use std::sync::Arc;

use axum::extract::{FromRequestParts, NestedPath};
use axum::http::Extensions;
use axum::http::request::Parts;
use inresponse_core::InvalidInput;
use std::convert::Infallible;
use tower_http::csrf::CsrfLayer;

use crate::Api;

/// What of the public URL the routes need.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// What stands before every path: empty, or as in `/alerting`.
    pub(crate) prefix: Arc<str>,
    /// What a browser names as the origin of what is sent from the pages.
    pub(crate) origin: Option<Arc<str>>,
    pub(crate) transport: Transport,
}

/// What the pages are sent over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Https,
    Http,
}

impl Default for Site {
    /// At the root of an https server.
    fn default() -> Self {
        Self { prefix: "".into(), origin: None, transport: Transport::Https }
    }
}

impl Site {
    /// Under the URL by which people reach the router, as in `https://example.org/alerting`.
    pub(crate) fn under(public_url: &str) -> Result<Self, InvalidInput> {
        let refused = || InvalidInput::field("public-url", "must be an http or https URL");
        let url: axum::http::Uri = public_url.trim().parse().map_err(|_| refused())?;
        let transport = match url.scheme_str() {
            Some("https") => Transport::Https,
            Some("http") => Transport::Http,
            Some(_) | None => return Err(refused()),
        };
        let (scheme, authority) =
            (url.scheme_str().unwrap_or_default(), url.authority().ok_or_else(refused)?);
        let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
        // A browser leaves the usual port out.
        let usual = if transport == Transport::Https { ":443" } else { ":80" };
        let origin = origin.strip_suffix(usual).unwrap_or(&origin).to_owned();
        let _tried = CsrfLayer::new().add_trusted_origin(&origin).map_err(|_| refused())?;
        Ok(Self { prefix: url.path().trim_end_matches('/').into(), origin: Some(origin.into()), transport })
    }
}

impl Api {
    /// What stands before every path, as people and programs see it: the path of the public URL, if it has one, since a
    /// proxy may take it away before the request comes here; otherwise where the router is nested.
    pub(crate) fn prefix(&self) -> &str {
        match &*self.inner.site.prefix {
            "" => self.nested_at.as_deref().unwrap_or_default(),
            prefix => prefix,
        }
    }

    /// Whether the public URL says that people come by https.
    pub(crate) fn is_at_https(&self) -> bool {
        self.inner.site.transport == Transport::Https && self.inner.site.origin.is_some()
    }

    /// The same API as a request meets it that came through a router in which it is nested.
    pub(crate) fn nested_as(&self, extensions: &Extensions) -> Self {
        let nested_at = extensions.get::<NestedPath>().map(|path| path.as_str().trim_end_matches('/').into());
        Self { nested_at, ..self.clone() }
    }
}

/// The API as a request meets it; for all that answers with an address.
#[derive(Debug)]
pub(crate) struct Here(pub(crate) Api);

impl FromRequestParts<Api> for Here {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Infallible> {
        Ok(Self(api.nested_as(&parts.extensions)))
    }
}
