use super::*;
use crate::model::Severity;
use crate::testing::ManualClock;

fn clock() -> ManualClock {
    ManualClock::at(chrono::DateTime::UNIX_EPOCH)
}

fn contact(name: impl AsRef<str>) -> Contact {
    Contact::new(name).unwrap()
}

const CRIT: Urgency = Urgency::Alert(Severity::Crit);

/// As many slots as there are for a contact.
fn all(slots: &Slots, to: &Contact, urgency: Urgency) -> Vec<Slot> {
    std::iter::from_fn(|| slots.take(to, urgency)).collect()
}

/// Lets each of these contacts take what it can get, second by second, and never answers.
fn hang(slots: &Slots, clock: &ManualClock, contacts: &[Contact], urgency: Urgency) -> Vec<Slot> {
    let mut held = Vec::new();
    for _ in 0..30 {
        held.extend(contacts.iter().flat_map(|to| all(slots, to, urgency)));
        clock.advance(PROMPT);
    }
    held
}

#[test]
fn p13_one_contact_cannot_take_all_slots() {
    let clock = clock();
    let slots = Slots::new(SLOTS, Arc::new(clock.clone()));
    let hangs = contact("hangs@example.org");
    let taken = all(&slots, &hangs, CRIT);
    assert_eq!(taken.len(), SENDS_PER_NEW_CONTACT);
    assert!(slots.take(&contact("other@example.org"), CRIT).is_some());
    drop(taken);
    assert_eq!(all(&slots, &hangs, CRIT).len(), SENDS_PER_NEW_CONTACT, "nothing was sent");
}

#[test]
fn a_contact_that_answers_promptly_has_more_slots_until_it_does_not() {
    let clock = clock();
    let slots = Slots::new(SLOTS, Arc::new(clock.clone()));
    let jo = contact("jo@example.org");
    slots.take(&jo, CRIT).unwrap().sent(Duration::from_millis(5));
    let mut taken = all(&slots, &jo, CRIT);
    assert_eq!(taken.len(), SENDS_PER_CONTACT);
    clock.advance(PROMPT);
    drop(taken.split_off(SENDS_PER_NEW_CONTACT));
    assert!(slots.take(&jo, CRIT).is_none(), "what is in flight hangs");
    taken.pop().unwrap().sent(PROMPT);
    drop(taken);
    assert_eq!(all(&slots, &jo, CRIT).len(), SENDS_PER_NEW_CONTACT);
}

#[test]
fn slots_are_bounded_in_all() {
    for most in [96, SLOTS] {
        let clock = clock();
        let slots = Slots::new(most, Arc::new(clock.clone()));
        let contacts: Vec<_> = (0..2 * SLOTS).map(|i| contact(format!("c@d{i}.example"))).collect();
        let held = hang(&slots, &clock, &contacts, CRIT);
        assert_eq!(
            held.len(),
            most / 8 * 7,
            "contacts that have not answered yet leave some to those that have"
        );
        assert!(slots.take(&contact("jo@example.org"), CRIT).is_none());
    }
}

#[test]
fn p13_who_answers_promptly_has_slots_however_many_others_hang() {
    let clock = clock();
    let slots = Slots::new(SLOTS, Arc::new(clock.clone()));
    let jo = contact("jo@example.org");
    slots.take(&jo, CRIT).unwrap().sent(Duration::ZERO);
    let contacts: Vec<_> = (0..2 * SLOTS).map(|i| contact(format!("c@d{i}.example"))).collect();
    let _held = hang(&slots, &clock, &contacts, CRIT);
    assert_eq!(all(&slots, &jo, CRIT).len(), SENDS_PER_CONTACT);
}

#[test]
fn p13_contacts_of_one_side_that_hang_leave_slots_to_others_of_that_side_and_most_to_everybody_else() {
    let hooks = |i: usize| contact(format!("https://hooks.example:8443/{i}"));
    let boxes = |i: usize| contact(format!("c{i}@example.org"));
    for most in [96, SLOTS] {
        for (of, many) in [(boxes as fn(usize) -> Contact, 7), (boxes, most / 16), (hooks, most / 12)] {
            let clock = clock();
            let slots = Slots::new(most, Arc::new(clock.clone()));
            let contacts: Vec<_> = (0..many).map(of).collect();
            let held = hang(&slots, &clock, &contacts, CRIT);
            assert!(held.len() <= most / 3, "{} of {most} slots", held.len());
            assert!(slots.take(&of(many), CRIT).is_some(), "another one, of {most} with {many} that hang");
        }
        let clock = clock();
        let slots = Slots::new(most, Arc::new(clock.clone()));
        let contacts: Vec<_> = (0..2 * SLOTS).map(boxes).collect();
        assert_eq!(hang(&slots, &clock, &contacts, CRIT).len(), most / 3);
        assert!(slots.take(&contact("jo@other.example"), CRIT).is_some());
    }
}

#[test]
fn p13_status_updates_leave_slots_to_alerts() {
    let clock = clock();
    let slots = Slots::new(SLOTS, Arc::new(clock.clone()));
    let same: Vec<_> = (0..600).map(|i| contact(format!("c{i}@example.org"))).collect();
    let held = hang(&slots, &clock, &same, Urgency::StatusUpdate);
    assert_eq!(held.len(), SLOTS / 8);
    assert!(slots.take(&contact("jo@example.org"), CRIT).is_some());
    let others: Vec<_> = (0..600).map(|i| contact(format!("c@d{i}.example"))).collect();
    let more = hang(&slots, &clock, &others, Urgency::StatusUpdate);
    assert_eq!(held.len() + more.len(), SLOTS / 4);
    assert!(slots.take(&contact("jo@other.example"), CRIT).is_some());
}

#[test]
fn p13_a_burst_of_one_side_is_over_after_a_second() {
    let clock = clock();
    let slots = Slots::new(SLOTS, Arc::new(clock.clone()));
    let burst: Vec<_> =
        (0..SLOTS).filter_map(|i| slots.take(&contact(format!("c{i}@example.org")), CRIT)).collect();
    assert_eq!(burst.len(), SLOTS / 8);
    assert!(slots.take(&contact("jo@example.org"), CRIT).is_none());
    assert_eq!(slots.relief(), Some(PROMPT));
    clock.advance(PROMPT);
    assert!(slots.take(&contact("jo@example.org"), CRIT).is_some());
}

#[test]
fn what_is_given_back_is_free_again() {
    let clock = clock();
    let slots = Slots::new(SLOTS, Arc::new(clock.clone()));
    let contacts: Vec<_> = (0..SLOTS).map(|i| contact(format!("c@d{}.example", i % 40))).collect();
    for _ in 0..3 {
        let held = hang(&slots, &clock, &contacts, CRIT);
        assert!(!held.is_empty());
        drop(held);
        let taken = lock(&slots.taken);
        assert_eq!((taken.all.all(), taken.by_remote.len(), taken.fresh.len()), (0, 0, 0));
    }
}

#[cfg(feature = "runner")]
#[test]
fn what_is_promised_is_what_can_be_taken() {
    let clock = clock();
    let slots = Slots::new(64, Arc::new(clock.clone()));
    let contacts: Vec<_> = (0..400).map(|i| contact(format!("c{}@d{}.example", i % 7, i % 11))).collect();
    let _held: Vec<_> = contacts.iter().step_by(9).filter_map(|to| slots.take(to, CRIT)).collect();
    clock.advance(PROMPT);
    let mut promised = Vec::new();
    {
        let mut offer = slots.offer();
        promised.extend(contacts.iter().filter(|to| offer.promise(to, CRIT, Ride::Single) == Room::Free));
    }
    let taken: Vec<_> =
        contacts.iter().filter_map(|to| slots.take(to, CRIT).map(|slot| (to, slot))).collect();
    assert!(!promised.is_empty());
    assert_eq!(promised, taken.iter().map(|(to, _)| *to).collect::<Vec<_>>());
}
