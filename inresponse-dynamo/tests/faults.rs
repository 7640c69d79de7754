//! What no emulator does: answers that are lost, throttling, conflicts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use inresponse_core::OutageKind;
use inresponse_core::model::{Contact, Matrix, Note, Person, Report, ReportBuilder, Severity, TeamName};
use inresponse_core::plan::{self, Decision, Draft, Input, Opening, StateChange, Update};
use inresponse_core::store::{Committed, Created, ListQuery, Record, Store};
use inresponse_dynamo::DynamoStore;
use support::proxy::{Fault, Proxy};
use support::{Emulator, Tables, client, impatient_client};
use tokio::sync::oneshot;

/// The number of tries of a call.
const TRIES: usize = 4;

/// A store behind a proxy, and one that goes around it.
struct World {
    tables: Tables,
    proxy: Proxy,
    store: DynamoStore,
    around: DynamoStore,
}

impl World {
    async fn new() -> Self {
        let tables = Tables::of(Emulator::DynamodbLocal);
        let proxy = Proxy::before(tables.url.clone()).await;
        Self::behind(tables, proxy).await
    }

    async fn behind(tables: Tables, proxy: Proxy) -> Self {
        tables.make().await;
        let store = DynamoStore::new(&client(&proxy.url), tables.config.clone());
        let around = tables.store();
        Self { tables, proxy, store, around }
    }

    async fn create(&self, report: ReportBuilder) -> Record {
        match self.store.create(opening(report)).await.unwrap() {
            Created::New(record) => record,
            Created::Repeat(record) => panic!("a repeat of {record:?}"),
        }
    }

    async fn stored(&self) -> Vec<Record> {
        self.around.list(&ListQuery { limit: 100, ..ListQuery::default() }).await.unwrap()
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_366_400, 123_456_000).unwrap()
}

fn report() -> ReportBuilder {
    Report::builder("athens", Severity::Crit, "5xx")
}

fn opening(report: ReportBuilder) -> Opening {
    opening_at(report, now())
}

fn opening_at(report: ReportBuilder, now: DateTime<Utc>) -> Opening {
    let contact = |name| vec![Contact::new(name).unwrap()];
    let matrix =
        Matrix::new(vec![contact("jo@example.org")], contact("z@example.org"), Duration::from_secs(600));
    plan::open(report.build().unwrap(), TeamName::new("devops").unwrap(), matrix, None, now).0
}

fn noted(record: &Record, text: &str) -> Draft {
    let by = Person::new("jo").unwrap();
    changed(
        record,
        &Update {
            by,
            key: None,
            severity: None,
            state: None,
            note: Some(Note::new(text).unwrap()),
            reach: Vec::new(),
            call_in: None,
            asked_at: None,
        },
    )
}

fn resolved(record: &Record) -> Draft {
    changed(record, &Update::state(Person::new("jo").unwrap(), StateChange::Resolve))
}

fn changed(record: &Record, update: &Update) -> Draft {
    match plan::step(&record.incident, Input::Update { update, round: None }, now()) {
        Decision::Change(plan) => plan.draft,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn p04_a_create_whose_answer_is_lost_is_found_done() {
    for key in [None, Some("5xx")] {
        for forgets_tokens in [false, true] {
            let tables = Tables::of(Emulator::DynamodbLocal);
            let proxy = if forgets_tokens {
                Proxy::that_forgets_tokens(tables.url.clone()).await
            } else {
                Proxy::before(tables.url.clone()).await
            };
            let world = World::behind(tables, proxy).await;
            let operation = if key.is_some() { "TransactWriteItems" } else { "PutItem" };
            world.proxy.next(operation, Fault::AnswerLost);
            world.proxy.next(operation, Fault::Lost);
            let report = key.map_or_else(report, |key| report().dedup_key(key));
            let record = world.create(report).await;
            assert!(world.proxy.is_done());
            assert_eq!(world.stored().await, [record], "key {key:?}, forgets tokens: {forgets_tokens}");
        }
    }
}

#[tokio::test]
async fn p04_a_create_that_others_have_changed_before_it_is_known_done_is_still_one_incident() {
    for (key, operation) in [(None, "PutItem"), (Some("5xx"), "TransactWriteItems")] {
        // A lease of another server, or whatever else; once, or more often than a second try takes; or its end.
        for changes in [1, 3] {
            for is_resolved in [false, true] {
                let tables = Tables::of(Emulator::DynamodbLocal);
                let proxy = Proxy::that_forgets_tokens(tables.url.clone()).await;
                let world = World::behind(tables, proxy).await;
                let (arrived, has_arrived) = oneshot::channel();
                let (go_on, may_go_on) = oneshot::channel();
                world.proxy.next(operation, Fault::AnswerLostAfter { arrived, go_on: may_go_on });
                let report = key.map_or_else(report, |key| report().dedup_key(key));
                let others = async {
                    has_arrived.await.unwrap();
                    let [record] = &world.stored().await[..] else { panic!("it is there") };
                    let mut record = record.clone();
                    for i in 0..changes {
                        let draft = noted(&record, &format!("other {i}"));
                        let committed = world.around.commit(record.version, &draft).await.unwrap();
                        assert_eq!(committed, Committed::At(record.version.next()));
                        record = world.around.load(record.number()).await.unwrap().unwrap();
                    }
                    if is_resolved {
                        let committed = world.around.commit(record.version, &resolved(&record)).await;
                        assert_eq!(committed.unwrap(), Committed::At(record.version.next()));
                    }
                    go_on.send(()).unwrap();
                };
                let (created, ()) = tokio::join!(world.create(report), others);
                assert!(world.proxy.is_done());
                let stored = world.stored().await;
                let numbers: Vec<_> = stored.iter().map(|record| (record.number(), record.count)).collect();
                let case = format!("key {key:?}, {changes} changes, resolved: {is_resolved}");
                assert_eq!(numbers, [(created.number(), 1)], "{case}");
            }
        }
    }
}

#[tokio::test]
async fn p04_a_commit_whose_answer_is_lost_is_found_done() {
    let world = World::new().await;
    let record = world.create(report().dedup_key("5xx")).await;
    world.proxy.next("UpdateItem", Fault::AnswerLost);
    let committed = world.store.commit(record.version, &noted(&record, "one")).await.unwrap();
    assert_eq!(committed, Committed::At(record.version.next()));
    let record = world.store.load(record.number()).await.unwrap().unwrap();
    world.proxy.next("TransactWriteItems", Fault::AnswerLost);
    let committed = world.store.commit(record.version, &resolved(&record)).await.unwrap();
    assert_eq!(committed, Committed::At(record.version.next()));
    assert!(world.proxy.is_done());
    assert_ne!(world.create(report().dedup_key("5xx")).await.number(), record.number(), "the key is free");
}

#[tokio::test]
async fn p04_a_commit_that_may_have_been_gone_through_is_unknown_and_one_that_was_not_is_stale() {
    for commits_after in [1, 2] {
        let world = World::new().await;
        let record = world.create(report()).await;
        let (arrived, has_arrived) = oneshot::channel();
        let (go_on, may_go_on) = oneshot::channel();
        world.proxy.next("UpdateItem", Fault::AnswerLostAfter { arrived, go_on: may_go_on });
        let draft = noted(&record, "mine");
        let mine = world.store.commit(record.version, &draft);
        let others = async {
            has_arrived.await.unwrap();
            for i in 0..commits_after {
                let now = world.around.load(record.number()).await.unwrap().unwrap();
                let committed = world.around.commit(now.version, &noted(&now, &format!("other {i}"))).await;
                assert_eq!(committed.unwrap(), Committed::At(now.version.next()));
            }
            go_on.send(()).unwrap();
        };
        let (mine, ()) = tokio::join!(mine, others);
        assert_eq!(mine.unwrap_err().kind(), OutageKind::Unknown);
    }
    // Where the first try never arrived, another's commit at the same version shows that.
    let world = World::new().await;
    let record = world.create(report()).await;
    let other = world.around.commit(record.version, &noted(&record, "other")).await.unwrap();
    assert_eq!(other, Committed::At(record.version.next()));
    world.proxy.next("UpdateItem", Fault::Lost);
    let mine = world.store.commit(record.version, &noted(&record, "mine")).await.unwrap();
    assert_eq!(mine, Committed::Stale);
}

#[tokio::test]
async fn p04_what_stays_without_an_answer_is_unknown_for_writes_and_may_be_tried_again_for_reads() {
    let world = World::new().await;
    let record = world.create(report()).await;
    for _ in 0..TRIES {
        world.proxy.next("PutItem", Fault::Lost);
        world.proxy.next("UpdateItem", Fault::Lost);
        world.proxy.next("GetItem", Fault::Lost);
    }
    let kind = world.store.load(record.number()).await.unwrap_err().kind();
    assert_eq!(kind, OutageKind::Retryable);
    let kind = world.store.commit(record.version, &noted(&record, "x")).await.unwrap_err().kind();
    assert_eq!(kind, OutageKind::Unknown);
    let kind = world.store.create(opening(report())).await.unwrap_err().kind();
    assert_eq!(kind, OutageKind::Unknown);
    assert!(world.proxy.is_done());
    assert_eq!(world.stored().await, [record]);
}

#[tokio::test]
async fn p04_a_silent_service_is_not_waited_for_forever() {
    let world = World::new().await;
    let record = world.create(report()).await;
    for _ in 0..TRIES {
        world.proxy.next("UpdateItem", Fault::Silence);
    }
    let impatient = DynamoStore::new(&impatient_client(&world.proxy.url), world.tables.config.clone());
    let draft = noted(&record, "x");
    let committed = tokio::time::timeout(Duration::from_secs(120), impatient.commit(record.version, &draft));
    // The first try had arrived, so the later ones find it done as soon as one is answered; none is.
    assert_eq!(committed.await.expect("it ends").unwrap_err().kind(), OutageKind::Unknown);
    let after = world.store.load(record.number()).await.unwrap().unwrap();
    assert_eq!(after.version, record.version.next());
}

#[tokio::test]
async fn p04_a_repeat_is_counted_once_even_if_its_answer_is_lost() {
    let world = World::new().await;
    let record = world.create(report().dedup_key("5xx")).await;
    world.proxy.next("UpdateItem", Fault::AnswerLost);
    let later = opening_at(report().dedup_key("5xx"), now() + chrono::TimeDelta::seconds(1));
    let repeated = world.store.create(later).await;
    assert_eq!(repeated.unwrap_err().kind(), OutageKind::Unknown);
    assert_eq!(world.around.load(record.number()).await.unwrap().unwrap().count, 2);
}

#[tokio::test]
async fn throttling_and_conflicts_are_waited_out_and_then_change_nothing() {
    let world = World::new().await;
    for fault in [|| Fault::Throttled, || Fault::Conflict] {
        for operation in ["UpdateItem", "PutItem", "TransactWriteItems", "GetItem"] {
            world.proxy.next(operation, fault());
            world.proxy.next(operation, fault());
        }
        let record = world.create(report()).await;
        let keyed = world.create(report().dedup_key(record.number().to_string())).await;
        world.proxy.next("UpdateItem", fault());
        let committed = world.store.commit(keyed.version, &noted(&keyed, "x")).await.unwrap();
        assert_eq!(committed, Committed::At(keyed.version.next()));
        assert!(world.proxy.is_done());
    }
    let before = world.stored().await;
    for operation in ["PutItem", "TransactWriteItems"] {
        for _ in 0..TRIES {
            world.proxy.next(operation, Fault::Throttled);
        }
        let report = if operation == "PutItem" { report() } else { report().dedup_key("new") };
        let kind = world.store.create(opening(report)).await.unwrap_err().kind();
        assert_eq!(kind, OutageKind::Retryable, "nothing was changed");
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test]
async fn p02_a_lost_number_is_a_gap() {
    let world = World::new().await;
    let first = world.create(report()).await.number();
    assert_eq!(first.value(), 100_000, "where the counter is missing");
    world.proxy.next("UpdateItem", Fault::AnswerLost);
    assert_eq!(world.create(report()).await.number().value(), 100_002);
}

#[tokio::test]
async fn p09_what_a_batch_leaves_out_is_asked_for_again() {
    let world = World::new().await;
    let record = world.create(report()).await;
    world.proxy.next("BatchGetItem", Fault::LeftOut);
    world.proxy.next("BatchGetItem", Fault::Throttled);
    assert_eq!(world.store.due(now(), None, 10).await.unwrap(), [record]);
    assert_eq!(world.proxy.calls("BatchGetItem"), 3);
}

#[tokio::test]
async fn p03_fifty_reports_at_once_under_one_key_are_one_incident_whatever_conflicts() {
    let world = World::new().await;
    for _ in 0..20 {
        world.proxy.next("TransactWriteItems", Fault::Conflict);
        world.proxy.next("UpdateItem", Fault::Throttled);
    }
    let report = || world.store.create(opening(report().dedup_key("5xx")));
    let created = join_all((0..50).map(|_| report())).await;
    let is_new = |created: &Result<Created, _>| matches!(created, Ok(Created::New(_)));
    assert_eq!(created.iter().filter(|created| is_new(created)).count(), 1);
    assert!(created.iter().all(Result::is_ok), "{created:?}");
    let stored = world.stored().await;
    assert_eq!(stored.iter().map(|record| record.count).collect::<Vec<_>>(), [50]);
}

#[tokio::test]
async fn p09_a_guard_that_lost_its_incident_does_not_swallow_reports() {
    let world = World::new().await;
    let record = world.create(report().dedup_key("5xx")).await;
    let raw = client(&world.tables.url);
    let number = aws_sdk_dynamodb::types::AttributeValue::N(record.number().to_string());
    let table = world.tables.incident_table();
    raw.delete_item().table_name(table).key("incidentId", number).send().await.unwrap();
    let next = world.create(report().dedup_key("5xx")).await;
    assert!(next.number() > record.number());
    assert!(matches!(world.store.create(opening(report().dedup_key("5xx"))).await, Ok(Created::Repeat(_))));
}

#[tokio::test]
async fn the_attributes_that_the_tables_were_specified_with_are_there_for_other_readers() {
    let world = World::new().await;
    let record = world.create(report().message("12 % fail").source("nagios")).await;
    let raw = client(&world.tables.url);
    let number = aws_sdk_dynamodb::types::AttributeValue::N(record.number().to_string());
    let table = world.tables.incident_table();
    let found = raw.get_item().table_name(table).key("incidentId", number).send().await.unwrap();
    let item = found.item().unwrap();
    for (name, value) in [
        ("severity", "CRIT"),
        ("service", "athens"),
        ("description", "12 % fail"),
        ("state", "OPEN"),
        ("source", "nagios"),
        ("title", "5xx"),
    ] {
        assert_eq!(item[name].as_s().unwrap(), value, "{name}");
    }
}
