//! What the checker sees: calls with their answers, inboxes, and the faults that were injected.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use inresponse_core::OutageKind;
use inresponse_core::model::{Contact, IncidentNumber, Purpose, Severity};
use inresponse_core::plan::{Refusal, Update};
use inresponse_core::store::{Census, Record};

use crate::fault::Fault;
use crate::scenario::Roster;
use crate::world::{HostId, Micros, Process};

/// Everything that was seen from outside.
#[derive(Debug, Default)]
pub struct History {
    /// Reports, in the order in which they began.
    pub reports: Vec<ReportCall>,
    /// People's updates, in the order in which they began.
    pub updates: Vec<UpdateCall>,
    /// Incidents as they were read.
    pub reads: Vec<Read>,
    /// Attempts to send, as carriers and recipients saw them.
    pub sends: Vec<Sent>,
    /// The roster, from when on.
    pub rosters: Vec<(Micros, Roster)>,
    /// Wall clocks that were set: when, whose, by how much it is wrong from then on (microseconds).
    pub offsets: Vec<(Micros, HostId, i64)>,
    /// Faults, with the time in which they had effect.
    pub disturbances: Vec<Disturbance>,
    /// Processes that crashed.
    pub crashes: Vec<(Process, Micros)>,
    /// What, by incident and round, had an attempt recorded that was leased and not begun.
    pub not_begun: BTreeSet<(IncidentNumber, u32, Purpose)>,
    /// When faults ended.
    pub healed_at: Micros,
    /// When nothing was due any more; `None` if that never came.
    pub rested_at: Option<Micros>,
    /// When it ended.
    pub ended_at: Micros,
    /// Every incident at the end, by the API.
    pub last: Vec<Record>,
    /// The census at the end, by the API.
    pub census: Census,
    /// Censuses during the run.
    pub censuses: Vec<(Micros, HostId, Census)>,
}

/// A fault and the time in which it had effect.
#[derive(Debug, Clone, Copy)]
pub struct Disturbance {
    /// Since then.
    pub from: Micros,
    /// Until then.
    pub to: Micros,
    /// On which machine, if on one.
    pub host: Option<HostId>,
    /// What.
    pub fault: Fault,
}

/// A report that was made.
#[derive(Debug, Clone)]
pub struct ReportCall {
    /// When it was made.
    pub began: Micros,
    /// When it was answered, or the connection broke.
    pub ended: Option<Micros>,
    /// To whom.
    pub process: Process,
    /// For which service.
    pub service: String,
    /// Under which dedup key.
    pub key: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// Its title, which no other report has.
    pub title: String,
    /// What was answered.
    pub answer: Answer<Reply>,
}

/// What a call was answered.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// Not yet.
    Waiting,
    /// That.
    Got(T),
    /// An outage.
    Failed(OutageKind),
    /// Nothing: the server died.
    Lost,
}

impl<T> Answer<T> {
    /// Whether what was asked for may have been done without being answered.
    pub fn is_open(&self) -> bool {
        matches!(self, Answer::Waiting | Answer::Lost | Answer::Failed(OutageKind::Unknown))
    }

    /// The answer, if there was one.
    pub fn got(&self) -> Option<&T> {
        match self {
            Answer::Got(answer) => Some(answer),
            Answer::Waiting | Answer::Failed(_) | Answer::Lost => None,
        }
    }
}

/// What a report was answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// 201.
    New(Record),
    /// 200.
    Repeat(Record),
    /// 422.
    UnknownService,
}

/// An update that a person asked for.
#[derive(Debug, Clone)]
pub struct UpdateCall {
    /// When it was made.
    pub began: Micros,
    /// When it was answered, or the connection broke.
    pub ended: Option<Micros>,
    /// Of which incident.
    pub number: IncidentNumber,
    /// The request.
    pub update: Update,
    /// What was answered.
    pub answer: Answer<Verdict>,
}

/// What an update was answered.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// 200, done.
    Changed(Record),
    /// 200, it was so.
    Unchanged(Record),
    /// 409.
    Refused(Record, Refusal),
    /// 404.
    Absent,
}

/// An incident that was read.
#[derive(Debug, Clone)]
pub struct Read {
    /// When it was asked for.
    pub began: Micros,
    /// When it was answered.
    pub ended: Micros,
    /// The answer.
    pub record: Record,
}

/// How an attempt ended, as the engine was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The carrier took it.
    Accepted,
    /// It refused for good.
    Rejected,
    /// It asked for a pause.
    Throttled,
    /// It was not there.
    Unavailable,
    /// Nobody knows.
    Unknown,
}

/// One attempt to send.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When it began.
    pub began: Micros,
    /// What the sender's wall clock showed then.
    pub wall: DateTime<Utc>,
    /// Who sends.
    pub process: Process,
    /// Of which incident.
    pub number: IncidentNumber,
    /// The incident's title.
    pub title: String,
    /// The delivery's name.
    pub delivery: String,
    /// The attempt number that it states.
    pub attempt: u32,
    /// In which round.
    pub round: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// To whom.
    pub contact: Contact,
    /// Until when its lease lasts, by what the alert says about its incident.
    pub lease_until: Option<DateTime<Utc>>,
    /// When it arrived in the inbox.
    pub arrived: Option<Micros>,
    /// When it ended: with a reply, or by being dropped.
    pub ended: Option<Micros>,
    /// What the engine was told; nothing if it was dropped or panicked.
    pub told: Option<Told>,
}

impl Sent {
    /// Whether it does not alert, but tells who has the incident.
    pub fn is_status_update(&self) -> bool {
        self.purpose.is_status_update()
    }
}

impl History {
    /// Keeps a fault.
    pub fn disturbed(&mut self, disturbance: Disturbance) {
        self.disturbances.push(disturbance);
    }
}
