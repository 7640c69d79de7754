//! Checks P1 to P4: numbers, dedup keys, and reports without an answer.

use std::collections::{BTreeMap, BTreeSet};

use inresponse_core::OutageKind;
use inresponse_core::model::{IncidentNumber, State};
use inresponse_core::plan::StateChange;

use super::{Checker, at};
use crate::history::{Answer, Reply, ReportCall, Verdict};
use crate::world::Micros;

impl Checker<'_> {
    pub(super) fn reports(&self) {
        self.numbered_is_durable();
        self.numbers_ascend();
        self.nothing_else_is_recorded();
        self.a_known_service_is_not_refused();
        self.one_open_incident_per_key();
        self.repeats_are_counted();
    }

    /// P1: an incident whose number was answered exists.
    fn numbered_is_durable(&self) {
        for call in &self.history.reports {
            let Some(Reply::New(answered)) = call.answer.got() else { continue };
            let number = answered.number();
            match self.last.get(&number) {
                Some(record)
                    if record.incident.title() == call.title
                        && record.incident.service().as_str() == call.service => {}
                Some(record) => {
                    let title = record.incident.title();
                    self.violated(
                        1,
                        format!("{} got the number {number}, which now belongs to {title}", call.title),
                    );
                }
                None => self.violated(
                    1,
                    format!("{} got the number {number}, but that incident does not exist", call.title),
                ),
            }
        }
    }

    /// P2: a number is unique, and higher than every number that was returned before its report was made.
    fn numbers_ascend(&self) {
        let mut numbers = BTreeSet::new();
        let new = |call: &ReportCall| match call.answer.got()? {
            Reply::New(record) => Some((record.number(), call.began, call.ended?)),
            Reply::Repeat(_) | Reply::UnknownService => None,
        };
        let answered: Vec<_> = self.history.reports.iter().filter_map(new).collect();
        for (number, began, _) in &answered {
            if !numbers.insert(*number) {
                self.violated(2, format!("two new reports got the number {number}"));
            }
            let before = answered.iter().filter(|(_, _, ended)| ended < began).map(|(n, ..)| n).max();
            if before.is_some_and(|before| before >= number) {
                let text = format!(
                    "a report of {} got the number {number} after {before:?} was answered",
                    at(*began)
                );
                self.violated(2, text);
            }
        }
    }

    /// P4, P16: every incident belongs to one report, whose answer allows it.
    fn nothing_else_is_recorded(&self) {
        let by_title: BTreeMap<_, _> = self.history.reports.iter().map(|c| (c.title.as_str(), c)).collect();
        let mut seen = BTreeMap::new();
        for record in self.last.values() {
            let (number, title) = (record.number(), record.incident.title());
            if let Some(other) = seen.insert(title, number) {
                self.violated(4, format!("the report {title} opened both {other} and {number}"));
            }
            let Some(call) = by_title.get(title) else {
                self.violated(4, format!("{number} belongs to no report"));
                continue;
            };
            let mut known = self.copies(call.began, call.ended.unwrap_or(Micros::MAX));
            if !known.any(|roster| self.alerted_for_report(call, roster).is_some()) {
                self.violated(16, format!("{number} is about an unknown service"));
            }
            match &call.answer {
                Answer::Got(Reply::New(answered)) if answered.number() == number => {}
                Answer::Lost | Answer::Failed(OutageKind::Unknown) => {}
                Answer::Got(Reply::UnknownService) => {
                    self.violated(16, format!("the report {title} was refused, but it opened {number}"));
                }
                other => self.violated(
                    4,
                    format!("the report {title} was answered {other:?}, but it opened {number}"),
                ),
            }
            if record.incident.message() != format!("message of {title}") {
                self.violated(3, format!("the message of {number} has changed"));
            }
        }
    }

    /// P12: a report is refused only if its service was unknown at some time before the answer.
    fn a_known_service_is_not_refused(&self) {
        for call in &self.history.reports {
            let (Some(Reply::UnknownService), Some(ended)) = (call.answer.got(), call.ended) else {
                continue;
            };
            let mut rosters = self.rosters(call.began, ended);
            if rosters.all(|roster| self.alerted_for_report(call, roster).is_some()) {
                self.violated(
                    12,
                    format!("the report {} of the known service {} was refused", call.title, call.service),
                );
            }
        }
    }

    /// P3: of one service and key, the next incident begins after the last one was resolved.
    fn one_open_incident_per_key(&self) {
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for record in self.last.values() {
            if let Some(key) = record.incident.dedup_key() {
                groups.entry((record.incident.service().clone(), key.clone())).or_default().push(*record);
            }
        }
        for group in groups.values() {
            for pair in group.windows(2) {
                let (first, second) = (pair[0].number(), pair[1].number());
                if pair[0].incident.state() != State::Resolved {
                    self.violated(3, format!("{first} is not resolved, but {second} has the same dedup key"));
                    continue;
                }
                let resolved_after = self.first_possible_resolve(first);
                let opened = self.history.reports.iter().find(|c| c.title == pair[1].incident.title());
                let opened_by = opened.and_then(|call| call.answer.got().and(call.ended));
                if let (Some(resolved), Some(opened)) = (resolved_after, opened_by)
                    && resolved > opened
                {
                    self.violated(
                        3,
                        format!("{second} has the dedup key of {first}, which was not resolved yet"),
                    );
                }
            }
        }
        for call in &self.history.reports {
            let Some(Reply::Repeat(record)) = call.answer.got() else { continue };
            let (number, incident) = (record.number(), &record.incident);
            if incident.dedup_key().map(|key| key.as_str()) != call.key.as_deref()
                || incident.service().as_str() != call.service
            {
                self.violated(3, format!("{} is a repeat of {number}, which has another key", call.title));
            }
            if self.was_resolved_before(number, call.began) {
                self.violated(3, format!("{} is a repeat of {number}, which was resolved", call.title));
            }
            if incident.state() != State::Resolved && incident.severity() < call.severity {
                let text = format!("the report {} did not raise {number} to {}", call.title, call.severity);
                self.violated(3, text);
            }
        }
    }

    fn first_possible_resolve(&self, number: IncidentNumber) -> Option<u64> {
        let may_resolve = self.updates_of(number).iter().filter(|call| {
            let may_have = call.answer.is_open() || matches!(call.answer.got(), Some(Verdict::Changed(_)));
            may_have && call.update.state == Some(StateChange::Resolve)
        });
        may_resolve.map(|call| call.began).min()
    }

    fn was_resolved_before(&self, number: IncidentNumber, by: u64) -> bool {
        self.updates_of(number).iter().any(|call| {
            let record = match call.answer.got() {
                Some(Verdict::Changed(record) | Verdict::Unchanged(record) | Verdict::Refused(record, _)) => {
                    record
                }
                Some(Verdict::Absent) | None => return false,
            };
            record.incident.state() == State::Resolved && call.ended.is_some_and(|ended| ended < by)
        })
    }

    /// P3: the count contains every answered repeat, and no report that cannot be a repeat.
    fn repeats_are_counted(&self) {
        for record in self.last.values() {
            let (number, incident) = (record.number(), &record.incident);
            let key = incident.dedup_key().map(|key| key.as_str());
            let (mut certain, mut possible) = (1, 1);
            for call in &self.history.reports {
                let same = key.is_some()
                    && call.key.as_deref() == key
                    && call.service == incident.service().as_str()
                    && call.title != incident.title();
                if !same {
                    continue;
                }
                match &call.answer {
                    Answer::Got(Reply::Repeat(answered)) if answered.number() == number => {
                        certain += 1;
                        possible += 1;
                    }
                    answer if answer.is_open() => possible += 1,
                    _ => {}
                }
            }
            if record.count < certain || record.count > possible {
                let text = format!(
                    "{number} was reported {certain} to {possible} times, but its count is {}",
                    record.count
                );
                self.violated(3, text);
            }
        }
    }
}
