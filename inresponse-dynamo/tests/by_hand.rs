//! What others wrote into the tables of the roster.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use aws_sdk_dynamodb::types::AttributeValue;
use inresponse_core::model::{Contact, OverrideId, Person, ScheduleName, ServiceName, TeamName};
use inresponse_core::roster::{
    Edited, Effect, Entry, EntryKind, MAX_EDITS, Override, Roster, Rota, Schedule, Zone,
};
use inresponse_core::testing::RosterTestExt;
use support::{Emulator, Tables, client};

/// It falls back, as for an entry that is not there; an outage would refuse every report for it, for good.
async fn an_entry_that_cannot_be_read_is_left_out(emulator: Emulator) {
    let tables = Tables::of(emulator);
    tables.make().await;
    let client = client(&tables.url);
    let put = async |table: &str, item: &[(&str, AttributeValue)]| {
        let put = client.put_item().table_name(tables.named(table));
        let put = item.iter().fold(put, |put, (name, value)| put.item(*name, value.clone()));
        put.send().await.unwrap();
    };
    let text = |text: &str| AttributeValue::S(text.to_owned());
    put("Service", &[("serviceId", text("athens"))]).await;
    put("Service", &[("serviceId", text("sparta")), ("team", text(" "))]).await;
    put("Service", &[("serviceId", text("delphi")), ("team", text("devops"))]).await;
    put("Team", &[("teamname", text("devops"))]).await;
    put("Team", &[("teamname", text("web")), ("settings", text("{}"))]).await;
    let day = [("teamname", text("devops")), ("day", text("2026-12-24")), ("oncall", text("nobody"))];
    put("OncallCalendar", &day).await;

    let roster = tables.roster();
    let (devops, eve) = (TeamName::new("devops").unwrap(), "2026-12-24".parse().unwrap());
    for (service, owner) in [("athens", None), ("sparta", None), ("delphi", Some(devops.clone()))] {
        assert_eq!(roster.service(&ServiceName::new(service).unwrap()).await.unwrap(), owner, "{service}");
    }
    for team in ["devops", "web"] {
        let team = TeamName::new(team).unwrap();
        assert!(roster.team(&team).await.unwrap().is_none(), "{team}");
        assert!(roster.knows_team(&team).await.unwrap(), "{team}");
    }
    assert!(roster.day(&devops, eve).await.unwrap().is_none());
}

#[tokio::test]
async fn ministack_p12_an_entry_that_cannot_be_read_is_left_out() {
    an_entry_that_cannot_be_read_is_left_out(Emulator::Ministack).await;
}

#[tokio::test]
async fn dynamodb_local_p12_an_entry_that_cannot_be_read_is_left_out() {
    an_entry_that_cannot_be_read_is_left_out(Emulator::DynamodbLocal).await;
}

/// A transaction has a hundred items at most.
async fn a_team_is_deleted_with_a_long_calendar(emulator: Emulator) {
    let tables = Tables::of(emulator);
    tables.make().await;
    let roster = tables.roster();
    let devops = TeamName::new("devops").unwrap();
    let first = chrono::NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
    let days: Vec<_> = first.iter_days().take(150).collect();
    let by = Person::new("ann").unwrap();
    for days in days.chunks(MAX_EDITS) {
        let rota = || Rota::new(vec![Contact::new("jo@example.org").unwrap()], Vec::new()).unwrap();
        let edits: Vec<_> = days.iter().map(|day| Entry::day(&devops, *day, rota()).into()).collect();
        let edited = roster.apply(&by, chrono::DateTime::UNIX_EPOCH, &edits).await.unwrap();
        assert_eq!(edited, Edited::Done(vec![Effect::Created; days.len()]));
    }
    let listed = roster.entries(EntryKind::Day, None, 1_000).await.unwrap();
    assert_eq!(listed.len(), days.len());
    assert_eq!(roster.delete_team(&devops).await.unwrap(), Effect::Deleted);
    assert_eq!(roster.entries(EntryKind::Day, None, 1_000).await.unwrap(), []);
    assert!(!roster.knows_team(&devops).await.unwrap());
}

#[tokio::test]
async fn ministack_a_team_is_deleted_with_a_long_calendar() {
    a_team_is_deleted_with_a_long_calendar(Emulator::Ministack).await;
}

#[tokio::test]
async fn dynamodb_local_a_team_is_deleted_with_a_long_calendar() {
    a_team_is_deleted_with_a_long_calendar(Emulator::DynamodbLocal).await;
}

/// A process that died while it deleted a schedule of the same name has left it, say.
async fn a_new_schedule_has_no_override_of_an_older_one(emulator: Emulator) {
    let tables = Tables::of(emulator);
    tables.make().await;
    let (web, primary) = (TeamName::new("web").unwrap(), ScheduleName::new("primary").unwrap());
    let stand_in = |id: &str, note: &str| {
        let (from, to) = ("2026-12-24".parse().unwrap(), "2026-12-25".parse().unwrap());
        let one = Override::new(from, to, Vec::new(), None, Some(note.to_owned())).unwrap();
        Entry::stand_in(&web, &primary, &OverrideId::new(id).unwrap(), one)
    };
    for id in ["a", "b"] {
        let left = stand_in(id, "left over");
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mark = format!("override\u{1f}web\u{1f}primary/{id}");
        let put = client(&tables.url).put_item().table_name(tables.named("RosterChange"));
        let put = put.item("log", text("entries")).item("mark", text(&mark)).item("kind", text("override"));
        let put = put.item("team", text("web")).item("name", text(&format!("primary/{id}")));
        put.item("body", text(&left.body().unwrap())).send().await.unwrap();
    }
    let roster = tables.roster();
    let schedule = Schedule::new(Zone::utc(), Vec::new(), Vec::new()).unwrap();
    let edits = [Entry::schedule(&web, &primary, schedule).into(), stand_in("a", "new").into()];
    let by = Person::new("ann").unwrap();
    let edited = roster.apply(&by, chrono::DateTime::UNIX_EPOCH, &edits).await.unwrap();
    assert!(matches!(edited, Edited::Done(_)), "{edited:?}");
    let left = roster.entries(EntryKind::Override, None, 1_000).await.unwrap();
    assert_eq!(left, [stand_in("a", "new").into()]);
}

#[tokio::test]
async fn ministack_a_new_schedule_has_no_override_of_an_older_one() {
    a_new_schedule_has_no_override_of_an_older_one(Emulator::Ministack).await;
}

#[tokio::test]
async fn dynamodb_local_a_new_schedule_has_no_override_of_an_older_one() {
    a_new_schedule_has_no_override_of_an_older_one(Emulator::DynamodbLocal).await;
}
