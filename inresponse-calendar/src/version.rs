//! One version of an event, or of one of its occurrences.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::finding::{Finding, FindingKind};
use crate::names::Names;
use crate::parts::Part;
use crate::property::Property;
use crate::rule::Rule;
use crate::time::{Length, Moment, Written, first_instant, last_instant};
use crate::zones::Zones;

/// One VEVENT of the calendar: a version of an event, or of one of its occurrences.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) uid: String,
    /// What people call it.
    pub(crate) title: String,
    pub(crate) sequence: i64,
    /// Which occurrence of an event it replaces.
    pub(crate) replaces: Option<Moment>,
    /// `None` if it was cancelled.
    pub(crate) body: Option<Body>,
    /// Doubts about a version that is used anyway.
    pub(crate) doubts: Vec<Finding>,
}

/// When an event takes place, and whom it is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) start: Moment,
    pub(crate) length: Length,
    pub(crate) rules: Vec<Rule>,
    pub(crate) more: Vec<(Moment, Option<Length>)>,
    pub(crate) except: Vec<Moment>,
    pub(crate) names: Names,
}

type Refused = (FindingKind, String);

impl Version {
    /// Reads an event. An error is what is not understood.
    pub(crate) fn of(part: &Part, zones: &Zones<'_>) -> Result<Self, Finding> {
        let uid = part.value("UID").unwrap_or_default().to_owned();
        let summary = part.value("SUMMARY").filter(|summary| !summary.is_empty());
        let title = summary.unwrap_or(&uid).to_owned();
        let finding = |(kind, message): Refused| Finding::new(kind, &title, message);
        let mut doubts = Vec::new();
        if let Some(line) = part.broken {
            doubts.push(finding((
                FindingKind::Line,
                format!("line {line} is not a property and is passed over"),
            )));
        }
        let replaced = part.property("RECURRENCE-ID");
        if replaced.and_then(|id| id.parameter("RANGE")).is_some() {
            let message = "a change of all later occurrences is read as a change of one".to_owned();
            doubts.push(finding((FindingKind::Rule, message)));
        }
        let replaces = replaced.map(|id| moment(id, &id.value, zones)).transpose().map_err(finding)?;
        let is_cancelled =
            part.value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED"));
        let body = if is_cancelled { None } else { Some(Body::of(part, zones).map_err(finding)?) };
        let sequence = part.value("SEQUENCE").and_then(|number| number.parse().ok()).unwrap_or(0);
        Ok(Self { uid, title: title.clone(), sequence, replaces, body, doubts })
    }
}

impl Body {
    fn of(part: &Part, zones: &Zones<'_>) -> Result<Self, Refused> {
        let starts =
            part.property("DTSTART").ok_or_else(|| (FindingKind::Time, "it has no DTSTART".to_owned()))?;
        let start = moment(starts, &starts.value, zones)?;
        let length = length(part, &start, zones)?;
        if part.property("EXRULE").is_some() {
            return Err((FindingKind::Rule, "EXRULE is not supported".to_owned()));
        }
        let rule = |rule: &Property| {
            Rule::parse(&rule.value, start.local())
                .map_err(|why| (FindingKind::Rule, format!("its rule: {why}")))
        };
        let rules = part.all("RRULE").map(rule).collect::<Result<_, _>>()?;
        let mut more = Vec::new();
        for dates in part.all("RDATE") {
            for written in values(&dates.value) {
                more.push(addition(dates, written, zones)?);
            }
        }
        let mut except = Vec::new();
        for dates in part.all("EXDATE") {
            for written in values(&dates.value) {
                except.push(moment(dates, written, zones)?);
            }
        }
        Ok(Self { start, length, rules, more, except, names: Names::of(part) })
    }
}

fn values(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|value| !value.is_empty())
}

/// The time that a property has as its value, or as one of its values.
fn moment(property: &Property, written: &str, zones: &Zones<'_>) -> Result<Moment, Refused> {
    let unreadable = || {
        let written: String = written.chars().take(40).collect();
        (FindingKind::Time, format!("{} cannot be read: `{written}`", property.name))
    };
    match Written::parse(written).ok_or_else(unreadable)? {
        Written::Day(date) => Ok(Moment::Day(date)),
        Written::Utc(local) => Ok(Moment::At(local, TimeZone::UTC)),
        Written::Local(local) => {
            let unknown = |name| (FindingKind::Zone, format!("the time zone `{name}` is unknown"));
            Ok(Moment::At(local, zones.zone(property.parameter("TZID")).map_err(unknown)?))
        }
    }
}

/// A further occurrence: a time, or a period with an end of its own.
fn addition(
    property: &Property,
    written: &str,
    zones: &Zones<'_>,
) -> Result<(Moment, Option<Length>), Refused> {
    let Some((start, end)) = written.split_once('/') else {
        return Ok((moment(property, written, zones)?, None));
    };
    let start = moment(property, start, zones)?;
    let length = match Length::parse(end) {
        Some(length) => length,
        None => between(&start, &moment(property, end, zones)?)?,
    };
    Ok((start, Some(positive(length)?)))
}

/// The length of the event, from its end or its duration. Without both, an event of a whole day lasts one day.
fn length(part: &Part, start: &Moment, zones: &Zones<'_>) -> Result<Length, Refused> {
    let one_day = Length::Mixed { days: 1, seconds: 0 };
    let length = match (part.property("DTEND"), part.value("DURATION"), start) {
        (Some(end), _, _) => {
            let end = moment(end, &end.value, zones)?;
            match (start, &end) {
                // Several programs write a single day this way.
                (Moment::Day(first), Moment::Day(last)) if first == last => one_day,
                _ => between(start, &end)?,
            }
        }
        (None, Some(duration), _) => {
            let unreadable = || (FindingKind::Length, format!("DURATION cannot be read: `{duration}`"));
            match (Length::parse(duration).ok_or_else(unreadable)?, start) {
                (Length::Mixed { days, seconds }, Moment::Day(_)) if seconds % 86_400 == 0 => {
                    let more = i32::try_from(seconds / 86_400).map_err(|_| unreadable())?;
                    Length::Mixed { days: days.checked_add(more).ok_or_else(unreadable)?, seconds: 0 }
                }
                (Length::Mixed { .. }, Moment::Day(_)) => return Err(unreadable()),
                (length, Moment::At(..)) => length,
                (Length::Wall(_), Moment::Day(_)) => return Err(unreadable()),
            }
        }
        (None, None, Moment::Day(_)) => one_day,
        (None, None, Moment::At(..)) => return Err((FindingKind::Length, "it has no end".to_owned())),
    };
    positive(length)
}

fn positive(length: Length) -> Result<Length, Refused> {
    let refused = || (FindingKind::Length, "it does not end after it starts".to_owned());
    if length.is_positive() { Ok(length) } else { Err(refused()) }
}

/// The length from one time to another. Between two local times of one zone, it is measured by the local clock.
fn between(start: &Moment, end: &Moment) -> Result<Length, Refused> {
    let unfit =
        || (FindingKind::Length, "of its start and its end one is a day and one is a time".to_owned());
    match (start, end) {
        (Moment::Day(first), Moment::Day(last)) => {
            Ok(Length::Mixed { days: (*last - *first).get_days(), seconds: 0 })
        }
        (Moment::At(from, zone), Moment::At(to, other)) if zone == other => {
            Ok(Length::Wall(from.duration_until(*to)))
        }
        (Moment::At(from, zone), Moment::At(to, other)) => {
            let instants: Option<(Timestamp, Timestamp)> =
                first_instant(*from, zone).zip(last_instant(*to, other));
            let far = || (FindingKind::Time, "it is too far away in time".to_owned());
            let passes: SignedDuration =
                instants.map(|(from, to)| from.duration_until(to)).ok_or_else(far)?;
            Ok(Length::Mixed { days: 0, seconds: passes.as_secs() })
        }
        (Moment::Day(_), Moment::At(..)) | (Moment::At(..), Moment::Day(_)) => Err(unfit()),
    }
}
