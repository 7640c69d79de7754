//! Schedules: who takes turns, when, and who stands in.
//!
//! | file | holds |
//! |---|---|
//! | `mod` | a schedule, its layers and feeds |
//! | `turn` | how long a turn is, how turns are numbered, and weekly hours |
//! | `stand_in` | overrides: who stands in for whom |
//! | `copy` | the last good copy of a calendar feed |

mod copy;
mod stand_in;
mod turn;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use copy::{FeedCopy, FeedEvent};
pub use stand_in::Override;
pub use turn::{ClockTime, Counting, Hours, Turn, TurnUnit, WeekDays};

use super::derived::Derived;
use super::shifts::Plan;
use super::{Target, WallTime};
use crate::error::InvalidInput;
use crate::model::{LayerName, OwnerName, Zone};

/// A schedule of a team: layers of turns, and feeds.
///
/// Overrides are entries of their own. From the bottom to the top lie base feeds, layers by rank, override feeds and
/// overrides. Whoever yields nobody hides nothing below.
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

/// A member of a layer: who takes the turn, and from when to when they are members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Whoever takes the turn, together. Nobody means that the turn is off.
    pub who: Vec<Target>,
    /// When they join; absent means that they always were members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<WallTime>,
    /// When they leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<WallTime>,
}

/// A calendar feed of a schedule.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Where the calendar is fetched. It is a secret.
    pub url: String,
    /// Whether the feed lies below the layers or above them.
    #[serde(rename = "as")]
    pub role: FeedRole,
}

/// Where a feed lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FeedRole {
    /// Below the layers.
    Base,
    /// Above the layers and below the overrides.
    Override,
}

/// What names a feed within its schedule without telling its URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedId(String);

impl Schedule {
    /// The maximum number of layers.
    pub const MAX_LAYERS: usize = 20;
    /// The maximum number of members of a layer.
    pub const MAX_MEMBERS: usize = 100;
    /// The maximum number of targets in one group or override.
    pub const MAX_TOGETHER: usize = 20;
    /// The maximum number of feeds.
    pub const MAX_FEEDS: usize = 5;
    /// The maximum number of weekly hours of a layer.
    pub const MAX_HOURS: usize = 50;

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

    /// What resolution works out of the layers.
    pub(super) fn plan(&self) -> &Plan {
        self.plan.get(|| Plan::new(self))
    }

    /// Everybody whom the layers name.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.layers.iter().flat_map(|layer| layer.members.iter().flat_map(|member| &member.who))
    }
}

impl Layer {
    /// The layer's rank; `place` is its place in the schedule, counted from 0.
    pub fn rank_at(&self, place: usize) -> u32 {
        self.rank.unwrap_or_else(|| u32::try_from(place + 1).unwrap_or(u32::MAX))
    }

    /// When the layer begins to count.
    pub fn begins(&self) -> WallTime {
        self.begins.unwrap_or(self.from)
    }

    fn check(&self, field: &str, invalid: &mut InvalidInput) {
        if self.members.is_empty() {
            invalid.push(format!("{field}.members"), "must name at least one member");
        }
        if self.members.len() > Schedule::MAX_MEMBERS {
            invalid.push(format!("{field}.members"), format!("must be at most {}", Schedule::MAX_MEMBERS));
        }
        for (i, member) in self.members.iter().enumerate() {
            if member.who.len() > Schedule::MAX_TOGETHER {
                let most = Schedule::MAX_TOGETHER;
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
        if self.hours.len() > Schedule::MAX_HOURS {
            invalid.push(format!("{field}.hours"), format!("must be at most {}", Schedule::MAX_HOURS));
        }
        for (i, hours) in self.hours.iter().enumerate() {
            if hours.days.is_empty() {
                invalid.push(format!("{field}.hours[{i}].days"), "must name at least one day");
            }
        }
    }
}

impl Member {
    /// These, who always are members.
    pub fn always(who: Vec<Target>) -> Self {
        Self { who, from: None, until: None }
    }
}

impl Feed {
    /// The maximum length of a feed's URL, in bytes.
    pub const MAX_URL_BYTES: usize = 2000;

    /// What names the feed within its schedule.
    pub fn id(&self) -> FeedId {
        let digest = Sha256::digest(self.url.as_bytes());
        FeedId(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The scheme and the host of the URL, which is enough for people who know the feed.
    pub fn masked(&self) -> String {
        let host = self.url.split_once("://").map(|(scheme, rest)| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            // A name and a password may stand before the host.
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/…")
        });
        host.unwrap_or_else(|| "…".to_owned())
    }

    fn check(&self) -> Result<(), &'static str> {
        let rest = ["https://", "http://"].iter().find_map(|scheme| self.url.strip_prefix(scheme));
        match rest {
            None => Err("must begin with https:// or http://"),
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Err("has no host"),
            Some(_) if self.url.len() > Self::MAX_URL_BYTES => Err("is too long"),
            Some(_) if self.url.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                Err("must not contain white space")
            }
            Some(_) => Ok(()),
        }
    }
}

/// A feed's URL is a secret.
impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("url", &self.masked()).field("role", &self.role).finish()
    }
}

impl FeedId {
    /// An id as a roster stored it.
    ///
    /// # Errors
    /// It is not one that [`Feed::id`] makes.
    pub fn new(text: &str) -> Result<Self, InvalidInput> {
        let is_id = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        if is_id { Ok(Self(text.to_owned())) } else { Err(InvalidInput::field("feed", "is not a feed's id")) }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
