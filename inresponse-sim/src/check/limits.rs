//! Checks P9 of limits: a limit loses nothing, and holds no CRIT alert back from a person who has no other way.

use inresponse_core::model::{Contact, DeliveryStatus, Level, PersonId, Purpose, Severity};
use inresponse_core::store::Record;

use super::{Checker, at, compared};
use crate::history::{Sent, Told};

impl Checker<'_> {
    pub(super) fn limits(&self) {
        for sent in self.history.sends.iter().filter(|sent| sent.told == Some(Told::Limited)) {
            self.compared.borrow_mut().push(compared::LIMITED);
            if sent.is_status_update() {
                continue;
            }
            self.only_with_another_way(sent);
            self.next_way_is_taken(sent);
        }
        self.limits_are_kept();
    }

    /// A delivery may end as limited only if every person whom it would have reached got a message of the same level
    /// another way.
    pub(super) fn is_rightly_limited(
        &self,
        record: &Record,
        level: Level,
        contact: &Contact,
        after: u64,
    ) -> bool {
        let incident = &record.incident;
        let is_limited = incident.deliveries().iter().any(|d| {
            (d.key().round, d.key().purpose) == (incident.round(), Purpose::Alert(level))
                && (d.contact(), d.after().as_secs()) == (contact, after)
                && matches!(d.status(), DeliveryStatus::Limited { .. })
        });
        let sends = || self.sends.get(&record.number()).into_iter().flatten().map(|i| self.sent(*i));
        let of_level = |sent: &&Sent| sent.round == incident.round() && sent.purpose == Purpose::Alert(level);
        let was_held = sends()
            .filter(of_level)
            .any(|sent| (&sent.contact, sent.after) == (contact, after) && sent.told == Some(Told::Limited));
        let people = self.people_at(record, level, contact);
        let is_reached = |person: &PersonId| {
            sends().filter(of_level).any(|sent| {
                sent.arrived.is_some() && self.people_at(record, level, &sent.contact).contains(person)
            })
        };
        is_limited && was_held && !people.is_empty() && people.iter().all(is_reached)
    }

    /// The people who are reached at an address of a level.
    fn people_at(&self, record: &Record, level: Level, contact: &Contact) -> Vec<PersonId> {
        let all = record.incident.matrix().recipients().iter();
        let theirs = all.filter(|one| one.level == Some(level) && one.contact == *contact);
        theirs.map(|one| one.person.clone()).collect()
    }

    /// A CRIT alert is held back only if its person has another address in the level.
    fn only_with_another_way(&self, sent: &Sent) {
        let (Some(record), Some(level)) = (self.last.get(&sent.number), sent.purpose.level()) else { return };
        let incident = &record.incident;
        let stayed = self.updates_of(sent.number).iter().all(|call| call.update.severity.is_none())
            && !self.may_be_raised(sent.number, 0, self.history.ended_at);
        if incident.round() != sent.round || incident.severity() != Severity::Crit || !stayed {
            return;
        }
        let ways = incident.matrix().recipients().iter().filter(|one| one.level == Some(level));
        let has_two = |person: &PersonId| {
            let theirs = ways.clone().filter(|one| one.person == *person);
            let mut steps = theirs.flat_map(|one| {
                let all = incident.matrix().steps(level, Severity::Crit);
                all.into_iter().filter(|(contact, _)| **contact == one.contact).collect::<Vec<_>>()
            });
            steps.nth(1).is_some()
        };
        let people = self.people_at(record, level, &sent.contact);
        if people.is_empty() || !people.iter().all(has_two) {
            let text = format!("{} is CRIT and was held back at {}", sent.delivery, at(sent.began));
            self.violated(9, text);
        }
    }

    /// If a limit ends a delivery, the person's next step is due at once.
    fn next_way_is_taken(&self, sent: &Sent) {
        let (Some(record), Some(level)) = (self.last.get(&sent.number), sent.purpose.level()) else { return };
        let incident = &record.incident;
        let (Some(ended), Some((person, _))) = (sent.ended, &sent.person) else { return };
        let is_it = |contact: &Contact, after: u64| (contact, after) == (&sent.contact, sent.after);
        let is_over = incident.deliveries().iter().any(|d| {
            (d.key().round, d.key().purpose) == (sent.round, sent.purpose)
                && is_it(d.contact(), d.after().as_secs())
                && matches!(d.status(), DeliveryStatus::Limited { .. })
                && d.attempts() == sent.attempt
        });
        if incident.round() != sent.round || !is_over {
            return;
        }
        let steps = incident.matrix().steps(level, incident.severity());
        let theirs = |contact: &Contact| self.people_at(record, level, contact) == [person.clone()];
        let next = steps.into_iter().filter(|(c, after)| theirs(c) && after.as_secs() > sent.after);
        let Some((contact, after)) = next.min_by_key(|(_, after)| *after) else { return };
        let target = (sent.number, sent.round, sent.purpose, contact.clone(), after.as_secs());
        let deadline = ended + self.margin();
        let first = self.targets.get(&target).and_then(|sends| sends.first()).map(|i| self.sent(*i).began);
        // A level has the steps of the severity with which it began.
        let begun = self.said_to_begin(sent.number, sent).into_iter().min().unwrap_or(0);
        let free = self.is_quiet(sent.began, deadline)
            && self.is_open(sent.number, sent.began, deadline)
            && self.has_its_severity(sent.number, begun.saturating_sub(self.margin()))
            && deadline < self.history.ended_at
            && !self.is_crowded(contact, sent.began, deadline);
        if free && first.is_none_or(|first| first > deadline) {
            let text = format!(
                "{} was limited at {}, and {contact} was not taken by {}",
                sent.delivery,
                at(ended),
                at(deadline)
            );
            self.violated(9, text);
        }
    }

    /// No address gets more than the limit, but for CRIT alerts. Clocks that were set count wrongly.
    fn limits_are_kept(&self) {
        let Some((most, within)) = self.scenario.limit else { return };
        if !self.clocks_stand(0, self.history.ended_at) {
            return;
        }
        // Counts have whole seconds, and servers' clocks differ.
        let within =
            crate::world::micros(within).saturating_sub(2 * self.apart(0) + 2 * crate::world::SECOND);
        let is_crit = |sent: &Sent| {
            self.last.get(&sent.number).is_none_or(|record| record.incident.severity() == Severity::Crit)
        };
        let counts = |sent: &&Sent| sent.arrived.is_some() && sent.told == Some(Told::Accepted);
        let mut by_contact = std::collections::BTreeMap::<&Contact, Vec<&Sent>>::new();
        for sent in self.history.sends.iter().filter(counts) {
            by_contact.entry(&sent.contact).or_default().push(sent);
        }
        for (contact, sends) in by_contact {
            let was_changed =
                |sent: &Sent| self.updates_of(sent.number).iter().any(|call| call.update.severity.is_some());
            let plain = |sent: &Sent| !is_crit(sent) && !was_changed(sent);
            for (i, last) in sends.iter().enumerate().filter(|(_, sent)| plain(sent)) {
                let before = sends[..i].iter().filter(|sent| sent.began + within > last.began);
                if before.count() >= most as usize {
                    let text = format!("{contact} got more than {most} messages by {}", at(last.began));
                    self.violated(9, text);
                }
            }
        }
    }
}
