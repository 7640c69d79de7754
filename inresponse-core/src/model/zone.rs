//! Time zones, and the local times in them.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;

/// An IANA time zone, from the database that is bundled with this library.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// The zone with that name, such as `Europe/Athens`.
    ///
    /// # Errors
    /// The bundled database has no such zone.
    pub fn new(name: &str) -> Result<Self, InvalidInput> {
        // The machine's own database may be years old; the bundled one is as new as this library.
        jiff::tz::TimeZoneDatabase::bundled()
            .get(name)
            .map(Self)
            .map_err(|_| InvalidInput::field("timezone", format!("`{name}` is not an IANA time zone")))
    }

    /// The names of the zones that people choose from, in order: places, and `UTC`.
    pub fn names() -> Vec<String> {
        let is_place = |name: &str| {
            let area = name.split_once('/').map(|(area, _)| area);
            area.is_some_and(|area| {
                area.starts_with(|c: char| c.is_ascii_uppercase()) && !["Etc", "SystemV"].contains(&area)
            })
        };
        let database = jiff::tz::TimeZoneDatabase::bundled();
        let names = database.available().map(|name| name.as_str().to_owned());
        let mut names: Vec<String> = names.filter(|name| is_place(name)).collect();
        names.push("UTC".to_owned());
        names.sort_unstable();
        names
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// The name of the zone.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    #[cfg(test)]
    pub(crate) fn rules(&self) -> &jiff::tz::TimeZone {
        &self.0
    }

    /// The first instant at which the zone's clocks show `local`, or the first instant after it if they skip it.
    pub fn first_instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        self.instant(local, Occurrence::First)
    }

    /// The last instant at which the zone's clocks show `local`, or the first instant after it if they skip it.
    pub fn last_instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        self.instant(local, Occurrence::Last)
    }

    fn instant(&self, local: NaiveDateTime, which: Occurrence) -> DateTime<Utc> {
        use jiff::tz::AmbiguousOffset;
        let Some(civil) = civil(local) else { return local.and_utc() };
        let offset = match (self.0.to_ambiguous_timestamp(civil).offset(), which) {
            (AmbiguousOffset::Unambiguous { offset }, _) => offset,
            (AmbiguousOffset::Fold { before, .. }, Occurrence::First) => before,
            (AmbiguousOffset::Fold { after, .. }, Occurrence::Last) => after,
            (AmbiguousOffset::Gap { before, after }, _) => return self.after_gap(civil, before, after),
        };
        local.checked_sub_signed(TimeDelta::seconds(offset.seconds().into())).unwrap_or(local).and_utc()
    }

    /// The instant at which the clocks skip `civil`.
    fn after_gap(
        &self,
        civil: jiff::civil::DateTime,
        before: jiff::tz::Offset,
        after: jiff::tz::Offset,
    ) -> DateTime<Utc> {
        // With the offset before the gap, the skipped time is at or after the transition. With the offset after the
        // gap, it is before the transition.
        let instant = |offset: jiff::tz::Offset| offset.to_timestamp(civil).ok();
        let transition = instant(after).and_then(|early| self.0.following(early).next());
        let transition = transition.map(|transition| transition.timestamp()).or(instant(before));
        let second = transition.map_or(0, jiff::Timestamp::as_second);
        DateTime::from_timestamp(second, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The era that contains an instant. The instant is in seconds since 1970.
    pub(crate) fn era(&self, at: i64) -> Era {
        let second = |at: i64| {
            let bound = if at < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
            jiff::Timestamp::from_second(at).unwrap_or(bound)
        };
        let offset_at = |at: i64| i64::from(self.0.to_offset(second(at)).seconds());
        let before = self.0.preceding(second(at.saturating_add(1))).next().map(|t| t.timestamp().as_second());
        let after = self.0.following(second(at)).next().map(|t| t.timestamp().as_second());
        let offset = offset_at(at);
        let jump = |other: i64| (offset - offset_at(other)).abs();
        Era {
            offset,
            ends: after.unwrap_or(Era::FAR),
            plain_from: before.map_or(-Era::FAR, |from| from + jump(from - 1)),
            plain_until: after.map_or(Era::FAR, |until| until - jump(until)),
            begins: before.unwrap_or(-Era::FAR),
        }
    }

    /// The local time of the zone at an instant.
    pub fn local(&self, at: DateTime<Utc>) -> LocalTime {
        let timestamp = jiff::Timestamp::from_second(at.timestamp()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let info = self.0.to_offset_info(timestamp);
        let offset = TimeDelta::seconds(info.offset().seconds().into());
        match at.naive_utc().checked_add_signed(offset) {
            Some(clock) => LocalTime { clock, zone: named(info.abbreviation()) },
            None => LocalTime { clock: at.naive_utc(), zone: "UTC".to_owned() },
        }
    }
}

/// A span of instants in which the clocks of a zone keep one offset. All are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Era {
    /// How far the clocks are ahead of UTC.
    pub(crate) offset: i64,
    /// The first instant.
    pub(crate) begins: i64,
    /// The first instant after it.
    pub(crate) ends: i64,
    /// From this instant on, each local time of the era occurs only once.
    pub(crate) plain_from: i64,
    /// Until this instant, each local time of the era occurs only once.
    pub(crate) plain_until: i64,
}

impl Era {
    /// Far beyond every instant of a calendar.
    pub(crate) const FAR: i64 = i64::MAX / 8;

    /// Whether the instant is in this era.
    pub(crate) fn contains(&self, at: i64) -> bool {
        self.begins <= at && at < self.ends
    }

    /// Whether the instant is in this era, and its local time occurs once.
    pub(crate) fn is_plain(&self, at: i64) -> bool {
        self.plain_from <= at && at < self.plain_until
    }
}

/// The instant to use if the clocks show a time twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occurrence {
    First,
    Last,
}

/// A local time in the types of the zone database; `None` beyond its years.
fn civil(local: NaiveDateTime) -> Option<jiff::civil::DateTime> {
    let small = |n: u32| i8::try_from(n).ok();
    jiff::civil::DateTime::new(
        i16::try_from(local.year()).ok()?,
        small(local.month())?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
        0,
    )
    .ok()
}

/// An instant as a clock in the zone shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    clock: NaiveDateTime,
    zone: String,
}

impl LocalTime {
    /// The day and the time.
    pub fn clock(&self) -> NaiveDateTime {
        self.clock
    }

    /// The abbreviation of the zone at that instant, such as `EET`; `UTC-03:00` if it has none.
    pub fn zone(&self) -> &str {
        &self.zone
    }
}

/// The abbreviation to show. For zones whose people use no abbreviation, the database has bare offsets such as `-03`
/// and `+0545`.
fn named(abbreviation: &str) -> String {
    match abbreviation.split_at_checked(3) {
        Some((hours, minutes)) if hours.starts_with(['+', '-']) => {
            format!("UTC{hours}:{}", if minutes.is_empty() { "00" } else { minutes })
        }
        Some(_) | None => abbreviation.to_owned(),
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidInput;

    fn try_from(name: String) -> Result<Self, InvalidInput> {
        Self::new(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p15_every_zone_that_is_offered_is_one() {
        let names = Zone::names();
        assert!(names.len() > 300 && names.is_sorted(), "{names:?}");
        for name in ["Europe/Athens", "America/New_York", "Asia/Kolkata", "UTC"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        assert!(names.iter().all(|name| Zone::new(name).is_ok()));
    }

    #[test]
    fn p15_an_instant_is_told_as_the_clocks_of_the_zone_show_it_and_by_their_name() {
        let cases = [
            ("UTC", "2026-11-29T07:31:00Z", "2026-11-29 07:31:00 UTC"),
            ("Europe/Athens", "2026-11-29T07:31:00Z", "2026-11-29 09:31:00 EET"),
            ("Europe/Athens", "2026-06-29T22:31:00Z", "2026-06-30 01:31:00 EEST"),
            // The hour that occurs twice is distinguished by the abbreviation.
            ("Europe/Athens", "2026-10-25T00:30:00Z", "2026-10-25 03:30:00 EEST"),
            ("Europe/Athens", "2026-10-25T01:30:00Z", "2026-10-25 03:30:00 EET"),
            ("America/Sao_Paulo", "2026-11-29T01:00:00Z", "2026-11-28 22:00:00 UTC-03:00"),
            ("Asia/Kathmandu", "2026-11-29T01:00:00Z", "2026-11-29 06:45:00 UTC+05:45"),
            ("America/Vancouver", "2026-12-01T06:59:59Z", "2026-11-30 23:59:59 MST"),
        ];
        for (zone, at, expected) in cases {
            let told = Zone::new(zone).unwrap().local(at.parse().unwrap());
            assert_eq!(format!("{} {}", told.clock(), told.zone()), expected, "{zone}");
        }
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
                let _ = Zone::new(zone).unwrap().local(at);
            }
        }
    }

    #[test]
    fn p15_a_local_time_that_occurs_twice_has_two_instants_and_a_skipped_one_the_first_after_it() {
        let cases = [
            // Zone, local time, first and last instant.
            ("Europe/Athens", "2026-07-01T09:00", "2026-07-01T06:00:00Z", "2026-07-01T06:00:00Z"),
            ("Europe/Athens", "2026-10-25T03:30", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("Europe/Athens", "2026-10-25T03:00", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"),
            ("Europe/Athens", "2026-10-25T04:00", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"),
            ("Europe/Athens", "2026-03-29T03:30", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
            ("Europe/Athens", "2026-03-29T03:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
            ("Africa/Cairo", "2026-04-24T00:30", "2026-04-23T22:00:00Z", "2026-04-23T22:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"),
            ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
        ];
        for (zone, local, first, last) in cases {
            let zone = Zone::new(zone).unwrap();
            let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").unwrap();
            let told = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            assert_eq!(told(zone.first_instant(local)), first, "{zone:?} {local}");
            assert_eq!(told(zone.last_instant(local)), last, "{zone:?} {local}");
        }
    }
}
