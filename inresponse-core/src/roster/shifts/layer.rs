//! Whose turn it is in a layer.

use super::clock::{Clock, NEVER};
use super::hours::{Open, WeeklyHours};
use super::members::Members;
use super::turns::Turns;
use crate::model::Zone;
use crate::roster::{Feed, FeedId, Layer, WallTime};

/// What can be computed from a schedule alone. It is computed once and kept with the schedule.
#[derive(Debug)]
pub(in crate::roster) struct Plan {
    /// In the order of the schedule.
    pub(super) layers: Vec<LayerPlan>,
    /// The places of layers of equal rank, from the lowest rank to the highest.
    pub(super) ranks: Vec<Vec<usize>>,
    /// In the order of the schedule.
    pub(super) feeds: Vec<FeedId>,
}

/// What can be computed from a layer alone.
#[derive(Debug)]
pub(super) struct LayerPlan {
    begins: i64,
    until: i64,
    turns: Turns,
    hours: Option<WeeklyHours>,
    members: Members,
}

/// One turn of a layer, kept for the next lookup.
#[derive(Debug, Clone, Copy)]
pub(super) struct OneTurn {
    from: i64,
    until: i64,
    /// The place in the list of the member who has it at its start.
    at_start: Option<usize>,
}

impl OneTurn {
    /// No turn: it contains no instant.
    pub(super) const NONE: Self = Self { from: NEVER, until: -NEVER, at_start: None };
}

impl Plan {
    pub(in crate::roster) fn new(zone: &Zone, layers: &[Layer], feeds: &[Feed]) -> Self {
        let ranked = layers.iter().enumerate().map(|(place, layer)| (layer.rank_at(place), place));
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_unstable();
        let ranks =
            ranked.chunk_by(|a, b| a.0 == b.0).map(|equal| equal.iter().map(|(_, place)| *place).collect());
        Self {
            layers: layers.iter().map(|layer| LayerPlan::new(zone, layer)).collect(),
            ranks: ranks.collect(),
            feeds: feeds.iter().map(Feed::id).collect(),
        }
    }
}

impl LayerPlan {
    fn new(zone: &Zone, layer: &Layer) -> Self {
        let clock = Clock::new(zone, layer.from.clock().and_utc().timestamp());
        // The beginning and the end of a layer are boundaries like those of turns, so both are the first occurrence of
        // a local time.
        let at = |time: WallTime| clock.first(time.clock().and_utc().timestamp());
        let turns = Turns::new(layer, &clock);
        let hours = WeeklyHours::new(&layer.hours);
        let members = Members::new(layer, &turns, hours.as_ref(), &clock);
        Self { begins: at(layer.begins()), until: layer.until.map_or(NEVER, at), turns, hours, members }
    }

    /// The place of the member whose turn it is at an instant, if the layer is on call then, and until when the answer
    /// is valid. `turn` is the turn of an earlier instant. It is replaced by the turn of this instant.
    pub(super) fn at(&self, clock: &Clock, at: i64, turn: &mut OneTurn) -> (Option<usize>, i64) {
        if at < self.begins {
            return (None, self.begins);
        }
        if at >= self.until {
            return (None, NEVER);
        }
        let (open, until) = match &self.hours {
            Some(hours) => hours.at(clock, at),
            None => (Open::Yes, NEVER),
        };
        let until = until.min(self.until);
        if open == Open::No {
            return (None, until);
        }
        if at < turn.from || turn.until <= at {
            *turn = self.turn(clock, at);
        }
        let (having, leaves) = self.members.at(turn.at_start, at);
        (having, until.min(turn.until).min(leaves))
    }

    fn turn(&self, clock: &Clock, at: i64) -> OneTurn {
        let (turns, hours) = (&self.turns, self.hours.as_ref());
        let Some(turn) = turns.at(clock, at) else {
            return OneTurn { from: -NEVER, until: turns.begins(clock, 0), at_start: None };
        };
        OneTurn {
            from: turns.begins(clock, turn),
            until: turns.begins(clock, turn + 1),
            at_start: self.members.at_start(turns, hours, clock, turn),
        }
    }
}
