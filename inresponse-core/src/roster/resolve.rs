//! Resolves who is on call for a team, as a pure function. No other code decides this.

use chrono::{DateTime, NaiveDate, Utc};

use super::first::{First, FirstBy, first_level};
use super::freeze::freeze;
use super::on_duty::OnDuty;
use super::shifts::{Source, Who, on_call};
use super::{Directory, Rota, Target, Team, Zone};
use crate::error::InvalidInput;
use crate::model::{Contact, Matrix, PersonId, ScheduleName, TeamName};

/// The settings for teams without their own: UTC, ten minutes, and the deployment's fallback.
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

    /// The settings of a team without settings of its own.
    pub fn team(&self) -> Option<&Team> {
        self.team.as_ref()
    }
}

/// Why these people are on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The team's calendar has an entry for the day.
    Day,
    /// The calendar has no entry, and the team has levels of its own.
    Levels,
    /// The team has neither a calendar entry for the day nor levels, so the fallback is on call.
    Fallback,
}

/// Whose settings apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsOf {
    /// The team's own settings apply.
    Team,
    /// The deployment's settings apply, because the team has none.
    Deployment,
}

/// Who is on call at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The calendar day, in the team's zone.
    pub day: NaiveDate,
    /// The matrix: the levels, and after them the fallback.
    pub matrix: Matrix,
    /// The reason why these people are on call.
    pub why: Why,
    /// Whose settings apply.
    pub settings: SettingsOf,
}

/// Who is on call at an instant, with the reason for each person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The answer of [`resolve`].
    pub resolved: Resolved,
    /// Who is alerted at each numbered level.
    pub levels: Vec<Vec<OnDuty>>,
    /// Who is alerted as the fallback.
    pub fallback: Vec<OnDuty>,
}

/// Resolves who is on call at `at`, which must be in the directory's span; `None` if neither the team nor the
/// deployment has settings.
pub fn resolve(directory: &Directory, defaults: &Defaults, at: DateTime<Utc>) -> Option<Resolved> {
    let (team, settings) = settings(directory, defaults)?;
    let day = day_of(team.timezone(), at);
    match plain_day(directory.day(day).map(|rota| &**rota), team) {
        Some(matrix) => Some(Resolved { day, matrix: completed(matrix, team), why: Why::Day, settings }),
        None => explain(directory, defaults, at).map(|explained| explained.resolved),
    }
}

/// Resolves who is on call at `at`, as [`resolve`] does, and says why.
pub fn explain(directory: &Directory, defaults: &Defaults, at: DateTime<Utc>) -> Option<Explained> {
    let (team, settings) = settings(directory, defaults)?;
    let resolving = Resolving { directory, at };
    let day = day_of(team.timezone(), at);
    let fallback = resolving.all(directory.team(), team.fallback(), "fallback");
    let (why, levels) = match (directory.day(day), team.levels()) {
        (Some(rota), _) => (Why::Day, resolving.rota(directory.team(), rota, &format!("day:{day}"))),
        (None, []) => (Why::Fallback, vec![fallback.clone()]),
        (None, levels) => {
            let level = |(n, level): (usize, &super::TeamLevel)| {
                resolving.all(directory.team(), &level.notify, &format!("level:{}", n + 1))
            };
            (Why::Levels, levels.iter().enumerate().map(level).collect())
        }
    };
    let wait = team.escalate_after();
    // A fallback that is level 1 is alerted once, as that level.
    let last: &[OnDuty] = if why == Why::Fallback { &[] } else { &fallback };
    let mut frozen = freeze(&levels, last, directory.book());
    let (numbered, last) = (std::mem::take(&mut frozen.levels), std::mem::take(&mut frozen.fallback));
    let matrix = match why {
        Why::Day => Matrix::new(numbered, last, wait),
        Why::Levels => {
            let waits = team.levels().iter().map(|level| level.wait.unwrap_or(wait)).collect();
            Matrix::new(numbered, last, wait).waiting(waits)
        }
        Why::Fallback => Matrix::without_calendar(numbered.into_iter().flatten().collect(), wait),
    };
    let matrix = frozen.complete(completed(matrix, team));
    Some(Explained { resolved: Resolved { day, matrix, why, settings }, levels, fallback })
}

/// Whom a target means at `at`.
pub(super) fn resolve_target(directory: &Directory, target: &Target, at: DateTime<Utc>) -> Vec<OnDuty> {
    Resolving { directory, at }.all(directory.team(), std::slice::from_ref(target), "called in")
}

/// The settings that apply.
fn settings<'a>(directory: &'a Directory, defaults: &'a Defaults) -> Option<(&'a Team, SettingsOf)> {
    let own = directory.settings().map(|settings| (&**settings, SettingsOf::Team));
    own.or_else(|| Some((defaults.team()?, SettingsOf::Deployment)))
}

/// The matrix of a day whose entry names only addresses. Most calendars are like this, and a report waits for the answer,
/// so nothing is looked up and no reasons are written.
fn plain_day(rota: Option<&Rota>, team: &Team) -> Option<Matrix> {
    let rota = rota?;
    let levels = [rota.oncall()].into_iter().chain(rota.escalation().iter().map(Vec::as_slice));
    let levels: Option<Vec<_>> = levels.map(addresses).collect();
    Some(Matrix::new(levels?, addresses(team.fallback())?, team.escalate_after()))
}

/// The addresses; `None` if a target is not an address. A matrix drops doubles.
fn addresses(targets: &[Target]) -> Option<Vec<Contact>> {
    let mut found = Vec::with_capacity(targets.len());
    for target in targets {
        let Target::Contact(contact) = target else { return None };
        found.push(contact.clone());
    }
    Some(found)
}

fn completed(matrix: Matrix, team: &Team) -> Matrix {
    let matrix = matrix.repeated(team.repeat()).alerting(team.alert_levels().clone());
    matrix.in_zone(team.timezone().clone()).claims_last(team.claim_timeout())
}

/// Resolves who is on call by the calendar alone, by days in UTC, for a team for which [`resolve`] finds no settings.
/// `last` is alerted after them. `None` if the calendar has no entry for the day.
pub fn resolve_by_calendar(directory: &Directory, last: Vec<Contact>, at: DateTime<Utc>) -> Option<Matrix> {
    let day = day_of(&Zone::utc(), at);
    let rota = directory.day(day)?;
    let levels = Resolving { directory, at }.rota(directory.team(), rota, &format!("day:{day}"));
    let mut frozen = freeze(&levels, &[], directory.book());
    let matrix = Matrix::new(std::mem::take(&mut frozen.levels), last, Team::DEFAULT_WAIT);
    Some(frozen.complete(matrix))
}

/// The maximum number of targets on the way to a person. The roster refuses circles; this limit ends a circle that two
/// servers made at the same time.
const MAX_DEPTH: usize = 16;

/// Resolves targets at an instant.
struct Resolving<'a> {
    directory: &'a Directory,
    at: DateTime<Utc>,
}

impl Resolving<'_> {
    fn rota(&self, team: &TeamName, rota: &Rota, why: &str) -> Vec<Vec<OnDuty>> {
        let levels = [rota.oncall()].into_iter().chain(rota.escalation().iter().map(Vec::as_slice));
        levels.map(|level| self.all(team, level, why)).collect()
    }

    fn all(&self, team: &TeamName, targets: &[Target], why: &str) -> Vec<OnDuty> {
        self.within(team, targets, why, 0)
    }

    fn within(&self, team: &TeamName, targets: &[Target], why: &str, depth: usize) -> Vec<OnDuty> {
        let mut found: Vec<OnDuty> = Vec::new();
        for one in targets.iter().flat_map(|target| self.one(team, target, why, depth)) {
            if !found.iter().any(|other| other.who == one.who) {
                found.push(one);
            }
        }
        found
    }

    fn one(&self, team: &TeamName, target: &Target, why: &str, depth: usize) -> Vec<OnDuty> {
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        match target {
            Target::Contact(contact) => {
                vec![OnDuty { who: Who::Contact(contact.clone()), methods: Vec::new(), why: why.to_owned() }]
            }
            Target::Person(person) => self.person(person, why).into_iter().collect(),
            Target::Schedule { team: of, name } => {
                self.schedule(of.as_ref().unwrap_or(team), name, &format!("{why} {target}"))
            }
            Target::Team(other) => self.team(other, &format!("{why} {target}"), depth + 1),
        }
    }

    fn person(&self, person: &PersonId, why: &str) -> Option<OnDuty> {
        let profile = self.directory.book().person(person)?;
        let methods = profile.open_methods().map(|(name, contact)| (name.clone(), contact.clone()));
        Some(OnDuty { who: Who::Person(person.clone()), methods: methods.collect(), why: why.to_owned() })
    }

    fn schedule(&self, team: &TeamName, name: &ScheduleName, why: &str) -> Vec<OnDuty> {
        let now = on_call(self.directory, team, name, self.at);
        let why = format!("{why} {}", sources(&now.sources));
        let on_duty = |who: Who| match who {
            Who::Person(person) => self.person(&person, &why),
            Who::Contact(_) => Some(OnDuty { who, methods: Vec::new(), why: why.clone() }),
        };
        now.oncall.into_iter().filter_map(on_duty).collect()
    }

    /// Level 1 of another team; its fallback if it has none.
    fn team(&self, team: &TeamName, why: &str, depth: usize) -> Vec<OnDuty> {
        let Some(part) = self.directory.part(team) else { return Vec::new() };
        let zone = part.settings.as_ref().map_or_else(Zone::utc, |settings| settings.timezone().clone());
        let First { why: by, targets } = first_level(part, day_of(&zone, self.at));
        let because = match by {
            FirstBy::Day(day) => format!("{why} day:{day}"),
            FirstBy::Level => format!("{why} level:1"),
            FirstBy::Fallback => format!("{why} fallback"),
        };
        self.within(team, targets, &because, depth)
    }
}

/// Several sources are joined by `+`.
fn sources(sources: &[Source]) -> String {
    sources.iter().map(Source::to_string).collect::<Vec<_>>().join("+")
}

/// The one calendar day of `zone` in which `at` is (promise 15).
pub fn day_of(zone: &Zone, at: DateTime<Utc>) -> NaiveDate {
    zone.local(at).clock().date()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::roster::{Standing, TeamPart};
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
    fn a_day_of_addresses_is_resolved_as_it_is_explained() {
        let contact = |name: &str| Contact::new(format!("{name}@example.org")).unwrap();
        let at: DateTime<Utc> = "2026-11-30T12:00:00Z".parse().unwrap();
        let team = Team::builder(vec![contact("ops"), contact("ops")])
            .timezone(Zone::new("Asia/Kathmandu").unwrap());
        let team = team.repeat(3).escalate_after(std::time::Duration::from_secs(90)).build().unwrap();
        let rota = Rota::new(
            vec![contact("jo"), contact("jo")],
            vec![Vec::new(), vec![contact("jo"), contact("kim")]],
        );
        let days = [(day_of(team.timezone(), at), Arc::new(rota.unwrap()))].into();
        let part = TeamPart { settings: Some(Arc::new(team)), days, standing: Standing::Known };
        let directory = Directory::new(TeamName::new("web").unwrap(), part, Arc::default());
        let explained = explain(&directory, &Defaults::none(), at).unwrap();
        assert_eq!(resolve(&directory, &Defaults::none(), at), Some(explained.resolved));
    }

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
