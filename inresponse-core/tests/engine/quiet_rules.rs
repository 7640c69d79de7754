//! Silences that cannot be read, or are cut: promises 9 and 21.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::engine::Reported;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Incident, Person, ServiceName, SilenceId, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{
    ChangeMark, Directory, Edited, Entry, EntryKey, EntryKind, FindingKind, Listed, MatchOp, Matcher,
    QuietRules, Roster, RosterChange, RosterEdit, Silence,
};
use inresponse_core::testing::{ManualClock, RecordingNotifier};
use inresponse_core::{Engine, Outage};

use crate::lookup::put_team;
use crate::support::{T0, after, crit, person, secs, service, team};

/// A roster whose silences cannot be read at times.
#[derive(Debug, Clone, Default)]
struct Unread {
    roster: Arc<MemoryRoster>,
    fails: Arc<AtomicBool>,
}

#[async_trait]
impl Roster for Unread {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        self.roster.apply(by, at, edits).await
    }

    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        self.roster.service(service).await
    }

    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        self.roster.directory(team, from, to).await
    }

    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        self.roster.entries(kind, after, limit).await
    }

    async fn quiet(&self) -> Result<Arc<QuietRules>, Outage> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Outage::retryable("silences cannot be read"));
        }
        self.roster.quiet().await
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        self.roster.changes(before, limit).await
    }
}

struct Table {
    engine: Engine,
    clock: ManualClock,
    roster: Unread,
    told: RecordingNotifier,
}

/// Service `shop` of team `web`. A silence holds it for an hour.
async fn table() -> Table {
    let (roster, clock, told) = (Unread::default(), ManualClock::at(T0), RecordingNotifier::new());
    let notifiers = Notifiers::new().mail(told.clone());
    let engine = Engine::builder(MemoryStore::new(), roster.clone(), notifiers, clock.clone()).build();
    put_team(&roster, "web", "settings day").await;
    let silence =
        Silence::new(vec![Matcher::new("service", MatchOp::Equal, "shop").unwrap()], T0, after(3600));
    let silence =
        Entry::Silence { id: SilenceId::new("deploy").unwrap(), silence: Arc::new(silence.unwrap()) };
    let owned = Entry::service(&service("shop"), &team("web"));
    let edits = [RosterEdit::Put(owned), RosterEdit::Put(silence)];
    assert!(matches!(roster.apply(&person("jo"), T0, &edits).await.unwrap(), Edited::Done(_)));
    Table { engine, clock, roster, told }
}

impl Table {
    async fn report(&self) -> Incident {
        match self.engine.report(crit("shop").build().unwrap()).await.unwrap() {
            Reported::New(record) => record.incident,
            other => panic!("{other:?}"),
        }
    }

    fn fail(&self) {
        self.roster.fails.store(true, Ordering::SeqCst);
    }

    async fn alerts(&self) -> usize {
        // It says that the silences could not be read, after it has alerted.
        assert!(self.engine.tick().await.is_err());
        self.told.attempts().len()
    }
}

#[tokio::test]
async fn p9_a_server_that_never_read_the_silences_alerts() {
    let table = table().await;
    table.fail();
    assert!(table.report().await.quiet().is_none());
    assert_eq!(table.alerts().await, 1);
}

#[tokio::test]
async fn p21_silences_that_were_read_hold_for_a_minute_more_and_then_everybody_is_alerted() {
    for (later, is_quiet) in [(1, true), (60, true), (61, false), (3_000, false)] {
        let table = table().await;
        assert!(table.report().await.quiet().is_some());
        table.fail();
        table.clock.advance(secs(later));
        let second = table.report().await;
        assert_eq!(second.quiet().is_some(), is_quiet, "after {later} s");
        assert_eq!(table.alerts().await, usize::from(!is_quiet), "after {later} s");
    }
}

#[tokio::test]
async fn p9_an_alert_that_is_due_while_silences_cannot_be_read_is_sent() {
    let table = table().await;
    let incident = table.report().await;
    table.fail();
    // The end of the silence comes, and nobody can say whether another one begins.
    table.clock.advance(TimeDelta::hours(1).to_std().unwrap());
    assert_eq!(table.alerts().await, 1);
    assert_eq!(table.engine.get(incident.number()).await.unwrap().unwrap().incident.round(), 1);
}

#[tokio::test]
async fn p5_a_person_claims_and_escalates_while_silences_cannot_be_read() {
    let table = table().await;
    let number = table.report().await.number();
    table.fail();
    for state in [StateChange::Escalate, StateChange::Claim(TakeOver::No)] {
        let updated = table.engine.update(number, &Update::state(person("jo"), state.clone())).await;
        assert!(
            matches!(updated, Ok(inresponse_core::engine::Updated::Changed(_))),
            "{state:?}: {updated:?}"
        );
    }
}

#[tokio::test]
async fn a_silence_that_is_cut_is_a_finding_of_the_teams_that_it_can_hold() {
    // The conditions; whether it is found for team `web`, which owns `shop`, and for team `db`.
    let cases = [
        ("env=dev", 401, [true, true]),
        ("env=dev", 400, [false, false]),
        ("service=shop", 401, [true, false]),
        ("service=unowned", 401, [false, false]),
        ("service=~s.*", 401, [true, true]),
        ("team=db", 401, [false, true]),
        ("team!=db,env=dev", 401, [true, false]),
    ];
    for (matchers, days, expected) in cases {
        let (roster, clock) = (Unread::default(), ManualClock::at(T0));
        let engine = Engine::builder(MemoryStore::new(), roster.clone(), Notifiers::new(), clock).build();
        for name in ["web", "db"] {
            put_team(&roster, name, "settings day").await;
        }
        let matchers = matchers.split(',').map(|one| one.parse().unwrap()).collect();
        let silence = Silence::new(matchers, T0, T0 + TimeDelta::days(days)).unwrap();
        let silence = Entry::silence(&SilenceId::new("long").unwrap(), silence);
        let edits = [Entry::service(&service("shop"), &team("web")), silence].map(RosterEdit::Put);
        assert!(matches!(roster.apply(&person("jo"), T0, &edits).await.unwrap(), Edited::Done(_)));
        let found = engine.coverage(None, 1).await.unwrap();
        let is_found = |name: &str| {
            let of = found.get(&team(name)).map(Vec::as_slice).unwrap_or_default();
            of.iter().any(|finding| finding.kind == FindingKind::SilenceCut)
        };
        assert_eq!(["web", "db"].map(is_found), expected, "{days} days");
    }
}
