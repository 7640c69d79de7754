//! Resolves who is on call, from the words of the design (sections 2 and 5) and without the core's resolution.
//!
//! It reads the same entries as the core, as data. It knows what the people of the simulation make: layers with turns,
//! weekly hours, groups, dated members and ranks; overrides; absences; targets that lead to other schedules and teams.
//! It knows no feeds.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use inresponse_core::model::{Contact, PersonId, ScheduleName, Severity, TeamName, Zone};
use inresponse_core::roster::{
    Counting, Hours, Layer, Member, Moment, Override, Profile, RuleFor, RuleStep, Schedule, Target,
    Timetable, TurnUnit,
};

use super::compared;
use crate::local_time::Clocks;
use crate::scenario::{self, Roster, TeamPlan};

/// The maximum number of targets on the way to a person. Circles are refused; this is for circles that exist anyway.
const MAX_DEPTH: usize = 16;

/// What led to the people of a matrix, as a run counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Means {
    /// A level of the team.
    Level,
    /// A layer of a schedule.
    Layer,
    /// An override.
    Override,
    /// Somebody was left out because they are away.
    Absence,
    /// Another team's first level.
    Team,
}

impl Means {
    /// The name of a comparison with such people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Means::Level => compared::LEVEL,
            Means::Layer => compared::LAYER,
            Means::Override => compared::OVERRIDE,
            Means::Absence => compared::ABSENCE,
            Means::Team => compared::TEAM,
        }
    }
}

/// For each severity, who is alerted at a level, and how many seconds after it began.
pub(super) type Steps = BTreeMap<Severity, BTreeSet<(Contact, u64)>>;

/// Who is alerted in a round that begins at some instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// Who is alerted at each numbered level.
    pub(super) levels: Vec<BTreeSet<Contact>>,
    /// The steps at each numbered level.
    pub(super) steps: Vec<Steps>,
    /// Whether the levels are the team's own, and not its fallback.
    pub(super) own: Own,
    /// What led to them.
    pub(super) means: BTreeSet<Means>,
}

/// Whether a team has levels or a calendar entry at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// The calendar has an entry for the day.
    Day,
    /// The calendar has no entry, and the team has levels.
    Levels,
    /// Neither, so the fallback is level 1.
    Nothing,
}

/// Somebody on call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Person(PersonId),
    Contact(Contact),
}

/// Resolves targets at an instant.
struct Resolver<'a> {
    roster: &'a Roster,
    at: DateTime<Utc>,
    means: RefCell<BTreeSet<Means>>,
}

/// Who is alerted in a round of a team that begins at `at`.
pub(super) fn resolve(roster: &Roster, name: &str, team: &TeamPlan, at: DateTime<Utc>) -> Resolved {
    let resolver = Resolver { roster, at, means: RefCell::default() };
    let of = scenario::team(name);
    let (own, levels) = match team.calendar.get(&team.day(at)) {
        Some(levels) => (Own::Day, levels.clone()),
        None if team.levels.is_empty() => {
            (Own::Nothing, vec![team.fallback.iter().cloned().map(Target::Contact).collect()])
        }
        None => {
            resolver.by(Means::Level);
            (Own::Levels, team.levels.iter().map(|level| level.notify.clone()).collect())
        }
    };
    let steps: Vec<_> = levels.iter().map(|targets| resolver.steps(&of, targets)).collect();
    let contacts = |steps: &Steps| steps.values().flatten().map(|(contact, _)| contact.clone()).collect();
    let levels = steps.iter().map(contacts).collect();
    Resolved { levels, steps, own, means: resolver.means.into_inner() }
}

impl Resolved {
    /// Who is alerted at a numbered level for a severity, and how many seconds after it began.
    pub(super) fn alerts(&self, n: u16, severity: Severity) -> BTreeSet<(Contact, u64)> {
        let level = n.checked_sub(1).and_then(|i| self.steps.get(usize::from(i)));
        level.and_then(|level| level.get(&severity)).cloned().unwrap_or_default()
    }

    /// The contacts of a numbered level.
    pub(super) fn level(&self, n: u16) -> BTreeSet<Contact> {
        n.checked_sub(1).and_then(|i| self.levels.get(usize::from(i))).cloned().unwrap_or_default()
    }
}

/// The instants after `from`, until `to`, at which the answer of [`resolve`] may change for some team, and perhaps some
/// more.
pub(super) fn changes(roster: &Roster, from: DateTime<Utc>, to: DateTime<Utc>) -> BTreeSet<DateTime<Utc>> {
    let mut found = BTreeSet::new();
    for team in roster.teams.values() {
        let (first, last) = (team.day(from), team.day(to));
        let days = first.iter_days().skip(1).take_while(|day| *day <= last);
        found.extend(days.map(|day| team.clocks().first(midnight(day))));
    }
    for profile in roster.book.people().values() {
        let clocks = clocks(profile.timezone());
        found
            .extend(profile.absences().iter().flat_map(|one| [start(one.from, clocks), end(one.to, clocks)]));
    }
    for (_, _, timetable) in roster.book.schedules() {
        let Some(schedule) = timetable.schedule() else { continue };
        let clocks = clocks(schedule.timezone());
        for one in timetable.overrides().values() {
            found.extend([start(one.from(), clocks), end(one.to(), clocks)]);
        }
        for layer in schedule.layers() {
            layer_changes(layer, clocks, (from, to), &mut found);
        }
    }
    found.into_iter().filter(|at| *at > from && *at <= to).collect()
}

/// The steps of a person's rule for a severity.
fn of_person(profile: &Profile, severity: Severity) -> Vec<(Contact, u64)> {
    let own = profile.rules().iter().find(|(of, _)| **of == RuleFor::Severity(severity));
    let rule = own.or_else(|| profile.rules().iter().find(|(of, _)| **of == RuleFor::Default));
    let Some((_, steps)) = rule else {
        return profile.methods().values().map(|contact| (contact.clone(), 0)).collect();
    };
    let step = |step: &RuleStep| {
        let contacts = step.methods.iter().map(|method| profile.methods()[method].clone());
        contacts.map(|contact| (contact, step.after.as_secs())).collect::<Vec<_>>()
    };
    steps.iter().flat_map(step).collect()
}

fn layer_changes(
    layer: &Layer,
    clocks: Clocks,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    found: &mut BTreeSet<DateTime<Utc>>,
) {
    let dates = layer.members.iter().flat_map(|member| [member.from, member.until]);
    let ends = dates.chain([layer.begins, layer.until]).flatten();
    found.extend(ends.map(|time| clocks.first(time.clock())));
    let turns = (0..).map(|turn| turn_starts(layer, clocks, turn));
    found.extend(turns.take_while(|at| *at <= to).filter(|at| *at > from));
    for (first, last) in spans(&layer.hours, clocks, (from, to)) {
        found.extend([first, last]);
    }
}

impl<'a> Resolver<'a> {
    fn by(&self, means: Means) {
        self.means.borrow_mut().insert(means);
    }

    /// "Rules per severity: after how long which methods (default: all methods at once)."
    fn steps(&self, team: &TeamName, targets: &[Target]) -> Steps {
        let people = self.all(team, targets, 0);
        let of = |severity: Severity| {
            let mut steps = BTreeSet::new();
            for who in &people {
                match who {
                    Who::Contact(contact) => _ = steps.insert((contact.clone(), 0)),
                    Who::Person(person) => {
                        let profile = self.roster.book.person(person);
                        steps.extend(profile.into_iter().flat_map(|profile| of_person(profile, severity)));
                    }
                }
            }
            (severity, steps)
        };
        Severity::ALL.into_iter().map(of).collect()
    }

    fn all(&self, team: &TeamName, targets: &[Target], depth: usize) -> Vec<Who> {
        let mut all = Vec::new();
        for who in targets.iter().flat_map(|target| self.whom(team, target, depth)) {
            if !all.contains(&who) {
                all.push(who);
            }
        }
        all
    }

    /// A name that leads nowhere resolves to nobody.
    fn whom(&self, team: &TeamName, target: &Target, depth: usize) -> Vec<Who> {
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        match target {
            Target::Contact(contact) => vec![Who::Contact(contact.clone())],
            Target::Person(person) => {
                let exists = self.roster.book.person(person).is_some();
                exists.then(|| Who::Person(person.clone())).into_iter().collect()
            }
            Target::Schedule { team: of, name } => {
                self.schedule(of.as_ref().unwrap_or(team), name, depth + 1)
            }
            Target::Team(other) => self.first_level(other, depth + 1),
        }
    }

    /// "Level 1 of that team then; its fallback if it has none." A day that has an entry is answered by that entry.
    fn first_level(&self, name: &TeamName, depth: usize) -> Vec<Who> {
        let Some(team) = self.roster.teams.get(name.as_str()) else { return Vec::new() };
        self.by(Means::Team);
        match (team.calendar.get(&team.day(self.at)), team.levels.first()) {
            (Some(day), _) => self.all(name, day.first().map_or(&[], Vec::as_slice), depth),
            (None, Some(level)) => self.all(name, &level.notify, depth),
            (None, None) => team.fallback.iter().cloned().map(Who::Contact).collect(),
        }
    }

    fn schedule(&self, team: &TeamName, name: &ScheduleName, depth: usize) -> Vec<Who> {
        let Some(timetable) = self.roster.book.timetable(team, name) else { return Vec::new() };
        let Some(schedule) = timetable.schedule() else { return Vec::new() };
        let clocks = clocks(schedule.timezone());
        let mut oncall = self.layers(team, schedule, clocks, depth);
        for stand_in in self.overrides(timetable, clocks) {
            self.stand_in(team, stand_in, &mut oncall, depth);
        }
        oncall
    }

    /// "From the bottom: layers by rank; equal ranks are on call together; a layer that yields nobody hides nothing below
    /// it."
    fn layers(&self, team: &TeamName, schedule: &Schedule, clocks: Clocks, depth: usize) -> Vec<Who> {
        let rank = |(place, layer): (usize, &Layer)| layer.rank.map_or(place as u64 + 1, u64::from);
        let ranks: BTreeSet<_> = schedule.layers().iter().enumerate().map(rank).collect();
        for top in ranks.into_iter().rev() {
            let equal = schedule.layers().iter().enumerate().filter(|one| rank(*one) == top);
            let mut together = Vec::new();
            for (_, layer) in equal {
                let member = self.holder(layer, clocks);
                let people = member.map_or(Vec::new(), |member| self.all(team, &member.who, depth));
                for who in self.present(people) {
                    if !together.contains(&who) {
                        together.push(who);
                    }
                }
            }
            if !together.is_empty() {
                self.by(Means::Layer);
                return together;
            }
        }
        Vec::new()
    }

    /// "Absences take a person out of layers, feeds and overrides; the turn stays theirs, and nobody moves up."
    fn present(&self, people: Vec<Who>) -> Vec<Who> {
        let is_away = |who: &Who| {
            let Who::Person(person) = who else { return false };
            let is_away = self.roster.book.person(person).is_some_and(|profile| is_away(profile, self.at));
            if is_away {
                self.by(Means::Absence);
            }
            is_away
        };
        people.into_iter().filter(|who| !is_away(who)).collect()
    }

    /// The member whose turn it is, if the layer is on call.
    fn holder<'l>(&self, layer: &'l Layer, clocks: Clocks) -> Option<&'l Member> {
        let begins = clocks.first(layer.begins.unwrap_or(layer.from).clock());
        let is_over = layer.until.is_some_and(|until| clocks.first(until.clock()) <= self.at);
        let has_hours = layer.hours.is_empty() || !spans(&layer.hours, clocks, (self.at, self.at)).is_empty();
        if self.at < begins || is_over || !has_hours {
            return None;
        }
        let is_member = |member: &Member, at: DateTime<Utc>| {
            member.from.is_none_or(|from| clocks.first(from.clock()) <= at)
                && member.until.is_none_or(|until| at < clocks.first(until.clock()))
        };
        // The next in the list after a place who is a member at an instant.
        let next = |after: Option<usize>, at: DateTime<Utc>| {
            let count = layer.members.len();
            let first = after.map_or(0, |place| place + 1);
            let places = (0..count).map(|i| (first + i) % count);
            places.into_iter().find(|place| is_member(&layer.members[*place], at))
        };
        // "Each turn goes to the next in the list who is a member at its start."
        let (mut had, mut has) = (None, None);
        for turn in 0.. {
            let start = turn_starts(layer, clocks, turn);
            if start > self.at {
                break;
            }
            let counts = match layer.turn.count {
                Counting::Elapsed => true,
                Counting::Worked => {
                    let end = turn_starts(layer, clocks, turn + 1) - TimeDelta::seconds(1);
                    layer.hours.is_empty() || !spans(&layer.hours, clocks, (start, end)).is_empty()
                }
            };
            if counts {
                has = next(had, start);
                had = has.or(had);
            }
        }
        // "If that one leaves during it, the next takes the rest."
        let leaves = |place: usize| layer.members[place].until.map(|until| clocks.first(until.clock()));
        for _ in 0..=layer.members.len() {
            let left = has.and_then(leaves).filter(|left| *left <= self.at);
            let Some(left) = left else { break };
            has = next(has, left);
        }
        has.map(|place| &layer.members[place])
    }

    /// The overrides that apply, "in order of `from`, the longer first, then by id".
    fn overrides(&self, timetable: &'a Timetable, clocks: Clocks) -> Vec<&'a Override> {
        let all = timetable.overrides().iter().map(|(id, one)| {
            let (from, to) = (start(one.from(), clocks), end(one.to(), clocks));
            (from, std::cmp::Reverse(to), id, &**one)
        });
        let mut all: Vec<_> = all.filter(|(from, to, ..)| *from <= self.at && self.at < to.0).collect();
        all.sort_by_key(|(from, to, id, _)| (*from, *to, *id));
        all.into_iter().map(|(.., one)| one).collect()
    }

    /// "Without `insteadOf` it replaces everybody; with names it replaces only those of them who are on call, else it does
    /// nothing; with an empty list it adds."
    fn stand_in(&self, team: &TeamName, one: &Override, oncall: &mut Vec<Who>, depth: usize) {
        match one.instead_of() {
            None => oncall.clear(),
            Some([]) => {}
            Some(names) => {
                let names = self.all(team, names, depth);
                if !oncall.iter().any(|who| names.contains(who)) {
                    return;
                }
                oncall.retain(|who| !names.contains(who));
            }
        }
        self.by(Means::Override);
        for who in self.present(self.all(team, one.oncall(), depth)) {
            if !oncall.contains(&who) {
                oncall.push(who);
            }
        }
    }
}

fn is_away(profile: &Profile, at: DateTime<Utc>) -> bool {
    let clocks = clocks(profile.timezone());
    profile.absences().iter().any(|one| start(one.from, clocks) <= at && at < end(one.to, clocks))
}

/// "Turns are numbered from the anchor. A turn is every N hours (elapsed time), days, weeks or months (wall clock from the
/// anchor; a month from the anchor's day or the month's last)." "A turn boundary is the first occurrence of its local
/// time."
fn turn_starts(layer: &Layer, clocks: Clocks, turn: u32) -> DateTime<Utc> {
    let anchor = layer.from.clock();
    let times = u64::from(turn) * u64::from(layer.turn.every);
    let days =
        |days: u64| clocks.first(anchor.checked_add_days(Days::new(days)).unwrap_or(NaiveDateTime::MAX));
    match layer.turn.unit {
        TurnUnit::Hour => clocks.first(anchor) + TimeDelta::hours(i64::try_from(times).unwrap_or(0)),
        TurnUnit::Day => days(times),
        TurnUnit::Week => days(times * 7),
        TurnUnit::Month => {
            let months = Months::new(u32::try_from(times).unwrap_or(u32::MAX));
            clocks.first(anchor.checked_add_months(months).unwrap_or(NaiveDateTime::MAX))
        }
    }
}

/// The spans of weekly hours that contain some instant from `first` to `last`. "`to` ≤ `from` ends the next day." "A span
/// given by two local times starts at the first occurrence and ends at the last."
pub(super) fn spans(
    hours: &[Hours],
    clocks: Clocks,
    (first, last): (DateTime<Utc>, DateTime<Utc>),
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let (from, to) = (clocks.local(first).date() - Days::new(3), clocks.local(last).date() + Days::new(2));
    let mut found = Vec::new();
    for day in from.iter_days().take_while(|day| *day <= to) {
        for one in hours.iter().filter(|one| one.days.contains(day.weekday())) {
            let ends = if one.to <= one.from { day + Days::new(1) } else { day };
            let (begins, ends) = (clocks.first(day.and_time(one.from)), clocks.last(ends.and_time(one.to)));
            if begins <= last && first < ends {
                found.push((begins, ends));
            }
        }
    }
    found
}

fn start(moment: Moment, clocks: Clocks) -> DateTime<Utc> {
    match moment {
        Moment::At(at) => at,
        Moment::Local(time) => clocks.first(time.clock()),
    }
}

fn end(moment: Moment, clocks: Clocks) -> DateTime<Utc> {
    match moment {
        Moment::At(at) => at,
        Moment::Local(time) => clocks.last(time.clock()),
    }
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(chrono::NaiveTime::MIN)
}

/// The clocks of a zone that the people of the simulation use.
fn clocks(zone: &Zone) -> Clocks {
    scenario::clocks_of(zone).expect("the people of the simulation use only zones that it knows")
}

#[cfg(test)]
mod tests;
