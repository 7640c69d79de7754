//! Wrong keys, wrong sessions and failed sign-ins: logged, counted, and answered late if an address sends many.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::address::Client;

/// The number of refusals a minute that are logged one by one, so that somebody who guesses keys cannot fill the log.
const TOLD: u64 = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// The number of wrong keys from an address that are answered at once, and the interval at which one more is allowed.
const BURST: u32 = 20;
const EVERY: Duration = Duration::from_secs(3);
/// The delay of the answer to a wrong key beyond that number.
const LATE: Duration = Duration::from_millis(500);

/// A callback for the moment when the answer to a request is known but held back. The server puts it into the request's
/// extensions.
///
/// A server with a limited number of connections may close such a connection before others.
#[derive(Clone)]
pub struct HeldBack(Arc<dyn Fn() + Send + Sync>);

impl HeldBack {
    /// Sets the function to call.
    pub fn new(told: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(crate) fn tell(&self) {
        (self.0)();
    }
}

impl fmt::Debug for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldBack(…)")
    }
}

/// Why a request was refused. The layers around the routes read it from the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request shows an unknown API key.
    WrongKey,
    /// A sign-in on the pages used an unknown API key, or one that lacks the respond permission.
    #[cfg(feature = "pages")]
    SignIn,
    /// The request shows an unknown session: a guessed one, or one that has ended.
    #[cfg(feature = "pages")]
    Session,
}

impl Refusal {
    /// The name of the reason in the metrics.
    const fn reason(self) -> &'static str {
        match self {
            Refusal::WrongKey => "wrong_key",
            #[cfg(feature = "pages")]
            Refusal::SignIn => "sign_in",
            #[cfg(feature = "pages")]
            Refusal::Session => "session",
        }
    }
}

/// All reasons in the metrics.
pub(crate) const REASONS: [&str; 3] = ["wrong_key", "sign_in", "session"];

/// The number of refusals logged recently, and the addresses with many refusals. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals {
    lately: Arc<Mutex<Lately>>,
    allowances: Arc<Allowances>,
}

#[derive(Debug, Default)]
struct Lately {
    since: Duration,
    count: u64,
    told: u64,
}

impl Refusals {
    /// Logs and counts a refusal, and returns how long its answer must wait; `now` is on the monotonic clock.
    ///
    /// A valid key never waits: a storm of wrong keys must not keep a monitoring system out, not even one that reaches
    /// the server through the same proxy.
    pub(crate) fn note(&self, refusal: Refusal, client: &Client, now: Duration) -> Option<Duration> {
        metrics::counter!("inresponse_requests_refused_total", "reason" => refusal.reason()).increment(1);
        // If no address is known, as in a function that answers one request at a time, clients cannot be distinguished.
        let late = client.address().filter(|address| self.allowances.is_used_up(*address, now)).map(|_| LATE);
        let (is_told, untold) = {
            // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
            let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
            let mut untold = 0;
            if now.saturating_sub(lately.since) >= MINUTE {
                untold = lately.count - lately.told;
                *lately = Lately { since: now, count: 0, told: 0 };
            }
            lately.count += 1;
            // An address with too many refusals is in the log already. The log must have room for others.
            let is_told = late.is_none() && lately.told < TOLD;
            lately.told += u64::from(is_told);
            (is_told, untold)
        };
        if untold > 0 {
            tracing::warn!(requests = untold, "further requests with wrong keys or sessions were refused");
        }
        if is_told {
            match refusal {
                Refusal::WrongKey => {
                    tracing::warn!(%client, "a request with an unknown API key was refused")
                }
                #[cfg(feature = "pages")]
                Refusal::SignIn => {
                    tracing::warn!(%client, "sign-in failed: unknown API key, or it lacks the respond permission")
                }
                #[cfg(feature = "pages")]
                Refusal::Session => {
                    tracing::warn!(%client, "a request with a session that is not known or has ended was refused")
                }
            }
        }
        late
    }
}

/// The number of wrong keys that each address may still send before its answers are late.
///
/// The table has a fixed size, and addresses are hashed into it. Two addresses that share a place share their wrong
/// keys; nobody outside can cause that.
#[derive(Debug)]
struct Allowances {
    hasher: RandomState,
    /// For each place: the time when its allowance is full again.
    whole_at: Mutex<Box<[Duration]>>,
}

impl Default for Allowances {
    fn default() -> Self {
        Self { hasher: RandomState::new(), whole_at: Mutex::new(vec![Duration::ZERO; Self::PLACES].into()) }
    }
}

impl Allowances {
    const PLACES: usize = 4096;

    /// Counts one more wrong key, and returns whether it is one too many.
    fn is_used_up(&self, address: IpAddr, now: Duration) -> bool {
        let place = self.hasher.hash_one(network(address)) % Self::PLACES as u64;
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = usize::try_from(place).ok().and_then(|place| whole_at.get_mut(place)) else {
            return false;
        };
        let next = (*at).max(now) + EVERY;
        let is_used_up = next > now + EVERY * BURST;
        if !is_used_up {
            *at = next;
        }
        is_used_up
    }
}

/// The network of one client: for IPv6, its /64 network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn p13_an_address_with_many_wrong_keys_is_slowed_and_no_other() {
        let (allowances, now) = (Allowances::default(), Duration::from_secs(1000));
        let used_up = |address: &str, now| allowances.is_used_up(ip(address), now);
        let at_once = (0..1000).filter(|_| !used_up("203.0.113.7", now)).count();
        assert_eq!(at_once, BURST as usize);
        assert!(!used_up("203.0.113.8", now));
        // The address may send one more at each interval, and all of them after a pause.
        assert!(used_up("203.0.113.7", now + EVERY - Duration::from_millis(1)));
        assert!(!used_up("203.0.113.7", now + EVERY));
        assert!(used_up("203.0.113.7", now + EVERY));
        let later = now + EVERY * (BURST + 1);
        let at_once = (0..1000).filter(|_| !used_up("203.0.113.7", later)).count();
        assert_eq!(at_once, BURST as usize);
    }

    #[test]
    fn p13_a_network_of_ipv6_is_one_client() {
        let (allowances, now) = (Allowances::default(), Duration::ZERO);
        let used_up = |address: &str| allowances.is_used_up(ip(address), now);
        let at_once = (0..1000).filter(|n| !used_up(&format!("2001:db8:1:2:{n:x}::{n:x}"))).count();
        assert_eq!(at_once, BURST as usize);
        assert!(!used_up("2001:db8:1:3::1"));
    }
}
