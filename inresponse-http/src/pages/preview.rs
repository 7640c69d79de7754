//! The preview of a schedule before it is saved, as a pure function.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use inresponse_core::model::{ScheduleName, TeamName};
use inresponse_core::roster::{Book, Directory, Target, Timetable, shifts};

use super::card::Row;
use super::lines::{Change, changes, lines, who};
use super::picture::{Week, weeks};
use super::reader::Reader;
use super::teams::WEEKS;
use super::times::{Told, on};

/// The maximum number of lines of a kind that are listed.
const LISTED: usize = 200;

/// Eight weeks of a schedule.
#[derive(Debug, Default)]
pub(super) struct Preview {
    pub(super) weeks: Vec<Week>,
    pub(super) shifts: Vec<Row>,
    /// The spans that change hands; `None` for a new schedule.
    pub(super) changes: Option<Vec<ChangeRow>>,
    /// Whether the names form a circle. Then there is nothing to show.
    pub(super) is_circle: bool,
}

/// A span that changes hands.
#[derive(Debug)]
pub(super) struct ChangeRow {
    pub(super) from: Told,
    pub(super) to: Told,
    pub(super) is: String,
    pub(super) was: String,
}

impl Preview {
    pub(super) fn circle() -> Self {
        Self { is_circle: true, ..Self::default() }
    }

    /// The preview of the schedule in `is` from now on, and how it differs from the schedule in `was`.
    pub(super) fn new(
        reader: &Reader,
        team: &TeamName,
        name: &ScheduleName,
        was: Option<&Directory>,
        is: &Directory,
        monday: NaiveDate,
    ) -> Self {
        let (book, clock) = (is.book(), &reader.clock);
        let (from, to) = (clock.now, clock.begins(on(monday, WEEKS * 7)));
        let ahead = shifts(is, team, name, from, to);
        let rows = book.timetable(team, name).map(|timetable| {
            ahead.iter().take(LISTED).map(|shift| Row::new(book, reader, name, timetable, shift)).collect()
        });
        let change = |change: &Change| {
            let (from, to) = clock.span(change.from, change.to);
            ChangeRow { from, to, is: who(book, &change.is), was: who(book, &change.was) }
        };
        let changes = was.map(|was| {
            let changes = changes(&shifts(was, team, name, from, to), &ahead);
            changes.iter().take(LISTED).map(change).collect()
        });
        let of_weeks = lines(is, team, name, clock.begins(monday), to);
        Self {
            weeks: weeks(book, clock, monday, WEEKS, &of_weeks),
            shifts: rows.unwrap_or_default(),
            changes,
            is_circle: false,
        }
    }
}

/// Whether the names of a schedule lead back to the schedule itself.
pub(super) fn circle(book: &Book, team: &TeamName, name: &ScheduleName) -> bool {
    let (mut left, mut seen) = (vec![(team.clone(), name.clone())], BTreeSet::new());
    while let Some((of, schedule)) = left.pop() {
        let layers = book.timetable(&of, &schedule).and_then(Timetable::schedule);
        for target in layers.iter().flat_map(|schedule| schedule.targets()) {
            let Target::Schedule { team: next_of, name: next } = target else { continue };
            let next = (next_of.clone().unwrap_or_else(|| of.clone()), next.clone());
            if next.0 == *team && next.1 == *name {
                return true;
            }
            if seen.insert(next.clone()) {
                left.push(next);
            }
        }
    }
    false
}
