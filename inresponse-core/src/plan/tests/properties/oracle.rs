//! A second planner, written from the promises and not from the planner: what must be sent when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::super::LEASE;
use super::script::{Act, Ends, Scenario, scenario};
use super::world::{Did, Trace, World, seconds};
use crate::model::{
    Contact, DeliveryKey, DeliveryStatus, Incident, Level, Matrix, Origin, Person, Purpose, Severity, State,
};
use crate::plan::{self, Held, StateChange};

type Time = DateTime<Utc>;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Due(Time),
    Flying(u32, Time),
    Accepted,
    Dead(Time),
    Limited,
    Stopped,
}

#[derive(Debug)]
struct Delivery {
    fate: Fate,
    attempts: u32,
    /// Attempts that were taken over and of which nothing was heard.
    lost: BTreeSet<u32>,
    heard_of: bool,
    came_back: bool,
    /// Whether a limit held the last attempt back.
    held_back: bool,
    contact: Contact,
    /// How long after its level a rule makes it due, and when its turn comes.
    after: Duration,
    turn: Time,
}

#[derive(Debug)]
struct Begun {
    level: Level,
    at: Time,
    again: bool,
    passed: Option<Time>,
}

#[derive(Debug)]
struct Oracle {
    open: bool,
    severity: Severity,
    matrix: Matrix,
    round: u32,
    round_began: Time,
    begun: Vec<Begun>,
    deliveries: BTreeMap<DeliveryKey, Delivery>,
    repeats: u32,
    everybody_alerted: bool,
    /// Who was given it and has not answered, since when, and whether it was noted that nobody told them.
    handed: Option<(Person, Time, bool)>,
    /// Who has it, and when their claim ends if somebody has snoozed it.
    holder: Option<Person>,
    snoozed_to: Option<Time>,
}

enum Rung {
    Level(Level),
    Round,
    Over,
}

impl Oracle {
    fn new(incident: &Incident) -> Self {
        Self {
            open: true,
            severity: incident.severity(),
            matrix: incident.matrix().clone(),
            round: 1,
            round_began: incident.created_at(),
            begun: Vec::new(),
            deliveries: BTreeMap::new(),
            repeats: 0,
            everybody_alerted: false,
            handed: None,
            holder: None,
            snoozed_to: None,
        }
    }

    /// "The end of a claim is fixed when it is made; a take-over starts it again, a claim by the same person does not."
    fn is_held_by(&mut self, holder: Option<&Person>) {
        if self.holder.as_ref() != holder {
            (self.holder, self.snoozed_to) = (holder.cloned(), None);
        }
    }

    /// "If the person has not answered after the level's wait, it is OPEN again in a new round."
    fn ends(&self) -> Option<Time> {
        let answer_by = self.handed.as_ref().map(|(_, at, _)| *at + self.matrix.wait());
        answer_by.into_iter().chain(self.snoozed_to).min()
    }

    /// "If nothing of the notice is accepted within a minute, the incident is flagged."
    fn flags(&self) -> Option<Time> {
        let unflagged = self.handed.as_ref().filter(|(_, _, flagged)| !flagged);
        unflagged.map(|(_, at, _)| *at + Duration::from_secs(60))
    }

    fn begin_again(&mut self, matrix: Matrix, now: Time) {
        (self.open, self.repeats, self.everybody_alerted, self.handed) = (true, 0, false, None);
        self.is_held_by(None);
        self.begin_round(matrix, now);
    }

    /// Whether a delivery is an alert of that level in this round.
    fn is_of_level(&self, level: Level) -> impl Fn(&DeliveryKey) -> bool + use<> {
        let round = self.round;
        move |key| key.round == round && key.purpose == Purpose::Alert(level)
    }

    fn of_level(&self, level: Level) -> impl Iterator<Item = &Delivery> {
        let of_level = self.is_of_level(level);
        self.deliveries.iter().filter(move |(k, _)| of_level(k)).map(|(_, d)| d)
    }

    /// When a level has nobody left who could be reached.
    fn dead_since(&self, begun: &Begun) -> Option<Time> {
        let deaths = self.of_level(begun.level).map(|d| match d.fate {
            Fate::Dead(at) => Some(at),
            _ => None,
        });
        let latest = deaths.collect::<Option<Vec<_>>>()?.into_iter().max();
        Some(latest.unwrap_or(begun.at).max(begun.at))
    }

    /// "Level k+1 is due its wait after level k began; at once when it is dead or empty."
    fn turn_after(&self, lower: impl Fn(Level) -> bool) -> Time {
        let ends = self.begun.iter().filter(|b| lower(b.level)).map(|b| {
            let waited = b.at + self.matrix.wait();
            [self.dead_since(b), b.passed].into_iter().flatten().fold(waited, Time::min)
        });
        ends.max().unwrap_or(self.round_began)
    }

    /// "Order: levels, repeat rounds, then the fallback, once, after the last wait."
    fn next(&self) -> Option<(Rung, Time)> {
        let severity = self.severity;
        if self.matrix.records_only(severity) {
            return None;
        }
        let begun = |level| self.begun.iter().any(|b| b.level == level);
        let of_the_severity = (1..=self.matrix.height()).filter(|n| self.matrix.alerts(severity, *n));
        if let Some(n) = of_the_severity.into_iter().find(|n| !begun(Level::At(*n))) {
            let at = self.turn_after(|l| matches!(l, Level::At(m) if m < n));
            return Some((Rung::Level(Level::At(n)), at));
        }
        if self.everybody_alerted {
            return None;
        }
        let at = self.turn_after(|l| l != Level::Fallback);
        let all_dead = self.begun.iter().all(|b| self.dead_since(b).is_some());
        if !all_dead && self.repeats < self.matrix.repeat() {
            // "A repeat round begins no earlier than the last step's due time", unless a person escalates past every level.
            let steps =
                self.deliveries.iter().filter(|(key, d)| key.round == self.round && !d.after.is_zero());
            let last =
                steps.map(|(_, d)| d.turn).max().filter(|_| self.begun.iter().any(|b| b.passed.is_none()));
            return Some((Rung::Round, last.map_or(at, |last| last.max(at))));
        }
        let no_calendar = self.matrix.origin() == Origin::Fallback;
        let rung = if no_calendar && begun(Level::At(1)) { Rung::Over } else { Rung::Level(Level::Fallback) };
        Some((rung, at))
    }

    fn begin_round(&mut self, matrix: Matrix, now: Time) {
        self.stop();
        self.round += 1;
        self.round_began = now;
        self.matrix = matrix;
        self.begun.clear();
    }

    fn stop(&mut self) {
        for delivery in self.deliveries.values_mut() {
            if matches!(delivery.fate, Fate::Due(_)) {
                delivery.fate = Fate::Stopped;
            }
        }
    }

    /// What must be sent now, where deliveries wait for which no slot is free.
    fn due(
        &mut self,
        now: Time,
        next_matrix: Option<&Matrix>,
        waits: impl Fn(DeliveryKey) -> bool,
        let_wait: bool,
    ) -> BTreeSet<(DeliveryKey, u32)> {
        let mut sends = BTreeSet::new();
        if self.ends().is_some_and(|at| at <= now) {
            self.begin_again(next_matrix.expect("the planner asked for one").clone(), now);
        }
        if self.flags().is_some_and(|at| at <= now) {
            self.handed.as_mut().unwrap().2 = true;
        }
        if !self.open {
            return sends;
        }
        self.leases_end(now);
        if !let_wait {
            self.unsent_level_begins_again(now, &waits);
        }
        while let Some((rung, at)) = self.next() {
            if at > now {
                break;
            }
            match rung {
                Rung::Level(level) => {
                    self.begun.push(Begun { level, at: now, again: false, passed: None });
                    self.give(level, now);
                    self.everybody_alerted |= level == Level::Fallback;
                }
                Rung::Round if self.steps_to_come().any(|(k, d)| d.is_due(now) && !waits(*k)) => break,
                Rung::Round => {
                    self.repeats += 1;
                    self.begin_round(next_matrix.expect("the planner asked for one").clone(), now);
                }
                Rung::Over => self.everybody_alerted = true,
            }
        }
        for (key, delivery) in self.deliveries.iter_mut().filter(|(key, _)| key.round == self.round) {
            if matches!(delivery.fate, Fate::Due(at) if at <= now) && !waits(*key) {
                sends.insert(delivery.send(*key, now));
            }
        }
        sends
    }

    /// "After an outage the on-call engineer is alerted first": also if no slot was free for the level when it began.
    fn unsent_level_begins_again(&mut self, now: Time, waits: impl Fn(DeliveryKey) -> bool) {
        let next = self.next().map(|(_, at)| at);
        let (is_overtaken, is_late) =
            (next.is_some_and(|at| at <= now), next.is_some_and(|at| at <= now + LEASE));
        let Some(latest) = self.begun.last().filter(|b| b.at < now && !b.again && b.passed.is_none()) else {
            return;
        };
        let of_level = self.is_of_level(latest.level);
        let mut of_level = self.deliveries.iter().filter(|(key, _)| of_level(key)).peekable();
        let somebody = of_level.peek().is_some();
        let (mut unsent, mut free) = (true, false);
        for (key, delivery) in of_level {
            unsent &= delivery.attempts == 0 && matches!(delivery.fate, Fate::Due(_));
            free |= !waits(*key) && matches!(delivery.fate, Fate::Due(at) if at <= now);
        }
        if let Some(latest) =
            self.begun.last_mut().filter(|_| somebody && unsent && ((free && is_late) || is_overtaken))
        {
            (latest.at, latest.again) = (now, !free);
            let level = latest.level;
            self.move_steps(level, now);
        }
    }

    /// "If a process dies before any outcome of the level is recorded, the level begins again with the first
    /// repeat, once"; "a delivery that ended its process five times during a send" is dead.
    fn leases_end(&mut self, now: Time) {
        let round = self.round;
        let is_over = |k: &DeliveryKey, d: &Delivery| {
            k.round == round && matches!(d.fate, Fate::Flying(_, until) if until <= now)
        };
        let over: Vec<_> = self.deliveries.iter().filter(|(k, d)| is_over(k, d)).map(|(k, _)| *k).collect();
        let latest = self.begun.last().map(|b| b.level);
        let silent = latest.is_some_and(|level| self.of_level(level).all(|d| !d.heard_of));
        let latest = self.begun.last_mut().filter(|b| silent && !b.again);
        if let Some(begun) = latest.filter(|b| over.iter().any(|key| key.purpose == Purpose::Alert(b.level)))
        {
            (begun.at, begun.again) = (now, true);
            let level = begun.level;
            self.move_steps(level, now);
        }
        for key in over {
            let delivery = self.deliveries.get_mut(&key).unwrap();
            delivery.lost.insert(delivery.attempts);
            (delivery.heard_of, delivery.held_back) = (true, false);
            delivery.fate = if delivery.lost.len() == 5 { Fate::Dead(now) } else { Fate::Due(now) };
            self.hasten(now);
        }
        self.limited_come_back(now);
    }

    /// "A send that takes long keeps its lease while its process lives", where somebody else would take it over.
    fn lives(&mut self, key: DeliveryKey, attempt: u32, now: Time) {
        let current = self.open && key.round == self.round;
        if let Some(delivery) = self.deliveries.get_mut(&key).filter(|_| current)
            && let Fate::Flying(n, until) = &mut delivery.fate
            && *n == attempt
        {
            *until = (*until).max(now + LEASE);
        }
    }

    /// An outcome comes; `again` is when the planner wants to try again, which need not be foreseen.
    fn hears(&mut self, key: DeliveryKey, attempt: u32, ends: Ends, now: Time, again: Option<Time>) {
        let (open, round) = (self.open, self.round);
        let Some(delivery) = self.deliveries.get_mut(&key).filter(|d| !d.came_back) else { return };
        let current = matches!(delivery.fate, Fate::Flying(n, _) if n == attempt);
        if current || ends == Ends::Accepted {
            delivery.held_back = ends == Ends::Limited;
        }
        let has_another_way = self.has_another_way(key);
        let is_crit = self.severity == Severity::Crit;
        let Some(delivery) = self.deliveries.get_mut(&key) else { return };
        match ends {
            Ends::Accepted => (delivery.fate, delivery.heard_of) = (Fate::Accepted, true),
            _ if !current => _ = delivery.lost.remove(&attempt),
            Ends::Rejected => (delivery.fate, delivery.heard_of) = (Fate::Dead(now), true),
            Ends::Limited if has_another_way => {
                (delivery.fate, delivery.heard_of) = (Fate::Limited, true);
                if open && key.round == round {
                    self.bring_forward(key, now);
                }
            }
            Ends::Limited if is_crit && open && key.round == round => {
                let again = again.expect("a CRIT alert is not held back");
                assert!(again >= now && (again - now).num_seconds() <= 30);
                (delivery.fate, delivery.heard_of) = (Fate::Due(again), true);
            }
            _ if open && key.round == round => {
                let again = again.expect("it is tried again");
                assert!(again >= now && (again - now).num_seconds() <= 600);
                (delivery.fate, delivery.heard_of) = (Fate::Due(again), true);
            }
            _ => (delivery.fate, delivery.heard_of) = (Fate::Stopped, true),
        }
        self.hasten(now);
        self.limited_come_back(now);
    }

    /// The steps of each person whom a delivery would reach.
    fn ways(&self, key: DeliveryKey) -> Vec<Vec<DeliveryKey>> {
        let Purpose::Alert(level) = key.purpose else { return Vec::new() };
        let is_of_level = |k: &DeliveryKey| (k.round, k.purpose) == (key.round, key.purpose);
        let of_person = |steps: Vec<(&Contact, Duration)>| {
            let theirs = self
                .deliveries
                .iter()
                .filter(|(k, d)| is_of_level(k) && steps.contains(&(&d.contact, d.after)));
            theirs.map(|(k, _)| *k).collect::<Vec<_>>()
        };
        let mut ways: Vec<_> = self.matrix.steps_by_person(level).into_iter().map(of_person).collect();
        ways.retain(|way| way.contains(&key));
        ways
    }

    /// "With another way of the person, a limit ends a delivery": one that was accepted, or of which nothing is known yet.
    fn has_another_way(&self, key: DeliveryKey) -> bool {
        let is_way = |k: &DeliveryKey| {
            let delivery = &self.deliveries[k];
            match delivery.fate {
                Fate::Accepted => true,
                Fate::Due(_) | Fate::Flying(..) => !delivery.heard_of,
                Fate::Dead(_) | Fate::Limited | Fate::Stopped => false,
            }
        };
        let ways = self.ways(key);
        !ways.is_empty() && ways.iter().all(|way| way.iter().any(|k| *k != key && is_way(k)))
    }

    /// "A limit makes the person's next method due at once."
    fn bring_forward(&mut self, key: DeliveryKey, now: Time) {
        // A step that two people share is the next of both.
        let mut next = BTreeSet::new();
        for mut way in self.ways(key) {
            way.retain(|k| self.deliveries[k].is_to_come() && !self.deliveries[k].is_due(now));
            let first = way.iter().map(|k| self.deliveries[k].turn).min();
            next.extend(way.into_iter().filter(|k| Some(self.deliveries[k].turn) == first));
        }
        for key in next {
            let delivery = self.deliveries.get_mut(&key).unwrap();
            (delivery.turn, delivery.fate) = (now, Fate::Due(now));
        }
    }

    /// "With none left, it waits": what was limited is due again if no other way is left.
    fn limited_come_back(&mut self, now: Time) {
        if !self.open {
            return;
        }
        let is_limited =
            |(k, d): &(&DeliveryKey, &Delivery)| k.round == self.round && d.fate == Fate::Limited;
        let limited: Vec<_> = self.deliveries.iter().filter(is_limited).map(|(k, _)| *k).collect();
        let lost: Vec<_> = limited.into_iter().filter(|k| !self.has_another_way(*k)).collect();
        for key in lost {
            self.deliveries.get_mut(&key).unwrap().fate = Fate::Due(now);
        }
    }

    /// "Push now, call after three minutes": the steps of a level that begins, or what a raise adds to them.
    fn give(&mut self, level: Level, from: Time) {
        let of_level = self.is_of_level(level);
        for (contact, after) in self.matrix.steps(level, self.severity) {
            let has =
                self.deliveries.iter().any(|(k, d)| of_level(k) && d.contact == *contact && d.after == after);
            if has {
                continue;
            }
            let place = u16::try_from(self.deliveries.keys().filter(|k| of_level(k)).count()).unwrap();
            let new = Delivery {
                fate: Fate::Due(from + after),
                attempts: 0,
                lost: BTreeSet::new(),
                heard_of: false,
                came_back: false,
                held_back: false,
                contact: contact.clone(),
                after,
                turn: from + after,
            };
            self.deliveries.insert(DeliveryKey::alert(self.round, level, place), new);
        }
    }

    /// "A raise gives the people of levels that have begun the new rule's steps they have not had, counted from the
    /// raise."
    fn becomes(&mut self, severity: Severity, now: Time) {
        let is_raise = severity > self.severity;
        self.severity = severity;
        if !is_raise || !self.open || self.matrix.records_only(severity) {
            return;
        }
        if severity == Severity::Crit {
            let round = self.round;
            for (_, delivery) in self.deliveries.iter_mut().filter(|(k, d)| k.round == round && d.held_back) {
                delivery.fate = match delivery.fate {
                    Fate::Due(at) => Fate::Due(at.min(now)),
                    fate => fate,
                };
            }
        }
        if self.matrix.is_plain() {
            return;
        }
        for level in self.begun.iter().map(|b| b.level).collect::<Vec<_>>() {
            if !matches!(level, Level::At(n) if !self.matrix.alerts(severity, n)) {
                self.give(level, now);
            }
        }
        self.hasten(now);
    }

    fn steps_to_come(&self) -> impl Iterator<Item = (&DeliveryKey, &Delivery)> {
        let round = self.round;
        self.deliveries.iter().filter(move |(key, d)| key.round == round && d.is_to_come())
    }

    /// "A step is due `afterSeconds` after its level began, or began again."
    fn move_steps(&mut self, level: Level, now: Time) {
        let of_level = self.is_of_level(level);
        for (_, delivery) in self.deliveries.iter_mut().filter(|(k, d)| of_level(k) && d.is_to_come()) {
            delivery.turn = now + delivery.after;
            delivery.fate = Fate::Due(delivery.turn);
        }
    }

    /// "If all of a person's steps so far are dead, the next is due at once."
    fn hasten(&mut self, now: Time) {
        if !self.open {
            return;
        }
        for level in self.begun.iter().map(|b| b.level).collect::<Vec<_>>() {
            let of_level = self.is_of_level(level);
            let people: Vec<Vec<(Contact, Duration)>> = self
                .matrix
                .steps_by_person(level)
                .into_iter()
                .map(|steps| steps.into_iter().map(|(contact, after)| (contact.clone(), after)).collect())
                .collect();
            let mut next = Vec::new();
            for steps in people {
                let theirs: Vec<_> = self
                    .deliveries
                    .iter()
                    .filter(|(k, d)| of_level(k) && steps.contains(&(d.contact.clone(), d.after)))
                    .collect();
                let (ahead, so_far): (Vec<_>, Vec<_>) =
                    theirs.into_iter().partition(|(_, d)| d.is_to_come() && !d.is_due(now));
                let are_dead = so_far.iter().all(|(_, d)| matches!(d.fate, Fate::Dead(_)));
                if !so_far.is_empty() && are_dead {
                    let first = ahead.iter().map(|(_, d)| d.turn).min();
                    next.extend(ahead.iter().filter(|(_, d)| Some(d.turn) == first).map(|(k, _)| **k));
                }
            }
            for key in next {
                let delivery = self.deliveries.get_mut(&key).unwrap();
                (delivery.turn, delivery.fate) = (now, Fate::Due(now));
            }
        }
    }

    /// What was given to a carrier comes back: its contact is unreachable, and nothing that comes later changes it.
    fn comes_back(&mut self, key: DeliveryKey, now: Time) {
        let of_this_opening = key.round + self.repeats >= self.round;
        let Some(delivery) = self.deliveries.get_mut(&key).filter(|_| self.open && of_this_opening) else {
            return;
        };
        if matches!(delivery.fate, Fate::Due(_) | Fate::Flying(..) | Fate::Accepted) {
            (delivery.fate, delivery.heard_of, delivery.came_back) = (Fate::Dead(now), true, true);
            delivery.held_back = false;
        }
        self.hasten(now);
        self.limited_come_back(now);
    }

    fn next_due(&self) -> Option<Time> {
        let current = self.deliveries.iter().filter(|(key, _)| key.round == self.round);
        let of_deliveries = current.filter_map(|(_, d)| match d.fate {
            Fate::Due(at) | Fate::Flying(_, at) => Some(at),
            _ => None,
        });
        let all = of_deliveries.chain(self.next().map(|(_, at)| at));
        if self.open { all.min() } else { self.ends().into_iter().chain(self.flags()).min() }
    }
}

impl Delivery {
    fn is_due(&self, now: Time) -> bool {
        matches!(self.fate, Fate::Due(at) if at <= now)
    }

    /// Whether it is a later step that was not begun.
    fn is_to_come(&self) -> bool {
        !self.after.is_zero() && self.attempts == 0 && matches!(self.fate, Fate::Due(_))
    }

    fn send(&mut self, key: DeliveryKey, now: Time) -> (DeliveryKey, u32) {
        self.attempts += 1;
        self.fate = Fate::Flying(self.attempts, now + LEASE);
        (key, self.attempts)
    }
}

fn agrees(trace: &Trace) {
    let mut oracle = Oracle::new(&trace.opened);
    for step in &trace.steps {
        match &step.did {
            Did::Due { matrix, held } => {
                let waits = |key| held.as_ref().is_some_and(|held| held.lacks_slot(key));
                let let_wait = held.as_ref().is_some_and(plan::Hold::has_let_it_wait);
                let must: BTreeSet<_> = oracle.due(step.now, matrix.as_ref(), waits, let_wait);
                let sent: BTreeSet<_> = step.sends.iter().map(|s| (s.delivery, s.attempt)).collect();
                assert_eq!(sent, must, "at {}", seconds(step.now));
            }
            Did::Outcome { send, ends } => {
                let found = step.after.deliveries().iter().find(|d| d.key() == send.delivery);
                let again = match found.map(|d| d.status()) {
                    Some(DeliveryStatus::Pending { due_at }) => Some(due_at),
                    _ => None,
                };
                oracle.hears(send.delivery, send.attempt, *ends, step.now, again);
            }
            Did::Renewed { send } => oracle.lives(send.delivery, send.attempt, step.now),
            Did::Bounced(key) => oracle.comes_back(*key, step.now),
            Did::Request { update, matrix } if step.changed => {
                oracle.becomes(update.severity.unwrap_or(oracle.severity), step.now);
                oracle.handed = oracle.handed.take().filter(|(to, ..)| *to != update.by);
                match &update.state {
                    Some(StateChange::Claim(_)) => {
                        oracle.stop();
                        (oracle.open, oracle.handed) = (false, None);
                        oracle.is_held_by(Some(&update.by));
                    }
                    Some(StateChange::Resolve | StateChange::End(_)) => {
                        oracle.stop();
                        (oracle.open, oracle.handed) = (false, None);
                        oracle.is_held_by(None);
                    }
                    Some(StateChange::HandTo(to)) => {
                        oracle.stop();
                        oracle.is_held_by(Some(to));
                        oracle.open = false;
                        oracle.handed = (*to != update.by).then(|| (to.clone(), step.now, false));
                    }
                    Some(StateChange::Release(_) | StateChange::HandToTeam(_)) => {
                        oracle.begin_again(matrix.clone().unwrap(), step.now);
                    }
                    Some(StateChange::Escalate) => {
                        let begun = oracle.begun.iter_mut();
                        begun.for_each(|b| b.passed = b.passed.or(Some(step.now)));
                    }
                    Some(StateChange::Snooze(time)) => oracle.snoozed_to = Some(step.now + *time),
                    None => {}
                }
            }
            Did::Repeat(severity) if step.after.state() != State::Resolved => {
                oracle.becomes(oracle.severity.max(*severity), step.now);
            }
            Did::Request { .. } | Did::Repeat(_) | Did::BroughtBack => {}
        }
        assert_eq!(step.after.severity(), oracle.severity);
        assert_eq!(plan::due_at(&step.after), oracle.next_due(), "at {}", seconds(step.now));
        assert_eq!(step.after.is_unclaimed(), oracle.open && oracle.everybody_alerted);
    }
}

/// The oracle knows nothing of what a process has in flight itself.
fn without_holds(mut scenario: Scenario) -> Scenario {
    for act in &mut scenario.script {
        if let Act::DueHolding(when, Held::InFlight, _) = *act {
            *act = Act::Due(when);
        }
    }
    scenario
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn p08_p09_p12_whatever_must_be_sent_is_sent_at_its_time_and_nothing_else(scenario in scenario()) {
        agrees(&World::play(&without_holds(scenario)));
    }
}
