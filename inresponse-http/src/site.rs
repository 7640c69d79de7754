//! The address of the router, from the public URL or from where the router is nested.

use std::sync::Arc;

use inresponse_core::InvalidInput;
use tower_http::csrf::CsrfLayer;

/// The part of the public URL that the routes need.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// The prefix of every path: empty, or for example `/alerting`.
    pub(crate) prefix: Arc<str>,
    /// The origin that a browser sends with forms of the pages.
    pub(crate) origin: Option<Arc<str>>,
    pub(crate) transport: Transport,
}

/// The scheme of the pages' address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Https,
    Http,
}

impl Default for Site {
    /// The root of an https server.
    fn default() -> Self {
        Self { prefix: "".into(), origin: None, transport: Transport::Https }
    }
}

impl Site {
    /// The site at the URL by which people reach the router, such as `https://example.org/alerting`.
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
