//! Checks P23: each contact gets a few messages a minute, and the worst alerts come first in them.

use std::collections::{BTreeMap, BTreeSet};

use inresponse_core::model::Contact;

use super::{Checker, at, compared};
use crate::history::{Sent, Told};
use crate::world::{Micros, Process, SECOND};

const MINUTE: Micros = 60 * SECOND;
/// The maximum number of bundles in a minute beside those that follow a full one: 1, 2 and 4 s apart, then 5 s if a CRIT
/// waits; and two more, since slow leases shift the sends.
const BUNDLES: usize = 3 + 11 + 2;
/// The sizes of full bundles, also of those with deliveries of which attempts were lost.
const FULL: [usize; 4] = [500, 62, 7, 1];

impl<'a> Checker<'a> {
    pub(super) fn bundles(&self) {
        if self.scenario.singles == 0 {
            return;
        }
        let mut messages: BTreeMap<usize, Vec<&'a Sent>> = BTreeMap::new();
        for sent in self.history.sends.iter().filter(|sent| !sent.is_status_update()) {
            messages.entry(sent.message).or_default().push(sent);
        }
        let mut by_contact: BTreeMap<(Contact, Process), Vec<&[&'a Sent]>> = BTreeMap::new();
        for message in messages.values() {
            // While somebody has the incident, a person who is called in is alerted alone and at once.
            if message.len() == 1 && message[0].purpose.is_call_in() {
                continue;
            }
            if message.len() > 1 {
                self.compared.borrow_mut().push(compared::BUNDLE);
                self.is_in_order(message);
            }
            by_contact.entry((message[0].contact.clone(), message[0].process)).or_default().push(message);
        }
        for ((contact, _), messages) in by_contact {
            self.are_few(&contact, &messages);
        }
    }

    /// The worst alerts come first, all are for one contact, and none comes twice.
    fn is_in_order(&self, message: &[&Sent]) {
        let ids: BTreeSet<_> = message.iter().map(|sent| &sent.delivery).collect();
        let is_sorted = message.iter().map(|sent| std::cmp::Reverse(sent.severity)).is_sorted();
        let is_to_one = message.iter().all(|sent| sent.contact == message[0].contact);
        if !is_sorted || !is_to_one || ids.len() != message.len() {
            self.violated(23, format!("the bundle at {} is not in order", at(message[0].began)));
        }
    }

    /// A process sends a contact no more messages in a minute than pace allows.
    fn are_few(&self, contact: &Contact, messages: &[&[&Sent]]) {
        let singles = usize::try_from(self.scenario.singles).unwrap_or(usize::MAX);
        for (n, first) in messages.iter().enumerate() {
            let from = first[0].began;
            let within = messages[n..].iter().take_while(|message| message[0].began < from + MINUTE);
            // A full bundle is followed at once.
            let may_be_full = |message: &&&[&Sent]| {
                let told = message[0].told;
                let is_settled = matches!(told, Some(Told::Accepted | Told::Rejected));
                let was_lost = message.iter().any(|sent| sent.attempt > 1);
                is_settled && FULL.contains(&message.len()) && (message.len() > 1 || was_lost)
            };
            let (all, full) = (within.clone().count(), within.filter(may_be_full).count());
            if all > 2 * singles + BUNDLES + full {
                self.violated(23, format!("{contact} got {all} messages in the minute from {}", at(from)));
                return;
            }
        }
    }

    /// Whether a contact had got so many messages in the last minute, and waited for so many, that pacing may have held an
    /// alert in that time.
    pub(super) fn is_paced(&self, contact: &Contact, from: Micros, to: Micros) -> bool {
        let singles = usize::try_from(self.scenario.singles).unwrap_or(usize::MAX);
        if singles == 0 {
            return false;
        }
        let theirs = || self.history.sends.iter().filter(|sent| sent.contact == *contact);
        let lately = theirs().filter(|sent| sent.began <= to && sent.began + MINUTE + self.margin() >= from);
        let messages = lately.map(|sent| sent.message).collect::<BTreeSet<_>>().len();
        // What was tried before and was tried again later waits in the meantime.
        let begun: BTreeSet<_> = theirs().filter(|sent| sent.began < to).map(|sent| &sent.delivery).collect();
        let again = theirs().filter(|sent| sent.attempt > 1 && sent.began >= from);
        let waits: BTreeSet<_> =
            again.map(|sent| &sent.delivery).filter(|delivery| begun.contains(delivery)).collect();
        messages + waits.len() >= singles
    }
}
