//! Who is on call: pure, and the only place that says so.

use chrono::{DateTime, NaiveDate, Utc};

use super::{Directory, Rota, Team, Zone};
use crate::error::InvalidInput;
use crate::model::{Contact, Matrix};

/// What a team without settings of its own takes: UTC, ten minutes, and the deployment's fallback.
#[derive(Debug, Clone)]
pub struct Defaults {
    team: Option<Team>,
}

impl Defaults {
    /// No defaults: every team needs its own settings.
    pub fn none() -> Self {
        Self { team: None }
    }

    /// The defaults of a deployment with that fallback.
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

/// Why these people are on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The team's calendar has an entry for the day.
    Day,
    /// The calendar has no entry, so the fallback is on call.
    Fallback,
}

/// Whose settings say how it escalates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsOf {
    /// The team's own.
    Team,
    /// The deployment's, since the team has none.
    Deployment,
}

/// Who is on call at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The calendar day, in the team's zone.
    pub day: NaiveDate,
    /// The levels, and after them the fallback.
    pub matrix: Matrix,
    /// Why these people.
    pub why: Why,
    /// Whose settings.
    pub settings: SettingsOf,
}

/// Who is on call at `at`, which must lie in the directory's span; `None` if neither the team nor the deployment has
/// settings.
pub fn resolve(directory: &Directory, defaults: &Defaults, at: DateTime<Utc>) -> Option<Resolved> {
    let own = directory.settings().map(|settings| (&**settings, SettingsOf::Team));
    let (team, settings) = own.or_else(|| Some((defaults.team()?, SettingsOf::Deployment)))?;
    let day = day_of(team.timezone(), at);
    let (fallback, wait) = (team.fallback().to_vec(), team.escalate_after());
    let (matrix, why) = match directory.day(day) {
        Some(rota) => (Matrix::new(levels(rota), fallback, wait), Why::Day),
        None => (Matrix::without_calendar(fallback, wait), Why::Fallback),
    };
    let matrix =
        matrix.repeated(team.repeat()).alerting(team.alert_levels().clone()).in_zone(team.timezone().clone());
    Some(Resolved { day, matrix, why, settings })
}

/// Who is on call by the calendar alone, by days of UTC, for a team for which [`resolve`] finds no settings. After them
/// comes `last`. `None` if the calendar has no entry for the day.
pub fn resolve_by_calendar(directory: &Directory, last: Vec<Contact>, at: DateTime<Utc>) -> Option<Matrix> {
    let rota = directory.day(day_of(&Zone::utc(), at))?;
    Some(Matrix::new(levels(rota), last, Team::DEFAULT_WAIT))
}

/// Promise 15: the one calendar day of `zone` on which `at` lies.
pub fn day_of(zone: &Zone, at: DateTime<Utc>) -> NaiveDate {
    zone.local(at).clock().date()
}

fn levels(rota: &Rota) -> Vec<Vec<Contact>> {
    let levels = [rota.oncall()].into_iter().chain(rota.escalation().iter().map(Vec::as_slice));
    levels.map(<[Contact]>::to_vec).collect()
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
