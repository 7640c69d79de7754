//! The incidents that this process knows to be due later, and those that wait for a sending slot.
//!
//! A free slot goes to the most urgent waiting alert, without another query for due incidents. The due time is always
//! stored with the incident: if the backlog forgets an incident, the store still has its due time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::slots::{Crowd, MOST, Offers, Ride, Room, SENDS_PER_CONTACT, Turn, Urgency};
use crate::model::{Contact, IncidentNumber, Version};

/// The maximum number of remembered incidents with a due time in the future. Those that are due first are kept.
const TIMERS: usize = 16 * 1024;
/// The maximum number of remembered incidents that wait for a slot. The most urgent ones are kept. Each takes some 300
/// bytes.
const BLOCKED: usize = 32 * 1024;

/// Remembers incidents until they are due.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    known: HashMap<IncidentNumber, Known>,
    /// For each contact, the queue of incidents that wait for its slot.
    queues: BTreeMap<Arc<Contact>, BTreeSet<Place>>,
    /// The number of incidents of each urgency that wait for a slot.
    waiting: BTreeMap<Urgency, usize>,
    /// When to look at an incident that waits for a slot, apart from a free slot.
    again: BTreeSet<(DateTime<Utc>, IncidentNumber)>,
    /// When to look at an incident that waits for time to pass.
    timers: BTreeSet<(DateTime<Utc>, IncidentNumber)>,
    full: Full,
    /// When the next bundle may go out, by the monotonic clock, if some alerts wait for that.
    paced_until: Option<Duration>,
}

/// The incidents whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns {
    pub(super) numbers: Vec<IncidentNumber>,
    pub(super) groups: Vec<Group>,
}

/// Incidents with alerts to one contact that go out together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) contact: Contact,
    /// The most urgent first.
    pub(super) numbers: Vec<IncidentNumber>,
    pub(super) crowd: Crowd,
}

/// A place for which a slot may be free.
#[derive(Debug)]
struct Chance {
    place: Place,
    contact: Arc<Contact>,
    ride: Ride,
}

/// The contacts for which more incidents waited at the last check than there were slots.
#[derive(Debug, Default)]
struct Full {
    remotes: BTreeSet<String>,
    all: bool,
}

/// The alerts that wait for a sending slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    /// The contacts whose slots the alert waits for.
    pub(super) contacts: Vec<Contact>,
    pub(super) urgency: Urgency,
    pub(super) due_at: DateTime<Utc>,
    /// When other work of the incident is due.
    pub(super) again: Option<DateTime<Utc>>,
}

/// A place in a contact's queue; the first is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    urgency: Reverse<Urgency>,
    due_at: DateTime<Utc>,
    number: IncidentNumber,
}

#[derive(Debug)]
struct Known {
    version: Version,
    what: What,
}

#[derive(Debug)]
enum What {
    Timer(DateTime<Utc>),
    Blocked { contacts: Vec<Arc<Contact>>, place: Place, again: Option<DateTime<Utc>> },
}

impl Backlog {
    /// Records that the incident at that version is next due at that time; never if there is no time.
    pub(super) fn due(&mut self, number: IncidentNumber, version: Version, at: Option<DateTime<Utc>>) {
        if !self.make_way(number, version) {
            return;
        }
        let Some(at) = at else { return };
        self.timers.insert((at, number));
        self.known.insert(number, Known { version, what: What::Timer(at) });
        if self.timers.len() > TIMERS
            && let Some((_, latest)) = self.timers.pop_last()
        {
            self.known.remove(&latest);
        }
    }

    /// Records that due work of the incident at that version waits for a slot.
    pub(super) fn blocked(&mut self, number: IncidentNumber, version: Version, blocked: Blocked) {
        if !self.make_way(number, version) {
            return;
        }
        let Blocked { contacts, urgency, due_at, again } = blocked;
        // Each is known once, so what is no timer is blocked.
        let is_full = self.known.len() - self.timers.len() >= BLOCKED;
        if is_full {
            let Some(least) = self.less_urgent(urgency) else { return };
            self.forget(least);
        }
        *self.waiting.entry(urgency).or_default() += 1;
        let place = Place { urgency: Reverse(urgency), due_at, number };
        let contacts: Vec<_> = contacts.into_iter().map(|contact| self.enqueue(contact, place)).collect();
        self.again.extend(again.map(|at| (at, number)));
        self.known.insert(number, Known { version, what: What::Blocked { contacts, place, again } });
    }

    /// The least urgent waiting incident, if it is less urgent than that.
    fn less_urgent(&self, urgency: Urgency) -> Option<IncidentNumber> {
        let (least, _) = self.waiting.first_key_value().filter(|(least, _)| **least < urgency)?;
        let mut last = self.queues.values().filter_map(BTreeSet::last);
        last.find(|place| place.urgency == Reverse(*least)).map(|place| place.number)
    }

    fn enqueue(&mut self, contact: Contact, place: Place) -> Arc<Contact> {
        let contact = match self.queues.get_key_value(&contact) {
            Some((contact, _)) => Arc::clone(contact),
            None => Arc::new(contact),
        };
        self.queues.entry(Arc::clone(&contact)).or_default().insert(place);
        contact
    }

    /// Forgets an older version of the incident. Returns whether no newer version is known.
    fn make_way(&mut self, number: IncidentNumber, version: Version) -> bool {
        if self.known.get(&number).is_some_and(|known| known.version > version) {
            return false;
        }
        self.forget(number);
        true
    }

    fn forget(&mut self, number: IncidentNumber) {
        match self.known.remove(&number).map(|known| known.what) {
            None => {}
            Some(What::Timer(at)) => _ = self.timers.remove(&(at, number)),
            Some(What::Blocked { contacts, place, again }) => {
                let Reverse(urgency) = place.urgency;
                if let Some(waiting) = self.waiting.get_mut(&urgency) {
                    *waiting -= 1;
                    if *waiting == 0 {
                        self.waiting.remove(&urgency);
                    }
                }
                if let Some(at) = again {
                    self.again.remove(&(at, number));
                }
                for contact in contacts {
                    if let Some(queue) = self.queues.get_mut(&contact) {
                        queue.remove(&place);
                        if queue.is_empty() {
                            self.queues.remove(&contact);
                        }
                    }
                }
            }
        }
    }

    /// Whether the incident is known at that version or a later one, so that this process will handle it.
    pub(super) fn knows(&self, number: IncidentNumber, version: Version) -> bool {
        self.known.get(&number).is_some_and(|known| known.version >= version)
    }

    /// Whether an incident waits for a slot of that contact, so that a new one must not take the slot first.
    pub(super) fn waits_for(&self, contact: &Contact) -> bool {
        let is_full = || self.full.all || self.full.remotes.contains(contact.remote());
        self.queues.contains_key(contact) || (!self.queues.is_empty() && is_full())
    }

    /// Whether an incident waits for a slot of any contact.
    pub(super) fn waits(&self) -> bool {
        !self.queues.is_empty()
    }

    /// The time at which the next incident is due, apart from those that wait for a slot.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        let first = |of: &BTreeSet<(DateTime<Utc>, IncidentNumber)>| of.first().map(|(at, _)| *at);
        first(&self.timers).into_iter().chain(first(&self.again)).min()
    }

    /// Takes out at most `limit` incidents whose time has come by `now` or for which there are slots, the most urgent
    /// first, and the groups for which it is time for a bundle.
    pub(super) fn take(&mut self, now: DateTime<Utc>, limit: usize, offers: &mut impl Offers) -> Turns {
        let mut taken: Vec<IncidentNumber> = Vec::new();
        for times in [&self.timers, &self.again] {
            let due = times.iter().take_while(|(at, _)| *at <= now).map(|(_, number)| *number);
            taken.extend(due.take(limit - taken.len()));
        }
        let mut chances = self.chances(offers);
        chances.sort_unstable_by_key(|chance| chance.place);
        self.full = Full::default();
        let mut groups = Vec::new();
        for Chance { place, contact, ride } in chances {
            if taken.len() == limit {
                break;
            }
            match (offers.promise(&contact, place.urgency.0, ride), ride) {
                (Room::Free, Ride::Together) => groups.extend(self.group(&contact)),
                (Room::Free, Ride::Single | Ride::Paced) => taken.push(place.number),
                (Room::NotForThis, _) => {}
                (Room::RemoteIsFull, _) => _ = self.full.remotes.insert(contact.remote().to_owned()),
                (Room::AllIsFull, _) => self.full.all = true,
                (Room::NoneLeft, _) => {
                    self.full.all = true;
                    break;
                }
            }
        }
        // An incident may wait for several contacts, or for time besides.
        let mut forget = |number: &IncidentNumber| {
            let is_known = self.known.contains_key(number);
            self.forget(*number);
            is_known
        };
        for group in &mut groups {
            group.numbers.retain(&mut forget);
        }
        taken.retain(forget);
        groups.retain(|group| !group.numbers.is_empty());
        Turns { numbers: taken, groups }
    }

    /// The places at the front of each queue, unless their contact must wait for its next bundle.
    fn chances(&mut self, offers: &impl Offers) -> Vec<Chance> {
        let (mut chances, mut paced_until) = (Vec::new(), None::<Duration>);
        for (contact, queue) in &self.queues {
            let chance =
                |place: &Place| Chance { place: *place, contact: Arc::clone(contact), ride: Ride::Single };
            let (alerts, updates) = (queue.iter().take_while(is_alert), queue.iter().skip_while(is_alert));
            // No contact has more slots than that, and more singles than that need not be told apart.
            let first: Vec<_> = alerts.take(SENDS_PER_CONTACT + 1).collect();
            let turn = match first.first() {
                Some(worst) => offers.turn(contact, Crowd::of(first.len(), worst.urgency.0)),
                None => Turn::Single,
            };
            match turn {
                Turn::Single => chances.extend(queue.iter().take(SENDS_PER_CONTACT).map(chance)),
                Turn::Bundle => {
                    let first = first.first().map(|place| chance(place));
                    chances.extend(first.map(|first| Chance { ride: Ride::Together, ..first }));
                }
                Turn::At(at) => {
                    paced_until = Some(paced_until.map_or(at, |other| other.min(at)));
                    chances.extend(updates.take(SENDS_PER_CONTACT).map(chance));
                }
            }
        }
        self.paced_until = paced_until;
        chances
    }

    /// The most urgent alerts that wait for the contact.
    fn group(&self, contact: &Contact) -> Option<Group> {
        let places: Vec<_> = self.queues.get(contact)?.iter().take_while(is_alert).take(MOST).collect();
        let crowd = Crowd::of(usize::MAX, places.first()?.urgency.0);
        let numbers = places.iter().map(|place| place.number).collect();
        Some(Group { contact: contact.clone(), numbers, crowd })
    }

    /// When the next bundle may go out for which some alerts wait, by the monotonic clock, as of the last check.
    pub(super) fn paced_until(&self) -> Option<Duration> {
        self.paced_until
    }

    /// Forgets all incidents. After the clock went back, the remembered due times may be wrong.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn is_alert(place: &&Place) -> bool {
    matches!(place.urgency, Reverse(Urgency::Alert(_)))
}

#[cfg(test)]
mod tests;
