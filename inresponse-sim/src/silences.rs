//! Draws alert hours and silences, and the edits that people make of them while incidents run.
//!
//! All of them hold for seconds only, so that many begin and end within a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Severity, SilenceId};
use inresponse_core::roster::{
    Entry, EntryKey, Hours, MatchOp, Matcher, RosterEdit, Silence, WeekDays, Weekly,
};

use crate::local_time::Clocks;
use crate::rng::Rng;
use crate::roster_plan::{self, Roster, TeamPlan, WITHOUT_SUMMER_TIME, ZONES};
use crate::world::{Micros, SECOND};

/// The longest time that one of them holds.
pub const LONGEST: Micros = 25 * SECOND;
/// The ids of silences.
const SILENCES: [&str; 4] = ["q0", "q1", "q2", "q3"];

/// Whether people use silences and alert hours in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// They do, and edit them so many times, at random times. Reports have labels.
    Used {
        /// The number of edits.
        edits: u64,
    },
    /// They do not.
    Unused,
}

/// The labels of a report, by the number in its title.
pub fn labels(number: usize) -> BTreeMap<String, String> {
    let labels: &[(&str, &str)] = match number % 4 {
        0 => &[],
        1 => &[("env", "prod")],
        2 => &[("env", "dev")],
        _ => &[("env", "prod"), ("team", "ops")],
    };
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Draws silences and alert hours.
pub(crate) struct Quieting<'a> {
    pub(crate) rng: &'a mut Rng,
    /// The time at which the run begins.
    pub(crate) base: DateTime<Utc>,
    /// How long faults occur.
    pub(crate) chaos: Micros,
}

impl Quieting<'_> {
    /// What a person changes, given the current roster.
    pub(crate) fn edits(&mut self, roster: &Roster) -> Vec<RosterEdit> {
        let name = *self.rng.pick(&["t0", "t1"]);
        let edit = match (self.rng.below(8), roster.teams.get(name)) {
            (0 | 1, Some(plan)) => {
                let mut plan = plan.clone();
                plan.alert_hours =
                    if self.rng.chance(300) { BTreeMap::new() } else { self.alert_hours(&plan) };
                let settings = Arc::new(plan.team());
                RosterEdit::Put(Entry::Team { team: roster_plan::team(name), settings })
            }
            (2..5, _) => {
                let silences = roster.book.entries().map(|entry| entry.key());
                let silences: Vec<_> = silences.filter(|key| matches!(key, EntryKey::Silence(_))).collect();
                match silences.as_slice() {
                    [] => RosterEdit::Put(self.silence()),
                    some => RosterEdit::Delete(self.rng.pick(some).clone()),
                }
            }
            _ => RosterEdit::Put(self.silence()),
        };
        vec![edit]
    }

    /// A second of the run and, some seconds later, another one.
    fn window(&mut self) -> (DateTime<Utc>, DateTime<Utc>) {
        let second = self.base - TimeDelta::nanoseconds(i64::from(self.base.timestamp_subsec_nanos()));
        let chaos = self.chaos / SECOND;
        let from = second + time(self.rng.below(chaos + 8)) - TimeDelta::seconds(4);
        (from, from + time(self.rng.between(2, LONGEST / SECOND)))
    }

    /// Alert hours that are closed for some seconds of each day.
    pub(crate) fn alert_hours(&mut self, team: &TeamPlan) -> BTreeMap<Severity, Vec<Hours>> {
        let chosen: Vec<_> = Severity::ALL.into_iter().filter(|_| self.rng.chance(500)).collect();
        let hours = chosen.into_iter().map(|severity| {
            let (closes, opens) = self.window();
            (severity, vec![hours(team.clocks(), opens, closes)])
        });
        hours.collect()
    }

    pub(crate) fn silence(&mut self) -> Entry {
        let (from, to) = self.window();
        let matchers = self.matchers();
        let silence = if self.rng.chance(300) {
            let zone = usize::try_from(self.rng.below(WITHOUT_SUMMER_TIME as u64)).unwrap_or(0);
            let weekly = Weekly { hours: hours(ZONES[zone].1, from, to), timezone: roster_plan::zone(zone) };
            // Some end before their hours do.
            let ends = if self.rng.chance(200) { to - TimeDelta::seconds(1) } else { to + time(600) };
            Silence::new(matchers, from - TimeDelta::days(1), ends).and_then(|one| one.recurring(weekly))
        } else {
            Silence::new(matchers, from, to)
        };
        let silence = Arc::new(silence.expect("the silence of a scenario is valid"));
        Entry::Silence { id: silence_id(self.rng), silence }
    }

    /// One condition that no missing label fulfils, and sometimes another one.
    fn matchers(&mut self) -> Vec<Matcher> {
        let first = *self.rng.pick(&[
            ("service", MatchOp::Equal, "s0"),
            ("service", MatchOp::Like, "s0|s2"),
            ("service", MatchOp::Like, "s.*"),
            ("team", MatchOp::Equal, "t0"),
            ("team", MatchOp::Like, "t.*"),
            ("team", MatchOp::Equal, "ops"),
            ("severity", MatchOp::Equal, "CRIT"),
            ("severity", MatchOp::Like, "WARN|ERR"),
            ("env", MatchOp::Equal, "prod"),
            ("env", MatchOp::Like, "pr.*|dev"),
        ]);
        let second = *self.rng.pick(&[
            ("service", MatchOp::NotEqual, "s1"),
            ("service", MatchOp::NotLike, "s1|s2"),
            ("team", MatchOp::NotEqual, "t1"),
            ("team", MatchOp::NotLike, "op.*"),
            ("severity", MatchOp::NotEqual, "WARN"),
            ("env", MatchOp::NotEqual, "dev"),
            ("env", MatchOp::NotLike, "de.*"),
        ]);
        let mut all = vec![first];
        if self.rng.chance(400) {
            all.push(second);
        }
        let matcher = |(name, op, value)| Matcher::new(name, op, value).expect("a plain condition");
        all.into_iter().map(matcher).collect()
    }
}

/// The daily hours between two instants, by these clocks.
fn hours(clocks: Clocks, from: DateTime<Utc>, to: DateTime<Utc>) -> Hours {
    Hours { days: WeekDays::ALL, from: clocks.local(from).time(), to: clocks.local(to).time() }
}

fn silence_id(rng: &mut Rng) -> SilenceId {
    SilenceId::new(*rng.pick(&SILENCES)).expect("a plain id")
}

fn time(seconds: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(0))
}
