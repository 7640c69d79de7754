//! Decides how an incident begins, and the effect of a repeated report.

use std::cmp::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::clock_back::began_by;
use super::decision::{Decision, Dispatch, change};
use super::draft::Draft;
use super::due::due;
use super::hold::{Hold, HoldNothing};
use super::reroute::{Raises, Rerouted};
use super::round::NextRound;
use super::{defer, limited, personal, reroute};
use crate::clock::to_micros;
use crate::model::{
    CallIns, DedupKey, Entry, Event, FIRST_FORMAT, Incident, IncidentNumber, KeyName, Matrix, Report, Routed,
    ServiceName, Severity, State, TeamName, Timeline, Unknown,
};
use crate::roster::QuietRules;

/// A new incident without its number, which the store assigns.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    incident: Incident,
}

impl Opening {
    /// The dedup key (promise 3): if an unresolved incident has it, that incident must be returned instead.
    pub fn open_key(&self) -> Option<(&ServiceName, &DedupKey)> {
        self.incident.dedup_key.as_ref().map(|key| (&self.incident.service, key))
    }

    /// The incident, without its number.
    pub fn incident(&self) -> &Incident {
        &self.incident
    }

    /// The draft to create under `number`.
    pub fn numbered(mut self, number: IncidentNumber) -> Draft {
        self.incident.number = number;
        Draft::new(self.incident)
    }
}

/// A number that no store gives, for incidents that have none yet.
const UNNUMBERED: IncidentNumber = IncidentNumber::new(0);

/// Makes an incident of a report: OPEN, round 1, level 1 due at once.
///
/// `matrix` contains the people on call at `now`. With `first_lease`, the create includes the leases of the first
/// alert: the deliveries that [`step`](super::step) would lease first are leased at once, for a process that then sends
/// them.
pub fn open(
    report: Report,
    team: TeamName,
    matrix: Matrix,
    first_lease: Option<Duration>,
    now: DateTime<Utc>,
) -> (Opening, Vec<Dispatch>) {
    match first_lease {
        Some(lease) => open_leasing(report, team, matrix, lease, &HoldNothing, now),
        None => (Opening { incident: opened(report, team, matrix, to_micros(now)) }, Vec::new()),
    }
}

/// Makes an incident like [`open`] with a first lease, except for the deliveries that `hold` holds back.
///
/// The incident has no number yet, so `hold` can distinguish deliveries only by their contact.
pub fn open_leasing(
    report: Report,
    team: TeamName,
    matrix: Matrix,
    lease: Duration,
    hold: &dyn Hold,
    now: DateTime<Utc>,
) -> (Opening, Vec<Dispatch>) {
    let now = to_micros(now);
    let incident = opened(report, team, matrix, now);
    match due(&incident, lease, hold, None, now) {
        Decision::Change(plan) => (Opening { incident: plan.draft.into_incident() }, plan.sends),
        Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => {
            (Opening { incident }, Vec::new())
        }
    }
}

/// Makes an incident like [`open`] without a first lease, which is quiet at once if a silence or an alert hour holds it.
pub fn open_judged(
    report: Report,
    team: TeamName,
    matrix: Matrix,
    rules: &QuietRules,
    now: DateTime<Utc>,
) -> Opening {
    let now = to_micros(now);
    let mut incident = opened(report, team, matrix, now);
    let _is_quiet = defer::before_alerting(&mut incident, rules, now);
    Opening { incident }
}

fn opened(report: Report, team: TeamName, matrix: Matrix, now: DateTime<Utc>) -> Incident {
    let mut timeline = Timeline::default();
    let key = report.reporter.as_ref().map(|reporter| &reporter.key);
    timeline.push_by(now, Event::Opened { severity: report.severity }, key);
    if let Some(routed) = &report.routed {
        timeline.push(now, Event::Routed(routed.clone()));
    }
    let cut = matrix.cut(report.severity);
    let mut incident = Incident {
        format: FIRST_FORMAT,
        number: UNNUMBERED,
        service: report.service,
        team,
        severity: report.severity,
        state: State::Open,
        title: report.title,
        message: report.message,
        source: report.source,
        detected_at: report.detected_at.unwrap_or(now),
        dedup_key: report.dedup_key,
        labels: report.labels,
        links: report.links,
        created_at: now,
        updated_at: now,
        claimed: None,
        handover: None,
        claim_end: None,
        resolved: None,
        ended: None,
        round: 1,
        round_began_at: now,
        repeats_done: 0,
        accepted: 0,
        exhausted: false,
        status_updates: 0,
        call_ins: CallIns::default(),
        quiet: None,
        quiet_overruled: false,
        wake: 0,
        matrix,
        begun: Vec::new(),
        deliveries: Vec::new(),
        timeline,
        handed_to: None,
        routed: report.routed,
        reporter: report.reporter,
        unknown: Unknown::default(),
        in_part: false,
    };
    personal::note_cut(&mut incident, cut, now);
    incident
}

/// A report with the key of an incident.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again<'a> {
    pub(super) severity: Severity,
    pub(super) key: Option<&'a KeyName>,
    pub(super) routed: Option<&'a Routed>,
}

/// Handles a repeated report (promise 3): a higher severity raises the incident, a lower one is only noted (once for
/// each severity). If routing rules decide otherwise about it, others may be alerted.
pub(super) fn repeat(
    incident: &Incident,
    again: Again<'_>,
    round: Option<NextRound>,
    now: DateTime<Utc>,
) -> Decision {
    let Again { severity, key, routed } = again;
    if incident.state == State::Resolved {
        return Decision::Nothing;
    }
    let raises = if severity > incident.severity { Raises::Yes } else { Raises::No };
    let rerouted = reroute::judge(incident, routed, raises);
    let mut next = incident.clone();
    match severity.cmp(&incident.severity) {
        Ordering::Greater => {
            let event = Event::SeverityChanged { from: incident.severity, to: severity, by: None };
            began_by(&mut next, now);
            next.severity = severity;
            next.timeline.push_by(now, event, key);
            limited::raised(&mut next, now);
            personal::raise(&mut next, now);
            defer::severity_changed(&mut next, now);
        }
        Ordering::Equal if rerouted == Rerouted::No => return Decision::Nothing,
        Ordering::Equal => {}
        Ordering::Less => {
            let noted = |e: &Entry| e.event == Event::ReportedLower { severity };
            let is_noted = incident.timeline.entries().iter().any(noted);
            if is_noted && rerouted == Rerouted::No {
                return Decision::Nothing;
            }
            if !is_noted {
                next.timeline.push_by(now, Event::ReportedLower { severity }, key);
            }
        }
    }
    if rerouted == Rerouted::Yes
        && let Err(of) = reroute::apply(&mut next, routed, round, now)
    {
        return Decision::NeedsRound(of);
    }
    change(next, Vec::new(), now)
}
