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
mod taken;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::model::Contact;
use crate::notify::{Notifier, Notifiers};

pub(super) use super::urgency::Urgency;
pub(super) use pace::{Blamed, MOST, SINGLES_PER_MINUTE};
#[cfg(feature = "runner")]
pub(super) use pace::{Crowd, Fate, Filled, Turn};
pub(super) use taken::{Ride, Room};
pub use taken::{SENDS_PER_CONTACT, SENDS_PER_NEW_CONTACT};

#[cfg(any(feature = "runner", test))]
use taken::PROMPT;
use taken::{Ended, Promised, Taken};

/// The default limit of concurrent sends of an engine.
pub(super) const SLOTS: usize = 512;
/// The minimum of the limit.
const FEWEST: usize = 16;

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

impl Slots {
    /// A set of that many slots, with the limits above. Nothing is bundled.
    pub(super) fn new(most: usize, clock: Arc<dyn Clock>) -> Self {
        let taken = Taken::none_of(most.clamp(FEWEST, SLOTS));
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
        let Self { contact, urgency, ride, began, took, .. } = &*self;
        let (urgency, ride, began, took) = (*urgency, *ride, *began, *took);
        lock(&self.taken).end(&Ended { contact, urgency, ride, began, took }, now);
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
