//! Silences that cannot be read, or are cut: promises 9 and 21.

use std::sync::Arc;

use chrono::TimeDelta;
use inresponse_core::Engine;
use inresponse_core::engine::Reported;
use inresponse_core::memory::MemoryStore;
use inresponse_core::model::{Incident, SilenceId};
use inresponse_core::notify::Notifiers;
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{Edited, Entry, FindingKind, MatchOp, Matcher, Roster, RosterEdit, Silence};
use inresponse_core::testing::{ManualClock, RecordingNotifier};

use crate::faulty_roster::{FaultyRoster, Reads};
use crate::lookup::put_team;
use crate::support::{T0, after, crit, person, secs, service, team};

struct Table {
    engine: Engine,
    clock: ManualClock,
    roster: FaultyRoster,
    told: RecordingNotifier,
}

/// Service `shop` of team `web`. A silence holds it for an hour.
async fn table() -> Table {
    let (clock, told) = (ManualClock::at(T0), RecordingNotifier::new());
    let roster = FaultyRoster::new(&clock);
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
        self.roster.quiet_rules(Reads::Fail);
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
        let clock = ManualClock::at(T0);
        let roster = FaultyRoster::new(&clock);
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
