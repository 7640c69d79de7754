//! Checks P8, P12 and P15: who is alerted, in which order, and not too early.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Contact, Event, IncidentNumber, Level, Matrix, Purpose};
use inresponse_core::plan::StateChange;
use inresponse_core::store::Record;

use super::on_call::{self, Own, Resolved};
use super::whose::Whose;
use super::{Checker, at, may_have};
use crate::fault::Fault;
use crate::history::{Sent, Told, UpdateCall};
use crate::scenario::{Roster, TeamPlan};
use crate::world::{Micros, SECOND, micros};

/// A send may begin this many leases after its first one, if all calls to the store are slow.
const RENEWED: u64 = 8;

/// A matrix that may have been frozen for a round: who is on call for a team at an instant.
#[derive(Clone)]
pub(super) struct Frozen<'a> {
    name: &'a str,
    team: &'a TeamPlan,
    resolved: Rc<Resolved>,
}

impl Frozen<'_> {
    fn wait_of(&self, purpose: Purpose) -> Duration {
        let own = match (purpose.level(), self.resolved.own) {
            (Some(Level::At(n)), Own::Levels) => {
                self.team.levels.get(usize::from(n) - 1).and_then(|l| l.wait)
            }
            (_, Own::Day | Own::Levels | Own::Nothing) => None,
        };
        own.unwrap_or(self.team.wait)
    }

    fn contacts(&self, purpose: Purpose) -> BTreeSet<Contact> {
        match purpose.level() {
            Some(Level::At(n)) => self.resolved.level(n),
            Some(Level::Fallback) => self.team.fallback.iter().cloned().collect(),
            None => BTreeSet::new(),
        }
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
                contacts.iter().cloned().collect::<BTreeSet<_>>() == self.contacts(purpose)
                    && shown.wait_of(level) == self.wait_of(purpose)
            })
    }
}

/// People's requests to escalate. Every request alerts one level earlier.
struct Escalations<'a> {
    left: Vec<&'a UpdateCall>,
}

impl<'a> Escalations<'a> {
    fn of(updates: &[&'a UpdateCall]) -> Self {
        let escalates =
            |call: &&&UpdateCall| call.update.state == Some(StateChange::Escalate) && may_have(call);
        let mut left: Vec<_> = updates.iter().filter(escalates).copied().collect();
        // A call that ended first can explain the fewest sends.
        left.sort_by_key(|call| if call.answer.is_open() { None } else { call.ended }.unwrap_or(Micros::MAX));
        Self { left }
    }

    /// Uses up one request that may have been granted in that time, if there is one.
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
        let mut shown = BTreeMap::<(IncidentNumber, u32), &Matrix>::new();
        for one in self.seen() {
            let incident = &one.record.incident;
            shown.insert((incident.number(), incident.round()), incident.matrix());
        }
        for (number, sends) in all {
            let mut rounds = BTreeMap::<u32, Vec<&'a Sent>>::new();
            for i in sends {
                rounds.entry(self.sent(i).round).or_default().push(self.sent(i));
            }
            let (mut from, mut escalations) = (None, Escalations::of(self.updates_of(number)));
            let mut past = Vec::new();
            for (i, (round, sends)) in (1u32..).zip(&rounds) {
                // The matrix of a round that sent nothing is not known.
                let past_is_known = i == *round;
                let mut frozen = self.frozen(number, *round, from, sends, past_is_known.then_some(&*past));
                let named = |record: &&Record| record.incident.round() == *round;
                if frozen.is_empty() {
                    let text = format!("no roster explains the matrix of round {round} of {number}");
                    self.violated(8, text);
                } else if let Some(record) = self.last.get(&number).copied().filter(named)
                    && !frozen.iter().any(|frozen| frozen.name == record.incident.team().as_str())
                {
                    let team = record.incident.team();
                    self.violated(8, format!("round {round} of {number} cannot be that of team {team}"));
                } else {
                    if let Some(shown) = shown.get(&(number, *round)) {
                        self.is_who_is_on_call(number, *round, shown, &mut frozen);
                    }
                    self.never_early(number, sends, &frozen, &mut escalations);
                }
                past.extend(frozen);
                from = sends.first().map(|sent| sent.began);
            }
        }
    }

    /// P15: the matrix that the API shows for a round is who is on call when the round begins. Leaves only the rosters
    /// that explain it.
    fn is_who_is_on_call(
        &self,
        number: IncidentNumber,
        round: u32,
        shown: &Matrix,
        frozen: &mut Vec<Frozen>,
    ) {
        let instead = frozen.first().map(|frozen| frozen.resolved.clone());
        frozen.retain(|candidate| candidate.is(shown));
        let Some(one) = frozen.first() else {
            let levels: Vec<_> = (1..=shown.height()).map(|n| shown.contacts(Level::At(n))).collect();
            let text =
                format!("round {round} of {number} has the levels {levels:?}, not those of {instead:?}");
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
    fn frozen(
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
        // The first round is frozen before the number is answered.
        if round == 1
            && let (Some(_), Some(ended)) = (report.answer.got(), report.ended)
        {
            to = to.min(ended);
        }
        let service = record.incident.service().as_str();
        let whose = |roster: &'a Roster| -> Vec<Whose<'a>> {
            if round == 1 {
                return self.alerted_for_report(service, roster).into_iter().collect();
            }
            let handed = self.handed(number, from, to);
            let next = handed.into_iter().flat_map(|handed| {
                self.names().into_iter().map(move |had| self.next_round(service, handed, had, roster))
            });
            next.collect()
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
            candidate.contacts(sent.purpose).contains(&sent.contact) && !fallback_is_first
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

    /// Instants between `from` and `to`, by each server's clock, such that whoever is on call in that time is on call at
    /// one of them.
    pub(super) fn instants(&self, roster: &Roster, from: Micros, to: Micros) -> BTreeSet<DateTime<Utc>> {
        let mut instants = BTreeSet::new();
        for host in 0..self.scenario.hosts {
            let set = self.history.offsets.iter().filter(|(at, h, _)| *h == host && *at > from && *at <= to);
            let mut begins = vec![(from, self.offset(host, from))];
            begins.extend(set.map(|(at, _, offset)| (*at, *offset)));
            for (i, (begin, offset)) in begins.iter().enumerate() {
                let end = begins.get(i + 1).map_or(to, |(end, _)| *end);
                let (begin, end) = (self.world.wall_at(*begin, *offset), self.world.wall_at(end, *offset));
                instants.insert(begin);
                instants.extend(on_call::changes(roster, begin, end));
            }
        }
        instants
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

    /// P8: a level's first send comes a wait after the first send of the previous level, or at once if that level is
    /// dead. P12: levels come in order.
    fn never_early(
        &self,
        number: IncidentNumber,
        sends: &[&'a Sent],
        frozen: &[Frozen<'a>],
        escalations: &mut Escalations<'a>,
    ) {
        let mut firsts = BTreeMap::<Purpose, &Sent>::new();
        for sent in sends {
            firsts.entry(sent.purpose).or_insert(sent);
        }
        let firsts: Vec<&Sent> = firsts.into_values().collect();
        for pair in firsts.windows(2) {
            let (one, next) = (pair[0], pair[1]);
            let wait = frozen.iter().map(|frozen| frozen.wait_of(one.purpose)).min().unwrap_or_default();
            let dead = |contact: &Contact| {
                sends.iter().any(|sent| {
                    sent.purpose == one.purpose
                        && sent.contact == *contact
                        && sent.told == Some(Told::Rejected)
                        && sent.ended.is_some_and(|ended| ended <= next.began)
                })
            };
            let level_dead = |f: &Frozen| f.contacts(one.purpose).iter().all(dead);
            // Allowances: the dead; a level whose lease was lost more than once before anything was sent; what
            // was raised, so that lower levels come later; clocks that were set; deaths by five crashes. And a wait
            // shorter than the lease, which may be over before the lease that was lost is.
            let short = one.attempt > 1 && micros(wait) < self.lease() + SECOND;
            // So may the first of a level be where only a part of it had free sending slots.
            let part = one.attempt == 1 && self.began_in_part(number, one);
            // And a level that began with a lease under which nothing was sent, if that was recorded: the next one
            // counts from that lease, and a server that continues after an outage may come to both at once.
            let unbegun =
                one.attempt > 1 && self.history.not_begun.contains(&(number, one.round, one.purpose));
            let lost = self.lost_twice(number, one)
                || short
                || unbegun
                || part
                || frozen.iter().any(level_dead)
                || self.died_by_expiry(number, one);
            let slack = SECOND + self.slow(one) + self.apart(next.began);
            // A level began when its time came, if no sending slot was free then for any of its contacts.
            let began = next.began.saturating_sub(micros(wait));
            let times: Vec<_> = self.said_to_begin(number, one).into_iter().chain([began]).collect();
            let crowded = frozen.iter().any(|f| {
                let contacts = f.contacts(one.purpose);
                !contacts.is_empty()
                    && times.iter().any(|at| {
                        let in_demand =
                            |contact| self.is_in_demand(contact, at.saturating_sub(slack), at + slack);
                        contacts.iter().all(in_demand)
                    })
            });
            let since = one.began.min(began).saturating_sub(slack + self.lease());
            let clocks = self.clocks_stand(since, next.began) && self.clocks_agree(next.began);
            if lost || crowded || !clocks || self.may_be_reordered(number, one.began.max(next.began)) {
                continue;
            }
            let slack = TimeDelta::microseconds(i64::try_from(slack).unwrap_or(0));
            let passed = next.wall - one.wall;
            // If its first lease was lost, the level had begun at some earlier time.
            let since = if one.attempt > 1 { 0 } else { since };
            let is_early = passed + slack < TimeDelta::from_std(wait).unwrap_or_default();
            if is_early && !escalations.take(since, next.began) {
                let text = format!(
                    "level {} of {number} was alerted at {}, {} after level {}; its wait is {wait:?}",
                    next.purpose,
                    at(next.began),
                    passed,
                    one.purpose
                );
                self.violated(8, text);
            }
        }
    }

    /// When a send's level began, or began again, by the timeline.
    fn said_to_begin(&self, number: IncidentNumber, one: &Sent) -> Vec<Micros> {
        let Some(record) = self.last.get(&number) else { return Vec::new() };
        let began = record.incident.timeline().entries().iter().filter(|entry| match &entry.event {
            Event::LevelBegan { round, level, .. } | Event::LevelBeganAgain { round, level } => {
                (*round, Purpose::Alert(*level)) == (one.round, one.purpose)
            }
            _ => false,
        });
        began.filter_map(|entry| self.time_of(entry.at)).collect()
    }

    /// Whether processes died more than once before anything was sent to a send's level. In this case the level's wait
    /// counts from its first repeat, because the wait begins again only once.
    fn lost_twice(&self, number: IncidentNumber, one: &Sent) -> bool {
        let lost_leases = self.targets.iter().any(|((of, round, purpose, _), sends)| {
            (*of, *round, *purpose) == (number, one.round, one.purpose) && self.sent(sends[0]).attempt > 2
        });
        lost_leases || self.died_after_it_began_again(number, one)
    }

    /// Whether a process died without a send after the send's level had begun again because of another dead process.
    fn died_after_it_began_again(&self, number: IncidentNumber, one: &Sent) -> bool {
        let Some(record) = self.last.get(&number) else { return false };
        let again = record.incident.timeline().entries().iter().filter(|entry| match &entry.event {
            Event::LevelBeganAgain { round, level } => {
                (*round, Purpose::Alert(*level)) == (one.round, one.purpose)
            }
            _ => false,
        });
        let mut again = again.filter_map(|entry| self.time_of(entry.at));
        again.any(|at| self.history.crashes.iter().any(|(_, died)| *died >= at && *died < one.began))
    }

    /// Whether the first lease of some contact of a send's level was lost before anything was sent.
    fn began_in_part(&self, number: IncidentNumber, one: &Sent) -> bool {
        let Some(record) = self.last.get(&number) else { return true };
        record.incident.deliveries().iter().any(|d| {
            let target = (number, one.round, one.purpose, d.contact().clone());
            let sent_first = self.targets.get(&target).is_some_and(|sends| self.sent(sends[0]).attempt == 1);
            (d.key().round, d.key().purpose) == (one.round, one.purpose) && d.attempts() > 0 && !sent_first
        })
    }

    /// How much later than its lease a send may have begun, because of a slow store.
    fn slow(&self, sent: &Sent) -> Micros {
        // A first attempt that was not begun may have been slow on another server; and a lease that was slow is renewed
        // before its send begins, which may be slow again.
        let planned = sent.began.saturating_sub(self.lease() * (u64::from(sent.attempt) + RENEWED));
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
            .any(|d| d.key().round == one.round && d.key().purpose == one.purpose && d.expired() >= 5)
    }

    /// Whether the severity may have changed by a given time, so that a level may come after a higher one.
    fn may_be_reordered(&self, number: IncidentNumber, by: Micros) -> bool {
        let changed =
            self.updates_of(number).iter().any(|call| call.update.severity.is_some() && call.began < by);
        changed || self.may_be_raised(number, 0, by)
    }

    /// The wait of a level, if it is known for certain.
    pub(super) fn wait_of(&self, number: IncidentNumber, round: u32, level: Level) -> Option<Duration> {
        let record = self.last.get(&number)?;
        (record.incident.round() == round).then(|| record.incident.matrix().wait_of(level))
    }
}
