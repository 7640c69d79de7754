//! The planner and what it works on.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark is no library")]

use std::hint::black_box;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use inresponse_core::model::{
    Contact, Incident, IncidentNumber, Matrix, Person, Report, Severity, TeamName, Version,
};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{self, HoldNothing, Input, StateChange, TakeOver, Update};
use inresponse_core::roster::{Zone, day_of};
use inresponse_core::store::Record;

const LEASE: Duration = Duration::from_secs(30);

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn parts() -> (Report, TeamName, Matrix) {
    let contact = |name: &str| Contact::new(format!("{name}@example.org")).unwrap();
    let levels = vec![vec![contact("jo")], vec![contact("kim")], vec![contact("lee"), contact("max")]];
    let matrix = Matrix::new(levels, vec![contact("ops")], Duration::from_secs(600));
    let report =
        Report::builder("athens", Severity::Crit, "5xx error spike").message("12 % of requests fail");
    (report.build().unwrap(), TeamName::new("devops").unwrap(), matrix)
}

fn leased() -> (Incident, plan::Send) {
    let (report, team, matrix) = parts();
    let (opening, mut sends) = plan::open(report, team, matrix, Some(LEASE), now());
    (opening.numbered(IncidentNumber::new(10_000)).into_incident(), sends.remove(0))
}

fn planner(criterion: &mut Criterion) {
    let (incident, send) = leased();
    let later = now() + TimeDelta::seconds(700);
    let claim = Update::state(Person::new("jo").unwrap(), StateChange::Claim(TakeOver::No));
    criterion.bench_function("open with the first lease", |b| {
        b.iter_batched(
            parts,
            |(r, t, m)| plan::open(r, t, m, Some(LEASE), now()),
            criterion::BatchSize::SmallInput,
        );
    });
    criterion.bench_function("due: the next level", |b| {
        b.iter(|| {
            let input = Input::Due { lease: LEASE, hold: &HoldNothing, matrix: None };
            plan::step(black_box(&incident), input, later)
        });
    });
    criterion.bench_function("outcome: accepted", |b| {
        b.iter(|| {
            let (delivery, attempt, outcome) = (send.delivery, send.attempt, &Outcome::Accepted);
            plan::step(black_box(&incident), Input::Outcome { delivery, attempt, outcome }, now())
        });
    });
    criterion.bench_function("claim", |b| {
        b.iter(|| plan::step(black_box(&incident), Input::Update { update: &claim, matrix: None }, now()));
    });
}

fn around(criterion: &mut Criterion) {
    let (report, team, matrix) = parts();
    let draft = plan::open(report, team, matrix, Some(LEASE), now()).0.numbered(IncidentNumber::new(10_000));
    let body = draft.body();
    let zone = Zone::new("Europe/Athens").unwrap();
    criterion.bench_function("encode a record", |b| b.iter(|| black_box(&draft).body()));
    criterion.bench_function("decode a record", |b| {
        b.iter(|| Record::decode(black_box(&body), Version::FIRST, 1, now()).unwrap());
    });
    criterion.bench_function("day of an instant", |b| b.iter(|| day_of(black_box(&zone), now())));
}

criterion_group!(benches, planner, around);
criterion_main!(benches);
