//! Changes to the roster that the deployment takes or refuses: promise 16.

use std::slice;

use inresponse_core::Engine;
use inresponse_core::engine::RosterEdited;
use inresponse_core::memory::MemoryRoster;
use inresponse_core::roster::{
    Effect, Entry, EntryKey, EntryKind, Listed, MAX_EDITS, Refusal, Roster, RosterChange, RosterEdit, Rota,
    Team, What,
};
use inresponse_core::testing::RosterTestExt;

use crate::lookup::{Lags, engine, put_team, today};
use crate::support::{T0, contacts, person, service, team};

fn settings(of: &str) -> RosterEdit {
    Entry::team(&team(of), Team::builder(contacts(of)).build().unwrap()).into()
}

fn owned(by: &str) -> RosterEdit {
    Entry::service(&service("shop"), &team(by)).into()
}

fn on_call(of: &str) -> RosterEdit {
    Entry::day(&team(of), today(), Rota::new(contacts("jo"), Vec::new()).unwrap()).into()
}

fn delete_team(name: &str) -> RosterEdit {
    RosterEdit::Delete(EntryKey::Team(team(name)))
}

async fn edited(engine: &Engine, edits: &[RosterEdit]) -> RosterEdited {
    engine.edit_roster(&person("ann"), edits).await.unwrap()
}

async fn records(roster: &dyn Roster) -> Vec<RosterChange> {
    roster.changes(None, 1_000).await.unwrap().into_iter().map(|(_, change)| change).collect()
}

/// All entries and records.
async fn everything(roster: &dyn Roster) -> (Vec<Listed>, Vec<RosterChange>) {
    let mut entries = Vec::new();
    for kind in EntryKind::ALL {
        entries.extend(roster.entries(kind, None, 1_000).await.unwrap());
    }
    (entries, records(roster).await)
}

async fn must_change_nothing(engine: &Engine, edits: &[RosterEdit], expected: RosterEdited, case: &str) {
    let before = everything(engine.roster()).await;
    assert_eq!(edited(engine, edits).await, expected, "{case}");
    assert_eq!(everything(engine.roster()).await, before, "{case}");
}

#[tokio::test]
async fn p16_a_service_is_not_given_to_a_team_that_nobody_can_alert() {
    let cases = [
        ("", "settings", true),
        ("", "settings day", true),
        ("fallback", "day", true),
        ("fallback", "service", true),
        ("", "", false),
        ("", "day", false),
        ("", "service", false),
        ("fallback", "", false),
        ("fallback catch-all", "", false),
    ];
    for (deployment, has, is_taken) in cases {
        let case = format!("{deployment}, {has}");
        let (engine, _) = engine(MemoryRoster::new(), deployment);
        put_team(engine.roster(), "web", has).await;
        if has == "service" {
            engine.roster().put_service(&service("other"), &team("web")).await.unwrap();
        }
        if is_taken {
            let done = RosterEdited::Done(vec![Effect::Created]);
            assert_eq!(edited(&engine, &[owned("web")]).await, done, "{case}");
            assert_eq!(engine.roster().service(&service("shop")).await.unwrap(), Some(team("web")), "{case}");
        } else {
            let unknown = RosterEdited::UnknownTeam(team("web"));
            must_change_nothing(&engine, &[owned("web")], unknown.clone(), &case).await;
            // Nothing else of that call is made.
            must_change_nothing(&engine, &[settings("db"), owned("web")], unknown, &case).await;
        }
    }
}

#[tokio::test]
async fn p16_a_day_is_not_kept_for_a_team_without_settings_unless_the_deployment_has_a_fallback() {
    let cases = [
        ("", "settings", true),
        ("fallback", "", true),
        ("fallback", "service", true),
        ("", "", false),
        ("", "service", false),
        ("catch-all", "", false),
    ];
    for (deployment, has, is_taken) in cases {
        let case = format!("{deployment}, {has}");
        let (engine, _) = engine(MemoryRoster::new(), deployment);
        put_team(engine.roster(), "web", has).await;
        if has == "service" {
            engine.roster().put_service(&service("other"), &team("web")).await.unwrap();
        }
        if is_taken {
            let done = RosterEdited::Done(vec![Effect::Created]);
            assert_eq!(edited(&engine, &[on_call("web")]).await, done, "{case}");
            assert!(engine.roster().day(&team("web"), today()).await.unwrap().is_some(), "{case}");
        } else {
            let unknown = RosterEdited::UnknownTeam(team("web"));
            must_change_nothing(&engine, &[on_call("web")], unknown, &case).await;
        }
    }
}

#[tokio::test]
async fn a_team_may_be_made_by_the_call_that_needs_it() {
    for edits in
        [[settings("web"), owned("web"), on_call("web")], [on_call("web"), owned("web"), settings("web")]]
    {
        let (engine, _) = engine(MemoryRoster::new(), "");
        assert_eq!(edited(&engine, &edits).await, RosterEdited::Done(vec![Effect::Created; 3]));
        let made: Vec<_> = records(engine.roster())
            .await
            .iter()
            .rev()
            .map(|change| match change.what() {
                What::Entry(entry) => (entry.key.clone(), change.by().clone(), change.at()),
                What::Text(text) => panic!("{text}"),
            })
            .collect();
        let expected: Vec<_> = edits.iter().map(|edit| (edit.key(), person("ann"), T0)).collect();
        assert_eq!(made, expected, "each record has who made the edit, and when");
    }
    // One that another call made and this one deletes is of no use.
    let (engine, _) = engine(MemoryRoster::new(), "");
    put_team(engine.roster(), "web", "settings").await;
    let by = EntryKey::Service(service("shop"));
    let in_use = RosterEdited::Refused(Refusal::InUse { key: EntryKey::Team(team("web")), by });
    must_change_nothing(&engine, &[delete_team("web"), owned("web")], in_use, "deleted").await;
}

#[tokio::test]
async fn p12_the_catch_all_team_is_not_deleted() {
    for has in ["settings", "day", "settings day"] {
        let (engine, _) = engine(MemoryRoster::new(), "catch-all");
        put_team(engine.roster(), "all", has).await;
        put_team(engine.roster(), "web", "settings").await;
        let refused = RosterEdited::CatchAllTeam(team("all"));
        must_change_nothing(&engine, &[delete_team("all")], refused.clone(), has).await;
        must_change_nothing(&engine, &[delete_team("web"), delete_team("all")], refused, has).await;
        // Any other team may be, and what the catch-all team is made of.
        let done = RosterEdited::Done(vec![Effect::Deleted]);
        assert_eq!(edited(&engine, &[delete_team("web")]).await, done, "{has}");
        if has.contains("day") {
            let day = RosterEdit::Delete(EntryKey::Day(team("all"), today()));
            assert_eq!(edited(&engine, &[day]).await, done, "{has}");
        }
    }
    let (engine, _) = engine(MemoryRoster::new(), "catch-all");
    let absent = RosterEdited::Done(vec![Effect::Absent]);
    must_change_nothing(&engine, &[delete_team("all")], absent, "it is not there").await;
}

#[tokio::test]
async fn p16_what_the_roster_refuses_changes_nothing() {
    let (engine, _) = engine(MemoryRoster::new(), "fallback");
    put_team(engine.roster(), "web", "settings").await;
    engine.roster().put_service(&service("shop"), &team("web")).await.unwrap();
    let (shop, web) = (EntryKey::Service(service("shop")), EntryKey::Team(team("web")));
    let many: Vec<_> = (0..=MAX_EDITS).map(|n| settings(&format!("team{n}"))).collect();
    let cases = [
        (vec![settings("db"), delete_team("web")], Refusal::InUse { key: web, by: shop.clone() }),
        (many.clone(), Refusal::TooMany(MAX_EDITS + 1)),
        (vec![settings("db"), owned("web"), owned("db")], Refusal::Twice(shop)),
    ];
    for (edits, refusal) in cases {
        let case = format!("{refusal:?}");
        must_change_nothing(&engine, &edits, RosterEdited::Refused(refusal), &case).await;
    }
    assert_eq!(edited(&engine, &many[1..]).await, RosterEdited::Done(vec![Effect::Created; MAX_EDITS]));
}

#[tokio::test]
async fn p12_what_another_server_has_just_written_decides() {
    for edit in [owned("web"), on_call("web")] {
        let lags = Lags::default();
        put_team(&lags.0.after, "web", "settings").await;
        let (engine, _) = engine(lags.clone(), "");
        let done = RosterEdited::Done(vec![Effect::Created]);
        assert_eq!(edited(&engine, slice::from_ref(&edit)).await, done, "{edit:?}");
    }
    let lags = Lags::default();
    put_team(&lags.0.after, "all", "settings").await;
    let (engine, _) = engine(lags, "catch-all");
    assert_eq!(edited(&engine, &[delete_team("all")]).await, RosterEdited::CatchAllTeam(team("all")));
}
