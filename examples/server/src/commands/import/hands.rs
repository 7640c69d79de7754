//! Finds the hours of the coming days that change hands.

use chrono::{DateTime, Days, TimeDelta, Utc};
use inresponse_core::model::{ScheduleName, TeamName, Zone};
use inresponse_core::roster::{EntryKey, Shift, Snapshot, Who, days_of, shifts};
use serde::Serialize;

use super::super::output;
use super::called::name;

/// The number of days that are compared.
pub(super) const DAYS_AHEAD: u64 = 90;
/// The maximum number of spans that are shown for a schedule.
const SHOWN: usize = 10;

/// The hours of a schedule that change hands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hours {
    #[serde(skip)]
    pub(super) key: EntryKey,
    #[serde(skip)]
    zone: Zone,
    /// Whether the schedule has calendar feeds, which this command cannot read.
    without_feeds: bool,
    #[serde(rename = "secondsChanged")]
    seconds: i64,
    #[serde(rename = "changesHands")]
    spans: Vec<Span>,
}

/// A span in which somebody else will be on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Span {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    before: Vec<String>,
    after: Vec<String>,
}

/// The hours of all schedules that change hands.
///
/// A server does not show the events of the calendars that it fetches. So the feeds of a schedule are ignored both
/// before and after the change.
pub(super) fn hours(before: &Snapshot, after: &Snapshot, now: DateTime<Utc>) -> Vec<Hours> {
    let to = now.checked_add_days(Days::new(DAYS_AHEAD)).unwrap_or(now);
    let mut keys: Vec<(&TeamName, &ScheduleName)> = Vec::new();
    for snapshot in [before, after] {
        keys.extend(snapshot.book().schedules().map(|(team, name, _)| (team, name)));
    }
    keys.sort_unstable();
    keys.dedup();
    let of = |(team, name): (&TeamName, &ScheduleName)| {
        let shifts_of = |snapshot: &Snapshot| {
            let (first, last) = days_of(now, to);
            shifts(&snapshot.directory(team, first, last), team, name, now, to)
        };
        let spans = differences(&shifts_of(before), &shifts_of(after));
        let seconds = spans.iter().map(|span| (span.to - span.from).num_seconds()).sum();
        let schedule = [after, before].into_iter().find_map(|snapshot| {
            snapshot.book().timetable(team, name).and_then(|timetable| timetable.schedule()).cloned()
        });
        let without_feeds = schedule.as_ref().is_some_and(|schedule| !schedule.feeds().is_empty());
        let zone = schedule.map_or_else(Zone::utc, |schedule| schedule.timezone().clone());
        let key = EntryKey::Schedule(team.clone(), name.clone());
        Hours { key, zone, without_feeds, seconds, spans }
    };
    keys.into_iter().map(of).filter(|hours| !hours.spans.is_empty()).collect()
}

/// The spans in which the people on call differ; the sources do not matter. Both lists of shifts cover the same time.
fn differences(before: &[Shift], after: &[Shift]) -> Vec<Span> {
    let mut times: Vec<DateTime<Utc>> =
        before.iter().chain(after).flat_map(|shift| [shift.from, shift.to]).collect();
    times.sort_unstable();
    times.dedup();
    let who = |shifts: &[Shift], at: DateTime<Utc>| {
        let shift = shifts.iter().find(|shift| shift.from <= at && at < shift.to);
        let mut people: Vec<String> =
            shift.map(|shift| shift.oncall.iter().map(Who::to_string).collect()).unwrap_or_default();
        people.sort_unstable();
        people
    };
    let mut spans: Vec<Span> = Vec::new();
    for pair in times.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let (before, after) = (who(before, from), who(after, from));
        if before == after {
            continue;
        }
        match spans.last_mut() {
            Some(last) if last.to == from && last.before == before && last.after == after => last.to = to,
            Some(_) | None => spans.push(Span { from, to, before, after }),
        }
    }
    spans
}

impl Hours {
    /// The lines that show the hours.
    pub(super) fn lines(&self) -> Vec<String> {
        let local = |at: DateTime<Utc>| self.zone.local(at).clock().format("%Y-%m-%d %H:%M");
        let who = |names: &[String]| {
            if names.is_empty() { "nobody".to_owned() } else { output::together(names) }
        };
        let mut lines = vec![format!("hours of {}, {}:", name(&self.key), self.zone.name())];
        lines.extend(self.spans.iter().take(SHOWN).map(|Span { from, to, before, after }| {
            format!("    {} to {}: {} → {}", local(*from), local(*to), who(before), who(after))
        }));
        if self.spans.len() > SHOWN {
            lines.push(format!("    … and {} more spans", self.spans.len() - SHOWN));
        }
        let changed = spelled(TimeDelta::seconds(self.seconds));
        lines.push(format!("    {changed} of the next {DAYS_AHEAD} days change hands"));
        if self.without_feeds {
            lines.push("    its calendar feeds are not counted".to_owned());
        }
        lines
    }
}

fn spelled(time: TimeDelta) -> String {
    match (time.num_hours(), time.num_minutes() % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inresponse_core::model::PersonId;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn shift(from: i64, to: i64, people: &[&str]) -> Shift {
        let person = |name: &&str| Who::Person(PersonId::new(name).unwrap());
        Shift { from: at(from), to: at(to), oncall: people.iter().map(person).collect(), sources: Vec::new() }
    }

    #[test]
    fn only_hours_with_other_people_change_hands() {
        let before = [shift(0, 10, &["jo"]), shift(10, 20, &["kim", "lee"]), shift(20, 30, &[])];
        let after = [
            shift(0, 5, &["jo"]),
            shift(5, 12, &["kim"]),
            shift(12, 25, &["lee", "kim"]),
            shift(25, 30, &[]),
        ];
        let told: Vec<_> = differences(&before, &after)
            .into_iter()
            .map(|span| {
                let hour = |at: DateTime<Utc>| at.timestamp() / 3600;
                (hour(span.from), hour(span.to), span.before.join(" "), span.after.join(" "))
            })
            .collect();
        let row = |from, to, before: &str, after: &str| (from, to, before.to_owned(), after.to_owned());
        let expected = [
            row(5, 10, "person:jo", "person:kim"),
            row(10, 12, "person:kim person:lee", "person:kim"),
            row(20, 25, "", "person:kim person:lee"),
        ];
        assert_eq!(told, expected);
        assert_eq!(differences(&before, &before), []);
    }

    #[test]
    fn hours_are_told_in_the_schedules_zone_and_counted() {
        let spans = differences(&[shift(0, 100, &["jo"])], &[shift(0, 50, &["jo"]), shift(50, 100, &[])]);
        let key = EntryKey::Schedule(TeamName::new("web").unwrap(), ScheduleName::new("primary").unwrap());
        let zone = Zone::new("Europe/Athens").unwrap();
        let hours = Hours { key, zone, without_feeds: true, seconds: 50 * 3600 + 1800, spans };
        let expected = [
            "hours of schedule primary of web, Europe/Athens:",
            "    1970-01-03 04:00 to 1970-01-05 06:00: person:jo → nobody",
            "    50 h 30 min of the next 90 days change hands",
            "    its calendar feeds are not counted",
        ];
        assert_eq!(hours.lines(), expected);
    }
}
