//! Checks P19: the steps of people's rules come in time: not early, not late, and at once after the dead.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use inresponse_core::model::{Contact, IncidentNumber, Level, PersonId, Purpose};
use inresponse_core::store::Record;

use super::{Checker, at, compared};
use crate::history::{Sent, Told};
use crate::world::{Micros, SECOND};

/// The alerts of one level of one round, in order.
struct Begun<'a> {
    number: IncidentNumber,
    round: u32,
    level: Level,
    sends: Vec<&'a Sent>,
}

impl<'a> Checker<'a> {
    pub(super) fn steps(&self) {
        let mut levels = BTreeMap::<(IncidentNumber, u32, Level), Vec<&'a Sent>>::new();
        for (number, sends) in &self.sends {
            for sent in sends.iter().map(|i| self.sent(*i)) {
                if let Some(level) = sent.purpose.level() {
                    levels.entry((*number, sent.round, level)).or_default().push(sent);
                }
            }
        }
        for ((number, round, level), sends) in levels {
            let begun = Begun { number, round, level, sends };
            self.no_step_is_early(&begun);
            let record = self.last.get(&number).copied();
            if let Some(record) = record.filter(|record| record.incident.round() == round) {
                self.no_step_is_late(&begun, record);
                self.the_dead_hasten(&begun, record);
            }
        }
    }

    /// "A step is due `afterSeconds` after its level began, or began again." Only a person whose steps so far are all
    /// dead gets the next one sooner.
    fn no_step_is_early(&self, begun: &Begun<'a>) {
        let Some(one) = begun.sends.first() else { return };
        let mut seen = BTreeSet::new();
        for step in begun.sends.iter().filter(|sent| sent.after > 0) {
            if !seen.insert(&step.delivery) {
                continue;
            }
            let after = step.after * SECOND;
            let slack = SECOND + self.slow(one) + self.slow(step) + self.apart(step.began);
            let passed = step.wall - one.wall + TimeDelta::microseconds(i64::try_from(slack).unwrap_or(0));
            // The level has begun even if a slow store keeps another server from its first sends.
            let said = self.said_to_begin(begun.number, one).into_iter().min().filter(|_| one.after > 0);
            let is_early = match said {
                Some(said) => step.began + slack < said + after,
                None => passed < TimeDelta::seconds(i64::try_from(step.after).unwrap_or(i64::MAX)),
            };
            self.compared.borrow_mut().push(compared::STEP);
            if !is_early || self.is_hastened(begun, step) || self.died_by_expiry(begun.number, one) {
                continue;
            }
            // The level may have begun before its first send: under a lease that was lost, or without a free slot.
            let lost = one.attempt > 1 || self.began_in_part(begun.number, one);
            let began = step.began.saturating_sub(after);
            let mut times = self.said_to_begin(begun.number, one);
            times.push(began);
            let crowded = times.iter().any(|time| {
                let in_demand =
                    |sent: &&Sent| self.is_in_demand(&sent.contact, time.saturating_sub(slack), time + slack);
                begun.sends.iter().copied().filter(|sent| sent.after == 0).all(|sent| in_demand(&sent))
            });
            let since = began.min(one.began).saturating_sub(slack + self.lease());
            let clocks = self.clocks_stand(since, step.began) && self.clocks_agree(step.began);
            if lost || crowded || !clocks {
                continue;
            }
            let text = format!(
                "{} was sent at {}, but its level began at {} and its step is {} s later",
                step.delivery,
                at(step.began),
                at(one.began),
                step.after
            );
            self.violated(19, text);
        }
    }

    /// Whether everything that this person was sent of the level before was rejected, or a limit held something back.
    fn is_hastened(&self, begun: &Begun<'a>, step: &Sent) -> bool {
        let is_held_back = |sent: &&Sent| {
            sent.told == Some(Told::Limited) && sent.ended.is_some_and(|ended| ended <= step.began)
        };
        if begun.sends.iter().copied().any(|sent| is_held_back(&sent) && sent.delivery != step.delivery) {
            return true;
        }
        let Some((person, _)) = &step.person else { return false };
        let is_theirs = |sent: &&&Sent| {
            sent.person.as_ref().is_some_and(|(one, _)| one == person) && sent.delivery != step.delivery
        };
        // What is due together with the step may have been accepted, while the step waited for its message.
        let before = begun.sends.iter().filter(is_theirs);
        let before = before.filter(|sent| sent.after < step.after && sent.began < step.began);
        let ids: BTreeSet<_> = before.map(|sent| &sent.delivery).collect();
        // A delivery whose process died five times is dead too, also if a later round has replaced it in the record.
        let is_dead = |id: &&String| {
            begun.sends.iter().filter(|sent| sent.delivery == **id).any(|sent| {
                let is_refused = sent.told == Some(Told::Rejected);
                (is_refused && sent.ended.is_some_and(|ended| ended <= step.began))
                    || (sent.attempt >= 5 && sent.told.is_none() && sent.began < step.began)
            })
        };
        !ids.is_empty() && ids.iter().all(is_dead)
    }

    /// Whether nothing explains that a step of a level comes late.
    fn must_come(&self, begun: &Begun<'a>, contact: &Contact, from: Micros, deadline: Micros) -> bool {
        // The level may have begun before its first send, without a free slot, by the rules of an earlier severity.
        let said = begun.sends.first().map(|one| self.said_to_begin(begun.number, one));
        let began = said.into_iter().flatten().fold(from, Micros::min);
        self.is_quiet(from, deadline)
            && self.is_open(begun.number, from, deadline)
            && self.has_its_severity(begun.number, began.saturating_sub(SECOND))
            && deadline < self.history.ended_at
            && !self.is_crowded(contact, from, deadline)
    }

    fn first_send(&self, begun: &Begun<'a>, contact: &Contact, after: Duration) -> Option<&'a Sent> {
        let purpose = Purpose::Alert(begun.level);
        let target = (begun.number, begun.round, purpose, contact.clone(), after.as_secs());
        self.targets.get(&target).and_then(|sends| sends.first()).map(|i| self.sent(*i))
    }

    fn no_step_is_late(&self, begun: &Begun<'a>, record: &Record) {
        let Some(one) = begun.sends.first() else { return };
        let (matrix, severity) = (record.incident.matrix(), record.incident.severity());
        for (contact, after) in matrix.steps(begun.level, severity) {
            let deadline = one.began + after.as_secs() * SECOND + self.margin();
            let is_there = self.first_send(begun, contact, after).is_some_and(|sent| sent.began <= deadline);
            if !is_there && self.must_come(begun, contact, one.began, deadline) {
                let text = format!(
                    "{contact} of level {} was not alerted for {} by {}, {} s after the level",
                    begun.level,
                    begun.number,
                    at(deadline),
                    after.as_secs()
                );
                self.violated(19, text);
            }
        }
    }

    /// "If all of a person's steps so far are dead, the next is due at once."
    fn the_dead_hasten(&self, begun: &Begun<'a>, record: &Record) {
        let Some(one) = begun.sends.first() else { return };
        let (matrix, severity) = (record.incident.matrix(), record.incident.severity());
        let mut people = BTreeMap::<&PersonId, Vec<(Duration, &Contact)>>::new();
        for (contact, after) in matrix.steps(begun.level, severity) {
            if let Some(recipient) = matrix.recipient_after(begun.level, contact, after, severity) {
                people.entry(&recipient.person).or_default().push((after, contact));
            }
        }
        for steps in people.into_values() {
            let times: BTreeSet<_> = steps.iter().map(|(after, _)| *after).collect();
            for next in times.iter().skip(1) {
                let mut so_far = steps.iter().filter(|(after, _)| after < next);
                let died = so_far.try_fold(0, |died, (after, contact)| {
                    let first = self.first_send(begun, contact, *after)?;
                    let mut sends = begun.sends.iter().filter(|sent| sent.delivery == first.delivery);
                    let rejected = sends.find(|sent| sent.told == Some(Told::Rejected))?;
                    Some(rejected.ended?.max(died))
                });
                let Some(died) = died else { break };
                for (after, contact) in steps.iter().filter(|(after, _)| after == next) {
                    let deadline = died + self.margin();
                    let is_there =
                        self.first_send(begun, contact, *after).is_some_and(|sent| sent.began <= deadline);
                    self.compared.borrow_mut().push(compared::HASTENED);
                    if !is_there && self.must_come(begun, contact, one.began, deadline) {
                        let text = format!(
                            "{contact} of level {} was not alerted for {} by {}, although all earlier steps are dead",
                            begun.level,
                            begun.number,
                            at(deadline)
                        );
                        self.violated(19, text);
                    }
                }
            }
        }
    }
}
