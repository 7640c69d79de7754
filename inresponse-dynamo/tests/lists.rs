//! What lists and health read, and what was stored before there were indexes for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType,
};
use chrono::{DateTime, Utc};
use inresponse_core::model::{
    Contact, IncidentNumber, Matrix, Note, Person, Report, ServiceName, Severity, State, TeamName,
};
use inresponse_core::plan::{self, Decision, Draft, Input, StateChange, TakeOver, Update};
use inresponse_core::store::{Census, Committed, Created, ListQuery, Record, Store};
use inresponse_dynamo::DynamoStore;
use serde_json::Value;
use support::proxy::Proxy;
use support::{Emulator, Tables, client};

/// When what was stored before was stored: 2025-11-29T08:00:00Z.
fn then() -> DateTime<Utc> {
    DateTime::from_timestamp(1_764_403_200, 123_456_000).unwrap()
}

fn step(record: &Record, update: &Update) -> Draft {
    match plan::step(&record.incident, Input::Update { update, round: None }, then()) {
        Decision::Change(plan) => plan.draft,
        other => panic!("{other:?}"),
    }
}

async fn commit(store: &DynamoStore, record: &Record, update: &Update) -> Record {
    let committed = store.commit(record.version, &step(record, update)).await.unwrap();
    assert_eq!(committed, Committed::At(record.version.next()));
    store.load(record.number()).await.unwrap().unwrap()
}

async fn add(store: &DynamoStore, service: &str, team: &str, severity: Severity, state: State) -> Record {
    let contact = |name| vec![Contact::new(name).unwrap()];
    let wait = Duration::from_secs(600);
    let matrix = Matrix::new(vec![contact("jo@example.org")], contact("z@example.org"), wait);
    let report = Report::builder(service, severity, "5xx").build().unwrap();
    let opening = plan::open(report, TeamName::new(team).unwrap(), matrix, None, then()).0;
    let Created::New(record) = store.create(opening).await.unwrap() else { panic!("it has no key") };
    let jo = || Person::new("jo").unwrap();
    match state {
        State::Open => record,
        State::Claimed => {
            commit(store, &record, &Update::state(jo(), StateChange::Claim(TakeOver::No))).await
        }
        State::Resolved => commit(store, &record, &Update::state(jo(), StateChange::Resolve)).await,
    }
}

fn numbers(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.number().value()).collect()
}

/// Queries by every combination of filters.
fn queries(limit: usize) -> impl Iterator<Item = ListQuery> {
    (0..16).map(move |filters| ListQuery {
        state: (filters & 1 != 0).then_some(State::Resolved),
        severity: (filters & 2 != 0).then_some(Severity::Err),
        service: (filters & 4 != 0).then(|| ServiceName::new("shop").unwrap()),
        team: (filters & 8 != 0).then(|| TeamName::new("web").unwrap()),
        below: None,
        limit,
    })
}

fn is_wanted(query: &ListQuery, record: &Record) -> bool {
    let incident = &record.incident;
    query.state.is_none_or(|state| incident.state() == state)
        && query.severity.is_none_or(|severity| incident.severity() == severity)
        && query.service.as_ref().is_none_or(|service| incident.service() == service)
        && query.team.as_ref().is_none_or(|team| incident.team() == team)
}

/// Asserts that nothing was read that was not answered.
fn nothing_in_vain(reads: &[(Value, Value)], answered: usize, case: &ListQuery) {
    let mut read = 0;
    for (asked, answer) in reads {
        if let Some(batches) = asked.get("RequestItems") {
            read += batches.as_object().unwrap().values().next().unwrap()["Keys"].as_array().unwrap().len();
        } else {
            assert_eq!(asked.get("FilterExpression"), None, "{case:?}");
            assert_eq!(answer["Count"], answer["ScannedCount"], "{case:?}");
        }
    }
    assert_eq!(read, answered, "{case:?}");
}

#[tokio::test]
async fn p13_every_combination_of_filters_reads_nothing_that_it_does_not_answer() {
    let tables = Tables::of(Emulator::DynamodbLocal);
    tables.make().await;
    let proxy = Proxy::before(tables.url.clone()).await;
    let store = DynamoStore::new(&client(&proxy.url), tables.config.clone());
    let mut records = Vec::new();
    // Names that would be one if they were only put behind one another.
    for (service, team) in
        [("shop", "web"), ("shop", "db"), ("cart", "web"), ("cart", "db"), ("shop:web", "x")]
    {
        for severity in Severity::ALL {
            for state in State::ALL {
                records.push(add(&store, service, team, severity, state).await);
                records.push(add(&store, service, team, severity, state).await);
            }
        }
    }
    records.reverse();
    for limit in [3, 1000] {
        for query in queries(limit) {
            let wanted: Vec<_> = records.iter().filter(|r| is_wanted(&query, r)).cloned().collect();
            for below in [None, Some(wanted[wanted.len() / 2].number())] {
                let query = ListQuery { below, ..query.clone() };
                let is_below = |r: &&Record| below.is_none_or(|below| r.number() < below);
                let page: Vec<_> = wanted.iter().filter(is_below).take(limit).cloned().collect();
                let _before = proxy.reads();
                let listed = store.list(&query).await.unwrap();
                assert_eq!(numbers(&listed), numbers(&page), "{query:?}");
                nothing_in_vain(&proxy.reads(), page.len(), &query);
            }
        }
    }
}

#[tokio::test]
async fn p13_health_reads_nothing_of_what_is_resolved_and_is_bounded() {
    let tables = Tables::of(Emulator::DynamodbLocal);
    tables.make().await;
    let proxy = Proxy::before(tables.url.clone()).await;
    let store = DynamoStore::new(&client(&proxy.url), tables.config.clone());
    for state in State::ALL {
        add(&store, "shop", "web", Severity::Crit, state).await;
    }
    let _before = proxy.reads();
    let census = store.census(then()).await.unwrap();
    let expected =
        Census { open: 1, claimed: 1, resolved: None, next_due_at: Some(then()), ..census.clone() };
    assert_eq!(census, expected);
    let reads = proxy.reads();
    assert!(reads.len() <= 2 * 12 + 8, "{} calls", reads.len());
    for (asked, _) in reads {
        let asked = asked.to_string();
        assert!(!asked.contains("RESOLVED") && asked.contains("\"Limit\""), "{asked}");
    }
}

#[tokio::test]
async fn p13_a_start_reads_only_incidents_that_lie_ahead_of_the_clock() {
    let tables = Tables::of(Emulator::DynamodbLocal);
    tables.make().await;
    stored_before(&tables).await;
    let proxy = Proxy::before(tables.url.clone()).await;
    let store = DynamoStore::new(&client(&proxy.url), tables.config.clone());
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(add(&store, "shop", "web", Severity::Crit, State::Open).await);
    }
    let _before = proxy.reads();
    let ahead = store.ahead(then(), None, 2).await.unwrap();
    assert_eq!(numbers(&ahead), [100_000, 100_001], "it is unknown of those that were stored before");
    nothing_in_vain(&proxy.reads(), ahead.len(), &ListQuery::default());
    let ahead = store.ahead(then() - chrono::TimeDelta::seconds(1), None, 100).await.unwrap();
    assert_eq!(numbers(&ahead), [100_000, 100_004, 100_005, 100_006, 100_007, 100_008, 100_001]);
    commit(&store, &made[0], &Update::state(Person::new("jo").unwrap(), StateChange::Resolve)).await;
    let ahead = store.ahead(then() - chrono::TimeDelta::seconds(1), None, 100).await.unwrap();
    assert_eq!(numbers(&ahead), [100_000, 100_005, 100_006, 100_007, 100_008, 100_001]);
}

/// What the version before stored; `currentId` was 100003 then.
async fn stored_before(tables: &Tables) {
    let raw = client(&tables.url);
    let items: Vec<HashMap<String, HashMap<String, String>>> =
        serde_json::from_str(include_str!("data/before-formats.json")).unwrap();
    let value = |value: &HashMap<String, String>| match value.iter().next().unwrap() {
        (kind, text) if kind == "S" => AttributeValue::S(text.clone()),
        (_, text) => AttributeValue::N(text.clone()),
    };
    for item in items {
        let item = item.iter().map(|(name, v)| (name.clone(), value(v))).collect();
        raw.put_item().table_name(tables.incident_table()).set_item(Some(item)).send().await.unwrap();
    }
    let counter = raw.put_item().table_name(tables.config_table());
    let counter = counter.item("configkey", AttributeValue::S("incidentId".to_owned()));
    counter.item("currentId", AttributeValue::N("100003".to_owned())).send().await.unwrap();
}

#[tokio::test]
async fn p09_what_was_stored_before_is_shown_listed_and_due() {
    let tables = Tables::of(Emulator::DynamodbLocal);
    tables.make().await;
    stored_before(&tables).await;
    let store = tables.store();
    let new = add(&store, "shop", "web", Severity::Crit, State::Open).await;
    let other = add(&store, "shop", "db", Severity::Crit, State::Open).await;
    assert_eq!(numbers(&[new, other]), [100_004, 100_005]);
    let list =
        async |query: ListQuery| numbers(&store.list(&ListQuery { limit: 100, ..query }).await.unwrap());
    let web = || ListQuery { team: Some(TeamName::new("web").unwrap()), ..ListQuery::default() };
    assert_eq!(list(web()).await, [100_004, 100_003, 100_002, 100_001, 100_000]);
    assert_eq!(list(ListQuery { state: Some(State::Claimed), ..web() }).await, [100_002]);
    let shop = Some(ServiceName::new("shop").unwrap());
    assert_eq!(
        list(ListQuery { service: shop, state: Some(State::Open), ..web() }).await,
        [100_004, 100_001, 100_000]
    );
    let below = Some(IncidentNumber::new(100_002));
    assert_eq!(list(ListQuery { below, ..web() }).await, [100_001, 100_000]);
    let due = store.due(then() + chrono::TimeDelta::seconds(30), None, 100).await.unwrap();
    assert_eq!(numbers(&due), [100_000, 100_004, 100_005, 100_001]);

    let record = store.load(IncidentNumber::new(100_001)).await.unwrap().unwrap();
    assert!(!record.incident.is_left_to_newer());
    let note = Note::new("still there").unwrap();
    let by = Person::new("jo").unwrap();
    let record = commit(&store, &record, &Update::note(by, note)).await;
    assert_eq!(store.load(record.number()).await.unwrap().unwrap(), record);
    assert_eq!(list(web()).await, [100_004, 100_003, 100_002, 100_001, 100_000]);
}

/// The table of incidents as the version before made it.
async fn make_table_of_before(tables: &Tables) {
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let of = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let raw = client(&tables.url);
    let mut table = raw.create_table().table_name(tables.incident_table());
    table = table.billing_mode(BillingMode::PayPerRequest).key_schema(key("incidentId", KeyType::Hash));
    for (name, kind) in [
        ("incidentId", ScalarAttributeType::N),
        ("dueShard", ScalarAttributeType::N),
        ("dueKey", ScalarAttributeType::S),
        ("stateKey", ScalarAttributeType::S),
        ("serviceKey", ScalarAttributeType::S),
    ] {
        table = table.attribute_definitions(of(name, kind));
    }
    for (name, partition, sort) in [
        ("byDue", "dueShard", "dueKey"),
        ("byState", "stateKey", "incidentId"),
        ("byService", "serviceKey", "incidentId"),
    ] {
        let index = GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(partition, KeyType::Hash))
            .key_schema(key(sort, KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
        table = table.global_secondary_indexes(index.build().unwrap());
    }
    table.send().await.unwrap();
}

#[tokio::test]
async fn lists_by_team_go_on_where_the_tables_lack_their_indexes() {
    let tables = Tables::of(Emulator::DynamodbLocal);
    make_table_of_before(&tables).await;
    tables.make().await;
    let store = tables.store();
    let web = add(&store, "shop", "web", Severity::Crit, State::Open).await;
    let _db = add(&store, "shop", "db", Severity::Crit, State::Open).await;
    for service in [None, Some(ServiceName::new("shop").unwrap())] {
        let team = Some(TeamName::new("web").unwrap());
        let query = ListQuery { team, service, limit: 10, ..ListQuery::default() };
        assert_eq!(store.list(&query).await.unwrap(), std::slice::from_ref(&web));
    }
}
