//! Time zones, and what their clocks show.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;

/// An IANA time zone, from the database that is bundled with this library.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// The zone of that name, as in `Europe/Athens`.
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

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(jiff::tz::TimeZone::UTC)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    #[cfg(test)]
    pub(crate) fn rules(&self) -> &jiff::tz::TimeZone {
        &self.0
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

/// An instant as the clocks of a zone show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    clock: NaiveDateTime,
    zone: String,
}

impl LocalTime {
    /// Day and time.
    pub fn clock(&self) -> NaiveDateTime {
        self.clock
    }

    /// The abbreviation of the zone at that instant, such as `EET`; `UTC-03:00` if it has none.
    pub fn zone(&self) -> &str {
        &self.zone
    }
}

/// The database has bare offsets, as in `-03` and `+0545`, where people have no abbreviation.
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
    fn p15_an_instant_is_told_as_the_clocks_of_the_zone_show_it_and_by_their_name() {
        let cases = [
            ("UTC", "2026-11-29T07:31:00Z", "2026-11-29 07:31:00 UTC"),
            ("Europe/Athens", "2026-11-29T07:31:00Z", "2026-11-29 09:31:00 EET"),
            ("Europe/Athens", "2026-06-29T22:31:00Z", "2026-06-30 01:31:00 EEST"),
            // The hour that comes twice is told apart by the name of its time.
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
}
