//! Who changed the roster is noted before it is changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::http::StatusCode;
use chrono::NaiveDate;
use inresponse_core::Outage;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted};
use serde_json::{Value, json};

use crate::world::{RESPOND, World};

/// Who and what, newest first.
async fn told(world: &World) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let page = world.get("/roster/changes?limit=500").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.json["changes"].as_array().unwrap().iter().map(|c| (text(&c["by"]), text(&c["what"]))).collect()
}

#[tokio::test]
async fn every_change_is_noted_once_and_what_changes_nothing_is_not() {
    let world = World::new().await;
    let team = json!({ "fallback": ["ops@example.org"], "repeat": 1 });
    let day = "/teams/devops/calendar/2026-12-24";
    let mut expected = told(&world).await.len();
    assert_eq!(expected, 2, "the team and the service that are there");
    let changes: [(&str, Option<Value>, &str); 8] = [
        ("/teams/devops", Some(team.clone()), "team devops: repeat 1, before 0"),
        (
            "/teams/ops",
            Some(team),
            "team ops: timezone UTC; wait 600 s; fallback ops@example.org; repeat 1; ",
        ),
        ("/services/athens", Some(json!({ "team": "ops" })), "service athens: team ops, before devops"),
        (
            day,
            Some(json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org"] })),
            "calendar of devops on 2026-12-24: jo@example.org; kim@example.org, before nobody",
        ),
        (
            day,
            Some(json!({ "oncall": "lee@example.org" })),
            "calendar of devops on 2026-12-24: lee@example.org, before jo@example.org; kim@example.org",
        ),
        (day, None, "calendar of devops on 2026-12-24: deleted, before lee@example.org"),
        ("/services/athens", None, "service athens: deleted, before team ops"),
        ("/teams/ops", None, "team ops: deleted"),
    ];
    for (path, body, what) in changes {
        for time in ["first", "second"] {
            let answer = match &body {
                Some(body) => world.put(path, body.clone()).await,
                None => world.delete(path).await,
            };
            let status = match (&body, time) {
                (Some(_), _) => StatusCode::OK,
                (None, "first") => StatusCode::NO_CONTENT,
                (None, _) => StatusCode::NOT_FOUND,
            };
            assert_eq!(answer.status, status, "{path} the {time} time: {}", answer.text);
            expected += usize::from(time == "first");
            let told = told(&world).await;
            assert_eq!(told.len(), expected, "{path} the {time} time: {told:?}");
            assert!(told[0].0 == "admin" && told[0].1.starts_with(what), "{what}: {:?}", told[0]);
        }
    }
}

#[tokio::test]
async fn a_deletion_that_is_refused_says_so_in_the_list() {
    let world = World::new().await;
    assert_eq!(world.delete("/teams/devops").await.status, StatusCode::CONFLICT);
    let told = told(&world).await;
    assert_eq!(told[0].1, "team devops: not deleted, since it owns service athens");
    assert_eq!(told[1].1, "team devops: deleted");
}

#[tokio::test]
async fn changes_are_read_page_by_page_by_whoever_responds() {
    let world = World::new().await;
    for day in 1..=5 {
        let path = format!("/teams/devops/calendar/2026-12-0{day}");
        world.put(&path, json!({ "oncall": "jo@example.org" })).await;
    }
    let all = told(&world).await;
    let (mut found, mut path) = (Vec::new(), "/roster/changes?limit=3".to_owned());
    loop {
        let page = world.call(RESPOND, axum::http::Method::GET, &path, String::new()).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let changes = page.json["changes"].as_array().unwrap();
        assert!(
            (1..=3).contains(&changes.len()) && changes[0]["at"] == "2026-11-24T03:00:00Z",
            "{}",
            page.text
        );
        found.extend(changes.iter().map(|change| change["what"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.json["cursor"].as_str() else { break };
        assert_eq!(world.get(&format!("/incidents?cursor={cursor}")).await.fields(), ["cursor"]);
        path = format!("/roster/changes?limit=3&cursor={cursor}");
    }
    assert_eq!(found, all.into_iter().map(|(_, what)| what).collect::<Vec<_>>());
}

/// A roster in memory whose list of changes can be out of order.
#[derive(Debug)]
struct Unnoted {
    behind: MemoryRoster,
    out_of_order: Arc<AtomicBool>,
}

#[async_trait]
impl Roster for Unnoted {
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        self.behind.service(service).await
    }
    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        self.behind.team(team).await
    }
    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        self.behind.day(team, day).await
    }
    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        self.behind.knows_team(team).await
    }
    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        self.behind.teams().await
    }
    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage> {
        self.behind.put_service(service, team).await
    }
    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage> {
        self.behind.put_team(team, settings).await
    }
    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage> {
        self.behind.put_day(team, day, rota).await
    }
    async fn delete_service(&self, service: &ServiceName) -> Result<Deleted, Outage> {
        self.behind.delete_service(service).await
    }
    async fn delete_team(&self, team: &TeamName) -> Result<TeamDeleted, Outage> {
        self.behind.delete_team(team).await
    }
    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Deleted, Outage> {
        self.behind.delete_day(team, day).await
    }
    async fn note_change(&self, change: &RosterChange) -> Result<(), Outage> {
        if self.out_of_order.load(Ordering::SeqCst) {
            return Err(Outage::unknown("the disk is on fire"));
        }
        self.behind.note_change(change).await
    }
    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        self.behind.changes(before, limit).await
    }
}

#[tokio::test]
async fn what_cannot_be_noted_is_not_changed() {
    let out_of_order = Arc::new(AtomicBool::new(false));
    let roster = Unnoted { behind: MemoryRoster::new(), out_of_order: Arc::clone(&out_of_order) };
    let world = World::with(MemoryStore::new(), roster).await;
    let day = "/teams/devops/calendar/2026-12-24";
    world.put(day, json!({ "oncall": "jo@example.org" })).await;
    world.put("/teams/ops", json!({ "fallback": ["ops@example.org"] })).await;
    out_of_order.store(true, Ordering::SeqCst);
    let things = [
        ("/services/athens", json!({ "team": "ops" })),
        ("/teams/ops", json!({ "fallback": ["boss@example.org"] })),
        (day, json!({ "oncall": "kim@example.org" })),
    ];
    for (path, body) in things {
        let before = world.get(path).await.text;
        for answer in [world.put(path, body).await, world.delete(path).await] {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(answer.json["mayHaveBeenRecorded"], false, "{path}");
        }
        assert_eq!(world.get(path).await.text, before, "{path}");
    }
}
