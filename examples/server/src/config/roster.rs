//! The checked roster of a file: every entry in its stored form and in the form of the HTTP API.

use chrono::NaiveDate;
use inresponse_client::{
    Contacts, DayEntry, Feed, HeartbeatEntry, OverrideEntry, Owner, PersonEntry, RoutesEntry, Rule, RuleStep,
    ScheduleEntry, SilenceEntry, TeamLevel, TeamSettings, Time,
};
use inresponse_core::InvalidInput;
use inresponse_core::model::{
    Contact, HeartbeatName, OverrideId, OwnerName, PersonId, ScheduleName, ServiceName, SilenceId, TeamName,
};
use inresponse_core::roster::{self, Entry, Matcher, Schedule, Zone};
use inresponse_http::entries;

use super::file_roster::{
    FileDay, FileHeartbeat, FileLevel, FileOverride, FilePerson, FileRoster, FileRule, FileSchedule,
    FileSilence, FileStep, FileTeam, in_words_of_a_file,
};
use super::matchers::matcher;
use super::rename;

/// The roster of a file.
#[derive(Debug, Default)]
pub(crate) struct RosterSeed {
    /// The owner of its entries.
    pub(crate) owner: Option<OwnerName>,
    /// People, teams, schedules, overrides, days, services, heartbeats, silences and the routing rules,
    /// in this order.
    pub(crate) entries: Vec<Wanted>,
}

/// An entry as a file wants it.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) entry: Entry,
    pub(crate) given: Given,
    /// The place in the file.
    pub(crate) place: String,
}

/// An entry in the form of the HTTP API.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Service(Owner),
    Team(TeamSettings),
    Day(DayEntry),
    Person(PersonEntry),
    Schedule(ScheduleEntry),
    Override(OverrideEntry),
    Heartbeat(HeartbeatEntry),
    Silence(SilenceEntry),
    Routes(RoutesEntry),
}

/// The URLs of calendar feeds that a file may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeedUrls {
    /// Only whole URLs.
    Whole,
    /// Whole URLs, or masked ones as an export shows them. Entries then have [what a server shows](known_by) of a feed
    /// instead of its URL.
    MayBeMasked,
}

impl RosterSeed {
    pub(super) fn check(file: Option<FileRoster>, feeds: FeedUrls, invalid: &mut InvalidInput) -> Self {
        let Some(file) = file else { return Self::default() };
        let owner = file.owner.map(|owner| OwnerName::new(owner).map_err(|e| rename(&e, "roster.owner")));
        let owner = owner.and_then(|owner| invalid.keep(owner));
        let mut reader = Reader { owner: owner.clone(), feeds, invalid, read: [const { Vec::new() }; 9] };
        for (name, given) in file.people {
            reader.person(&name, given);
        }
        let teams: Vec<String> = file.teams.keys().cloned().collect();
        for (name, given) in file.teams {
            reader.team(&name, given);
        }
        for (service, team) in file.services {
            reader.service(&service, team, &teams);
        }
        for (name, given) in file.heartbeats {
            reader.heartbeat(&name, given);
        }
        for (name, given) in file.silences {
            reader.silence(&name, given);
        }
        if !file.routes.is_empty() {
            reader.routes(file.routes);
        }
        let entries = reader.read.into_iter().flatten().collect();
        Self { owner, entries }
    }
}

/// The order of the kinds in [`RosterSeed::entries`].
const PEOPLE: usize = 0;
const TEAMS: usize = 1;
const SCHEDULES: usize = 2;
const OVERRIDES: usize = 3;
const DAYS: usize = 4;
const SERVICES: usize = 5;
const HEARTBEATS: usize = 6;
const SILENCES: usize = 7;
const ROUTES: usize = 8;

struct Reader<'a> {
    owner: Option<OwnerName>,
    feeds: FeedUrls,
    invalid: &'a mut InvalidInput,
    read: [Vec<Wanted>; 9],
}

impl Reader<'_> {
    /// The name of an entry, which is its key in the file.
    fn name<T>(&mut self, place: &str, name: Result<T, InvalidInput>) -> Option<T> {
        self.invalid.keep(name.map_err(|e| rename(&e, place)))
    }

    fn keep(&mut self, kind: usize, place: String, given: Given, entry: Result<Entry, InvalidInput>) {
        let entry = entry.map_err(|error| in_file(&error, &place));
        if let Some(entry) = self.invalid.keep(entry) {
            self.read[kind].push(Wanted { entry, given, place });
        }
    }

    fn owner(&self) -> Option<String> {
        self.owner.as_ref().map(OwnerName::to_string)
    }

    fn person(&mut self, name: &str, given: FilePerson) {
        let place = format!("roster.people.{name}");
        let Some(person) = self.name(&place, PersonId::new(name)) else { return };
        let step = |step: FileStep| RuleStep { after_seconds: step.after_seconds, methods: step.methods };
        let rules = given.rules.into_iter();
        let rules = rules.map(|(name, steps)| (name, steps.into_iter().map(step).collect()));
        let given = PersonEntry {
            name: given.name.filter(|name| name.trim() != person.as_str()),
            timezone: given.timezone,
            methods: Some(given.methods),
            rules: Some(rules.collect()),
            absences: Some(given.absences),
            day_ahead_notice: given.day_ahead_notice,
            status_updates: given.status_updates,
            weekly_test: given.weekly_test,
            owner: self.owner(),
        };
        let entry = entries::person(&person, given.clone());
        self.keep(PEOPLE, place, Given::Person(given), entry);
    }

    fn team(&mut self, name: &str, given: FileTeam) {
        let place = format!("roster.teams.{name}");
        let Some(team) = self.name(&place, TeamName::new(name)) else { return };
        let FileTeam { timezone, escalate_after_seconds, fallback, repeat, alert_levels, .. } = given;
        let level = |level: FileLevel| TeamLevel { notify: level.notify, wait_seconds: level.wait_seconds };
        let settings = TeamSettings {
            timezone,
            escalate_after_seconds,
            fallback: fallback.map(Contacts::Many),
            repeat,
            alert_levels: Some(alert_levels),
            levels: Some(given.levels.into_iter().map(level).collect()),
            claim_timeout_seconds: given.claim_timeout_seconds,
            alert_hours: Some(given.alert_hours).filter(|hours| !hours.is_empty()),
            shift_notices: given.shift_notices,
            owner: self.owner(),
        };
        let entry = entries::team(&team, settings.clone());
        let zone = match &entry {
            Ok(Entry::Team { settings, .. }) => settings.timezone().clone(),
            Ok(_) | Err(_) => Zone::utc(),
        };
        let has_parts = !given.calendar.is_empty() || !given.schedules.is_empty();
        // A team may be known by its calendar and its schedules alone: the deployment has a fallback for it.
        if settings.fallback.is_some() || !has_parts || !is_bare(&settings) {
            if settings.fallback.is_none() {
                self.invalid.push(format!("{place}.fallback"), "missing field `fallback`");
            } else {
                self.keep(TEAMS, place.clone(), Given::Team(settings), entry);
            }
        }
        for (name, given) in given.schedules {
            self.schedule(&team, &format!("{place}.schedules.{name}"), &name, given, &zone);
        }
        for (day, given) in given.calendar {
            self.day(&team, format!("{place}.calendar.{day}"), &day, given);
        }
    }

    fn silence(&mut self, name: &str, given: FileSilence) {
        let place = format!("roster.silences.{name}");
        let Some(id) = self.name(&place, SilenceId::new(name)) else { return };
        let Some(matchers) = self.matchers(&place, &given.matchers) else { return };
        let given = SilenceEntry {
            matchers: Some(matchers),
            from: Some(Time::Text(given.from)),
            to: Some(Time::Text(given.to)),
            weekly: given.weekly,
            comment: given.comment,
            owner: self.owner(),
        };
        // The file says when it begins, so the time of today is not needed.
        let entry = entries::silence(&id, given.clone(), chrono::DateTime::UNIX_EPOCH);
        self.keep(SILENCES, place, Given::Silence(given), entry);
    }

    /// Matchers in the form of the HTTP API; `None` if one is invalid.
    fn matchers(&mut self, place: &str, given: &[String]) -> Option<Vec<inresponse_client::Matcher>> {
        let mut matchers = Vec::new();
        for (i, text) in given.iter().enumerate() {
            let read = text.parse::<Matcher>().map_err(|e| rename(&e, &format!("{place}.matchers[{i}]")));
            matchers.extend(self.invalid.keep(read).as_ref().map(matcher));
        }
        (matchers.len() == given.len()).then_some(matchers)
    }

    fn routes(&mut self, given: Vec<FileRule>) {
        const PLACE: &str = "roster.routes";
        let number = given.len();
        let rule = |(i, rule): (usize, FileRule)| {
            let FileRule { name, matchers, team, severity, record_only, heartbeat } = rule;
            let matchers = self.matchers(&format!("{PLACE}[{i}]"), &matchers)?;
            Some(Rule { name, matchers, team, severity, record_only, heartbeat })
        };
        let rules: Vec<Rule> = given.into_iter().enumerate().filter_map(rule).collect();
        if rules.len() < number {
            return;
        }
        let given = RoutesEntry { rules: Some(rules), owner: self.owner() };
        match entries::routes(given.clone()) {
            Ok(entry) => self.keep(ROUTES, PLACE.to_owned(), Given::Routes(given), Ok(entry)),
            // A rule has its place in the file's list.
            Err(error) => {
                for error in error.errors() {
                    let field = error.field().strip_prefix("rules").unwrap_or_default();
                    let field = format!("{PLACE}{}", in_words_of_a_file(field));
                    self.invalid.push(field, in_words_of_a_file(error.message()));
                }
            }
        }
    }

    fn day(&mut self, team: &TeamName, place: String, day: &str, given: FileDay) {
        let day = day.parse::<NaiveDate>();
        let Ok(day) = day else { return self.invalid.push(place, "must be a day like 2026-12-31") };
        let escalation = given.escalation;
        let given =
            DayEntry { oncall: Some(given.oncall), escalation: Some(escalation), owner: self.owner() };
        let entry = entries::day(team, day, &given);
        self.keep(DAYS, place, Given::Day(given), entry);
    }

    fn schedule(&mut self, team: &TeamName, place: &str, name: &str, given: FileSchedule, zone: &Zone) {
        let Some(schedule) = self.name(place, ScheduleName::new(name)) else { return };
        let timezone = given.timezone.unwrap_or_else(|| zone.name().to_owned());
        let zone = Zone::new(&timezone).unwrap_or_else(|_| zone.clone());
        let entry = ScheduleEntry {
            timezone: Some(timezone),
            layers: Some(given.layers),
            feeds: Some(given.feeds),
            owner: self.owner(),
        };
        let read = match self.feeds {
            FeedUrls::Whole => entries::schedule(team, &schedule, entry.clone(), zone.clone(), &[]),
            FeedUrls::MayBeMasked => masked_schedule(team, &schedule, entry.clone()),
        };
        self.keep(SCHEDULES, place.to_owned(), Given::Schedule(entry), read);
        for (name, given) in given.overrides {
            let place = format!("{place}.overrides.{name}");
            let Some(id) = self.name(&place, OverrideId::new(&name)) else { continue };
            let FileOverride { from, to, oncall, instead_of, note } = given;
            let given = OverrideEntry { from, to, oncall, instead_of, note, owner: self.owner() };
            let entry = entries::stand_in(team, &schedule, &id, &given, &zone);
            self.keep(OVERRIDES, place, Given::Override(given), entry);
        }
    }

    fn heartbeat(&mut self, name: &str, given: FileHeartbeat) {
        let place = format!("roster.heartbeats.{name}");
        let Some(heartbeat) = self.name(&place, HeartbeatName::new(name)) else { return };
        let given = HeartbeatEntry {
            service: Some(given.service),
            severity: Some(given.severity),
            every_seconds: Some(given.every_seconds),
            grace_seconds: given.grace_seconds,
            title: given.title,
            owner: self.owner(),
        };
        let entry = entries::heartbeat(&heartbeat, given.clone());
        self.keep(HEARTBEATS, place, Given::Heartbeat(given), entry);
    }

    fn service(&mut self, name: &str, team: String, teams: &[String]) {
        let place = format!("roster.services.{name}");
        if !teams.contains(&team) {
            return self.invalid.push(place, format!("there is no team `{team}` in this file"));
        }
        let Some(service) = self.name(&place, ServiceName::new(name)) else { return };
        let given = Owner { team: Some(team), owner: self.owner() };
        // The only field has the place of the entry itself.
        match entries::service(&service, given.clone()) {
            Ok(entry) => self.keep(SERVICES, place, Given::Service(given), Ok(entry)),
            Err(error) => self.invalid.append(rename(&error, &place)),
        }
    }
}

/// Whether nothing is set.
fn is_bare(settings: &TeamSettings) -> bool {
    let bare = TeamSettings {
        alert_levels: Some(std::collections::BTreeMap::new()),
        levels: Some(Vec::new()),
        fallback: None,
        owner: settings.owner.clone(),
        ..TeamSettings::new(Vec::new())
    };
    *settings == bare
}

/// The errors of an entry, with their places and words in the file.
fn in_file(error: &InvalidInput, place: &str) -> InvalidInput {
    let mut named = InvalidInput::default();
    for error in error.errors() {
        let field = format!("{place}.{}", in_words_of_a_file(error.field()));
        named.push(field, in_words_of_a_file(error.message()));
    }
    named
}

/// A schedule whose feeds have [what a server shows](known_by) of them instead of URLs.
///
/// # Errors
/// Every invalid field.
pub(crate) fn masked_schedule(
    team: &TeamName,
    name: &ScheduleName,
    mut given: ScheduleEntry,
) -> Result<Entry, InvalidInput> {
    let mut known = Vec::new();
    for feed in given.feeds.iter_mut().flatten().filter(|feed| is_masked(feed)) {
        let role = roster::FeedRole::Base;
        known.push(roster::Feed { url: shown(&feed.url, feed.id.take().as_deref()), role });
    }
    let owner = given.owner.clone();
    let entry = entries::schedule(team, name, given, Zone::utc(), &known)?;
    let Entry::Schedule { schedule, .. } = &entry else { return Ok(entry) };
    let feed = |feed: &roster::Feed| roster::Feed { url: known_by(feed), role: feed.role };
    let feeds = schedule.feeds().iter().map(feed).collect();
    let masked = Schedule::new(schedule.timezone().clone(), schedule.layers().to_vec(), feeds)?;
    Ok(Entry::schedule(team, name, masked).owned_by(owner.map(OwnerName::new).transpose()?))
}

/// Whether the URL is masked, as an answer shows it.
pub(crate) fn is_masked(feed: &Feed) -> bool {
    feed.url.ends_with("/…")
}

/// The masked URL that a server shows for a feed.
fn shown(url: &str, id: Option<&str>) -> String {
    id.map_or_else(|| url.to_owned(), |id| format!("{url}#{id}"))
}

/// The text by which a server shows the feed. A feed can be compared with the server's by this text, without its URL.
fn known_by(feed: &roster::Feed) -> String {
    let is_known =
        feed.url.split_once("/…").is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('#'));
    if is_known { feed.url.clone() } else { shown(&feed.masked(), Some(feed.id().as_str())) }
}

/// The contacts of a list; `None` if one is invalid.
pub(super) fn contacts(key: &str, given: Vec<String>, invalid: &mut InvalidInput) -> Option<Vec<Contact>> {
    let contact = |(i, text): (usize, String)| {
        invalid.keep(Contact::new(text).map_err(|e| rename(&e, &format!("{key}[{i}]"))))
    };
    let contacts: Vec<Option<Contact>> = given.into_iter().enumerate().map(contact).collect();
    contacts.into_iter().collect()
}
