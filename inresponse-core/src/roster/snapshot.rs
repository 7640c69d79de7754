//! A whole roster in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use chrono::NaiveDate;

use super::change::Was;
use super::edit::{Looked, MAX_USERS};
use super::{Directory, Effect, Entry, EntryKey, EntryKind, Listed, RosterEdit, Rota, Standing, Team};
use crate::model::{ServiceName, TeamName};

/// All entries, for rosters that hold them in memory.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Snapshot {
    services: BTreeMap<ServiceName, TeamName>,
    teams: BTreeMap<TeamName, Parts>,
}

/// What there is of a team. A team of which there is nothing is not listed.
#[derive(Debug, Default, Clone, PartialEq)]
struct Parts {
    settings: Option<Arc<Team>>,
    days: BTreeMap<NaiveDate, Arc<Rota>>,
    owns: BTreeSet<ServiceName>,
}

impl Parts {
    fn is_empty(&self) -> bool {
        self.settings.is_none() && self.days.is_empty() && self.owns.is_empty()
    }
}

impl Snapshot {
    /// The team that owns a service.
    pub fn service(&self, service: &ServiceName) -> Option<&TeamName> {
        self.services.get(service)
    }

    /// A team with its calendar entries from `first` to `last`.
    pub fn directory(&self, team: &TeamName, first: NaiveDate, last: NaiveDate) -> Directory {
        match self.teams.get(team) {
            None => Directory::unknown(team.clone()),
            Some(parts) => {
                let days = if first > last { BTreeMap::new() } else { copied(&parts.days, first, last) };
                Directory::new(team.clone(), parts.settings.clone(), days, Standing::Known)
            }
        }
    }

    /// A page of entries; see [`Roster::entries`](super::Roster::entries).
    pub fn entries(&self, kind: EntryKind, after: Option<&EntryKey>, limit: usize) -> Vec<Listed> {
        match kind {
            EntryKind::Service => {
                let from = after_key(after, |key| match key {
                    EntryKey::Service(service) => Some(service),
                    EntryKey::Team(_) | EntryKey::Day(..) => None,
                });
                let services = self.services.range::<ServiceName, _>((from, Bound::Unbounded));
                services.take(limit).map(|(service, team)| Entry::service(service, team).into()).collect()
            }
            EntryKind::Team => {
                let from = after_key(after, |key| match key {
                    EntryKey::Team(team) => Some(team),
                    EntryKey::Service(_) | EntryKey::Day(..) => None,
                });
                let teams = self.teams.range::<TeamName, _>((from, Bound::Unbounded)).take(limit);
                teams
                    .map(|(team, parts)| Listed {
                        key: EntryKey::Team(team.clone()),
                        entry: parts
                            .settings
                            .clone()
                            .map(|settings| Entry::Team { team: team.clone(), settings }),
                    })
                    .collect()
            }
            EntryKind::Day => {
                let days = self.teams.iter().flat_map(|(team, parts)| {
                    let entry = |(day, rota): (&NaiveDate, &Arc<Rota>)| Entry::Day {
                        team: team.clone(),
                        day: *day,
                        rota: rota.clone(),
                    };
                    parts.days.iter().map(entry)
                });
                let days = days.filter(|entry| after.is_none_or(|after| entry.key() > *after));
                days.take(limit).map(Listed::from).collect()
            }
        }
    }

    /// What [`judge`](super::edit::judge) must know of an edit.
    pub fn look(&self, edit: &RosterEdit) -> Looked {
        let key = edit.key();
        let parts = key.team().and_then(|team| self.teams.get(team));
        let was = match &key {
            EntryKey::Service(service) => {
                self.services.get(service).map(|team| Entry::service(service, team))
            }
            EntryKey::Team(team) => parts
                .and_then(|parts| parts.settings.clone())
                .map(|settings| Entry::Team { team: team.clone(), settings }),
            EntryKey::Day(team, day) => parts
                .and_then(|parts| parts.days.get(day).cloned())
                .map(|rota| Entry::Day { team: team.clone(), day: *day, rota }),
        };
        let has_days = matches!(key, EntryKey::Team(_)) && parts.is_some_and(|parts| !parts.days.is_empty());
        let none = if has_days { Was::OnlyParts } else { Was::Absent };
        let users = match (edit, &key) {
            (RosterEdit::Delete(_), EntryKey::Team(_)) => parts.map_or_else(Vec::new, |parts| {
                parts.owns.iter().take(MAX_USERS).cloned().map(EntryKey::Service).collect()
            }),
            (RosterEdit::Put(_) | RosterEdit::Delete(_), _) => Vec::new(),
        };
        Looked { was: was.map_or(none, Was::Entry), users }
    }

    /// Makes the edits whose effect changes something.
    pub fn apply(&mut self, edits: &[RosterEdit], effects: &[Effect]) {
        for (edit, effect) in edits.iter().zip(effects) {
            if effect.changes() {
                match edit {
                    RosterEdit::Put(entry) => self.put(entry.clone()),
                    RosterEdit::Delete(key) => self.delete(key),
                }
            }
        }
    }

    /// Puts an entry.
    pub fn put(&mut self, entry: Entry) {
        match entry {
            Entry::Service { service, team } => {
                self.disown(&service);
                self.teams.entry(team.clone()).or_default().owns.insert(service.clone());
                self.services.insert(service, team);
            }
            Entry::Team { team, settings } => {
                self.teams.entry(team).or_default().settings = Some(settings);
            }
            Entry::Day { team, day, rota } => {
                self.teams.entry(team).or_default().days.insert(day, rota);
            }
        }
    }

    fn delete(&mut self, key: &EntryKey) {
        match key {
            EntryKey::Service(service) => self.disown(service),
            EntryKey::Team(team) => self.change(team, |parts| {
                parts.settings = None;
                parts.days.clear();
            }),
            EntryKey::Day(team, day) => self.change(team, |parts| _ = parts.days.remove(day)),
        }
    }

    fn disown(&mut self, service: &ServiceName) {
        if let Some(owner) = self.services.remove(service) {
            self.change(&owner, |parts| _ = parts.owns.remove(service));
        }
    }

    fn change(&mut self, team: &TeamName, change: impl FnOnce(&mut Parts)) {
        if let Some(parts) = self.teams.get_mut(team) {
            change(parts);
            if parts.is_empty() {
                self.teams.remove(team);
            }
        }
    }
}

fn copied(
    days: &BTreeMap<NaiveDate, Arc<Rota>>,
    first: NaiveDate,
    last: NaiveDate,
) -> BTreeMap<NaiveDate, Arc<Rota>> {
    days.range(first..=last).map(|(day, rota)| (*day, rota.clone())).collect()
}

fn after_key<'k, K>(
    after: Option<&'k EntryKey>,
    name: impl FnOnce(&'k EntryKey) -> Option<&'k K>,
) -> Bound<&'k K> {
    after.and_then(name).map_or(Bound::Unbounded, Bound::Excluded)
}
