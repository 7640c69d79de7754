//! Settings that all processes share, and tables that are there already.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic, helpers too")]

mod support;

use futures_util::future::join_all;
use inresponse_core::settings::Settings as _;
use inresponse_dynamo::{DynamoStore, ensure_tables};
use support::proxy::{Fault, Proxy};
use support::{Emulator, Tables, client};

async fn a_setting_is_kept_until_it_is_replaced(emulator: Emulator) {
    let tables = Tables::of(emulator);
    tables.make().await;
    let stores = [tables.store(), tables.store()];
    assert_eq!(stores[0].setting("secret").await.unwrap(), None);
    // Bytes that are no text, from many at once: one wins, and all are told which.
    let kept =
        join_all((0..20u8).map(|i| stores[usize::from(i % 2)].keep_setting("secret", vec![i, 0, 255])));
    let kept: Vec<_> = kept.await.into_iter().map(Result::unwrap).collect();
    assert!(kept.iter().all(|value| *value == kept[0]), "{kept:?}");
    assert_eq!(stores[1].setting("secret").await.unwrap().as_ref(), Some(&kept[0]));
    stores[1].put_setting("secret", b"new".to_vec()).await.unwrap();
    assert_eq!(stores[0].keep_setting("secret", b"newer".to_vec()).await.unwrap(), b"new");
    assert_eq!(stores[0].setting("other").await.unwrap(), None);
}

#[tokio::test]
async fn ministack_a_setting_is_kept_until_it_is_replaced() {
    a_setting_is_kept_until_it_is_replaced(Emulator::Ministack).await;
}

#[tokio::test]
async fn dynamodb_local_a_setting_is_kept_until_it_is_replaced() {
    a_setting_is_kept_until_it_is_replaced(Emulator::DynamodbLocal).await;
}

#[tokio::test]
async fn a_setting_whose_answer_is_lost_is_found_kept() {
    let tables = Tables::of(Emulator::DynamodbLocal);
    tables.make().await;
    let proxy = Proxy::before(tables.url.clone()).await;
    let store = DynamoStore::new(&client(&proxy.url), tables.config.clone());
    proxy.next("UpdateItem", Fault::AnswerLost);
    assert_eq!(store.keep_setting("secret", b"one".to_vec()).await.unwrap(), b"one");
    assert_eq!((proxy.is_done(), proxy.calls("UpdateItem")), (true, 2));
}

#[tokio::test]
async fn tables_that_are_there_are_looked_at_and_not_touched() {
    let tables = Tables::of(Emulator::DynamodbLocal);
    tables.make().await;
    let proxy = Proxy::before(tables.url.clone()).await;
    ensure_tables(&client(&proxy.url), &tables.config).await.unwrap();
    let calls = ["DescribeTable", "CreateTable", "UpdateTimeToLive"].map(|operation| proxy.calls(operation));
    assert_eq!(calls, [7, 0, 0]);
}
