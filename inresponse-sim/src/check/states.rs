//! Checks P5 to P7: states, claimants and timelines, and that all answers belong to one history of versions.

use std::collections::BTreeMap;

use inresponse_core::model::{
    Contact, Event, IncidentNumber, Level, Origin, Person, PersonId, Severity, State,
};
use inresponse_core::plan::{Refusal, StateChange, TakeOver};
use inresponse_core::store::Record;

use super::{Checker, at, may_have, releases};
use crate::history::{Reply, UpdateCall, Verdict};
use crate::world::Micros;

/// A record that somebody got as an answer.
pub(super) struct Seen<'a> {
    pub(super) began: Micros,
    pub(super) ended: Micros,
    pub(super) record: &'a Record,
    changed: bool,
}

/// The maximum size of a record, in bytes (P7: well under 100 KB).
const LARGEST: usize = 90_000;

impl<'a> Checker<'a> {
    pub(super) fn states(&self) {
        let mut seen = BTreeMap::<IncidentNumber, Vec<Seen<'a>>>::new();
        for one in self.seen() {
            seen.entry(one.record.number()).or_default().push(one);
        }
        for (number, mut seen) in seen {
            self.versions_are_one_history(number, &seen);
            seen.sort_by_key(|one| one.record.version);
            self.edges_are_kept(number, &seen);
            self.timelines_only_grow(number, &seen);
        }
        for call in &self.history.updates {
            match &call.over {
                Some(over) => self.answer_over_a_channel(call, over),
                None => self.answer_is_right(call),
            }
        }
        self.one_claimant();
        for record in self.last.values() {
            let size = serde_json::to_vec(&record.incident).map_or(0, |body| body.len());
            if size > LARGEST {
                self.violated(7, format!("{} takes {size} bytes", record.number()));
            }
        }
    }

    pub(super) fn seen(&self) -> Vec<Seen<'a>> {
        let history = self.history;
        let mut seen = Vec::new();
        for call in &history.reports {
            let Some(ended) = call.ended else { continue };
            match call.answer.got() {
                Some(Reply::New(record)) => {
                    seen.push(Seen { began: call.began, ended, record, changed: true });
                }
                // It is unknown whether it changed anything except the count.
                Some(Reply::Repeat(record)) => {
                    seen.push(Seen { began: call.began, ended, record, changed: false });
                }
                Some(Reply::UnknownService) | None => {}
            }
        }
        for call in &history.updates {
            let Some(ended) = call.ended else { continue };
            match call.answer.got() {
                Some(Verdict::Changed(record)) => {
                    seen.push(Seen { began: call.began, ended, record, changed: true });
                }
                Some(Verdict::Unchanged(record) | Verdict::Refused(record, _)) => {
                    seen.push(Seen { began: call.began, ended, record, changed: false });
                }
                Some(Verdict::Absent) | None => {}
            }
        }
        let reads = &history.reads;
        seen.extend(reads.iter().map(|r| Seen {
            began: r.began,
            ended: r.ended,
            record: &r.record,
            changed: false,
        }));
        let (began, ended) = (history.ended_at, history.ended_at);
        seen.extend(history.last.iter().map(|record| Seen { began, ended, record, changed: false }));
        seen
    }

    /// P1, P5: no answer is older than an earlier answer, and every answered change has its own version.
    fn versions_are_one_history(&self, number: IncidentNumber, seen: &[Seen<'a>]) {
        let mut changes = BTreeMap::new();
        for (i, one) in seen.iter().enumerate() {
            let version = one.record.version;
            if one.changed && changes.insert(version, i).is_some() {
                self.violated(
                    5,
                    format!("two changes of {number} resulted in the same version {}", version.value()),
                );
            }
            for earlier in seen.iter().filter(|earlier| earlier.ended < one.began) {
                let older =
                    version < earlier.record.version || (one.changed && version == earlier.record.version);
                if older {
                    let text = format!(
                        "{number} was at version {} by {}, and at {} after",
                        earlier.record.version.value(),
                        at(earlier.ended),
                        version.value()
                    );
                    self.violated(1, text);
                    return;
                }
            }
        }
    }

    /// P5: states change only as allowed.
    fn edges_are_kept(&self, number: IncidentNumber, seen: &[Seen<'a>]) {
        use State::{Claimed, Open, Resolved};
        for pair in seen.windows(2) {
            let (one, next) = (pair[0].record, pair[1].record);
            if one.version == next.version {
                if one.incident != next.incident {
                    let version = one.version.value();
                    self.violated(5, format!("{number} at version {version} has two different contents"));
                }
                continue;
            }
            let (from, to) = (one.incident.state(), next.incident.state());
            let neighbours = one.version.next() == next.version;
            let edge = matches!(
                (from, to),
                (Open, Claimed) | (Claimed, Open) | (Open, Resolved) | (Claimed, Resolved)
            );
            if (from == Resolved && to != Resolved) || (neighbours && from != to && !edge) {
                self.violated(5, format!("{number} went from {from} to {to}"));
            }
            // A call for more people, or an answer of one of them, leaves the claim as it is.
            let last = next.incident.timeline().entries().last().map(|entry| &entry.event);
            let calls = matches!(last, Some(Event::CalledIn { .. } | Event::Responded { .. }));
            let holder = |record: &Record| record.incident.claimed().map(|claimed| claimed.by.clone());
            if neighbours && calls && from == Claimed && to == Claimed && holder(one) != holder(next) {
                self.violated(6, format!("a call for more people moved the claim of {number}"));
            }
            let began_again = one.incident.round() != next.incident.round();
            if neighbours && from == Claimed && to == Open && !began_again {
                self.violated(5, format!("{number} was released without a new round"));
            }
        }
    }

    /// P7: replaying a timeline gives the state. A timeline only grows, or folds its oldest entries.
    fn timelines_only_grow(&self, number: IncidentNumber, seen: &[Seen<'a>]) {
        for one in seen {
            let incident = &one.record.incident;
            let claimed_by = incident.claimed().map(|claimed| &claimed.by);
            let agrees = incident.timeline().fold().is_some_and(|standing| {
                standing.state == incident.state()
                    && standing.severity == incident.severity()
                    && standing.round == incident.round()
                    && standing.claimed_by.as_ref() == claimed_by
            });
            if !agrees {
                self.violated(7, format!("replaying the timeline of {number} does not give its state"));
                return;
            }
        }
        for pair in seen.windows(2) {
            let (one, next) = (pair[0].record.incident.timeline(), pair[1].record.incident.timeline());
            let folds = next.entries().iter().any(|e| matches!(e.event, Event::Folded { .. }));
            if !folds && !next.entries().starts_with(one.entries()) {
                self.violated(7, format!("the timeline of {number} has lost an entry"));
                return;
            }
        }
    }

    /// P5, P6, P16: an answer fits the record that comes with it.
    fn answer_is_right(&self, call: &UpdateCall) {
        let (number, by) = (call.number, &call.update.by);
        let holder = |record: &Record| record.incident.claimed().map(|claimed| claimed.by.clone());
        match (call.answer.got(), &call.update.state) {
            (Some(Verdict::Changed(record) | Verdict::Unchanged(record)), Some(request)) => {
                let state = record.incident.state();
                // To escalate leaves the state as it is.
                let escalates = *request == StateChange::Escalate && state != State::Resolved;
                // If the incident does not know whose address it is, a claim by a link has the address as its name.
                let asked_at = call.update.asked_at.as_ref();
                let is_asked_at = |person: &Person| {
                    asked_at.is_some_and(|at| {
                        person.contact().as_ref() == Some(at)
                            || Person::at(at).is_ok_and(|named| named == *person)
                    })
                };
                let helps = || record.incident.responders().iter().any(|one| one.by == *by);
                let right = (state == request.to() || escalates)
                    && match request {
                        StateChange::Claim(TakeOver::No) => {
                            holder(record).is_some_and(|holder| holder == *by || is_asked_at(&holder))
                                || helps()
                        }
                        StateChange::Claim(TakeOver::Yes) => holder(record).as_ref() == Some(by),
                        StateChange::HandTo(to) => holder(record).as_ref() == Some(to),
                        StateChange::HandToTeam(to) => {
                            let mut known = self.copies(call.began, call.ended.unwrap_or(Micros::MAX));
                            holder(record).is_none()
                                && record.incident.team() == to
                                && (matches!(call.answer.got(), Some(Verdict::Unchanged(_)))
                                    || call.update.severity.is_some()
                                    || call.update.note.is_some()
                                    || known.any(|roster| self.may_be_handed_to(to, roster)))
                        }
                        StateChange::Release(_) => holder(record).is_none(),
                        StateChange::Escalate
                        | StateChange::Resolve
                        | StateChange::End(_)
                        | StateChange::Snooze(_) => true,
                    };
                if !right {
                    let text = format!(
                        "{by} requested {request:?} of {number}, and the answer has the state {state}"
                    );
                    self.violated(5, text);
                }
            }
            (Some(Verdict::Refused(record, refusal)), request) => {
                let state = record.incident.state();
                let right = match (refusal, request) {
                    (Refusal::Forbidden { from, to }, Some(request)) => {
                        *from == state
                            && *to == request.to()
                            && state == State::Resolved
                            && *to != State::Resolved
                    }
                    (Refusal::ClaimedBy(other), Some(request)) => {
                        let asks_first = match request {
                            StateChange::Claim(over) | StateChange::Release(over) => *over == TakeOver::No,
                            StateChange::HandTo(to) => to == by,
                            StateChange::HandToTeam(to) => *to == *record.incident.team(),
                            StateChange::Resolve
                            | StateChange::End(_)
                            | StateChange::Escalate
                            | StateChange::Snooze(_) => false,
                        };
                        let is_anothers = holder(record).as_ref() == Some(other) && other != by;
                        state == State::Claimed && is_anothers && asks_first
                    }
                    (Refusal::Over, _) => state == State::Resolved && call.update.severity.is_some(),
                    (Refusal::NotEscalating(is), Some(StateChange::Escalate)) => {
                        *is == state && state == State::Resolved
                    }
                    (Refusal::NotCalling(is), _) => {
                        *is == state && state == State::Resolved && call.update.call_in.is_some()
                    }
                    (Refusal::TooManyCalled, request) => {
                        state != State::Resolved
                            && (call.update.call_in.is_some() || *request == Some(StateChange::Escalate))
                    }
                    (Refusal::NotSnoozing(is), Some(StateChange::Snooze(_))) => {
                        *is == state && state != State::Claimed
                    }
                    (Refusal::NobodyLeft, Some(StateChange::Escalate)) => match state {
                        State::Open => self.is_exhausted(record, call.update.severity),
                        State::Claimed => self.is_everybody_here(record, call.update.severity),
                        State::Resolved => false,
                    },
                    (Refusal::UnknownTeam(team), Some(StateChange::HandToTeam(to))) => {
                        let ended = call.ended.unwrap_or(Micros::MAX);
                        let mut rosters = self.rosters(call.began, ended);
                        team == to && rosters.any(|roster| !self.may_be_handed_to(team, roster))
                    }
                    _ => false,
                };
                if !right {
                    self.violated(
                        6,
                        format!(
                            "{by} was refused {request:?} of {number}, whose state is {state}: {refusal}"
                        ),
                    );
                }
            }
            _ => {}
        }
        if matches!(call.answer.got(), Some(Verdict::Absent)) && self.last.contains_key(&number) {
            let known = self.history.reports.iter().any(|report| {
                matches!(report.answer.got(), Some(Reply::New(r)) if r.number() == number)
                    && report.ended.is_some_and(|ended| ended < call.began)
            });
            if known {
                self.violated(1, format!("{number} was answered, but later it did not exist"));
            }
        }
    }

    /// Whether nobody is left to alert: everybody in the matrix has been alerted that the requested severity includes.
    fn is_exhausted(&self, record: &Record, requested: Option<Severity>) -> bool {
        let (incident, matrix) = (&record.incident, record.incident.matrix());
        let severity = requested.unwrap_or(incident.severity());
        let has_begun = |level: Level| incident.begun().iter().any(|begun| begun.level == level);
        let fallback = has_begun(Level::Fallback)
            || incident.is_unclaimed()
            || (matrix.origin() == Origin::Fallback && has_begun(Level::At(1)));
        let mut levels = matrix.alerted_levels(severity).map(Level::At);
        matrix.records_only(severity) || (levels.all(has_begun) && fallback)
    }

    /// Whether nobody is left to call in: the people of every level have been alerted or called, or are here.
    fn is_everybody_here(&self, record: &Record, requested: Option<Severity>) -> bool {
        let (incident, matrix) = (&record.incident, record.incident.matrix());
        let severity = requested.unwrap_or(incident.severity());
        let here: Vec<_> =
            incident.claimed().into_iter().chain(incident.responders()).map(|one| &one.by).collect();
        let round = incident.round();
        // A person who is called in over one contact is called, whatever contact another severity's rule has.
        let was_called = |person: &PersonId| {
            let of_round = incident.deliveries().iter().filter(|d| d.key().round == round);
            of_round.filter_map(|d| d.called()).any(|called| called.people.contains(person))
        };
        let were_called = |contact: &Contact| {
            let mut reached = matrix.recipients().iter().filter(|one| one.contact == *contact).peekable();
            reached.peek().is_some() && reached.all(|one| was_called(&one.person))
        };
        let was_asked = |contact: &Contact| {
            incident.deliveries().iter().any(|d| d.key().round == round && d.contact() == contact)
                || were_called(contact)
                || here.iter().any(|person| incident.is_at(person, contact))
                || here.iter().any(|person| person.as_str() == contact.address())
        };
        let levels = matrix.alerted_levels(severity).map(Level::At).chain([Level::Fallback]);
        matrix.records_only(severity)
            || levels.into_iter().all(|level| {
                incident.begun().iter().any(|begun| begun.level == level)
                    || matrix.steps(level, severity).iter().all(|(c, _)| was_asked(c))
                    || (level == Level::Fallback && matrix.origin() == Origin::Fallback)
            })
    }

    /// P6: between two people's claims without taking over, somebody has released the incident or handed it over.
    fn one_claimant(&self) {
        let claims = |call: &&&UpdateCall| {
            let has_it = match call.answer.got() {
                Some(Verdict::Changed(record)) => {
                    // Who answers over a channel is known only to the roster.
                    let at = record.incident.updated_at();
                    let is_answer = call.over.is_some();
                    let mut responders = record.incident.responders().iter();
                    let helps = responders.any(|one| one.by == call.update.by || is_answer && one.at == at);
                    record.incident.claimed().is_some() && !helps
                }
                Some(Verdict::Unchanged(_) | Verdict::Refused(..) | Verdict::Absent) | None => false,
            };
            call.update.state == Some(StateChange::Claim(TakeOver::No))
                && call.update.note.is_none()
                && call.update.severity.is_none()
                && has_it
        };
        let all: Vec<(IncidentNumber, Vec<&UpdateCall>)> =
            self.updates.iter().map(|(number, calls)| (*number, calls.clone())).collect();
        for (number, calls) in all {
            let won: Vec<_> = calls.iter().filter(claims).collect();
            for (i, one) in won.iter().enumerate() {
                for other in &won[i + 1..] {
                    let (Some(one_end), Some(other_end)) = (one.ended, other.ended) else { continue };
                    let (from, to) = (one.began.min(other.began), one_end.max(other_end));
                    let given = |call: &UpdateCall| match &call.update.state {
                        Some(StateChange::HandTo(receiver)) => {
                            [&one.update.by, &other.update.by].contains(&receiver)
                                || self.may_be_unanswered(number, to)
                        }
                        _ => false,
                    };
                    let released = calls.iter().any(|call| {
                        (releases(call) || given(call))
                            && may_have(call)
                            && call.began < to
                            && (call.answer.is_open() || call.ended.is_none_or(|end| end > from))
                    });
                    let released = released || self.may_have_ended(number, to);
                    if one.update.by != other.update.by && !released {
                        let text = format!("{} and {} both claimed {number}", one.update.by, other.update.by);
                        self.violated(6, text);
                    }
                }
            }
        }
    }
}
