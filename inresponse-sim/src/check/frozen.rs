//! The matrices that may have been frozen for a round, by the rosters that existed when it began.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, Event, IncidentNumber, Level, Matrix, Purpose, Severity};
use inresponse_core::plan::StateChange;

use super::on_call::{self, Own, Resolved};
use super::whose::Whose;
use super::{Checker, may_have};
use crate::history::{Sent, UpdateCall};
use crate::scenario::{Roster, TeamPlan};
use crate::world::Micros;

/// A matrix that may have been frozen for a round: who is on call for a team at an instant.
#[derive(Clone)]
pub(super) struct Frozen<'a> {
    pub(super) name: &'a str,
    team: &'a TeamPlan,
    resolved: Rc<Resolved>,
}

impl Frozen<'_> {
    pub(super) fn wait_of(&self, purpose: Purpose) -> Duration {
        let own = match (purpose.level(), self.resolved.own) {
            (Some(Level::At(n)), Own::Levels) => {
                self.team.levels.get(usize::from(n) - 1).and_then(|l| l.wait)
            }
            (_, Own::Day | Own::Levels | Own::Nothing) => None,
        };
        own.unwrap_or(self.team.wait)
    }

    pub(super) fn contacts(&self, purpose: Purpose) -> BTreeSet<Contact> {
        match purpose.level() {
            Some(Level::At(n)) => self.resolved.level(n),
            Some(Level::Fallback) => self.team.fallback.iter().cloned().collect(),
            None => BTreeSet::new(),
        }
    }

    /// Who is alerted at a level, and how many seconds after it began, for a severity.
    pub(super) fn alerts(&self, purpose: Purpose, severity: Severity) -> BTreeSet<(Contact, u64)> {
        match purpose.level() {
            Some(Level::At(n)) => self.resolved.alerts(n, severity),
            Some(Level::Fallback) => self.team.fallback.iter().map(|contact| (contact.clone(), 0)).collect(),
            None => BTreeSet::new(),
        }
    }

    /// Whether all contacts that some severity alerts at a level are like that.
    pub(super) fn all_of_a_severity(&self, purpose: Purpose, are: impl Fn(&Contact) -> bool) -> bool {
        let all = Severity::ALL.map(|severity| self.alerts(purpose, severity));
        all.iter().any(|alerts| alerts.iter().all(|(contact, _)| are(contact)))
    }

    /// Whether for some severity all contacts that are alerted when the level begins are like that; no contacts are not.
    pub(super) fn all_first_of_a_severity(&self, purpose: Purpose, are: impl Fn(&Contact) -> bool) -> bool {
        Severity::ALL.into_iter().any(|severity| {
            let alerts = self.alerts(purpose, severity);
            let mut first = alerts.iter().filter(|(_, after)| *after == 0).peekable();
            first.peek().is_some() && first.all(|(contact, _)| are(contact))
        })
    }

    /// P7: whether some severity alerts so many that the latest are cut.
    fn is_cut(&self) -> bool {
        Severity::ALL.into_iter().any(|severity| {
            let levels = (1..).map(Level::At).take(self.resolved.levels.len()).chain([Level::Fallback]);
            levels.map(|level| self.alerts(Purpose::Alert(level), severity).len()).sum::<usize>() > 40
        })
    }

    /// Whether the calendar or the team's levels say who is on call, and not its fallback.
    fn is_complete(&self) -> bool {
        self.resolved.own != Own::Nothing
    }

    /// Whether this is the matrix that the API showed.
    fn is(&self, shown: &Matrix) -> bool {
        let numbered = (1..=shown.height()).map(Level::At);
        usize::from(shown.height()) == self.resolved.levels.len()
            && numbered.chain([Level::Fallback]).all(|level| {
                let (contacts, purpose) = (shown.contacts(level), Purpose::Alert(level));
                let is_whole = contacts.iter().cloned().collect::<BTreeSet<_>>() == self.contacts(purpose);
                (is_whole || self.is_cut())
                    && shown.wait_of(level) == self.wait_of(purpose)
                    && Severity::ALL.into_iter().all(|severity| self.has_steps(shown, level, severity))
            })
            && shown.claim_timeout() == self.team.claim_timeout
    }

    /// P19: whether the matrix shows the steps of each person's rule.
    fn has_steps(&self, shown: &Matrix, level: Level, severity: Severity) -> bool {
        // If the calendar is empty, the fallback is level 1 and has no other turn.
        if level == Level::Fallback && !self.is_complete() {
            return true;
        }
        let steps = shown.steps(level, severity).into_iter();
        let steps: BTreeSet<_> = steps.map(|(contact, after)| (contact.clone(), after.as_secs())).collect();
        let alerts = self.alerts(Purpose::Alert(level), severity);
        steps == alerts || (self.is_cut() && steps.is_subset(&alerts))
    }
}

impl<'a> Checker<'a> {
    /// P15: the matrix that the API shows for a round is who is on call when the round begins. Leaves only the rosters
    /// that explain it.
    pub(super) fn is_who_is_on_call(
        &self,
        number: IncidentNumber,
        round: u32,
        shown: &Matrix,
        frozen: &mut Vec<Frozen>,
    ) {
        let instead = frozen.first().cloned();
        frozen.retain(|candidate| candidate.is(shown));
        let Some(one) = frozen.first() else {
            let numbered = || (1..=shown.height()).map(Level::At);
            let has: Vec<_> = numbered().map(|n| (shown.contacts(n), shown.wait_of(n))).collect();
            let expected = numbered().map(Purpose::Alert);
            let expected: Vec<_> = instead
                .iter()
                .flat_map(|one| expected.clone().map(|level| (one.contacts(level), one.wait_of(level))))
                .collect();
            let text = format!("round {round} of {number} has the levels {has:?}, not {expected:?}");
            return self.violated(15, text);
        };
        let means = one
            .resolved
            .means
            .iter()
            .filter(|means| frozen.iter().all(|frozen| frozen.resolved.means.contains(means)));
        self.compared.borrow_mut().extend(means.map(|means| means.word()));
    }

    /// The rosters that explain a round's sends, among those that may have been frozen for it. `past` contains the
    /// rosters of the earlier rounds, if they are known.
    pub(super) fn frozen(
        &self,
        number: IncidentNumber,
        round: u32,
        last_round: Option<Micros>,
        sends: &[&Sent],
        past: Option<&[Frozen<'a>]>,
    ) -> Vec<Frozen<'a>> {
        let Some(first) = sends.first() else { return Vec::new() };
        let Some(record) = self.last.get(&number) else { return Vec::new() };
        let report = self.history.reports.iter().find(|call| call.title == record.incident.title());
        let Some(report) = report else { return Vec::new() };
        let from = last_round.unwrap_or(report.began).min(first.began);
        let mut to = first.began;
        let may_be_late = self.may_be_quiet(number, from, to) || self.is_rerouted(number);
        // What the end of quiet, or a repeat that is routed otherwise, freezes again replaces a matrix that alerted nobody.
        let past = past.filter(|_| !may_be_late);
        // What waits for a slot while a silence comes and goes is not judged in that time, and keeps its matrix.
        let has_ended = |held: &Micros| {
            let wrong = self.wrong(to) + self.apart(to) + self.notice();
            record.incident.timeline().entries().iter().any(|entry| {
                matches!(entry.event, Event::QuietEnded)
                    && self.time_of(entry.at).is_some_and(|at| at + wrong >= *held)
            })
        };
        let from = self.last_held(number, from, to).filter(has_ended).unwrap_or(from);
        // The first round is frozen before the number is answered.
        if round == 1
            && !may_be_late
            && let (Some(_), Some(ended)) = (report.answer.got(), report.ended)
        {
            to = to.min(ended);
        }
        let whose = |roster: &'a Roster| -> Vec<Whose<'a>> {
            let first = (round == 1).then(|| self.alerted_for_report(report, roster)).flatten();
            if round == 1 && !may_be_late {
                return first.into_iter().collect();
            }
            let handed = self.handed(number, from, to);
            let next = handed.into_iter().flat_map(|handed| {
                self.names().into_iter().flat_map(move |had| self.next_rounds(report, handed, had, roster))
            });
            next.chain(first).collect()
        };
        let mut frozen = Vec::new();
        // A resolution with a fallback was read again. Only a complete resolution may come from a copy that lags.
        for roster in self.copies(from, to) {
            for whose in whose(roster) {
                match whose {
                    Whose::Team(name, plan) => {
                        let all = self.between(roster, name, plan, from, to);
                        frozen.extend(all.into_iter().filter(Frozen::is_complete));
                    }
                    Whose::InPlace(..) | Whose::LastRound(_) | Whose::Nobody => {}
                }
            }
        }
        for roster in self.rosters(from, to) {
            for whose in whose(roster) {
                match (whose, past) {
                    (Whose::Team(name, plan) | Whose::InPlace(name, plan), _) => {
                        frozen.extend(self.between(roster, name, plan, from, to));
                    }
                    (Whose::LastRound(name), Some(past)) => {
                        frozen.extend(past.iter().map(|frozen| Frozen { name, ..frozen.clone() }));
                    }
                    (Whose::LastRound(name), None) => {
                        for (_, roster) in &self.history.rosters {
                            let plans = roster.teams.iter();
                            frozen.extend(plans.flat_map(|(had, plan)| {
                                let all = self.between(roster, had, plan, 0, to);
                                all.into_iter().map(move |frozen| Frozen { name, ..frozen })
                            }));
                        }
                    }
                    (Whose::Nobody, _) => {}
                }
            }
        }
        frozen.retain(|candidate| {
            Self::explains(candidate, sends) && self.masks_allow(number, candidate, sends)
        });
        frozen
    }

    /// Whether a rule gave the incident to another team after it was opened. If no level had begun, that froze the matrix
    /// of the round again.
    pub(super) fn is_rerouted(&self, number: IncidentNumber) -> bool {
        let Some(record) = self.last.get(&number) else { return false };
        let opened = record.incident.created_at();
        let entries = record.incident.timeline().entries().iter();
        entries.filter(|entry| entry.at > opened).any(|entry| {
            matches!(entry.event, Event::Routed(_) | Event::Unrouted | Event::TeamChanged { .. })
        })
    }

    /// All teams that ever existed.
    fn names(&self) -> BTreeSet<&'a str> {
        let rosters = self.history.rosters.iter();
        rosters.flat_map(|(_, r)| r.teams.keys().chain(r.services.values())).map(String::as_str).collect()
    }

    /// The teams to which an incident may have been handed last at some time from `from` to `to`; `None` means none.
    fn handed(&self, number: IncidentNumber, from: Micros, to: Micros) -> BTreeSet<Option<&'a str>> {
        let handed = |call: &&'a UpdateCall| match &call.update.state {
            Some(StateChange::HandToTeam(team)) if may_have(call) && call.began <= to => {
                Some((*call, team.as_str()))
            }
            _ => None,
        };
        let handed: Vec<(&UpdateCall, &str)> = self.updates_of(number).iter().filter_map(handed).collect();
        // If the call contains more, something else may have been the only change.
        let is_sure = |call: &UpdateCall| {
            !call.answer.is_open() && call.update.severity.is_none() && call.update.note.is_none()
        };
        let done_by = |call: &UpdateCall, by| is_sure(call) && call.ended.is_some_and(|end| end <= by);
        // One that was surely overtaken by another one before `from` says nothing.
        let overtaken = |call: &UpdateCall| {
            let later =
                |one: &UpdateCall| done_by(one, from) && call.ended.is_some_and(|end| end <= one.began);
            !call.answer.is_open() && handed.iter().any(|(one, _)| later(one))
        };
        let mut teams: BTreeSet<_> =
            handed.iter().filter(|(call, _)| !overtaken(call)).map(|(_, team)| Some(*team)).collect();
        if !handed.iter().any(|(call, _)| done_by(call, from)) {
            teams.insert(None);
        }
        teams
    }

    /// Whether a roster explains a round's sends: each recipient is in the roster's matrix, at the level of the send.
    fn explains(candidate: &Frozen, sends: &[&Sent]) -> bool {
        sends.iter().all(|sent| {
            // If the fallback is level 1, it is not alerted twice.
            let fallback_is_first = sent.purpose == Purpose::Alert(Level::Fallback)
                && !candidate.is_complete()
                && sends.iter().any(|one| one.purpose == Purpose::Alert(Level::At(1)));
            let step = (sent.contact.clone(), sent.after);
            let is_a_step = |severity| candidate.alerts(sent.purpose, severity).contains(&step);
            Severity::ALL.into_iter().any(is_a_step) && !fallback_is_first
        })
    }

    /// P15: who may have been on call for a team at some time from `from` to `to`, by any server's clock.
    fn between(
        &self,
        roster: &Roster,
        name: &'a str,
        team: &'a TeamPlan,
        from: Micros,
        to: Micros,
    ) -> Vec<Frozen<'a>> {
        let mut all: Vec<Frozen<'a>> = Vec::new();
        for at in self.instants(roster, from, to) {
            let resolved = on_call::resolve(roster, name, team, at);
            if !all.iter().any(|frozen| *frozen.resolved == resolved) {
                all.push(Frozen { name, team, resolved: Rc::new(resolved) });
            }
        }
        all
    }

    /// Instants between `from` and `to`, by each server's clock, such that everybody who is on call in that time is on call
    /// at one of them.
    pub(super) fn instants(&self, roster: &Roster, from: Micros, to: Micros) -> BTreeSet<DateTime<Utc>> {
        let mut instants = BTreeSet::new();
        for (begin, end) in self.wall_times(from, to) {
            instants.insert(begin);
            instants.extend(on_call::changes(roster, begin, end));
        }
        instants
    }

    /// The time from `from` to `to` by each server's clock. A clock that is set begins another span.
    pub(super) fn wall_times(&self, from: Micros, to: Micros) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut spans = Vec::new();
        for host in 0..self.scenario.hosts {
            let set = self.history.offsets.iter().filter(|(at, h, _)| *h == host && *at > from && *at <= to);
            let mut begins = vec![(from, self.offset(host, from))];
            begins.extend(set.map(|(at, _, offset)| (*at, *offset)));
            for (i, (begin, offset)) in begins.iter().enumerate() {
                let end = begins.get(i + 1).map_or(to, |(end, _)| *end);
                spans.push((self.world.wall_at(*begin, *offset), self.world.wall_at(end, *offset)));
            }
        }
        spans
    }

    /// P12: a level is alerted only if some severity that the incident had includes it. If the
    /// calendar is empty, the fallback contacts are level 1. Every severity that alerts anybody then includes that
    /// level.
    fn masks_allow(&self, number: IncidentNumber, candidate: &Frozen, sends: &[&Sent]) -> bool {
        let Some(record) = self.last.get(&number) else { return false };
        let incident = &record.incident;
        let mut severities = BTreeSet::from([incident.severity()]);
        for entry in incident.timeline().entries() {
            match &entry.event {
                Event::Opened { severity } => _ = severities.insert(*severity),
                Event::SeverityChanged { from, to, .. } => severities.extend([*from, *to]),
                Event::Folded { .. } => return true,
                _ => {}
            }
        }
        sends.iter().all(|sent| {
            let masks = &candidate.team.alert_levels;
            severities.iter().any(|severity| match (masks.get(severity), sent.purpose.level()) {
                (None, _) | (Some(_), None) => true,
                (Some(levels), Some(Level::At(1))) if !candidate.is_complete() => !levels.is_empty(),
                (Some(levels), Some(Level::At(n))) => levels.contains(&n),
                (Some(levels), Some(Level::Fallback)) => !levels.is_empty(),
            })
        })
    }
}
