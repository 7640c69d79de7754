//! Limits concurrent sends: in total, to one remote server, and to one contact.
//!
//! A hanging recipient keeps its sends in flight. So sends that have been in flight for a while are counted separately,
//! and a contact that answers promptly still gets a slot (promise 13):
//!
//! | share of all slots for | at most |
//! |---|---|
//! | sends that began within the last second | a half |
//! | sends to contacts whose server is slow to answer | 7/8; for hanging contacts a half |
//! | sends to one remote server (a mail domain, a web host) | a half; for contacts that have not answered promptly a third |
//! | for one remote server: sends that began within the last second, and sends to hanging contacts | an eighth each |
//! | status updates | a quarter; an eighth for one remote server |
//!
//! If a notifier sends bundles, its contacts get only a few single alerts a minute (promise 23): `pace`.

#[cfg_attr(not(feature = "runner"), allow(dead_code, reason = "only a runner sends bundles"))]
mod pace;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::model::{Contact, Incident, Purpose, Severity, State};
use crate::notify::{Notifier, Notifiers};

use pace::Pace;
pub(super) use pace::{Blamed, Crowd, MOST, SINGLES_PER_MINUTE, Turn};
#[cfg(feature = "runner")]
pub(super) use pace::{Fate, Filled};

/// The default limit of concurrent sends of an engine.
pub(super) const SLOTS: usize = 512;
/// The minimum of the limit.
const FEWEST: usize = 16;
/// The maximum number of concurrent sends of a process to one contact that answers promptly.
pub const SENDS_PER_CONTACT: usize = 12;
/// The maximum number of concurrent sends to one contact that has not answered yet, or did not answer promptly the last
/// time.
pub const SENDS_PER_NEW_CONTACT: usize = 3;
/// The time limit of a prompt answer. A send that has taken longer is a hanging one.
pub(super) const PROMPT: Duration = Duration::from_secs(1);
/// The number of contacts for which their last answer is remembered.
const REMEMBERED: usize = 16_384;

/// The order of waiting sends: the worst severity first, status updates last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    StatusUpdate,
    Alert(Severity),
}

impl Urgency {
    pub(super) fn of(incident: &Incident) -> Self {
        match incident.state() {
            State::Open => Self::Alert(incident.severity()),
            State::Claimed | State::Resolved => Self::StatusUpdate,
        }
    }

    /// The urgency of one delivery of an incident.
    pub(super) fn of_delivery(incident: &Incident, purpose: Purpose) -> Self {
        if purpose.is_status_update() { Self::StatusUpdate } else { Self::of(incident) }
    }
}

/// How a send goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ride {
    /// On its own, however much its contact got lately.
    Single,
    /// On its own, if its contact may have one more single alert now.
    Paced,
    /// Together with others, in a bundle.
    #[cfg_attr(not(feature = "runner"), allow(dead_code, reason = "only a runner sends bundles"))]
    Together,
}

/// The free sending slots. A slot is taken before the lease, so that a lease never waits for one.
#[derive(Debug)]
pub(super) struct Slots {
    clock: Arc<dyn Clock>,
    /// The number of single alerts to one contact in a minute; 0 if nothing is ever bundled.
    #[cfg_attr(not(feature = "runner"), allow(dead_code, reason = "only a runner sends bundles"))]
    singles: u32,
    notifiers: Notifiers,
    taken: Arc<Mutex<Taken>>,
}

/// A sending slot. Dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Slot {
    clock: Arc<dyn Clock>,
    taken: Arc<Mutex<Taken>>,
    contact: Contact,
    urgency: Urgency,
    ride: Ride,
    /// When the slot was taken, by the monotonic clock, and the slot's id.
    began: (Duration, u64),
    /// How long the send took, if there was a send.
    took: Option<Duration>,
}

#[derive(Debug)]
struct Taken {
    most: usize,
    /// The number of single alerts to one contact in a minute; 0 while nothing is bundled.
    singles: u32,
    all: Sum,
    by_remote: HashMap<String, Sum>,
    by_contact: HashMap<Contact, OfContact>,
    /// The sends that began within the last second, the oldest first.
    fresh: VecDeque<Fresh>,
    next: u64,
}

#[derive(Debug)]
struct Fresh {
    began: (Duration, u64),
    contact: Contact,
}

/// The number of slots that are taken.
#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    fresh: usize,
    slow: usize,
    updates: usize,
}

#[derive(Debug, Default)]
struct OfContact {
    taken: Sum,
    last: Answer,
    pace: Pace,
}

/// How a contact answered the last time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Answer {
    #[default]
    None,
    Prompt,
    Slow,
}

/// Whether a slot is free, and if not, which limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Room {
    Free,
    /// No slot is free for this contact, or for status updates; others may get one.
    NotForThis,
    /// The limit of the remote server is reached.
    RemoteIsFull,
    /// All slots that this contact may use are taken.
    AllIsFull,
    /// All slots are taken.
    NoneLeft,
}

impl Slots {
    /// A set of that many slots, with the limits above. Nothing is bundled.
    pub(super) fn new(most: usize, clock: Arc<dyn Clock>) -> Self {
        let taken = Taken {
            most: most.clamp(FEWEST, SLOTS),
            singles: 0,
            all: Sum::default(),
            by_remote: HashMap::new(),
            by_contact: HashMap::new(),
            fresh: VecDeque::new(),
            next: 0,
        };
        Self { clock, singles: 0, notifiers: Notifiers::new(), taken: Arc::new(Mutex::new(taken)) }
    }

    /// Sets how many single alerts in a minute a contact gets whose notifier sends bundles.
    pub(super) fn paced(self, singles: u32, notifiers: Notifiers) -> Self {
        Self { singles, notifiers, ..self }
    }

    /// From now on somebody sends bundles.
    #[cfg(feature = "runner")]
    pub(super) fn begin_bundling(&self) {
        lock(&self.taken).singles = self.singles;
    }

    /// From now on nobody sends bundles any more.
    #[cfg(feature = "runner")]
    pub(super) fn end_bundling(&self) {
        lock(&self.taken).singles = 0;
    }

    /// Takes a slot for a send to `contact` on its own, if one is free.
    pub(super) fn take(&self, contact: &Contact, urgency: Urgency) -> Option<Slot> {
        let ride = self.ride(contact, urgency);
        let mut taken = lock(&self.taken);
        let now = taken.grown_old(&*self.clock);
        match taken.room(contact, urgency, ride, &Promised::default(), now) {
            Room::Free => Some(self.begin(&mut taken, contact, urgency, ride, now)),
            Room::NotForThis | Room::RemoteIsFull | Room::AllIsFull | Room::NoneLeft => None,
        }
    }

    /// Takes a slot for a bundle to `contact`, if it is time for one and a slot is free. Says too which deliveries may be the
    /// reason that others failed.
    #[cfg(feature = "runner")]
    pub(super) fn take_together(&self, contact: &Contact, crowd: Crowd) -> Option<(Slot, Blamed)> {
        let urgency = crowd.urgency();
        let mut taken = lock(&self.taken);
        let now = taken.grown_old(&*self.clock);
        match taken.turn(contact, crowd, now) {
            Turn::Bundle => {}
            Turn::Single | Turn::At(_) => return None,
        }
        let blamed = taken.by_contact.get(contact).map(|of| of.pace.blamed().clone()).unwrap_or_default();
        match taken.room(contact, urgency, Ride::Together, &Promised::default(), now) {
            Room::Free => Some((self.begin(&mut taken, contact, urgency, Ride::Together, now), blamed)),
            Room::NotForThis | Room::RemoteIsFull | Room::AllIsFull | Room::NoneLeft => None,
        }
    }

    fn begin(
        &self,
        taken: &mut Taken,
        contact: &Contact,
        urgency: Urgency,
        ride: Ride,
        now: Duration,
    ) -> Slot {
        let began = taken.begin(contact, urgency, ride, now);
        let (clock, taken) = (Arc::clone(&self.clock), Arc::clone(&self.taken));
        Slot { clock, taken, contact: contact.clone(), urgency, ride, began, took: None }
    }

    fn ride(&self, contact: &Contact, urgency: Urgency) -> Ride {
        match urgency {
            Urgency::Alert(_) if self.notifiers.bundler(contact).is_some() => Ride::Paced,
            Urgency::Alert(_) | Urgency::StatusUpdate => Ride::Single,
        }
    }

    /// The free slots, so that they can be reserved for waiting sends.
    #[cfg(feature = "runner")]
    pub(super) fn offer(&self) -> Offer<'_> {
        let mut taken = lock(&self.taken);
        let now = taken.grown_old(&*self.clock);
        Offer { slots: self, taken, now, promised: Promised::default() }
    }

    /// The time until a recent send counts as hanging, so that there may be room for more.
    #[cfg(feature = "runner")]
    pub(super) fn relief(&self) -> Option<Duration> {
        let mut taken = lock(&self.taken);
        let now = taken.grown_old(&*self.clock);
        taken.fresh.front().map(|oldest| (oldest.began.0 + PROMPT).saturating_sub(now))
    }

    /// The time until then.
    #[cfg(feature = "runner")]
    pub(super) fn until(&self, at: Duration) -> Duration {
        at.saturating_sub(self.clock.monotonic())
    }
}

/// Who reserves slots for waiting sends, and says how they go out.
#[cfg(feature = "runner")]
pub(super) trait Offers {
    /// How what waits for a contact goes out.
    fn turn(&self, contact: &Contact, crowd: Crowd) -> Turn;

    /// Reserves a slot for a send to `contact`, if one is left.
    fn promise(&mut self, contact: &Contact, urgency: Urgency, ride: Ride) -> Room;
}

/// The slots that are free now. Nobody else can take a slot until this value is dropped.
#[cfg(feature = "runner")]
pub(super) struct Offer<'a> {
    slots: &'a Slots,
    taken: MutexGuard<'a, Taken>,
    now: Duration,
    promised: Promised,
}

#[cfg(feature = "runner")]
impl Offers for Offer<'_> {
    fn turn(&self, contact: &Contact, crowd: Crowd) -> Turn {
        match self.slots.ride(contact, crowd.urgency()) {
            Ride::Single => Turn::Single,
            Ride::Paced | Ride::Together => self.taken.turn(contact, crowd, self.now),
        }
    }

    fn promise(&mut self, contact: &Contact, urgency: Urgency, ride: Ride) -> Room {
        let ride = if ride == Ride::Single { self.slots.ride(contact, urgency) } else { ride };
        let room = self.taken.room(contact, urgency, ride, &self.promised, self.now);
        if room == Room::Free {
            self.promised.add(contact, urgency);
        }
        room
    }
}

/// The free slots that are already reserved.
#[derive(Debug, Default)]
struct Promised {
    all: Sum,
    by_remote: HashMap<String, Sum>,
    by_contact: HashMap<Contact, usize>,
}

impl Promised {
    #[cfg(feature = "runner")]
    fn add(&mut self, contact: &Contact, urgency: Urgency) {
        self.all.begin(urgency);
        self.by_remote.entry(contact.remote().to_owned()).or_default().begin(urgency);
        *self.by_contact.entry(contact.clone()).or_default() += 1;
    }
}

impl Sum {
    fn all(self) -> usize {
        self.fresh + self.slow
    }

    fn begin(&mut self, urgency: Urgency) {
        self.fresh += 1;
        self.updates += usize::from(urgency == Urgency::StatusUpdate);
    }

    fn grow_old(&mut self) {
        self.fresh -= 1;
        self.slow += 1;
    }

    fn end(&mut self, was_fresh: bool, urgency: Urgency) {
        let of = if was_fresh { &mut self.fresh } else { &mut self.slow };
        *of -= 1;
        self.updates -= usize::from(urgency == Urgency::StatusUpdate);
    }

    fn with(self, promised: Option<&Self>) -> Self {
        let more = promised.copied().unwrap_or_default();
        Self {
            fresh: self.fresh + more.fresh,
            slow: self.slow + more.slow,
            updates: self.updates + more.updates,
        }
    }
}

impl Taken {
    fn turn(&self, contact: &Contact, crowd: Crowd, now: Duration) -> Turn {
        let pace = self.by_contact.get(contact).map(|of| &of.pace);
        pace.unwrap_or(&Pace::default()).turn(self.singles, crowd, now)
    }

    fn room(
        &self,
        contact: &Contact,
        urgency: Urgency,
        ride: Ride,
        promised: &Promised,
        now: Duration,
    ) -> Room {
        let here = promised.by_contact.get(contact).copied().unwrap_or_default();
        let one_more = Crowd::of(here + 1, urgency);
        if ride == Ride::Paced && self.turn(contact, one_more, now) != Turn::Single {
            return Room::NotForThis;
        }
        let of_contact = self.by_contact.get(contact);
        let last = of_contact.map_or(Answer::None, |of| of.last);
        let sum = of_contact.map_or_else(Sum::default, |of| of.taken);
        let all = self.all.with(Some(&promised.all));
        if all.all() >= self.most {
            return Room::NoneLeft;
        }
        let hangs = sum.slow > 0 || last == Answer::Slow;
        let is_prompt = !hangs && last == Answer::Prompt;
        let per_contact = if is_prompt { SENDS_PER_CONTACT } else { SENDS_PER_NEW_CONTACT };
        let here = sum.all() + here;
        let (most, remote) = (self.most, contact.remote());
        let side = self.by_remote.get(remote).copied().unwrap_or_default();
        let side = side.with(promised.by_remote.get(remote));
        let is_update = urgency == Urgency::StatusUpdate;
        if here >= per_contact
            || (hangs && (side.slow >= most / 8 || all.slow >= most / 2))
            || (is_update && (side.updates >= most / 8 || all.updates >= most / 4))
        {
            return Room::NotForThis;
        }
        let of_side = if is_prompt { most / 2 } else { most / 3 };
        if side.all() >= of_side || side.fresh >= most / 8 {
            return Room::RemoteIsFull;
        }
        let of_all = if is_prompt { most } else { most / 8 * 7 };
        if all.all() >= of_all || all.fresh >= most / 2 {
            return Room::AllIsFull;
        }
        Room::Free
    }

    fn begin(&mut self, contact: &Contact, urgency: Urgency, ride: Ride, now: Duration) -> (Duration, u64) {
        let began = (now, self.next);
        self.next += 1;
        self.all.begin(urgency);
        self.by_remote.entry(contact.remote().to_owned()).or_default().begin(urgency);
        let of = self.by_contact.entry(contact.clone()).or_default();
        of.taken.begin(urgency);
        match ride {
            Ride::Paced if self.singles > 0 => of.pace.single(self.singles, now),
            Ride::Together => of.pace.bundle(self.singles, now),
            Ride::Paced | Ride::Single => {}
        }
        self.fresh.push_back(Fresh { began, contact: contact.clone() });
        began
    }

    /// The time, after sends that began a second ago were counted as hanging ones.
    fn grown_old(&mut self, clock: &dyn Clock) -> Duration {
        let now = clock.monotonic();
        self.grow_old(now);
        now
    }

    /// Counts sends that began a second ago as hanging ones.
    fn grow_old(&mut self, now: Duration) {
        while let Some(oldest) = self.fresh.front()
            && oldest.began.0 + PROMPT <= now
            && let Some(Fresh { contact, .. }) = self.fresh.pop_front()
        {
            self.all.grow_old();
            if let Some(side) = self.by_remote.get_mut(contact.remote()) {
                side.grow_old();
            }
            if let Some(of) = self.by_contact.get_mut(&contact) {
                of.taken.grow_old();
            }
        }
    }

    fn end(&mut self, slot: &Slot, now: Duration) {
        self.grow_old(now);
        let place = self.fresh.binary_search_by_key(&slot.began.1, |fresh| fresh.began.1);
        let was_fresh = place.is_ok();
        if let Ok(place) = place {
            self.fresh.remove(place);
        }
        self.all.end(was_fresh, slot.urgency);
        let remote = slot.contact.remote();
        if let Some(side) = self.by_remote.get_mut(remote) {
            side.end(was_fresh, slot.urgency);
            if side.all() == 0 {
                self.by_remote.remove(remote);
            }
        }
        if let Some(of) = self.by_contact.get_mut(&slot.contact) {
            of.taken.end(was_fresh, slot.urgency);
            match slot.took {
                Some(took) => of.last = if took < PROMPT { Answer::Prompt } else { Answer::Slow },
                None if slot.ride != Ride::Single => of.pace.take_back(slot.began.0),
                None => {}
            }
        }
        if self.by_contact.len() > REMEMBERED {
            self.by_contact.retain(|_, of| of.taken.all() > 0 || !of.pace.is_over(now));
        }
    }
}

impl Slot {
    /// Records that the send has ended after that time.
    pub(super) fn sent(mut self, took: Duration) {
        self.took = Some(took);
    }

    /// Records that a bundle of these deliveries has ended after that time.
    #[cfg(feature = "runner")]
    pub(super) fn sent_together(mut self, took: Duration, riders: &[String], fate: Fate, filled: Filled) {
        self.took = Some(took);
        if let Some(of) = lock(&self.taken).by_contact.get_mut(&self.contact) {
            of.pace.ended(self.began.0, riders, fate, filled);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let now = self.clock.monotonic();
        lock(&self.taken).end(self, now);
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
