//! Draws people and schedules, and the edits that people make of them while incidents run.
//!
//! Everything that may change who is on call happens within a few minutes of the run: turns end, overrides and absences
//! begin and end, members join and leave.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike, Days, NaiveDateTime, TimeDelta, Utc};
use inresponse_core::model::{
    LayerName, MethodName, OverrideId, PersonId, ScheduleName, Severity, StatusUpdates,
};
use inresponse_core::roster::{
    Absence, Counting, Entry, EntryKey, Hours, Layer, Member, Moment, Override, Profile, RosterEdit, RuleFor,
    RuleStep, Schedule, Target, TeamLevel, Turn, TurnUnit, WallTime, WeekDays,
};

use crate::local_time::{Clocks, autumn, spring};
use crate::rng::Rng;
use crate::roster_plan::{self, Roster, ZONES, contact};

/// The schedules, by team and name. Targets lead only from an earlier one to a later one, and from `t0` to `t1`.
const SCHEDULES: [(&str, &str); 3] = [("t0", "x"), ("t0", "y"), ("t1", "x")];
/// The people. The last two are in no schedule, and the last one does not exist at the beginning.
const PEOPLE: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];
/// The ids of overrides.
const OVERRIDES: [&str; 4] = ["o0", "o1", "o2", "o3"];
/// The zones of schedules and people, by their indexes in [`ZONES`]: UTC and Athens.
const CHOSEN_ZONES: [usize; 2] = [0, 5];

/// Whether the teams of a run have schedules, and how often people edit them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// The number of edits of people and schedules, at random times.
    pub edits: u64,
    /// Whether the teams have schedules.
    pub schedules: Schedules,
    clock_change: Option<DateTime<Utc>>,
}

/// Whether the teams of a run have schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedules {
    /// They have levels, and schedules.
    Used,
    /// They have only calendars.
    Unused,
}

impl Habits {
    /// The habits of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed, 10);
        if !rng.chance(400) {
            return Self { edits: 0, schedules: Schedules::Unused, clock_change: None };
        }
        // In autumn, an hour of local time occurs twice: it begins for the first time an hour before the clocks change.
        let changes = [spring(2027), autumn(2027) - TimeDelta::hours(1), autumn(2027)];
        let clock_change =
            rng.chance(300).then(|| *rng.pick(&changes) - TimeDelta::seconds(seconds(&mut rng, 30)));
        let edits = if rng.chance(600) { rng.between(1, 6) } else { 0 };
        Self { edits, schedules: Schedules::Used, clock_change }
    }

    /// The time at which the run begins, if it would otherwise begin at `base`.
    pub fn base(&self, base: DateTime<Utc>) -> DateTime<Utc> {
        self.clock_change.unwrap_or(base)
    }
}

/// Draws entries of a roster.
pub(crate) struct Draw<'a> {
    pub(crate) rng: &'a mut Rng,
    /// The time at which the run begins.
    pub(crate) base: DateTime<Utc>,
}

impl Draw<'_> {
    /// Gives the teams of a roster people and schedules.
    pub(crate) fn dress(&mut self, roster: &mut Roster) {
        let mut entries: Vec<_> = PEOPLE.iter().take(5).map(|name| self.person(name)).collect();
        for (team, name) in SCHEDULES {
            entries.push(self.schedule(team, name));
        }
        for _ in 0..self.rng.below(4) {
            entries.push(self.stand_in());
        }
        let book = Arc::make_mut(&mut roster.book);
        entries.into_iter().for_each(|entry| book.put(entry));
        for (name, team) in &mut roster.teams {
            team.levels = self.levels(name);
            if self.rng.chance(300) {
                team.zone = CHOSEN_ZONES[1];
            }
            // An entry of the calendar hides the levels.
            if self.rng.chance(700) {
                team.calendar.clear();
            }
            for level in team.calendar.values_mut().flatten() {
                if self.rng.chance(300) {
                    *level = self.targets(name);
                }
            }
        }
    }

    /// What a person changes, given the current roster.
    pub(crate) fn edits(&mut self, roster: &Roster) -> Vec<RosterEdit> {
        let (team, name) = *self.rng.pick(&SCHEDULES);
        let person = *self.rng.pick(&PEOPLE);
        let edit = match self.rng.below(14) {
            0..4 => RosterEdit::Put(self.stand_in()),
            4 => RosterEdit::Delete(EntryKey::Override(
                roster_plan::team(team),
                schedule_name(name),
                override_id(self.rng.pick::<&str>(&OVERRIDES)),
            )),
            5 | 6 => RosterEdit::Put(self.schedule(team, name)),
            7 => RosterEdit::Delete(EntryKey::Schedule(roster_plan::team(team), schedule_name(name))),
            8 | 9 => RosterEdit::Put(self.absences(roster, person)),
            10 => RosterEdit::Put(self.person(person)),
            11 => RosterEdit::Delete(EntryKey::Person(person_id(self.rng.pick::<&str>(&PEOPLE[4..])))),
            _ => match roster.teams.get(team) {
                Some(plan) => {
                    let mut plan = plan.clone();
                    plan.levels = self.levels(team);
                    RosterEdit::Put(Entry::Team {
                        team: roster_plan::team(team),
                        settings: Arc::new(plan.team()),
                    })
                }
                None => RosterEdit::Put(self.schedule(team, name)),
            },
        };
        vec![edit]
    }

    /// A time during the run, or shortly before or after it.
    fn moment(&mut self) -> DateTime<Utc> {
        let second = self.base - TimeDelta::nanoseconds(i64::from(self.base.timestamp_subsec_nanos()));
        second + TimeDelta::seconds(seconds(self.rng, 110) - 20)
    }

    fn clocks(&mut self) -> (usize, Clocks) {
        let index = *self.rng.pick(&CHOSEN_ZONES);
        (index, ZONES[index].1)
    }

    /// A span during the run, with its ends as instants or as local times.
    fn span(&mut self, clocks: Clocks) -> (Moment, Moment) {
        let from = self.moment();
        let to = from + TimeDelta::seconds(5 + seconds(self.rng, 60));
        let local = |at| Moment::Local(wall(clocks.local(at)));
        // The end of a span whose local times are in the hour that occurs twice is later than here.
        if self.rng.chance(500) && clocks.local(from) < clocks.local(to) {
            (local(from), local(to))
        } else {
            (Moment::At(from), Moment::At(to))
        }
    }

    fn person(&mut self, name: &str) -> Entry {
        let count = *self.rng.pick(&[1, 1, 2, 2, 3]);
        let methods = (0..count).map(|n| (method(n), contact(&format!("{name}m{n}"))));
        let (zone, _) = self.clocks();
        let mut profile = Profile::builder(methods.collect()).timezone(roster_plan::zone(zone));
        if self.rng.chance(600) {
            for rule in [RuleFor::Default].into_iter().chain(Severity::ALL.map(RuleFor::Severity)) {
                if self.rng.chance(500) {
                    let steps = self.rule(count);
                    profile = profile.rule(rule, steps);
                }
            }
        }
        if let Some(choice) = self.choice(name) {
            profile = profile.status_updates(choice);
        }
        let profile = profile.build().expect("the person of a scenario is valid");
        let absences = *self.rng.pick(&[0, 1, 1, 2]);
        self.away(name, &profile, absences)
    }

    /// Whether a person has chosen to get status updates, or none. They choose once.
    fn choice(&self, name: &str) -> Option<StatusUpdates> {
        let number = name.bytes().last().map_or(0, i64::from);
        match (self.base.timestamp() + number).rem_euclid(5) {
            0 => Some(StatusUpdates::On),
            1 => Some(StatusUpdates::Off),
            _ => None,
        }
    }

    /// A rule: some methods at once, then one after some seconds, or after what is long in a run.
    fn rule(&mut self, methods: u64) -> Vec<RuleStep> {
        let mut first = vec![method(self.rng.below(methods))];
        if self.rng.chance(300) {
            first.push(method(self.rng.below(methods)));
        }
        let mut steps = vec![RuleStep { after: Duration::ZERO, methods: first }];
        for _ in 0..self.rng.below(3) {
            let after = Duration::from_secs(*self.rng.pick(&[2, 5, 9, 20, 45]));
            steps.push(RuleStep { after, methods: vec![method(self.rng.below(methods))] });
        }
        steps
    }

    /// The same person with other absences, or a new person.
    fn absences(&mut self, roster: &Roster, name: &str) -> Entry {
        let absences = *self.rng.pick(&[0, 1, 1, 2]);
        match roster.book.person(&person_id(name)) {
            Some(profile) => self.away(name, profile, absences),
            None => self.person(name),
        }
    }

    fn away(&mut self, name: &str, profile: &Profile, absences: usize) -> Entry {
        let clocks = roster_plan::clocks_of(profile.timezone()).expect("a person has a zone of the list");
        let mut fresh = Profile::builder(profile.methods().clone()).timezone(profile.timezone().clone());
        for (rule, steps) in profile.rules() {
            fresh = fresh.rule(*rule, steps.clone());
        }
        if let Some(choice) = profile.status_updates() {
            fresh = fresh.status_updates(choice);
        }
        for _ in 0..absences {
            let (from, to) = self.span(clocks);
            fresh = fresh.absence(Absence { from, to });
        }
        let profile = Arc::new(fresh.build().expect("the person of a scenario is valid"));
        Entry::Person { person: person_id(name), profile }
    }

    fn schedule(&mut self, team: &str, name: &str) -> Entry {
        let (zone, clocks) = self.clocks();
        let layers = *self.rng.pick(&[1, 1, 2, 3]);
        let layers = (0..layers).map(|n| self.layer(team, name, n, clocks)).collect();
        let schedule = Schedule::new(roster_plan::zone(zone), layers, Vec::new());
        let schedule = Arc::new(schedule.expect("the schedule of a scenario is valid"));
        Entry::Schedule { team: roster_plan::team(team), name: schedule_name(name), schedule }
    }

    fn layer(&mut self, team: &str, schedule: &str, n: usize, clocks: Clocks) -> Layer {
        let count = *self.rng.pick(&[1, 2, 2, 3, 4]);
        let members = (0..count).map(|_| self.member(team, schedule, clocks)).collect();
        let unit =
            *self.rng.pick(&[TurnUnit::Hour, TurnUnit::Day, TurnUnit::Day, TurnUnit::Week, TurnUnit::Month]);
        let every = u32::try_from(self.rng.between(1, 3)).unwrap_or(1);
        let is_worked = self.rng.chance(300);
        let count = if is_worked { Counting::Worked } else { Counting::Elapsed };
        // A turn begins near this moment.
        let handover = self.moment();
        let turns = self.rng.below(8) * u64::from(every);
        let local = clocks.local(handover);
        let from = match unit {
            TurnUnit::Hour => clocks.local(handover - TimeDelta::hours(i64::try_from(turns).unwrap_or(0))),
            TurnUnit::Day => local - Days::new(turns),
            TurnUnit::Week => local - Days::new(turns * 7),
            TurnUnit::Month => local - chrono::Months::new(u32::try_from(turns).unwrap_or(0)),
        };
        let mut local_near = |often: u32| self.rng.chance(often).then(|| wall(clocks.local(self.moment())));
        let begins = local_near(100).filter(|begins| *begins >= wall(from));
        let until = local_near(100).filter(|until| *until > begins.unwrap_or(wall(from)));
        let rank = self.rng.chance(250).then(|| u32::try_from(self.rng.between(1, 3)).unwrap_or(1));
        let hours = if is_worked || self.rng.chance(250) { vec![self.hours(clocks)] } else { Vec::new() };
        let turn = Turn { every, unit, count };
        let name = LayerName::new(format!("l{n}")).expect("a plain name");
        Layer { name, rank, members, from: wall(from), begins, until, turn, hours }
    }

    /// Weekly hours that begin or end during the run, on the days of the week around it.
    fn hours(&mut self, clocks: Clocks) -> Hours {
        let begins = clocks.local(self.moment());
        let length = *self.rng.pick(&[20, 60, 3600, 80_000]);
        let ends = begins + TimeDelta::seconds(length);
        let (from, to) =
            if self.rng.chance(500) { (begins, ends) } else { (begins - (ends - begins), begins) };
        let yesterday = from.date() - Days::new(1);
        let some = *self.rng.pick(&[from.weekday(), from.weekday(), yesterday.weekday()]);
        let other = *self.rng.pick(&[from.weekday(), (from.date() + Days::new(2)).weekday()]);
        let days = WeekDays::from(some).union(other.into());
        Hours { days, from: from.time(), to: to.time() }
    }

    fn member(&mut self, team: &str, schedule: &str, clocks: Clocks) -> Member {
        let who = match self.rng.below(20) {
            // A turn off.
            0 => Vec::new(),
            1..4 => vec![self.someone(), self.someone()],
            4 => vec![Target::Contact(contact("c0"))],
            5 if team == "t0" => vec![target("team:t1")],
            6 if team == "t0" => vec![target("schedule:t1/x")],
            7 if (team, schedule) == ("t0", "x") => vec![target("schedule:y")],
            _ => vec![self.someone()],
        };
        let mut date = || self.rng.chance(150).then(|| wall(clocks.local(self.moment())));
        let (from, until) = (date(), date());
        // Somebody who leaves before they join is refused.
        let until = until.filter(|until| from.is_none_or(|from| from < *until));
        Member { who, from, until }
    }

    /// One of the people who are there at the beginning.
    fn someone(&mut self) -> Target {
        target(&format!("person:{}", self.rng.pick(&PEOPLE[..4])))
    }

    fn stand_in(&mut self) -> Entry {
        let (team, name) = *self.rng.pick(&SCHEDULES);
        let (_, clocks) = self.clocks();
        let (from, to) = self.span(clocks);
        let oncall = match self.rng.below(6) {
            0 => Vec::new(),
            1 => vec![self.someone(), self.someone()],
            2 => vec![Target::Contact(contact("c1"))],
            3 if (team, name) == ("t0", "x") => vec![target("schedule:y")],
            _ => vec![self.someone()],
        };
        let instead_of = match self.rng.below(6) {
            0..3 => None,
            3 => Some(Vec::new()),
            4 => Some(vec![self.someone()]),
            _ => Some(vec![self.someone(), self.someone()]),
        };
        let stand_in = Override::new(from, to, oncall, instead_of, None);
        Entry::Override {
            team: roster_plan::team(team),
            schedule: schedule_name(name),
            id: override_id(self.rng.pick::<&str>(&OVERRIDES)),
            stand_in: Arc::new(stand_in.expect("the override of a scenario is valid")),
        }
    }

    /// The levels of a team.
    fn levels(&mut self, team: &str) -> Vec<TeamLevel> {
        let height = *self.rng.pick(&[1, 1, 2, 2, 3]);
        let level = |_| {
            let wait = self.rng.chance(400).then(|| Duration::from_secs(self.rng.between(1, 12)));
            TeamLevel { notify: self.targets(team), wait }
        };
        (0..height).map(level).collect()
    }

    /// Whom a level names.
    fn targets(&mut self, team: &str) -> Vec<Target> {
        let count = *self.rng.pick(&[0, 1, 1, 1, 2]);
        let one = |_| match self.rng.below(10) {
            0..5 => target("schedule:x"),
            5 if team == "t0" => target("schedule:y"),
            6 if team == "t0" => target("team:t1"),
            7 if team == "t0" => target("schedule:t1/x"),
            8 => Target::Contact(contact("c2")),
            _ => self.someone(),
        };
        (0..count).map(one).collect()
    }
}

fn method(n: u64) -> MethodName {
    MethodName::new(format!("m{n}")).expect("a plain name")
}

/// A random number of seconds below `most`.
fn seconds(rng: &mut Rng, most: u64) -> i64 {
    i64::try_from(rng.below(most)).unwrap_or(0)
}

fn wall(local: NaiveDateTime) -> WallTime {
    WallTime::new(local).expect("a time of the run in whole seconds")
}

fn target(text: &str) -> Target {
    text.parse().expect("a plain target")
}

fn person_id(name: &str) -> PersonId {
    PersonId::new(name).expect("a plain name")
}

fn schedule_name(name: &str) -> ScheduleName {
    ScheduleName::new(name).expect("a plain name")
}

fn override_id(id: &str) -> OverrideId {
    OverrideId::new(id).expect("a plain name")
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::Person;
    use inresponse_core::roster::{Answers, Judged, Question, Snapshot, judge_by};

    use super::*;
    use crate::roster_plan::TeamPlan;

    #[test]
    fn every_drawn_roster_would_be_accepted_and_every_edit_can_be_judged() {
        let base = spring(2027) - TimeDelta::milliseconds(1234);
        let by = Person::new("jo").unwrap();
        let (mut made, mut refused) = (0, 0);
        for seed in 0..300 {
            let mut roster = Roster::default();
            for name in ["t0", "t1"] {
                roster.teams.insert(name.into(), TeamPlan::of_deployment());
            }
            let mut rng = Rng::new(seed, 11);
            let mut draw = Draw { rng: &mut rng, base };
            draw.dress(&mut roster);
            let whole = roster.snapshot();
            let teams = roster.teams.iter();
            let teams = teams.map(|(name, plan)| Entry::Team {
                team: roster_plan::team(name),
                settings: Arc::new(plan.team()),
            });
            let edits: Vec<_> = roster.book.entries().chain(teams).map(RosterEdit::Put).collect();
            let judged = |snapshot: &Snapshot, edits: &[RosterEdit]| {
                let answer = |question: &Question, answers: &mut Answers| {
                    snapshot.answer(question, answers);
                    Ok::<_, inresponse_core::Outage>(())
                };
                judge_by(&by, base, edits, answer).unwrap()
            };
            let first = judged(&Snapshot::default(), &edits);
            assert!(matches!(first, Judged::Write { .. }), "{seed}: {first:?}");
            for _ in 0..10 {
                let edits = draw.edits(&roster);
                match judged(&whole, &edits) {
                    Judged::Write { .. } => made += 1,
                    Judged::Refused(_) => refused += 1,
                    Judged::Ask(question) => panic!("not answered: {question:?}"),
                }
            }
        }
        assert!(made > 2000 && refused > 50, "{made} made, {refused} refused");
    }
}
