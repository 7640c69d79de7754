//! Checks P9, P12 and P13: nothing is late unless a fault explains it.

use std::collections::BTreeMap;
use std::time::Duration;

use inresponse_core::model::{Contact, Event, IncidentNumber, Level, Origin, Purpose};
use inresponse_core::store::Record;

use super::{Checker, at, releases};
use crate::history::{Sent, Told, Verdict};
use crate::scenario::Drive;
use crate::world::{Micros, SECOND, micros};

/// The longest pause before another attempt, except after an unknown outcome.
const MAX_PAUSE: Micros = 30 * SECOND;
/// How long an alert may wait for acceptance before it must show.
const WAITING_TOO_LONG: Micros = 300 * SECOND;

impl<'a> Checker<'a> {
    pub(super) fn time(&self) {
        self.first_alert_is_at_once();
        self.releases_alert_at_once();
        let records: Vec<_> = self.last.values().copied().collect();
        for record in records {
            self.levels_come_in_time(record);
        }
        self.retries_come_in_time();
        self.waiting_shows();
    }

    /// P12, P13: level 1 is alerted as soon as the incident has its number.
    fn first_alert_is_at_once(&self) {
        for call in &self.history.reports {
            let (Some(crate::history::Reply::New(record)), Some(ended)) = (call.answer.got(), call.ended)
            else {
                continue;
            };
            self.alerted_by(record, call.began, ended + self.margin());
        }
    }

    /// P5: after a release, or a hand-over to a team, a new round begins at level 1, at once.
    fn releases_alert_at_once(&self) {
        for call in &self.history.updates {
            let (Some(Verdict::Changed(record)), Some(ended)) = (call.answer.got(), call.ended) else {
                continue;
            };
            let incident = &record.incident;
            let released = incident.timeline().entries().iter().any(|entry| {
                matches!(entry.event, Event::Released { .. } | Event::HandedToTeam { .. })
                    && entry.at == incident.updated_at()
            });
            if releases(call) && released {
                let others = self.updates_of(call.number).iter().any(|other| {
                    other.began != call.began
                        && other.began <= ended + self.margin()
                        && (other.answer.is_open() || other.ended.is_none_or(|end| end >= call.began))
                });
                let is_quiet = self.may_be_quiet(call.number, call.began, ended + self.margin());
                let is_raised = self.may_be_raised(call.number, call.began, ended + self.margin());
                if !others && !is_raised && !is_quiet {
                    self.alerted_in_round(record, call.began, ended + self.margin());
                }
            }
        }
    }

    fn alerted_by(&self, record: &Record, began: Micros, deadline: Micros) {
        let is_quiet = self.may_be_quiet(record.number(), began, deadline);
        if self.is_left_alone(record.number(), 0, deadline) && !is_quiet {
            self.alerted_in_round(record, began, deadline);
        }
    }

    /// Checks that the first level with contacts of the record's round was alerted by a given time.
    pub(super) fn alerted_in_round(&self, record: &Record, began: Micros, deadline: Micros) {
        let (number, incident) = (record.number(), &record.incident);
        let matrix = incident.matrix();
        if matrix.records_only(incident.severity())
            || !self.is_quiet(began, deadline)
            || deadline > self.history.ended_at
        {
            return;
        }
        let first = matrix.alerted_levels(incident.severity()).map(Level::At);
        let first = first.chain([Level::Fallback]).find(|level| !matrix.contacts(*level).is_empty());
        let Some(level) = first else { return };
        for contact in matrix.first_contacts(level, incident.severity()).iter() {
            if self.is_crowded(contact, began, deadline) {
                continue;
            }
            let target = (number, incident.round(), Purpose::Alert(level), contact.clone(), 0);
            let sends = self.targets.get(&target).into_iter().flatten();
            if !sends.map(|i| self.sent(*i)).any(|sent| sent.began <= deadline) {
                let text = format!(
                    "{contact} was not alerted for round {} of {number} by {}",
                    incident.round(),
                    at(deadline)
                );
                self.violated(9, text);
            }
        }
    }

    /// P13: a level comes a wait after the previous one, whatever its recipients do. P12: after a dead level it comes
    /// at once.
    fn levels_come_in_time(&self, record: &Record) {
        let (number, incident) = (record.number(), &record.incident);
        let (matrix, round) = (incident.matrix(), incident.round());
        if matrix.records_only(incident.severity()) || matrix.repeat() > 0 {
            return;
        }
        let mut levels: Vec<Level> = matrix.alerted_levels(incident.severity()).map(Level::At).collect();
        if matrix.origin() == Origin::Calendar {
            levels.push(Level::Fallback);
        }
        levels.retain(|level| !matrix.contacts(*level).is_empty());
        let mut firsts = BTreeMap::<Level, &'a Sent>::new();
        for i in self.sends.get(&number).into_iter().flatten() {
            let sent = self.sent(*i);
            if sent.round == round
                && let Some(level) = sent.purpose.level()
            {
                firsts.entry(level).or_insert(sent);
            }
        }
        for (i, pair) in levels.windows(2).enumerate() {
            let sent = firsts.get(&pair[0]).map(|one| one.began);
            // P8: the first level begins with the incident, whether or not a slot is free for any of its contacts.
            let is_first = i == 0 && round == 1 && self.has_its_severity(number, 0);
            let opened = self.opened_at(record).filter(|_| is_first);
            let Some(began) = opened.map(|at| at + self.margin()).into_iter().chain(sent).min() else {
                continue;
            };
            let mut deadline = began + micros(matrix.wait_of(pair[0])) + self.margin();
            if let Some(died) = self.died(number, round, pair[0], &matrix.steps(pair[0], incident.severity()))
            {
                deadline = deadline.min(died + self.margin());
            }
            let free = self.is_quiet(began, deadline)
                && self.is_open(number, began, deadline)
                && self.has_its_severity(number, began)
                && deadline < self.history.ended_at;
            if !free {
                continue;
            }
            for contact in matrix.first_contacts(pair[1], incident.severity()).iter() {
                let target = (number, round, Purpose::Alert(pair[1]), contact.clone(), 0);
                let sends = self.targets.get(&target).into_iter().flatten();
                let told = sends.map(|i| self.sent(*i)).any(|sent| sent.began <= deadline);
                if !told && !self.is_crowded(contact, began, deadline) {
                    let text = format!(
                        "{contact} of level {} was not alerted for {number} by {}; level {} began at {}",
                        pair[1],
                        at(deadline),
                        pair[0],
                        at(began)
                    );
                    self.violated(13, text);
                }
            }
        }
    }

    /// When the number of an incident was answered to the report that opened it.
    fn opened_at(&self, record: &Record) -> Option<Micros> {
        let report = self.history.reports.iter().find(|call| call.title == record.incident.title())?;
        matches!(report.answer.got(), Some(crate::history::Reply::New(_))).then_some(report.ended)?
    }

    /// Whether an incident has had its final severity since then.
    pub(super) fn has_its_severity(&self, number: IncidentNumber, since: Micros) -> bool {
        let changed = self.updates_of(number).iter().any(|call| {
            call.update.severity.is_some()
                && (call.answer.is_open() || call.ended.is_none_or(|end| end >= since))
        });
        !changed && !self.may_be_raised(number, since, Micros::MAX)
    }

    /// When the last contact of a level was rejected, if all were.
    fn died(
        &self,
        number: IncidentNumber,
        round: u32,
        level: Level,
        steps: &[(&Contact, Duration)],
    ) -> Option<Micros> {
        let mut died = 0;
        for (contact, after) in steps {
            let target = (number, round, Purpose::Alert(level), (*contact).clone(), after.as_secs());
            let sends = self.targets.get(&target)?;
            let rejected = sends.iter().map(|i| self.sent(*i)).find(|s| s.told == Some(Told::Rejected))?;
            died = died.max(rejected.ended?);
        }
        Some(died)
    }

    /// P9: every attempt that was not rejected is tried again, soon enough.
    fn retries_come_in_time(&self) {
        for (target, sends) in self.targets.clone() {
            let (number, round, purpose, contact, _) = target;
            let Some(level) = purpose.level() else { continue };
            for (n, i) in sends.iter().enumerate() {
                let sent = self.sent(*i);
                let pause = match sent.told {
                    // `limits` checks what a limit held back.
                    Some(Told::Accepted | Told::Rejected | Told::Limited) => continue,
                    Some(Told::Throttled | Told::Unavailable) => MAX_PAUSE,
                    Some(Told::Unknown) | None => {
                        let Some(wait) = self.wait_of(number, round, level) else { continue };
                        micros(wait).max(SECOND)
                    }
                };
                let Some(ended) = sent.ended else { continue };
                let deadline = ended + pause + self.margin();
                let again = sends.get(n + 1).map(|j| self.sent(*j).began);
                if again.is_some_and(|again| again <= deadline) {
                    continue;
                }
                let over = self.last.get(&number).is_none_or(|record| {
                    record.incident.round() > round || record.incident.matrix().repeat() > 0
                });
                let free = !over
                    && self.is_quiet(sent.began, deadline)
                    && self.is_open(number, sent.began, deadline)
                    && !self.is_crowded(&contact, sent.began, deadline)
                    && deadline < self.history.ended_at;
                if free {
                    let text = format!(
                        "{} ended {:?} at {} and was not tried again by {}",
                        sent.delivery,
                        sent.told,
                        at(ended),
                        at(deadline)
                    );
                    self.violated(9, text);
                }
            }
        }
    }

    /// P12: an alert that has waited for more than five minutes shows in the census.
    fn waiting_shows(&self) {
        if self.scenario.drive == Drive::Steps || !self.clocks_stand(0, self.history.ended_at) {
            return;
        }
        for (time, _, census) in &self.history.censuses {
            let mut waiting = 0;
            for (target, sends) in &self.targets {
                let first =
                    sends.first().map(|i| self.sent(*i)).filter(|sent| sent.purpose.level().is_some());
                let Some(first) = first else { continue };
                let reached =
                    sends.iter().any(|i| self.sent(*i).told.is_some_and(|t| t != Told::Unavailable));
                let long = first.began + WAITING_TOO_LONG + 10 * SECOND < *time;
                let still = sends.iter().any(|i| self.sent(*i).began > *time);
                let same_round = !self.sends[&target.0].iter().any(|i| self.sent(*i).round > target.1);
                if long && !reached && still && same_round && self.is_open(target.0, first.began, *time) {
                    waiting += 1;
                }
            }
            if waiting > 0 && census.waiting == 0 {
                let text = format!(
                    "{waiting} alerts had waited for five minutes at {}, but the count of waiting alerts is 0",
                    at(*time)
                );
                self.violated(12, text);
                return;
            }
        }
    }
}
