//! A layer of a schedule: members who take turns.

use serde::{Deserialize, Serialize};

use super::turn::{Hours, Turn};
use crate::error::InvalidInput;
use crate::model::LayerName;
use crate::roster::{Target, WallTime};

/// A layer of a schedule: members who take turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// The layer's name, unique within the schedule.
    pub name: LayerName,
    /// The layer's rank: the higher one wins, and equal ranks are on call together. The default is the layer's place
    /// in the schedule, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Who takes turns, in this order.
    pub members: Vec<Member>,
    /// The anchor: when turn 0 begins.
    pub from: WallTime,
    /// When the layer begins to count, if later than its anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<WallTime>,
    /// When the layer ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<WallTime>,
    /// How long a turn lasts, and how turns are numbered.
    pub turn: Turn,
    /// The hours of the week in which the layer is on call; empty means always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Hours>,
}

impl Layer {
    /// A layer that is always on call, from its anchor on, without an end. The other fields are `None` or empty.
    ///
    /// ```
    /// use inresponse_core::model::LayerName;
    /// use inresponse_core::roster::{Layer, Member, Schedule, Turn, TurnUnit, Zone};
    ///
    /// let (ann, ben) = ("person:ann".parse()?, "person:ben".parse()?);
    /// let members = vec![Member::always(vec![ann]), Member::always(vec![ben])];
    /// let turn = Turn::every(1, TurnUnit::Week);
    /// let weekly = Layer::new(LayerName::new("weekly")?, members, "2026-11-30T09:00".parse()?, turn);
    /// let schedule = Schedule::new(Zone::new("Europe/Athens")?, vec![weekly], Vec::new())?;
    /// # Ok::<(), inresponse_core::InvalidInput>(())
    /// ```
    pub fn new(name: LayerName, members: Vec<Member>, from: WallTime, turn: Turn) -> Self {
        Self { name, rank: None, members, from, begins: None, until: None, turn, hours: Vec::new() }
    }
}

/// A member of a layer: who takes the turn, and from when to when they are members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The people who take the turn, together. Nobody means that the turn is off.
    pub who: Vec<Target>,
    /// When they join. If it is absent, they are members from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WallTime>,
    /// When they leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<WallTime>,
}

impl Layer {
    /// The maximum number of members of a layer.
    pub const MAX_MEMBERS: usize = 100;
    /// The maximum number of targets in one group or override.
    pub const MAX_TOGETHER: usize = 20;
    /// The maximum number of weekly hours of a layer.
    pub const MAX_HOURS: usize = 50;

    /// The layer's rank; `place` is its place in the schedule, counted from 0.
    pub fn rank_at(&self, place: usize) -> u32 {
        self.rank.unwrap_or_else(|| u32::try_from(place + 1).unwrap_or(u32::MAX))
    }

    /// When the layer begins to count.
    pub fn begins(&self) -> WallTime {
        self.begins.unwrap_or(self.from)
    }

    pub(super) fn check(&self, field: &str, invalid: &mut InvalidInput) {
        if self.members.is_empty() {
            invalid.push(format!("{field}.members"), "must name at least one member");
        }
        if self.members.len() > Self::MAX_MEMBERS {
            invalid.push(format!("{field}.members"), format!("must be at most {}", Self::MAX_MEMBERS));
        }
        for (i, member) in self.members.iter().enumerate() {
            if member.who.len() > Self::MAX_TOGETHER {
                let most = Self::MAX_TOGETHER;
                invalid.push(format!("{field}.members[{i}]"), format!("must be at most {most} together"));
            }
            if member.from.zip(member.until).is_some_and(|(from, until)| from >= until) {
                invalid.push(format!("{field}.members[{i}].until"), "must be after `from`");
            }
        }
        if self.begins.is_some_and(|begins| begins < self.from) {
            invalid.push(format!("{field}.begins"), "must not be before `from`");
        }
        if self.until.is_some_and(|until| until <= self.begins()) {
            invalid.push(format!("{field}.until"), "must be after the layer begins");
        }
        if let Err(message) = self.turn.check() {
            invalid.push(format!("{field}.turn.every"), message);
        }
        if self.hours.len() > Self::MAX_HOURS {
            invalid.push(format!("{field}.hours"), format!("must be at most {}", Self::MAX_HOURS));
        }
        for (i, hours) in self.hours.iter().enumerate() {
            if hours.days.is_empty() {
                invalid.push(format!("{field}.hours[{i}].days"), "must name at least one day");
            }
        }
    }
}

impl Member {
    /// A member without dates: these people are members at all times.
    pub fn always(who: Vec<Target>) -> Self {
        Self { who, from: None, until: None }
    }
}
