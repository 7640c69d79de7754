//! Reading a feed.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use inresponse_core::model::Zone;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::error::ReadError;
use crate::event::Event;
use crate::finding::{Finding, Findings};
use crate::parts::{Part, calendars};
use crate::rule::Work;
use crate::series::Reader;
use crate::time::{Length, Written};
use crate::version::Version;
use crate::zones::Zones;

/// What a calendar says about a span of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feed {
    /// The events that overlap the span, whole, by their beginning.
    pub events: Vec<Event>,
    /// What was not understood.
    pub findings: Vec<Finding>,
}

/// Reads what a calendar says about `span`.
///
/// `zone` is the schedule's zone. Events of whole days are days of this zone. Times without a zone are in this zone
/// too, unless the calendar names another one for them. A calendar without events is valid.
///
/// # Errors
/// The bytes are not a whole calendar, or they are over a limit. What is wrong with a single event is a [`Finding`].
pub fn read(bytes: &[u8], zone: &Zone, span: Range<DateTime<Utc>>) -> Result<Feed, ReadError> {
    let calendars = calendars(bytes)?;
    // A `Zone` is one of the bundled database.
    let schedule = TimeZoneDatabase::bundled().get(zone.name()).unwrap_or(TimeZone::UTC);
    let mut reader = Reader {
        schedule,
        span: instant(span.start)..instant(span.end),
        work: Work::new(),
        events: Vec::new(),
        findings: Findings::default(),
    };
    // The versions are grouped by UID in the order of the file, so that findings are the same each time.
    let mut series: Vec<Vec<Version>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for calendar in &calendars {
        let zones = Zones::of(calendar, &reader.schedule);
        for part in &calendar.events {
            match Version::of(part, &zones) {
                Ok(version) => {
                    let place = match version.uid.as_str() {
                        "" => series.len(),
                        uid => *places.entry(uid.to_owned()).or_insert(series.len()),
                    };
                    if place == series.len() {
                        series.push(Vec::new());
                    }
                    series[place].push(version);
                }
                Err(finding) if may_touch(part, &reader) => reader.findings.add(finding),
                Err(_) => {}
            }
        }
    }
    series.into_iter().for_each(|versions| reader.series(versions));
    let Reader { mut events, findings, .. } = reader;
    events.sort_by(|a, b| (a.from, a.to, &a.uid, &a.title).cmp(&(b.from, b.to, &b.uid, &b.title)));
    Ok(Feed { events, findings: findings.told() })
}

/// Whether an event that was not understood may lie in the span, judged by the parts of it that can be read.
fn may_touch(part: &Part, reader: &Reader) -> bool {
    let date = |name: &str| {
        let written = part.value(name).and_then(Written::parse)?;
        Some(match written {
            Written::Day(date) => date,
            Written::Local(local) | Written::Utc(local) => local.date(),
        })
    };
    let recurs = ["RRULE", "EXRULE", "RDATE"].iter().any(|name| part.property(name).is_some());
    let Some(start) = date("DTSTART").filter(|_| !recurs) else { return true };
    let lasts = part.value("DURATION").and_then(Length::parse).map_or(1, Length::days);
    let day = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
    let days = |from: Date, to: Date| i64::from((to - from).get_days());
    let end = date("DTEND").map_or(lasts, |end| days(start, end)).max(1);
    // No zone is two days away from UTC.
    days(start, day(reader.span.end)) >= -2 && days(start, day(reader.span.start)) <= end + 2
}

fn instant(at: DateTime<Utc>) -> Timestamp {
    let limit = if at < DateTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(at.timestamp()).unwrap_or(limit)
}
