//! Routing rules: who is alerted for a report and in later rounds, and rules whose team is gone: promise 12.

use inresponse_core::Engine;
use inresponse_core::engine::Reported;
use inresponse_core::memory::MemoryRoster;
use inresponse_core::model::{Event, Ignored, Incident, RuleName};
use inresponse_core::plan::{StateChange, TakeOver, Update};
use inresponse_core::roster::{Effect, Entry, EntryKey, FindingKind, RosterEdit, Routes, Rule};
use inresponse_core::testing::RosterTestExt;

use crate::lookup::{engine, put_team};
use crate::support::{crit, person, service, team};

/// Sets one rule: reports with the label `to` go to a team.
async fn rule(engine: &Engine, to: &str) {
    let rule = Rule {
        name: RuleName::new("by label").unwrap(),
        matchers: vec!["to!=".parse().unwrap()],
        team: Some(team(to)),
        severity: None,
        record_only: false,
        heartbeat: None,
    };
    let routes = Entry::routes(Routes::new(vec![rule]).unwrap());
    assert!(engine.roster().edit(routes.into()).await.unwrap().changes());
}

async fn report(engine: &Engine) -> Incident {
    match engine.report(crit("shop").label("to", "dba").build().unwrap()).await.unwrap() {
        Reported::New(record) => record.incident,
        other => panic!("{other:?}"),
    }
}

/// A service of the team `web`, and the team `dba` with these entries.
async fn scene(dba: &str, deployment: &str) -> Engine {
    let (engine, _) = engine(MemoryRoster::new(), deployment);
    put_team(engine.roster(), "web", "settings day").await;
    put_team(engine.roster(), "dba", dba).await;
    engine.roster().put_service(&service("shop"), &team("web")).await.unwrap();
    rule(&engine, "dba").await;
    engine
}

/// Claims and releases, and answers the team of the new round.
async fn next_round(engine: &Engine, incident: &Incident) -> String {
    for change in [StateChange::Claim(TakeOver::No), StateChange::Release(TakeOver::No)] {
        engine.update(incident.number(), &Update::state(person("jo"), change)).await.unwrap();
    }
    engine.get(incident.number()).await.unwrap().unwrap().incident.team().to_string()
}

#[tokio::test]
async fn p12_the_team_of_the_rule_is_alerted_until_it_is_gone() {
    let engine = scene("settings day", "").await;
    let incident = report(&engine).await;
    assert_eq!(incident.team(), &team("dba"));
    assert_eq!(next_round(&engine, &incident).await, "dba");
    // The rule is deleted, and then its team.
    let gone = engine.roster().edit(RosterEdit::Delete(EntryKey::Routes)).await.unwrap();
    assert_eq!(gone, Effect::Deleted);
    assert_eq!(next_round(&engine, &incident).await, "dba");
    assert_eq!(engine.roster().delete_team(&team("dba")).await.unwrap(), Effect::Deleted);
    assert_eq!(next_round(&engine, &incident).await, "web");
    put_team(engine.roster(), "dba", "settings").await;
    assert_eq!(next_round(&engine, &incident).await, "dba");
    assert_eq!(report(&engine).await.team(), &team("web"), "there is no rule any more");
}

#[tokio::test]
async fn p12_a_rule_whose_team_cannot_be_alerted_has_no_effect_and_is_found() {
    // What the team has, what the deployment names; who is alerted.
    for (dba, deployment, alerted) in [
        ("day", "", "web"),
        ("day", "fallback", "dba"),
        ("settings", "", "dba"),
        ("settings day", "fallback", "dba"),
    ] {
        let engine = scene(dba, deployment).await;
        let incident = report(&engine).await;
        assert_eq!(incident.team(), &team(alerted), "{dba}, {deployment}");
        assert_eq!(next_round(&engine, &incident).await, alerted, "{dba}, {deployment}");
        let is_ignored = alerted == "web";
        let why = incident.routed().unwrap().ignored.clone();
        assert_eq!(why, is_ignored.then(|| Ignored::UnknownTeam(team("dba"))), "{dba}, {deployment}");
        let told = incident.timeline().entries().iter().any(|entry| matches!(entry.event, Event::Routed(_)));
        assert!(told, "{dba}, {deployment}");
        let found = engine.coverage(None, 1).await.unwrap();
        let found = found.get(&team("dba")).into_iter().flatten();
        let found = found.filter(|one| one.kind == FindingKind::UnknownName).count();
        assert_eq!(found, usize::from(is_ignored), "{dba}, {deployment}");
    }
}
