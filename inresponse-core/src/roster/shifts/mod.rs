//! Resolves who is on call in a schedule, for an instant and for a span. All functions are pure.
//!
//! Resolution works in whole seconds. A shift contains its first second, but not the second at which the next shift
//! begins.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | [`on_call`] and [`shifts`], both from one reader |
//! | `reader` | schedules and teams that lead to each other, and how long an answer is valid |
//! | `shift` | what is answered: who is on call, and why |
//! | `whom` | what the parts of a schedule ask their reader |
//! | `duty` | somebody on call, and what says so |
//! | `stack` | one schedule: feeds, layers and overrides, one above the other |
//! | `layer` | whose turn it is in a layer |
//! | `turns`, `hours`, `numbers`, `members` | when turns begin, weekly hours, how turns are counted, who has one |
//! | `feeds`, `people` | whom a calendar's events name, and who is away |
//! | `overrides` | who stands in for whom |
//! | `clock` | local times of a zone |

mod clock;
mod duty;
mod feeds;
mod hours;
mod layer;
mod members;
mod numbers;
mod overrides;
mod people;
mod reader;
mod shift;
mod stack;
#[cfg(test)]
mod tests;
mod turns;
mod whom;

use chrono::{DateTime, Utc};

use super::Directory;
use crate::model::{ScheduleName, TeamName};

pub(super) use clock::Clock;
use clock::{NEVER, bound};
use duty::{Duty, Origin};
pub(super) use hours::{Open, WeeklyHours};
use reader::Reader;
use whom::{Known, Window};

pub(super) use layer::Plan;
pub use people::unmatched;
pub use shift::{Now, Shift, Source, Who};

/// The maximum number of boundaries that [`shifts`] looks at: those of an hourly turn in ten years.
pub const MAX_BOUNDARIES: usize = 100_000;

/// Who is on call in a schedule at `at`. In a missing schedule nobody is on call.
pub fn on_call(directory: &Directory, team: &TeamName, schedule: &ScheduleName, at: DateTime<Utc>) -> Now {
    let window = Window { from: at.timestamp(), to: NEVER };
    let mut reader = Reader::new(directory, window);
    let (duties, until) = reader.duties(team, schedule, window.from);
    let mut answer = Answer::default();
    answer.set(duties);
    Now { oncall: answer.oncall(), sources: answer.sources(), until: instant(until) }
}

/// The shifts of a schedule from `from` to `to`. They cover the span without gaps or overlaps, and neighbouring shifts
/// differ.
///
/// If the span has more than [`MAX_BOUNDARIES`], the last shift ends before `to`.
pub fn shifts(
    directory: &Directory,
    team: &TeamName,
    schedule: &ScheduleName,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<Shift> {
    let window = Window { from: from.timestamp(), to: to.timestamp().saturating_add(1) };
    let mut reader = Reader::new(directory, window);
    let mut shifts: Vec<Shift> = Vec::new();
    let (mut last, mut next) = (Answer::default(), Answer::default());
    let mut begins = from;
    for _ in 0..MAX_BOUNDARIES {
        if begins >= to {
            break;
        }
        let (duties, until) = reader.duties(team, schedule, begins.timestamp());
        next.set(duties);
        let ends = instant(until).min(to);
        match shifts.last_mut() {
            Some(shift) if next == last => shift.to = ends,
            Some(_) | None => {
                shifts.push(Shift { from: begins, to: ends, oncall: next.oncall(), sources: next.sources() });
                std::mem::swap(&mut last, &mut next);
            }
        }
        begins = ends;
    }
    shifts
}

/// Who is on call, each once in the order in which they were put there, and their sources from the bottom to the top.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer<'a> {
    people: Vec<Known<'a>>,
    sources: Vec<Origin<'a>>,
}

impl<'a> Answer<'a> {
    fn set(&mut self, duties: &[Duty<'a>]) {
        self.people.clear();
        self.sources.clear();
        for duty in duties {
            duty.who.into_iter().for_each(|who| whom::add(&mut self.people, who));
            if !self.sources.contains(&duty.source) {
                self.sources.push(duty.source);
            }
        }
        self.sources.sort_unstable_by_key(|source| source.height);
    }

    fn oncall(&self) -> Vec<Who> {
        self.people.iter().map(|who| (*who).into()).collect()
    }

    fn sources(&self) -> Vec<Source> {
        self.sources.iter().map(|source| (*source).into()).collect()
    }
}

/// An instant in seconds since 1970, or the end of the calendar.
fn instant(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or(bound(second))
}
