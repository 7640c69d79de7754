//! Times as readers see and type them, in one zone.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, SecondsFormat, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::Zone;
use inresponse_core::roster::{Hours, Moment};

/// The clocks of a reader.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) zone: Zone,
    pub(super) now: DateTime<Utc>,
}

/// Which end of a span a time is. If a local time occurs twice, a span begins at its first occurrence and ends at its
/// second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Begin,
    End,
}

/// An instant, for programs and for people.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) machine: String,
    pub(super) text: String,
}

impl Clock {
    /// Day and time, with the year if it is not the current year.
    pub(super) fn told(&self, at: DateTime<Utc>) -> Told {
        let local = self.zone.local(at).clock();
        let year = self.today().year() != local.year();
        let format = if year { "%a %-d %b %Y %H:%M" } else { "%a %-d %b %H:%M" };
        Told { machine: machine(at), text: local.format(format).to_string() }
    }

    /// A span. The day of its end is shown only if it differs from the day of its beginning.
    pub(super) fn span(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> (Told, Told) {
        let (begins, mut ends) = (self.told(from), self.told(to));
        if self.day(from) == self.day(to) {
            ends.text = self.zone.local(to).clock().format("%H:%M").to_string();
        }
        (begins, ends)
    }

    /// The time in the form in which it is typed into a field.
    pub(super) fn field(&self, at: DateTime<Utc>) -> String {
        self.zone.local(at).clock().format("%Y-%m-%dT%H:%M").to_string()
    }

    /// Reads the time that was typed: day and time, or a time of day, which means the next such time after `after`.
    pub(super) fn read(
        &self,
        field: &'static str,
        text: &str,
        after: DateTime<Utc>,
        edge: Edge,
    ) -> Result<DateTime<Utc>, InvalidInput> {
        let instant = |moment: Moment| match edge {
            Edge::Begin => moment.begins(&self.zone),
            Edge::End => moment.ends(&self.zone),
        };
        if let Ok(time) = Hours::time(text) {
            let day = self.day(after);
            let at = |day: NaiveDate| match edge {
                Edge::Begin => self.zone.first_instant(day.and_time(time)),
                Edge::End => self.zone.last_instant(day.and_time(time)),
            };
            let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
            return Ok(if at(day) > after { at(day) } else { at(next) });
        }
        let refused = |_| {
            InvalidInput::field(field, "must be a day and a time like 2026-12-07T18:00, or a time like 18:00")
        };
        Ok(instant(text.parse().map_err(refused)?))
    }

    pub(super) fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        self.zone.local(at).clock().date()
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.day(self.now)
    }

    /// The instant at which a day begins.
    pub(super) fn begins(&self, day: NaiveDate) -> DateTime<Utc> {
        self.zone.first_instant(day.and_time(NaiveTime::MIN))
    }
}

/// The time in the form that programs read.
pub(super) fn machine(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The Monday of the week of a day.
pub(super) fn monday(day: NaiveDate) -> NaiveDate {
    back(day, day.weekday().num_days_from_monday())
}

/// The day that is that many days earlier.
pub(super) fn back(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(days.into())).unwrap_or(day)
}

/// The day that is that many days later.
pub(super) fn on(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(day)
}

/// The day that the query of a page names.
pub(super) fn day_of(field: &'static str, text: &str) -> Result<NaiveDate, InvalidInput> {
    let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok();
    let day = day.filter(|day| (1970..=2200).contains(&day.year()));
    day.ok_or_else(|| InvalidInput::field(field, "must be a day like 2026-12-31"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_what_is_typed_is_a_time_of_the_readers_zone() {
        let now = "2026-11-24T17:00:00Z".parse().unwrap();
        let clock = Clock { zone: Zone::new("Europe/Athens").unwrap(), now };
        let cases = [
            ("2026-11-24T20:00", "2026-11-24T18:00:00Z"),
            ("20:00", "2026-11-24T18:00:00Z"),
            // It is 19:00 already.
            ("19:00", "2026-11-25T17:00:00Z"),
            ("06:30", "2026-11-25T04:30:00Z"),
            ("2026-11-24T20:00:00Z", "2026-11-24T20:00:00Z"),
        ];
        for (typed, at) in cases {
            assert_eq!(machine(clock.read("to", typed, now, Edge::End).unwrap()), at, "{typed}");
        }
        let refused = clock.read("to", "tonight", now, Edge::End).unwrap_err();
        assert_eq!(refused.errors()[0].field(), "to");
        let twice = |edge| machine(clock.read("to", "2027-10-31T03:30", now, edge).unwrap());
        assert_eq!([twice(Edge::Begin), twice(Edge::End)], ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"]);
        let (from, to) = clock.span(now, "2026-11-24T18:00:00Z".parse().unwrap());
        assert_eq!((from.text.as_str(), to.text.as_str()), ("Tue 24 Nov 19:00", "20:00"));
        assert_eq!(clock.told("2027-01-01T00:00:00Z".parse().unwrap()).text, "Fri 1 Jan 2027 02:00");
    }
}
