//! Who was refused for want of a key, as the log tells it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderName;

/// How many refusals of a minute are told one by one: somebody who tries keys must not fill the log.
const TOLD: u64 = 20;
const MINUTE: Duration = Duration::from_secs(60);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Why it was refused; travels with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request shows a key that is not known.
    WrongKey,
    /// The form of the pages came with a key that is not known, or may not respond.
    #[cfg(feature = "pages")]
    SignIn,
}

/// Who sent a request, as far as that is known.
#[derive(Debug)]
pub(crate) struct Client {
    address: Option<IpAddr>,
    /// What proxies say, or somebody who would like to be taken for another.
    forwarded_for: Option<String>,
}

impl Client {
    /// The most bytes of a header that are told.
    const MAX_BYTES: usize = 200;

    pub(crate) fn of(request: &Request) -> Self {
        let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let given = request.headers().get(FORWARDED_FOR).and_then(|value| value.to_str().ok());
        let is_sane = |text: &&str| {
            text.len() <= Self::MAX_BYTES && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
        };
        Self { address, forwarded_for: given.filter(is_sane).map(str::to_owned) }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "{address}")?,
            None => f.write_str("unknown")?,
        }
        match &self.forwarded_for {
            Some(given) => write!(f, " (forwarded for {given})"),
            None => Ok(()),
        }
    }
}

/// How many refusals were told lately.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    lately: Arc<Mutex<Lately>>,
}

#[derive(Debug, Default)]
struct Lately {
    since: Duration,
    count: u64,
}

impl Refusals {
    /// Tells one, unless very many were told within a minute.
    pub(crate) fn tell(&self, refusal: Refusal, client: &Client, monotonic: Duration) {
        let (count, untold) = {
            // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
            let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
            let mut untold = 0;
            if monotonic.saturating_sub(lately.since) >= MINUTE {
                untold = lately.count.saturating_sub(TOLD);
                *lately = Lately { since: monotonic, count: 0 };
            }
            lately.count += 1;
            (lately.count, untold)
        };
        if untold > 0 {
            tracing::warn!(requests = untold, "further requests with wrong keys were refused");
        }
        if count > TOLD {
            return;
        }
        match refusal {
            Refusal::WrongKey => {
                tracing::warn!(%client, "a request with a key that is not known was refused")
            }
            #[cfg(feature = "pages")]
            Refusal::SignIn => {
                tracing::warn!(%client, "signing in failed: the key is not known or may not respond")
            }
        }
    }
}
