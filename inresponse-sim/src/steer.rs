//! Seeds that are steered towards rare events, which random choice causes too seldom for a short run.

use std::sync::Arc;
use std::time::Duration;

use inresponse_core::model::Severity;

use crate::fault::Fault;
use crate::rng::Rng;
use crate::scenario::{Claims, Drive, Mood, Scenario, TeamPlan};
use crate::silences::{Quiet, Quieting};
use crate::world::SECOND;

/// Among this many seeds in a row, there is one of each kind.
const EVERY: u64 = 20;

/// The kinds of rare events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rare {
    /// A delivery whose send ends its process five times.
    EndsProcesses,
    /// A process that crashes after the carrier took the message.
    EndsAfterArrival,
    /// A send that is leased and then not begun.
    NotBegun,
    /// A timeline that is folded.
    LongTimeline,
    /// An alert that waits for more than five minutes.
    Waiting,
    /// A severity that alerts nobody.
    RecordsOnly,
    /// Many incidents at once.
    Storm,
    /// Claims whose end is announced.
    LongClaims,
    /// Services that change hands and teams that are deleted, while rounds begin.
    TeamsChange,
}

impl Rare {
    fn of(seed: u64) -> Option<Self> {
        match seed % EVERY {
            0 => Some(Rare::EndsProcesses),
            2 => Some(Rare::EndsAfterArrival),
            4 | 5 => Some(Rare::NotBegun),
            8 => Some(Rare::LongTimeline),
            // Such runs cost most.
            12 if seed % (2 * EVERY) < EVERY => Some(Rare::Waiting),
            3 | 7 | 9 | 13 | 17 | 19 => Some(Rare::TeamsChange),
            11 => Some(Rare::LongClaims),
            15 => Some(Rare::RecordsOnly),
            18 => Some(Rare::Storm),
            _ => None,
        }
    }
}

impl Scenario {
    /// Steers a seed, if it is a steered one. The seed's other decisions do not change.
    pub(crate) fn steered(mut self, seed: u64) -> Self {
        let Some(rare) = Rare::of(seed) else { return self };
        let mut rng = Rng::new(seed, 6);
        let rates = &mut self.rates;
        match rare {
            Rare::EndsProcesses => {
                // Nothing that would keep the same delivery from being sent again and again.
                rates.fill(0);
                rates[Fault::CrashBeforeArrival as usize] = 950;
                self.moods.clear();
                (self.reports, self.acts, self.storm) = (1, 0, None);
                (self.jumps, self.kills, self.restarts) = (0, 0, 0);
                self.chaos = rng.between(90, 150) * SECOND;
            }
            Rare::EndsAfterArrival => rates[Fault::CrashAfterArrival as usize] = 150,
            Rare::NotBegun => {
                rates[Fault::SlowAnswer as usize] = 400;
                self.acts = rng.between(12, 20);
            }
            Rare::LongTimeline => self.notes = rng.between(60, 120),
            Rare::Waiting => {
                self.drive = Drive::Runner;
                rates[Fault::Unavailable as usize] = rates[Fault::Unavailable as usize].max(1);
                (self.reports, self.acts, self.storm) = (rng.between(5, 7), 0, None);
                self.chaos = rng.between(360, 400) * SECOND;
                self.moods.extend(self.roster.contacts().into_iter().map(|contact| (contact, Mood::Away)));
            }
            Rare::RecordsOnly => {
                for team in self.roster.teams.values_mut() {
                    team.alert_levels.insert(*rng.pick(&[Severity::Warn, Severity::Err]), Vec::new());
                }
            }
            Rare::TeamsChange => {
                (self.edits, self.acts) = (rng.between(4, 10), rng.between(8, 16));
                self.fallback = rng.chance(500).then(TeamPlan::of_deployment);
                for team in self.roster.teams.values_mut() {
                    team.repeat = *rng.pick(&[1, 2, 3]);
                }
                // Another team takes the incidents of a deleted team.
                if self.fallback.is_none() {
                    self.catch_all = Some("t1");
                }
            }
            Rare::LongClaims => {
                self.claims = Claims::Long;
                (self.reports, self.acts, self.storm) = (rng.between(2, 4), rng.between(2, 6), None);
                if rng.chance(500) {
                    // Faults may occur when the notice is due.
                    self.chaos = rng.between(700, 1_100) * SECOND;
                } else {
                    // Nothing explains a missing notice.
                    rates.fill(0);
                    self.moods.clear();
                    (self.jumps, self.kills, self.restarts) = (0, 0, 0);
                    self.chaos = rng.between(5, 15) * SECOND;
                }
                for team in self.roster.teams.values_mut() {
                    team.claim_timeout = Some(Duration::from_secs(rng.between(1_190, 1_500)));
                }
            }
            Rare::Storm => {
                rates[Fault::Storm as usize] = 1000;
                self.storm = Some((rng.below(self.chaos), rng.between(20, 60)));
            }
        }
        self
    }
}

impl Scenario {
    /// Gives a third of the runs silences and alert hours. The seed's other decisions do not change.
    pub(crate) fn with_quiet(mut self, seed: u64) -> Self {
        let mut rng = Rng::new(seed, 18);
        if !rng.chance(400) || self.chaos > 90 * SECOND {
            return self;
        }
        self.quiet = Quiet::Used { edits: if rng.chance(800) { rng.between(1, 6) } else { 0 } };
        // Some runs are calm, so that the ends of quiet can be compared with what happens.
        if rng.chance(300) {
            self.rates.fill(0);
            self.moods.clear();
            (self.acts, self.answers, self.edits, self.habits.edits, self.storm) = (0, 0, 0, 0, None);
            (self.jumps, self.kills, self.restarts, self.call_ins) = (0, 0, 0, 0);
        }
        let mut draw = Quieting { rng: &mut rng, base: self.base, chaos: self.chaos };
        for team in self.roster.teams.values_mut() {
            if draw.rng.chance(400) {
                team.alert_hours = draw.alert_hours(team);
            }
        }
        let silences = draw.rng.below(4);
        let book = Arc::make_mut(&mut self.roster.book);
        for _ in 0..silences {
            book.put(draw.silence());
        }
        self
    }
}
