//! Schedules, overrides and shifts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::hours::Hours;
use crate::roster::Contacts;

/// A schedule's layers and feeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutSchedule,
    example = json!({
        "timezone": "Europe/Athens",
        "layers": [{
            "name": "weekdays", "members": ["person:jo", ["person:kim", "person:lee"]],
            "from": "2026-12-07T09:00", "turn": { "every": 1, "unit": "week" },
        }],
    })))]
#[serde(deny_unknown_fields)]
pub struct ScheduleEntry {
    /// The IANA time zone of all local times (default: the team's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The layers: later ones win, unless they have ranks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<Layer>>,
    /// Calendar feeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feeds: Option<Vec<Feed>>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A layer: members who take turns. Its times are local times of the schedule's zone, such as `2026-12-07T09:00`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LayerEntry))]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The layer's name, unique within the schedule.
    pub name: String,
    /// The higher rank wins; equal ranks are on call together (default: the layer's place, from 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Who takes turns, in this order.
    pub members: Vec<Member>,
    /// The anchor: when turn 0 begins.
    pub from: String,
    /// When the layer begins to count (default: at its anchor).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<String>,
    /// When the layer ends (default: never).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// How long a turn lasts.
    pub turn: Turn,
    /// The hours of the week in which the layer is on call (default: always).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<Hours>>,
}

/// A member of a layer: somebody, a group, or somebody who is a member for some time only. An empty group is a turn off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(
    untagged,
    expecting = "must be a target, a list of targets, or an object with `who`, `from` and `until`"
)]
pub enum Member {
    /// Somebody, or a group, who is a member at all times.
    Always(Contacts),
    /// Somebody, or a group, who is a member from and until a time.
    Dated(DatedMember),
}

/// Somebody who is a member of a layer for some time only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DatedMember {
    /// Who.
    pub who: Contacts,
    /// When they join (default: they are members from the beginning).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When they leave (default: never).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// How long a turn lasts, and how turns are numbered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// The number of units.
    pub every: u32,
    /// `hour`, `day`, `week` or `month`.
    pub unit: String,
    /// `elapsed` counts every turn, `worked` only turns that contain hours of the layer (default: `elapsed`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
}

/// A calendar feed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// The URL of the iCalendar file. It is a secret: answers show only its host. If a request contains a masked URL as
    /// answers show it, the feed keeps its URL.
    pub url: String,
    /// `base` lies below the layers, `override` above them.
    #[serde(rename = "as")]
    pub role: String,
    /// The id of the feed, which does not reveal its URL. A request needs it only to tell two feeds of one host apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A feed's URL is a secret.
impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("role", &self.role).field("id", &self.id).finish_non_exhaustive()
    }
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ScheduleView))]
pub struct Schedule {
    /// The schedule's team.
    pub team: String,
    /// The schedule's name.
    pub schedule: String,
    /// The IANA time zone of all local times.
    pub timezone: String,
    /// The layers.
    pub layers: Vec<Layer>,
    /// Calendar feeds; their URLs are masked.
    #[serde(default)]
    pub feeds: Vec<Feed>,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the schedule unchanged.
impl From<Schedule> for ScheduleEntry {
    fn from(schedule: Schedule) -> Self {
        Self {
            timezone: Some(schedule.timezone),
            layers: Some(schedule.layers),
            feeds: Some(schedule.feeds),
            owner: schedule.owner,
        }
    }
}

/// The schedules of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchedulesView))]
pub struct Schedules {
    /// The schedules, in the order of their names.
    pub schedules: Vec<Schedule>,
}

/// Who stands in for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutOverride,
    example = json!({
        "from": "2026-12-24T09:00", "to": "2026-12-25T09:00", "oncall": ["person:lee"], "insteadOf": ["person:jo"],
        "note": "swapped",
    })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OverrideEntry {
    /// An RFC 3339 time, or a local time of the schedule's zone such as `2026-12-24T09:00`.
    pub from: String,
    /// When the override ends, in the same forms.
    pub to: String,
    /// Who is put on call. If the list is empty, the replaced people are taken off call and nobody takes their place.
    pub oncall: Contacts,
    /// Whom they replace: everybody if it is absent, nobody if it is an empty list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Contacts>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// An override.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OverrideView))]
#[serde(rename_all = "camelCase")]
pub struct Override {
    /// The override's name.
    pub id: String,
    /// When the override begins, as it was given.
    pub from: String,
    /// When the override ends, as it was given.
    pub to: String,
    /// Who is put on call.
    pub oncall: Vec<String>,
    /// Whom they replace. If it is absent, they replace everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Vec<String>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the override unchanged.
impl From<Override> for OverrideEntry {
    fn from(one: Override) -> Self {
        Self {
            from: one.from,
            to: one.to,
            oncall: Contacts::Many(one.oncall),
            instead_of: one.instead_of.map(Contacts::Many),
            note: one.note,
            owner: one.owner,
        }
    }
}

/// The overrides of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OverridesView))]
pub struct Overrides {
    /// The overrides, in the order of their ids.
    pub overrides: Vec<Override>,
}

/// The final shifts of a schedule. They cover the span without gaps or overlaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ShiftsView))]
pub struct Shifts {
    /// The shifts, in order.
    pub shifts: Vec<Shift>,
}

/// A span in which the same people are on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ShiftView,
    example = json!({
        "from": "2026-12-07T07:00:00Z", "to": "2026-12-14T07:00:00Z", "oncall": ["person:jo"],
        "source": "layer:weekdays",
    })))]
pub struct Shift {
    /// When the shift begins.
    pub from: DateTime<Utc>,
    /// When the shift ends.
    pub to: DateTime<Utc>,
    /// Who is on call. If it is empty, there is a gap.
    pub oncall: Vec<String>,
    /// The sources that put them on call: `layer:NAME`, `override:ID` or `feed:ID`, joined by `+`; or `gap`.
    pub source: String,
}

/// The credential of a calendar program. The server keeps only its hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CalendarTokenView))]
pub struct CalendarToken {
    /// The token.
    pub token: String,
    /// The URL of the calendar, with the token.
    pub url: String,
}

/// The token is a secret.
impl std::fmt::Debug for CalendarToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CalendarToken(…)")
    }
}
