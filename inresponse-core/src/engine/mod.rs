//! The engine: executes what the planner decides.
//!
//! | file | does |
//! |---|---|
//! | `intake` | takes reports, answers questions |
//! | `update` | takes what people do to an incident |
//! | `lookup` | asks the roster who is on call |
//! | `edits` | changes the roster |
//! | `coverage` | says what is missing in the roster |
//! | `dry_run` | says what a report would lead to |
//! | `handover` | asks the roster whether it knows the receiver of a hand-over |
//! | `swap` | changes a record by compare-and-swap |
//! | `lease` | commits what is due, and with it the right to send |
//! | `deliver` | makes one attempt and records its outcome |
//! | `renew` | renews the lease of a long send |
//! | `unsent` | leases that were not used because the result of their commit is unknown |
//! | `bounce` | handles a carrier's later report on an alert that it had accepted |
//! | `advance` | advances one incident, or all due incidents, until nothing is due |
//! | `run` | does that forever (feature `runner`) |
//! | `slots` | limits concurrent sends: in all, to one remote server, to one contact |
//! | `waiting` | the levels that wait for a slot |
//! | `timers` | keeps the time of incidents if there is no runner |
//! | `wake` | wakes the runner when an incident becomes due |
//! | `ahead` | whether the clock was ahead at a decision |
//! | `trouble` | warns the operator |
//! | `backlog` | remembers due incidents and alerts that wait for a slot, the most urgent first |

mod advance;
mod ahead;
#[cfg(feature = "runner")]
mod backlog;
mod bounce;
mod coverage;
mod deliver;
mod dry_run;
mod edits;
mod handover;
mod intake;
mod lease;
mod lookup;
mod renew;
#[cfg(feature = "runner")]
mod run;
mod slots;
mod swap;
mod timers;
#[cfg(feature = "runner")]
mod trouble;
mod unsent;
mod update;
mod waiting;
mod wake;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use advance::Advanced;
pub use bounce::Bounced;
pub use dry_run::DryStep;
pub use edits::RosterEdited;
pub use handover::Receiver;
pub use intake::Reported;
pub use lookup::{DAYS_AHEAD, OnCall};
pub use slots::{SENDS_PER_CONTACT, SENDS_PER_NEW_CONTACT};
pub use timers::{Swept, Timers};
pub use update::Updated;

use crate::claim::{ClaimToken, TokenError, TokenSecret};
use crate::clock::Clock;
use crate::error::InvalidInput;
use crate::model::{Contact, IncidentNumber, News, TeamName};
use crate::notify::Notifiers;
use crate::roster::{Defaults, Roster};
use crate::store::Store;

/// An alert that waits longer than this for acceptance shows in health check, metrics and log.
pub const WAITING_TOO_LONG: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// By how much leases of a process are longer at most.
const LONGEST_MARK: Duration = Duration::from_micros(999);

/// Incident alerting and escalation over a store, a roster, notifiers and a clock.
///
/// Cheap to clone; clones share one engine. Its promises hold for any number of engines on one store.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    roster: Arc<dyn Roster>,
    notifiers: Notifiers,
    clock: Arc<dyn Clock>,
    lease: Duration,
    lease_mark: Duration,
    defaults: Defaults,
    catch_all: Option<TeamName>,
    claim_links: Option<ClaimLinks>,
    slots: slots::Slots,
    waiting: waiting::Waiting,
    in_flight: lease::InFlight,
    unsent: unsent::Unsent,
    stopping: AtomicBool,
    wake: wake::Wake,
    timers: Option<Arc<dyn Timers>>,
    news: News,
    keep_resolved: Option<Duration>,
    ahead: ahead::Ahead,
    /// Whether it was said that incidents in a newer format are left to others.
    left_to_newer: AtomicBool,
}

/// How links are made by which a recipient can claim.
#[derive(Debug, Clone)]
struct ClaimLinks {
    base_url: String,
    secrets: Vec<TokenSecret>,
}

/// Collects what an [`Engine`] is made of.
#[derive(Debug)]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    roster: Arc<dyn Roster>,
    notifiers: Notifiers,
    clock: Arc<dyn Clock>,
    lease: Duration,
    lease_mark: Duration,
    defaults: Defaults,
    catch_all: Option<TeamName>,
    claim_links: Option<ClaimLinks>,
    timers: Option<Arc<dyn Timers>>,
    news: News,
    keep_resolved: Option<Duration>,
    sends_at_once: usize,
}

impl Engine {
    /// The lease unless another is given.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(30);
    /// The shortest lease.
    pub const MIN_LEASE: Duration = Duration::from_secs(2);
    /// The longest lease.
    pub const MAX_LEASE: Duration = Duration::from_secs(3600);

    /// Begins an engine over these parts.
    pub fn builder(
        store: impl Store,
        roster: impl Roster,
        notifiers: Notifiers,
        clock: impl Clock,
    ) -> EngineBuilder {
        EngineBuilder {
            store: Arc::new(store),
            roster: Arc::new(roster),
            notifiers,
            clock: Arc::new(clock),
            lease: Self::DEFAULT_LEASE,
            lease_mark: random_mark(),
            defaults: Defaults::none(),
            catch_all: None,
            claim_links: None,
            timers: None,
            news: News::Kept,
            keep_resolved: None,
            sends_at_once: slots::SLOTS,
        }
    }

    /// The roster, to read and to change.
    pub fn roster(&self) -> &dyn Roster {
        &*self.inner.roster
    }

    /// The time by the engine's clock.
    pub fn now(&self) -> DateTime<Utc> {
        let now = crate::clock::to_micros(self.inner.clock.now());
        self.inner.ahead.note(now, self.inner.clock.monotonic());
        now
    }

    /// The URL that claim links begin with, if there are any: where people reach the API and its pages.
    pub fn public_url(&self) -> Option<&str> {
        self.inner.claim_links.as_ref().map(|links| links.base_url.as_str())
    }

    /// The clock itself.
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// Whether there is a notifier for the contact, which can try to reach it.
    pub fn can_reach(&self, contact: &Contact) -> bool {
        self.inner.notifiers.reach(contact)
    }

    /// Reads the token of a claim link for `incident`.
    ///
    /// # Errors
    /// The token is invalid, as every token is if no claim links were configured.
    pub fn verify_claim(&self, incident: IncidentNumber, token: &str) -> Result<ClaimToken, TokenError> {
        let secrets = self.inner.claim_links.as_ref().map_or(&[][..], |links| &links.secrets);
        ClaimToken::verify(token, incident, secrets, self.now())
    }

    fn claim_url(&self, incident: IncidentNumber, contact: &Contact) -> Option<String> {
        let links = self.inner.claim_links.as_ref()?;
        let token = ClaimToken::new(incident, contact.clone(), self.now()).sign(links.secrets.first()?);
        Some(format!("{}/incidents/{incident}/claim?token={token}", links.base_url))
    }

    fn board_url(&self, incident: IncidentNumber) -> Option<String> {
        let links = self.inner.claim_links.as_ref()?;
        Some(format!("{}/board/incidents/{incident}", links.base_url))
    }

    /// How long leases last that are taken now.
    fn marked_lease(&self) -> Duration {
        self.inner.lease + self.inner.lease_mark
    }

    /// How long one attempt to send may take, with leases of that length: four leases.
    ///
    /// A send that takes longer than a third of its lease renews it, so that a slow carrier repeats nothing and a
    /// process that dies is taken over within one lease anyway. Mail servers may take minutes: RFC 5321, 4.5.3.2.
    pub const fn send_deadline(lease: Duration) -> Duration {
        lease.saturating_mul(4)
    }
}

/// A mark that another process has once in a thousand times.
fn random_mark() -> Duration {
    let random = RandomState::new().hash_one(0_u8);
    Duration::from_micros(random % 1_000)
}

impl EngineBuilder {
    /// How soon another process takes over what this one was sending when it died.
    ///
    /// Bounded to [`Engine::MIN_LEASE`] and [`Engine::MAX_LEASE`]. A send that takes longer renews its lease:
    /// [`Engine::send_deadline`].
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.clamp(Engine::MIN_LEASE, Engine::MAX_LEASE);
        self
    }

    /// Added to the length of this process's leases, so that they differ from leases that another process takes in the
    /// same microsecond (default: random, and less than a millisecond).
    ///
    /// Set it if a run must be repeatable. Two processes that share a store must not have the same value.
    #[must_use]
    pub fn lease_mark(mut self, mark: Duration) -> Self {
        self.lease_mark = mark.min(LONGEST_MARK);
        self
    }

    /// The settings of a team that is known only from its calendar.
    #[must_use]
    pub fn defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// The team that owns every service nobody else owns.
    #[must_use]
    pub fn catch_all(mut self, team: TeamName) -> Self {
        self.catch_all = Some(team);
        self
    }

    /// Adds claim links and links to the incident's page, under `base_url`. The first secret signs; tokens of all
    /// secrets are valid.
    ///
    /// # Errors
    /// `base_url` is not an http or https URL.
    pub fn claim_links(mut self, base_url: &str, secrets: Vec<TokenSecret>) -> Result<Self, InvalidInput> {
        let base_url = base_url.trim().trim_end_matches('/').to_owned();
        if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
            return Err(InvalidInput::field("public-url", "must begin with http:// or https://"));
        }
        self.claim_links = Some(ClaimLinks { base_url, secrets });
        Ok(self)
    }

    /// Who starts timers, for an engine that nobody [`run`](Engine::run)s.
    #[must_use]
    pub fn timers(mut self, timers: impl Timers) -> Self {
        self.timers = Some(Arc::new(timers));
        self
    }

    /// Whether people who were alerted get status updates about claims and resolutions (default: no).
    #[must_use]
    pub fn news(mut self, news: News) -> Self {
        self.news = news;
        self
    }

    /// How long an incident is kept after it was resolved, if the store deletes expired incidents (default: forever).
    #[must_use]
    pub fn keep_resolved(mut self, keep: Duration) -> Self {
        self.keep_resolved = Some(keep);
        self
    }

    /// How many sends are under way at once at most: from 16 to 512 (default: 512).
    ///
    /// Each may take a connection, so a process with few file descriptors should have fewer.
    #[must_use]
    pub fn sends_at_once(mut self, most: usize) -> Self {
        self.sends_at_once = most;
        self
    }

    /// The engine.
    pub fn build(self) -> Engine {
        let slots = slots::Slots::new(self.sends_at_once, Arc::clone(&self.clock));
        let inner = Inner {
            store: self.store,
            roster: self.roster,
            notifiers: self.notifiers,
            clock: self.clock,
            lease: self.lease,
            lease_mark: self.lease_mark,
            defaults: self.defaults,
            catch_all: self.catch_all,
            claim_links: self.claim_links,
            slots,
            waiting: waiting::Waiting::default(),
            in_flight: lease::InFlight::default(),
            unsent: unsent::Unsent::default(),
            stopping: AtomicBool::new(false),
            wake: wake::Wake::new(),
            timers: self.timers,
            news: self.news,
            keep_resolved: self.keep_resolved,
            ahead: ahead::Ahead::default(),
            left_to_newer: AtomicBool::new(false),
        };
        Engine { inner: Arc::new(inner) }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.inner.store)
            .field("roster", &self.inner.roster)
            .field("lease", &self.inner.lease)
            .finish_non_exhaustive()
    }
}
