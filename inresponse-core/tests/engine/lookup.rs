//! Who is told, by what is left of the roster: promise 12; and whose a new round is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use inresponse_core::engine::{Reported, Updated};
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Event, Incident, Level, Person, ServiceName, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::plan::{Refusal, StateChange, TakeOver, Update};
use inresponse_core::roster::{
    ChangeMark, Defaults, Directory, Edited, Effect, EntryKey, EntryKind, Listed, Roster, RosterChange,
    RosterEdit, Rota, Team, Zone, day_of,
};
use inresponse_core::testing::{ManualClock, RecordingNotifier, RosterTestExt};
use inresponse_core::{Engine, Outage};

use crate::support::{T0, contacts, crit, name, person, secs, service, team};

pub fn today() -> NaiveDate {
    day_of(&Zone::utc(), T0)
}

/// What a team has: settings with the fallback `NAME`, an entry of today with `NAMEday`, or both.
pub async fn put_team(roster: &dyn Roster, of: &str, entries: &str) {
    if entries.contains("settings") {
        let settings = Team::builder(contacts(of)).escalate_after(secs(60)).build().unwrap();
        roster.put_team(&team(of), &settings).await.unwrap();
    }
    if entries.contains("day") {
        let rota = Rota::new(contacts(&format!("{of}day")), Vec::new()).unwrap();
        roster.put_day(&team(of), today(), &rota).await.unwrap();
    }
}

/// An engine whose deployment has the fallback `last`, a catch-all team `all`, both or neither.
pub fn engine(roster: impl Roster, deployment: &str) -> (Engine, ManualClock) {
    let clock = ManualClock::at(T0);
    let notifiers = Notifiers::new().mail(RecordingNotifier::new());
    let mut engine = Engine::builder(MemoryStore::new(), roster, notifiers, clock.clone());
    if deployment.contains("fallback") {
        engine = engine.defaults(Defaults::with_fallback(contacts("last")).unwrap());
    }
    if deployment.contains("catch-all") {
        engine = engine.catch_all(team("all"));
    }
    (engine.build(), clock)
}

/// `team: who is at level 1, then the fallback`.
fn told(incident: &Incident) -> String {
    let at = |level| incident.matrix().contacts(level).iter().map(name).collect::<Vec<_>>().join(" ");
    format!("{}: {}, then {}", incident.team(), at(Level::At(1)), at(Level::Fallback))
}

async fn report(engine: &Engine, service: &str) -> Option<Incident> {
    match engine.report(crit(service).build().unwrap()).await.unwrap() {
        Reported::New(record) | Reported::Repeat(record) => Some(record.incident),
        Reported::UnknownService => None,
    }
}

#[tokio::test]
async fn p12_a_report_for_a_service_that_exists_is_never_refused() {
    // What the owner has, what the deployment names, what the catch-all team has; who is told.
    let cases = [
        ("settings day", "", "", "web: webday, then web"),
        ("settings day", "fallback catch-all", "settings day", "web: webday, then web"),
        ("settings", "fallback catch-all", "settings day", "web: web, then web"),
        ("day", "fallback", "", "web: webday, then last"),
        ("day", "fallback catch-all", "settings", "web: webday, then last"),
        ("day", "catch-all", "settings", "web: webday, then all"),
        ("day", "catch-all", "settings day", "web: webday, then all"),
        ("day", "", "", "web: webday, then "),
        ("", "fallback", "", "web: last, then last"),
        ("", "fallback catch-all", "settings day", "web: last, then last"),
        ("", "catch-all", "settings day", "all: allday, then all"),
        ("", "catch-all", "settings", "all: all, then all"),
        // Nobody is named anywhere. It is recorded, and shows as undelivered.
        ("", "catch-all", "day", "web: , then "),
        ("", "catch-all", "", "web: , then "),
        ("", "", "", "web: , then "),
    ];
    for (owner, deployment, catch_all, expected) in cases {
        let case = format!("{owner}, {deployment}, {catch_all}");
        let (engine, _) = engine(MemoryRoster::new(), deployment);
        put_team(engine.roster(), "web", owner).await;
        put_team(engine.roster(), "all", catch_all).await;
        engine.roster().put_service(&service("shop"), &team("web")).await.unwrap();
        let incident = report(&engine, "shop").await.expect("it is not refused");
        assert_eq!(told(&incident), expected, "{case}");
        engine.tick().await.unwrap();
        let incident = engine.get(incident.number()).await.unwrap().unwrap().incident;
        assert_eq!(incident.is_undelivered(), expected.ends_with(": , then "), "{case}");
    }
}

#[tokio::test]
async fn p16_a_report_for_a_service_that_does_not_exist_is_refused_unless_somebody_takes_it() {
    let cases = [
        ("", "", None),
        ("fallback", "", None),
        ("catch-all", "settings", Some("all: all, then all")),
        ("catch-all", "settings day", Some("all: allday, then all")),
        ("fallback catch-all", "day", Some("all: allday, then last")),
        // The configuration names it, so it is known, whatever was deleted.
        ("fallback catch-all", "", Some("all: last, then last")),
        ("catch-all", "", None),
    ];
    for (deployment, catch_all, expected) in cases {
        let (engine, _) = engine(MemoryRoster::new(), deployment);
        put_team(engine.roster(), "all", catch_all).await;
        let incident = report(&engine, "nobody").await;
        assert_eq!(incident.as_ref().map(told).as_deref(), expected, "{deployment}, {catch_all}");
    }
}

/// What the timeline says of teams.
fn said(incident: &Incident) -> String {
    let said = incident.timeline().entries().iter().filter_map(|entry| match &entry.event {
        Event::TeamChanged { from, to, why } => Some(format!("{from} to {to}, {}", why.as_str())),
        Event::TeamGone { team, alerted } => Some(format!("{team} gone, {}", alerted.as_str())),
        _ => None,
    });
    said.collect::<Vec<_>>().join("; ")
}

async fn delete_all(roster: &dyn Roster) {
    assert_eq!(roster.delete_service(&service("shop")).await.unwrap(), Effect::Deleted);
    assert_eq!(roster.delete_team(&team("web")).await.unwrap(), Effect::Deleted);
}

/// What happens to the roster while an incident of service `shop` of team `web` is open, by name.
async fn change(engine: &Engine, number: inresponse_core::model::IncidentNumber, what: &str) {
    let roster = engine.roster();
    let give = async |to: &str| roster.put_service(&service("shop"), &team(to)).await.unwrap();
    let hand = async |to: &str| {
        let update = Update::state(person("jo"), StateChange::HandToTeam(team(to)));
        assert!(matches!(engine.update(number, &update).await.unwrap(), Updated::Changed(_)));
    };
    match what {
        "nothing" => {}
        "the service is given to db" => give("db").await,
        "the service is given to nobody" => give("nobody").await,
        "the service is deleted" => {
            assert_eq!(roster.delete_service(&service("shop")).await.unwrap(), Effect::Deleted);
        }
        "the team is deleted" => delete_all(roster).await,
        "it is handed to db, and the team is deleted" => {
            hand("db").await;
            delete_all(roster).await;
        }
        "it is handed to db, which is deleted" => {
            hand("db").await;
            assert_eq!(roster.delete_team(&team("db")).await.unwrap(), Effect::Deleted);
        }
        "it is handed to web, and the service is given to db" => {
            let claim = Update::state(person("jo"), StateChange::Claim(TakeOver::No));
            let _ = engine.update(number, &claim).await.unwrap();
            hand("web").await;
            give("db").await;
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn p12_a_new_round_is_that_of_the_present_team_and_of_others_if_that_is_gone() {
    let owns = "web to db, ownsService";
    let cases = [
        ("nothing", "", "web: webday, then web", ""),
        ("the service is given to db", "", "db: db, then db", owns),
        ("the service is given to db", "fallback catch-all", "db: db, then db", owns),
        (
            "the service is given to nobody",
            "fallback",
            "nobody: last, then last",
            "web to nobody, ownsService",
        ),
        ("the service is given to nobody", "catch-all", "all: all, then all", "web to all, catchAll"),
        ("the service is given to nobody", "", "nobody: webday, then web", "nobody gone, lastRound"),
        ("the service is deleted", "fallback catch-all", "web: webday, then web", ""),
        ("the team is deleted", "fallback catch-all", "web: last, then last", "web gone, deploymentFallback"),
        ("the team is deleted", "catch-all", "all: all, then all", "web to all, catchAll"),
        ("the team is deleted", "", "web: webday, then web", "web gone, lastRound"),
        ("it is handed to db, and the team is deleted", "fallback catch-all", "db: db, then db", ""),
        ("it is handed to db, which is deleted", "catch-all", "all: all, then all", "db to all, catchAll"),
        (
            "it is handed to db, which is deleted",
            "fallback",
            "db: last, then last",
            "db gone, deploymentFallback",
        ),
        ("it is handed to web, and the service is given to db", "", "web: webday, then web", ""),
    ];
    for how in ["release", "repeat"] {
        for (what, deployment, expected, says) in cases {
            let case = format!("{how}, {what}, {deployment}");
            let (engine, clock) = engine(MemoryRoster::new(), deployment);
            put_team(engine.roster(), "db", "settings").await;
            put_team(engine.roster(), "all", "settings").await;
            put_team(engine.roster(), "web", "day").await;
            for of in ["web", "db"] {
                let settings = Team::builder(contacts(of)).escalate_after(secs(60)).repeat(5).build();
                engine.roster().put_team(&team(of), &settings.unwrap()).await.unwrap();
            }
            engine.roster().put_service(&service("shop"), &team("web")).await.unwrap();
            let number = report(&engine, "shop").await.unwrap().number();
            engine.tick().await.unwrap();
            change(&engine, number, what).await;
            engine.tick().await.unwrap();
            let before = engine.get(number).await.unwrap().unwrap().incident;
            match how {
                "release" => {
                    for request in [StateChange::Claim(TakeOver::Yes), StateChange::Release(TakeOver::Yes)] {
                        let update = Update::state(person("jo"), request);
                        assert!(matches!(engine.update(number, &update).await.unwrap(), Updated::Changed(_)));
                    }
                }
                _ => {
                    clock.advance(secs(60));
                    engine.tick().await.unwrap();
                }
            }
            let incident = engine.get(number).await.unwrap().unwrap().incident;
            assert_eq!(incident.round(), before.round() + 1, "{case}");
            assert_eq!(told(&incident), expected, "{case}");
            assert_eq!(said(&incident), says, "{case}");
        }
    }
}

#[tokio::test]
async fn p16_an_incident_is_not_handed_to_a_team_that_is_not_there() {
    for deployment in ["", "fallback", "catch-all", "fallback catch-all"] {
        let (engine, _) = engine(MemoryRoster::new(), deployment);
        put_team(engine.roster(), "web", "settings day").await;
        put_team(engine.roster(), "all", "settings").await;
        engine.roster().put_service(&service("shop"), &team("web")).await.unwrap();
        let number = report(&engine, "shop").await.unwrap().number();
        let update = Update::state(person("jo"), StateChange::HandToTeam(team("typo")));
        match engine.update(number, &update).await.unwrap() {
            Updated::Refused(record, Refusal::UnknownTeam(named)) => {
                assert_eq!((record.incident.team(), named), (&team("web"), team("typo")), "{deployment}");
            }
            other => panic!("{deployment}: {other:?}"),
        }
    }
}

/// A roster that answers what was there before, until it is told to look again.
#[derive(Debug, Default)]
pub struct Lagging {
    pub before: MemoryRoster,
    pub after: MemoryRoster,
    looked: AtomicBool,
    looks: AtomicUsize,
}

impl Lagging {
    fn copy(&self) -> &MemoryRoster {
        if self.looked.load(Ordering::SeqCst) { &self.after } else { &self.before }
    }
}

/// The same roster as the test sees it.
#[derive(Debug, Clone, Default)]
pub struct Lags(pub Arc<Lagging>);

#[async_trait]
impl Roster for Lags {
    async fn refresh(&self) -> Result<(), Outage> {
        self.0.looks.fetch_add(1, Ordering::SeqCst);
        self.0.looked.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        self.0.after.apply(by, at, edits).await
    }

    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        self.0.copy().service(service).await
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        self.0.copy().directory(team, from, to).await
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        self.0.copy().entries(kind, after, limit).await
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        self.0.after.changes(before, limit).await
    }
}

#[tokio::test]
async fn p12_whatever_falls_back_or_is_refused_is_looked_at_again_first() {
    // What another server has just written, over what is known here; who is told.
    let cases = [
        ("", "", "shop", "web: webday, then web"),
        ("shop", "", "shop", "web: webday, then web"),
        ("shop", "settings", "shop", "web: webday, then web"),
        ("shop", "day", "shop", "web: webday, then web"),
        ("shop", "settings day", "shop", "web: webday, then web"),
        // The service was given away meanwhile, by a team without an entry for today or without anything.
        ("shop of db", "", "shop", "web: webday, then web"),
        ("shop of db", "db settings", "shop", "web: webday, then web"),
    ];
    for (owned, known, reported, expected) in cases {
        let lagging = Lags::default();
        let (before, after) = (&lagging.0.before, &lagging.0.after);
        put_team(after, "web", "settings day").await;
        after.put_service(&service("shop"), &team("web")).await.unwrap();
        let owner = if owned == "shop of db" { "db" } else { "web" };
        if !owned.is_empty() {
            before.put_service(&service("shop"), &team(owner)).await.unwrap();
        }
        put_team(before, owner, known).await;
        put_team(before, "all", "settings").await;
        let (engine, _) = engine(lagging.clone(), "fallback catch-all");
        let incident = report(&engine, reported).await.unwrap();
        assert_eq!(told(&incident), expected, "{owned}, {known}");
        let complete = (owned, known) == ("shop", "settings day");
        assert_eq!(lagging.0.looks.load(Ordering::SeqCst), usize::from(!complete), "{owned}, {known}");
    }
}

#[tokio::test]
async fn p12_a_new_round_and_a_hand_over_are_looked_at_again_before_they_fall_back() {
    let lagging = Lags::default();
    for roster in [&lagging.0.before, &lagging.0.after] {
        put_team(roster, "web", "settings day").await;
        roster.put_service(&service("shop"), &team("web")).await.unwrap();
    }
    put_team(&lagging.0.after, "db", "settings day").await;
    let (engine, _) = engine(lagging.clone(), "fallback catch-all");
    assert!(engine.can_alert(&team("db")).await.unwrap(), "another server has just made it");
    lagging.0.looked.store(false, Ordering::SeqCst);
    let number = report(&engine, "shop").await.unwrap().number();
    let update = Update::state(person("jo"), StateChange::HandToTeam(team("db")));
    assert!(matches!(engine.update(number, &update).await.unwrap(), Updated::Changed(_)));
    lagging.0.looked.store(false, Ordering::SeqCst);
    for request in [StateChange::Claim(TakeOver::No), StateChange::Release(TakeOver::No)] {
        let update = Update::state(person("jo"), request);
        assert!(matches!(engine.update(number, &update).await.unwrap(), Updated::Changed(_)));
    }
    let incident = engine.get(number).await.unwrap().unwrap().incident;
    assert_eq!((told(&incident), said(&incident)), ("db: dbday, then db".to_owned(), String::new()));
}
