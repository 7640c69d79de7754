//! Checks the promises against what was seen from outside.
//!
//! | file | checks |
//! |---|---|
//! | `reports` | P1 to P4: numbers, dedup keys, reports without an answer |
//! | `states` | P5 to P7: states, claimants, timelines |
//! | `answers` | P20: whose answer over a channel counts |
//! | `alerts` | P10, P11, P14: which alerts may be sent to whom, and when no more |
//! | `handover` | P22: a person who is handed an incident must answer, or it is open again |
//! | `call_in` | P9, P11, P19: who is called in, and that the claim stays |
//! | `claim_ends` | P22: a claim that has an end ends then, once |
//! | `claim_notices` | P22: the claimant is told before their claim ends, once, and nobody else is |
//! | `frozen` | P15: which matrix a round may have, by the rosters that existed when it began |
//! | `ladder` | P8, P12, P15: who is alerted in which order |
//! | `steps` | P19: the steps of people's rules are neither early nor late |
//! | `limits` | P9: limits lose nothing |
//! | `bundled` | P23: a few messages a minute, the worst alerts first |
//! | `time` | P9, P12, P13: nothing comes late unless a fault explains it |
//! | `held`, `quiet` | P21: what holds an incident, and that quiet defers and never drops |
//! | `whose` | P12: which team a round alerts, by the roster |
//! | `on_call` | P15: who is on call, by the words of the design |
//! | `dry_run` | P17: what a dry run foretells happens |
//! | `end` | P9, P12: the state at the end of a run |

mod alerts;
mod answers;
mod bundled;
mod call_in;
mod claim_ends;
mod claim_notices;
pub mod compared;
mod dry_run;
mod end;
mod frozen;
mod handover;
pub mod heartbeats;
mod held;
mod ladder;
mod limits;
mod on_call;
mod quiet;
mod reports;
mod states;
mod steps;
mod time;
mod whose;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use inresponse_core::engine::{SENDS_PER_CONTACT, SENDS_PER_NEW_CONTACT};
use inresponse_core::model::{Contact, Event, IncidentNumber, Purpose, State};
use inresponse_core::plan::StateChange;
use inresponse_core::store::Record;

use crate::history::{History, Sent, Told, UpdateCall, Verdict};
use crate::play::Played;
use crate::scenario::{Drive, Scenario};
use crate::world::{MILLI, Micros, SECOND, World, micros};

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The number of the promise.
    pub promise: u8,
    /// A description of what was seen.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}: {}", self.promise, self.text)
    }
}

/// The result of a check.
#[derive(Debug)]
pub struct Checked {
    /// The first violation of each kind, in the order of the table above.
    pub violations: Vec<Violation>,
    /// What was compared, once for each time. A run in which something was never compared proves nothing about it.
    pub compared: Vec<&'static str>,
}

/// Checks everything.
pub fn checked(played: &Played) -> Checked {
    let checker = Checker::new(played);
    checker.reports();
    checker.states();
    checker.alerts();
    checker.handovers();
    checker.claim_ends();
    checker.claim_notices();
    checker.calls();
    checker.ladder();
    checker.end();
    checker.time();
    checker.steps();
    checker.limits();
    checker.bundles();
    checker.quiet();
    checker.dry_runs();
    Checked { violations: checker.found.into_inner(), compared: checker.compared.into_inner() }
}

/// Checks everything. Returns the first violation of each kind, in the order of the table above.
pub fn violations(played: &Played) -> Vec<Violation> {
    checked(played).violations
}

/// What identifies the delivery that a send belongs to: incident, round, purpose, contact and the step's seconds.
type Target = (IncidentNumber, u32, Purpose, Contact, u64);

struct Checker<'a> {
    scenario: &'a Scenario,
    history: &'a History,
    world: &'a World,
    /// The sends of each delivery, in order.
    targets: BTreeMap<Target, Vec<usize>>,
    /// The alerts of each incident at its levels, in order.
    sends: BTreeMap<IncidentNumber, Vec<usize>>,
    /// The alerts of each incident to people who were called in, in order.
    calls: BTreeMap<IncidentNumber, Vec<usize>>,
    last: BTreeMap<IncidentNumber, &'a Record>,
    updates: BTreeMap<IncidentNumber, Vec<&'a UpdateCall>>,
    found: RefCell<Vec<Violation>>,
    compared: RefCell<Vec<&'static str>>,
}

impl<'a> Checker<'a> {
    fn new(played: &'a Played) -> Self {
        let history = &played.history;
        let (mut targets, mut sends) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        let mut calls = BTreeMap::<_, Vec<_>>::new();
        for (i, sent) in history.sends.iter().enumerate() {
            let target = (sent.number, sent.round, sent.purpose, sent.contact.clone(), sent.after);
            targets.entry(target).or_default().push(i);
            match sent.purpose {
                Purpose::Alert(_) => sends.entry(sent.number).or_default().push(i),
                Purpose::CallIn(_) => calls.entry(sent.number).or_default().push(i),
                Purpose::StatusUpdate(_) => {}
            }
        }
        let mut updates = BTreeMap::<_, Vec<_>>::new();
        for call in &history.updates {
            updates.entry(call.number).or_default().push(call);
        }
        Self {
            scenario: &played.scenario,
            history,
            world: &played.world,
            targets,
            sends,
            calls,
            last: history.last.iter().map(|record| (record.number(), record)).collect(),
            updates,
            found: RefCell::default(),
            compared: RefCell::default(),
        }
    }

    fn violated(&self, promise: u8, text: String) {
        self.found.borrow_mut().push(Violation { promise, text });
    }

    fn sent(&self, i: usize) -> &'a Sent {
        &self.history.sends[i]
    }

    fn lease(&self) -> Micros {
        micros(self.scenario.lease)
    }

    /// How late something may come if no fault explains it.
    fn margin(&self) -> Micros {
        match self.scenario.drive {
            // Servers look at least every second.
            Drive::Runner => 1500 * MILLI,
            // An execution may have given up, so that the sweeper comes to it; and it may be under way itself.
            Drive::Steps => crate::stage::SWEEP_EVERY + 2 * SECOND + self.lease(),
        }
    }

    /// Whether no store, roster, process or clock failed from some time before `from` until `to`.
    fn is_quiet(&self, from: Micros, to: Micros) -> bool {
        // A server is down for up to eight seconds; what it had in flight is due when its lease ends.
        let from = from.saturating_sub(self.lease() + 10 * SECOND);
        !self.history.disturbances.iter().any(|d| d.from <= to && d.to >= from) && self.clocks_agree(to)
    }

    /// Whether the servers' wall clocks agree within a third of the lease.
    fn clocks_agree(&self, at: Micros) -> bool {
        self.apart(at) * 3 <= self.lease()
    }

    /// The maximum difference between the servers' wall clocks.
    fn apart(&self, at: Micros) -> Micros {
        let offsets = || (0..self.scenario.hosts).map(|host| self.offset(host, at));
        (offsets().max().unwrap_or(0) - offsets().min().unwrap_or(0)).unsigned_abs()
    }

    /// Whether no wall clock was set in that time.
    fn clocks_stand(&self, from: Micros, to: Micros) -> bool {
        !self.history.offsets.iter().any(|(at, _, _)| *at > 0 && *at >= from && *at <= to)
    }

    /// The error of a machine's wall clock at a time, in microseconds.
    fn offset(&self, host: usize, at: Micros) -> i64 {
        let set = self.history.offsets.iter().rev().find(|(time, h, _)| *time <= at && *h == host);
        set.map_or(0, |(_, _, offset)| *offset)
    }

    fn updates_of(&self, number: IncidentNumber) -> &[&'a UpdateCall] {
        self.updates.get(&number).map_or(&[], Vec::as_slice)
    }

    /// Whether certainly nobody claimed, released or resolved an incident, or changed its severity, in that time.
    fn is_left_alone(&self, number: IncidentNumber, from: Micros, to: Micros) -> bool {
        let touched = self.updates_of(number).iter().any(|call| {
            let overlaps =
                call.began <= to && (call.answer.is_open() || call.ended.is_none_or(|end| end >= from));
            may_have(call) && overlaps && (call.update.state.is_some() || call.update.severity.is_some())
        });
        !touched && !self.may_be_raised(number, from, to)
    }

    /// Whether a repeated report may have raised an incident in that time.
    fn may_be_raised(&self, number: IncidentNumber, from: Micros, to: Micros) -> bool {
        let Some(record) = self.last.get(&number) else { return true };
        let key = record.incident.dedup_key().map(|key| key.as_str());
        key.is_some()
            && self.history.reports.iter().any(|call| {
                call.key.as_deref() == key
                    && call.service == record.incident.service().as_str()
                    && call.title != record.incident.title()
                    && call.began <= to
                    && (call.answer.is_open() || call.ended.is_none_or(|end| end >= from))
            })
    }

    /// Whether an incident was certainly OPEN and not quiet from `from` to `to`.
    fn is_open(&self, number: IncidentNumber, from: Micros, to: Micros) -> bool {
        self.is_open_or_quiet(number, from, to) && !self.may_be_quiet(number, from, to)
    }

    /// Whether an incident was certainly OPEN from `from` to `to`: it was OPEN before, and nobody changed it.
    fn is_open_or_quiet(&self, number: IncidentNumber, from: Micros, to: Micros) -> bool {
        if !self.is_left_alone(number, from, to) {
            return false;
        }
        // The last request about it before that time, if any request could have closed it.
        let closed = self.updates_of(number).iter().any(|call| {
            call.began < from
                && closes(call)
                && may_have(call)
                && !self.was_released_after(number, call, from)
        });
        !closed
    }

    /// Whether a release was answered after `call` and before `by`, with no other request in between.
    fn was_released_after(&self, number: IncidentNumber, call: &UpdateCall, by: Micros) -> bool {
        let Some(ended) = call.ended else { return false };
        !call.answer.is_open()
            && self.updates_of(number).iter().any(|later| {
                later.began > ended
                    && later.ended.is_some_and(|end| end < by)
                    && releases(later)
                    && matches!(later.answer.got(), Some(Verdict::Changed(r)) if r.incident.state() == State::Open)
            })
    }

    /// Whether all sending slots of a contact were taken on some server in that time, or pacing may have held it. A contact that answers promptly
    /// has more slots.
    fn is_crowded(&self, contact: &Contact, from: Micros, to: Micros) -> bool {
        let under_way = self.history.sends.iter().filter(|sent| {
            sent.contact == *contact && sent.began <= to && sent.ended.is_none_or(|end| end + SECOND >= from)
        });
        let (mut all, mut slow) = (0, 0);
        for sent in under_way {
            all += 1;
            slow += usize::from(sent.ended.is_none_or(|ended| ended >= sent.began + SECOND));
        }
        let is_full = all >= SENDS_PER_CONTACT || (all >= SENDS_PER_NEW_CONTACT && slow > 0);
        is_full || self.is_paced(contact, from, to)
    }

    /// A wall-clock time as simulated time, by a correct clock.
    fn time_of(&self, at: chrono::DateTime<chrono::Utc>) -> Option<Micros> {
        (at - self.world.base).num_microseconds().and_then(|at| u64::try_from(at).ok())
    }

    /// Whether more deliveries to a contact were due in that time than a contact that has not answered yet has sending
    /// slots. Reports that were being recorded are included, and leases of processes that died before they sent
    /// anything.
    fn is_in_demand(&self, contact: &Contact, from: Micros, to: Micros) -> bool {
        let incidents = self.history.last.iter().map(|record| &record.incident);
        let entries =
            incidents.flat_map(|incident| incident.timeline().entries().iter().map(move |e| (incident, e)));
        let began = entries.filter_map(|(incident, entry)| {
            let (round, level) = match &entry.event {
                Event::LevelBegan { round, level, contacts } if contacts.contains(contact) => {
                    (*round, *level)
                }
                Event::LevelBeganAgain { round, level }
                    if *round == incident.round() && incident.matrix().contacts(*level).contains(contact) =>
                {
                    (*round, *level)
                }
                _ => return None,
            };
            let at = self.time_of(entry.at)?;
            (at >= from && at <= to).then_some((incident.number(), round, Purpose::Alert(level)))
        });
        // What was first sent until soon after, and had not been accepted before: it may have waited for a slot. If a
        // process died just then, what it had taken slots for is sent by the next one.
        let died = self.history.crashes.iter().any(|(_, at)| *at >= from && *at <= to);
        let soon = to + if died { 10 * SECOND } else { 2 * SECOND };
        let open = self.targets.iter().filter(|((.., of, _), sends)| {
            let mut sends = sends.iter().map(|i| self.sent(*i));
            let accepted_before = |sent: &Sent| {
                sent.told == Some(Told::Accepted) && sent.ended.is_some_and(|ended| ended < from)
            };
            let begun = sends.clone().next().is_some_and(|first| first.began <= soon);
            of == contact && begun && !sends.any(accepted_before)
        });
        let open = open.map(|((number, round, purpose, ..), _)| (*number, *round, *purpose));
        let due: HashSet<_> = began.chain(open).collect();
        let reports = self.history.reports.iter();
        let reported =
            reports.filter(|call| call.began <= to && call.ended.is_none_or(|ended| ended >= from));
        due.len() + reported.count() > SENDS_PER_NEW_CONTACT || self.is_crowded(contact, from, to)
    }
}

/// Whether a call may have changed something.
fn may_have(call: &UpdateCall) -> bool {
    call.answer.is_open() || matches!(call.answer.got(), Some(Verdict::Changed(_)))
}

/// Whether a call requests that somebody has the incident, or that it is resolved.
fn closes(call: &UpdateCall) -> bool {
    let request = call.update.state.as_ref();
    request.is_some_and(|request| {
        matches!(
            request,
            StateChange::Claim(_) | StateChange::HandTo(_) | StateChange::Resolve | StateChange::End(_)
        )
    })
}

/// Whether a call requests that the incident is alerted again.
fn releases(call: &UpdateCall) -> bool {
    matches!(call.update.state, Some(StateChange::Release(_) | StateChange::HandToTeam(_)))
}

/// A time in seconds, for a message.
fn at(time: Micros) -> String {
    format!("{:.3}s", crate::world::seconds(time))
}
