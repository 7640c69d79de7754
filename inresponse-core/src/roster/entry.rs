//! The entries of the roster, and edits of them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{FeedCopy, FeedId, Heartbeat, Override, Profile, Rota, Routes, Schedule, Silence, Target, Team};
use crate::error::{InvalidInput, Outage};
use crate::model::{
    HeartbeatName, OverrideId, OwnerName, PersonId, ScheduleName, ServiceName, SilenceId, TeamName,
};

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryKind {
    /// A service and the team that owns it.
    Service,
    /// The entry for a team's settings.
    Team,
    /// One day of a team's calendar.
    Day,
    /// A person.
    Person,
    /// A schedule of a team.
    Schedule,
    /// An override of a schedule.
    Override,
    /// The last good copy of a schedule's calendar feed.
    Feed,
    /// The definition of a heartbeat.
    Heartbeat,
    /// A silence, which defers alerts.
    Silence,
    /// The routing rules of the deployment, all in one entry.
    Routes,
}

impl EntryKind {
    /// All kinds of entries.
    pub const ALL: [Self; 10] = [
        Self::Service,
        Self::Team,
        Self::Day,
        Self::Person,
        Self::Schedule,
        Self::Override,
        Self::Feed,
        Self::Heartbeat,
        Self::Silence,
        Self::Routes,
    ];

    /// The name of the kind in stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Team => "team",
            Self::Day => "day",
            Self::Person => "person",
            Self::Schedule => "schedule",
            Self::Override => "override",
            Self::Feed => "feed",
            Self::Heartbeat => "heartbeat",
            Self::Silence => "silence",
            Self::Routes => "routes",
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

/// The key of an entry. Keys are ordered by kind, team and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKey {
    /// The key of a service.
    Service(ServiceName),
    /// The key of a team's settings.
    Team(TeamName),
    /// The key of a day of a team's calendar.
    Day(TeamName, NaiveDate),
    /// A person.
    Person(PersonId),
    /// A schedule of a team.
    Schedule(TeamName, ScheduleName),
    /// An override of a schedule.
    Override(TeamName, ScheduleName, OverrideId),
    /// The copy of a schedule's feed.
    Feed(TeamName, ScheduleName, FeedId),
    /// A heartbeat.
    Heartbeat(HeartbeatName),
    /// A silence.
    Silence(SilenceId),
    /// The routing rules.
    Routes,
}

impl EntryKey {
    /// Makes a key from the three parts that stores keep: [`kind`](Self::kind), [`team`](Self::team) (empty if there is
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
            EntryKind::Person => Self::Person(PersonId::new(name)?),
            EntryKind::Schedule => Self::Schedule(TeamName::new(team)?, ScheduleName::new(name)?),
            EntryKind::Override => {
                let (schedule, id) = within_schedule(name)?;
                Self::Override(TeamName::new(team)?, schedule, OverrideId::new(id)?)
            }
            EntryKind::Feed => {
                let (schedule, id) = within_schedule(name)?;
                Self::Feed(TeamName::new(team)?, schedule, FeedId::new(id)?)
            }
            EntryKind::Heartbeat => Self::Heartbeat(HeartbeatName::new(name)?),
            EntryKind::Silence => Self::Silence(SilenceId::new(name)?),
            EntryKind::Routes if team.is_empty() && name.is_empty() => Self::Routes,
            EntryKind::Routes => return Err(InvalidInput::field("name", "must be empty")),
        })
    }

    /// The entry that a target of `team` names; `None` for a contact.
    pub fn named_by(target: &Target, team: &TeamName) -> Option<Self> {
        match target {
            Target::Contact(_) => None,
            Target::Person(person) => Some(Self::Person(person.clone())),
            Target::Schedule { team: of, name } => {
                Some(Self::Schedule(of.as_ref().unwrap_or(team).clone(), name.clone()))
            }
            Target::Team(team) => Some(Self::Team(team.clone())),
        }
    }

    /// The kind of the entry.
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Service(_) => EntryKind::Service,
            Self::Team(_) => EntryKind::Team,
            Self::Day(..) => EntryKind::Day,
            Self::Person(_) => EntryKind::Person,
            Self::Schedule(..) => EntryKind::Schedule,
            Self::Override(..) => EntryKind::Override,
            Self::Feed(..) => EntryKind::Feed,
            Self::Heartbeat(_) => EntryKind::Heartbeat,
            Self::Silence(_) => EntryKind::Silence,
            Self::Routes => EntryKind::Routes,
        }
    }

    /// The team that the entry belongs to and is deleted with.
    pub fn team(&self) -> Option<&TeamName> {
        match self {
            Self::Service(_) | Self::Person(_) | Self::Heartbeat(_) | Self::Silence(_) | Self::Routes => None,
            Self::Team(team)
            | Self::Day(team, _)
            | Self::Schedule(team, _)
            | Self::Override(team, ..)
            | Self::Feed(team, ..) => Some(team),
        }
    }

    /// The entry's name among the entries of its kind and team; empty for a team's settings and for the routing rules. Parts of a schedule begin
    /// with the schedule's name and a slash.
    pub fn name(&self) -> String {
        match self {
            Self::Service(service) => service.to_string(),
            Self::Team(_) | Self::Routes => String::new(),
            Self::Day(_, day) => day.to_string(),
            Self::Person(person) => person.to_string(),
            Self::Schedule(_, schedule) => schedule.to_string(),
            Self::Override(_, schedule, id) => format!("{schedule}/{id}"),
            Self::Feed(_, schedule, feed) => format!("{schedule}/{feed}"),
            Self::Heartbeat(name) => name.to_string(),
            Self::Silence(silence) => silence.to_string(),
        }
    }

    /// Whether the entry is deleted together with the one that `outer` names.
    pub fn is_inside(&self, outer: &EntryKey) -> bool {
        match (self, outer) {
            (
                Self::Day(team, _)
                | Self::Schedule(team, _)
                | Self::Override(team, ..)
                | Self::Feed(team, ..),
                Self::Team(outer),
            ) => team == outer,
            (
                Self::Override(team, schedule, _) | Self::Feed(team, schedule, _),
                Self::Schedule(outer_team, outer),
            ) => team == outer_team && schedule == outer,
            (_, _) => false,
        }
    }
}

/// The name of a schedule's part: the schedule, and the part's own name.
fn within_schedule(name: &str) -> Result<(ScheduleName, &str), InvalidInput> {
    let parts = name.split_once('/');
    let (schedule, own) =
        parts.ok_or_else(|| InvalidInput::field("schedule", "must be followed by a slash and a name"))?;
    Ok((ScheduleName::new(schedule)?, own))
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => write!(f, "service {service}"),
            Self::Team(team) => write!(f, "team {team}"),
            Self::Day(team, day) => write!(f, "calendar of {team}, {day}"),
            Self::Person(person) => write!(f, "person {person}"),
            Self::Schedule(team, schedule) => write!(f, "schedule {schedule} of {team}"),
            Self::Override(team, schedule, id) => write!(f, "override {id} of schedule {schedule} of {team}"),
            Self::Feed(team, schedule, feed) => write!(f, "feed {feed} of schedule {schedule} of {team}"),
            Self::Heartbeat(name) => write!(f, "heartbeat {name}"),
            Self::Silence(silence) => write!(f, "silence {silence}"),
            Self::Routes => f.write_str("routing rules"),
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
        /// The team that owns the service.
        team: TeamName,
        /// The owner of the roster file that made the entry.
        owner: Option<OwnerName>,
    },
    /// A team's settings.
    Team {
        /// The team.
        team: TeamName,
        /// The settings of the team.
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
    /// A person.
    Person {
        /// The person's id.
        person: PersonId,
        /// How they are reached.
        profile: Arc<Profile>,
    },
    /// A schedule of a team.
    Schedule {
        /// The team.
        team: TeamName,
        /// The schedule's name.
        name: ScheduleName,
        /// Who takes turns.
        schedule: Arc<Schedule>,
    },
    /// An override of a schedule.
    Override {
        /// The schedule's team.
        team: TeamName,
        /// The schedule.
        schedule: ScheduleName,
        /// The override's name.
        id: OverrideId,
        /// Who stands in for whom.
        stand_in: Arc<Override>,
    },
    /// The copy of a schedule's feed.
    Feed {
        /// The schedule's team.
        team: TeamName,
        /// The schedule.
        schedule: ScheduleName,
        /// The feed.
        feed: FeedId,
        /// The feed's events.
        copy: Arc<FeedCopy>,
    },
    /// A heartbeat.
    Heartbeat {
        /// The heartbeat's name.
        name: HeartbeatName,
        /// Its definition.
        heartbeat: Arc<Heartbeat>,
    },
    /// A silence.
    Silence {
        /// The silence's name.
        id: SilenceId,
        /// What it matches, and when.
        silence: Arc<Silence>,
    },
    /// The routing rules.
    Routes(Arc<Routes>),
}

/// The body of a service's entry.
#[derive(Serialize, Deserialize)]
struct Owned {
    team: TeamName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

impl Entry {
    /// The entry for a service that `team` owns.
    pub fn service(service: &ServiceName, team: &TeamName) -> Self {
        Self::Service { service: service.clone(), team: team.clone(), owner: None }
    }

    /// A team's settings.
    pub fn team(team: &TeamName, settings: Team) -> Self {
        Self::Team { team: team.clone(), settings: Arc::new(settings) }
    }

    /// The entry for a day of a team's calendar.
    pub fn day(team: &TeamName, day: NaiveDate, rota: Rota) -> Self {
        Self::Day { team: team.clone(), day, rota: Arc::new(rota) }
    }

    /// A person.
    pub fn person(person: &PersonId, profile: Profile) -> Self {
        Self::Person { person: person.clone(), profile: Arc::new(profile) }
    }

    /// A schedule of a team.
    pub fn schedule(team: &TeamName, name: &ScheduleName, schedule: Schedule) -> Self {
        Self::Schedule { team: team.clone(), name: name.clone(), schedule: Arc::new(schedule) }
    }

    /// An override of a schedule.
    pub fn stand_in(team: &TeamName, schedule: &ScheduleName, id: &OverrideId, stand_in: Override) -> Self {
        let (team, schedule) = (team.clone(), schedule.clone());
        Self::Override { team, schedule, id: id.clone(), stand_in: Arc::new(stand_in) }
    }

    /// The copy of a schedule's feed.
    pub fn feed(team: &TeamName, schedule: &ScheduleName, feed: &FeedId, copy: FeedCopy) -> Self {
        let (team, schedule) = (team.clone(), schedule.clone());
        Self::Feed { team, schedule, feed: feed.clone(), copy: Arc::new(copy) }
    }

    /// A heartbeat.
    pub fn heartbeat(name: &HeartbeatName, heartbeat: Heartbeat) -> Self {
        Self::Heartbeat { name: name.clone(), heartbeat: Arc::new(heartbeat) }
    }

    /// A silence.
    pub fn silence(id: &SilenceId, silence: Silence) -> Self {
        Self::Silence { id: id.clone(), silence: Arc::new(silence) }
    }

    /// The routing rules.
    pub fn routes(routes: Routes) -> Self {
        Self::Routes(Arc::new(routes))
    }

    /// The key of the entry.
    pub fn key(&self) -> EntryKey {
        match self {
            Self::Service { service, .. } => EntryKey::Service(service.clone()),
            Self::Team { team, .. } => EntryKey::Team(team.clone()),
            Self::Day { team, day, .. } => EntryKey::Day(team.clone(), *day),
            Self::Person { person, .. } => EntryKey::Person(person.clone()),
            Self::Schedule { team, name, .. } => EntryKey::Schedule(team.clone(), name.clone()),
            Self::Override { team, schedule, id, .. } => {
                EntryKey::Override(team.clone(), schedule.clone(), id.clone())
            }
            Self::Feed { team, schedule, feed, .. } => {
                EntryKey::Feed(team.clone(), schedule.clone(), feed.clone())
            }
            Self::Heartbeat { name, .. } => EntryKey::Heartbeat(name.clone()),
            Self::Silence { id, .. } => EntryKey::Silence(id.clone()),
            Self::Routes(_) => EntryKey::Routes,
        }
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        match self {
            Self::Service { owner, .. } => owner.as_ref(),
            Self::Team { settings, .. } => settings.owner(),
            Self::Day { rota, .. } => rota.owner(),
            Self::Person { profile, .. } => profile.owner(),
            Self::Schedule { schedule, .. } => schedule.owner(),
            Self::Override { stand_in, .. } => stand_in.owner(),
            Self::Feed { .. } => None,
            Self::Heartbeat { heartbeat, .. } => heartbeat.owner(),
            Self::Silence { silence, .. } => silence.owner(),
            Self::Routes(routes) => routes.owner(),
        }
    }

    /// The same entry with that owner. A feed's copy has none.
    #[must_use]
    pub fn owned_by(self, by: Option<OwnerName>) -> Self {
        fn with<T: Clone>(shared: Arc<T>, change: impl FnOnce(T) -> T) -> Arc<T> {
            Arc::new(change(Arc::unwrap_or_clone(shared)))
        }
        match self {
            Self::Service { service, team, .. } => Self::Service { service, team, owner: by },
            Self::Team { team, settings } => {
                Self::Team { team, settings: with(settings, |settings| settings.owned_by(by)) }
            }
            Self::Day { team, day, rota } => {
                Self::Day { team, day, rota: with(rota, |rota| rota.owned_by(by)) }
            }
            Self::Person { person, profile } => {
                Self::Person { person, profile: with(profile, |profile| profile.owned_by(by)) }
            }
            Self::Schedule { team, name, schedule } => {
                Self::Schedule { team, name, schedule: with(schedule, |schedule| schedule.owned_by(by)) }
            }
            Self::Override { team, schedule, id, stand_in } => {
                let stand_in = with(stand_in, |stand_in| stand_in.owned_by(by));
                Self::Override { team, schedule, id, stand_in }
            }
            feed @ Self::Feed { .. } => feed,
            Self::Heartbeat { name, heartbeat } => {
                Self::Heartbeat { name, heartbeat: with(heartbeat, |heartbeat| heartbeat.owned_by(by)) }
            }
            Self::Silence { id, silence } => {
                Self::Silence { id, silence: with(silence, |silence| silence.owned_by(by)) }
            }
            Self::Routes(routes) => Self::Routes(with(routes, |routes| routes.owned_by(by))),
        }
    }

    /// The content of the entry as a JSON object, which stores keep beside the key.
    ///
    /// # Errors
    /// The content cannot be written as JSON. The outage is permanent.
    pub fn body(&self) -> Result<String, Outage> {
        let body = match self {
            Self::Service { team, owner, .. } => {
                serde_json::to_string(&Owned { team: team.clone(), owner: owner.clone() })
            }
            Self::Team { settings, .. } => serde_json::to_string(&**settings),
            Self::Day { rota, .. } => serde_json::to_string(&**rota),
            Self::Person { profile, .. } => serde_json::to_string(&**profile),
            Self::Schedule { schedule, .. } => serde_json::to_string(&**schedule),
            Self::Override { stand_in, .. } => serde_json::to_string(&**stand_in),
            Self::Feed { copy, .. } => serde_json::to_string(&**copy),
            Self::Heartbeat { heartbeat, .. } => serde_json::to_string(&**heartbeat),
            Self::Silence { silence, .. } => serde_json::to_string(&**silence),
            Self::Routes(routes) => serde_json::to_string(&**routes),
        };
        body.map_err(|e| Outage::permanent("an entry of the roster cannot be written").because(e))
    }

    /// Reads the entry with that key from its [`body`](Self::body).
    ///
    /// # Errors
    /// The body does not fit the kind of entry that the key names; the outage is permanent.
    pub fn decode(key: EntryKey, body: &str) -> Result<Self, Outage> {
        let decoded =
            match key {
                EntryKey::Service(service) => serde_json::from_str(body)
                    .map(|Owned { team, owner }| Self::Service { service, team, owner }),
                EntryKey::Team(team) => serde_json::from_str(body)
                    .map(|settings| Self::Team { team, settings: Arc::new(settings) }),
                EntryKey::Day(team, day) => {
                    serde_json::from_str(body).map(|rota| Self::Day { team, day, rota: Arc::new(rota) })
                }
                EntryKey::Person(person) => serde_json::from_str(body)
                    .map(|profile| Self::Person { person, profile: Arc::new(profile) }),
                EntryKey::Schedule(team, name) => serde_json::from_str(body).map(|schedule| Self::Schedule {
                    team,
                    name,
                    schedule: Arc::new(schedule),
                }),
                EntryKey::Override(team, schedule, id) => serde_json::from_str(body)
                    .map(|stand_in| Self::Override { team, schedule, id, stand_in: Arc::new(stand_in) }),
                EntryKey::Feed(team, schedule, feed) => serde_json::from_str(body).map(|copy| Self::Feed {
                    team,
                    schedule,
                    feed,
                    copy: Arc::new(copy),
                }),
                EntryKey::Heartbeat(name) => serde_json::from_str(body)
                    .map(|heartbeat| Self::Heartbeat { name, heartbeat: Arc::new(heartbeat) }),
                EntryKey::Silence(id) => {
                    serde_json::from_str(body).map(|silence| Self::Silence { id, silence: Arc::new(silence) })
                }
                EntryKey::Routes => serde_json::from_str(body).map(|routes| Self::Routes(Arc::new(routes))),
            };
        decoded.map_err(|e| Outage::permanent("an entry of the roster cannot be read").because(e))
    }

    /// The names that the entry refers to: none of them may be deleted while the entry is there.
    pub fn uses(&self) -> Vec<EntryKey> {
        match self {
            Self::Service { team, .. } => vec![EntryKey::Team(team.clone())],
            Self::Heartbeat { heartbeat, .. } => vec![EntryKey::Service(heartbeat.service().clone())],
            Self::Team { .. }
            | Self::Day { .. }
            | Self::Person { .. }
            | Self::Schedule { .. }
            | Self::Override { .. }
            | Self::Feed { .. }
            | Self::Silence { .. }
            | Self::Routes(_) => self.named(),
        }
    }

    /// The people, schedules and teams that the entry's targets name, and the teams and heartbeats of routing rules.
    pub fn named(&self) -> Vec<EntryKey> {
        let keys = |team: &TeamName, targets: &mut dyn Iterator<Item = &Target>| {
            targets.filter_map(|target| EntryKey::named_by(target, team)).collect()
        };
        match self {
            Self::Service { .. }
            | Self::Person { .. }
            | Self::Feed { .. }
            | Self::Heartbeat { .. }
            | Self::Silence { .. } => Vec::new(),
            Self::Routes(routes) => {
                let named = routes.rules().iter().flat_map(|rule| {
                    let team = rule.team.clone().map(EntryKey::Team);
                    team.into_iter().chain(rule.heartbeat.clone().map(EntryKey::Heartbeat))
                });
                named.collect::<BTreeSet<_>>().into_iter().collect()
            }
            Self::Team { team, settings } => keys(team, &mut settings.targets()),
            Self::Day { team, rota, .. } => keys(team, &mut rota.targets()),
            Self::Schedule { team, schedule, .. } => keys(team, &mut schedule.targets()),
            Self::Override { team, stand_in, .. } => {
                let replaced = stand_in.instead_of().unwrap_or_default();
                keys(team, &mut stand_in.oncall().iter().chain(replaced))
            }
        }
    }

    /// The entry's content as it may be shown to everybody who reads the roster's changes: without addresses.
    pub(super) fn shown(&self) -> Map<String, Value> {
        let masked = |targets: &[Target]| targets.iter().map(|t| Value::from(t.masked())).collect::<Value>();
        match self {
            Self::Service { team, owner, .. } => {
                let mut shown = Map::from_iter([("team".into(), Value::from(team.as_str()))]);
                shown.extend(owner.iter().map(|owner| ("owner".to_owned(), Value::from(owner.as_str()))));
                shown
            }
            Self::Team { settings, .. } => settings.shown(&masked),
            Self::Day { rota, .. } => {
                let mut shown = Map::from_iter([
                    ("oncall".into(), masked(rota.oncall())),
                    ("escalation".into(), rota.escalation().iter().map(|level| masked(level)).collect()),
                ]);
                shown.extend(rota.owner().map(|owner| ("owner".to_owned(), Value::from(owner.as_str()))));
                shown
            }
            Self::Person { .. }
            | Self::Schedule { .. }
            | Self::Override { .. }
            | Self::Feed { .. }
            | Self::Heartbeat { .. }
            | Self::Silence { .. }
            | Self::Routes(_) => self.masked(),
        }
    }

    /// The stored body, in which every contact and every feed's URL is masked. A feed's copy is shown by its size.
    fn masked(&self) -> Map<String, Value> {
        let mut body: Map<String, Value> =
            self.body().ok().and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default();
        match self {
            Self::Feed { copy, .. } => {
                body.insert("events".to_owned(), Value::from(copy.events.len()));
                // A finding may quote an event, which may contain an address.
                if !copy.findings.is_empty() {
                    body.insert("findings".to_owned(), Value::from(copy.findings.len()));
                }
            }
            Self::Schedule { schedule, .. } => {
                let urls = schedule.feeds().iter().map(|feed| Value::from(feed.masked()));
                if let Some(feeds) = body.get_mut("feeds").and_then(Value::as_array_mut) {
                    for (feed, url) in feeds.iter_mut().zip(urls) {
                        feed["url"] = url;
                    }
                }
            }
            Self::Service { .. }
            | Self::Team { .. }
            | Self::Day { .. }
            | Self::Person { .. }
            | Self::Override { .. }
            | Self::Heartbeat { .. }
            | Self::Silence { .. }
            | Self::Routes(_) => {}
        }
        body.into_iter().map(|(name, value)| (name, without_addresses(value))).collect()
    }
}

/// The value, in which every text that is a contact is masked.
fn without_addresses(value: Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<Target>() {
            // A time is not a contact, because no scheme begins with a digit.
            Ok(Target::Contact(contact)) => Value::from(contact.masked()),
            Ok(_) | Err(_) => Value::String(text),
        },
        Value::Array(values) => values.into_iter().map(without_addresses).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, without_addresses(value))).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}

/// One edit of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RosterEdit {
    /// Creates the entry, or replaces the one with its key.
    Put(Entry),
    /// Deletes the entry with that key. A team and a schedule are deleted with everything that belongs to them.
    Delete(EntryKey),
}

impl RosterEdit {
    /// The key of the edited entry.
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
    use crate::model::Contact;
    use crate::model::{LayerName, MethodName, Severity, Zone};
    use crate::roster::{
        Absence, Counting, Feed, FeedEvent, FeedRole, Layer, Member, RuleFor, RuleStep, Turn, TurnUnit,
    };

    fn entries() -> Vec<Entry> {
        let (athens, devops) = (ServiceName::new("athens").unwrap(), TeamName::new("devops/eu").unwrap());
        let jo = || vec![Contact::new("jo@example.org").unwrap()];
        let id = OverrideId::new("dentist").unwrap();
        let at = chrono::DateTime::UNIX_EPOCH;
        let event = FeedEvent { from: at, to: at, names: vec!["jo@example.org".to_owned()] };
        let copy =
            FeedCopy { events: vec![event], findings: vec!["jo@example.org was named twice".to_owned()] };
        vec![
            Entry::service(&athens, &devops),
            Entry::team(&devops, Team::builder(jo()).repeat(2).build().unwrap()),
            Entry::day(&devops, "2026-12-24".parse().unwrap(), Rota::new(jo(), vec![jo()]).unwrap()),
            Entry::person(&PersonId::new("jo").unwrap(), person()),
            Entry::schedule(&devops, &ScheduleName::new("primary").unwrap(), schedule()),
            Entry::stand_in(&devops, &ScheduleName::new("primary").unwrap(), &id, stand_in()),
            Entry::feed(&devops, &ScheduleName::new("primary").unwrap(), &schedule().feeds()[0].id(), copy),
            Entry::heartbeat(&HeartbeatName::new("backup").unwrap(), heartbeat()),
            Entry::silence(&SilenceId::new("deploy").unwrap(), silence()),
            Entry::routes(routes()),
        ]
    }

    fn person() -> Profile {
        let method = (MethodName::new("mail").unwrap(), Contact::new("jo@example.org").unwrap());
        let absence =
            Absence { from: "2026-12-24".parse().unwrap(), to: "2026-12-27T09:00+02:00".parse().unwrap() };
        let step = RuleStep { after: std::time::Duration::ZERO, methods: vec![method.0.clone()] };
        let person = Profile::builder([method].into()).name("24.jo@example.org").absence(absence);
        person.rule(RuleFor::Default, vec![step]).build().unwrap()
    }

    fn schedule() -> Schedule {
        let layer = Layer {
            name: LayerName::new("weekdays").unwrap(),
            rank: Some(1),
            members: vec![Member::always(vec!["jo@example.org".parse().unwrap()])],
            from: "2026-12-07T09:00".parse().unwrap(),
            begins: None,
            until: None,
            turn: Turn { every: 1, unit: TurnUnit::Week, count: Counting::Worked },
            hours: Vec::new(),
        };
        let feed = Feed { url: "https://jo@example.org/secret".to_owned(), role: FeedRole::Base };
        Schedule::new(Zone::utc(), vec![layer], vec![feed]).unwrap()
    }

    fn heartbeat() -> Heartbeat {
        let (service, minute) = (ServiceName::new("athens").unwrap(), std::time::Duration::from_secs(60));
        let title = Some("backup of jo is late".to_owned());
        Heartbeat::new(service, Severity::Crit, minute, minute, title).unwrap()
    }

    fn routes() -> Routes {
        let rule = crate::roster::Rule {
            name: crate::model::RuleName::new("jo@example.org").unwrap(),
            matchers: vec![r#"contact="jo@example.org""#.parse().unwrap()],
            team: Some(TeamName::new("devops/eu").unwrap()),
            severity: Some(Severity::Warn),
            record_only: true,
            heartbeat: None,
        };
        Routes::new(vec![rule]).unwrap()
    }

    fn silence() -> Silence {
        let matchers = vec![r#"contact=~"jo@example.org""#.parse().unwrap()];
        let from = chrono::DateTime::UNIX_EPOCH;
        let hours = crate::roster::Hours {
            days: "Sun".parse().unwrap(),
            from: "02:00:00".parse().unwrap(),
            to: "04:00:00".parse().unwrap(),
        };
        let weekly = crate::roster::Weekly { hours, timezone: Zone::utc() };
        let silence = Silence::new(matchers, from, from + chrono::TimeDelta::days(1)).unwrap();
        let silence = silence.recurring(weekly).unwrap().because("jo@example.org").unwrap();
        silence.made_by(crate::model::Person::new("jo@example.org").unwrap())
    }

    fn stand_in() -> Override {
        let (from, to) = ("2026-12-07T09:00".parse().unwrap(), "2026-12-08T09:00".parse().unwrap());
        let jo = || vec!["jo@example.org".parse().unwrap()];
        Override::new(from, to, jo(), Some(jo()), Some("dentist".to_owned())).unwrap()
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
    fn an_owner_is_kept_with_every_entry_and_changes_no_body_without_one() {
        let owner = OwnerName::new("web.toml").unwrap();
        for entry in entries() {
            let body = entry.body().unwrap();
            assert!(!body.contains("owner"), "{body}");
            let owned = entry.clone().owned_by(Some(owner.clone()));
            assert_eq!(owned.clone().owned_by(None), entry);
            if entry.key().kind() == EntryKind::Feed {
                continue;
            }
            assert_eq!(owned.owner(), Some(&owner));
            assert_eq!(owned.shown().get("owner"), Some(&Value::from("web.toml")), "{owned:?}");
            let read = Entry::decode(owned.key(), &owned.body().unwrap()).unwrap();
            assert_eq!(read, owned);
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
