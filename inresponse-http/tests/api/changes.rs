//! Every change to the roster is recorded in the step that makes it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Person, ServiceName, TeamName};
use inresponse_core::roster::{
    ChangeMark, Directory, Edited, EntryKey, EntryKind, Listed, Roster, RosterChange, RosterEdit,
};
use inresponse_core::{Outage, OutageKind};
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
async fn every_change_is_recorded_once_and_what_changes_nothing_is_not() {
    let world = World::new().await;
    let team = json!({ "fallback": ["ops@example.org"], "repeat": 1 });
    let day = "/teams/devops/calendar/2026-12-24";
    let mut expected = told(&world).await.len();
    assert_eq!(expected, 2, "the team and the service that are there");
    let changes: [(&str, Option<Value>, &str); 8] = [
        ("/teams/devops", Some(team.clone()), "team devops: repeat 1 (was 0)"),
        (
            "/teams/ops",
            Some(team),
            "team ops: created; alert levels all; wait 600.0 s; fallback o…@example.org; repeat 1; time zone UTC",
        ),
        ("/services/athens", Some(json!({ "team": "ops" })), "service athens: assigned to ops (was devops)"),
        (
            day,
            Some(json!({ "oncall": "jo@example.org", "escalation": ["kim@example.org"] })),
            "calendar of devops, 2026-12-24: j…@example.org; k…@example.org (was nobody)",
        ),
        (
            day,
            Some(json!({ "oncall": "lee@example.org" })),
            "calendar of devops, 2026-12-24: l…@example.org (was j…@example.org; k…@example.org)",
        ),
        (day, None, "calendar of devops, 2026-12-24: deleted (was l…@example.org)"),
        ("/services/athens", None, "service athens: deleted (was assigned to ops)"),
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
async fn a_deletion_that_is_refused_changes_nothing_and_leaves_no_record() {
    let world = World::new().await;
    let before = told(&world).await;
    let answer = world.delete("/teams/devops").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json["detail"], "team `devops` still owns the service `athens`");
    assert_eq!(told(&world).await, before);
}

#[tokio::test]
async fn changes_are_read_page_by_page_by_responders() {
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

/// A roster in memory whose edits can fail.
#[derive(Debug)]
struct Failing {
    behind: MemoryRoster,
    fails: Arc<Mutex<Option<OutageKind>>>,
}

#[async_trait]
impl Roster for Failing {
    async fn apply(&self, by: &Person, at: DateTime<Utc>, edits: &[RosterEdit]) -> Result<Edited, Outage> {
        let fails = *self.fails.lock().unwrap();
        match fails {
            Some(kind) => Err(Outage::new(kind, "the disk is on fire")),
            None => self.behind.apply(by, at, edits).await,
        }
    }
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        self.behind.service(service).await
    }
    async fn directory(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Arc<Directory>, Outage> {
        self.behind.directory(team, from, to).await
    }
    async fn entries(
        &self,
        kind: EntryKind,
        after: Option<&EntryKey>,
        limit: usize,
    ) -> Result<Vec<Listed>, Outage> {
        self.behind.entries(kind, after, limit).await
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
async fn p04_a_change_that_fails_says_whether_it_may_have_been_made() {
    let fails = Arc::new(Mutex::new(None));
    let roster = Failing { behind: MemoryRoster::new(), fails: Arc::clone(&fails) };
    let world = World::with(MemoryStore::new(), roster).await;
    let day = "/teams/devops/calendar/2026-12-24";
    world.put(day, json!({ "oncall": "jo@example.org" })).await;
    world.put("/teams/ops", json!({ "fallback": ["ops@example.org"] })).await;
    let things = [
        ("/services/athens", json!({ "team": "ops" })),
        ("/teams/ops", json!({ "fallback": ["boss@example.org"] })),
        (day, json!({ "oncall": "kim@example.org" })),
    ];
    for (kind, maybe) in [(OutageKind::Retryable, false), (OutageKind::Unknown, true)] {
        for (path, body) in &things {
            *fails.lock().unwrap() = Some(kind);
            for answer in [world.put(path, body.clone()).await, world.delete(path).await] {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
                assert_eq!(answer.json["mayHaveBeenRecorded"], maybe, "{path}");
            }
            *fails.lock().unwrap() = None;
            assert_eq!(world.get(path).await.status, StatusCode::OK, "{path}");
        }
    }
}
