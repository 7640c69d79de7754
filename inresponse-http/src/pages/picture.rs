//! Weeks of a schedule as a picture, with a bar for each shift. The page has the same shifts as text.

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::roster::{Book, Shift, Who};

use super::lines::{Kind, Line, who};
use super::times::{Clock, on};

/// The number of colours for people.
const COLOURS: u32 = 6;

/// A week of all lines.
#[derive(Debug)]
pub(super) struct Week {
    pub(super) days: Vec<Day>,
    /// The place of the current time, if it is in this week.
    pub(super) now: Option<String>,
    pub(super) rows: Vec<Row>,
}

/// A day's place in its week.
#[derive(Debug)]
pub(super) struct Day {
    pub(super) x: String,
    pub(super) text: String,
    /// The month, which a phone has no room for.
    pub(super) month: String,
    pub(super) class: &'static str,
}

/// A line in one week.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) is_final: bool,
    pub(super) bars: Vec<Bar>,
}

/// A shift, as far as it lies in the week.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) width: String,
    pub(super) text: String,
    /// `gap`, or one of the colours.
    pub(super) class: String,
}

/// A span of time across a picture's width.
struct Scale {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Scale {
    /// The share of the width that lies before an instant.
    fn share(&self, at: DateTime<Utc>) -> f64 {
        let seconds = |span: chrono::TimeDelta| span.as_seconds_f64();
        100.0 * seconds(at.clamp(self.from, self.to) - self.from) / seconds(self.to - self.from)
    }

    fn x(&self, at: DateTime<Utc>) -> String {
        percent(self.share(at))
    }
}

fn percent(share: f64) -> String {
    format!("{share:.3}%")
}

/// The pictures of `count` weeks from a Monday on.
pub(super) fn weeks(book: &Book, clock: &Clock, monday: NaiveDate, count: u32, lines: &[Line]) -> Vec<Week> {
    (0..count).map(|n| week(book, clock, on(monday, n * 7), lines)).collect()
}

fn week(book: &Book, clock: &Clock, monday: NaiveDate, lines: &[Line]) -> Week {
    let scale = Scale { from: clock.begins(monday), to: clock.begins(on(monday, 7)) };
    let day = |n: u32| {
        let day = on(monday, n);
        let class = if day == clock.today() { "today" } else { "day" };
        let (text, month) = (day.format("%a %-d").to_string(), day.format("%b").to_string());
        Day { x: scale.x(clock.begins(day)), text, month, class }
    };
    let row = |line: &Line| Row {
        name: line.name.clone(),
        is_final: line.kind == Kind::Final,
        bars: line.shifts.iter().filter_map(|shift| bar(book, &scale, line.kind, shift)).collect(),
    };
    let is_now = scale.from <= clock.now && clock.now < scale.to;
    Week {
        days: (0..7).map(day).collect(),
        now: is_now.then(|| scale.x(clock.now)),
        rows: lines.iter().map(row).collect(),
    }
}

fn bar(book: &Book, scale: &Scale, kind: Kind, shift: &Shift) -> Option<Bar> {
    let is_inside = shift.from < scale.to && scale.from < shift.to;
    // Only a gap in the final line is shown: a layer often has nobody.
    if !is_inside || (shift.oncall.is_empty() && kind == Kind::Part) {
        return None;
    }
    let (from, to) = (scale.share(shift.from), scale.share(shift.to));
    Some(Bar {
        x: percent(from),
        width: percent(to - from),
        text: who(book, &shift.oncall),
        class: shift.oncall.first().map_or_else(|| "gap".to_owned(), colour),
    })
}

/// The colour of a person, which is the same on every page.
fn colour(who: &Who) -> String {
    // FNV-1a, because it must be the same in every process.
    let hash = who
        .to_string()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("person-{}", hash % COLOURS)
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::{PersonId, Zone};

    use super::*;

    #[test]
    fn p15_a_bar_is_as_long_as_its_share_of_the_week_and_a_gap_says_nobody() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let clock = Clock { zone: Zone::utc(), now: at("2026-11-24T12:00:00Z") };
        let jo = Who::Person(PersonId::new("jo").unwrap());
        let shift = |from: &str, to: &str, oncall: &[Who]| Shift {
            from: at(from),
            to: at(to),
            oncall: oncall.to_vec(),
            sources: Vec::new(),
        };
        let shifts = vec![
            shift("2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z", &[jo]),
            shift("2026-11-24T00:00:00Z", "2026-12-20T00:00:00Z", &[]),
        ];
        let line = |kind, shifts: &[Shift]| Line { name: "x".to_owned(), kind, shifts: shifts.to_vec() };
        let monday = "2026-11-23".parse().unwrap();
        let lines = [line(Kind::Part, &shifts), line(Kind::Final, &shifts)];
        let weeks = weeks(&Book::default(), &clock, monday, 2, &lines);
        let shown = |row: &Row| -> Vec<_> {
            row.bars.iter().map(|bar| format!("{} {} {}", bar.x, bar.width, bar.text)).collect()
        };
        assert_eq!(shown(&weeks[0].rows[0]), ["0.000% 14.286% jo"]);
        assert_eq!(shown(&weeks[0].rows[1]), ["0.000% 14.286% jo", "14.286% 85.714% nobody"]);
        assert_eq!(shown(&weeks[1].rows[1]), ["0.000% 100.000% nobody"]);
        assert_eq!(weeks[0].rows[1].bars[1].class, "gap");
        assert_eq!((weeks[0].now.as_deref(), weeks[1].now.as_deref()), (Some("21.429%"), None));
        assert_eq!(weeks[0].days[1].class, "today");
    }
}
