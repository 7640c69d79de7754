//! One incident on a table, with a clock that the test sets.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{LEASE, T0, after, name, person, report, secs};
use crate::model::{
    Contact, Delivery, DeliveryId, DeliveryKey, DeliveryStatus, Event, Incident, IncidentNumber, Level,
    Matrix, Purpose, Routed, Severity, State, TeamName,
};
use crate::notify::Outcome;
use crate::plan::{
    self, Alerted, Decision, Dispatch, Held, Hold, HoldNothing, Input, NextRound, Plan, Refusal, RoundOf,
    Ruled, StateChange, TakeOver, Update,
};
use crate::roster::QuietRules;

/// An incident and the time. Sends are written as `level:contact`, with `#attempt` after the first.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) incident: Incident,
    pub(super) now: DateTime<Utc>,
    /// What the roster would answer when a round begins: who is alerted, which team owns the service, and whether
    /// these are the people of the team that was asked for.
    pub(super) matrix: Matrix,
    pub(super) owner: &'static str,
    pub(super) alerted: Alerted,
    /// The silences and alert hours of the roster.
    pub(super) rules: QuietRules,
}

/// Holds back some deliveries.
#[derive(Debug)]
struct HoldKeys<'a>(&'a [&'a str], Held, &'a Scene, Living);

/// Which process looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Living {
    /// The one that let the latest level wait for slots.
    Same,
    Another,
}

impl Hold for HoldKeys<'_> {
    fn held(&self, delivery: &DeliveryId, _: &Contact) -> Held {
        let Self(sends, held, scene, _) = self;
        let is_held = sends.iter().any(|send| scene.incident.delivery_id(scene.key(send)) == *delivery);
        if is_held { *held } else { Held::Free }
    }

    fn has_let_it_wait(&self) -> bool {
        self.3 == Living::Same
    }
}

impl Scene {
    pub(super) fn open(matrix: Matrix, severity: Severity) -> Self {
        let team = TeamName::new("devops").unwrap();
        Self::routed(matrix, severity, None, team)
    }

    /// An incident that a routing rule decided about.
    pub(super) fn routed(matrix: Matrix, severity: Severity, by: Option<&Routed>, team: TeamName) -> Self {
        let report = report(severity).routed_by(by.cloned());
        let (opening, sends) = plan::open(report, team, matrix.clone(), None, T0);
        assert!(sends.is_empty(), "a lease that nobody asked for");
        let incident = opening.numbered(IncidentNumber::new(10_001)).into_incident();
        Self {
            incident,
            now: T0,
            matrix,
            owner: "devops",
            alerted: Alerted::Team,
            rules: QuietRules::default(),
        }
    }

    pub(super) fn crit(matrix: Matrix) -> Self {
        Self::open(matrix, Severity::Crit)
    }

    /// Sets the clock, in seconds after the scene began.
    pub(super) fn at(&mut self, seconds: i64) -> &mut Self {
        self.now = after(seconds);
        self
    }

    pub(super) fn try_step(&mut self, input: Input<'_>) -> Decision {
        let decision = plan::step(&self.incident, input, self.now);
        if let Decision::Change(plan) = &decision {
            self.incident = plan.draft.incident().clone();
            assert_eq!(self.incident.updated_at(), self.now);
            assert_eq!(plan.draft.due_at(), plan::due_at(&self.incident));
            let may = |send: &Dispatch| match (self.incident.state(), send.delivery.purpose) {
                (State::Open, _) | (_, Purpose::StatusUpdate(_)) | (State::Claimed, Purpose::CallIn(_)) => {
                    true
                }
                (State::Claimed, Purpose::Alert(_)) | (State::Resolved, _) => false,
            };
            assert!(plan.sends.iter().all(may), "promise 11");
            let is_alert = |send: &Dispatch| send.delivery.purpose.level().is_some();
            let is_quiet = self.incident.quiet().is_some();
            assert!(!(is_quiet && plan.sends.iter().any(is_alert)), "promise 21");
        }
        decision
    }

    /// What is sent now, while `held` are in flight in this process.
    pub(super) fn due_holding(&mut self, held: &[&str]) -> String {
        let scene = self.clone();
        self.due_with(&HoldKeys(held, Held::InFlight, &scene, Living::Another))
    }

    /// What is sent now, while no slot is free for `held`.
    pub(super) fn due_without_slots(&mut self, held: &[&str]) -> String {
        let scene = self.clone();
        self.due_with(&HoldKeys(held, Held::NoSlot, &scene, Living::Same))
    }

    /// The same by another process.
    pub(super) fn due_elsewhere_without_slots(&mut self, held: &[&str]) -> String {
        let scene = self.clone();
        self.due_with(&HoldKeys(held, Held::NoSlot, &scene, Living::Another))
    }

    /// What is sent now, by a process that let the latest level wait for slots.
    pub(super) fn due_having_waited(&mut self) -> String {
        self.due_without_slots(&[])
    }

    /// What is sent now.
    pub(super) fn due(&mut self) -> String {
        self.due_with(&HoldNothing)
    }

    fn due_with(&mut self, hold: &dyn Hold) -> String {
        self.lease(hold).iter().map(text).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn lease(&mut self, hold: &dyn Hold) -> Vec<Dispatch> {
        let rules = self.rules.clone();
        let hold = &Ruled { hold, rules: &rules };
        let mut round = None;
        for _ in 0..2 {
            match self.try_step(Input::Due { lease: LEASE, hold, round: round.take() }) {
                Decision::Change(plan) => return plan.sends,
                Decision::Nothing => return Vec::new(),
                Decision::NeedsRound(of) => round = Some(self.next_round(of)),
                Decision::Refuse(refusal) => panic!("refused what is due: {refusal}"),
            }
        }
        panic!("asked for a round again")
    }

    /// As the roster would answer.
    fn next_round(&self, of: RoundOf) -> NextRound {
        let team = match of {
            RoundOf::Team(team) | RoundOf::Routed(team) if self.alerted != Alerted::CatchAll => team,
            RoundOf::Team(_) | RoundOf::Routed(_) | RoundOf::Service => TeamName::new(self.owner).unwrap(),
        };
        NextRound { team, matrix: self.matrix.clone(), alerted: self.alerted }
    }

    /// The delivery that is written like this, in the current round: `1:jo`, or `1:jo@180` for a later step, or `c1:jo`
    /// for a call.
    pub(super) fn key(&self, send: &str) -> DeliveryKey {
        let (level, who) = send.split_once(':').expect("level:contact");
        let call = level.strip_prefix('c').map(|n| Purpose::CallIn(n.parse().expect("a call")));
        let level = match level {
            _ if call.is_some() => Level::Fallback,
            "f" => Level::Fallback,
            n => Level::At(n.parse().expect("a level")),
        };
        let (who, after) = match who.split_once('@') {
            Some((who, after)) => (who, Some(secs(after.parse().expect("seconds")))),
            None => (who, None),
        };
        let is_this =
            |contact: &Contact, of: Duration| name(contact) == who && after.is_none_or(|it| it == of);
        if let Some(purpose) = call {
            let mut calls = self.incident.current_deliveries().filter(|d| d.purpose == purpose);
            return calls.find(|d| is_this(&d.contact, d.after)).expect("a call").key();
        }
        let mut begun = self.incident.level_deliveries(level);
        if let Some(delivery) = begun.find(|d| is_this(&d.contact, d.after)) {
            return delivery.key();
        }
        let steps = self.incident.matrix().steps(level, self.incident.severity());
        let place =
            steps.iter().position(|(contact, of)| is_this(contact, *of)).expect("a step of that level");
        DeliveryKey::alert(self.incident.round(), level, u16::try_from(place).unwrap())
    }

    pub(super) fn delivery(&self, send: &str) -> &Delivery {
        let key = self.key(send);
        self.incident.deliveries().iter().find(|d| d.key() == key).expect("a delivery")
    }

    /// The process that makes the last attempt of a delivery is still at it. Whether its lease was renewed.
    pub(super) fn renews(&mut self, send: &str) -> bool {
        let attempt = self.delivery(send).attempts();
        self.attempt_renews(send, attempt)
    }

    pub(super) fn attempt_renews(&mut self, send: &str, attempt: u32) -> bool {
        let delivery = self.key(send);
        match self.try_step(Input::Renew { delivery, attempt, lease: LEASE }) {
            Decision::Change(plan) => {
                assert!(plan.sends.is_empty(), "a renewal sends nothing itself");
                true
            }
            Decision::Nothing => false,
            other => panic!("{other:?}"),
        }
    }

    /// The last attempt of a delivery ended.
    pub(super) fn ends(&mut self, send: &str, outcome: &Outcome) -> &mut Self {
        let attempt = self.delivery(send).attempts();
        self.attempt_ends(send, attempt, outcome)
    }

    pub(super) fn attempt_ends(&mut self, send: &str, attempt: u32, outcome: &Outcome) -> &mut Self {
        self.attempt_was(send, attempt, Some(outcome))
    }

    /// An attempt ended like that, or was not begun.
    pub(super) fn attempt_was(&mut self, send: &str, attempt: u32, outcome: Option<&Outcome>) -> &mut Self {
        let decision = self.try_step(ended(self.key(send), attempt, outcome));
        assert!(matches!(decision, Decision::Change(_) | Decision::Nothing), "{decision:?}");
        self
    }

    pub(super) fn accepts(&mut self, sends: &str) -> &mut Self {
        sends.split_whitespace().for_each(|send| _ = self.ends(send, &Outcome::Accepted));
        self
    }

    /// The latest status update to a contact is accepted.
    pub(super) fn accepts_update(&mut self, to: &str) -> &mut Self {
        let is_it = |d: &&Delivery| name(&d.contact) == to;
        let update = self.incident.current_status_updates().filter(is_it).last().expect("a status update");
        let (key, attempt) = (update.key(), update.attempts());
        let decision = self.try_step(ended(key, attempt, Some(&Outcome::Accepted)));
        assert!(matches!(decision, Decision::Change(_)), "{decision:?}");
        self
    }

    pub(super) fn rejects(&mut self, sends: &str) -> &mut Self {
        sends.split_whitespace().for_each(|send| _ = self.ends(send, &Outcome::rejected("550 no such user")));
        self
    }

    /// The carrier gives deliveries back; whether each made a difference.
    pub(super) fn bounces(&mut self, sends: &str) -> Vec<bool> {
        let ids = sends.split_whitespace().map(|send| self.incident.delivery_id(self.key(send)));
        ids.collect::<Vec<_>>().iter().map(|id| self.bounces_by_name(id)).collect()
    }

    pub(super) fn bounces_by_name(&mut self, delivery: &DeliveryId) -> bool {
        match self.try_step(Input::Bounced { delivery, reason: "550 5.1.1 no such user" }) {
            Decision::Change(plan) => {
                assert!(plan.sends.is_empty(), "a bounce sends nothing itself");
                true
            }
            Decision::Nothing => false,
            other => panic!("{other:?}"),
        }
    }

    /// The carrier reports that it could not deliver that attempt, for now; whether it made a difference.
    pub(super) fn fails_later(&mut self, send: &str, attempt: u32) -> bool {
        let id = self.incident.delivery_id(self.key(send));
        self.fails_later_by_name(&id, attempt)
    }

    pub(super) fn fails_later_by_name(&mut self, delivery: &DeliveryId, attempt: u32) -> bool {
        match self.try_step(Input::Undelivered { delivery, attempt, reason: "30008 unknown error" }) {
            Decision::Change(plan) => {
                assert!(plan.sends.is_empty(), "a report sends nothing itself");
                true
            }
            Decision::Nothing => false,
            other => panic!("{other:?}"),
        }
    }

    /// The process judges the incident by today's rules; whether anything changed.
    pub(super) fn judge(&mut self) -> bool {
        let rules = self.rules.clone();
        let mut round = None;
        for _ in 0..2 {
            let decision =
                plan::step(&self.incident, Input::Judge { rules: &rules, round: round.take() }, self.now);
            match decision {
                Decision::Change(plan) => {
                    assert!(plan.sends.is_empty(), "a judgement sends nothing itself");
                    self.incident = plan.draft.into_incident();
                    return true;
                }
                Decision::Nothing => return false,
                Decision::NeedsRound(of) => round = Some(self.next_round(of)),
                Decision::Refuse(refusal) => panic!("refused a judgement: {refusal}"),
            }
        }
        panic!("asked for a round again")
    }

    /// Somebody asks for something; `Ok(true)` if it changed anything.
    pub(super) fn asks(&mut self, update: &Update) -> Result<bool, Refusal> {
        let mut round = None;
        for _ in 0..2 {
            match self.try_step(Input::Update { update, round: round.take() }) {
                Decision::Change(plan) => {
                    let Plan { sends, .. } = *plan;
                    assert!(sends.is_empty(), "people's updates send nothing themselves");
                    return Ok(true);
                }
                Decision::Nothing => return Ok(false),
                Decision::Refuse(refusal) => return Err(refusal),
                Decision::NeedsRound(of) => round = Some(self.next_round(of)),
            }
        }
        panic!("asked for a round again")
    }

    pub(super) fn claim(&mut self, by: &str) -> Result<bool, Refusal> {
        self.asks(&Update::state(person(by), StateChange::Claim(TakeOver::No)))
    }

    pub(super) fn release(&mut self, by: &str) -> Result<bool, Refusal> {
        self.asks(&Update::state(person(by), StateChange::Release(TakeOver::No)))
    }

    pub(super) fn resolve(&mut self, by: &str) -> Result<bool, Refusal> {
        self.asks(&Update::state(person(by), StateChange::Resolve))
    }

    pub(super) fn escalate(&mut self, by: &str) -> Result<bool, Refusal> {
        self.asks(&Update::state(person(by), StateChange::Escalate))
    }

    /// Somebody calls in people, who are written like a level of [`timed`](super::timed).
    pub(super) fn call_in(&mut self, by: &str, people: &str) -> Result<bool, Refusal> {
        let matrix = super::timed(&[(Severity::Crit, &[people, ""])]);
        self.asks(&Update::call_in(person(by), matrix))
    }

    pub(super) fn severity(&mut self, severity: Severity) -> Result<bool, Refusal> {
        let update = Update {
            by: person("jo"),
            key: None,
            severity: Some(severity),
            state: None,
            note: None,
            reach: Vec::new(),
            call_in: None,
            asked_at: None,
        };
        self.asks(&update)
    }

    pub(super) fn repeat(&mut self, severity: Severity) -> bool {
        matches!(
            self.try_step(Input::Repeat { severity, key: None, routed: None, round: None }),
            Decision::Change(_)
        )
    }

    /// A repeat that a routing rule decided about, or none.
    pub(super) fn repeat_by(&mut self, severity: Severity, routed: Option<&Routed>) -> bool {
        let mut round = None;
        for _ in 0..2 {
            match self.try_step(Input::Repeat { severity, key: None, routed, round: round.take() }) {
                Decision::Change(_) => return true,
                Decision::Nothing => return false,
                Decision::NeedsRound(of) => round = Some(self.next_round(of)),
                Decision::Refuse(refusal) => panic!("refused a repeat: {refusal}"),
            }
        }
        panic!("asked for a round again")
    }

    /// When something is due, in seconds after the scene began.
    pub(super) fn next(&self) -> Option<f64> {
        plan::due_at(&self.incident).map(|at| (at - T0).as_seconds_f64())
    }

    pub(super) fn pending_at(&self, send: &str) -> Option<DateTime<Utc>> {
        match self.delivery(send).status() {
            DeliveryStatus::Pending { due_at } => Some(due_at),
            _ => None,
        }
    }

    /// How often the timeline says something.
    pub(super) fn told(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.incident.timeline().entries().iter().filter(|entry| what(&entry.event)).count()
    }

    /// Goes from one due time to the next until nothing is due, and answers what was sent when.
    ///
    /// Contacts whose name begins with `x` reject, those with `u` are unavailable until the first `patience`
    /// seconds are over, all others accept; each at once. A limit holds those with `w` back for as long, if it may.
    pub(super) fn play(&mut self, patience: i64) -> String {
        let mut told: Vec<String> = Vec::new();
        for _ in 0..500 {
            let Some(due_at) = plan::due_at(&self.incident) else { return told.join(", ") };
            self.now = self.now.max(due_at);
            let (round, was_unclaimed) = (self.incident.round(), self.incident.is_unclaimed());
            let sends = self.lease(&HoldNothing);
            let mut line: Vec<String> = sends.iter().map(text).collect();
            if self.incident.round() > round {
                line.insert(0, format!("r{}", self.incident.round()));
            }
            for send in &sends {
                let outcome = match name(&send.contact).as_bytes()[0] {
                    b'x' => Outcome::rejected("550 no such user"),
                    b'w' if self.now < after(patience)
                        && plan::may_be_held_back(&self.incident, send.delivery) =>
                    {
                        Outcome::limited((after(patience) - self.now).to_std().unwrap(), "5 in 15 minutes")
                    }
                    b'u' if self.now < after(patience) => Outcome::unavailable("421 not now"),
                    _ => Outcome::Accepted,
                };
                self.attempt_ends_of(send, &outcome);
            }
            if self.incident.is_unclaimed() && !was_unclaimed {
                line.push("unclaimed".into());
            }
            if self.incident.is_undelivered() {
                line.push("undelivered".into());
            }
            if !line.is_empty() {
                told.push(format!("{} {}", (self.now - T0).num_seconds(), line.join(" ")));
            }
        }
        panic!("never comes to rest: {told:?}")
    }

    pub(super) fn attempt_ends_of(&mut self, send: &Dispatch, outcome: &Outcome) {
        let decision = self.try_step(ended(send.delivery, send.attempt, Some(outcome)));
        assert!(matches!(decision, Decision::Change(_)), "{decision:?}");
    }
}

/// That an attempt ended like that, or was not begun.
pub(super) fn ended(delivery: DeliveryKey, attempt: u32, outcome: Option<&Outcome>) -> Input<'_> {
    match outcome {
        Some(outcome) => Input::Outcome { delivery, attempt, outcome },
        None => Input::NotBegun { delivery, attempt, reason: "late" },
    }
}

fn text(send: &Dispatch) -> String {
    let purpose = match send.delivery.purpose {
        Purpose::Alert(Level::At(n)) => n.to_string(),
        Purpose::Alert(Level::Fallback) => "f".to_owned(),
        Purpose::CallIn(n) => format!("c{n}"),
        Purpose::StatusUpdate(n) => format!("n{n}"),
    };
    let repeat = if send.attempt > 1 { format!("#{}", send.attempt) } else { String::new() };
    format!("{purpose}:{}{repeat}", name(&send.contact))
}
