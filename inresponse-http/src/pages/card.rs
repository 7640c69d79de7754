//! One schedule on the calendar of its team.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use form_urlencoded::Serializer;
use inresponse_core::model::{ScheduleName, TeamName};
use inresponse_core::roster::{Book, Directory, Override, Shift, Target, Timetable, shifts};

use super::form::segment;
use super::lines::{Kind, Line, because, lines, who};
use super::picture::{Week, weeks};
use super::reader::{self, Reader};
use super::times::{Told, machine, on};

/// The maximum number of shifts listed for a schedule.
const SHIFTS: usize = 300;
/// The maximum number of overrides listed for a schedule.
const OVERRIDES: usize = 100;

/// A schedule.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) zone: String,
    pub(super) weeks: Vec<Week>,
    /// Today's hand-overs.
    pub(super) today: Vec<(Told, String)>,
    pub(super) shifts: Vec<Row>,
    /// The number of shifts that are not listed.
    pub(super) more: usize,
    /// The shifts of each layer and each feed, in words.
    pub(super) parts: Vec<(String, Vec<Row>)>,
    pub(super) overrides: Vec<Exception>,
}

/// A shift in words.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) who: String,
    pub(super) from: Told,
    pub(super) to: Told,
    pub(super) why: String,
    pub(super) is_gap: bool,
    pub(super) is_now: bool,
    /// The query of the page on which somebody takes or gives the shift. Empty if the shift is over.
    pub(super) change: String,
}

/// An override that is not over.
#[derive(Debug)]
pub(super) struct Exception {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) from: Told,
    pub(super) to: Told,
    pub(super) note: Option<String>,
}

impl Card {
    /// A card with `count` weeks from a Monday on. Shifts are shown as a whole within `span`.
    pub(super) fn new(
        directory: &Directory,
        reader: &Reader,
        team: &TeamName,
        (name, timetable): (&ScheduleName, &Timetable),
        (monday, count): &(NaiveDate, u32),
        span: (DateTime<Utc>, DateTime<Utc>),
    ) -> Self {
        let (book, clock) = (directory.book(), &reader.clock);
        let lines = lines(directory, team, name, span.0, span.1);
        let shown = (clock.begins(*monday), clock.begins(on(*monday, count * 7)));
        let rows = |line: &Line| -> Vec<Row> {
            let inside = line.shifts.iter().filter(|shift| shift.from < shown.1 && shown.0 < shift.to);
            // A layer often has nobody, so only gaps of the final line are shown.
            let told = inside.filter(|shift| line.kind == Kind::Final || !shift.oncall.is_empty());
            told.map(|shift| Row::new(book, reader, name, timetable, shift)).collect()
        };
        let (mut of_final, mut parts) = (Vec::new(), Vec::new());
        for line in &lines {
            match line.kind {
                Kind::Final => of_final = rows(line),
                Kind::Part => parts.push((line.name.clone(), rows(line))),
            }
        }
        let more = of_final.len().saturating_sub(SHIFTS);
        of_final.truncate(SHIFTS);
        parts.iter_mut().for_each(|(_, rows)| rows.truncate(SHIFTS));
        Self {
            name: name.to_string(),
            path: segment(name.as_str()),
            zone: timetable.schedule().map_or("UTC", |schedule| schedule.timezone().name()).to_owned(),
            weeks: weeks(book, clock, *monday, *count, &lines),
            today: today(directory, reader, team, name),
            shifts: of_final,
            more,
            parts,
            overrides: exceptions(book, reader, timetable),
        }
    }
}

impl Row {
    pub(super) fn new(
        book: &Book,
        reader: &Reader,
        schedule: &ScheduleName,
        timetable: &Timetable,
        shift: &Shift,
    ) -> Self {
        let clock = &reader.clock;
        let (from, to) = clock.span(shift.from, shift.to);
        let change = if shift.to <= clock.now {
            String::new()
        } else {
            let mut query = Serializer::new(String::new());
            query.append_pair("schedule", schedule.as_str());
            query.append_pair("from", &machine(shift.from)).append_pair("to", &machine(shift.to));
            query.finish()
        };
        Self {
            who: who(book, &shift.oncall),
            from,
            to,
            why: because(Some(timetable), shift),
            is_gap: shift.oncall.is_empty(),
            is_now: shift.from <= clock.now && clock.now < shift.to,
            change,
        }
    }
}

/// Who hands over to whom today, and when.
fn today(
    directory: &Directory,
    reader: &Reader,
    team: &TeamName,
    name: &ScheduleName,
) -> Vec<(Told, String)> {
    let (book, clock) = (directory.book(), &reader.clock);
    let (from, to) = (clock.begins(clock.today()), clock.begins(on(clock.today(), 1)));
    // The span begins one second early, so that it contains the shift before a hand-over at midnight.
    let shifts = shifts(directory, team, name, from - TimeDelta::seconds(1), to);
    let pairs = shifts.iter().zip(shifts.iter().skip(1)).filter(|(_, next)| from <= next.from);
    pairs
        .map(|(before, next)| {
            let (_, at) = clock.span(next.from, next.from);
            (at, format!("{} hands over to {}", who(book, &before.oncall), who(book, &next.oncall)))
        })
        .collect()
}

/// The overrides that are not over, in order.
fn exceptions(book: &Book, reader: &Reader, timetable: &Timetable) -> Vec<Exception> {
    let Some(schedule) = timetable.schedule() else { return Vec::new() };
    let clock = &reader.clock;
    let spans = timetable.overrides().iter().map(|(id, one)| (one.span(schedule.timezone()), id, one));
    let mut coming: Vec<_> = spans.filter(|((_, to), ..)| *to > clock.now).collect();
    coming.sort_by_key(|((from, to), id, _)| (*from, *to, *id));
    coming
        .into_iter()
        .take(OVERRIDES)
        .map(|((from, to), id, one)| {
            let (from, to) = clock.span(from, to);
            let note = one.note().map(str::to_owned);
            Exception { id: id.to_string(), text: replacement(book, one), from, to, note }
        })
        .collect()
}

/// Who is on call because of an override, and instead of whom.
fn replacement(book: &Book, one: &Override) -> String {
    let named =
        |targets: &[Target]| reader::names(targets.iter().map(|target| reader::target_name(book, target)));
    let oncall = named(one.oncall());
    match one.instead_of() {
        None => oncall,
        Some([]) => format!("{oncall} in addition"),
        Some(replaced) => format!("{oncall} instead of {}", named(replaced)),
    }
}

/// A day of a month.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) day: String,
    pub(super) number: String,
    pub(super) is_today: bool,
    /// Whether the day is in the month that is shown.
    pub(super) is_of_month: bool,
    /// For each schedule: who is on call, and from when if it is not the whole day.
    pub(super) schedules: Vec<(String, Vec<Entry>)>,
}

/// Somebody on call on a day.
#[derive(Debug)]
pub(super) struct Entry {
    /// When they begin on that day; empty if they were on call before.
    pub(super) from: String,
    pub(super) who: String,
    pub(super) is_gap: bool,
}

/// Weeks of days.
pub(super) fn month(
    directory: &Directory,
    reader: &Reader,
    team: &TeamName,
    monday: NaiveDate,
    count: u32,
    of: NaiveDate,
) -> Vec<Vec<Cell>> {
    use chrono::Datelike;
    let (book, clock) = (directory.book(), &reader.clock);
    let schedules: Vec<(&ScheduleName, Vec<Shift>)> = book
        .timetables(team)
        .filter(|(_, timetable)| timetable.schedule().is_some())
        .map(|(name, _)| {
            (name, shifts(directory, team, name, clock.begins(monday), clock.begins(on(monday, count * 7))))
        })
        .collect();
    let cell = |day: NaiveDate| {
        let (from, to) = (clock.begins(day), clock.begins(on(day, 1)));
        let entry = |shift: &Shift| Entry {
            from: if shift.from > from { clock.span(shift.from, shift.from).1.text } else { String::new() },
            who: who(book, &shift.oncall),
            is_gap: shift.oncall.is_empty(),
        };
        let of_day = |shifts: &[Shift]| {
            // The shifts are in order, so only those of the day are examined.
            let first = shifts.partition_point(|shift| shift.to <= from);
            shifts[first..].iter().take_while(|shift| shift.from < to).map(entry).collect()
        };
        Cell {
            day: day.format("%A, %-d %B").to_string(),
            number: day.format("%-d").to_string(),
            is_today: day == clock.today(),
            is_of_month: (day.year(), day.month()) == (of.year(), of.month()),
            schedules: schedules.iter().map(|(name, shifts)| (name.to_string(), of_day(shifts))).collect(),
        }
    };
    (0..count).map(|week| (0..7).map(|n| cell(on(monday, week * 7 + n))).collect()).collect()
}
