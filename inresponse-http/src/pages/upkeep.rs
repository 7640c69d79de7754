//! The shared state of the pages: sessions, streams, and cached counts.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::InvalidInput;
use inresponse_core::store::Census;
use tokio::sync::Mutex;

use super::sessions::Sessions;
use super::streams::Streams;
use crate::site::Site;

/// The default limit of open event streams.
const MAX_STREAMS: usize = 256;

/// The last count of all incidents, with the time of counting. Counting costs more the more incidents there are.
pub(super) type LastCensus = Mutex<Option<(Duration, Census)>>;

/// The last number of teams with uncovered days, and the time of counting.
pub(super) type LastUncovered = Mutex<Option<(Duration, usize)>>;

/// The shared state of the pages, and their address if the engine's claim links do not contain it.
#[derive(Debug, Clone)]
pub struct Pages {
    site: Option<Site>,
    pub(super) streams: Streams,
    sessions: Arc<Sessions>,
    pub(super) census: Arc<LastCensus>,
    pub(super) uncovered: Arc<LastUncovered>,
}

impl Default for Pages {
    /// The pages at the address of the engine's claim links. Without claim links, the pages are at the root of an https
    /// server, or where the router is nested.
    fn default() -> Self {
        Self {
            site: None,
            streams: Streams::new(MAX_STREAMS),
            sessions: Arc::default(),
            census: Arc::default(),
            uncovered: Arc::default(),
        }
    }
}

impl Pages {
    /// Sets the URL by which people reach the router, such as `https://example.org/alerting`. Needed if the engine
    /// makes no claim links.
    ///
    /// # Errors
    /// The text is not an http or https URL.
    pub fn under(public_url: &str) -> Result<Self, InvalidInput> {
        Ok(Self { site: Some(Site::under(public_url)?), ..Self::default() })
    }

    /// Limits the number of concurrent event streams. One key may have a quarter of the streams. Pages without a stream
    /// poll every few seconds instead.
    ///
    /// Use 0 if you pay for the duration of requests.
    #[must_use]
    pub fn streams(mut self, most: usize) -> Self {
        self.streams = Streams::new(most);
        self
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(crate) fn take_site(&mut self) -> Option<Site> {
        self.site.take()
    }
}
