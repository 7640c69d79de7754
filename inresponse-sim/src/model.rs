//! Visits every state into which a few engines, people and faults can bring one incident, with the planner's own code.
//!
//! Engines plan with [`plan::step`], commit by comparing versions, and send. People claim, release and resolve. A
//! limited number of faults of each kind occurs at any point. The planner is not copied: only the engine's order of
//! steps is modelled (plan, commit, begin within a second or read again, record).

use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{
    Contact, DeliveryId, DeliveryKey, DeliveryStatus, Incident, IncidentNumber, Level, Matrix, Person,
    Purpose, Report, Severity, State as IncidentState, TeamName,
};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{self, Decision, Input, NextRound, StateChange, TakeOver, Update};
use stateright::{Checker, Model, Property};

const LEASE: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_secs(600);
/// How long after a snooze a claim ends.
const SNOOZE: Duration = Duration::from_secs(1_800);
/// How long before its end the claimant is told.
const AHEAD: Duration = Duration::from_secs(600);
/// A person whose name is an address, so that they can be told.
const JO: &str = "sim:a";
/// The time in seconds after which a send has ended or its lease was renewed: two thirds of the lease.
const DEADLINE: i64 = 20;

/// The maximum number of times that each fault occurs and each person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Crashes of engines.
    pub crashes: u8,
    /// Commits that happen, but whose result is unknown.
    pub unknown_happened: u8,
    /// Commits that do not happen, and whose result is unknown.
    pub unknown_did_not: u8,
    /// Messages that arrive without a reply.
    pub lost_replies: u8,
    /// Attempts in which the carrier cannot be reached.
    pub unavailable: u8,
    /// Attempts that the carrier refuses.
    pub rejected: u8,
    /// Periods, each longer than a wait, in which no engine runs.
    pub outages: u8,
    /// Claims, and hand-overs to a person.
    pub claims: u8,
    /// Releases.
    pub releases: u8,
    /// Snoozes.
    pub snoozes: u8,
    /// Steps of time.
    pub ticks: u8,
    /// Renewals of a lease.
    pub renewals: u8,
}

impl Budget {
    /// Limits that a test can afford.
    pub const SMALL: Budget = Budget {
        crashes: 1,
        unknown_happened: 1,
        unknown_did_not: 0,
        lost_replies: 1,
        unavailable: 1,
        rejected: 1,
        outages: 1,
        claims: 1,
        releases: 1,
        snoozes: 1,
        ticks: 8,
        renewals: 1,
    };
    /// Limits for a long check: two of everything.
    pub const LARGE: Budget = Budget {
        crashes: 2,
        unknown_happened: 2,
        unknown_did_not: 2,
        lost_replies: 2,
        unavailable: 2,
        rejected: 2,
        outages: 2,
        claims: 2,
        releases: 2,
        snoozes: 2,
        ticks: 24,
        renewals: 2,
    };
}

/// Two engines, and one incident with two levels and a fallback.
#[derive(Debug, Clone)]
pub struct Protocol {
    budget: Budget,
    engines: usize,
}

/// An incident as the model distinguishes states: without the parts that only people read.
#[derive(Debug, Clone, PartialEq)]
struct Held(Arc<Incident>);

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let incident = &*self.0;
        (incident.state(), incident.round(), incident.is_unclaimed(), incident.is_undelivered()).hash(state);
        plan::due_at(incident).hash(state);
        incident.claimed().map(|claimed| &claimed.by).hash(state);
        for begun in incident.begun() {
            (begun.level, begun.at, begun.again).hash(state);
        }
        for d in incident.deliveries() {
            (d.key(), d.attempts(), d.expired(), d.last().is_some()).hash(state);
            std::mem::discriminant(&d.status()).hash(state);
            match d.status() {
                DeliveryStatus::Pending { due_at: at } | DeliveryStatus::InFlight { until: at } => {
                    at.hash(state)
                }
                DeliveryStatus::Accepted { at }
                | DeliveryStatus::Dead { at }
                | DeliveryStatus::Limited { at } => at.hash(state),
                DeliveryStatus::Stopped { .. } => {}
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Hash)]
struct Flight {
    key: DeliveryKey,
    attempt: u32,
    contact: Contact,
    until: DateTime<Utc>,
    planned: DateTime<Utc>,
    ended: Option<Ended>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Ended {
    Accepted,
    Unknown,
    Unavailable,
    Rejected,
    NotBegun,
}

#[derive(Debug, Clone, PartialEq, Hash, Default)]
struct EngineState {
    /// A plan that is not committed yet. The plan is dropped if somebody else commits, because it would be stale.
    planned: Option<(Held, Vec<Flight>)>,
    flights: Vec<Flight>,
}

/// What recipients have seen of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Seen {
    first_begun: Option<DateTime<Utc>>,
    arrivals: u8,
    excuses: u8,
    /// The number of leases that were lost before their send began.
    lost: u8,
    rejected: bool,
}

/// A state of the whole model.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct World {
    now: DateTime<Utc>,
    record: Held,
    engines: Vec<EngineState>,
    seen: BTreeMap<DeliveryKey, Seen>,
    left: Budget,
    /// When the incident was last claimed or resolved, as long as it is.
    closed_at: Option<DateTime<Utc>>,
    /// When the incident was handed to a person who has not answered.
    handed_at: Option<DateTime<Utc>>,
    /// When the claim ends, if somebody has snoozed it.
    ends_at: Option<DateTime<Utc>>,
    broken: Option<u8>,
}

/// A step from one state to the next.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Time advances to the next due time.
    Tick,
    /// No engine runs for longer than a wait.
    Outage,
    /// A third of a lease passes before its send begins, so that an engine renews the lease.
    Renew(usize, usize),
    /// An engine plans what is due.
    Plan(usize),
    /// The engine commits its plan.
    Commit(usize, Ending),
    /// The engine sends, unless its lease is over.
    Send(usize, usize, Fate),
    /// The engine records how a send ended.
    Record(usize, usize),
    /// The engine crashes.
    Crash(usize),
    /// A person claims, releases or resolves.
    Request(&'static str, StateChange),
}

/// The result of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The engine knows the result.
    Known,
    /// The commit happens, but the engine does not know it.
    Happened,
    /// The commit does not happen, but the engine does not know it.
    DidNot,
}

/// The result of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The carrier accepts.
    Accepted,
    /// The carrier accepts, and the reply is lost.
    LostReply,
    /// The carrier accepts, and the engine crashes before it knows.
    AcceptedAndCrashed,
    /// The carrier cannot be reached.
    Unavailable,
    /// The carrier refuses.
    Rejected,
}

fn contact(name: &str) -> Contact {
    Contact::new(format!("sim:{name}")).expect("a plain name")
}

fn person(name: &str) -> Person {
    Person::new(name).expect("a plain name")
}

fn matrix() -> Matrix {
    Matrix::new(vec![vec![contact("a"), contact("b")], vec![contact("c")]], vec![contact("f")], WAIT)
}

/// A new round alerts the same team again.
fn next_round(incident: &Incident) -> NextRound {
    NextRound::of(incident.team().clone(), matrix())
}

impl Protocol {
    /// A model with these limits.
    pub fn new(budget: Budget) -> Self {
        Self { budget, engines: 2 }
    }

    fn due(&self, world: &World, engine: usize) -> Option<(Held, Vec<Flight>)> {
        let incident = &*world.record.0;
        let hold: HashSet<DeliveryId> =
            world.engines[engine].flights.iter().map(|f| incident.delivery_id(f.key)).collect();
        let mut given = None;
        loop {
            let input = Input::Due { lease: LEASE, hold: &hold, round: given.take() };
            match plan::step(incident, input, world.now) {
                Decision::Change(plan) => {
                    let flight = |send: &plan::Dispatch| Flight {
                        key: send.delivery,
                        attempt: send.attempt,
                        contact: send.contact.clone(),
                        until: send.lease_until,
                        planned: world.now,
                        ended: None,
                    };
                    let flights = plan.sends.iter().map(flight).collect();
                    return Some((Held(Arc::new(plan.draft.into_incident())), flights));
                }
                Decision::NeedsRound(_) => given = Some(next_round(incident)),
                Decision::Nothing | Decision::Refuse(_) => return None,
            }
        }
    }
}

impl World {
    fn breaks(&mut self, promise: u8) {
        self.broken.get_or_insert(promise);
    }

    /// Replaces the record. The plans of other engines become stale.
    fn write(&mut self, record: Held) {
        let (from, to) = (self.record.0.state(), record.0.state());
        if from == IncidentState::Resolved && to != from {
            self.breaks(5);
        }
        if from == IncidentState::Claimed
            && to == IncidentState::Open
            && record.0.round() == self.record.0.round()
        {
            self.breaks(5);
        }
        if record.0.timeline().fold().is_none_or(|s| s.state != to || s.round != record.0.round()) {
            self.breaks(7);
        }
        match (from == IncidentState::Open, to == IncidentState::Open) {
            (true, false) => self.closed_at = Some(self.now),
            (false, true) => self.closed_at = None,
            (true, true) | (false, false) => {}
        }
        self.record = record;
        self.engines.iter_mut().for_each(|engine| engine.planned = None);
    }

    /// Writes what is due because of time. P22 must hold.
    fn write_due(&mut self, record: Held) {
        let was_claimed = self.record.0.state() == IncidentState::Claimed;
        if was_claimed && record.0.state() == IncidentState::Open {
            let ends = self.handed_at.take().map(|at| at + WAIT).into_iter().chain(self.ends_at.take()).min();
            if ends.is_none_or(|ends| self.now < ends) {
                self.breaks(22);
            }
        }
        self.write(record);
    }

    fn crash(&mut self, engine: usize) {
        let lost = std::mem::take(&mut self.engines[engine]);
        for flight in lost.flights {
            let seen = self.seen.entry(flight.key).or_default();
            seen.excuses += 1;
            seen.lost += u8::from(flight.ended.is_none());
        }
    }

    /// Begins a send. P8, P11 and P14 must hold.
    fn begins(&mut self, flight: &Flight) {
        if flight.key.purpose.is_status_update() {
            return self.tells(flight);
        }
        let same_moment = self.now == flight.planned;
        if self.closed_at.is_some_and(|closed| closed < flight.planned || !same_moment) {
            self.breaks(11);
        }
        if self.now >= flight.until {
            self.breaks(14);
        }
        let first_of_level = !self.seen.iter().any(|(key, seen)| {
            (key.round, key.purpose) == (flight.key.round, flight.key.purpose) && seen.first_begun.is_some()
        });
        let before = match flight.key.purpose {
            Purpose::Alert(Level::At(2)) => Some(Level::At(1)),
            Purpose::Alert(Level::Fallback) => Some(Level::At(2)),
            Purpose::Alert(Level::At(_)) | Purpose::CallIn(_) | Purpose::StatusUpdate(_) => None,
        };
        if let (true, Some(before)) = (first_of_level, before) {
            let is_before =
                |key: &DeliveryKey| key.round == flight.key.round && key.purpose == Purpose::Alert(before);
            let of_before = || self.seen.iter().filter(|(k, s)| is_before(k) && s.first_begun.is_some());
            let began = of_before().filter_map(|(_, seen)| seen.first_begun).min();
            let size = self.record.0.matrix().contacts(before).len();
            let dead = of_before().filter(|(_, seen)| seen.rejected).count() == size;
            // It counts from the lease; a send under a slow lease that was renewed begins as much later.
            let wait = TimeDelta::from_std(WAIT).unwrap_or_default() - TimeDelta::seconds(DEADLINE * 2);
            // A level begins again once; whose lease was lost twice may come after the next.
            let lost_twice = self.seen.iter().any(|(k, s)| is_before(k) && s.lost > 1);
            if !dead && !lost_twice && began.is_none_or(|began| self.now - began < wait) {
                self.breaks(8);
            }
            if dead && began.is_none() {
                self.breaks(12);
            }
        }
        let now = self.now;
        self.seen.entry(flight.key).or_default().first_begun.get_or_insert(now);
    }

    /// Looks at the notices whose leases were committed now: P22 must hold.
    fn leases_notices(&mut self, flights: &[Flight]) {
        for flight in flights.iter().filter(|flight| flight.key.purpose.is_status_update()) {
            let holder = self.record.0.claimed().map(|claimed| claimed.by.as_str().to_owned());
            let is_claimant = holder.is_some_and(|holder| holder == flight.contact.as_str());
            let is_near = self.ends_at.is_some_and(|at| at - AHEAD <= flight.planned && flight.planned < at);
            if !is_claimant || !is_near {
                self.breaks(22);
            }
        }
    }

    /// Begins a notice: P14 must hold.
    fn tells(&mut self, flight: &Flight) {
        if self.now >= flight.until {
            self.breaks(14);
        }
        let now = self.now;
        self.seen.entry(flight.key).or_default().first_begun.get_or_insert(now);
    }

    /// Checks a state in which nothing is due and nothing is in progress. P9 and P12 must hold.
    fn rests(&mut self) {
        let incident = Arc::clone(&self.record.0);
        let busy = self.engines.iter().any(|e| e.planned.is_some() || !e.flights.is_empty());
        let must_end = self.handed_at.is_some() || self.ends_at.is_some();
        if !busy && must_end && plan::due_at(&incident).is_none() {
            self.breaks(22);
        }
        if busy || incident.state() != IncidentState::Open || plan::due_at(&incident).is_some() {
            return;
        }
        let mut arrived = false;
        for level in [Level::At(1), Level::At(2), Level::Fallback] {
            for place in 0..incident.matrix().contacts(level).len() {
                let place = u16::try_from(place).unwrap_or(0);
                let key = DeliveryKey::alert(incident.round(), level, place);
                let seen = self.seen.get(&key).cloned().unwrap_or_default();
                arrived |= seen.arrivals > 0;
                if seen.arrivals == 0 && !seen.rejected {
                    self.breaks(9);
                }
            }
        }
        if !incident.is_unclaimed() || incident.is_undelivered() == arrived {
            self.breaks(12);
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default();
        let report = Report::builder("s", Severity::Crit, "t").build().expect("a plain report");
        let team = TeamName::new("t").expect("a plain name");
        let (opening, _) = plan::open(report, team, matrix(), None, now);
        let incident = opening.numbered(IncidentNumber::new(1)).into_incident();
        vec![World {
            now,
            record: Held(Arc::new(incident)),
            engines: vec![EngineState::default(); self.engines],
            seen: BTreeMap::new(),
            left: self.budget,
            closed_at: None,
            handed_at: None,
            ends_at: None,
            broken: None,
        }]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        if world.broken.is_some() {
            return;
        }
        let left = world.left;
        let due_at = plan::due_at(&world.record.0);
        if let Some(at) = due_at.filter(|at| *at > world.now && left.ticks > 0) {
            // Engines begin, renew or give up within their leases.
            let in_time = |f: &Flight| (at - f.planned).num_seconds() < DEADLINE;
            if world.engines.iter().flat_map(|e| &e.flights).all(in_time) {
                acts.push(Act::Tick);
            }
        }
        if left.outages > 0 && left.ticks > 0 {
            acts.push(Act::Outage);
        }
        let third = world.now + TimeDelta::seconds(DEADLINE / 2);
        let may_wait = left.renewals > 0 && due_at.is_none_or(|at| at > third);
        for (e, engine) in world.engines.iter().enumerate() {
            let is_to_be_sent = |f: &Flight| f.ended.is_none();
            for (i, _) in engine.flights.iter().enumerate().filter(|(_, f)| may_wait && is_to_be_sent(f)) {
                acts.push(Act::Renew(e, i));
            }
            if engine.planned.is_none() && due_at.is_some_and(|at| at <= world.now) {
                acts.push(Act::Plan(e));
            }
            if engine.planned.is_some() {
                acts.push(Act::Commit(e, Ending::Known));
                if left.unknown_happened > 0 {
                    acts.push(Act::Commit(e, Ending::Happened));
                }
                if left.unknown_did_not > 0 {
                    acts.push(Act::Commit(e, Ending::DidNot));
                }
            }
            for (i, flight) in engine.flights.iter().enumerate() {
                if flight.ended.is_some() {
                    acts.push(Act::Record(e, i));
                    continue;
                }
                acts.push(Act::Send(e, i, Fate::Accepted));
                for (allowed, fate) in [
                    (left.lost_replies > 0, Fate::LostReply),
                    (left.crashes > 0, Fate::AcceptedAndCrashed),
                    (left.unavailable > 0, Fate::Unavailable),
                    (left.rejected > 0, Fate::Rejected),
                ] {
                    if allowed {
                        acts.push(Act::Send(e, i, fate));
                    }
                }
            }
            if left.crashes > 0 && (engine.planned.is_some() || !engine.flights.is_empty()) {
                acts.push(Act::Crash(e));
            }
        }
        if left.claims > 0 {
            acts.push(Act::Request(JO, StateChange::Claim(TakeOver::No)));
            acts.push(Act::Request("kim", StateChange::Claim(TakeOver::No)));
            acts.push(Act::Request(JO, StateChange::Resolve));
            acts.push(Act::Request(JO, StateChange::HandTo(person("kim"))));
        }
        if left.releases > 0 {
            acts.push(Act::Request(JO, StateChange::Release(TakeOver::No)));
        }
        if left.snoozes > 0 && world.record.0.state() == IncidentState::Claimed {
            acts.push(Act::Request("kim", StateChange::Snooze(SNOOZE)));
        }
    }

    fn next_state(&self, last: &World, act: Act) -> Option<World> {
        let mut world = last.clone();
        match act {
            Act::Tick => {
                world.left.ticks -= 1;
                world.now = plan::due_at(&world.record.0)?;
            }
            Act::Outage => {
                world.left.outages -= 1;
                world.left.ticks -= 1;
                (0..self.engines).for_each(|engine| world.crash(engine));
                world.now += TimeDelta::from_std(WAIT * 2 + LEASE).unwrap_or_default();
            }
            Act::Renew(e, i) => {
                world.left.renewals -= 1;
                world.now += TimeDelta::seconds(DEADLINE / 2);
                let flight = world.engines[e].flights[i].clone();
                let (delivery, attempt) = (flight.key, flight.attempt);
                let input = Input::Renew { delivery, attempt, lease: LEASE };
                match plan::step(&world.record.0, input, world.now) {
                    Decision::Change(plan) => {
                        world.write(Held(Arc::new(plan.draft.into_incident())));
                        let flight = &mut world.engines[e].flights[i];
                        (flight.planned, flight.until) = (world.now, world.now + LEASE);
                    }
                    Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => {
                        world.engines[e].flights[i].ended = Some(Ended::NotBegun);
                    }
                }
            }
            Act::Plan(e) => world.engines[e].planned = Some(self.due(&world, e)?),
            Act::Commit(e, ending) => {
                let (record, flights) = world.engines[e].planned.take()?;
                let unsent = || flights.iter().map(|flight| flight.key).collect::<Vec<_>>();
                match ending {
                    Ending::Known => {
                        world.write_due(record);
                        world.leases_notices(&flights);
                        world.engines[e].flights.extend(flights);
                    }
                    Ending::Happened => {
                        world.left.unknown_happened -= 1;
                        let unsent = unsent();
                        world.write_due(record);
                        for key in unsent {
                            world.seen.entry(key).or_default().lost += 1;
                        }
                    }
                    Ending::DidNot => world.left.unknown_did_not -= 1,
                }
            }
            Act::Send(e, i, fate) => {
                let flight = world.engines[e].flights[i].clone();
                let over = world.now >= flight.until;
                // Begun in the same moment, or after another look at the record.
                let wanted = match flight.key.purpose {
                    Purpose::Alert(_) => IncidentState::Open,
                    // Nobody is called in here.
                    Purpose::StatusUpdate(_) | Purpose::CallIn(_) => IncidentState::Claimed,
                };
                let holds = world.record.0.state() == wanted
                    && world.record.0.round() == flight.key.round
                    && world.record.0.deliveries().iter().any(|d| {
                        d.key() == flight.key
                            && d.attempts() == flight.attempt
                            && matches!(d.status(), DeliveryStatus::InFlight { .. })
                    });
                if over || (world.now != flight.planned && !holds) {
                    if fate != Fate::Accepted {
                        return None;
                    }
                    world.engines[e].flights[i].ended = Some(Ended::NotBegun);
                    return Some(world);
                }
                world.begins(&flight);
                let seen = world.seen.entry(flight.key).or_default();
                let ended = match fate {
                    Fate::Accepted => {
                        seen.arrivals += 1;
                        Ended::Accepted
                    }
                    Fate::LostReply | Fate::AcceptedAndCrashed => {
                        seen.arrivals += 1;
                        seen.excuses += 1;
                        Ended::Unknown
                    }
                    Fate::Unavailable => Ended::Unavailable,
                    Fate::Rejected => {
                        seen.rejected = true;
                        Ended::Rejected
                    }
                };
                if seen.arrivals > 1 + seen.excuses {
                    world.breaks(10);
                }
                world.engines[e].flights[i].ended = Some(ended);
                match fate {
                    Fate::Accepted => {}
                    Fate::LostReply => world.left.lost_replies -= 1,
                    Fate::AcceptedAndCrashed => {
                        world.left.crashes -= 1;
                        world.crash(e);
                    }
                    Fate::Unavailable => world.left.unavailable -= 1,
                    Fate::Rejected => world.left.rejected -= 1,
                }
            }
            Act::Record(e, i) => {
                let flight = world.engines[e].flights.remove(i);
                let outcome = match flight.ended? {
                    Ended::Accepted => Some(Outcome::Accepted),
                    Ended::Unknown => Some(Outcome::unknown("no reply")),
                    Ended::Unavailable => Some(Outcome::unavailable("away")),
                    Ended::Rejected => Some(Outcome::rejected("unknown")),
                    Ended::NotBegun => None,
                };
                let (delivery, attempt) = (flight.key, flight.attempt);
                let input = match &outcome {
                    Some(outcome) => Input::Outcome { delivery, attempt, outcome },
                    None => Input::NotBegun { delivery, attempt, reason: "late" },
                };
                match plan::step(&world.record.0, input, world.now) {
                    Decision::Change(plan) => world.write(Held(Arc::new(plan.draft.into_incident()))),
                    Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => {}
                }
            }
            Act::Crash(e) => {
                world.left.crashes -= 1;
                world.crash(e);
            }
            Act::Request(by, request) => {
                let holder = world.record.0.claimed().map(|claimed| claimed.by.clone());
                let holder_is_same = holder.as_ref().is_some_and(|holder| *holder == person(by));
                let update = Update::state(person(by), request.clone());
                let round = Some(next_round(&world.record.0));
                let input = Input::Update { update: &update, round };
                match plan::step(&world.record.0, input, world.now) {
                    Decision::Change(plan) => {
                        let claimed = world.record.0.state() == IncidentState::Claimed;
                        let asks_first = matches!(request, StateChange::Claim(_) | StateChange::Release(_));
                        if claimed && asks_first && holder.is_some_and(|h| h != person(by)) {
                            world.breaks(6);
                        }
                        match &request {
                            StateChange::Snooze(time) => {
                                world.ends_at = Some(world.now + *time);
                                world.handed_at = world.handed_at.filter(|_| !holder_is_same);
                            }
                            StateChange::HandTo(_) => {
                                (world.handed_at, world.ends_at) = (Some(world.now), None);
                            }
                            // The answer of the person who was handed it leaves the end as it is.
                            StateChange::Claim(_) if holder_is_same => world.handed_at = None,
                            StateChange::Claim(_)
                            | StateChange::Release(_)
                            | StateChange::Resolve
                            | StateChange::End(_)
                            | StateChange::HandToTeam(_)
                            | StateChange::Escalate => {
                                (world.handed_at, world.ends_at) = (None, None);
                            }
                        }
                        world.write(Held(Arc::new(plan.draft.into_incident())));
                    }
                    Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => return None,
                }
                match request {
                    StateChange::Release(_) | StateChange::HandToTeam(_) => world.left.releases -= 1,
                    StateChange::Claim(_)
                    | StateChange::HandTo(_)
                    | StateChange::Resolve
                    | StateChange::End(_)
                    | StateChange::Escalate => world.left.claims -= 1,
                    StateChange::Snooze(_) => world.left.snoozes -= 1,
                }
            }
        }
        world.rests();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("P5: states change only as allowed", |_, w: &World| w.broken != Some(5)),
            Property::always("P6: one claimant", |_, w: &World| w.broken != Some(6)),
            Property::always("P7: the timeline folds to the state", |_, w: &World| w.broken != Some(7)),
            Property::always("P8: never early", |_, w: &World| w.broken != Some(8)),
            Property::always("P9: never lost", |_, w: &World| w.broken != Some(9)),
            Property::always("P10: exactly one", |_, w: &World| w.broken != Some(10)),
            Property::always("P11: a claim stops alerts", |_, w: &World| w.broken != Some(11)),
            Property::always("P12: nobody waits for an unreachable contact", |_, w: &World| {
                w.broken != Some(12)
            }),
            Property::always("P14: no send begins after its lease", |_, w: &World| w.broken != Some(14)),
            Property::always("P22: a claim ends in time, and its claimant is told before", |_, w: &World| {
                w.broken != Some(22)
            }),
            Property::sometimes("a claimant is told", |_, w: &World| {
                w.seen.iter().any(|(key, seen)| key.purpose.is_status_update() && seen.arrivals > 0)
            }),
            Property::sometimes("everybody was alerted", |_, w: &World| w.record.0.is_unclaimed()),
            Property::sometimes("a second round", |_, w: &World| w.record.0.round() > 1),
        ]
    }
}

/// The result of a check.
#[derive(Debug)]
pub struct Checked {
    /// The number of states that were generated.
    pub states: usize,
    /// The number of different states.
    pub unique: usize,
    /// The number of steps of the longest path.
    pub depth: usize,
    /// The broken properties, with the steps that lead to them.
    pub broken: Vec<(String, String)>,
}

/// The order in which states are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// The nearest first: this finds the shortest path to a broken property, but holds all unvisited states in memory.
    Breadth,
    /// The deepest first: this needs little memory, so very many states can be visited.
    Depth,
}

/// Visits every state within `budget`, or `most` states if there are more.
pub fn check(budget: Budget, search: Search, threads: usize, most: Option<usize>) -> Checked {
    let mut builder = Protocol::new(budget).checker().threads(threads);
    if let Some(most) = most {
        builder = builder.target_state_count(most.max(1));
    }
    match search {
        Search::Breadth => judge(budget, most, &builder.spawn_bfs().join()),
        Search::Depth => judge(budget, most, &builder.spawn_dfs().join()),
    }
}

fn judge(budget: Budget, most: Option<usize>, checker: &impl Checker<Protocol>) -> Checked {
    let mut broken = Vec::new();
    for (name, path) in checker.discoveries() {
        if name.starts_with('P') {
            broken.push((name.to_owned(), format!("{:?}", path.into_actions())));
        }
    }
    if most.is_none() {
        for property in Protocol::new(budget).properties() {
            if !property.name.starts_with('P') && checker.discovery(property.name).is_none() {
                broken.push((property.name.to_owned(), "never came".into()));
            }
        }
    }
    Checked {
        states: checker.state_count(),
        unique: checker.unique_state_count(),
        depth: checker.max_depth(),
        broken,
    }
}

/// The first promise that breaks within the small limits, if any.
pub fn counterexample() -> Option<String> {
    let checked = std::panic::catch_unwind(|| check(Budget::SMALL, Search::Breadth, 1, Some(60_000))).ok()?;
    checked.broken.into_iter().map(|(name, _)| name).find(|name| name.starts_with('P'))
}
