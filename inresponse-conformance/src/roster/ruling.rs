//! A law of routing rules: a read returns what was written, and the names that the rules use are kept.

use inresponse_core::model::{HeartbeatName, RuleName, ServiceName, Severity, TeamName};
use inresponse_core::roster::{
    Effect, Entry, EntryKey, EntryKind, Heartbeat, Listed, Refusal, Roster, RosterEdit, Routes, Rule, Team,
};

use super::acting::{delete_service, done_one, listed, must_refuse, put_service, put_team, time};
use super::scene::put;
use crate::Harness;

fn rule(name: &str) -> Rule {
    Rule {
        name: RuleName::new(name).expect("the name is valid"),
        matchers: vec![r#"note!~"a \"b\"|日本 🚒""#.parse().expect("it is valid")],
        team: None,
        severity: None,
        record_only: false,
        heartbeat: None,
    }
}

/// Routing rules are returned exactly, alone, in the list, and with every team's directory; and no team or heartbeat is
/// deleted while a rule names it.
pub async fn p12_routing_rules_are_answered_exactly_and_keep_their_names<H: Harness<Subject: Roster>>(
    harness: &H,
) {
    let roster = harness.fresh().await;
    let (dba, watchdog) = (TeamName::new("dba"), HeartbeatName::new("watchdog"));
    let (dba, watchdog) = (dba.expect("it is valid"), watchdog.expect("it is valid"));
    let (team, heartbeat) = (EntryKey::Team(dba.clone()), EntryKey::Heartbeat(watchdog.clone()));
    let rules = vec![
        Rule { team: Some(dba.clone()), severity: Some(Severity::Err), ..rule("to a team") },
        Rule { record_only: true, ..rule("α: record") },
        Rule { heartbeat: Some(watchdog.clone()), ..rule("ping") },
    ];
    let all = Entry::routes(Routes::new(rules.clone()).expect("they are valid"));
    let unknown = Refusal::Unknown { key: team.clone(), by: EntryKey::Routes };
    must_refuse(&roster, &[put(&all)], &unknown).await;
    let fallback = vec![inresponse_core::model::Contact::new("dba@example.org").expect("it is valid")];
    put_team(&roster, "dba", &Team::builder(fallback).build().expect("it is valid")).await;
    let unknown = Refusal::Unknown { key: heartbeat.clone(), by: EntryKey::Routes };
    must_refuse(&roster, &[put(&all)], &unknown).await;
    put_service(&roster, "athens", "dba").await;
    let minute = std::time::Duration::from_secs(60);
    let athens = ServiceName::new("athens").expect("it is valid");
    let definition = Heartbeat::new(athens, Severity::Crit, minute, minute, None).expect("it is valid");
    assert_eq!(done_one(&roster, 1, put(&Entry::heartbeat(&watchdog, definition))).await, Effect::Created);

    assert_eq!(done_one(&roster, 2, put(&all)).await, Effect::Created);
    assert_eq!(done_one(&roster, 3, put(&all)).await, Effect::Unchanged);
    let in_use = |key: &EntryKey| Refusal::InUse { key: key.clone(), by: EntryKey::Routes };
    must_refuse(&roster, &[RosterEdit::Delete(heartbeat.clone())], &in_use(&heartbeat)).await;
    let fewer = Entry::routes(Routes::new(rules[..2].to_vec()).expect("they are valid"));
    assert_eq!(done_one(&roster, 4, put(&fewer)).await, Effect::Replaced);
    let read = roster.entry(&EntryKey::Routes).await.expect("the roster is read");
    assert_eq!(read.as_ref(), Some(&fewer));
    assert_eq!(listed(&roster, EntryKind::Routes).await, [Listed::from(fewer.clone())]);
    for any in ["dba", "nobody"] {
        let any = TeamName::new(any).expect("it is valid");
        let directory = roster.directory(&any, time(5), time(5)).await.expect("the roster is read");
        assert_eq!(directory.book().routes().cloned().map(Entry::Routes).as_ref(), Some(&fewer), "{any}");
    }
    assert_eq!(done_one(&roster, 5, RosterEdit::Delete(heartbeat)).await, Effect::Deleted);
    assert_eq!(delete_service(&roster, "athens").await, Effect::Deleted);
    must_refuse(&roster, &[RosterEdit::Delete(team.clone())], &in_use(&team)).await;
    assert_eq!(done_one(&roster, 7, RosterEdit::Delete(EntryKey::Routes)).await, Effect::Deleted);
    assert_eq!(done_one(&roster, 8, RosterEdit::Delete(EntryKey::Routes)).await, Effect::Absent);
    assert_eq!(listed(&roster, EntryKind::Routes).await, []);
    assert_eq!(done_one(&roster, 9, RosterEdit::Delete(team)).await, Effect::Deleted);
}
