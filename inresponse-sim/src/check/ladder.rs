//! P8, P12, P15: who is alerted in which order, and not too early.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use inresponse_core::model::{Contact, Event, IncidentNumber, Level};
use inresponse_core::plan::StateChange;
use inresponse_core::store::Record;

use super::{Checker, at, may_have};
use crate::fault::Fault;
use crate::history::{Reply, ReportCall, Sent, Told, UpdateCall};
use crate::scenario::TeamPlan;
use crate::world::{Micros, SECOND, micros};

/// A roster as it may have been frozen for a round: a team on a day.
#[derive(Clone)]
pub(super) struct Frozen<'a> {
    team: &'a TeamPlan,
    day: NaiveDate,
}

impl Frozen<'_> {
    pub(super) fn wait(&self) -> Duration {
        self.team.wait
    }

    fn contacts(&self, level: Level) -> Vec<Contact> {
        self.team.contacts(self.day, level)
    }

    fn has_calendar(&self) -> bool {
        self.team.calendar.contains_key(&self.day)
    }
}

/// People's wishes that nobody wait any longer; each brings one level forward.
struct Escalations<'a> {
    left: Vec<&'a UpdateCall>,
}

impl<'a> Escalations<'a> {
    fn of(updates: &[&'a UpdateCall]) -> Self {
        let escalates =
            |call: &&&UpdateCall| call.update.state == Some(StateChange::Escalate) && may_have(call);
        let mut left: Vec<_> = updates.iter().filter(escalates).copied().collect();
        // What was over first can explain the fewest.
        left.sort_by_key(|call| if call.answer.is_open() { None } else { call.ended }.unwrap_or(Micros::MAX));
        Self { left }
    }

    /// Uses up one that may have been granted in that time, if there is one.
    fn take(&mut self, from: Micros, to: Micros) -> bool {
        let may_explain = |call: &&UpdateCall| {
            call.began <= to && (call.answer.is_open() || call.ended.is_none_or(|end| end >= from))
        };
        let found = self.left.iter().position(may_explain);
        found.map(|i| self.left.remove(i)).is_some()
    }
}

impl<'a> Checker<'a> {
    pub(super) fn ladder(&self) {
        let all: Vec<(IncidentNumber, Vec<usize>)> =
            self.sends.iter().map(|(n, s)| (*n, s.clone())).collect();
        for (number, sends) in all {
            let mut rounds = BTreeMap::<u32, Vec<&'a Sent>>::new();
            for i in sends {
                rounds.entry(self.sent(i).round).or_default().push(self.sent(i));
            }
            let (mut from, mut escalations) = (None, Escalations::of(self.updates_of(number)));
            for (round, sends) in &rounds {
                let frozen = self.frozen(number, *round, from, sends);
                if frozen.is_empty() {
                    let text = format!("nobody can have frozen the matrix of round {round} of {number}");
                    self.violated(8, text);
                } else {
                    self.never_early(number, sends, &frozen, &mut escalations);
                }
                from = sends.first().map(|sent| sent.began);
            }
        }
    }

    /// The rosters that explain a round's sends, of those that may have been frozen for it.
    fn frozen(
        &self,
        number: IncidentNumber,
        round: u32,
        last_round: Option<Micros>,
        sends: &[&Sent],
    ) -> Vec<Frozen<'a>> {
        let Some(first) = sends.first() else { return Vec::new() };
        let Some(record) = self.last.get(&number) else { return Vec::new() };
        let report = self.history.reports.iter().find(|call| call.title == record.incident.title());
        let Some(report) = report else { return Vec::new() };
        let from = last_round.unwrap_or(report.began).min(first.began);
        let mut to = first.began;
        // The first round is frozen before the number is answered.
        if round == 1
            && let (Some(_), Some(ended)) = (report.answer.got(), report.ended)
        {
            to = to.min(ended);
        }
        let teams = self.teams_of(number, record, report, from, to);
        let mut frozen = Vec::new();
        for (i, (since, roster)) in self.history.rosters.iter().enumerate() {
            let until = self.history.rosters.get(i + 1).map_or(Micros::MAX, |(until, _)| *until);
            if *since > to || until < from {
                continue;
            }
            let owner = roster.services.get(record.incident.service().as_str());
            let mut teams = teams.clone();
            if round == 1 {
                teams.retain(|team| owner.is_some_and(|owner| owner == team));
            }
            for plan in teams.iter().filter_map(|team| roster.teams.get(*team)) {
                for day in self.days(plan, from, to) {
                    let candidate = Frozen { team: plan, day };
                    if Self::explains(&candidate, sends) && self.masks_allow(number, &candidate, sends) {
                        frozen.push(candidate);
                    }
                }
            }
        }
        frozen
    }

    /// The teams that may have had an incident at some time from `from` to `to`.
    fn teams_of(
        &self,
        number: IncidentNumber,
        record: &'a Record,
        report: &'a ReportCall,
        from: Micros,
        to: Micros,
    ) -> BTreeSet<&'a str> {
        let handed = |call: &&'a UpdateCall| match &call.update.state {
            Some(StateChange::HandToTeam(team)) if may_have(call) && call.began <= to => {
                Some((*call, team.as_str()))
            }
            _ => None,
        };
        let handed: Vec<(&UpdateCall, &str)> = self.updates_of(number).iter().filter_map(handed).collect();
        if handed.is_empty() && !self.is_handed(number) {
            return BTreeSet::from([record.incident.team().as_str()]);
        }
        let done_by =
            |call: &UpdateCall, by| !call.answer.is_open() && call.ended.is_some_and(|end| end <= by);
        // One that was surely overtaken by another one before `from` says nothing.
        let overtaken = |call: &UpdateCall| {
            let later =
                |one: &UpdateCall| done_by(one, from) && call.ended.is_some_and(|end| end <= one.began);
            !call.answer.is_open() && handed.iter().any(|(one, _)| later(one))
        };
        let mut teams: BTreeSet<&str> =
            handed.iter().filter(|(call, _)| !overtaken(call)).map(|(_, team)| *team).collect();
        if !handed.iter().any(|(call, _)| done_by(call, from)) {
            match report.answer.got() {
                Some(Reply::New(first)) => _ = teams.insert(first.incident.team().as_str()),
                Some(Reply::Repeat(_) | Reply::UnknownService) | None => {
                    let service = record.incident.service().as_str();
                    let owners = self.history.rosters.iter();
                    teams.extend(
                        owners.filter_map(|(_, roster)| roster.services.get(service)).map(String::as_str),
                    );
                }
            }
        }
        teams
    }

    /// Whether an incident may ever have been handed to another team.
    fn is_handed(&self, number: IncidentNumber) -> bool {
        let handed = |call: &&UpdateCall| matches!(call.update.state, Some(StateChange::HandToTeam(_)));
        self.updates_of(number).iter().any(|call| handed(call) && may_have(call))
    }

    /// Whether everybody who was sent to stands in a matrix, at that level.
    fn explains(candidate: &Frozen, sends: &[&Sent]) -> bool {
        sends.iter().all(|sent| {
            // Not twice, if it is level 1.
            let fallback_is_first = sent.level == Level::Fallback
                && !candidate.has_calendar()
                && sends.iter().any(|one| one.level == Level::At(1));
            candidate.contacts(sent.level).contains(&sent.contact) && !fallback_is_first
        })
    }

    /// P15: the days that it may have been for a team, by anybody's clock.
    fn days(&self, plan: &TeamPlan, from: Micros, to: Micros) -> BTreeSet<NaiveDate> {
        let mut days = BTreeSet::new();
        for host in 0..self.scenario.hosts {
            let set = self.history.offsets.iter().filter(|(at, h, _)| *h == host && *at >= from && *at <= to);
            let mut times = vec![(from, self.offset(host, from)), (to, self.offset(host, to))];
            for (at, _, offset) in set {
                times.push((*at, self.offset(host, at.saturating_sub(1))));
                times.push((*at, *offset));
            }
            for (time, offset) in times {
                days.insert(plan.day(self.world.wall_at(time, offset)));
            }
        }
        days
    }

    /// P12: a level is alerted only where some severity that the incident had includes it. Level 1 is the fallback if
    /// the calendar is empty, and then every severity that alerts anybody includes it.
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
            severities.iter().any(|severity| match (masks.get(severity), sent.level) {
                (None, _) => true,
                (Some(levels), Level::At(1)) if !candidate.has_calendar() => !levels.is_empty(),
                (Some(levels), Level::At(n)) => levels.contains(&n),
                (Some(levels), Level::Fallback) => !levels.is_empty(),
                (Some(_), Level::News(_)) => true,
            })
        })
    }

    /// P8: a level's first send comes its wait after that of the level before, but after the dead; P12: in order.
    fn never_early(
        &self,
        number: IncidentNumber,
        sends: &[&'a Sent],
        frozen: &[Frozen<'a>],
        escalations: &mut Escalations<'a>,
    ) {
        let mut firsts = BTreeMap::<Level, &Sent>::new();
        for sent in sends {
            firsts.entry(sent.level).or_insert(sent);
        }
        let wait = frozen.iter().map(Frozen::wait).min().unwrap_or_default();
        let firsts: Vec<&Sent> = firsts.into_values().collect();
        for pair in firsts.windows(2) {
            let (one, next) = (pair[0], pair[1]);
            let dead = |contact: &Contact| {
                sends.iter().any(|sent| {
                    sent.level == one.level
                        && sent.contact == *contact
                        && sent.told == Some(Told::Rejected)
                        && sent.ended.is_some_and(|ended| ended <= next.began)
                })
            };
            let level_dead = |f: &Frozen| f.contacts(one.level).iter().all(dead);
            // Allowances: the dead; a level whose lease was lost more than once before anything was sent; what
            // was raised, so that lower levels come later; clocks that were set; deaths by five crashes. And a wait
            // shorter than the lease, which may be over before the lease that was lost is.
            let short = one.attempt > 1 && micros(wait) < self.lease() + SECOND;
            // So may the first of a level be where only a part of it had free sending slots.
            let part = one.attempt == 1 && self.began_in_part(number, one);
            // And a level that began with a lease under which nothing was sent, if that was recorded: the next one
            // counts from that lease, and whoever goes on after an outage may come to both at once.
            let unbegun = one.attempt > 1 && self.history.not_begun.contains(&(number, one.round, one.level));
            let lost = self.lost_twice(number, one)
                || short
                || unbegun
                || part
                || frozen.iter().any(level_dead)
                || self.died_by_expiry(number, one);
            let slack = SECOND + self.slow(one) + self.apart(next.began);
            // A level began when its time came, if no sending slot was free then for any of its contacts.
            let began = next.began.saturating_sub(micros(wait));
            let crowded = frozen.iter().any(|f| {
                let contacts = f.contacts(one.level);
                let in_demand = |contact| self.is_in_demand(contact, began.saturating_sub(slack), began + slack);
                !contacts.is_empty() && contacts.iter().all(in_demand)
            });
            let since = one.began.min(began).saturating_sub(slack + self.lease());
            let clocks = self.clocks_stand(since, next.began) && self.clocks_agree(next.began);
            if lost || crowded || !clocks || self.may_be_out_of_order(number, one.began.max(next.began)) {
                continue;
            }
            let slack = TimeDelta::microseconds(i64::try_from(slack).unwrap_or(0));
            let passed = next.wall - one.wall;
            // Where its first lease was lost, the level had begun at some time before.
            let since = if one.attempt > 1 { 0 } else { since };
            let is_early = passed + slack < TimeDelta::from_std(wait).unwrap_or_default();
            if is_early && !escalations.take(since, next.began) {
                let text = format!(
                    "level {} of {number} was alerted at {}, {} after level {}; its wait is {wait:?}",
                    next.level,
                    at(next.began),
                    passed,
                    one.level
                );
                self.violated(8, text);
            }
        }
    }

    /// Whether leases of a send's level were lost more than once before anything was sent under them, whichever of its
    /// contacts lost them: the level counts from its first repeat all the same.
    fn lost_twice(&self, number: IncidentNumber, one: &Sent) -> bool {
        self.targets.iter().any(|((of, round, level, _), sends)| {
            (*of, *round, *level) == (number, one.round, one.level) && self.sent(sends[0]).attempt > 2
        })
    }

    /// Whether the first lease of some contact of a send's level was lost before anything was sent under it.
    fn began_in_part(&self, number: IncidentNumber, one: &Sent) -> bool {
        let Some(record) = self.last.get(&number) else { return true };
        record.incident.deliveries().iter().any(|d| {
            let target = (number, one.round, one.level, d.contact().clone());
            let sent_first = self.targets.get(&target).is_some_and(|sends| self.sent(sends[0]).attempt == 1);
            (d.key().round, d.key().level) == (one.round, one.level) && d.attempts() > 0 && !sent_first
        })
    }

    /// How much later than its lease a send may have begun, by the store's slowness.
    fn slow(&self, sent: &Sent) -> Micros {
        // A first attempt that was not begun may have been slow on another server.
        let planned = sent.began.saturating_sub(self.lease() * u64::from(sent.attempt));
        let slow = self.history.disturbances.iter().filter(|d| {
            matches!(d.fault, Fault::SlowCall | Fault::SlowAnswer)
                && (d.host == Some(sent.process.host) || sent.attempt > 1)
                && d.from <= sent.began
                && d.to >= planned
        });
        slow.map(|d| d.to - d.from).sum()
    }

    fn died_by_expiry(&self, number: IncidentNumber, one: &Sent) -> bool {
        let Some(record) = self.last.get(&number) else { return true };
        record
            .incident
            .deliveries()
            .iter()
            .any(|d| d.key().round == one.round && d.key().level == one.level && d.expired() >= 5)
    }

    /// Whether its severity may have changed by then, so that a level may come after a higher one.
    fn may_be_out_of_order(&self, number: IncidentNumber, by: Micros) -> bool {
        let changed =
            self.updates_of(number).iter().any(|call| call.update.severity.is_some() && call.began < by);
        changed || self.may_be_raised(number, 0, by)
    }

    /// The wait of a round, if it is certain.
    pub(super) fn wait_of(&self, number: IncidentNumber, round: u32) -> Option<Duration> {
        let record = self.last.get(&number)?;
        (record.incident.round() == round).then(|| record.incident.matrix().wait())
    }
}
