//! The clocks of a zone, in whole seconds, for resolution.

use std::cell::Cell;

use chrono::DateTime;

use crate::model::{Era, Zone};

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// Seconds of a week.
pub(super) const WEEK: i64 = 7 * DAY;
/// Later than every instant. It is the end of a span that never ends.
pub(super) const NEVER: i64 = Era::FAR;

/// The clocks of a zone. An instant is in seconds since 1970 began in UTC. A local time is in seconds since the local
/// clocks showed the beginning of 1970.
///
/// It keeps the era of the last question. Within an era, most answers need only an addition.
#[derive(Debug)]
pub(in crate::roster) struct Clock {
    zone: Zone,
    era: Cell<Era>,
}

impl Clock {
    /// The clocks of `zone`, to be asked about instants near `at`.
    pub(in crate::roster) fn new(zone: &Zone, at: i64) -> Self {
        Self { zone: zone.clone(), era: Cell::new(zone.era(at)) }
    }

    /// The era of an instant.
    pub(super) fn era(&self, at: i64) -> Era {
        let era = self.era.get();
        if era.contains(at) {
            return era;
        }
        let era = self.zone.era(at);
        self.era.set(era);
        era
    }

    /// What the clocks show at an instant.
    pub(super) fn local(&self, at: i64) -> i64 {
        at.saturating_add(self.era(at).offset)
    }

    /// The first instant at which the clocks show `local`, or the first after it if they skip it.
    pub(super) fn first(&self, local: i64) -> i64 {
        self.plain(local).unwrap_or_else(|| {
            let local = DateTime::from_timestamp(local, 0).unwrap_or(bound(local));
            self.zone.first_instant(local.naive_utc()).timestamp()
        })
    }

    /// The last instant at which the clocks show `local`, or the first after it if they skip it.
    pub(super) fn last(&self, local: i64) -> i64 {
        self.plain(local).unwrap_or_else(|| {
            let local = DateTime::from_timestamp(local, 0).unwrap_or(bound(local));
            self.zone.last_instant(local.naive_utc()).timestamp()
        })
    }

    /// The one instant of the era at hand at which the clocks show `local`.
    fn plain(&self, local: i64) -> Option<i64> {
        let era = self.era.get();
        let at = local.saturating_sub(era.offset);
        era.is_plain(at).then_some(at)
    }
}

/// The end of the calendar beyond which `at` lies.
pub(super) fn bound(at: i64) -> DateTime<chrono::Utc> {
    if at < 0 { DateTime::<chrono::Utc>::MIN_UTC } else { DateTime::<chrono::Utc>::MAX_UTC }
}
