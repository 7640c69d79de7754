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
    for (n, severity) in [(1, Severity::Warn), (2, Severity::Err), (3, Severity::Crit), (4, Severity::Warn)] {
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
    let turns = backlog.take(at(9), ROOM, &mut Paced(&[(&jo, Turn::Bundle), (&kim, Turn::At(later * 2))]));
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
