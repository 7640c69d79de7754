//! Counts how many times each fault and each transition occurred. Whatever never occurred was not tested.

use std::collections::BTreeMap;
use std::fmt;

use inresponse_core::engine::RosterEdited;
use inresponse_core::model::{DeliveryStatus, Event, StandIn, State, TeamChange};
use inresponse_core::plan::{Refusal, StateChange};

use crate::check::{Checked, compared};
use crate::fault::Fault;
use crate::history::{Answer, Reply, Verdict};
use crate::play::Played;
use crate::scenario::Drive;
use crate::store_kind::StoreKind;

/// The transitions that must all occur, each in at least one run.
const TRANSITIONS: &[&str] = &[
    "drive: runner",
    "drive: executions",
    "report: new",
    "report: repeat",
    "report: unknown service",
    "report: outage",
    "report: outage, result unknown",
    "report: connection lost",
    "update: claimed",
    "update: taken over",
    "update: released",
    "update: resolved",
    "update: handed to a person",
    "update: handed to a team",
    "update: escalated",
    "update: unchanged",
    "update: refused, forbidden edge",
    "update: refused, claimed by another",
    "update: refused, over",
    "update: refused, nobody is being alerted",
    "update: refused, everybody was alerted",
    "update: refused, unknown team",
    "update: claim snoozed",
    "update: refused, nobody has it",
    "update: absent",
    "update: outage",
    "update: connection lost",
    "timeline: opened",
    "timeline: round began",
    "timeline: level began",
    "timeline: level began again",
    "timeline: level empty",
    "timeline: level dead",
    "timeline: unclaimed",
    "timeline: new holder could not be notified",
    "timeline: new holder did not answer",
    "timeline: claim ended",
    "timeline: severity raised by a report",
    "timeline: severity changed by a person",
    "timeline: reported lower",
    "timeline: noted",
    "timeline: clock went back",
    "timeline: folded",
    "timeline: another team owns the service",
    "timeline: the catch-all team has it",
    "timeline: the deployment's fallback is alerted",
    "timeline: the people of the last round are alerted",
    "delivery: accepted",
    "delivery: rejected",
    "delivery: dead after five dead processes",
    "delivery: stopped",
    "delivery: several attempts",
    "delivery: not begun",
    "delivery: expired",
    "delivery: called in",
    "delivery: status update",
    "end: unclaimed",
    "end: undelivered",
    "end: records only",
    "census: an alert waits too long",
    "roster: edited",
    "schedules: edited",
    "schedules: edit without effect",
    "schedules: edit refused",
    "size: many incidents at once",
    compared::DRY_RUN,
    compared::LEVELS,
    compared::ROUNDS,
    compared::PEOPLE,
    compared::CLAIM_END,
    compared::CLAIM_NOTICE,
    compared::CLAIM_NOTICED,
    compared::STEPS,
    compared::STEP,
    compared::HASTENED,
    compared::LEVEL,
    compared::LAYER,
    compared::OVERRIDE,
    compared::ABSENCE,
    compared::TEAM,
    compared::ANSWER,
    compared::NO_ANSWER,
    compared::LIMITED,
    compared::BUNDLE,
    compared::CLAIMED_TOGETHER,
    compared::LEFT_TO_OTHERS,
    compared::DEFERRED,
    "timeline: became quiet",
    "timeline: quiet ended",
    "timeline: routed by a rule",
    "timeline: a rule without effect",
    compared::QUIET_TIME,
    compared::QUIET_EDIT,
    compared::QUIET_ESCALATED,
    compared::QUIET_STOPPED,
    compared::QUIET_HOURS,
    compared::QUIET_RESOLVED,
];

/// Counts of faults and transitions.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// The number of runs.
    pub runs: u64,
    /// The number of incidents.
    pub incidents: u64,
    /// The number of attempts to send.
    pub sends: u64,
    faults: Vec<u64>,
    transitions: BTreeMap<&'static str, u64>,
}

impl Stats {
    /// Adds the counts of one run.
    pub fn add(&mut self, played: &Played, checked: &Checked) {
        self.runs += 1;
        self.incidents += played.history.last.len() as u64;
        self.sends += played.history.sends.len() as u64;
        self.faults.resize(Fault::ALL.len(), 0);
        for (sum, n) in self.faults.iter_mut().zip(&played.faults) {
            *sum += n;
        }
        let mut count = |what: &'static str| *self.transitions.entry(what).or_default() += 1;
        let history = &played.history;
        count(if played.scenario.drive == Drive::Runner { "drive: runner" } else { "drive: executions" });
        for call in &history.reports {
            count(match &call.answer {
                Answer::Got(Reply::New(_)) => "report: new",
                Answer::Got(Reply::Repeat(_)) => "report: repeat",
                Answer::Got(Reply::UnknownService) => "report: unknown service",
                Answer::Failed(inresponse_core::OutageKind::Unknown) => "report: outage, result unknown",
                Answer::Failed(_) => "report: outage",
                Answer::Lost | Answer::Waiting => "report: connection lost",
            });
        }
        for call in &history.updates {
            count(match (&call.answer, &call.update.state) {
                (Answer::Got(Verdict::Changed(_)), Some(StateChange::Claim(_))) => "update: claimed",
                (Answer::Got(Verdict::Changed(_)), Some(StateChange::Release(_))) => "update: released",
                (Answer::Got(Verdict::Changed(_)), Some(StateChange::Resolve | StateChange::End(_))) => {
                    "update: resolved"
                }
                (Answer::Got(Verdict::Changed(_)), Some(StateChange::HandTo(_))) => {
                    "update: handed to a person"
                }
                (Answer::Got(Verdict::Changed(_)), Some(StateChange::HandToTeam(_))) => {
                    "update: handed to a team"
                }
                (Answer::Got(Verdict::Changed(_)), Some(StateChange::Escalate)) => "update: escalated",
                (Answer::Got(Verdict::Changed(_)), Some(StateChange::Snooze(_))) => "update: claim snoozed",
                (Answer::Got(Verdict::Changed(_)), None) => "update: other",
                (Answer::Got(Verdict::Unchanged(_)), _) => "update: unchanged",
                (Answer::Got(Verdict::Refused(_, Refusal::Forbidden { .. })), _) => {
                    "update: refused, forbidden edge"
                }
                (Answer::Got(Verdict::Refused(_, Refusal::ClaimedBy(_))), _) => {
                    "update: refused, claimed by another"
                }
                (Answer::Got(Verdict::Refused(_, Refusal::NotEscalating(_))), _) => {
                    "update: refused, nobody is being alerted"
                }
                (Answer::Got(Verdict::Refused(_, Refusal::NotSnoozing(_))), _) => {
                    "update: refused, nobody has it"
                }
                (Answer::Got(Verdict::Refused(_, Refusal::NobodyLeft)), _) => {
                    "update: refused, everybody was alerted"
                }
                (Answer::Got(Verdict::Refused(_, Refusal::UnknownTeam(_))), _) => {
                    "update: refused, unknown team"
                }
                (
                    Answer::Got(Verdict::Refused(
                        _,
                        Refusal::NotAsked
                        | Refusal::Replaced
                        | Refusal::EarlierRound
                        | Refusal::Repeated
                        | Refusal::UnknownAccount,
                    )),
                    _,
                ) => "update: refused, an answer that does not count",
                (Answer::Got(Verdict::Refused(..)), _) => "update: refused, over",
                (Answer::Got(Verdict::Absent), _) => "update: absent",
                (Answer::Failed(_), _) => "update: outage",
                (Answer::Lost | Answer::Waiting, _) => "update: connection lost",
            });
        }
        for call in history.updates.iter().filter(|call| call.update.asked_at.is_some()) {
            match &call.answer {
                Answer::Got(Verdict::Changed(_)) => count(compared::CLAIMED_TOGETHER),
                Answer::Got(Verdict::Refused(_, Refusal::ClaimedBy(_))) => count(compared::LEFT_TO_OTHERS),
                Answer::Got(_) | Answer::Failed(_) | Answer::Lost | Answer::Waiting => {}
            }
        }
        for record in &history.last {
            let incident = &record.incident;
            for entry in incident.timeline().entries() {
                count(match &entry.event {
                    Event::Opened { .. } => "timeline: opened",
                    Event::RoundBegan { .. } => "timeline: round began",
                    Event::LevelBegan { .. } => "timeline: level began",
                    Event::LevelBeganAgain { .. } => "timeline: level began again",
                    Event::LevelEmpty { .. } => "timeline: level empty",
                    Event::LevelDead { .. } => "timeline: level dead",
                    Event::Unclaimed => "timeline: unclaimed",
                    Event::HandoverUnconfirmed { .. } => "timeline: new holder could not be notified",
                    Event::HandoverUnanswered { .. } => "timeline: new holder did not answer",
                    Event::ClaimEnded { .. } => "timeline: claim ended",
                    Event::BecameQuiet { .. } => "timeline: became quiet",
                    Event::QuietEnded => "timeline: quiet ended",
                    Event::Routed(routed) if routed.ignored.is_some() => "timeline: a rule without effect",
                    Event::Routed(_) => "timeline: routed by a rule",
                    Event::Claimed { from: Some(_), .. } => "update: taken over",
                    Event::SeverityChanged { by: None, .. } => "timeline: severity raised by a report",
                    Event::SeverityChanged { .. } => "timeline: severity changed by a person",
                    Event::ReportedLower { .. } => "timeline: reported lower",
                    Event::Noted { .. } => "timeline: noted",
                    Event::ClockWentBack { .. } => "timeline: clock went back",
                    Event::Folded { .. } => "timeline: folded",
                    Event::TeamChanged { why: TeamChange::OwnsService, .. } => {
                        "timeline: another team owns the service"
                    }
                    Event::TeamChanged { why: TeamChange::CatchAll, .. } => {
                        "timeline: the catch-all team has it"
                    }
                    Event::TeamGone { alerted: StandIn::DeploymentFallback, .. } => {
                        "timeline: the deployment's fallback is alerted"
                    }
                    Event::TeamGone { alerted: StandIn::LastRound, .. } => {
                        "timeline: the people of the last round are alerted"
                    }
                    _ => "timeline: other",
                });
            }
            for delivery in incident.deliveries() {
                match delivery.status() {
                    DeliveryStatus::Accepted { .. } => count("delivery: accepted"),
                    DeliveryStatus::Dead { .. } if delivery.expired() >= 5 => {
                        count("delivery: dead after five dead processes");
                    }
                    DeliveryStatus::Dead { .. } => count("delivery: rejected"),
                    DeliveryStatus::Limited { .. } => count("delivery: limited"),
                    DeliveryStatus::Stopped { .. } => count("delivery: stopped"),
                    DeliveryStatus::Pending { .. } | DeliveryStatus::InFlight { .. } => {}
                }
                if delivery.attempts() > 1 {
                    count("delivery: several attempts");
                }
                if delivery.expired() > 0 {
                    count("delivery: expired");
                }
            }
            if incident.state() == State::Open {
                if incident.is_unclaimed() {
                    count("end: unclaimed");
                }
                if incident.is_undelivered() {
                    count("end: undelivered");
                }
                if incident.matrix().records_only(incident.severity()) {
                    count("end: records only");
                }
            }
        }
        for _ in history.sends.iter().filter(|sent| sent.purpose.is_call_in()) {
            count("delivery: called in");
        }
        for _ in history.sends.iter().filter(|sent| sent.is_status_update()) {
            count("delivery: status update");
        }
        if !history.not_begun.is_empty() {
            count("delivery: not begun");
        }
        if history.censuses.iter().any(|(_, _, census)| census.waiting > 0) {
            count("census: an alert waits too long");
        }
        if history.rosters.len() > 1 {
            count("roster: edited");
        }
        for answer in &history.edits {
            count(match answer {
                Answer::Got(RosterEdited::Done(effects)) if effects.iter().any(|effect| effect.changes()) => {
                    "schedules: edited"
                }
                Answer::Got(RosterEdited::Done(_)) => "schedules: edit without effect",
                Answer::Got(
                    RosterEdited::Refused(_) | RosterEdited::UnknownTeam(_) | RosterEdited::CatchAllTeam(_),
                ) => "schedules: edit refused",
                Answer::Failed(_) | Answer::Lost | Answer::Waiting => "schedules: outage",
            });
        }
        if history.last.len() > 15 {
            count("size: many incidents at once");
        }
        checked.compared.iter().for_each(|what| count(what));
    }

    /// Adds the counts of other runs.
    pub fn merge(&mut self, other: &Stats) {
        self.runs += other.runs;
        self.incidents += other.incidents;
        self.sends += other.sends;
        self.faults.resize(Fault::ALL.len(), 0);
        for (sum, n) in self.faults.iter_mut().zip(&other.faults) {
            *sum += n;
        }
        for (what, n) in &other.transitions {
            *self.transitions.entry(what).or_default() += n;
        }
    }

    /// The faults that never occurred, although they can occur with this store.
    pub fn missing_faults(&self, store: StoreKind) -> Vec<&'static str> {
        let can = Fault::ALL.iter().filter(|fault| store.rules_out(**fault).is_none());
        can.filter(|f| self.faults.get(**f as usize).is_none_or(|n| *n == 0)).map(|f| f.word()).collect()
    }

    /// The transitions that never occurred.
    pub fn missing_transitions(&self) -> Vec<&'static str> {
        TRANSITIONS.iter().filter(|what| !self.transitions.contains_key(*what)).copied().collect()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} runs, {} incidents, {} sends", self.runs, self.incidents, self.sends)?;
        for (fault, n) in Fault::ALL.iter().zip(&self.faults) {
            writeln!(f, "{n:>12}  fault: {}", fault.word())?;
        }
        for (what, n) in &self.transitions {
            writeln!(f, "{n:>12}  {what}")?;
        }
        Ok(())
    }
}
