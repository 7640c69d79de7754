//! Counts the instructions of the hot paths, which are the same however busy the machine is. `cargo xtask bench counts`
//! shows them next to the previous run's.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "benchmarks have no public interface")]

mod common;

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use gungraun::prelude::*;
use inresponse_core::Engine;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{
    Incident, IncidentNumber, Matrix, Person, Report, ServiceName, TeamName, Version,
};
use inresponse_core::notify::{Alert, Notifiers};
use inresponse_core::plan::{
    self, Decision, Draft, HoldNothing, Input, Opening, StateChange, TakeOver, Update,
};
use inresponse_core::roster::{self, Defaults, Directory, Resolved, day_of};
use inresponse_core::store::Record;
use inresponse_core::testing::{ManualClock, RecordingNotifier, RosterTestExt};
use inresponse_http::{Api, ApiKey, Keys, Scope};
use inresponse_mail::{Mail, Sender, render};
use inresponse_sqlite::{Write, query, write_batch};
use rusqlite::Connection;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use common::{LEASE, leased, now, opening, parts, rota, team, team_name};

/// The number of incidents that are committed together.
const BATCH: usize = 64;
/// The number of records that the engine reads at a time.
const PAGE: usize = 256;
const KEY: &str = "monitoring-key-monitoring-key";

#[library_benchmark]
#[bench::new(parts())]
fn open((report, team, matrix): (Report, TeamName, Matrix)) -> (Opening, Vec<plan::Dispatch>) {
    black_box(plan::open(report, team, matrix, Some(LEASE), now()))
}

#[library_benchmark]
#[bench::second(leased().0)]
fn next_level(incident: Incident) -> Decision {
    let input = Input::Due { lease: LEASE, hold: &HoldNothing, round: None };
    black_box(plan::step(black_box(&incident), input, now() + TimeDelta::seconds(700)))
}

#[library_benchmark]
#[bench::first(leased())]
fn accepted((incident, send): (Incident, plan::Dispatch)) -> Draft {
    black_box(common::accepted(black_box(&incident), &send))
}

fn claim() -> (Incident, Update) {
    let claim = Update::state(Person::new("jo").unwrap(), StateChange::Claim(TakeOver::No));
    (leased().0, claim)
}

#[library_benchmark]
#[bench::open(claim())]
fn claimed((incident, update): (Incident, Update)) -> Decision {
    black_box(plan::step(black_box(&incident), Input::Update { update: &update, round: None }, now()))
}

#[library_benchmark]
#[bench::day(common::directory())]
fn on_call(directory: Directory) -> (Resolved, Directory) {
    (black_box(roster::resolve(black_box(&directory), &Defaults::none(), now()).unwrap()), directory)
}

fn draft() -> Draft {
    opening().numbered(IncidentNumber::new(10_000))
}

#[library_benchmark]
#[bench::new(draft())]
fn encode(draft: Draft) -> Vec<u8> {
    black_box(black_box(&draft).body())
}

#[library_benchmark]
#[bench::new(draft().body())]
fn decode(body: Vec<u8>) -> Record {
    black_box(Record::decode(black_box(&body), Version::FIRST, 1, now()).unwrap())
}

fn mail() -> (Alert, Sender) {
    (common::alert(), Sender::new("InResponse <alerts@example.org>").unwrap())
}

#[library_benchmark]
#[bench::text_and_html(mail())]
fn rendered((alert, sender): (Alert, Sender)) -> Mail {
    black_box(render(black_box(&alert), &sender, now()).unwrap())
}

fn database() -> (Connection, Vec<Write>) {
    let mut connection = inresponse_sqlite::prepare(Connection::open_in_memory().unwrap()).unwrap();
    let batch = || (0..BATCH).map(|_| Write::Create(Box::new(opening()))).collect::<Vec<_>>();
    // This is the state of a server that has run for a while: statements are prepared, pages are in the cache.
    for _ in 0..PAGE / BATCH {
        assert!(write_batch(&mut connection, batch()).unwrap().iter().all(Result::is_ok));
    }
    (connection, batch())
}

#[library_benchmark]
#[bench::of_64(database())]
fn sqlite_creates((mut connection, batch): (Connection, Vec<Write>)) -> Connection {
    let written = write_batch(&mut connection, batch).unwrap();
    assert!(black_box(written).iter().all(Result::is_ok));
    connection
}

#[library_benchmark]
#[bench::page_of_256(database().0)]
fn sqlite_due(connection: Connection) -> Connection {
    let due = query::due(&connection, now() + TimeDelta::days(1), None, PAGE).unwrap();
    assert_eq!(black_box(due).len(), PAGE);
    connection
}

/// The API with everything in memory, and a report for it.
fn api() -> (Runtime, Router, Request<Body>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (kept, service, name, team) =
        (MemoryRoster::new(), ServiceName::new("athens").unwrap(), team_name(), team());
    let router = runtime.block_on(async {
        kept.put_team(&name, &team).await.unwrap();
        kept.put_service(&service, &name).await.unwrap();
        kept.put_day(&name, day_of(team.timezone(), now()), &rota()).await.unwrap();
        let notifiers = Notifiers::new().mail(RecordingNotifier::new());
        let engine = Engine::builder(MemoryStore::new(), kept, notifiers, ManualClock::at(now())).build();
        let key = ApiKey::from_plain("monitoring", KEY, vec![Scope::Report]).unwrap();
        let router = inresponse_http::router(Api::new(engine, Keys::new(vec![key])));
        // Things that are made only once are made before the measurement.
        put(&router, report()).await;
        router
    });
    (runtime, router, report())
}

fn report() -> Request<Body> {
    let message = "x".repeat(300);
    let body = format!(
        r#"{{"service":"athens","severity":"CRIT","title":"5xx error spike","message":"{message}","source":"bench"}}"#
    );
    Request::put("/incidents").header("x-api-key", KEY).body(Body::from(body)).unwrap()
}

async fn put(router: &Router, request: Request<Body>) {
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
}

#[library_benchmark]
#[bench::in_memory(api())]
fn put_over_http((runtime, router, request): (Runtime, Router, Request<Body>)) -> (Runtime, Router) {
    runtime.block_on(put(&router, request));
    (runtime, router)
}

library_benchmark_group!(name = planner, benchmarks = [open, next_level, accepted, claimed, on_call]);
library_benchmark_group!(
    name = around,
    benchmarks = [encode, decode, rendered, sqlite_creates, sqlite_due, put_over_http]
);
main!(library_benchmark_groups = [planner, around]);
