//! The decisions that a seed makes before the run begins.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use inresponse_core::model::{Contact, Level, ServiceName, Severity, StatusUpdates, TeamName};
use inresponse_core::roster::{Rota, Team, Zone};

use crate::fault::Fault;
use crate::rng::Rng;
use crate::world::{Micros, SECOND};

/// The part that starts due work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// Servers with a runner that never stops.
    Runner,
    /// Executions for single incidents, and a sweeper that looks for overdue ones.
    Steps,
}

/// The decisions that a seed makes before the run begins.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The part that starts due work.
    pub drive: Drive,
    /// The number of machines.
    pub hosts: usize,
    /// The wall-clock time at which the run begins.
    pub base: DateTime<Utc>,
    /// The duration of leases.
    pub lease: Duration,
    /// How long faults occur.
    pub chaos: Micros,
    /// The rates of the faults, in a thousand.
    pub rates: Vec<u32>,
    /// The initial errors of the wall clocks, in microseconds.
    pub skews: Vec<i64>,
    /// The roster at the beginning.
    pub roster: Roster,
    /// The deployment's settings for teams without settings, if it has a fallback.
    pub fallback: Option<TeamPlan>,
    /// The team that gets the reports of services that nobody owns.
    pub catch_all: Option<&'static str>,
    /// The number of reports, at random times.
    pub reports: u64,
    /// The number of people's acts, at random times.
    pub acts: u64,
    /// The time and the size of a storm of reports.
    pub storm: Option<(Micros, u64)>,
    /// The number of changes of wall clocks.
    pub jumps: u64,
    /// The number of edits of the roster.
    pub edits: u64,
    /// The number of processes that are killed at random times.
    pub kills: u64,
    /// The number of processes that are stopped in an orderly way.
    pub restarts: u64,
    /// The number of notes on one incident, to make its record large.
    pub notes: u64,
    /// Whether people who were alerted get status updates.
    pub status_updates: StatusUpdates,
    /// Carriers that are in one mood until all is well.
    pub moods: BTreeMap<Contact, Mood>,
}

/// The fixed behaviour of a carrier for one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// The carrier refuses, for the whole run.
    Refuses,
    /// The carrier cannot be reached until all faults end.
    Away,
    /// The carrier never answers until all faults end.
    Hangs,
    /// The carrier panics until all faults end.
    Panics,
}

/// The roster as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roster {
    /// The team that owns each service.
    pub services: BTreeMap<String, String>,
    /// The teams by name.
    pub teams: BTreeMap<String, TeamPlan>,
}

impl Roster {
    /// Whether a team is known: it has settings or a service.
    pub fn knows(&self, team: &str) -> bool {
        self.teams.contains_key(team) || self.services.values().any(|owner| owner == team)
    }
}

/// A team as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamPlan {
    /// The index of the team's zone in [`ZONES`].
    pub zone: usize,
    /// The wait of a level.
    pub wait: Duration,
    /// The number of further rounds.
    pub repeat: u32,
    /// The fallback.
    pub fallback: Vec<Contact>,
    /// The levels that each severity alerts, if not all.
    pub alert_levels: BTreeMap<Severity, Vec<u16>>,
    /// The levels of each day.
    pub calendar: BTreeMap<NaiveDate, Vec<Vec<Contact>>>,
}

/// Time zones without summer time, and by how many minutes they are ahead of UTC. So days can be computed without
/// tables.
pub const ZONES: [(&str, i64); 5] = [
    ("UTC", 0),
    ("Pacific/Kiritimati", 14 * 60),
    ("Pacific/Pago_Pago", -11 * 60),
    ("Asia/Kathmandu", 5 * 60 + 45),
    ("Asia/Tokyo", 9 * 60),
];

static PARSED_ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    ZONES.iter().map(|(name, _)| Zone::new(name).expect("a time zone of the database")).collect()
});

/// The contact with that name.
///
/// # Panics
/// The name has characters that no address has.
pub fn contact(name: &str) -> Contact {
    Contact::new(format!("sim:{name}")).expect("a plain name")
}

impl TeamPlan {
    /// The deployment's settings for a team without settings.
    pub fn of_deployment() -> Self {
        Self {
            zone: 0,
            wait: Team::DEFAULT_WAIT,
            repeat: 0,
            fallback: vec![contact("last")],
            alert_levels: BTreeMap::new(),
            calendar: BTreeMap::new(),
        }
    }

    /// The settings in the form of the roster.
    ///
    /// # Panics
    /// The plan is invalid.
    pub fn team(&self) -> Team {
        let mut team = Team::builder(self.fallback.clone())
            .timezone(PARSED_ZONES[self.zone].clone())
            .escalate_after(self.wait)
            .repeat(self.repeat);
        for (severity, levels) in &self.alert_levels {
            team = team.alert_levels(*severity, levels.clone());
        }
        team.build().expect("the team of a scenario is valid")
    }

    /// The calendar day of an instant.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        (at.naive_utc() + TimeDelta::minutes(ZONES[self.zone].1)).date()
    }

    /// The levels of a day, in order. Without an entry there is only the fallback.
    pub fn levels(&self, day: NaiveDate) -> Vec<Vec<Contact>> {
        self.calendar.get(&day).cloned().unwrap_or_else(|| vec![self.fallback.clone()])
    }

    /// The contacts of a level on a day.
    pub fn contacts(&self, day: NaiveDate, level: Level) -> Vec<Contact> {
        match level {
            Level::Fallback => self.fallback.clone(),
            Level::At(n) => self.levels(day).get(usize::from(n) - 1).cloned().unwrap_or_default(),
        }
    }
}

/// A calendar entry in the form of the roster.
///
/// # Panics
/// `levels` is empty.
pub fn rota(levels: &[Vec<Contact>]) -> Rota {
    Rota::new(levels[0].clone(), levels[1..].to_vec()).expect("the calendar entry of a scenario is valid")
}

/// The service with that name.
///
/// # Panics
/// The name is invalid.
pub fn service(name: &str) -> ServiceName {
    ServiceName::new(name).expect("a plain name")
}

/// The team with that name.
///
/// # Panics
/// The name is invalid.
pub fn team(name: &str) -> TeamName {
    TeamName::new(name).expect("a plain name")
}

impl Scenario {
    /// The scenario of a seed.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed, 2);
        let rng = &mut rng;
        let drive = if rng.chance(250) { Drive::Steps } else { Drive::Runner };
        let hosts = *rng.pick(&[1, 1, 2, 2, 2, 3, 3, 4, 5]);
        // Only long runs reach events that happen after minutes. There are few long runs, because they cost most.
        let long = rng.chance(10);
        let chaos = if long { rng.between(330, 400) } else { rng.between(5, 45) } * SECOND;
        let lease = Duration::from_secs(*rng.pick(&[6, 6, 8, 12]));
        let mut rates = rates(rng, drive);
        call_rates(&mut Rng::new(seed, 7), &mut rates);
        let on = |fault: Fault| rates[fault as usize] > 0;
        let third = i64::try_from(lease.as_micros() / 3).unwrap_or(0);
        let skews =
            (0..hosts)
                .map(|_| {
                    if on(Fault::Skew) {
                        i64::try_from(rng.below(1000)).unwrap_or(0) * third / 1100
                    } else {
                        0
                    }
                })
                .collect();
        let clocks = [Fault::ClockForward, Fault::ClockBack, Fault::ClockFarForward, Fault::ClockFarBack];
        let jumps = if clocks.into_iter().any(on) { rng.between(1, 4) } else { 0 };
        let base = base(rng);
        let roster = roster(rng, base, long);
        let moods = moods(rng, &roster, &rates, long);
        let mut deployment = Rng::new(seed, 9);
        Self {
            drive,
            hosts,
            base,
            lease,
            chaos,
            skews,
            reports: if long { rng.between(1, 3) } else { rng.between(1, 7) },
            acts: if rng.chance(200) { 0 } else { rng.between(1, 12) },
            storm: on(Fault::Storm).then(|| (rng.below(chaos), rng.between(20, 60))),
            jumps,
            edits: if rng.chance(300) { rng.between(1, 6) } else { 0 },
            kills: if on(Fault::Kill) { rng.between(1, 5) } else { 0 },
            restarts: if on(Fault::Restart) { rng.between(1, 3) } else { 0 },
            notes: if rng.chance(5) { rng.between(60, 120) } else { 0 },
            status_updates: if Rng::new(seed, 8).chance(300) {
                StatusUpdates::On
            } else {
                StatusUpdates::Off
            },
            roster,
            fallback: deployment.chance(200).then(TeamPlan::of_deployment),
            catch_all: deployment.chance(300).then_some("t1"),
            moods,
            rates,
        }
        .steered(seed)
    }
}

/// Draws the rates of all faults, family by family. Every eighth run has no faults.
fn rates(rng: &mut Rng, drive: Drive) -> Vec<u32> {
    let mut rates = vec![0; Fault::ALL.len()];
    if rng.chance(125) {
        return rates;
    }
    let families: [(&[Fault], u32, u32); 9] = [
        (&[Fault::StoreRetryable, Fault::StorePermanent, Fault::RosterOutage], 400, 60),
        (&[Fault::UnknownHappened, Fault::UnknownDidNot], 400, 100),
        (&[Fault::SlowCall, Fault::SlowAnswer], 250, 60),
        (&[Fault::LaggingDue], 300, 400),
        (
            &[
                Fault::CrashAtAwait,
                Fault::CrashAtCommit,
                Fault::CrashBeforeArrival,
                Fault::CrashAfterArrival,
                Fault::Kill,
            ],
            400,
            30,
        ),
        (&[Fault::Rejected, Fault::Throttled, Fault::Unavailable, Fault::SlowCarrier], 500, 250),
        (
            &[Fault::HangArrived, Fault::HangLost, Fault::LostReply, Fault::UnknownLost, Fault::Panic],
            300,
            150,
        ),
        (&[Fault::ClockForward, Fault::ClockBack, Fault::ClockFarForward, Fault::ClockFarBack], 200, 500),
        (&[Fault::StartLost, Fault::StartTwice, Fault::StartLate, Fault::InvocationCut], 500, 150),
    ];
    for (family, often, most) in families {
        if rng.chance(often) {
            for fault in family {
                rates[*fault as usize] = u32::try_from(rng.between(0, most.into())).unwrap_or(0);
            }
        }
    }
    for (fault, often) in [(Fault::Skew, 300), (Fault::Storm, 40), (Fault::Restart, 150)] {
        rates[fault as usize] = if rng.chance(often) { 1000 } else { 0 };
    }
    if drive == Drive::Steps {
        // A Lambda's clock is kept by its provider, and there is no process that could notice a jump.
        for fault in [Fault::ClockForward, Fault::ClockBack, Fault::ClockFarForward, Fault::ClockFarBack] {
            rates[fault as usize] = 0;
        }
        rates[Fault::Restart as usize] = 0;
    }
    rates
}

/// Draws the rates of faults of single calls to DynamoDB. Several calls make up one of the store. Other stores have no
/// such faults.
fn call_rates(rng: &mut Rng, rates: &mut [u32]) {
    if rng.chance(300) && rates.iter().any(|rate| *rate > 0) {
        for fault in [Fault::CallLost, Fault::AnswerLost, Fault::CallThrottled, Fault::CallConflict] {
            rates[fault as usize] = u32::try_from(rng.between(0, 40)).unwrap_or(0);
        }
    }
}

/// Draws the time at which the run begins. Half of the runs begin shortly before midnight in one of the zones.
fn base(rng: &mut Rng) -> DateTime<Utc> {
    let day = DateTime::from_timestamp(1_800_000_000 - 1_800_000_000 % 86_400, 0).unwrap_or_default();
    if rng.chance(500) {
        return day + TimeDelta::seconds(i64::try_from(rng.below(86_400)).unwrap_or(0));
    }
    let minutes = rng.pick(&ZONES).1;
    day - TimeDelta::minutes(minutes) - TimeDelta::milliseconds(i64::try_from(rng.below(40_000)).unwrap_or(0))
}

/// Draws the contacts of one level.
fn level(rng: &mut Rng) -> Vec<Contact> {
    let size = *rng.pick(&[0, 1, 1, 1, 1, 2, 2, 3]);
    (0..size).map(|_| contact(&format!("c{}", rng.below(7)))).collect()
}

/// Draws the levels of a day.
pub fn levels(rng: &mut Rng) -> Vec<Vec<Contact>> {
    let height = *rng.pick(&[1, 1, 2, 2, 2, 3, 4]);
    (0..height).map(|_| without_doubles(level(rng))).collect()
}

fn without_doubles(mut contacts: Vec<Contact>) -> Vec<Contact> {
    contacts.sort();
    contacts.dedup();
    contacts
}

/// Draws a team.
pub fn team_plan(rng: &mut Rng, base: DateTime<Utc>, long: bool) -> TeamPlan {
    let mut team = TeamPlan {
        zone: usize::try_from(rng.below(ZONES.len() as u64)).unwrap_or(0),
        wait: Duration::from_millis(if long {
            rng.between(30_000, 120_000)
        } else {
            rng.between(1_000, 12_000)
        }),
        repeat: *rng.pick(&[0, 0, 0, 1, 2]),
        fallback: if rng.chance(800) { vec![contact("f0")] } else { vec![contact("f0"), contact("f1")] },
        alert_levels: BTreeMap::new(),
        calendar: BTreeMap::new(),
    };
    if rng.chance(200) {
        let masks: [&[u16]; 4] = [&[], &[1], &[2], &[1, 3]];
        team.alert_levels.insert(Severity::Warn, rng.pick(&masks).to_vec());
    }
    if rng.chance(100) {
        team.alert_levels.insert(Severity::Err, vec![1, 2]);
    }
    let today = team.day(base);
    for day in [today - TimeDelta::days(1), today, today + TimeDelta::days(1)] {
        if rng.chance(850) {
            team.calendar.insert(day, levels(rng));
        }
    }
    team
}

fn roster(rng: &mut Rng, base: DateTime<Utc>, long: bool) -> Roster {
    let mut roster = Roster::default();
    for name in ["t0", "t1"] {
        roster.teams.insert(name.into(), team_plan(rng, base, long));
    }
    for name in ["s0", "s1", "s2"] {
        roster.services.insert(name.into(), if name == "s2" { "t1" } else { "t0" }.into());
    }
    roster
}

/// Draws the carriers with a fixed behaviour.
fn moods(rng: &mut Rng, roster: &Roster, rates: &[u32], long: bool) -> BTreeMap<Contact, Mood> {
    let on = |fault: Fault| rates[fault as usize] > 0;
    let mut moods = BTreeMap::new();
    let everybody = roster.teams.values().flat_map(|team| {
        let listed = team.calendar.values().flatten().flatten();
        listed.chain(&team.fallback).cloned().collect::<Vec<_>>()
    });
    for contact in everybody {
        if !rng.chance(200) {
            continue;
        }
        let mood = match rng.below(4) {
            0 if on(Fault::Rejected) => Mood::Refuses,
            1 if on(Fault::Unavailable) => Mood::Away,
            2 if on(Fault::HangLost) => Mood::Hangs,
            3 if on(Fault::Panic) => Mood::Panics,
            _ if long => Mood::Away,
            _ => continue,
        };
        moods.insert(contact, mood);
    }
    moods
}
