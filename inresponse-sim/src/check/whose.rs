//! Derives from P12, without the engine's code, which team a round must alert.

use std::collections::BTreeSet;

use inresponse_core::model::TeamName;
use inresponse_core::roster::Rule;

use super::Checker;
use super::held::{Subject, is_met};
use crate::history::ReportCall;
use crate::roster::LAG;
use crate::scenario::{Roster, TeamPlan};
use crate::world::Micros;

/// The people whom a round alerts, by one roster.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose<'a> {
    /// The people of the team that was asked for.
    Team(&'a str, &'a TeamPlan),
    /// Other people than the team's own, under the team's name.
    InPlace(&'a str, &'a TeamPlan),
    /// The people of the last round, under the name of a team that was deleted.
    LastRound(&'a str),
    /// Nobody, because no team and no fallback exists; under the owner's name.
    Nobody,
}

impl<'a> Checker<'a> {
    /// The rosters that existed at some time from `from` to `to`.
    pub(super) fn rosters(&self, from: Micros, to: Micros) -> impl Iterator<Item = &'a Roster> + '_ {
        let all = &self.history.rosters;
        let until = move |i: usize| all.get(i + 1).map_or(Micros::MAX, |(until, _)| *until);
        let there = move |(i, (since, _)): &(usize, &'a (Micros, Roster))| *since <= to && until(*i) >= from;
        all.iter().enumerate().filter(there).map(|(_, (_, roster))| roster)
    }

    /// The rosters of which a process may have had a copy.
    pub(super) fn copies(&self, from: Micros, to: Micros) -> impl Iterator<Item = &'a Roster> + '_ {
        self.rosters(from.saturating_sub(LAG), to)
    }

    /// The people who are alerted for a report; `None` if it is refused.
    pub(super) fn alerted_for_report(&self, report: &ReportCall, roster: &'a Roster) -> Option<Whose<'a>> {
        let without = self.without_rules(&report.service, roster)?;
        Some(self.routed(report, roster).unwrap_or(without))
    }

    /// The people of the team that the first rule names that matches; `None` if it names none that is there.
    fn routed(&self, report: &ReportCall, roster: &'a Roster) -> Option<Whose<'a>> {
        self.of_rule(self.routed_to(report, roster)?, roster)
    }

    /// The team that the first rule names that matches; `None` if it names none that is there.
    fn routed_to(&self, report: &ReportCall, roster: &'a Roster) -> Option<&'a str> {
        let owner = roster.services.get(&report.service).map(String::as_str).or(self.scenario.catch_all)?;
        let service = report.service.as_str();
        let subject = Subject { service, team: owner, severity: report.severity, labels: &report.labels };
        let rules = roster.book.routes()?.rules();
        let matches = |rule: &&'a Rule| rule.matchers.iter().all(|matcher| is_met(matcher, &subject));
        let team = rules.iter().find(matches)?.team.as_ref()?.as_str();
        self.of_rule(team, roster).map(|_| team)
    }

    /// The people of a rule's team, if it is there.
    fn of_rule(&self, team: &'a str, roster: &'a Roster) -> Option<Whose<'a>> {
        match (roster.teams.get(team), &self.scenario.fallback) {
            (Some(plan), _) => Some(Whose::Team(team, plan)),
            (None, Some(fallback)) if roster.knows(team) => Some(Whose::InPlace(team, fallback)),
            (None, _) => None,
        }
    }

    fn without_rules(&self, service: &str, roster: &'a Roster) -> Option<Whose<'a>> {
        match roster.services.get(service) {
            Some(owner) => Some(self.owner(owner, roster).unwrap_or(Whose::Nobody)),
            None => self.catch_all(roster),
        }
    }

    /// The people whom a new round may alert, for an incident that one of these teams had or was handed.
    pub(super) fn next_rounds(
        &self,
        report: &ReportCall,
        handed: Option<&'a str>,
        had: &'a str,
        roster: &'a Roster,
    ) -> Vec<Whose<'a>> {
        let unrouted = self.next_round(&report.service, handed, had, roster);
        if handed.is_some() {
            return vec![unrouted];
        }
        // The rules do not change, but a team may have been unknown to a copy of the roster, so that its rule had no
        // effect.
        // A repeat may have been routed otherwise, for the same reason.
        let is_of_key = |call: &&ReportCall| {
            let is_repeat = call.key.is_some() && call.key == report.key && call.service == report.service;
            call.title == report.title || (is_repeat && call.began >= report.began)
        };
        let routed = self.history.reports.iter().filter(is_of_key).flat_map(|call| {
            let ended = call.ended.unwrap_or(Micros::MAX);
            self.copies(call.began, ended).map(move |then| self.routed_to(call, then))
        });
        let routed: BTreeSet<Option<&str>> = routed.collect();
        let whose = |team: Option<&'a str>| team.and_then(|team| self.of_rule(team, roster));
        routed.into_iter().map(|team| whose(team).unwrap_or(unrouted)).collect()
    }

    fn next_round(
        &self,
        service: &str,
        handed: Option<&'a str>,
        had: &'a str,
        roster: &'a Roster,
    ) -> Whose<'a> {
        let owner = roster.services.get(service).filter(|_| handed.is_none());
        if let Some(owner) = owner {
            return self.owner(owner, roster).unwrap_or(Whose::LastRound(owner));
        }
        let team = handed.unwrap_or(had);
        match (roster.teams.get(team), &self.scenario.fallback) {
            (Some(plan), _) if handed.is_some() => Whose::Team(team, plan),
            (Some(plan), _) => Whose::InPlace(team, plan),
            (None, Some(fallback)) => Whose::InPlace(team, fallback),
            (None, None) => self.catch_all(roster).unwrap_or(Whose::LastRound(team)),
        }
    }

    fn owner(&self, owner: &'a str, roster: &'a Roster) -> Option<Whose<'a>> {
        match (roster.teams.get(owner), &self.scenario.fallback) {
            (Some(plan), _) => Some(Whose::Team(owner, plan)),
            (None, Some(fallback)) => Some(Whose::InPlace(owner, fallback)),
            (None, None) => self.catch_all(roster),
        }
    }

    fn catch_all(&self, roster: &'a Roster) -> Option<Whose<'a>> {
        let team = self.scenario.catch_all?;
        let plan = roster.teams.get(team).or(self.scenario.fallback.as_ref())?;
        Some(Whose::InPlace(team, plan))
    }

    /// Whether an incident can be handed to a team.
    pub(super) fn may_be_handed_to(&self, team: &TeamName, roster: &Roster) -> bool {
        let listed = roster.teams.contains_key(team.as_str());
        listed || (self.scenario.fallback.is_some() && roster.knows(team.as_str()))
    }
}
