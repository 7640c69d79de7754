//! All people, schedules, silences and routing rules of a roster.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::derived::Derived;
use super::known::KnownPeople;
use super::{Entry, EntryKey, FeedCopy, FeedId, Override, Profile, Routes, Schedule, Silence};
use crate::model::{Contact, OverrideId, Person, PersonId, ScheduleName, SilenceId, TeamName};

/// The people and the schedules of a whole roster, with their overrides and the copies of their feeds, the silences and the
/// routing rules.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Book {
    people: BTreeMap<PersonId, Arc<Profile>>,
    schedules: BTreeMap<TeamName, BTreeMap<ScheduleName, Timetable>>,
    silences: BTreeMap<SilenceId, Arc<Silence>>,
    routes: Option<Arc<Routes>>,
    known: Derived<KnownPeople>,
}

/// A schedule with everything that says who is on call in it.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Timetable {
    schedule: Option<Arc<Schedule>>,
    overrides: BTreeMap<OverrideId, Arc<Override>>,
    copies: BTreeMap<FeedId, Arc<FeedCopy>>,
}

impl Timetable {
    /// The schedule; `None` only if its entry cannot be read.
    pub fn schedule(&self) -> Option<&Arc<Schedule>> {
        self.schedule.as_ref()
    }

    /// The overrides by their ids.
    pub fn overrides(&self) -> &BTreeMap<OverrideId, Arc<Override>> {
        &self.overrides
    }

    /// The last good copy of a feed.
    pub fn copy(&self, feed: &FeedId) -> Option<&Arc<FeedCopy>> {
        self.copies.get(feed)
    }

    /// The copies of feeds by the feeds' ids.
    pub fn copies(&self) -> &BTreeMap<FeedId, Arc<FeedCopy>> {
        &self.copies
    }

    fn is_empty(&self) -> bool {
        self.schedule.is_none() && self.overrides.is_empty() && self.copies.is_empty()
    }
}

impl Book {
    /// A person.
    pub fn person(&self, person: &PersonId) -> Option<&Arc<Profile>> {
        self.people.get(person)
    }

    /// All people in the order of their ids.
    pub fn people(&self) -> &BTreeMap<PersonId, Arc<Profile>> {
        &self.people
    }

    /// People, indexed by the names that calendars may use for them.
    pub(super) fn known(&self) -> &KnownPeople {
        self.known.get(|| KnownPeople::new(&self.people))
    }

    /// A schedule of a team.
    pub fn timetable(&self, team: &TeamName, schedule: &ScheduleName) -> Option<&Timetable> {
        self.schedules.get(team)?.get(schedule)
    }

    /// The schedules of a team in the order of their names.
    pub fn timetables(&self, team: &TeamName) -> impl Iterator<Item = (&ScheduleName, &Timetable)> {
        self.schedules.get(team).into_iter().flatten()
    }

    /// All schedules in the order of their teams and names.
    pub fn schedules(&self) -> impl Iterator<Item = (&TeamName, &ScheduleName, &Timetable)> {
        self.schedules
            .iter()
            .flat_map(|(team, of)| of.iter().map(move |(name, timetable)| (team, name, timetable)))
    }

    /// The routing rules, if there are any.
    pub fn routes(&self) -> Option<&Arc<Routes>> {
        self.routes.as_ref()
    }

    /// The person with that address: promise 6. `None` if nobody or more than one person has it.
    pub fn person_at(&self, contact: &Contact) -> Option<&PersonId> {
        let mut having =
            self.people.iter().filter(|(_, profile)| profile.methods().values().any(|c| c == contact));
        match (having.next(), having.next()) {
            (Some((person, _)), None) => Some(person),
            (_, _) => None,
        }
    }

    /// The person whom a name or an address means: promise 6. A name that is not in the roster stays as it is.
    pub fn identify(&self, named: &Person) -> Person {
        let id = PersonId::new(named.as_str()).ok();
        if id.is_some_and(|id| self.people.contains_key(&id)) {
            return named.clone();
        }
        let person = named.contact().and_then(|contact| self.person_at(&contact).map(Person::from));
        person.unwrap_or_else(|| named.clone())
    }

    /// The entry with that key, if the book has it.
    pub fn entry(&self, key: &EntryKey) -> Option<Entry> {
        match key {
            EntryKey::Service(_) | EntryKey::Team(_) | EntryKey::Day(..) | EntryKey::Heartbeat(_) => None,
            EntryKey::Person(person) => {
                let profile = self.people.get(person)?.clone();
                Some(Entry::Person { person: person.clone(), profile })
            }
            EntryKey::Schedule(team, name) => {
                let schedule = self.timetable(team, name)?.schedule.clone()?;
                Some(Entry::Schedule { team: team.clone(), name: name.clone(), schedule })
            }
            EntryKey::Override(team, schedule, id) => {
                let stand_in = self.timetable(team, schedule)?.overrides.get(id)?.clone();
                let (team, schedule) = (team.clone(), schedule.clone());
                Some(Entry::Override { team, schedule, id: id.clone(), stand_in })
            }
            EntryKey::Feed(team, schedule, feed) => {
                let copy = self.timetable(team, schedule)?.copies.get(feed)?.clone();
                let (team, schedule) = (team.clone(), schedule.clone());
                Some(Entry::Feed { team, schedule, feed: feed.clone(), copy })
            }
            EntryKey::Silence(id) => {
                Some(Entry::Silence { id: id.clone(), silence: self.silences.get(id)?.clone() })
            }
            EntryKey::Routes => self.routes.clone().map(Entry::Routes),
        }
    }

    /// All entries of the book, in the order of their keys within each kind.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let people = self
            .people
            .iter()
            .map(|(person, profile)| Entry::Person { person: person.clone(), profile: profile.clone() });
        let schedules = self.schedules().flat_map(|(team, name, timetable)| {
            let schedule = timetable.schedule.iter().map(|schedule| Entry::Schedule {
                team: team.clone(),
                name: name.clone(),
                schedule: schedule.clone(),
            });
            let overrides = timetable.overrides.iter().map(|(id, stand_in)| Entry::Override {
                team: team.clone(),
                schedule: name.clone(),
                id: id.clone(),
                stand_in: stand_in.clone(),
            });
            let copies = timetable.copies.iter().map(|(feed, copy)| Entry::Feed {
                team: team.clone(),
                schedule: name.clone(),
                feed: feed.clone(),
                copy: copy.clone(),
            });
            schedule.chain(overrides).chain(copies).collect::<Vec<_>>()
        });
        let silences =
            self.silences.iter().map(|(id, one)| Entry::Silence { id: id.clone(), silence: one.clone() });
        people.chain(schedules).chain(silences).chain(self.routes.clone().map(Entry::Routes))
    }

    /// The schedules of a team, or the overrides of a schedule.
    pub fn parts(&self, key: &EntryKey) -> Vec<EntryKey> {
        match key {
            EntryKey::Team(team) => self
                .timetables(team)
                .map(|(name, _)| EntryKey::Schedule(team.clone(), name.clone()))
                .collect(),
            EntryKey::Schedule(team, name) => {
                let overrides = self.timetable(team, name).into_iter();
                let overrides = overrides.flat_map(|timetable| timetable.overrides().keys());
                overrides.map(|id| EntryKey::Override(team.clone(), name.clone(), id.clone())).collect()
            }
            EntryKey::Service(_)
            | EntryKey::Day(..)
            | EntryKey::Person(_)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Heartbeat(_)
            | EntryKey::Silence(_)
            | EntryKey::Routes => Vec::new(),
        }
    }

    /// The entries of the book that use an entry, without the entry's own parts.
    pub fn users<'a>(&'a self, key: &'a EntryKey) -> impl Iterator<Item = EntryKey> + 'a {
        let users = self.entries().filter(|entry| entry.uses().contains(key)).map(|entry| entry.key());
        users.filter(move |user| user != key && !user.is_inside(key))
    }

    /// Everything that is deleted together with an entry.
    pub fn inside<'a>(&'a self, key: &'a EntryKey) -> impl Iterator<Item = EntryKey> + 'a {
        self.entries().map(|entry| entry.key()).filter(move |inner| inner.is_inside(key))
    }

    /// Puts an entry. Services, teams, days and heartbeats are not in a book and change nothing.
    pub fn put(&mut self, entry: Entry) {
        match entry {
            Entry::Service { .. } | Entry::Team { .. } | Entry::Day { .. } | Entry::Heartbeat { .. } => {}
            Entry::Person { person, profile } => {
                self.known = Derived::default();
                self.people.insert(person, profile);
            }
            Entry::Schedule { team, name, schedule } => {
                self.made(team, name).schedule = Some(schedule);
            }
            Entry::Override { team, schedule, id, stand_in } => {
                self.made(team, schedule).overrides.insert(id, stand_in);
            }
            Entry::Feed { team, schedule, feed, copy } => {
                self.made(team, schedule).copies.insert(feed, copy);
            }
            Entry::Silence { id, silence } => _ = self.silences.insert(id, silence),
            Entry::Routes(routes) => self.routes = Some(routes),
        }
    }

    fn made(&mut self, team: TeamName, schedule: ScheduleName) -> &mut Timetable {
        self.schedules.entry(team).or_default().entry(schedule).or_default()
    }

    /// Deletes an entry with everything that belongs to it: a team's schedules, a schedule's overrides and copies.
    pub fn delete(&mut self, key: &EntryKey) {
        match key {
            EntryKey::Service(_) | EntryKey::Day(..) | EntryKey::Heartbeat(_) => {}
            EntryKey::Team(team) => _ = self.schedules.remove(team),
            EntryKey::Person(person) => {
                self.known = Derived::default();
                self.people.remove(person);
            }
            EntryKey::Schedule(team, name) => self.change(team, name, |timetable| {
                *timetable = Timetable::default();
            }),
            EntryKey::Override(team, name, id) => {
                self.change(team, name, |timetable| _ = timetable.overrides.remove(id));
            }
            EntryKey::Feed(team, name, feed) => {
                self.change(team, name, |timetable| _ = timetable.copies.remove(feed));
            }
            EntryKey::Silence(id) => _ = self.silences.remove(id),
            EntryKey::Routes => self.routes = None,
        }
    }

    fn change(&mut self, team: &TeamName, name: &ScheduleName, change: impl FnOnce(&mut Timetable)) {
        let Some(of) = self.schedules.get_mut(team) else { return };
        let Some(timetable) = of.get_mut(name) else { return };
        change(timetable);
        if timetable.is_empty() {
            of.remove(name);
        }
        if of.is_empty() {
            self.schedules.remove(team);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MethodName;

    fn book(people: &[(&str, &[&str])]) -> Book {
        let mut book = Book::default();
        for (name, addresses) in people {
            let method = |(i, address): (usize, &&str)| {
                (MethodName::new(format!("method {i}")).unwrap(), Contact::new(*address).unwrap())
            };
            let methods = addresses.iter().enumerate().map(method).collect();
            let profile = Profile::builder(methods).build().unwrap();
            book.put(Entry::person(&PersonId::new(name).unwrap(), profile));
        }
        book
    }

    #[test]
    fn p06_an_address_stands_for_a_person_if_only_that_person_has_it() {
        let book = book(&[
            ("ann", &["ann@example.org", "sms:+301"]),
            ("jo", &["jo@example.org", "tel:+302", "sms:+301"]),
            ("kim", &["kim@example.org", "kim@example.org"]),
            ("lee", &[]),
        ]);
        let cases = [
            ("jo@example.org", Some("jo")),
            ("Jo@Example.org", None),
            ("jo@EXAMPLE.org", Some("jo")),
            ("tel:+302", Some("jo")),
            // The same number over another channel is another address.
            ("sms:+302", None),
            // Two people share it.
            ("sms:+301", None),
            // One person has it twice.
            ("kim@example.org", Some("kim")),
            ("lee@example.org", None),
        ];
        for (address, expected) in cases {
            let found = book.person_at(&Contact::new(address).unwrap());
            assert_eq!(found.map(PersonId::as_str), expected, "{address}");
        }
    }

    #[test]
    fn p06_a_name_and_an_address_mean_the_same_person() {
        let book = book(&[
            ("ann", &["ann@example.org", "sms:+301"]),
            ("jo", &["jo@example.org", "tel:+302", "sms:+301"]),
        ]);
        let cases = [
            ("jo", "jo"),
            ("jo@example.org", "jo"),
            ("mailto:jo@example.org", "jo"),
            ("tel:+302", "jo"),
            ("sms:+301", "sms:+301"),
            ("Jo", "Jo"),
            ("lee", "lee"),
            ("lee@example.org", "lee@example.org"),
            ("the night shift", "the night shift"),
        ];
        for (named, expected) in cases {
            let person = book.identify(&Person::new(named).unwrap());
            assert_eq!(person.as_str(), expected, "{named}");
            assert_eq!(book.identify(&person), person, "{named} is found again");
        }
    }

    #[test]
    fn what_belongs_to_a_deleted_entry_goes_with_it() {
        let key = |kind: &str, team: &str, name: &str| {
            EntryKey::from_parts(kind.parse().unwrap(), team, name).unwrap()
        };
        let body = |key: &EntryKey| match key {
            EntryKey::Schedule(..) => r#"{"timezone":"UTC","layers":[]}"#,
            EntryKey::Override(..) => r#"{"from":"2026-12-07","to":"2026-12-08","oncall":[]}"#,
            _ => r#"{"events":[]}"#,
        };
        let keys = [
            key("schedule", "a", "x"),
            key("override", "a", "x/1"),
            key("feed", "a", "x/0123456789abcdef"),
            key("schedule", "a", "y"),
            key("override", "a", "y/1"),
            key("schedule", "b", "x"),
            key("override", "b", "x/1"),
        ];
        let mut book = Book::default();
        keys.iter().for_each(|key| book.put(Entry::decode(key.clone(), body(key)).unwrap()));
        let left = |book: &Book| book.entries().map(|entry| entry.key()).collect::<Vec<_>>();
        assert_eq!(left(&book), keys);
        book.delete(&keys[0]);
        assert_eq!(left(&book), keys[3..]);
        book.delete(&keys[4]);
        book.delete(&keys[6]);
        assert_eq!(left(&book), [keys[3].clone(), keys[5].clone()]);
        book.delete(&key("team", "b", ""));
        assert_eq!(left(&book), keys[3..4]);
        book.delete(&keys[3]);
        assert_eq!(book, Book::default(), "nothing empty is kept");
    }
}
