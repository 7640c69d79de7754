//! Measures the planner, its input, and the mails made from its output.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "benchmarks have no public interface")]

mod common;

use std::hint::black_box;

use chrono::TimeDelta;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use inresponse_core::memory::MemoryRoster;
use inresponse_core::model::{IncidentNumber, Person, ServiceName, Version};
use inresponse_core::notify::Outcome;
use inresponse_core::plan::{self, HoldNothing, Input, StateChange, TakeOver, Update};
use inresponse_core::roster::{self, Defaults, Roster, day_of};
use inresponse_core::store::Record;
use inresponse_core::testing::RosterTestExt;
use inresponse_mail::{Sender, render};

use common::{LEASE, alert, leased, now, opening, parts, rota, team, team_name};

fn planner(criterion: &mut Criterion) {
    let (incident, send) = leased();
    let later = now() + TimeDelta::seconds(700);
    let claim = Update::state(Person::new("jo").unwrap(), StateChange::Claim(TakeOver::No));
    criterion.bench_function("open with the first lease", |b| {
        b.iter_batched(parts, |(r, t, m)| plan::open(r, t, m, Some(LEASE), now()), BatchSize::SmallInput);
    });
    criterion.bench_function("due: the next level", |b| {
        b.iter(|| {
            let input = Input::Due { lease: LEASE, hold: &HoldNothing, round: None };
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
        b.iter(|| plan::step(black_box(&incident), Input::Update { update: &claim, round: None }, now()));
    });
}

fn records(criterion: &mut Criterion) {
    let draft = opening().numbered(IncidentNumber::new(10_000));
    let body = draft.body();
    criterion.bench_function("encode a record", |b| b.iter(|| black_box(&draft).body()));
    criterion.bench_function("decode a record", |b| {
        b.iter(|| Record::decode(black_box(&body), Version::FIRST, 1, now()).unwrap());
    });
}

fn who_is_on_call(criterion: &mut Criterion) {
    let (team, directory) = (team(), common::directory());
    criterion.bench_function("day of an instant", |b| b.iter(|| day_of(black_box(team.timezone()), now())));
    criterion.bench_function("who is on call", |b| {
        b.iter(|| roster::resolve(black_box(&directory), &Defaults::none(), now()));
    });

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (kept, service, name) = (MemoryRoster::new(), ServiceName::new("athens").unwrap(), team_name());
    runtime.block_on(async {
        kept.put_team(&name, &team).await.unwrap();
        kept.put_service(&service, &name).await.unwrap();
        kept.put_day(&name, day_of(team.timezone(), now()), &rota()).await.unwrap();
    });
    criterion.bench_function("who is on call for a service", |b| {
        b.to_async(&runtime).iter(async || {
            let name = kept.service(&service).await.unwrap().unwrap();
            let directory = kept.directory(&name, now(), now()).await.unwrap();
            roster::resolve(&directory, &Defaults::none(), now())
        });
    });
}

fn rendering(criterion: &mut Criterion) {
    let (alert, sender) = (alert(), Sender::new("InResponse <alerts@example.org>").unwrap());
    criterion.bench_function("render a mail, text and HTML", |b| {
        b.iter(|| render(black_box(&alert), &sender, now()).unwrap());
    });
}

criterion_group!(benches, planner, records, who_is_on_call, rendering);
criterion_main!(benches);
