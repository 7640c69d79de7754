//! The decisions that a seed makes before the run begins.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Contact, Severity, StatusUpdates};
use inresponse_core::roster::Target;

use crate::fault::Fault;
use crate::rng::Rng;
use crate::schedules::{Draw, Habits, Schedules};
use crate::silences::Quiet;
use crate::world::{Micros, SECOND};

pub use crate::roster_plan::{
    Roster, TeamPlan, WITHOUT_SUMMER_TIME, ZONES, clocks_of, contact, service, team, zone,
};

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
    /// The number of answers over channels, at random times.
    pub answers: u64,
    /// How long claims last that people make.
    pub claims: Claims,
    /// The number of times that somebody calls more people in, at random times.
    pub call_ins: u64,
    /// How many messages an address gets at most, within how long; `None` without limits.
    pub limit: Option<(u32, Duration)>,
    /// How many single alerts an address gets in a minute before others go out together; 0 if nothing is bundled.
    pub singles: u32,
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
    /// Whether the teams have schedules, and how often people edit them.
    pub habits: Habits,
    /// Whether people use silences and alert hours.
    pub quiet: Quiet,
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

/// How long claims last that people make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// About a minute at most.
    Short,
    /// Some of them so long that their end is announced. People claim by addresses at which they can be told.
    Long,
}

impl Claims {
    /// The shortest and the longest snooze, in seconds.
    pub fn snoozes(self) -> (u64, u64) {
        match self {
            Claims::Short => (1, 60),
            Claims::Long => (400, 1_500),
        }
    }
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
        let habits = Habits::of(seed);
        let base = habits.base(base);
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
            answers: answers(seed),
            claims: Claims::Short,
            call_ins: call_ins(seed),
            limit: limit(seed),
            singles: if drive == Drive::Runner && limit(seed).is_none() { singles(seed) } else { 0 },
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
            habits,
            quiet: Quiet::Unused,
        }
        .with_schedules(seed)
        .steered(seed)
        .with_quiet(seed)
        .with_routes(seed)
    }

    /// Gives the teams schedules, if the seed decided so. The seed's other decisions do not change.
    fn with_schedules(mut self, seed: u64) -> Self {
        if self.habits.schedules == Schedules::Unused {
            return self;
        }
        let mut rng = Rng::new(seed, 11);
        // Some runs are calm, so that dry runs can be compared with what happens.
        if rng.chance(150) {
            self.rates.fill(0);
            self.moods.clear();
            (self.acts, self.answers, self.edits, self.habits.edits, self.storm) = (0, 0, 0, 0, None);
            (self.jumps, self.kills, self.restarts, self.call_ins) = (0, 0, 0, 0);
        }
        Draw { rng: &mut rng, base: self.base }.dress(&mut self.roster);
        let long = self.chaos > 300 * SECOND;
        for contact in self.roster.contacts() {
            if !self.moods.contains_key(&contact) {
                self.moods.extend(mood(&mut rng, &self.rates, long).map(|mood| (contact, mood)));
            }
        }
        self
    }
}

/// Draws the number of answers over channels.
fn answers(seed: u64) -> u64 {
    let mut rng = Rng::new(seed, 14);
    if rng.chance(600) { rng.between(1, 6) } else { 0 }
}

/// Draws the number of times that somebody calls more people in.
fn call_ins(seed: u64) -> u64 {
    let mut rng = Rng::new(seed, 17);
    if rng.chance(400) { rng.between(1, 4) } else { 0 }
}

/// Draws the number of single alerts in a minute. Half of the runs bundle nothing.
fn singles(seed: u64) -> u32 {
    *Rng::new(seed, 30).pick(&[0, 0, 1, 5])
}

/// Draws the limit of messages to an address. Most runs have none.
fn limit(seed: u64) -> Option<(u32, Duration)> {
    let mut rng = Rng::new(seed, 16);
    let most = u32::try_from(rng.between(1, 4)).unwrap_or(1);
    rng.chance(200).then(|| (most, Duration::from_secs(rng.between(3, 40))))
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
    let clocks = rng.pick(&ZONES[..WITHOUT_SUMMER_TIME]).1;
    clocks.first(day.naive_utc()) - TimeDelta::milliseconds(i64::try_from(rng.below(40_000)).unwrap_or(0))
}

/// Draws the contacts of one level.
fn level(rng: &mut Rng) -> Vec<Contact> {
    let size = *rng.pick(&[0, 1, 1, 1, 1, 2, 2, 3]);
    (0..size).map(|_| contact(&format!("c{}", rng.below(7)))).collect()
}

/// Draws the levels of a day.
pub fn levels(rng: &mut Rng) -> Vec<Vec<Target>> {
    let height = *rng.pick(&[1, 1, 2, 2, 2, 3, 4]);
    let levels = (0..height).map(|_| without_doubles(level(rng)));
    levels.map(|level| level.into_iter().map(Target::Contact).collect()).collect()
}

fn without_doubles(mut contacts: Vec<Contact>) -> Vec<Contact> {
    contacts.sort();
    contacts.dedup();
    contacts
}

/// Draws a team.
pub fn team_plan(rng: &mut Rng, base: DateTime<Utc>, long: bool) -> TeamPlan {
    let mut team = TeamPlan {
        zone: usize::try_from(rng.below(WITHOUT_SUMMER_TIME as u64)).unwrap_or(0),
        wait: Duration::from_millis(if long {
            rng.between(30_000, 120_000)
        } else {
            rng.between(1_000, 12_000)
        }),
        repeat: *rng.pick(&[0, 0, 0, 1, 2]),
        fallback: if rng.chance(800) { vec![contact("f0")] } else { vec![contact("f0"), contact("f1")] },
        alert_levels: BTreeMap::new(),
        alert_hours: BTreeMap::new(),
        calendar: BTreeMap::new(),
        levels: Vec::new(),
        claim_timeout: rng.chance(300).then(|| Duration::from_secs(rng.between(5, 60))),
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
    let mut moods = BTreeMap::new();
    for contact in roster.teams.values().flat_map(TeamPlan::contacts) {
        moods.extend(mood(rng, rates, long).map(|mood| (contact, mood)));
    }
    moods
}

/// Draws the behaviour of a carrier for one contact.
fn mood(rng: &mut Rng, rates: &[u32], long: bool) -> Option<Mood> {
    let on = |fault: Fault| rates[fault as usize] > 0;
    if !rng.chance(200) {
        return None;
    }
    match rng.below(4) {
        0 if on(Fault::Rejected) => Some(Mood::Refuses),
        1 if on(Fault::Unavailable) => Some(Mood::Away),
        2 if on(Fault::HangLost) => Some(Mood::Hangs),
        3 if on(Fault::Panic) => Some(Mood::Panics),
        _ => long.then_some(Mood::Away),
    }
}
