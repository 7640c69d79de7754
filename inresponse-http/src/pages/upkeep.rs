//! What the pages keep: who has signed in, streams, and counts that cost much.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::InvalidInput;
use inresponse_core::store::Census;
use tokio::sync::Mutex;

use super::sessions::Sessions;
use super::streams::Streams;
use crate::site::Site;

/// How many streams of events are open at once, unless another number is given.
const MAX_STREAMS: usize = 256;

/// The last count of all incidents, which costs the more the more there are, and when it was made.
pub(super) type LastCensus = Mutex<Option<(Duration, Census)>>;

/// The last number of teams with uncovered days, and when it was counted.
pub(super) type LastUncovered = Mutex<Option<(Duration, usize)>>;

/// How the pages keep up; and where they are, if the engine's claim links do not say it.
#[derive(Debug, Clone)]
pub struct Pages {
    site: Option<Site>,
    pub(super) streams: Streams,
    sessions: Arc<Sessions>,
    pub(super) census: Arc<LastCensus>,
    pub(super) uncovered: Arc<LastUncovered>,
}

impl Default for Pages {
    /// Where the engine's claim links lead; without any, at the root of an https server, or where the router is nested.
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
    /// Under the URL by which people reach the router, as in `https://example.org/alerting`: for an engine without claim
    /// links.
    ///
    /// # Errors
    /// It is not an http or https URL.
    pub fn under(public_url: &str) -> Result<Self, InvalidInput> {
        Ok(Self { site: Some(Site::under(public_url)?), ..Self::default() })
    }

    /// The same with at most that many concurrent streams of events. One key may have a quarter of them. More pages
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
