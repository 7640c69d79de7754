//! Puts the engine's parts together.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::advance::Advance;
#[cfg(feature = "runner")]
use super::bundles::Bundles;
use super::clocks::Clocks;
use super::deliver::Sender;
use super::driven::Driven;
use super::edits::{Edits, UnverifiedPhones};
use super::in_flight::InFlight;
use super::judge_again::JudgeAgain;
use super::known_rules::KnownRules;
use super::lease::Leases;
use super::leased::LeaseLength;
use super::links::Links;
use super::lookup::Lookup;
use super::renew::Renewals;
#[cfg(feature = "runner")]
use super::repair::Repair;
use super::reports::Reports;
#[cfg(feature = "runner")]
use super::run::Runner;
use super::slots::{SINGLES_PER_MINUTE, SLOTS, Slots};
use super::swap::Swap;
use super::sweep::Sweeper;
use super::timers::{Alarm, Timers};
use super::unsent::Unsent;
use super::waiting::Waiting;
use super::wake::Wake;
use super::{Engine, Parts};
use crate::claim::TokenSecret;
use crate::clock::Clock;
use crate::error::InvalidInput;
use crate::model::{StatusUpdates, TeamName};
use crate::notify::Notifiers;
use crate::roster::{Defaults, Roster};
use crate::store::Store;

/// The maximum time by which leases of a process are longer than configured.
const LONGEST_MARK: Duration = Duration::from_micros(999);

/// Collects what an [`Engine`] is made of.
#[derive(Debug)]
pub struct EngineBuilder {
    store: Arc<dyn Store>,
    roster: Arc<dyn Roster>,
    notifiers: Notifiers,
    clock: Arc<dyn Clock>,
    length: LeaseLength,
    defaults: Defaults,
    catch_all: Option<TeamName>,
    links: Links,
    alarm: Alarm,
    status_updates: StatusUpdates,
    unverified_phones: UnverifiedPhones,
    keep_resolved: Option<Duration>,
    sends_at_once: usize,
    singles_per_minute: u32,
}

impl Engine {
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
            length: LeaseLength { plain: Self::DEFAULT_LEASE, mark: random_mark() },
            defaults: Defaults::none(),
            catch_all: None,
            links: Links::default(),
            alarm: Alarm::default(),
            status_updates: StatusUpdates::Off,
            unverified_phones: UnverifiedPhones::Allowed,
            keep_resolved: None,
            sends_at_once: SLOTS,
            singles_per_minute: SINGLES_PER_MINUTE,
        }
    }
}

impl EngineBuilder {
    /// How soon another process takes over what this one was sending when it died.
    ///
    /// Bounded to [`Engine::MIN_LEASE`] and [`Engine::MAX_LEASE`]. A send that takes longer renews its lease:
    /// [`Engine::send_deadline`].
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.length.plain = lease.clamp(Engine::MIN_LEASE, Engine::MAX_LEASE);
        self
    }

    /// Added to the length of this process's leases, so that they differ from leases that another process takes in the
    /// same microsecond (default: random, and less than a millisecond).
    ///
    /// Set it if a run must be repeatable. Two processes that share a store must not have the same value.
    #[must_use]
    pub fn lease_mark(mut self, mark: Duration) -> Self {
        self.length.mark = mark.min(LONGEST_MARK);
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
        self.links = Links::under(base_url, secrets);
        Ok(self)
    }

    /// Who starts timers, for an engine that nobody [`run`](Engine::run)s.
    #[must_use]
    pub fn timers(mut self, timers: impl Timers) -> Self {
        self.alarm = Alarm::by(Arc::new(timers));
        self
    }

    /// Whether people who were alerted get status updates about claims and resolutions (default: no).
    #[must_use]
    pub fn status_updates(mut self, status_updates: StatusUpdates) -> Self {
        self.status_updates = status_updates;
        self
    }

    /// Whether people's rules may use phone numbers that they have not verified (default: yes).
    ///
    /// If not, an edit by which a rule begins to use such a number is refused. What the roster has already stays, and is a
    /// finding of the coverage check: this setting takes no way to reach somebody away.
    #[must_use]
    pub fn unverified_phones(mut self, phones: UnverifiedPhones) -> Self {
        self.unverified_phones = phones;
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

    /// How many single alerts a contact gets in a minute before the others go out together (promise 23; default: 5). 0 never
    /// bundles.
    ///
    /// Counted by each process, and only while an engine [runs](Engine::run). Only contacts whose notifier sends
    /// [bundles](crate::notify::Notifier::bundler) wait; to others each alert goes out on its own.
    #[must_use]
    pub fn singles_per_minute(mut self, singles: u32) -> Self {
        self.singles_per_minute = singles.min(Self::MOST_SINGLES);
        self
    }

    /// The maximum of [`singles_per_minute`](Self::singles_per_minute).
    pub const MOST_SINGLES: u32 = 1_000;

    /// The engine.
    pub fn build(self) -> Engine {
        let Self { store, roster, notifiers, clock, length, defaults, catch_all, .. } = self;
        let Self { links, alarm, status_updates, keep_resolved, unverified_phones, .. } = self;
        let Self { sends_at_once, singles_per_minute, .. } = self;
        let lease = length.plain;
        let slots =
            Slots::new(sends_at_once, Arc::clone(&clock)).paced(singles_per_minute, notifiers.clone());
        let slots = Arc::new(slots);
        let clocks = Arc::new(Clocks::new(clock));
        let (wake, waiting, links) = (Arc::new(Wake::new()), Arc::new(Waiting::default()), Arc::new(links));
        let stopping = Arc::new(AtomicBool::new(false));
        let driven = Arc::new(Driven::default());
        let lookup = Arc::new(Lookup {
            roster: Arc::clone(&roster),
            clocks: Arc::clone(&clocks),
            defaults,
            catch_all,
            status_updates,
            rules: KnownRules::default(),
        });
        let swap = Arc::new(Swap {
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            lookup: Arc::clone(&lookup),
            unsent: Unsent::default(),
            wake: Arc::clone(&wake),
            alarm: alarm.clone(),
            keep_resolved,
        });
        let leases = Arc::new(Leases {
            swap: Arc::clone(&swap),
            lookup: Arc::clone(&lookup),
            clocks: Arc::clone(&clocks),
            slots: Arc::clone(&slots),
            waiting: Arc::clone(&waiting),
            wake: Arc::clone(&wake),
            links: Arc::clone(&links),
            length,
            in_flight: InFlight::default(),
            left_to_newer: AtomicBool::new(false),
        });
        let reports = Reports {
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            lookup: Arc::clone(&lookup),
            slots: Arc::clone(&slots),
            leases: Arc::clone(&leases),
            wake: Arc::clone(&wake),
            waiting,
            swap: Arc::clone(&swap),
            alarm: alarm.clone(),
            driven: Arc::clone(&driven),
            length,
        };
        let renewals = Renewals {
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            swap: Arc::clone(&swap),
            length,
            stopping: Arc::clone(&stopping),
        };
        let sender = Arc::new(Sender {
            notifiers: notifiers.clone(),
            renewals,
            swap: Arc::clone(&swap),
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            wake: Arc::clone(&wake),
            lease,
        });
        let advance = Arc::new(Advance {
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            leases: Arc::clone(&leases),
            sender: Arc::clone(&sender),
            swap: Arc::clone(&swap),
            lease,
        });
        let judge_again = || JudgeAgain {
            store: Arc::clone(&store),
            #[cfg(feature = "runner")]
            clocks: Arc::clone(&clocks),
            lookup: Arc::clone(&lookup),
            swap: Arc::clone(&swap),
            #[cfg(feature = "runner")]
            looked: std::sync::Mutex::default(),
        };
        let sweeper = Sweeper {
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            swap: Arc::clone(&swap),
            alarm,
            advance: Arc::clone(&advance),
            judge_again: judge_again(),
            lease,
        };
        #[cfg(feature = "runner")]
        let runner = Runner {
            store: Arc::clone(&store),
            clocks: Arc::clone(&clocks),
            judge_again: Arc::new(judge_again()),
            wake: Arc::clone(&wake),
            bundles: Arc::new(Bundles {
                store: Arc::clone(&store),
                clocks: Arc::clone(&clocks),
                wake: Arc::clone(&wake),
                slots: Arc::clone(&slots),
                leases: Arc::clone(&leases),
                sender: Arc::clone(&sender),
                links: Arc::clone(&links),
            }),
            slots,
            leases,
            sender,
            repair: Repair {
                store: Arc::clone(&store),
                clocks: Arc::clone(&clocks),
                swap: Arc::clone(&swap),
                lease,
            },
            stopping,
            lease,
        };
        let edits = Edits {
            wake,
            unverified_phones,
            roster: Arc::clone(&roster),
            clocks: Arc::clone(&clocks),
            lookup: Arc::clone(&lookup),
        };
        let parts = Parts {
            store,
            roster,
            notifiers,
            clocks,
            links,
            lookup,
            edits,
            reports,
            swap,
            advance,
            sweeper,
            driven,
            #[cfg(feature = "runner")]
            runner,
            lease,
        };
        Engine { parts: Arc::new(parts) }
    }
}

/// A mark that another process has once in a thousand times.
fn random_mark() -> Duration {
    let random = RandomState::new().hash_one(0_u8);
    Duration::from_micros(random % 1_000)
}
