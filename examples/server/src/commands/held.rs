//! Reads the roster of a server.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use inresponse_client::{
    Client, ClientError, ClientErrorKind, Contacts, Day, DayEntry, Heartbeat, HeartbeatEntry, Levels,
    Override, OverrideEntry, Owner, Person, PersonEntry, Routes, RoutesEntry, Schedule, ScheduleEntry,
    Service, Silence, SilenceEntry, Team, TeamSettings,
};
use inresponse_core::InvalidInput;
use inresponse_core::model::{
    HeartbeatName, OverrideId, PersonId, ScheduleName, ServiceName, SilenceId, TeamName,
};
use inresponse_core::roster::{Entry, EntryKey, Snapshot, Target, Zone};
use inresponse_http::entries;

use super::Failure;
use super::paged::pages;
use crate::config::{Given, masked_schedule};

/// The maximum number of concurrent requests.
const AT_ONCE: usize = 8;

/// The roster of a server, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Held {
    entries: BTreeMap<EntryKey, (Entry, Given)>,
    /// All teams that the server knows, with or without settings.
    teams: BTreeSet<TeamName>,
    /// The teams whose calendars were read.
    calendars: BTreeSet<TeamName>,
}

impl Held {
    /// Everything but calendars.
    pub(super) async fn read(client: &Client) -> Result<Self, Failure> {
        let mut held = Self::default();
        for person in pages!(people, |cursor| client.people(cursor)) {
            held.person(person)?;
        }
        for team in pages!(teams, |cursor| client.teams(cursor)) {
            let name = understood("team", &team.team, TeamName::new(&team.team))?;
            if let Some(settings) = team.settings {
                held.team(&name, settings)?;
            }
            held.teams.insert(name);
        }
        for service in pages!(services, |cursor| client.services(cursor)) {
            held.service(service)?;
        }
        let mut cursor = None::<String>;
        loop {
            let page = match client.heartbeats(cursor.as_deref()).await {
                Ok(page) => page,
                // An older server has no heartbeats.
                Err(error) if error.kind() == ClientErrorKind::NotFound => break,
                Err(error) => return Err(error.into()),
            };
            for heartbeat in page.heartbeats {
                held.heartbeat(heartbeat)?;
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        for silence in pages!(silences, |cursor| client.silences(cursor)) {
            held.silence(silence)?;
        }
        match client.routes().await {
            Ok(routes) => held.routes(routes)?,
            // An older server has no routing rules.
            Err(error) if error.kind() == ClientErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let teams: Vec<TeamName> = held.teams.iter().cloned().collect();
        let schedules = stream::iter(teams).map(|team| schedules(client, team)).buffered(AT_ONCE);
        for (team, schedules) in schedules.try_collect::<Vec<_>>().await? {
            for (schedule, overrides) in schedules {
                held.schedule(&team, schedule, overrides)?;
            }
        }
        Ok(held)
    }

    /// Reads the calendars of these teams, unless they were read already.
    pub(super) async fn read_calendars(
        &mut self,
        client: &Client,
        teams: impl IntoIterator<Item = TeamName>,
    ) -> Result<(), Failure> {
        let left: BTreeSet<TeamName> =
            teams.into_iter().filter(|team| !self.calendars.contains(team)).collect();
        let calendars = stream::iter(left).map(|team| calendar(client, team)).buffered(AT_ONCE);
        for (team, days) in calendars.try_collect::<Vec<_>>().await? {
            for day in days {
                self.day(&team, day)?;
            }
            self.calendars.insert(team);
        }
        Ok(())
    }

    /// All teams that the server knows.
    pub(super) fn teams(&self) -> &BTreeSet<TeamName> {
        &self.teams
    }

    /// An entry.
    pub(super) fn entry(&self, key: &EntryKey) -> Option<&Entry> {
        self.entries.get(key).map(|(entry, _)| entry)
    }

    /// An entry in the form of a request.
    pub(super) fn given(&self, key: &EntryKey) -> Option<&Given> {
        self.entries.get(key).map(|(_, given)| given)
    }

    /// All entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&EntryKey, &Entry, &Given)> {
        self.entries.iter().map(|(key, (entry, given))| (key, entry, given))
    }

    /// The roster as a snapshot in memory.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (entry, _) in self.entries.values() {
            snapshot.put(entry.clone());
        }
        snapshot
    }

    fn keep(&mut self, given: Given, entry: Result<Entry, InvalidInput>, what: &str) -> Result<(), Failure> {
        let entry = understood(what, "", entry)?;
        self.entries.insert(entry.key(), (entry, given));
        Ok(())
    }

    fn service(&mut self, service: Service) -> Result<(), Failure> {
        let name = understood("service", &service.service, ServiceName::new(&service.service))?;
        let given = Owner::from(service);
        let entry = entries::service(&name, given.clone());
        self.keep(Given::Service(given), entry, &format!("service {name}"))
    }

    fn heartbeat(&mut self, heartbeat: Heartbeat) -> Result<(), Failure> {
        let named = HeartbeatName::new(&heartbeat.heartbeat);
        let name = understood("heartbeat", &heartbeat.heartbeat, named)?;
        let given = HeartbeatEntry::from(heartbeat);
        let entry = entries::heartbeat(&name, given.clone());
        self.keep(Given::Heartbeat(given), entry, &format!("heartbeat {name}"))
    }

    fn silence(&mut self, silence: Silence) -> Result<(), Failure> {
        let id = understood("silence", &silence.id, SilenceId::new(&silence.id))?;
        let from = silence.from;
        let given = SilenceEntry::from(silence);
        let entry = entries::silence(&id, given.clone(), from);
        self.keep(Given::Silence(given), entry, &format!("silence {id}"))
    }

    fn routes(&mut self, routes: Routes) -> Result<(), Failure> {
        // A server that has no rules has no entry either.
        if routes == Routes::default() {
            return Ok(());
        }
        let given = RoutesEntry::from(routes);
        let entry = entries::routes(given.clone());
        self.keep(Given::Routes(given), entry, "the routing rules")
    }

    fn team(&mut self, name: &TeamName, team: Team) -> Result<(), Failure> {
        let given = TeamSettings::from(team);
        let entry = entries::team(name, given.clone());
        self.keep(Given::Team(given), entry, &format!("team {name}"))
    }

    fn day(&mut self, team: &TeamName, day: Day) -> Result<(), Failure> {
        let date = day.day;
        let given = DayEntry::from(day);
        let entry = entries::day(team, date, &given);
        self.keep(Given::Day(given), entry, &format!("day {date} of {team}"))
    }

    fn person(&mut self, person: Person) -> Result<(), Failure> {
        let name = understood("person", &person.person, PersonId::new(&person.person))?;
        if person.methods.values().any(|method| method.contains('…')) {
            let why = "the key may not read addresses: it needs the scope `admin`";
            return Err(Failure::Refused(why.to_owned()));
        }
        let given = PersonEntry::from(person);
        let entry = entries::person(&name, given.clone());
        self.keep(Given::Person(given), entry, &format!("person {name}"))
    }

    fn schedule(
        &mut self,
        team: &TeamName,
        schedule: Schedule,
        overrides: Vec<Override>,
    ) -> Result<(), Failure> {
        let name = understood("schedule", &schedule.schedule, ScheduleName::new(&schedule.schedule))?;
        let given = ScheduleEntry::from(schedule);
        let zone = given.timezone.as_deref().map_or_else(|| Ok(Zone::utc()), Zone::new);
        let zone = understood("schedule", name.as_str(), zone)?;
        let entry = masked_schedule(team, &name, given.clone());
        self.keep(Given::Schedule(given), entry, &format!("schedule {name} of {team}"))?;
        for one in overrides {
            let id = understood("override", &one.id, OverrideId::new(&one.id))?;
            let given = OverrideEntry::from(one);
            let entry = entries::stand_in(team, &name, &id, &given, &zone);
            self.keep(Given::Override(given), entry, &format!("override {id} of schedule {name} of {team}"))?;
        }
        Ok(())
    }
}

/// A newer server may return values that this version does not know.
fn understood<T>(kind: &str, name: &str, read: Result<T, InvalidInput>) -> Result<T, Failure> {
    read.map_err(|error| {
        Failure::Refused(format!("this version does not understand the server's {kind} {name}: {error}"))
    })
}

type WithOverrides = Vec<(Schedule, Vec<Override>)>;

async fn schedules(client: &Client, team: TeamName) -> Result<(TeamName, WithOverrides), ClientError> {
    let mut all = Vec::new();
    for schedule in client.schedules(team.as_str()).await?.schedules {
        let overrides = client.overrides(team.as_str(), &schedule.schedule).await?.overrides;
        all.push((schedule, overrides));
    }
    Ok((team, all))
}

async fn calendar(client: &Client, team: TeamName) -> Result<(TeamName, Vec<Day>), ClientError> {
    let days = pages!(days, |cursor| client.calendar(team.as_str(), cursor));
    Ok((team, days))
}

/// A day in the form of a request.
pub(super) fn day_given(oncall: &[Target], escalation: &[Vec<Target>]) -> DayEntry {
    DayEntry::new(texts(oncall), escalation.iter().map(|level| texts(level)).collect())
}

pub(super) fn texts(targets: &[Target]) -> Vec<String> {
    targets.iter().map(Target::to_string).collect()
}

/// One text, or several.
pub(super) fn shortest(contacts: &Contacts) -> Contacts {
    match contacts.texts() {
        [one] => Contacts::One(one.clone()),
        many => Contacts::Many(many.to_vec()),
    }
}

/// Each level with one text or several.
pub(super) fn shortest_levels(levels: &Levels) -> Levels {
    let level = |texts: &[String]| shortest(&Contacts::Many(texts.to_vec()));
    Levels::Many(levels.texts().into_iter().map(level).collect())
}
