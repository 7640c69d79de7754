//! Schedules: who takes turns, when, and who stands in.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | a schedule |
//! | `layer` | a layer and its members |
//! | `feed` | a calendar feed |
//! | `turn` | how long a turn is, how turns are numbered, and weekly hours |
//! | `stand_in` | overrides: who stands in for whom |
//! | `copy` | the last good copy of a calendar feed |

mod copy;
mod feed;
mod layer;
mod stand_in;
mod turn;

use serde::{Deserialize, Serialize};

pub use copy::{FeedCopy, FeedEvent};
pub use feed::{Feed, FeedId, FeedRole};
pub use layer::{Layer, Member};
pub use stand_in::Override;
pub use turn::{ClockTime, Counting, Hours, Turn, TurnUnit, WeekDays};

use super::Target;
use super::derived::Derived;
use super::shifts::Plan;
use crate::error::InvalidInput;
use crate::model::{OwnerName, Zone};

/// A schedule of a team: layers of turns, and feeds.
///
/// Overrides are entries of their own. The order from the bottom to the top is: base feeds, layers by rank, override
/// feeds, overrides. A layer or feed that yields nobody hides nothing below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    timezone: Zone,
    layers: Vec<Layer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    feeds: Vec<Feed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
    #[serde(skip)]
    plan: Derived<Plan>,
}

impl Schedule {
    /// The maximum number of layers.
    pub const MAX_LAYERS: usize = 20;
    /// The maximum number of feeds.
    pub const MAX_FEEDS: usize = 5;

    /// A schedule in that zone.
    ///
    /// # Errors
    /// Every invalid field, by its name on the wire.
    pub fn new(timezone: Zone, layers: Vec<Layer>, feeds: Vec<Feed>) -> Result<Self, InvalidInput> {
        let mut invalid = InvalidInput::default();
        if layers.len() > Self::MAX_LAYERS {
            invalid.push("layers", format!("must be at most {}", Self::MAX_LAYERS));
        }
        for (i, layer) in layers.iter().enumerate() {
            let field = format!("layers[{i}]");
            if layers[..i].iter().any(|other| other.name == layer.name) {
                invalid.push(format!("{field}.name"), format!("`{}` is the name of two layers", layer.name));
            }
            layer.check(&field, &mut invalid);
        }
        if feeds.len() > Self::MAX_FEEDS {
            invalid.push("feeds", format!("must be at most {}", Self::MAX_FEEDS));
        }
        for (i, feed) in feeds.iter().enumerate() {
            let field = format!("feeds[{i}].url");
            if feeds[..i].iter().any(|other| other.url == feed.url) {
                invalid.push(field, "is given twice");
            } else if let Err(message) = feed.check() {
                invalid.push(field, message);
            }
        }
        if invalid.is_empty() {
            Ok(Self { timezone, layers, feeds, owner: None, plan: Derived::default() })
        } else {
            Err(invalid)
        }
    }

    /// The zone of the schedule's local times.
    pub fn timezone(&self) -> &Zone {
        &self.timezone
    }

    /// The layers, in the order in which they were given.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The feeds.
    pub fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same schedule with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }

    /// What resolution computes from the layers.
    pub(super) fn plan(&self) -> &Plan {
        self.plan.get(|| Plan::new(&self.timezone, &self.layers, &self.feeds))
    }

    /// Everybody whom the layers name.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.layers.iter().flat_map(|layer| layer.members.iter().flat_map(|member| &member.who))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LayerName;

    fn layer(name: &str) -> Layer {
        Layer {
            name: LayerName::new(name).unwrap(),
            rank: None,
            members: vec![Member::always(vec!["person:jo".parse().unwrap()])],
            from: "2026-12-07T09:00".parse().unwrap(),
            begins: None,
            until: None,
            turn: Turn { every: 1, unit: TurnUnit::Week, count: Counting::Elapsed },
            hours: Vec::new(),
        }
    }

    #[test]
    fn p16_a_schedule_names_every_invalid_field() {
        let from = "2026-12-07T09:00".parse().unwrap();
        let mut second = layer("a");
        second.members = Vec::new();
        second.begins = Some("2026-12-01".parse().unwrap());
        second.until = Some("2026-12-01".parse().unwrap());
        second.turn.every = 0;
        second.hours = vec![Hours {
            days: WeekDays::default(),
            from: chrono::NaiveTime::MIN,
            to: chrono::NaiveTime::MIN,
        }];
        let mut third = layer("b");
        third.members = vec![Member { who: Vec::new(), from: Some(from), until: Some(from) }];
        let feed = |url: &str| Feed { url: url.to_owned(), role: FeedRole::Base };
        let feeds = ["https://c.example/a", "https://c.example/a", "webcal://c.example/a", "https://"];
        let layers = vec![layer("a"), second, third];
        let refused = Schedule::new(Zone::utc(), layers, feeds.map(feed).to_vec()).unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|e| e.field()).collect();
        let expected = [
            "layers[1].name",
            "layers[1].members",
            "layers[1].begins",
            "layers[1].until",
            "layers[1].turn.every",
            "layers[1].hours[0].days",
            "layers[2].members[0].until",
            "feeds[1].url",
            "feeds[2].url",
            "feeds[3].url",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn p16_a_feeds_url_is_masked_wherever_it_is_shown() {
        let feed = Feed { url: "https://jo:pw@c.example/secret?key=1".to_owned(), role: FeedRole::Base };
        assert_eq!(feed.masked(), "https://c.example/…");
        assert!(!format!("{feed:?}").contains("secret") && !format!("{feed:?}").contains("pw"));
        assert_eq!(FeedId::new(feed.id().as_str()).unwrap(), feed.id());
    }

    #[test]
    fn a_schedule_survives_being_stored() {
        let mut full = layer("a");
        full.rank = Some(3);
        full.until = Some("2027-12-07T09:00:30".parse().unwrap());
        full.hours = vec![Hours {
            days: "Mon".parse().unwrap(),
            from: "09:00:00".parse().unwrap(),
            to: "17:30:00".parse().unwrap(),
        }];
        let feeds = vec![Feed { url: "https://c.example/a".to_owned(), role: FeedRole::Override }];
        let zone = Zone::new("Asia/Kolkata").unwrap();
        let schedule = Schedule::new(zone, vec![full, layer("b")], feeds).unwrap();
        let json = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule, "{json}");
    }
}
