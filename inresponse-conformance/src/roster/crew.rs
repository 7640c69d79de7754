//! People, schedules, overrides and copies of feeds for the laws.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use inresponse_core::model::{
    Contact, LayerName, MethodName, OverrideId, PersonId, ScheduleName, Severity, TeamName,
};
use inresponse_core::roster::{
    Absence, Counting, Directory, Entry, EntryKey, Feed, FeedCopy, FeedEvent, FeedId, FeedRole, Hours, Layer,
    Member, Override, Profile, Roster, Rota, RuleFor, RuleStep, Schedule, Target, Team, TeamLevel, Turn,
    TurnUnit, WeekDays, Zone,
};

use super::acting::done_one;
use super::scene::{contact, day_of, put, settings_for, team};

pub(super) fn schedule_name(name: &str) -> ScheduleName {
    ScheduleName::new(name).unwrap()
}

/// The keys of entries.
pub(super) fn person_key(name: &str) -> EntryKey {
    EntryKey::Person(PersonId::new(name).unwrap())
}

pub(super) fn schedule_key(of: &str, name: &str) -> EntryKey {
    EntryKey::Schedule(team(of), schedule_name(name))
}

/// Targets as people write them; a word alone is a contact.
pub(super) fn targets(texts: &[&str]) -> Vec<Target> {
    let target = |text: &&str| {
        if text.contains(':') { text.parse().unwrap() } else { Target::from(contact(text)) }
    };
    texts.iter().map(target).collect()
}

fn methods(of: &[(&str, &str)]) -> BTreeMap<MethodName, Contact> {
    of.iter()
        .map(|(name, address)| (MethodName::new(name).unwrap(), Contact::new(*address).unwrap()))
        .collect()
}

pub(super) fn person_with(name: &str, of: &[(&str, &str)]) -> Entry {
    Entry::person(&PersonId::new(name).unwrap(), Profile::builder(methods(of)).build().unwrap())
}

/// A person with one method, which is `address`.
pub(super) fn person_at(name: &str, address: &str) -> Entry {
    person_with(name, &[("mail", &contact(address).to_string())])
}

pub(super) fn person(name: &str) -> Entry {
    person_at(name, "mail")
}

fn layer(name: &str, members: Vec<Member>) -> Layer {
    Layer {
        name: LayerName::new(name).unwrap(),
        rank: None,
        members,
        from: "2026-03-02T09:00".parse().unwrap(),
        begins: None,
        until: None,
        turn: Turn { every: 1, unit: TurnUnit::Week, count: Counting::Elapsed },
        hours: Vec::new(),
    }
}

/// A schedule of one layer, in which each takes a turn.
pub(super) fn schedule_of(of: &str, name: &str, members: &[&str]) -> Entry {
    let members = targets(members).into_iter().map(|one| Member::always(vec![one])).collect();
    let schedule = Schedule::new(Zone::utc(), vec![layer("all", members)], Vec::new()).unwrap();
    Entry::schedule(&team(of), &schedule_name(name), schedule)
}

/// A schedule of one layer and one feed.
pub(super) fn schedule_with_feed(of: &str, name: &str, member: &str, url: &str) -> Entry {
    let layers = vec![layer("all", vec![Member::always(targets(&[member]))])];
    let feeds = vec![Feed { url: url.to_owned(), role: FeedRole::Base }];
    Entry::schedule(&team(of), &schedule_name(name), Schedule::new(Zone::utc(), layers, feeds).unwrap())
}

fn stand_in(oncall: &[&str], instead_of: Option<&[&str]>, note: Option<&str>) -> Override {
    let (from, to) = ("2026-03-28T22:00".parse().unwrap(), "2026-03-29T06:00Z".parse().unwrap());
    Override::new(from, to, targets(oncall), instead_of.map(targets), note.map(str::to_owned)).unwrap()
}

pub(super) fn override_of(of: &str, schedule: &str, id: &str, oncall: &[&str]) -> Entry {
    let id = OverrideId::new(id).unwrap();
    Entry::stand_in(&team(of), &schedule_name(schedule), &id, stand_in(oncall, None, None))
}

/// An override that puts `oncall` on call instead of `replaced`.
pub(super) fn replacement_of(
    of: &str,
    schedule: &str,
    id: &str,
    oncall: &[&str],
    replaced: &[&str],
) -> Entry {
    let id = OverrideId::new(id).unwrap();
    Entry::stand_in(&team(of), &schedule_name(schedule), &id, stand_in(oncall, Some(replaced), None))
}

/// The copy of a feed, which is named by a digit, with a shift of each of these names.
pub(super) fn copy_of(of: &str, schedule: &str, feed: char, names: &[&str]) -> Entry {
    let id = FeedId::new(&feed.to_string().repeat(16)).unwrap();
    Entry::feed(&team(of), &schedule_name(schedule), &id, copy(names, &[]))
}

/// The copy of a feed, with what was found while it was read.
pub(super) fn copy_with(of: &str, schedule: &str, names: &[&str], findings: &[&str]) -> Entry {
    let id = FeedId::new("00000000000000aa").unwrap();
    Entry::feed(&team(of), &schedule_name(schedule), &id, copy(names, findings))
}

fn copy(names: &[&str], findings: &[&str]) -> FeedCopy {
    let at: DateTime<Utc> = "2026-03-28T22:00:00Z".parse().unwrap();
    let event = |name: &&str| FeedEvent {
        from: at,
        to: at + Duration::from_secs(3600),
        names: vec![(*name).to_owned()],
    };
    FeedCopy {
        events: names.iter().map(event).collect(),
        findings: findings.iter().map(|text| (*text).to_owned()).collect(),
    }
}

/// Settings whose first level is `notify`, and whose fallback is a contact.
pub(super) fn level_of(of: &str, notify: &[&str]) -> Entry {
    let levels = vec![TeamLevel { notify: targets(notify), wait: None }];
    settings_for(of, Team::builder(vec![contact("last")]).levels(levels).build().unwrap())
}

/// Settings without levels.
pub(super) fn fallback_of(of: &str, fallback: &[&str]) -> Entry {
    settings_for(of, Team::builder(targets(fallback)).build().unwrap())
}

/// A day of a calendar.
pub(super) fn rota_of(of: &str, date: &str, oncall: &[&str], then: &[&str]) -> Entry {
    day_of(of, date, Rota::new(targets(oncall), vec![targets(then)]).unwrap())
}

/// Puts one entry after the other, each in a call of its own.
pub(super) async fn put_all(roster: &impl Roster, entries: &[Entry]) {
    for entry in entries {
        let _ = done_one(roster, 0, put(entry)).await;
    }
}

/// The people jo and kim, and the schedule primary of devops.
pub(super) fn base() -> [Entry; 3] {
    [person("jo"), person("kim"), schedule_of("devops", "primary", &["person:jo"])]
}

/// Two entries of each kind with one key; they need the [`base`].
pub(super) fn crew_pairs() -> [[Entry; 2]; 4] {
    [
        ["lee", "lee.other"].map(|address| person_at("lee", address)),
        ["person:jo", "person:kim"].map(|who| schedule_of("devops", "secondary", &[who])),
        ["person:jo", "person:kim"].map(|who| override_of("devops", "primary", "dentist", &[who])),
        ["jo", "kim"].map(|name| copy_of("devops", "primary", '0', &[name])),
    ]
}

/// Entries of every kind, several of one key; they need the [`base`].
pub(super) fn all_crew() -> Vec<Entry> {
    let devops = team("devops");
    let profiles =
        profiles().into_iter().map(|profile| Entry::person(&PersonId::new("lee").unwrap(), profile));
    let schedules =
        schedules().into_iter().map(|one| Entry::schedule(&devops, &schedule_name("secondary"), one));
    let (primary, id) = (schedule_name("primary"), OverrideId::new("dentist").unwrap());
    let overrides = [
        stand_in(&["person:jo"], None, None),
        stand_in(&["person:jo", "ann"], Some(&[]), None),
        stand_in(&[], Some(&["person:kim", "schedule:secondary"]), Some("is ill — until Monday")),
        stand_in(&[], None, None),
    ];
    let overrides = overrides.map(|one| Entry::stand_in(&devops, &primary, &id, one));
    let feed = FeedId::new("0123456789abcdef").unwrap();
    let copies =
        [copy(&["jo", "Kim Müller", "ann@conformance.example"], &["an event was odd"]), copy(&[], &[])];
    let copies = copies.map(|one| Entry::feed(&devops, &primary, &feed, one));
    profiles.chain(schedules).chain(overrides).chain(copies).collect()
}

fn profiles() -> Vec<Profile> {
    let steps = |of: &[(u64, &[&str])]| -> Vec<RuleStep> {
        let step = |(after, names): &(u64, &[&str])| RuleStep {
            after: Duration::from_secs(*after),
            methods: names.iter().map(|name| MethodName::new(name).unwrap()).collect(),
        };
        of.iter().map(step).collect()
    };
    let absence = |from: &str, to: &str| Absence { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let full = Profile::builder(methods(&[
        ("mail", "Lee@Bücher.example"),
        ("call", "tel:+302101234567"),
        ("chat", "https://chat.example/Hook?x=Y"),
    ]))
    .name("Lee O'Neill 🚒")
    .timezone(Zone::new("America/Argentina/ComodRivadavia").unwrap())
    .rule(RuleFor::Default, steps(&[(0, &["mail"])]))
    .rule(
        RuleFor::Severity(Severity::Crit),
        steps(&[(0, &["call", "chat"]), (180, &["mail"]), (86_400, &[])]),
    )
    .absence(absence("2026-12-24", "2026-12-27T09:00"))
    .absence(absence("2027-01-01T00:00:01Z", "2027-01-02"));
    let plain = Profile::builder(methods(&[("mail", "lee@conformance.example")]));
    [plain, full, Profile::builder(BTreeMap::new())].map(|builder| builder.build().unwrap()).into()
}

fn schedules() -> Vec<Schedule> {
    let plain = || layer("all", vec![Member::always(targets(&["person:jo"]))]);
    let mut full = layer("nights", Vec::new());
    full.rank = Some(3);
    full.members = vec![
        Member::always(targets(&["person:jo", "person:kim"])),
        Member::always(Vec::new()),
        Member {
            who: targets(&["schedule:primary", "ann"]),
            from: Some("2026-04-01".parse().unwrap()),
            until: Some("2027-01-01T12:00:30".parse().unwrap()),
        },
    ];
    full.begins = Some("2026-03-10T09:00".parse().unwrap());
    full.until = Some("2028-02-29".parse().unwrap());
    full.turn = Turn { every: 12, unit: TurnUnit::Hour, count: Counting::Worked };
    full.hours = vec![Hours {
        days: WeekDays::ALL,
        from: Hours::time("22:00").unwrap(),
        to: Hours::time("06:00:30").unwrap(),
    }];
    let feeds = [("a", FeedRole::Base), ("b", FeedRole::Override)];
    let feeds = feeds.map(|(name, role)| Feed { url: format!("https://c.example/{name}?Key=%20"), role });
    vec![
        Schedule::new(Zone::utc(), vec![plain()], Vec::new()).unwrap(),
        Schedule::new(Zone::new("Pacific/Kiritimati").unwrap(), vec![full, plain()], feeds.into()).unwrap(),
        Schedule::new(Zone::utc(), Vec::new(), Vec::new()).unwrap(),
    ]
}

/// The directory of a team for an instant in the middle of the days that the laws use.
pub(super) async fn directory(roster: &impl Roster, name: &str) -> Directory {
    directory_at(roster, &team(name), "2026-03-29T12:00:00Z".parse().unwrap()).await
}

async fn directory_at(roster: &impl Roster, name: &TeamName, at: DateTime<Utc>) -> Directory {
    (*roster.directory(name, at, at).await.expect("the roster answers")).clone()
}

/// An entry as a directory returns it.
pub(super) async fn held(roster: &impl Roster, key: &EntryKey) -> Option<Entry> {
    directory(roster, "devops").await.book().entry(key)
}
