//! The promises as sentences about a trace.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::super::LEASE;
use super::script::{Ends, scenario};
use super::world::{Did, Trace, World, seconds};
use crate::model::{Delivery, DeliveryKey, Incident, Level, Origin, Severity, State, Version};
use crate::plan::{self, Draft, HoldNothing, Input, MAX_EXPIRED, StateChange};
use crate::store::Record;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn p05_states_change_along_their_edges_and_by_people_only(scenario in scenario()) {
        states(&World::play(&scenario));
    }

    #[test]
    fn p07_the_timeline_folds_to_the_incident_and_the_record_reads_as_written(scenario in scenario()) {
        let trace = World::play(&scenario);
        timeline(&trace);
        record(trace.last());
    }

    #[test]
    fn p08_p12_no_level_is_alerted_early_but_after_the_dead(scenario in scenario()) {
        never_early(&World::play(&scenario));
    }

    #[test]
    fn p10_one_attempt_at_a_time_and_none_after_it_was_accepted(scenario in scenario()) {
        one_attempt_at_a_time(&World::play(&scenario));
    }

    #[test]
    fn p11_nothing_is_sent_unless_open_and_in_the_round(scenario in scenario()) {
        only_open(&World::play(&scenario));
    }

    #[test]
    fn p12_the_fallback_comes_once_and_masks_are_kept(scenario in scenario()) {
        fallback_and_masks(&World::play(&scenario));
    }

    #[test]
    fn p09_what_is_due_is_done_at_once_and_nothing_is_slept_past(scenario in scenario()) {
        due_times(&World::play(&scenario));
    }
}

/// P5, P22.
fn states(trace: &Trace) {
    use State::{Claimed, Open, Resolved};
    for (i, step) in trace.steps.iter().enumerate() {
        let (from, to) = (trace.before(i).state(), step.after.state());
        let edge = [(Open, Claimed), (Claimed, Open), (Open, Resolved), (Claimed, Resolved)];
        assert!(from == to || edge.contains(&(from, to)), "{from} to {to}");
        let request = match &step.did {
            Did::Request { update, .. } => update.state.as_ref(),
            _ => None,
        };
        let by_request = request.is_some_and(|request| request.to() == to);
        assert!(from == to || by_request || step.reopened, "{from} to {to} by {:?}", step.did);
        if step.reopened {
            let before = trace.before(i);
            let wait = TimeDelta::from_std(before.matrix().wait()).unwrap();
            let answer_by = before.handover().map(|handed| handed.at + wait);
            let mut ends = answer_by.into_iter().chain(last_snooze(trace, i));
            assert!(ends.any(|at| at <= step.now), "P22: early, or it is open again by itself");
            assert_eq!((step.after.round(), step.after.handover()), (trace.before(i).round() + 1, None));
            continue;
        }
        // A release or a hand-over to a team begins a new round; nothing else does but a repeat round.
        let released = step.begins_again();
        assert!(released || (from, to) != (Claimed, Open));
        let (old, new) = (trace.before(i).round(), step.after.round());
        if released {
            assert_eq!((new, plan::due_at(&step.after)), (old + 1, first_due(&step.after, step.now)));
        } else if new != old {
            assert!(matches!(step.did, Did::Due { .. }) && from == Open);
        }
    }
}

/// When the claim ends that step `i` finds, if somebody has snoozed it.
fn last_snooze(trace: &Trace, i: usize) -> Option<DateTime<Utc>> {
    let snooze = trace.steps[..i].iter().rev().find_map(|step| match &step.did {
        Did::Request { update, .. } if step.changed => match update.state {
            Some(StateChange::Snooze(time)) => Some(step.now + time),
            _ => None,
        },
        _ => None,
    });
    snooze.filter(|_| trace.before(i).state() == State::Claimed)
}

/// A new round is due at once, but for a severity that alerts nobody.
fn first_due(incident: &Incident, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (!incident.matrix().records_only(incident.severity())).then_some(now)
}

fn timeline(trace: &Trace) {
    for i in 0..=trace.steps.len() {
        let incident = trace.before(i);
        let standing = incident.timeline().fold().expect("an opening");
        assert_eq!(standing.state, incident.state());
        assert_eq!(standing.severity, incident.severity());
        assert_eq!(standing.claimed_by.as_ref(), incident.claimed().map(|claimed| &claimed.by));
        assert_eq!(standing.round, incident.round());
        if let Some(i) = i.checked_sub(1) {
            // Append-only: what was there stays, unless it was folded.
            let (old, new) = (trace.before(i).timeline().entries(), incident.timeline().entries());
            assert!(new.starts_with(old), "{old:?} became {new:?}");
        }
    }
}

fn record(incident: &Incident) {
    let draft = Draft::new(incident.clone());
    let read = Record::decode(&draft.body(), Version::FIRST, 1, incident.created_at()).unwrap();
    assert_eq!(&read.incident, incident);
    assert_eq!(Draft::new(read.incident), draft);
}

/// What is known of an incident's deliveries by nothing but what was sent and what came of it.
#[derive(Default)]
struct Known {
    /// The attempt that is under way, and until when its lease holds.
    flying: BTreeMap<DeliveryKey, (u32, DateTime<Utc>)>,
    attempts: BTreeMap<DeliveryKey, u32>,
    /// The attempts of each that were taken over and of which nothing was heard.
    expired: BTreeMap<DeliveryKey, BTreeSet<u32>>,
    accepted: BTreeSet<DeliveryKey>,
    dead: BTreeSet<DeliveryKey>,
    came_back: BTreeSet<DeliveryKey>,
    first_sends: BTreeMap<(u32, Level), DateTime<Utc>>,
    /// Levels that a person asked not to wait for.
    passed: BTreeSet<(u32, Level)>,
}

impl Known {
    /// Learns from step `i`, before its sends are looked at.
    fn learn(&mut self, trace: &Trace, i: usize) {
        let step = &trace.steps[i];
        match &step.did {
            Did::Outcome { send, ends } => {
                let current = self.flying.get(&send.delivery).is_some_and(|(n, _)| *n == send.attempt);
                if current {
                    self.flying.remove(&send.delivery);
                } else if let Some(expired) = self.expired.get_mut(&send.delivery) {
                    expired.remove(&send.attempt);
                }
                match ends {
                    _ if self.came_back.contains(&send.delivery) => {}
                    Ends::Accepted => {
                        self.flying.remove(&send.delivery);
                        self.dead.remove(&send.delivery);
                        self.accepted.insert(send.delivery);
                    }
                    Ends::Rejected if current => _ = self.dead.insert(send.delivery),
                    _ => {}
                }
            }
            Did::Request { update, .. } if step.changed && update.state == Some(StateChange::Escalate) => {
                let round = step.after.round();
                let begun = self.first_sends.keys().filter(|(r, _)| *r == round);
                self.passed.extend(begun.copied());
            }
            Did::Renewed { send } if step.changed => {
                let (attempt, until) = self.flying.get_mut(&send.delivery).expect("it is in flight");
                assert_eq!(*attempt, send.attempt);
                assert!(*until < step.now + LEASE, "no lease becomes shorter");
                *until = step.now + LEASE;
            }
            Did::Bounced(key) if step.changed => {
                self.flying.remove(key);
                self.accepted.remove(key);
                self.dead.insert(*key);
                self.came_back.insert(*key);
            }
            Did::Due { held, .. } if trace.before(i).state() == State::Open => {
                let before = trace.before(i);
                let over = |key: &DeliveryKey, until: DateTime<Utc>| {
                    let is_held = held.as_ref().is_some_and(|h| h.is_in_flight(*key));
                    until <= step.now && key.round == before.round() && !is_held
                };
                let ended: Vec<_> = self
                    .flying
                    .iter()
                    .filter(|(key, (_, until))| over(key, *until))
                    .map(|(key, (attempt, _))| (*key, *attempt))
                    .collect();
                for (key, attempt) in ended {
                    self.flying.remove(&key);
                    let expired = self.expired.entry(key).or_default();
                    expired.insert(attempt);
                    if expired.len() >= MAX_EXPIRED as usize {
                        self.dead.insert(key);
                    }
                }
            }
            _ => {}
        }
    }

    fn note_sends(&mut self, trace: &Trace, i: usize) {
        let step = &trace.steps[i];
        for send in &step.sends {
            self.flying.insert(send.delivery, (send.attempt, send.lease_until));
            self.attempts.insert(send.delivery, send.attempt);
            self.first_sends.entry((send.delivery.round, alerted(send.delivery))).or_insert(step.now);
        }
        let Did::Due { held: Some(held), .. } = &step.did else { return };
        // A level that no slot was free for has begun anyway.
        for delivery in step.after.deliveries().iter().filter(|d| held.lacks_slot(d.key())) {
            let (round, level) = (delivery.key().round, alerted(delivery.key()));
            let was_there = trace.before(i).deliveries().iter().any(|d| d.key() == delivery.key());
            if !was_there {
                self.first_sends.entry((round, level)).or_insert(step.now);
            }
        }
    }

    fn level_is_dead(&self, incident: &Incident, round: u32, level: Level) -> bool {
        let is_of_level = |key: &DeliveryKey| (key.round, alerted(*key)) == (round, level);
        let mut keys = incident.deliveries().iter().map(Delivery::key).filter(is_of_level);
        keys.all(|key| self.dead.contains(&key))
    }
}

/// The level of a delivery: no status updates are sent here.
fn alerted(key: DeliveryKey) -> Level {
    key.purpose.level().expect("an alert")
}

/// Looks at every step's sends with what is known until then.
fn each_step(trace: &Trace, mut look: impl FnMut(&Known, usize)) {
    let mut known = Known::default();
    for i in 0..trace.steps.len() {
        known.learn(trace, i);
        look(&known, i);
        known.note_sends(trace, i);
    }
}

fn never_early(trace: &Trace) {
    each_step(trace, |known, i| {
        let step = &trace.steps[i];
        let matrix = step.after.matrix();
        let wait = TimeDelta::from_std(matrix.wait()).unwrap();
        for send in &step.sends {
            let (round, level) = (send.delivery.round, alerted(send.delivery));
            if known.first_sends.contains_key(&(round, level)) {
                continue;
            }
            let below = |other: Level| {
                matches!((other, level), (Level::At(_), Level::Fallback))
                    || matches!((other, level), (Level::At(m), Level::At(n)) if m < n)
            };
            for ((_, lower), began) in known.first_sends.iter().filter(|((r, l), _)| *r == round && below(*l))
            {
                let early = step.now - (*began + wait) < TimeDelta::zero();
                assert!(
                    !early
                        || known.level_is_dead(&step.after, round, *lower)
                        || known.passed.contains(&(round, *lower)),
                    "level {level} at {}, {lower} began at {}",
                    seconds(step.now),
                    seconds(*began)
                );
            }
            // Not in the same breath either.
            let mut together = step.sends.iter().map(|send| alerted(send.delivery)).filter(|l| below(*l));
            let together = together.find(|lower| !known.first_sends.contains_key(&(round, *lower)));
            assert_eq!(together, None, "began together with level {level}");
        }
    });
}

fn one_attempt_at_a_time(trace: &Trace) {
    each_step(trace, |known, i| {
        let step = &trace.steps[i];
        let mut seen = BTreeSet::new();
        for send in &step.sends {
            let key = send.delivery;
            assert!(seen.insert(key), "twice in one step");
            assert!(!known.flying.contains_key(&key), "{key:?} is in flight");
            assert!(!known.accepted.contains(&key), "{key:?} was accepted");
            assert!(!known.dead.contains(&key), "{key:?} is dead");
            assert_eq!(send.attempt, known.attempts.get(&key).copied().unwrap_or_default() + 1);
            assert_eq!(send.lease_until, step.now + LEASE);
            let delivery = step.after.deliveries().iter().find(|d| d.key() == key).expect("a delivery");
            let steps = Severity::ALL.map(|of| step.after.matrix().steps(alerted(key), of));
            assert!(steps.iter().flatten().any(|of| *of == (&send.contact, delivery.after())));
            if let Did::Due { held: Some(held), .. } = &step.did {
                assert!(!held.holds(key), "{key:?} was held back");
            }
        }
    });
}

fn only_open(trace: &Trace) {
    for (i, step) in trace.steps.iter().enumerate() {
        let before = trace.before(i);
        if !step.sends.is_empty() {
            assert!(matches!(step.did, Did::Due { .. }));
            assert_eq!(step.after.state(), State::Open);
            assert!(before.state() == State::Open || step.reopened);
            assert!(
                step.sends
                    .iter()
                    .all(|send| (before.round()..=step.after.round()).contains(&send.delivery.round))
            );
        }
        if step.after.state() != State::Open {
            // For an answer, or for the end that somebody has set by a snooze.
            let claim_ends = plan::claim_ends_at(&step.after).is_some();
            assert_eq!(plan::due_at(&step.after).is_some(), claim_ends);
            assert!(
                matches!(step.did, Did::Outcome { .. } | Did::Request { .. } | Did::Repeat(_))
                    || claim_ends
                    || !step.changed,
                "{:?}",
                step.did
            );
        }
    }
}

fn fallback_and_masks(trace: &Trace) {
    let mut fallbacks = BTreeSet::new();
    let mut cycle = 0;
    let mut repeats = 0;
    each_step(trace, |known, i| {
        let step = &trace.steps[i];
        let (before, after) = (trace.before(i), &step.after);
        if step.begins_again() {
            (cycle, repeats) = (cycle + 1, 0);
        } else if after.round() > before.round() {
            repeats += after.round() - before.round();
            assert!(repeats <= 2, "no matrix has more than two repeat rounds");
        }
        for send in &step.sends {
            let (round, level) = (send.delivery.round, alerted(send.delivery));
            let first = !known.first_sends.contains_key(&(round, level));
            match level {
                Level::Fallback if first => {
                    fallbacks.insert((cycle, round));
                    assert_eq!(fallbacks.iter().filter(|(c, _)| *c == cycle).count(), 1, "twice");
                    let as_level_1 = known.first_sends.contains_key(&(round, Level::At(1)));
                    assert!(after.matrix().origin() == Origin::Calendar || !as_level_1);
                    assert!(after.is_unclaimed());
                }
                Level::At(n) if first => {
                    let matrix = after.matrix();
                    assert!(matrix.alerts(after.severity(), n) && !matrix.records_only(after.severity()));
                }
                _ => {}
            }
        }
    });
}

fn due_times(trace: &Trace) {
    for (i, step) in trace.steps.iter().enumerate() {
        let Did::Due { held: None, .. } = &step.did else { continue };
        let (due_before, due_after) = (plan::due_at(trace.before(i)), plan::due_at(&step.after));
        let was_due = due_before.is_some_and(|at| at <= step.now);
        assert_eq!(step.changed, was_due, "something happens exactly when it is due");
        let again =
            plan::step(&step.after, Input::Due { lease: LEASE, hold: &HoldNothing, round: None }, step.now);
        // Only the next round waits for the last step, which is sent first.
        let is_step = |key| step.after.deliveries().iter().any(|d| d.key() == key && !d.after().is_zero());
        if step.sends.iter().any(|send| send.attempt == 1 && is_step(send.delivery))
            && matches!(again, plan::Decision::NeedsRound(_))
        {
            continue;
        }
        assert!(due_after.is_none_or(|at| at > step.now), "what is due is done, all of it");
        assert_eq!(again, plan::Decision::Nothing);
        // Not a moment before its time.
        if let Some(at) = due_after {
            let early = at - TimeDelta::microseconds(1);
            let input = Input::Due { lease: LEASE, hold: &HoldNothing, round: None };
            if early > step.now {
                assert_eq!(plan::step(&step.after, input, early), plan::Decision::Nothing);
            }
        }
    }
    for (i, step) in trace.steps.iter().enumerate() {
        let claims = matches!(
            &step.did,
            Did::Request { update, .. } if matches!(update.state, Some(StateChange::Claim(_)))
        );
        let is_new = step.after.claimed() != trace.before(i).claimed();
        assert!(!claims || !is_new || plan::due_at(&step.after).is_none(), "a claim ends it");
    }
}
