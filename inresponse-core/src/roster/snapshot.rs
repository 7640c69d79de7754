//! A whole roster in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use chrono::NaiveDate;

use super::change::Was;
use super::derived::Derived;
use super::question::{Answers, Question};
use super::{
    Book, Directory, Effect, Entry, EntryKey, EntryKind, Heartbeat, Listed, QuietRules, RosterEdit, Rota,
    Standing, Target, Team, TeamPart,
};
use crate::model::{HeartbeatName, OwnerName, ServiceName, TeamName};

/// All entries of a roster, for rosters that keep them in memory.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Snapshot {
    services: BTreeMap<ServiceName, (TeamName, Option<OwnerName>)>,
    teams: BTreeMap<TeamName, Parts>,
    book: Arc<Book>,
    heartbeats: BTreeMap<HeartbeatName, Arc<Heartbeat>>,
    quiet: Derived<QuietRules>,
}

/// All entries of one team. A team without entries is not kept.
#[derive(Debug, Default, Clone, PartialEq)]
struct Parts {
    settings: Option<Arc<Team>>,
    days: BTreeMap<NaiveDate, Arc<Rota>>,
    owns: BTreeSet<ServiceName>,
    schedules: usize,
}

impl Parts {
    fn is_empty(&self) -> bool {
        self.settings.is_none() && self.days.is_empty() && self.owns.is_empty() && self.schedules == 0
    }
}

impl Snapshot {
    /// The team that owns a service.
    pub fn service(&self, service: &ServiceName) -> Option<&TeamName> {
        self.services.get(service).map(|(team, _)| team)
    }

    /// A team with its calendar entries from `first` to `last`, and the teams to which targets lead.
    pub fn directory(&self, team: &TeamName, first: NaiveDate, last: NaiveDate) -> Directory {
        let mut directory =
            Directory::new(team.clone(), self.part(team, first, last), Arc::clone(&self.book));
        loop {
            let missing = directory.teams_to_read();
            if missing.is_empty() {
                return directory;
            }
            for team in missing {
                let part = self.part(&team, first, last);
                directory.add(team, part);
            }
        }
    }

    fn part(&self, team: &TeamName, first: NaiveDate, last: NaiveDate) -> TeamPart {
        match self.teams.get(team) {
            None => TeamPart::unknown(),
            Some(parts) => TeamPart {
                settings: parts.settings.clone(),
                days: if first > last { BTreeMap::new() } else { copied(&parts.days, first, last) },
                standing: Standing::Known,
            },
        }
    }

    /// All people and schedules.
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// The silences and the alert hours.
    pub fn quiet(&self) -> &Arc<QuietRules> {
        self.quiet.shared(|| {
            let settings = |(team, parts): (&TeamName, &Parts)| {
                Some(Entry::Team { team: team.clone(), settings: parts.settings.clone()? })
            };
            let is_silence = |entry: &Entry| matches!(entry, Entry::Silence { .. });
            let teams = self.teams.iter().filter_map(settings);
            QuietRules::new(teams.chain(self.book.entries().filter(is_silence)))
        })
    }

    /// A page of entries; see [`Roster::entries`](super::Roster::entries).
    pub fn entries(&self, kind: EntryKind, after: Option<&EntryKey>, limit: usize) -> Vec<Listed> {
        match kind {
            EntryKind::Service => {
                let from = after_key(after, |key| match key {
                    EntryKey::Service(service) => Some(service),
                    _ => None,
                });
                let services = self.services.range::<ServiceName, _>((from, Bound::Unbounded));
                let entry = |(service, owned)| owned_service(service, owned).into();
                services.take(limit).map(entry).collect()
            }
            EntryKind::Team => {
                let from = after_key(after, |key| match key {
                    EntryKey::Team(team) => Some(team),
                    _ => None,
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
            EntryKind::Heartbeat => {
                let from = after_key(after, |key| match key {
                    EntryKey::Heartbeat(name) => Some(name),
                    _ => None,
                });
                let heartbeats = self.heartbeats.range::<HeartbeatName, _>((from, Bound::Unbounded));
                let entry = |(name, heartbeat): (&HeartbeatName, &Arc<Heartbeat>)| Entry::Heartbeat {
                    name: name.clone(),
                    heartbeat: heartbeat.clone(),
                };
                heartbeats.take(limit).map(entry).map(Listed::from).collect()
            }
            EntryKind::Person
            | EntryKind::Schedule
            | EntryKind::Override
            | EntryKind::Feed
            | EntryKind::Silence
            | EntryKind::Routes => {
                let entries = self.book.entries().filter(|entry| entry.key().kind() == kind);
                let entries = entries.filter(|entry| after.is_none_or(|after| entry.key() > *after));
                entries.take(limit).map(Listed::from).collect()
            }
        }
    }

    /// The entry with that key, if there is one.
    pub fn entry(&self, key: &EntryKey) -> Option<Entry> {
        match self.was(key) {
            Was::Entry(entry) => Some(entry),
            Was::Absent | Was::OnlyParts | Was::Unreadable => None,
        }
    }

    /// Answers a question of [`judge`](super::edit::judge).
    pub fn answer(&self, question: &Question, answers: &mut Answers) {
        let keys = match question {
            Question::Entry(key) => return answers.entry(key.clone(), self.was(key)),
            Question::Users(key) => self.users(key),
            Question::Parts(key) => self.book.parts(key),
            Question::OnCallOfDays { team, apart_from } => {
                let days = self.teams.get(team).into_iter().flat_map(|parts| &parts.days);
                let named: BTreeSet<_> = days
                    .filter(|(day, _)| !apart_from.contains(day))
                    .flat_map(|(_, rota)| rota.oncall())
                    .filter(|target| matches!(target, Target::Schedule { .. } | Target::Team(_)))
                    .filter_map(|target| EntryKey::named_by(target, team))
                    .collect();
                named.into_iter().collect()
            }
        };
        answers.keys(question.clone(), keys);
    }

    fn was(&self, key: &EntryKey) -> Was {
        let parts = key.team().and_then(|team| self.teams.get(team));
        let entry = match key {
            EntryKey::Service(service) => {
                self.services.get(service).map(|owned| owned_service(service, owned))
            }
            EntryKey::Team(team) => parts
                .and_then(|parts| parts.settings.clone())
                .map(|settings| Entry::Team { team: team.clone(), settings }),
            EntryKey::Day(team, day) => parts
                .and_then(|parts| parts.days.get(day).cloned())
                .map(|rota| Entry::Day { team: team.clone(), day: *day, rota }),
            EntryKey::Person(_)
            | EntryKey::Schedule(..)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Silence(_)
            | EntryKey::Routes => self.book.entry(key),
            EntryKey::Heartbeat(name) => self
                .heartbeats
                .get(name)
                .map(|heartbeat| Entry::Heartbeat { name: name.clone(), heartbeat: heartbeat.clone() }),
        };
        let has_parts = matches!(key, EntryKey::Team(_))
            && parts.is_some_and(|parts| !parts.days.is_empty() || parts.schedules > 0);
        let none = if has_parts { Was::OnlyParts } else { Was::Absent };
        entry.map_or(none, Was::Entry)
    }

    /// Entries that use a name.
    fn users(&self, key: &EntryKey) -> Vec<EntryKey> {
        let owned = match key {
            EntryKey::Team(team) => self.teams.get(team),
            _ => None,
        };
        let services = owned.into_iter().flat_map(|parts| &parts.owns).cloned().map(EntryKey::Service);
        let uses = |entry: &Entry| entry.uses().contains(key);
        let teams = self.teams.iter().flat_map(|(team, parts)| {
            let settings = parts
                .settings
                .iter()
                .map(|settings| Entry::Team { team: team.clone(), settings: settings.clone() });
            let days = parts.days.iter().map(|(day, rota)| Entry::Day {
                team: team.clone(),
                day: *day,
                rota: rota.clone(),
            });
            settings.chain(days)
        });
        let is_other = |user: &EntryKey| user != key && !user.is_inside(key);
        let teams = teams.filter(uses).map(|entry| entry.key()).filter(is_other);
        let heartbeats = self.heartbeats.iter().filter(|(_, heartbeat)| match key {
            EntryKey::Service(service) => heartbeat.service() == service,
            _ => false,
        });
        let heartbeats = heartbeats.map(|(name, _)| EntryKey::Heartbeat(name.clone()));
        services.chain(teams).chain(self.book.users(key)).chain(heartbeats).collect()
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

    /// Adds or replaces an entry.
    pub fn put(&mut self, entry: Entry) {
        self.forget_rules(&entry.key());
        match entry {
            Entry::Service { service, team, owner } => {
                self.disown(&service);
                self.teams.entry(team.clone()).or_default().owns.insert(service.clone());
                self.services.insert(service, (team, owner));
            }
            Entry::Team { team, settings } => {
                self.teams.entry(team).or_default().settings = Some(settings);
            }
            Entry::Day { team, day, rota } => {
                self.teams.entry(team).or_default().days.insert(day, rota);
            }
            Entry::Heartbeat { name, heartbeat } => _ = self.heartbeats.insert(name, heartbeat),
            entry @ (Entry::Person { .. }
            | Entry::Schedule { .. }
            | Entry::Override { .. }
            | Entry::Feed { .. }
            | Entry::Silence { .. }
            | Entry::Routes(_)) => {
                let team = entry.key().team().cloned();
                Arc::make_mut(&mut self.book).put(entry);
                if let Some(team) = team {
                    self.count_schedules(&team);
                }
            }
        }
    }

    /// A team or a silence changes, so the rules are computed again.
    fn forget_rules(&mut self, key: &EntryKey) {
        if matches!(key, EntryKey::Team(_) | EntryKey::Silence(_)) {
            self.quiet = Derived::default();
        }
    }

    /// A team with a schedule is known.
    fn count_schedules(&mut self, team: &TeamName) {
        let schedules = self.book.timetables(team).count();
        if schedules > 0 {
            self.teams.entry(team.clone()).or_default().schedules = schedules;
        } else {
            self.change(team, |parts| parts.schedules = 0);
        }
    }

    fn delete(&mut self, key: &EntryKey) {
        self.forget_rules(key);
        match key {
            EntryKey::Service(service) => self.disown(service),
            EntryKey::Team(team) => {
                Arc::make_mut(&mut self.book).delete(key);
                self.change(team, |parts| {
                    parts.settings = None;
                    parts.days.clear();
                    parts.schedules = 0;
                });
            }
            EntryKey::Day(team, day) => self.change(team, |parts| _ = parts.days.remove(day)),
            EntryKey::Person(_) | EntryKey::Silence(_) | EntryKey::Routes => {
                Arc::make_mut(&mut self.book).delete(key)
            }
            EntryKey::Schedule(team, _) | EntryKey::Override(team, ..) | EntryKey::Feed(team, ..) => {
                Arc::make_mut(&mut self.book).delete(key);
                self.count_schedules(team);
            }
            EntryKey::Heartbeat(name) => _ = self.heartbeats.remove(name),
        }
    }

    fn disown(&mut self, service: &ServiceName) {
        if let Some((team, _)) = self.services.remove(service) {
            self.change(&team, |parts| _ = parts.owns.remove(service));
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

fn owned_service(service: &ServiceName, (team, owner): &(TeamName, Option<OwnerName>)) -> Entry {
    Entry::service(service, team).owned_by(owner.clone())
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
