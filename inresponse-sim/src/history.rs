//! The history of a run, which the checker reads: calls with their answers, inboxes, and the injected faults.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use inresponse_core::OutageKind;
use inresponse_core::engine::{DryStep, RosterEdited};
use inresponse_core::model::{Contact, IncidentNumber, MethodName, PersonId, Purpose, Severity};
use inresponse_core::plan::{Refusal, Update};
use inresponse_core::roster::Snapshot;
use inresponse_core::store::{Census, Record};

use crate::fault::Fault;
use crate::scenario::Roster;
use crate::world::{HostId, Micros, Process};

/// Everything in a run that was seen from outside.
#[derive(Debug, Default)]
pub struct History {
    /// The reports, in the order in which they began.
    pub reports: Vec<ReportCall>,
    /// People's updates, in the order in which they began.
    pub updates: Vec<UpdateCall>,
    /// The incidents as they were read.
    pub reads: Vec<Read>,
    /// The attempts to send, as carriers and recipients saw them.
    pub sends: Vec<Sent>,
    /// The rosters, each with the time from which it applied.
    pub rosters: Vec<(Micros, Roster)>,
    /// The same rosters in the form of the core.
    pub snapshots: Vec<Snapshot>,
    /// People's edits of schedules and of each other, with their answers.
    pub edits: Vec<Answer<RosterEdited>>,
    /// The changes of wall clocks: when, on which machine, and the clock's error from then on (microseconds).
    pub offsets: Vec<(Micros, HostId, i64)>,
    /// The faults, with the time in which they had effect.
    pub disturbances: Vec<Disturbance>,
    /// The processes that crashed, and when.
    pub crashes: Vec<(Process, Micros)>,
    /// The deliveries, by incident and round, for which an attempt was recorded as leased and not begun.
    pub not_begun: BTreeSet<(IncidentNumber, u32, Purpose)>,
    /// When faults ended.
    pub healed_at: Micros,
    /// When nothing was due any longer; `None` if that never happened.
    pub rested_at: Option<Micros>,
    /// When the run ended.
    pub ended_at: Micros,
    /// Every incident at the end, as the API shows it.
    pub last: Vec<Record>,
    /// The census at the end, as the API shows it.
    pub census: Census,
    /// The counts of incidents and alerts that the API showed during the run.
    pub censuses: Vec<(Micros, HostId, Census)>,
}

/// A fault and the time in which it had effect.
#[derive(Debug, Clone, Copy)]
pub struct Disturbance {
    /// The beginning of the time in which the fault had effect.
    pub from: Micros,
    /// The end of the time in which the fault had effect.
    pub to: Micros,
    /// The machine, if the fault affects only one.
    pub host: Option<HostId>,
    /// The kind of fault.
    pub fault: Fault,
}

/// A report, and its answer.
#[derive(Debug, Clone)]
pub struct ReportCall {
    /// When the report was made.
    pub began: Micros,
    /// When the report was answered, or the connection broke.
    pub ended: Option<Micros>,
    /// The process that got the report.
    pub process: Process,
    /// The service that the report is about.
    pub service: String,
    /// The dedup key of the report.
    pub key: Option<String>,
    /// The severity of the report.
    pub severity: Severity,
    /// The labels of the report.
    pub labels: BTreeMap<String, String>,
    /// The title of the report, which no other report has.
    pub title: String,
    /// The dry run right before the report; `None` if the report would be refused.
    pub forecast: Option<Forecast>,
    /// The answer to the report.
    pub answer: Answer<Reply>,
}

/// What a dry run answered.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The time for which it was asked, by the wall clock of the process that got the report.
    pub at: DateTime<Utc>,
    /// The alerts that it foretold, in order.
    pub steps: Vec<DryStep>,
}

/// The answer to an API call.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// The call is not answered yet.
    Waiting,
    /// The call was answered with this value.
    Got(T),
    /// The call was answered with an outage.
    Failed(OutageKind),
    /// The call was never answered, because the server died.
    Lost,
}

impl<T> Answer<T> {
    /// Whether the call may have had an effect without an answer.
    pub fn is_open(&self) -> bool {
        matches!(self, Answer::Waiting | Answer::Lost | Answer::Failed(OutageKind::Unknown))
    }

    /// The value in the answer, if there is one.
    pub fn got(&self) -> Option<&T> {
        match self {
            Answer::Got(answer) => Some(answer),
            Answer::Waiting | Answer::Failed(_) | Answer::Lost => None,
        }
    }
}

/// The answer to a report.
#[derive(Debug, Clone)]
pub enum Reply {
    /// 201: a new incident.
    New(Record),
    /// 200: a repeat.
    Repeat(Record),
    /// 422: an unknown service.
    UnknownService,
}

/// An update that a person requested, and its answer.
#[derive(Debug, Clone)]
pub struct UpdateCall {
    /// When the update was requested.
    pub began: Micros,
    /// When the update was answered, or the connection broke.
    pub ended: Option<Micros>,
    /// The incident to update.
    pub number: IncidentNumber,
    /// The requested update. If it is an answer over a channel: what the answer asks for, by the person who was asked.
    pub update: Update,
    /// The answer over a channel, if it is one.
    pub over: Option<AnswerCall>,
    /// The answer to the update.
    pub answer: Answer<Verdict>,
}

/// An answer over a channel.
#[derive(Debug, Clone)]
pub struct AnswerCall {
    /// The index of the message that is answered, among the sends; `None` if nobody sent it.
    pub to: Option<usize>,
    /// The account that answered; `None` if the answer proves only that somebody has the message.
    pub from: Option<Contact>,
}

/// The answer to an update.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// 200: the update was made.
    Changed(Record),
    /// 200: the incident was already in that state.
    Unchanged(Record),
    /// 409: the update was refused.
    Refused(Record, Refusal),
    /// 404: there is no such incident.
    Absent,
}

/// An incident that was read.
#[derive(Debug, Clone)]
pub struct Read {
    /// When the incident was requested.
    pub began: Micros,
    /// When the answer came.
    pub ended: Micros,
    /// The incident as it was read.
    pub record: Record,
}

/// The result of an attempt, as the engine was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The carrier accepted the message.
    Accepted,
    /// The carrier refused permanently.
    Rejected,
    /// The carrier asked for a pause.
    Throttled,
    /// A limit of the deployment held the message back. No carrier was asked.
    Limited,
    /// The carrier could not be reached.
    Unavailable,
    /// The result is unknown.
    Unknown,
}

/// One attempt to send.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When the attempt began.
    pub began: Micros,
    /// The sender's wall clock when the attempt began.
    pub wall: DateTime<Utc>,
    /// The process that sends.
    pub process: Process,
    /// The incident that the alert is about.
    pub number: IncidentNumber,
    /// The incident's title.
    pub title: String,
    /// The incident's severity.
    pub severity: Severity,
    /// The first attempt of the same message, among the sends: several deliveries go out in one message.
    pub message: usize,
    /// The id of the delivery.
    pub delivery: String,
    /// The number of the attempt, as the alert states it.
    pub attempt: u32,
    /// The round of the delivery.
    pub round: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// To whom.
    pub contact: Contact,
    /// How long after its level's beginning a person's rule makes it due, in seconds, as the alert's incident says.
    pub after: u64,
    /// The person whose address it is, and their name for it, as the alert's incident says.
    pub person: Option<(PersonId, MethodName)>,
    /// The end of the claim that the message announces to the claimant.
    pub announces: Option<DateTime<Utc>>,
    /// When the lease ends, as the alert's incident says.
    pub lease_until: Option<DateTime<Utc>>,
    /// When the message arrived in the inbox.
    pub arrived: Option<Micros>,
    /// When the attempt ended: with a reply, or by being dropped.
    pub ended: Option<Micros>,
    /// The result that the engine was told; `None` if the attempt was dropped or panicked.
    pub told: Option<Told>,
}

impl Sent {
    /// Whether it is a status update: it says who has the incident, and alerts nobody.
    pub fn is_status_update(&self) -> bool {
        self.purpose.is_status_update()
    }
}

impl History {
    /// Records a roster that applies from `now` on.
    pub fn put_roster(&mut self, now: Micros, roster: Roster) {
        self.snapshots.push(roster.snapshot());
        self.rosters.push((now, roster));
    }

    /// Records a fault.
    pub fn disturbed(&mut self, disturbance: Disturbance) {
        self.disturbances.push(disturbance);
    }
}
