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
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::model::Severity;

    const ROOM: usize = 256;

    fn number(n: u64) -> IncidentNumber {
        IncidentNumber::new(n)
    }

    fn contact(name: &str) -> Contact {
        Contact::new(format!("{name}@example.org")).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn blocked(contacts: &[&str], severity: Severity, due: i64) -> Blocked {
        let contacts = contacts.iter().map(|name| contact(name)).collect();
        Blocked { contacts, urgency: Urgency::Alert(severity), due_at: at(due), again: None }
    }

    /// The alerts to take if each contact has that many slots and there is `room` in all.
    fn take(
        backlog: &mut Backlog,
        now: i64,
        limit: usize,
        room: usize,
        free: impl Fn(&Contact) -> usize,
    ) -> Vec<IncidentNumber> {
        let mut promised: HashMap<Contact, usize> = HashMap::new();
        let mut offers = Promising(|contact: &Contact| {
            if promised.values().sum::<usize>() >= room {
                return Room::NoneLeft;
            }
            let of_contact = promised.entry(contact.clone()).or_default();
            if *of_contact >= free(contact) {
                return Room::NotForThis;
            }
            *of_contact += 1;
            Room::Free
        });
        backlog.take(at(now), limit, &mut offers).numbers
    }

    /// Reserves as the function says, and bundles nothing.
    struct Promising<F>(F);

    impl<F: FnMut(&Contact) -> Room> Offers for Promising<F> {
        fn turn(&self, _: &Contact, _: Crowd) -> Turn {
            Turn::Single
        }

        fn promise(&mut self, contact: &Contact, _: Urgency, _: Ride) -> Room {
            (self.0)(contact)
        }
    }

    /// A slot for everybody; these contacts get bundles, or must wait.
    struct Paced<'a>(&'a [(&'a Contact, Turn)]);

    impl Offers for Paced<'_> {
        fn turn(&self, contact: &Contact, _: Crowd) -> Turn {
            self.0.iter().find(|(other, _)| *other == contact).map_or(Turn::Single, |(_, turn)| *turn)
        }

        fn promise(&mut self, _: &Contact, _: Urgency, _: Ride) -> Room {
            Room::Free
        }
    }

    #[test]
    fn p23_what_waits_for_a_bundle_goes_together_the_worst_first() {
        let (jo, kim) = (contact("jo"), contact("kim"));
        let mut backlog = Backlog::default();
        for (n, severity) in
            [(1, Severity::Warn), (2, Severity::Err), (3, Severity::Crit), (4, Severity::Warn)]
        {
            let to: &[&str] = if n == 2 { &["jo", "kim"] } else { &["jo"] };
            backlog.blocked(number(n), Version::FIRST, blocked(to, severity, 1));
        }
        let update = Blocked { urgency: Urgency::StatusUpdate, ..blocked(&["jo"], Severity::Warn, 0) };
        backlog.blocked(number(5), Version::FIRST, update);
        let later = Duration::from_secs(7);
        let waiting =
            backlog.take(at(9), ROOM, &mut Paced(&[(&jo, Turn::At(later)), (&kim, Turn::At(later * 2))]));
        assert_eq!((numbers(&waiting.numbers), waiting.groups.len()), (vec![5], 0), "only the update goes");
        assert_eq!(backlog.paced_until(), Some(later));
        let turns =
            backlog.take(at(9), ROOM, &mut Paced(&[(&jo, Turn::Bundle), (&kim, Turn::At(later * 2))]));
        let [group] = &turns.groups[..] else { panic!("one bundle") };
        assert_eq!((&group.contact, numbers(&group.numbers)), (&jo, vec![3, 2, 1, 4]));
        assert!(turns.numbers.is_empty() && !backlog.waits_for(&jo) && !backlog.waits_for(&kim));
        assert_eq!(backlog.paced_until(), Some(later * 2), "until the next check");
    }

    fn numbers(taken: &[IncidentNumber]) -> Vec<u64> {
        taken.iter().map(|number| number.value()).collect()
    }

    #[test]
    fn p13_a_slot_goes_to_the_most_urgent_and_then_to_the_oldest() {
        let mut backlog = Backlog::default();
        for (n, severity, due) in
            [(1, Severity::Warn, 1), (2, Severity::Crit, 3), (3, Severity::Err, 2), (4, Severity::Crit, 2)]
        {
            backlog.blocked(number(n), Version::FIRST, blocked(&["jo"], severity, due));
        }
        let update = Blocked { urgency: Urgency::StatusUpdate, ..blocked(&["jo"], Severity::Warn, 0) };
        backlog.blocked(number(5), Version::FIRST, update);
        let mut order = Vec::new();
        while let [next] = *take(&mut backlog, 9, ROOM, ROOM, |_| 1) {
            order.push(next.value());
        }
        assert_eq!(order, [4, 2, 3, 1, 5]);
        assert!(!backlog.waits());
    }

    #[test]
    fn p13_only_who_has_a_slot_is_served() {
        let mut backlog = Backlog::default();
        backlog.blocked(number(1), Version::FIRST, blocked(&["hangs"], Severity::Crit, 1));
        backlog.blocked(number(2), Version::FIRST, blocked(&["jo"], Severity::Warn, 2));
        backlog.blocked(number(3), Version::FIRST, blocked(&["hangs", "kim"], Severity::Warn, 3));
        let hangs = contact("hangs");
        let taken = take(&mut backlog, 9, ROOM, ROOM, |contact| usize::from(*contact != hangs));
        assert_eq!(numbers(&taken), [2, 3]);
        assert!(backlog.waits_for(&hangs) && !backlog.waits_for(&contact("kim")));
        assert_eq!(numbers(&take(&mut backlog, 9, ROOM, 0, |_| 4)), [0; 0], "no room at all");
        assert_eq!(numbers(&take(&mut backlog, 9, ROOM, 1, |_| 4)), [1]);
    }

    #[test]
    fn p13_a_newcomer_does_not_take_what_others_of_its_side_wait_for() {
        let (jo, kim) = (contact("jo"), contact("kim"));
        let other = Contact::new("lee@other.example").unwrap();
        let mut backlog = Backlog::default();
        let waits = |backlog: &Backlog| [&jo, &kim, &other].map(|contact| backlog.waits_for(contact));
        backlog.blocked(number(1), Version::FIRST, blocked(&["jo"], Severity::Crit, 1));
        for (room, expected) in [
            (Room::NotForThis, [true, false, false]),
            (Room::RemoteIsFull, [true, true, false]),
            (Room::AllIsFull, [true, true, true]),
            (Room::NoneLeft, [true, true, true]),
            (Room::Free, [false, false, false]),
        ] {
            let _taken = backlog.take(at(9), ROOM, &mut Promising(|_: &Contact| room));
            assert_eq!(waits(&backlog), expected, "{room:?}");
        }
    }

    #[test]
    fn an_incident_that_waits_for_two_is_taken_once() {
        let mut backlog = Backlog::default();
        backlog.blocked(number(1), Version::FIRST, blocked(&["jo", "kim"], Severity::Warn, 1));
        assert_eq!(numbers(&take(&mut backlog, 9, ROOM, ROOM, |_| 4)), [1]);
        assert!(!backlog.waits() && !backlog.knows(number(1), Version::FIRST));
    }

    #[test]
    fn time_comes_for_what_waits_for_it_and_for_what_waits_for_a_slot_besides() {
        let mut backlog = Backlog::default();
        backlog.due(number(1), Version::FIRST, Some(at(5)));
        let again = Blocked { again: Some(at(4)), ..blocked(&["hangs"], Severity::Crit, 1) };
        backlog.blocked(number(2), Version::FIRST, again);
        assert_eq!(backlog.next_at(), Some(at(4)));
        assert_eq!(numbers(&take(&mut backlog, 3, ROOM, ROOM, |_| 0)), [0; 0]);
        assert_eq!(numbers(&take(&mut backlog, 4, ROOM, ROOM, |_| 0)), [2]);
        assert_eq!(backlog.next_at(), Some(at(5)));
        assert_eq!(numbers(&take(&mut backlog, 5, ROOM, ROOM, |_| 0)), [1]);
        assert_eq!(backlog.next_at(), None);
    }

    #[test]
    fn a_later_version_is_what_counts() {
        let (older, newer) = (Version::FIRST, Version::FIRST.next());
        let mut backlog = Backlog::default();
        backlog.due(number(1), newer, Some(at(5)));
        backlog.blocked(number(1), older, blocked(&["jo"], Severity::Crit, 1));
        assert!(!backlog.waits(), "what was planned before is over");
        assert!(backlog.knows(number(1), older) && backlog.knows(number(1), newer));
        assert!(!backlog.knows(number(1), newer.next()), "somebody else has changed it");
        backlog.blocked(number(1), newer, blocked(&["jo"], Severity::Crit, 1));
        assert_eq!(backlog.next_at(), None, "each is known once");
        backlog.due(number(1), newer.next(), None);
        assert!(!backlog.waits() && !backlog.knows(number(1), newer));
    }

    #[test]
    fn p13_what_is_less_urgent_is_forgotten_first() {
        let mut backlog = Backlog::default();
        let many = BLOCKED as u64;
        for n in 0..many {
            let severity = if n == 7 { Severity::Warn } else { Severity::Err };
            backlog.blocked(number(n), Version::FIRST, blocked(&["jo", "kim"], severity, 1));
        }
        backlog.blocked(number(many), Version::FIRST, blocked(&["jo"], Severity::Warn, 0));
        assert!(!backlog.knows(number(many), Version::FIRST), "it is no more urgent than what is there");
        for n in 1..=2 {
            backlog.blocked(number(many + n), Version::FIRST, blocked(&["lee"], Severity::Crit, 2));
            assert!(backlog.knows(number(many + n), Version::FIRST));
            assert!(!backlog.knows(number(7), Version::FIRST), "the least urgent goes first");
            assert_eq!(backlog.known.len(), BLOCKED);
        }
        assert_eq!(numbers(&take(&mut backlog, 9, ROOM, 2, |_| 2)), [many + 1, many + 2]);
    }

    #[test]
    fn what_is_due_last_is_forgotten_first() {
        let mut backlog = Backlog::default();
        let many = i64::try_from(TIMERS).unwrap();
        for n in (0..=many).rev() {
            backlog.due(number(n.cast_unsigned()), Version::FIRST, Some(at(n)));
        }
        assert_eq!(backlog.known.len(), TIMERS);
        assert!(!backlog.knows(number(many.cast_unsigned()), Version::FIRST));
        assert_eq!(numbers(&take(&mut backlog, 1, 2, ROOM, |_| 0)), [0, 1]);
    }
}
