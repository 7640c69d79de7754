//! The roster as plain data: as the checker reads it, and in the form of the core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::model::{Contact, ServiceName, Severity, TeamName, Zone};
use inresponse_core::roster::{
    Book, Effect, Entry, EntryKey, Hours, RosterEdit, Rota, Snapshot, Target, Team, TeamLevel,
};

use crate::local_time::Clocks;

/// The roster as plain data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roster {
    /// The team that owns each service.
    pub services: BTreeMap<String, String>,
    /// The teams by name.
    pub teams: BTreeMap<String, TeamPlan>,
    /// People, schedules and overrides. The core's type only holds them here.
    pub book: Arc<Book>,
}

/// A team as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamPlan {
    /// The index of the team's zone in [`ZONES`].
    pub zone: usize,
    /// The wait of a level that has none of its own.
    pub wait: Duration,
    /// The number of further rounds.
    pub repeat: u32,
    /// The fallback.
    pub fallback: Vec<Contact>,
    /// The levels that each severity alerts, if not all.
    pub alert_levels: BTreeMap<Severity, Vec<u16>>,
    /// The hours in which each severity alerts, if not always.
    pub alert_hours: BTreeMap<Severity, Vec<Hours>>,
    /// The levels of each day.
    pub calendar: BTreeMap<NaiveDate, Vec<Vec<Target>>>,
    /// The levels on days without a calendar entry.
    pub levels: Vec<TeamLevel>,
    /// How long a claim lasts, if claims end.
    pub claim_timeout: Option<Duration>,
}

/// Time zones and their clocks. So local times can be computed without tables.
pub const ZONES: [(&str, Clocks); 6] = [
    ("UTC", Clocks::Fixed(0)),
    ("Pacific/Kiritimati", Clocks::Fixed(14 * 60)),
    ("Pacific/Pago_Pago", Clocks::Fixed(-11 * 60)),
    ("Asia/Kathmandu", Clocks::Fixed(5 * 60 + 45)),
    ("Asia/Tokyo", Clocks::Fixed(9 * 60)),
    ("Europe/Athens", Clocks::European(2 * 60)),
];

/// The number of zones, at the beginning of [`ZONES`], that have no summer time.
pub const WITHOUT_SUMMER_TIME: usize = 5;

static PARSED_ZONES: LazyLock<Vec<Zone>> = LazyLock::new(|| {
    ZONES.iter().map(|(name, _)| Zone::new(name).expect("a time zone of the database")).collect()
});

/// The zone with that index in [`ZONES`].
pub fn zone(index: usize) -> Zone {
    PARSED_ZONES[index].clone()
}

/// The clocks of a zone; `None` if it is not in [`ZONES`].
pub fn clocks_of(zone: &Zone) -> Option<Clocks> {
    index_of(zone).map(|index| ZONES[index].1)
}

fn index_of(zone: &Zone) -> Option<usize> {
    ZONES.iter().position(|(name, _)| *name == zone.name())
}

/// The contact with that name.
///
/// # Panics
/// The name has characters that no address has.
pub fn contact(name: &str) -> Contact {
    Contact::new(format!("sim:{name}")).expect("a plain name")
}

/// The service with that name.
///
/// # Panics
/// The name is invalid.
pub fn service(name: &str) -> ServiceName {
    ServiceName::new(name).expect("a plain name")
}

/// The team with that name.
///
/// # Panics
/// The name is invalid.
pub fn team(name: &str) -> TeamName {
    TeamName::new(name).expect("a plain name")
}

impl Roster {
    /// Whether a team is known: it has settings, a schedule or a service.
    pub fn knows(&self, name: &str) -> bool {
        self.teams.contains_key(name)
            || self.services.values().any(|owner| owner == name)
            || self.book.timetables(&team(name)).next().is_some()
    }

    /// The roster in the form of the core.
    ///
    /// # Panics
    /// A team is invalid.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (name, owner) in &self.services {
            snapshot.put(Entry::Service { service: service(name), team: team(owner), owner: None });
        }
        for (name, plan) in &self.teams {
            snapshot.put(Entry::Team { team: team(name), settings: Arc::new(plan.team()) });
            for (day, levels) in &plan.calendar {
                let rota = Arc::new(plan.rota(levels));
                snapshot.put(Entry::Day { team: team(name), day: *day, rota });
            }
        }
        self.book.entries().for_each(|entry| snapshot.put(entry));
        snapshot
    }

    /// Makes the edits whose effect changes something. The people of the simulation edit services and days in another
    /// way.
    ///
    /// # Panics
    /// An edit is one of those, or a team's settings are not what the people of the simulation make.
    pub fn apply(&mut self, edits: &[RosterEdit], effects: &[Effect]) {
        for (edit, _) in edits.iter().zip(effects).filter(|(_, effect)| effect.changes()) {
            match edit {
                RosterEdit::Put(Entry::Team { team, settings }) => {
                    let calendar = self.teams.get(team.as_str()).map(|plan| plan.calendar.clone());
                    let plan = TeamPlan::of(settings, calendar.unwrap_or_default());
                    self.teams.insert(team.as_str().to_owned(), plan);
                }
                RosterEdit::Put(Entry::Service { .. } | Entry::Day { .. })
                | RosterEdit::Delete(EntryKey::Service(_) | EntryKey::Team(_) | EntryKey::Day(..)) => {
                    panic!("the people of the simulation do not make this edit: {edit:?}")
                }
                RosterEdit::Put(entry) => Arc::make_mut(&mut self.book).put(entry.clone()),
                RosterEdit::Delete(key) => Arc::make_mut(&mut self.book).delete(key),
            }
        }
    }

    /// Deletes a team with its calendar and its schedules, but not the names that lead to it.
    pub fn delete_team(&mut self, name: &str) {
        self.teams.remove(name);
        Arc::make_mut(&mut self.book).delete(&EntryKey::Team(team(name)));
    }

    /// Every contact that the roster contains.
    pub fn contacts(&self) -> BTreeSet<Contact> {
        let teams = self.teams.values().flat_map(TeamPlan::contacts);
        let people = self.book.people().values().flat_map(|profile| profile.methods().values().cloned());
        let schedules = self.book.schedules().flat_map(|(_, _, timetable)| {
            let layers = timetable.schedule().into_iter().flat_map(|schedule| schedule.targets());
            let overrides = timetable.overrides().values().flat_map(|one| one.oncall());
            layers.chain(overrides).filter_map(Target::contact).cloned().collect::<Vec<_>>()
        });
        teams.chain(people).chain(schedules).collect()
    }
}

impl TeamPlan {
    /// The deployment's settings for a team without settings.
    pub fn of_deployment() -> Self {
        Self {
            zone: 0,
            wait: Team::DEFAULT_WAIT,
            repeat: 0,
            fallback: vec![contact("last")],
            alert_levels: BTreeMap::new(),
            alert_hours: BTreeMap::new(),
            calendar: BTreeMap::new(),
            levels: Vec::new(),
            claim_timeout: None,
        }
    }

    /// The settings in the form of the roster, as plain data.
    fn of(settings: &Team, calendar: BTreeMap<NaiveDate, Vec<Vec<Target>>>) -> Self {
        Self {
            zone: index_of(settings.timezone()).expect("a team has a zone of the list"),
            wait: settings.escalate_after(),
            repeat: settings.repeat(),
            fallback: settings.fallback().iter().filter_map(Target::contact).cloned().collect(),
            alert_levels: settings.alert_levels().clone(),
            alert_hours: settings.alert_hours().clone(),
            calendar,
            levels: settings.levels().to_vec(),
            claim_timeout: settings.claim_timeout(),
        }
    }

    /// The settings in the form of the roster.
    ///
    /// # Panics
    /// The plan is invalid.
    pub fn team(&self) -> Team {
        let mut team = Team::builder(self.fallback.clone())
            .timezone(zone(self.zone))
            .escalate_after(self.wait)
            .repeat(self.repeat)
            .levels(self.levels.clone());
        if let Some(timeout) = self.claim_timeout {
            team = team.claim_timeout(timeout);
        }
        for (severity, levels) in &self.alert_levels {
            team = team.alert_levels(*severity, levels.clone());
        }
        for (severity, hours) in &self.alert_hours {
            team = team.alert_hours(*severity, hours.clone());
        }
        team.build().expect("the team of a scenario is valid")
    }

    fn rota(&self, levels: &[Vec<Target>]) -> Rota {
        let (oncall, escalation) = levels.split_first().expect("a calendar entry has a level");
        Rota::new(oncall.clone(), escalation.to_vec()).expect("the calendar entry of a scenario is valid")
    }

    /// The clocks of the team's zone.
    pub fn clocks(&self) -> Clocks {
        ZONES[self.zone].1
    }

    /// The calendar day of an instant.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        self.clocks().local(at).date()
    }

    /// Every contact that the team's settings and calendar contain, in order, even if twice.
    pub fn contacts(&self) -> Vec<Contact> {
        let days = self.calendar.values().flatten().flatten();
        let levels = self.levels.iter().flat_map(|level| &level.notify);
        let named = days.chain(levels).filter_map(Target::contact);
        named.chain(&self.fallback).cloned().collect()
    }

    /// The longest wait of a level.
    pub fn longest_wait(&self) -> Duration {
        self.levels.iter().filter_map(|level| level.wait).fold(self.wait, Duration::max)
    }

    /// The largest number of levels that a round of the team may have.
    pub fn highest(&self) -> usize {
        self.calendar.values().map(Vec::len).chain([self.levels.len(), 1]).max().unwrap_or(1)
    }
}
