//! Decides from the words of the design, and without the core's judgement, what silences and alert hours hold.
//!
//! It reads the same entries as the core, as data. Of regular expressions it knows what the people of the simulation
//! write: alternatives, each of which may end in `.*`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use inresponse_core::model::{IncidentNumber, Severity};
use inresponse_core::plan::StateChange;
use inresponse_core::roster::{Entry, Hours, MatchOp, Matcher, Silence};

use super::on_call::spans;
use super::{Checker, may_have};
use crate::history::ReportCall;
use crate::local_time::Clocks;
use crate::scenario::{self, Drive, Roster};
use crate::silences::Quiet;
use crate::world::{Micros, SECOND};

/// Whether silences or alert hours hold an incident in some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// By every copy of the roster, every clock, and everything that the incident may have been.
    Surely,
    /// By some of them.
    Perhaps,
    /// By none of them.
    Never,
}

/// What an incident may have been, at any time of the run.
struct Subjects<'a> {
    report: &'a ReportCall,
    teams: BTreeSet<&'a str>,
    severities: BTreeSet<Severity>,
}

/// What silences, alert hours and routing rules see of an incident.
pub(super) struct Subject<'a> {
    pub(super) service: &'a str,
    pub(super) team: &'a str,
    pub(super) severity: Severity,
    pub(super) labels: &'a BTreeMap<String, String>,
}

impl<'a> Checker<'a> {
    /// Whether an incident is held at all instants from `from` to `to`.
    pub(super) fn held(&self, number: IncidentNumber, from: Micros, to: Micros) -> Held {
        if self.scenario.quiet == Quiet::Unused {
            return Held::Never;
        }
        let Some(subjects) = self.subjects(number) else { return Held::Perhaps };
        let (mut all, mut some) = (true, false);
        for roster in self.copies(from, to) {
            for (begin, end) in self.wall_times(from, to) {
                let mut instants = edges(roster, begin, end);
                instants.insert(begin);
                for at in instants {
                    for subject in subjects.each() {
                        let is_held = holds(roster, &subject, at);
                        all &= is_held;
                        some |= is_held;
                    }
                }
            }
        }
        match (all, some) {
            (true, true) => Held::Surely,
            (_, true) => Held::Perhaps,
            (_, false) => Held::Never,
        }
    }

    /// Whether an incident may be quiet at some time from `from` to `to`, because something holds it then, or because
    /// servers have not noticed yet that nothing does.
    pub(super) fn may_be_quiet(&self, number: IncidentNumber, from: Micros, to: Micros) -> bool {
        self.held(number, from.saturating_sub(self.notice()), to) != Held::Never
    }

    /// Whether a dry run right before a report could know how long silences and alert hours hold its incident: not at
    /// all until `end`, or from the beginning until some time, and then no more.
    pub(super) fn quiet_is_foretold(&self, number: IncidentNumber, call: &ReportCall, end: Micros) -> bool {
        if self.scenario.quiet == Quiet::Unused {
            return true;
        }
        // A dry run has no labels.
        let sees_labels = |silence: Arc<Silence>| {
            silence.matchers().iter().any(|matcher| matches!(matcher.name(), "env" | "team"))
        };
        let from = call.began.saturating_sub(SECOND);
        if !call.labels.is_empty() && self.copies(from, end).any(|roster| silences(roster).any(sees_labels)) {
            return false;
        }
        if self.held(number, from, end) == Held::Never {
            return true;
        }
        let changes = self.changes_of_quiet();
        let mut times = changes.keys().filter(|time| **time >= call.ended.unwrap_or(call.began) + SECOND);
        times.any(|time| {
            let apart = self.apart(*time) + 1;
            self.held(number, from, time.saturating_sub(apart)) == Held::Surely
                && self.held(number, time + apart, end) == Held::Never
        })
    }

    /// How long after quiet has ended an incident may be quiet if no fault explains it. It is judged again when its time
    /// is over, and within a second, or the sweeper's minute, after an edit that servers have noticed.
    pub(super) fn notice(&self) -> Micros {
        let lag = crate::roster::LAG + SECOND;
        match self.scenario.drive {
            Drive::Runner => self.margin() + lag,
            Drive::Steps => self.margin() + lag + crate::stage::SWEEP_EVERY,
        }
    }

    /// The times at which something may begin or end to hold an incident, by a correct clock, and whether it is an edit.
    pub(super) fn changes_of_quiet(&self) -> BTreeMap<Micros, Change> {
        let mut found = BTreeMap::new();
        let (from, to) = (self.world.wall_at(0, 0), self.world.wall_at(self.history.ended_at, 0));
        for (_, roster) in &self.history.rosters {
            let times = edges(roster, from, to).into_iter().filter_map(|at| self.time_of(at));
            found.extend(times.map(|at| (at, Change::Time)));
        }
        found.extend(self.history.rosters.iter().skip(1).map(|(edited, _)| (*edited, Change::Edit)));
        found
    }

    /// The last time from `from` to `to` at which something surely held an incident, if no fault kept servers from
    /// noticing it: what begins after it began then or later.
    pub(super) fn last_held(&self, number: IncidentNumber, from: Micros, to: Micros) -> Option<Micros> {
        if self.scenario.quiet == Quiet::Unused {
            return None;
        }
        let changes = self.changes_of_quiet();
        let mut times = changes.keys().rev().filter(|time| **time >= from + self.notice() && **time <= to);
        let before = |time: Micros| time.saturating_sub(self.apart(time) + SECOND / 1_000);
        let is_held = |time: Micros| {
            let end = before(time);
            self.held(number, end.saturating_sub(self.notice()), end) == Held::Surely
                && self.is_quiet(end.saturating_sub(self.notice()), to)
                && self.clocks_stand(0, to)
        };
        times.find(|time| is_held(**time)).map(|time| before(*time))
    }

    fn subjects(&self, number: IncidentNumber) -> Option<Subjects<'a>> {
        let incident = &self.last.get(&number)?.incident;
        let report = self.history.reports.iter().find(|call| call.title == incident.title())?;
        let mut teams = BTreeSet::from([incident.team().as_str()]);
        let rosters = self.history.rosters.iter();
        teams.extend(
            rosters.filter_map(|(_, roster)| roster.services.get(&report.service).map(String::as_str)),
        );
        teams.extend(self.scenario.catch_all);
        // The rules of a run do not change, but the team of a rule may be unknown at times.
        let routes = self.history.rosters.first().and_then(|(_, roster)| roster.book.routes());
        let rules = routes.into_iter().flat_map(|routes| routes.rules());
        teams.extend(rules.filter_map(|rule| Some(rule.team.as_ref()?.as_str())));
        let mut severities = BTreeSet::from([report.severity, incident.severity()]);
        for call in self.updates_of(number).iter().filter(|call| may_have(call)) {
            severities.extend(call.update.severity);
            if let Some(StateChange::HandToTeam(team)) = &call.update.state {
                teams.insert(team.as_str());
            }
        }
        let is_repeat = |call: &&ReportCall| {
            call.key.is_some() && (&call.key, &call.service) == (&report.key, &report.service)
        };
        severities.extend(self.history.reports.iter().filter(is_repeat).map(|call| call.severity));
        Some(Subjects { report, teams, severities })
    }
}

/// What may begin or end quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Hours or a silence begin or end.
    Time,
    /// Somebody edits the roster.
    Edit,
}

impl Subjects<'_> {
    fn each(&self) -> impl Iterator<Item = Subject<'_>> {
        let (service, labels) = (self.report.service.as_str(), &self.report.labels);
        let teams = self.teams.iter();
        teams.flat_map(move |team| {
            self.severities.iter().map(move |severity| Subject { service, team, severity: *severity, labels })
        })
    }
}

/// "What is reported during a silence or outside alert hours": whether something holds an incident at an instant.
fn holds(roster: &Roster, subject: &Subject<'_>, at: DateTime<Utc>) -> bool {
    let hours = roster.teams.get(subject.team).and_then(|team| {
        let hours = team.alert_hours.get(&subject.severity)?;
        Some((hours, team.clocks()))
    });
    let is_closed = hours.is_some_and(|(hours, clocks)| !is_open(hours, clocks, at));
    let mut silences = silences(roster);
    is_closed || silences.any(|silence| is_active(&silence, at) && fulfils(&silence, subject))
}

fn silences(roster: &Roster) -> impl Iterator<Item = Arc<Silence>> {
    roster.book.entries().filter_map(|entry| match entry {
        Entry::Silence { silence, .. } => Some(silence),
        _ => None,
    })
}

fn is_open(hours: &[Hours], clocks: Clocks, at: DateTime<Utc>) -> bool {
    !spans(hours, clocks, (at, at)).is_empty()
}

/// "From, to, optionally a weekly recurrence in a zone."
fn is_active(silence: &Silence, at: DateTime<Utc>) -> bool {
    let recurs = silence.weekly().is_none_or(|weekly| {
        let clocks = scenario::clocks_of(&weekly.timezone).expect("a zone that the simulation knows");
        is_open(std::slice::from_ref(&weekly.hours), clocks, at)
    });
    silence.from() <= at && at < silence.to() && recurs
}

fn fulfils(silence: &Silence, subject: &Subject<'_>) -> bool {
    silence.matchers().iter().all(|matcher| is_met(matcher, subject))
}

/// "`service`, `team` and `severity` match the field or the label of that name." A missing label is empty.
pub(super) fn is_met(matcher: &Matcher, subject: &Subject<'_>) -> bool {
    let field = match matcher.name() {
        "service" => Some(subject.service),
        "team" => Some(subject.team),
        "severity" => Some(subject.severity.as_str()),
        _ => None,
    };
    let label = subject.labels.get(matcher.name()).map(String::as_str);
    let values: Vec<&str> = match (field, label) {
        (None, label) => vec![label.unwrap_or("")],
        (Some(field), label) => [field].into_iter().chain(label).collect(),
    };
    let is = |value: &&str| match matcher.op() {
        MatchOp::Equal | MatchOp::NotEqual => *value == matcher.value(),
        MatchOp::Like | MatchOp::NotLike => is_like(matcher.value(), value),
    };
    match matcher.op() {
        MatchOp::Equal | MatchOp::Like => values.iter().any(is),
        MatchOp::NotEqual | MatchOp::NotLike => !values.iter().any(is),
    }
}

/// Whether a whole value is one of the alternatives.
fn is_like(expression: &str, value: &str) -> bool {
    expression.split('|').any(|one| match one.strip_suffix(".*") {
        Some(prefix) => value.starts_with(prefix),
        None => value == one,
    })
}

/// The instants after `from`, until `to`, at which hours or silences may begin or end.
fn edges(roster: &Roster, from: DateTime<Utc>, to: DateTime<Utc>) -> BTreeSet<DateTime<Utc>> {
    let mut found = BTreeSet::new();
    for team in roster.teams.values() {
        for hours in team.alert_hours.values() {
            found.extend(spans(hours, team.clocks(), (from, to)).into_iter().flat_map(<[_; 2]>::from));
        }
    }
    for silence in silences(roster) {
        found.extend([silence.from(), silence.to()]);
        if let Some(weekly) = silence.weekly() {
            let clocks = scenario::clocks_of(&weekly.timezone).expect("a zone that the simulation knows");
            let hours = std::slice::from_ref(&weekly.hours);
            found.extend(spans(hours, clocks, (from, to)).into_iter().flat_map(<[_; 2]>::from));
        }
    }
    found.into_iter().filter(|at| *at > from && *at <= to).collect()
}
