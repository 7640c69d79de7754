//! Who is on call at an instant: pure.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Rota, Team, Zone};
use crate::error::InvalidInput;
use crate::model::{Contact, Matrix};

/// What a team that is known only from its calendar takes: UTC, ten minutes, and the deployment's fallback.
#[derive(Debug, Clone)]
pub struct Defaults {
    team: Option<Team>,
}

impl Defaults {
    /// No defaults: a team must have settings of its own.
    pub fn none() -> Self {
        Self { team: None }
    }

    /// The defaults of a deployment whose last resort is `fallback`.
    ///
    /// # Errors
    /// `fallback` is empty or too long.
    pub fn with_fallback(fallback: Vec<Contact>) -> Result<Self, InvalidInput> {
        Ok(Self { team: Some(Team::builder(fallback).build()?) })
    }

    /// The settings that a team without settings has.
    pub fn team(&self) -> Option<&Team> {
        self.team.as_ref()
    }
}

/// Promise 15: the one calendar day of `zone` on which `at` lies.
pub fn day_of(zone: &Zone, at: DateTime<Utc>) -> NaiveDate {
    zone.local(at).clock().date()
}

/// The matrix of a team on a day with that calendar entry, or with none.
///
/// Level 1 is whoever is on call; without an entry it is the fallback.
pub fn matrix(team: &Team, rota: Option<&Rota>) -> Matrix {
    let fallback = team.fallback().to_vec();
    let wait: Duration = team.escalate_after();
    let matrix = match rota {
        Some(rota) => matrix_of_day(rota, fallback, wait),
        None => Matrix::without_calendar(fallback, wait),
    };
    matrix.repeated(team.repeat()).alerting(team.alert_levels().clone()).in_zone(team.timezone().clone())
}

/// The matrix of a calendar entry alone, then `fallback`.
pub(crate) fn matrix_of_day(rota: &Rota, fallback: Vec<Contact>, wait: Duration) -> Matrix {
    let levels = [rota.oncall()].into_iter().chain(rota.escalation().iter().map(Vec::as_slice));
    Matrix::new(levels.map(<[Contact]>::to_vec).collect(), fallback, wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZONES: [&str; 12] = [
        "Europe/Athens",
        "America/Vancouver",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "Africa/Cairo",
        "America/Nuuk",
        "Antarctica/Troll",
        "UTC",
    ];

    #[test]
    fn p15_days_begin_at_local_midnight_across_dst() {
        let cases = [
            // Athens is two hours ahead of UTC until 29 March 2026, 01:00 UTC, then three.
            ("Europe/Athens", "2026-03-28T21:59:59Z", "2026-03-28"),
            ("Europe/Athens", "2026-03-28T22:00:00Z", "2026-03-29"),
            ("Europe/Athens", "2026-03-29T20:59:59Z", "2026-03-29"),
            ("Europe/Athens", "2026-03-29T21:00:00Z", "2026-03-30"),
            // Cairo begins summer time at midnight, so that 24 April 2026 begins at 01:00 local.
            ("Africa/Cairo", "2026-04-23T21:59:59Z", "2026-04-23"),
            ("Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24"),
            // Apia skipped 30 December 2011.
            ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
            ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
            // British Columbia stays on UTC-7 from 2026 on.
            ("America/Vancouver", "2026-12-01T06:59:59Z", "2026-11-30"),
            ("America/Vancouver", "2026-12-01T07:00:00Z", "2026-12-01"),
        ];
        for (zone, at, day) in cases {
            let got = day_of(&Zone::new(zone).unwrap(), at.parse().unwrap());
            assert_eq!(got.to_string(), day, "{at} in {zone}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn p15_every_instant_has_one_day_and_days_only_go_forward(
            zone in 0..ZONES.len(),
            second in 1_700_000_000i64..2_100_000_000,
            after in 0i64..200_000,
        ) {
            let zone = Zone::new(ZONES[zone]).unwrap();
            let at = |s| DateTime::from_timestamp(s, 0).unwrap();
            let (day, later) = (day_of(&zone, at(second)), day_of(&zone, at(second + after)));
            prop_assert!(day <= later);
            prop_assert!((later - day).num_days() <= after / 86_400 + 2);
        }

        #[test]
        fn p15_a_day_changes_only_at_local_midnight_or_where_the_clocks_change(
            zone in 0..ZONES.len(),
            second in 1_700_000_000i64..2_100_000_000,
        ) {
            let zone = Zone::new(ZONES[zone]).unwrap();
            let at = |s| DateTime::from_timestamp(s, 0).unwrap();
            if day_of(&zone, at(second)) != day_of(&zone, at(second - 1)) {
                let local = jiff::Timestamp::from_second(second).unwrap().to_zoned(zone.rules().clone());
                let midnight = local.time().hour() <= 1 && local.time().minute() == 0;
                prop_assert!(midnight, "day changed at {local}");
            }
        }
    }
}
