//! What the roster consists of: entries, and edits of them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Rota, Team};
use crate::error::{InvalidInput, Outage};
use crate::model::{Contact, ServiceName, TeamName};

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryKind {
    /// A service and the team that owns it.
    Service,
    /// A team's settings.
    Team,
    /// One day of a team's calendar.
    Day,
}

impl EntryKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Service, Self::Team, Self::Day];

    /// The word that stores keep it under.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Team => "team",
            Self::Day => "day",
        }
    }
}

impl FromStr for EntryKind {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| InvalidInput::field("kind", format!("there is no kind of entry `{text}`")))
    }
}

/// What names an entry. In order of kind, team and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKey {
    /// A service.
    Service(ServiceName),
    /// A team.
    Team(TeamName),
    /// A day of a team's calendar.
    Day(TeamName, NaiveDate),
}

impl EntryKey {
    /// A key from the three parts that stores keep: [`kind`](Self::kind), [`team`](Self::team) (empty if there is
    /// none) and [`name`](Self::name).
    ///
    /// # Errors
    /// A part is invalid for that kind.
    pub fn from_parts(kind: EntryKind, team: &str, name: &str) -> Result<Self, InvalidInput> {
        Ok(match kind {
            EntryKind::Service => Self::Service(ServiceName::new(name)?),
            EntryKind::Team => Self::Team(TeamName::new(team)?),
            EntryKind::Day => {
                let day = name.parse().map_err(|_| InvalidInput::field("day", "must be YYYY-MM-DD"))?;
                Self::Day(TeamName::new(team)?, day)
            }
        })
    }

    /// Its kind.
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Service(_) => EntryKind::Service,
            Self::Team(_) => EntryKind::Team,
            Self::Day(..) => EntryKind::Day,
        }
    }

    /// The team that it belongs to and is deleted with.
    pub fn team(&self) -> Option<&TeamName> {
        match self {
            Self::Service(_) => None,
            Self::Team(team) | Self::Day(team, _) => Some(team),
        }
    }

    /// Its name among the entries of its kind and team; empty for a team's settings.
    pub fn name(&self) -> String {
        match self {
            Self::Service(service) => service.to_string(),
            Self::Team(_) => String::new(),
            Self::Day(_, day) => day.to_string(),
        }
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => write!(f, "service {service}"),
            Self::Team(team) => write!(f, "team {team}"),
            Self::Day(team, day) => write!(f, "calendar of {team}, {day}"),
        }
    }
}

/// An entry of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A service and its owner.
    Service {
        /// The service.
        service: ServiceName,
        /// The team that owns it.
        team: TeamName,
    },
    /// A team's settings.
    Team {
        /// The team.
        team: TeamName,
        /// Its settings.
        settings: Arc<Team>,
    },
    /// One day of a team's calendar.
    Day {
        /// The team.
        team: TeamName,
        /// The day, in the team's zone.
        day: NaiveDate,
        /// Who is on call.
        rota: Arc<Rota>,
    },
}

/// The body of a service's entry.
#[derive(Serialize, Deserialize)]
struct Owner {
    team: TeamName,
}

impl Entry {
    /// A service that `team` owns.
    pub fn service(service: &ServiceName, team: &TeamName) -> Self {
        Self::Service { service: service.clone(), team: team.clone() }
    }

    /// A team's settings.
    pub fn team(team: &TeamName, settings: Team) -> Self {
        Self::Team { team: team.clone(), settings: Arc::new(settings) }
    }

    /// A day of a team's calendar.
    pub fn day(team: &TeamName, day: NaiveDate, rota: Rota) -> Self {
        Self::Day { team: team.clone(), day, rota: Arc::new(rota) }
    }

    /// What names it.
    pub fn key(&self) -> EntryKey {
        match self {
            Self::Service { service, .. } => EntryKey::Service(service.clone()),
            Self::Team { team, .. } => EntryKey::Team(team.clone()),
            Self::Day { team, day, .. } => EntryKey::Day(team.clone(), *day),
        }
    }

    /// Its content as a JSON object, which stores keep beside the key.
    ///
    /// # Errors
    /// Permanent, if it cannot be written as JSON.
    pub fn body(&self) -> Result<String, Outage> {
        let body = match self {
            Self::Service { team, .. } => serde_json::to_string(&Owner { team: team.clone() }),
            Self::Team { settings, .. } => serde_json::to_string(&**settings),
            Self::Day { rota, .. } => serde_json::to_string(&**rota),
        };
        body.map_err(|e| Outage::permanent("an entry of the roster cannot be written").because(e))
    }

    /// The entry with that key and [`body`](Self::body).
    ///
    /// # Errors
    /// Permanent, if the body is not one of that kind.
    pub fn decode(key: EntryKey, body: &str) -> Result<Self, Outage> {
        let decoded = match key {
            EntryKey::Service(service) => {
                serde_json::from_str(body).map(|Owner { team }| Self::Service { service, team })
            }
            EntryKey::Team(team) => {
                serde_json::from_str(body).map(|settings| Self::Team { team, settings: Arc::new(settings) })
            }
            EntryKey::Day(team, day) => {
                serde_json::from_str(body).map(|rota| Self::Day { team, day, rota: Arc::new(rota) })
            }
        };
        decoded.map_err(|e| Outage::permanent("an entry of the roster cannot be read").because(e))
    }

    /// The names that it refers to: none of them may be deleted while it is there.
    pub fn uses(&self) -> Vec<EntryKey> {
        match self {
            Self::Service { team, .. } => vec![EntryKey::Team(team.clone())],
            Self::Team { .. } | Self::Day { .. } => Vec::new(),
        }
    }

    /// Its content as it may be shown to everybody who reads the roster's changes: without addresses.
    pub(super) fn shown(&self) -> Map<String, Value> {
        let masked =
            |contacts: &[Contact]| contacts.iter().map(|c| Value::from(c.masked())).collect::<Value>();
        match self {
            Self::Service { team, .. } => Map::from_iter([("team".into(), Value::from(team.as_str()))]),
            Self::Team { settings, .. } => {
                let levels = settings.alert_levels().iter();
                let levels = levels.map(|(severity, levels)| (severity.to_string(), levels.clone().into()));
                Map::from_iter([
                    ("timezone".into(), Value::from(settings.timezone().name())),
                    ("escalateAfterSeconds".into(), settings.escalate_after().as_secs_f64().into()),
                    ("fallback".into(), masked(settings.fallback())),
                    ("repeat".into(), settings.repeat().into()),
                    ("alertLevels".into(), Value::Object(levels.collect())),
                ])
            }
            Self::Day { rota, .. } => Map::from_iter([
                ("oncall".into(), masked(rota.oncall())),
                ("escalation".into(), rota.escalation().iter().map(|level| masked(level)).collect()),
            ]),
        }
    }
}

/// One edit of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RosterEdit {
    /// Creates the entry, or replaces the one with its key.
    Put(Entry),
    /// Deletes the entry with that key. A team is deleted with everything that belongs to it.
    Delete(EntryKey),
}

impl RosterEdit {
    /// What names the entry.
    pub fn key(&self) -> EntryKey {
        match self {
            Self::Put(entry) => entry.key(),
            Self::Delete(key) => key.clone(),
        }
    }
}

impl From<Entry> for RosterEdit {
    fn from(entry: Entry) -> Self {
        Self::Put(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let (athens, devops) = (ServiceName::new("athens").unwrap(), TeamName::new("devops/eu").unwrap());
        let jo = || vec![Contact::new("jo@example.org").unwrap()];
        vec![
            Entry::service(&athens, &devops),
            Entry::team(&devops, Team::builder(jo()).repeat(2).build().unwrap()),
            Entry::day(&devops, "2026-12-24".parse().unwrap(), Rota::new(jo(), vec![jo()]).unwrap()),
        ]
    }

    #[test]
    fn an_entry_of_each_kind_survives_being_stored() {
        for (entry, kind) in entries().into_iter().zip(EntryKind::ALL) {
            let key = entry.key();
            assert_eq!(key.kind(), kind);
            assert_eq!(kind.as_str().parse::<EntryKind>().unwrap(), kind);
            let team = key.team().map(TeamName::as_str).unwrap_or_default();
            assert_eq!(EntryKey::from_parts(kind, team, &key.name()).unwrap(), key);
            assert_eq!(Entry::decode(key, &entry.body().unwrap()).unwrap(), entry);
        }
    }

    #[test]
    fn what_is_shown_of_an_entry_has_every_field_and_no_address() {
        for entry in entries() {
            let (shown, body) = (Value::Object(entry.shown()), entry.body().unwrap());
            assert!(!shown.to_string().contains("jo@example.org"), "{shown}");
            let fields: Map<String, Value> = serde_json::from_str(&body).unwrap();
            for field in fields.keys() {
                assert!(shown.get(field).is_some(), "{field} of {entry:?} is not shown");
            }
        }
    }
}
