//! Plays a scenario against the planner and keeps a trace.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::super::scene::{Scene, ended};
use super::super::{LEASE, T0, person};
use super::script::{Act, Ends, Scenario, When};
use crate::model::{Contact, DeliveryId, DeliveryKey, Incident, Level, Matrix, Note, State, TeamName};
use crate::plan::{
    self, Decision, Dispatch, Held, Hold, HoldNothing, Input, NextRound, RoundOf, StateChange, TakeOver,
    Update,
};

/// Everything that was done to an incident, and what came of it.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) opened: Incident,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) now: DateTime<Utc>,
    pub(super) did: Did,
    pub(super) changed: bool,
    /// Whether the claim ended, or the person it was handed to has not answered in time, so that it is open again.
    pub(super) reopened: bool,
    pub(super) sends: Vec<Dispatch>,
    pub(super) after: Incident,
}

#[derive(Debug, Clone)]
pub(super) enum Did {
    Due { held: Option<HoldHalf>, matrix: Option<Matrix> },
    Renewed { send: Dispatch },
    Outcome { send: Dispatch, ends: Ends },
    Bounced(DeliveryKey),
    Request { update: Update, matrix: Option<Matrix> },
    Repeat(crate::model::Severity),
    BroughtBack,
}

/// Holds back the deliveries of every other place.
#[derive(Debug, Clone)]
pub(super) struct HoldHalf {
    why: Held,
    keys: Vec<DeliveryKey>,
    ids: Vec<DeliveryId>,
    let_it_wait: bool,
}

impl Hold for HoldHalf {
    fn held(&self, delivery: &DeliveryId, _: &Contact) -> Held {
        if self.ids.contains(delivery) { self.why } else { Held::Free }
    }

    fn has_let_it_wait(&self) -> bool {
        self.let_it_wait
    }
}

impl HoldHalf {
    fn of(incident: &Incident, why: Held, odd: bool) -> Self {
        let levels = (1..=5).map(Level::At).chain([Level::Fallback]).enumerate();
        let rounds = [incident.round(), incident.round() + 1];
        let keys = levels.flat_map(|(i, level)| {
            let held = (0..8u16).filter(move |place| (usize::from(*place) + i) % 2 == usize::from(odd));
            held.flat_map(move |place| rounds.map(|round| DeliveryKey::alert(round, level, place)))
        });
        let keys: Vec<_> = keys.collect();
        let let_it_wait = why == Held::NoSlot && odd;
        Self { why, let_it_wait, ids: keys.iter().map(|key| incident.delivery_id(*key)).collect(), keys }
    }

    pub(super) fn holds(&self, key: DeliveryKey) -> bool {
        self.keys.contains(&key)
    }

    pub(super) fn is_in_flight(&self, key: DeliveryKey) -> bool {
        self.why == Held::InFlight && self.holds(key)
    }

    pub(super) fn lacks_slot(&self, key: DeliveryKey) -> bool {
        self.why == Held::NoSlot && self.holds(key)
    }
}

impl Step {
    /// Whether a person made it begin again, or one who did not answer; nothing else does.
    pub(super) fn begins_again(&self) -> bool {
        let request = match &self.did {
            Did::Request { update, .. } if self.changed => update.state.as_ref(),
            _ => None,
        };
        self.reopened || matches!(request, Some(StateChange::Release(_) | StateChange::HandToTeam(_)))
    }
}

impl Trace {
    /// The incident before step `i`.
    pub(super) fn before(&self, i: usize) -> &Incident {
        i.checked_sub(1).map_or(&self.opened, |i| &self.steps[i].after)
    }

    pub(super) fn last(&self) -> &Incident {
        self.before(self.steps.len())
    }
}

pub(super) struct World {
    scene: Scene,
    matrices: Vec<Matrix>,
    sent: Vec<Dispatch>,
    /// The result of each attempt. The planner may learn it at any time, or never, but it does not change.
    fates: BTreeMap<(DeliveryKey, u32), Ends>,
    trace: Trace,
}

impl World {
    pub(super) fn begin(scenario: &Scenario) -> Self {
        let scene = Scene::open(scenario.matrices[0].clone(), scenario.severity);
        let trace = Trace { opened: scene.incident.clone(), steps: Vec::new() };
        let matrices = scenario.matrices.clone();
        Self { scene, matrices, sent: Vec::new(), fates: BTreeMap::new(), trace }
    }

    /// Plays all of it.
    pub(super) fn play(scenario: &Scenario) -> Trace {
        let mut world = Self::begin(scenario);
        scenario.script.iter().for_each(|act| world.act(*act));
        world.trace
    }

    /// Plays all of it, then whatever is due, on time, to carriers that accept everything, until nothing is.
    pub(super) fn play_to_rest(scenario: &Scenario) -> Trace {
        let mut world = Self::begin(scenario);
        scenario.script.iter().for_each(|act| world.act(*act));
        world.rest()
    }

    /// Plays all of it; then the clock goes back, some more happens, and times are brought back; then as
    /// [`Self::play_to_rest`]. Answers also when it was brought back.
    pub(super) fn play_with_a_clock_that_goes_back(
        scenario: &Scenario,
        by: TimeDelta,
        more: usize,
    ) -> (Trace, usize) {
        let mut world = Self::begin(scenario);
        let (before, after) = scenario.script.split_at(scenario.script.len().saturating_sub(more));
        before.iter().for_each(|act| world.act(*act));
        world.scene.now -= by;
        after.iter().for_each(|act| world.act(*act));
        let decision = world.decide(|_| Input::ClockWentBack { lease: LEASE }).0;
        world.keep(Did::BroughtBack, decision);
        let brought_back = world.trace.steps.len();
        (world.rest(), brought_back)
    }

    fn rest(self) -> Trace {
        let mut world = self;
        for _ in 0..300 {
            if plan::due_at(&world.scene.incident).is_none() {
                return world.trace;
            }
            world.act(Act::Due(When::OnTime));
            let new: Vec<Dispatch> =
                world.trace.steps.last().map_or_else(Vec::new, |step| step.sends.clone());
            new.into_iter().for_each(|send| world.learn(send, Ends::Accepted));
        }
        panic!("never comes to rest: {:?}", world.scene.incident)
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Due(when) => self.due(when, None),
            Act::DueHolding(when, why, odd) => {
                let held = HoldHalf::of(&self.scene.incident, why, odd);
                self.due(when, Some(held));
            }
            Act::Renew { back } => self.renew(back),
            Act::Outcome { back, ends } => self.outcome(back, ends),
            Act::Bounce { back } => self.bounce(back),
            Act::Wait(seconds) => self.scene.now += TimeDelta::seconds(seconds.into()),
            Act::Claim(who, force) => self.request(who.name(), StateChange::Claim(over(force))),
            Act::Release(who, force) => self.request(who.name(), StateChange::Release(over(force))),
            Act::Resolve(who) => self.request(who.name(), StateChange::Resolve),
            Act::HandTo(who, to) => self.request(who.name(), StateChange::HandTo(person(to.name()))),
            Act::HandToTeam(who) => {
                let other = TeamName::new(format!("team-{}", self.scene.incident.round())).unwrap();
                self.request(who.name(), StateChange::HandToTeam(other));
            }
            Act::Snooze(who, seconds) => {
                let time = std::time::Duration::from_secs(seconds);
                self.request(who.name(), StateChange::Snooze(time));
            }
            // To escalate a claimed incident calls people in, which has tables of its own.
            Act::Escalate(_) if self.scene.incident.state() == State::Claimed => {}
            Act::Escalate(who) => self.request(who.name(), StateChange::Escalate),
            Act::Raise(who, severity) => {
                let by = person(who.name());
                self.update(Update {
                    by,
                    key: None,
                    severity: Some(severity),
                    state: None,
                    note: None,
                    reach: Vec::new(),
                    call_in: None,
                    asked_at: None,
                });
            }
            Act::Note(who) => {
                let note = Note::new("looking").unwrap();
                self.update(Update::note(person(who.name()), note));
            }
            Act::Repeat(severity) => {
                let decision =
                    self.decide(|_| Input::Repeat { severity, key: None, routed: None, round: None }).0;
                self.keep(Did::Repeat(severity), decision);
            }
        }
    }

    fn due(&mut self, when: When, held: Option<HoldHalf>) {
        let due_at = plan::due_at(&self.scene.incident);
        self.scene.now = match when {
            When::Now => self.scene.now,
            When::OnTime => due_at.map_or(self.scene.now, |at| at.max(self.scene.now)),
            When::Late(seconds) => self.scene.now + TimeDelta::seconds(seconds.into()),
        };
        let hold: &dyn Hold = held.as_ref().map_or(&HoldNothing, |held| held);
        let (decision, matrix) = self.decide(|round| Input::Due { lease: LEASE, hold, round });
        self.keep(Did::Due { held, matrix }, decision);
    }

    fn renew(&mut self, back: u8) {
        let Some(i) = self.sent.len().checked_sub(1 + usize::from(back)) else { return };
        let send = self.sent[i].clone();
        let (delivery, attempt) = (send.delivery, send.attempt);
        let decision = self.decide(|_| Input::Renew { delivery, attempt, lease: LEASE }).0;
        self.keep(Did::Renewed { send }, decision);
    }

    fn outcome(&mut self, back: u8, ends: Ends) {
        let Some(i) = self.sent.len().checked_sub(1 + usize::from(back)) else { return };
        self.learn(self.sent[i].clone(), ends);
    }

    fn bounce(&mut self, back: u8) {
        let Some(i) = self.sent.len().checked_sub(1 + usize::from(back)) else { return };
        let key = self.sent[i].delivery;
        let delivery = &self.scene.incident.delivery_id(key);
        for _ in 0..2 {
            let decision = self.decide(|_| Input::Bounced { delivery, reason: "550" }).0;
            self.keep(Did::Bounced(key), decision);
        }
        assert!(!self.trace.steps.last().unwrap().changed, "the second time changes nothing");
    }

    fn learn(&mut self, send: Dispatch, ends: Ends) {
        let Dispatch { delivery, attempt, .. } = send;
        let ends = *self.fates.entry((delivery, attempt)).or_insert(ends);
        let outcome = ends.outcome();
        let decision = self.decide(|_| ended(delivery, attempt, outcome.as_ref())).0;
        self.keep(Did::Outcome { send, ends }, decision);
    }

    fn request(&mut self, by: &str, change: StateChange) {
        self.update(Update::state(person(by), change));
    }

    fn update(&mut self, update: Update) {
        let (decision, matrix) = self.decide(|round| Input::Update { update: &update, round });
        self.keep(Did::Request { update, matrix }, decision);
    }

    /// Asks the planner, with a round if it needs one; and once more, which must not make a difference.
    fn decide<'a>(&self, input: impl Fn(Option<NextRound>) -> Input<'a>) -> (Decision, Option<Matrix>) {
        let step = |round| plan::step(&self.scene.incident, input(round), self.scene.now);
        let decision = step(None);
        assert_eq!(decision, step(None), "same input, same plan");
        let team = match decision {
            Decision::NeedsRound(RoundOf::Team(team) | RoundOf::Routed(team)) => team,
            Decision::NeedsRound(RoundOf::Service) => self.scene.incident.team().clone(),
            decided => return (decided, None),
        };
        let round = usize::try_from(self.scene.incident.round()).unwrap();
        let matrix = self.matrices[round % self.matrices.len()].clone();
        (step(Some(NextRound::of(team, matrix.clone()))), Some(matrix))
    }

    fn keep(&mut self, did: Did, decision: Decision) {
        let was_claimed = self.scene.incident.state() == State::Claimed;
        let (changed, sends) = match decision {
            Decision::Change(plan) => {
                assert_ne!(*plan.draft.incident(), self.scene.incident, "a change that changes nothing");
                assert_eq!(plan.draft.due_at(), plan::due_at(plan.draft.incident()));
                self.scene.incident = plan.draft.into_incident();
                (true, plan.sends)
            }
            Decision::Nothing | Decision::Refuse(_) => (false, Vec::new()),
            Decision::NeedsRound(_) => panic!("asked for a round again"),
        };
        self.sent.extend(sends.iter().cloned());
        let (now, after) = (self.scene.now, self.scene.incident.clone());
        let reopened = matches!(did, Did::Due { .. }) && was_claimed && after.state() == State::Open;
        self.trace.steps.push(Step { now, did, changed, reopened, sends, after });
    }
}

fn over(force: bool) -> TakeOver {
    if force { TakeOver::Yes } else { TakeOver::No }
}

/// In seconds since the scene began.
pub(super) fn seconds(at: DateTime<Utc>) -> f64 {
    (at - T0).as_seconds_f64()
}
