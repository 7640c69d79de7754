//! The roster on the wire: services, teams and calendars, and who changed them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::hours::Hours;

/// The owner of a service, as a request sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutService,
    example = json!({ "team": "devops" })))]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The team that owns the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub team: Option<String>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A service and its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ServiceView))]
pub struct Service {
    /// The service's name.
    pub service: String,
    /// The team that owns the service.
    pub team: String,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the service unchanged.
impl From<Service> for Owner {
    fn from(service: Service) -> Self {
        Self { team: Some(service.team), owner: service.owner }
    }
}

/// One contact, or several that are alerted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "must be a contact or a list of contacts")]
pub enum Contacts {
    /// One contact.
    One(String),
    /// Several contacts that are alerted together.
    Many(Vec<String>),
}

impl Contacts {
    /// The contacts, in their order.
    pub fn texts(&self) -> &[String] {
        match self {
            Contacts::One(text) => std::slice::from_ref(text),
            Contacts::Many(texts) => texts,
        }
    }
}

/// The levels after the on-call engineer: one contact, or a list of levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "must be a contact or a list of contacts and lists of contacts")]
pub enum Levels {
    /// One level with one contact.
    One(String),
    /// Several levels.
    Many(Vec<Contacts>),
}

impl Levels {
    /// The contacts of each level.
    pub fn texts(&self) -> Vec<&[String]> {
        match self {
            Levels::One(text) => vec![std::slice::from_ref(text)],
            Levels::Many(levels) => levels.iter().map(Contacts::texts).collect(),
        }
    }
}

/// A team's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutTeam,
    example = json!({ "timezone": "Europe/Athens", "fallback": ["ops@example.org"], "alertLevels": { "WARN": [1] } })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TeamSettings {
    /// The IANA time zone in which the calendar's days begin and end (default: UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How many seconds a level has before the next one is alerted (default: 600).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate_after_seconds: Option<u64>,
    /// The fallback: it is alerted if nobody else can be reached, or nobody else has claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub fallback: Option<Contacts>,
    /// The number of further rounds before the fallback (default: 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u32>,
    /// The levels that each severity alerts (default: all). An empty list alerts nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_levels: Option<BTreeMap<String, Vec<u16>>>,
    /// The team's own ladder, for days without a calendar entry (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<TeamLevel>>,
    /// How many seconds a claim lasts, from 1 to 604800; then the incident is OPEN again (default: claims do not end).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_timeout_seconds: Option<u64>,
    /// The weekly hours, in the team's time zone, in which a severity is alerted (default: always). Outside of them,
    /// alerts wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_hours: Option<BTreeMap<String, Vec<Hours>>>,
    /// If given, people are told by mail when their shifts begin (default: nobody is told).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_notices: Option<ShiftNotices>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// Who is told when a shift begins, besides the person whose shift it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ShiftNotices,
    example = json!({ "channel": "slack:web" })))]
#[serde(deny_unknown_fields)]
pub struct ShiftNotices {
    /// A contact, such as a chat channel (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// One level of a team's own ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TeamLevel,
    example = json!({ "notify": ["schedule:primary", "person:kim"], "waitSeconds": 300 })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TeamLevel {
    /// Everyone whom this level alerts, at the same time.
    pub notify: Contacts,
    /// How long the level is given before the next one is alerted (default: the team's wait).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u64>,
}

impl TeamSettings {
    /// Default settings with that fallback.
    pub fn new(fallback: Vec<String>) -> Self {
        Self {
            timezone: None,
            escalate_after_seconds: None,
            fallback: Some(Contacts::Many(fallback)),
            repeat: None,
            alert_levels: None,
            levels: None,
            claim_timeout_seconds: None,
            alert_hours: None,
            shift_notices: None,
            owner: None,
        }
    }
}

/// A team and its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TeamView))]
#[serde(rename_all = "camelCase")]
pub struct Team {
    /// The team's name.
    pub team: String,
    /// The IANA time zone in which the calendar's days begin and end.
    pub timezone: String,
    /// How many seconds a level has before the next one is alerted.
    pub escalate_after_seconds: u64,
    /// The fallback: it is alerted if nobody else can be reached, or nobody else has claimed.
    pub fallback: Vec<String>,
    /// The number of further rounds before the fallback.
    pub repeat: u32,
    /// The levels that each severity alerts. A severity that is not listed alerts all levels.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub alert_levels: BTreeMap<String, Vec<u16>>,
    /// The team's own ladder, if it has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<TeamLevel>,
    /// How many seconds a claim lasts; absent if claims do not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_timeout_seconds: Option<u64>,
    /// The weekly hours, in the team's time zone, in which a severity is alerted. A severity that is not listed is always
    /// alerted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alert_hours: BTreeMap<String, Vec<Hours>>,
    /// Who is told when a shift begins; absent if nobody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_notices: Option<ShiftNotices>,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the team unchanged.
impl From<Team> for TeamSettings {
    fn from(team: Team) -> Self {
        Self {
            timezone: Some(team.timezone),
            escalate_after_seconds: Some(team.escalate_after_seconds),
            fallback: Some(Contacts::Many(team.fallback)),
            repeat: Some(team.repeat),
            alert_levels: Some(team.alert_levels),
            levels: Some(team.levels),
            claim_timeout_seconds: team.claim_timeout_seconds,
            alert_hours: Some(team.alert_hours).filter(|hours| !hours.is_empty()),
            shift_notices: team.shift_notices,
            owner: team.owner,
        }
    }
}

/// A page of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ServicesView))]
pub struct Services {
    /// The services, in the order of their names.
    pub services: Vec<Service>,
    /// The cursor of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TeamsView))]
pub struct Teams {
    /// The teams, in the order of their names.
    pub teams: Vec<KnownTeam>,
    /// The cursor of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A team that is known, by its settings or only by a service, a calendar entry or a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KnownTeamView))]
pub struct KnownTeam {
    /// The team's name.
    pub team: String,
    /// The team's settings; absent if the deployment's settings apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Team>,
}

/// The calendar entry of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutDay,
    example = json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org", ["lee@example.org"]] })))]
#[serde(deny_unknown_fields)]
pub struct DayEntry {
    /// The contacts who are on call: level 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub oncall: Option<Contacts>,
    /// The contacts of level 2 and the following levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Levels>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

impl DayEntry {
    /// An entry with the contacts who are on call, and those of the following levels.
    pub fn new(oncall: Vec<String>, escalation: Vec<Vec<String>>) -> Self {
        let levels = escalation.into_iter().map(Contacts::Many).collect();
        Self { oncall: Some(Contacts::Many(oncall)), escalation: Some(Levels::Many(levels)), owner: None }
    }
}

/// A day of a team's calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DayView))]
pub struct Day {
    /// The team whose calendar this is.
    pub team: String,
    /// The day, in the team's time zone.
    pub day: NaiveDate,
    /// The contacts who are on call: level 1.
    pub oncall: Vec<String>,
    /// The contacts of level 2 and the following levels.
    pub escalation: Vec<Vec<String>>,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the day unchanged.
impl From<Day> for DayEntry {
    fn from(day: Day) -> Self {
        Self { owner: day.owner, ..Self::new(day.oncall, day.escalation) }
    }
}

/// A page of a team's calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CalendarView))]
pub struct Calendar {
    /// The days that have an entry, in order.
    pub days: Vec<Day>,
    /// The cursor of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Who is on call for a team at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OnCallView))]
pub struct OnCall {
    /// The team's name.
    pub team: String,
    /// The instant.
    pub at: DateTime<Utc>,
    /// The calendar day in the team's time zone.
    pub day: NaiveDate,
    /// The contacts of level 1. If the calendar has no entry, the fallback.
    pub oncall: Vec<String>,
    /// The contacts of all levels, in order.
    pub levels: Vec<Vec<String>>,
    /// The fallback: it is alerted if nobody else can be reached, or nobody else has claimed.
    pub fallback: Vec<String>,
}

/// A page of roster changes, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ChangesView))]
pub struct Changes {
    /// The changes of the page.
    pub changes: Vec<Change>,
    /// The cursor of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A change to the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ChangeView,
    example = json!({ "at": "2026-11-28T07:20:00Z", "by": "admin", "what": "service athens: assigned to devops (was ops)" })))]
pub struct Change {
    /// When the roster was changed.
    pub at: DateTime<Utc>,
    /// The name of the API key that made the change, or `config`.
    pub by: String,
    /// A description of the change in one line, cut at 500 characters. Addresses are masked.
    pub what: String,
}
