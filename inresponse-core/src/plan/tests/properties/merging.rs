//! Outcomes that come in any order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::scene::{Scene, ended};
use super::super::{contacts, levels};
use super::script::Ends;
use crate::model::{Contact, Delivery, DeliveryStatus};
use crate::plan::{Dispatch, HoldNothing};

fn any_ends() -> impl Strategy<Value = Ends> {
    use Ends::{Accepted, Limited, NotBegun, Rejected, Throttled, Unavailable, Unknown};
    prop::sample::select(vec![Accepted, Rejected, Throttled, Limited, Unavailable, Unknown, NotBegun])
}

/// Three contacts with up to four attempts each whose processes died, and the final result of each attempt.
fn attempts() -> impl Strategy<Value = (Vec<Ends>, Vec<usize>, Vec<usize>)> {
    (1..=4usize).prop_flat_map(|attempts| {
        let all: Vec<usize> = (0..3 * attempts).collect();
        let order = || Just(all.clone()).prop_shuffle();
        (vec(any_ends(), 3 * attempts), order(), order())
    })
}

/// The deliveries after the outcomes have come in that order, all at the same time.
fn merged(scene: &Scene, sends: &[Dispatch], ends: &[Ends], order: &[usize]) -> Vec<Delivery> {
    let mut scene = scene.clone();
    for i in order {
        let Dispatch { delivery, attempt, .. } = sends[*i];
        let outcome = ends[*i].outcome();
        for _ in 0..2 {
            _ = scene.try_step(ended(delivery, attempt, outcome.as_ref()));
        }
    }
    scene.incident.deliveries().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn outcomes_merge_in_any_order_and_accepted_wins((ends, one, other) in attempts()) {
        let mut scene = Scene::crit(levels(&["a b c"]));
        let mut sends = Vec::new();
        for attempt in 0..ends.len() / 3 {
            scene.at(attempt as i64 * 30);
            sends.extend(scene.lease(&HoldNothing));
        }
        prop_assert_eq!(sends.len(), ends.len());
        let (one, other) = (merged(&scene, &sends, &ends, &one), merged(&scene, &sends, &ends, &other));
        for (place, (one, other)) in one.iter().zip(&other).enumerate() {
            let of_this = |i: &usize| i % 3 == place;
            let accepted = (0..ends.len()).filter(of_this).any(|i| ends[i] == Ends::Accepted);
            prop_assert_eq!(one.is_accepted(), accepted);
            prop_assert_eq!(one.status(), other.status());
            if !accepted {
                // Without an acceptance, it is the last attempt that counts.
                let last = ends[ends.len() - 3 + place];
                let dead = last == Ends::Rejected;
                prop_assert_eq!(one.is_dead(), dead);
                prop_assert_eq!(matches!(one.status(), DeliveryStatus::Pending { .. }), !dead);
            }
        }
    }

    #[test]
    fn p07_a_contact_is_read_as_it_was_stored(text in "[a-zA-ZİΣß\u{307}@:.+\"\\\\ -]{0,24}", long in 0..270usize) {
        let padded = format!("{}{text}", "l".repeat(long));
        for text in [text, padded] {
            if let Ok(contact) = Contact::new(&text) {
                prop_assert_eq!(Contact::new(contact.as_str()), Ok(contact));
            }
        }
    }
}

#[test]
fn p07_a_contact_of_any_length_is_read_as_it_was_stored() {
    for length in 1..300 {
        let mail = format!("{}@x.org", "l".repeat(length));
        if let Ok(contact) = Contact::new(&mail) {
            assert_eq!(Contact::new(contact.as_str()), Ok(contact), "{length}");
        }
    }
    let dotted = Contact::new("jo@İ.org").unwrap();
    assert_eq!(Contact::new(dotted.as_str()), Ok(dotted), "in lower case it has a mark of its own");
    assert_eq!(contacts("a").len(), 1);
}
