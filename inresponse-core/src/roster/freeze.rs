//! Freezes whom the levels of a round alert, and when, as people's rules say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::on_duty::OnDuty;
use super::shifts::Who;
use super::{Book, Profile, RuleFor};
use crate::model::{
    Contact, Level, Matrix, MethodName, PersonId, Recipient, Severity, StatusUpdates, TimedStep, Timing,
};

/// Who is alerted in a round, and when.
pub(super) struct Frozen {
    pub(super) levels: Vec<Vec<Contact>>,
    pub(super) fallback: Vec<Contact>,
    recipients: Vec<Recipient>,
    timing: Timing,
    choices: Vec<(u16, StatusUpdates)>,
    cut: BTreeMap<Severity, u32>,
}

/// The approximate number of bytes that addresses and names of people may take in a record. Only a round with very long
/// addresses needs more; it gets fewer alerts (promise 7).
const MAX_BYTES: usize = 12 * 1024;

impl Frozen {
    /// Adds people and times to a matrix of these levels.
    pub(super) fn complete(self, matrix: Matrix) -> Matrix {
        let matrix = matrix.reaching(self.recipients).choosing(self.choices);
        matrix.timed(self.timing).without(self.cut)
    }
}

/// Freezes the levels and the fallback of a round.
///
/// A round has at most [`Matrix::MAX_CONTACTS`] alerts for each severity. If there are more, the latest steps are cut
/// first, but each level keeps its first alert (promises 7 and 12).
pub(super) fn freeze(levels: &[Vec<OnDuty>], fallback: &[OnDuty], book: &Book) -> Frozen {
    let round = Round::new(levels, fallback, book);
    let mut kept = Kept::default();
    if !round.has_rules() {
        let cut = kept.keep(&round.planned(Severity::Crit)).1;
        let mut frozen = round.places(&kept);
        frozen.cut =
            Severity::ALL.into_iter().map(|severity| (severity, cut)).filter(|(_, n)| *n > 0).collect();
        return frozen;
    }
    // The worst severity comes first, because it has the best claim to the room.
    let plans = Severity::ALL.into_iter().rev().map(|severity| {
        let plan = round.planned(severity);
        let (alerts, cut) = kept.keep(&plan);
        (severity, plan, alerts, cut)
    });
    let plans: Vec<_> = plans.collect();
    let mut frozen = round.places(&kept);
    let timed = |(severity, plan, alerts, _): &(Severity, Vec<Planned<'_>>, Alerts<'_>, u32)| {
        (*severity, frozen.timed(plan, alerts))
    };
    let steps: BTreeMap<Severity, Vec<TimedStep>> = plans.iter().map(timed).collect();
    if !frozen.is_plain(&steps) {
        frozen.timing = Timing::new(steps);
    }
    let cut = plans.into_iter().map(|(severity, _, _, cut)| (severity, cut));
    frozen.cut = cut.filter(|(_, cut)| *cut > 0).collect();
    frozen
}

/// The alerts of a severity that are kept.
type Alerts<'a> = BTreeSet<(Level, &'a Contact, Duration)>;

/// One alert: a contact of a level, and how long after the level's beginning it is alerted.
#[derive(Debug, Clone, Copy)]
struct Planned<'a> {
    level: Level,
    contact: &'a Contact,
    after: Duration,
    person: Option<(&'a PersonId, &'a MethodName)>,
}

impl<'a> Planned<'a> {
    fn key(&self) -> (Level, &'a Contact, Duration) {
        (self.level, self.contact, self.after)
    }
}

struct Round<'a> {
    levels: Vec<(Level, &'a [OnDuty])>,
    book: &'a Book,
}

impl<'a> Round<'a> {
    fn new(levels: &'a [Vec<OnDuty>], fallback: &'a [OnDuty], book: &'a Book) -> Self {
        let numbered = (1..).map(Level::At).zip(levels.iter().map(Vec::as_slice));
        Self { levels: numbered.chain([(Level::Fallback, fallback)]).collect(), book }
    }

    fn profile(&self, on_duty: &OnDuty) -> Option<&'a Profile> {
        match &on_duty.who {
            Who::Person(person) => self.book.person(person).map(|profile| &**profile),
            Who::Contact(_) => None,
        }
    }

    fn has_rules(&self) -> bool {
        let mut people = self.levels.iter().flat_map(|(_, people)| people.iter());
        people.any(|on_duty| self.profile(on_duty).is_some_and(|profile| !profile.rules().is_empty()))
    }

    /// All alerts for incidents of a severity, level by level.
    fn planned(&self, severity: Severity) -> Vec<Planned<'a>> {
        let mut planned = Vec::new();
        for (level, people) in &self.levels {
            for on_duty in *people {
                let alert = |contact, after, person| Planned { level: *level, contact, after, person };
                let person = match &on_duty.who {
                    Who::Contact(contact) => {
                        planned.push(alert(contact, Duration::ZERO, None));
                        continue;
                    }
                    Who::Person(person) => person,
                };
                let rules = self.profile(on_duty).map(Profile::rules);
                let rule = rules.and_then(|rules| {
                    rules.get(&RuleFor::Severity(severity)).or_else(|| rules.get(&RuleFor::Default))
                });
                let method = |name: &MethodName| on_duty.methods.iter().find(|(method, _)| method == name);
                match rule {
                    None => planned.extend(
                        on_duty
                            .methods
                            .iter()
                            .map(|(method, contact)| alert(contact, Duration::ZERO, Some((person, method)))),
                    ),
                    Some(steps) => {
                        let steps = steps.iter().flat_map(|step| {
                            let methods = step.methods.iter().filter_map(method);
                            methods
                                .map(|(method, contact)| alert(contact, step.after, Some((person, method))))
                        });
                        let mut steps: Vec<_> = steps.collect();
                        // The person stopped the methods of the steps before: the next one is due at once.
                        let first = steps.iter().map(|step| step.after).min();
                        for step in steps.iter_mut().filter(|step| Some(step.after) == first) {
                            step.after = Duration::ZERO;
                        }
                        // A rule of nothing but stopped methods does not leave the others unused.
                        if steps.is_empty() {
                            steps.extend(on_duty.methods.iter().map(|(method, contact)| {
                                alert(contact, Duration::ZERO, Some((person, method)))
                            }));
                        }
                        planned.extend(steps);
                    }
                }
            }
        }
        planned
    }

    /// The contacts and the people of the alerts that were kept.
    fn places(&self, kept: &Kept<'a>) -> Frozen {
        let mut recipients: Vec<Recipient> = Vec::new();
        let mut levels: Vec<Vec<Contact>> = Vec::new();
        for (level, people) in &self.levels {
            let mut contacts: Vec<Contact> = Vec::new();
            for on_duty in *people {
                for contact in on_duty.contacts() {
                    if kept.contacts.contains(&(*level, &contact)) && !contacts.contains(&contact) {
                        contacts.push(contact);
                    }
                }
                let Who::Person(person) = &on_duty.who else { continue };
                for (method, contact) in &on_duty.methods {
                    if kept.people.contains(&(*level, contact, person, method)) {
                        recipients.push(Recipient {
                            level: Some(*level),
                            contact: contact.clone(),
                            person: person.clone(),
                            method: method.clone(),
                        });
                    }
                }
            }
            levels.push(contacts);
        }
        let fallback = levels.pop().unwrap_or_default();
        let choice = |one: &Recipient| self.book.person(&one.person)?.status_updates();
        let choices = (0..).zip(&recipients).filter_map(|(place, one)| Some((place, choice(one)?))).collect();
        let (timing, cut) = (Timing::default(), BTreeMap::new());
        Frozen { levels, fallback, recipients, timing, choices, cut }
    }
}

/// The alerts that are kept.
#[derive(Default)]
struct Kept<'a> {
    contacts: BTreeSet<(Level, &'a Contact)>,
    people: BTreeSet<(Level, &'a Contact, &'a PersonId, &'a MethodName)>,
    bytes: usize,
}

impl<'a> Kept<'a> {
    /// Keeps as many alerts of a severity as there is room for. Returns them, and how many are left out.
    fn keep(&mut self, plan: &[Planned<'a>]) -> (Alerts<'a>, u32) {
        let mut by_alert: BTreeMap<(Level, &'a Contact, Duration), Vec<&Planned<'a>>> = BTreeMap::new();
        let (mut order, mut first) = (Vec::new(), BTreeMap::new());
        for planned in plan {
            let sharing = by_alert.entry(planned.key()).or_default();
            if sharing.is_empty() {
                order.push(planned.key());
            }
            sharing.push(planned);
            let earliest = first.entry(planned.level).or_insert_with(|| planned.key());
            if planned.after < earliest.2 {
                *earliest = planned.key();
            }
        }
        let is_first = |key: &(Level, &Contact, Duration)| first.get(&key.0) == Some(key);
        // Sorting is stable: levels, and contacts of a level, keep their order.
        order.sort_by_key(|key| (!is_first(key), key.2));
        let (mut alerts, mut entries) = (BTreeSet::new(), 0);
        for key in &order {
            let sharing = &by_alert[key];
            let bytes = sharing.iter().map(|planned| self.bytes_of(planned)).sum::<usize>();
            let has_room = alerts.len() < Matrix::MAX_CONTACTS
                && entries + sharing.len() <= Timing::MAX_ENTRIES
                && self.bytes + bytes <= MAX_BYTES;
            // A level keeps its first alert. If the addresses are very long, that of a worse severity does.
            let has_other = self.contacts.iter().any(|(level, _)| *level == key.0);
            match (has_room, is_first(key)) {
                (false, true) if has_other => continue,
                (false, false) => break,
                (true, _) | (false, true) => {}
            }
            // Of many people who share an address, a few are named.
            let named = if has_room { sharing.len() } else { 1 };
            self.bytes += bytes;
            entries += named;
            alerts.insert(*key);
            self.contacts.insert((key.0, key.1));
            for planned in &sharing[..named] {
                let person = planned.person.map(|(person, method)| (key.0, key.1, person, method));
                self.people.extend(person);
            }
        }
        let left_out = u32::try_from(order.len() - alerts.len()).unwrap_or(u32::MAX);
        (alerts, left_out)
    }

    /// What an alert adds to the record.
    fn bytes_of(&self, planned: &Planned<'a>) -> usize {
        let Planned { level, contact, person, .. } = planned;
        let is_new = !self.contacts.contains(&(*level, *contact));
        let address = if is_new { contact.as_str().len() + 3 } else { 0 };
        let person =
            person.filter(|(person, method)| !self.people.contains(&(*level, *contact, *person, *method)));
        let person = person.map_or(0, |(person, method)| {
            60 + contact.as_str().len() + person.as_str().len() + method.as_str().len()
        });
        address + person
    }
}

impl Frozen {
    /// The steps of a severity that are kept, by their places.
    fn timed(&self, plan: &[Planned<'_>], alerts: &Alerts<'_>) -> Vec<TimedStep> {
        let kept = plan.iter().filter(|planned| alerts.contains(&planned.key()));
        let mut steps: Vec<TimedStep> = kept.filter_map(|planned| self.step(planned)).collect();
        let levels = (1..).map(Level::At).zip(&self.levels).chain([(Level::Fallback, &self.fallback)]);
        for (level, contacts) in levels {
            let Some(first) = contacts.first() else { continue };
            if !steps.iter().any(|step| step.level == level) {
                let is_this = |one: &Recipient| one.level == Some(level) && one.contact == *first;
                let recipient = self.recipients.iter().position(is_this);
                let recipient = recipient.and_then(|i| u16::try_from(i).ok());
                steps.push(TimedStep { level, after: Duration::ZERO, place: 0, recipient });
            }
        }
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    fn step(&self, planned: &Planned<'_>) -> Option<TimedStep> {
        let Planned { level, contact, after, person } = *planned;
        let contacts = match level {
            Level::At(n) => self.levels.get(usize::from(n).checked_sub(1)?)?,
            Level::Fallback => &self.fallback,
        };
        let place = u16::try_from(contacts.iter().position(|one| one == contact)?).ok()?;
        let recipient = match person {
            None => None,
            Some((person, method)) => {
                let is_this = |one: &Recipient| {
                    one.level == Some(level) && one.person == *person && one.method == *method
                };
                Some(u16::try_from(self.recipients.iter().position(is_this)?).ok()?)
            }
        };
        Some(TimedStep { level, after, place, recipient })
    }

    /// Whether each severity alerts each contact when its level begins.
    fn is_plain(&self, steps: &BTreeMap<Severity, Vec<TimedStep>>) -> bool {
        let contacts = self.levels.iter().map(Vec::len).sum::<usize>() + self.fallback.len();
        steps.values().all(|steps| {
            let places: BTreeSet<_> = steps.iter().map(|step| (step.level, step.place)).collect();
            places.len() == contacts && steps.iter().all(|step| step.after.is_zero())
        })
    }
}
