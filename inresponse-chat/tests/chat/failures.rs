//! The carriers of chats fail at every step.

use std::sync::Arc;

use inresponse_chat::{SlackConfig, SlackNotifier, TelegramConfig, TelegramNotifier};
use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, OutcomeKind};
use inresponse_core::notify::Notifier;
use inresponse_outward::{InternalHosts, Outward};
use inresponse_testkit::failing::{Channel, NOWHERE, check};

use OutcomeKind::{Unavailable, Unknown};

fn outward() -> Outward {
    Outward::new(&InternalHosts::new().allow("127.0.0.1").allow(NOWHERE)).unwrap()
}

fn telegram(url: &str) -> (Arc<dyn Notifier>, Contact) {
    let config = TelegramConfig::new("1:canary").unwrap().at(url).unwrap();
    let notifier = TelegramNotifier::new(config, outward(), Arc::new(SystemClock::new())).unwrap();
    (Arc::new(notifier), Contact::new("telegram:1").unwrap())
}

fn slack(url: &str) -> (Arc<dyn Notifier>, Contact) {
    let config = SlackConfig::new("xoxb-canary", "canary").unwrap().at(url).unwrap();
    let notifier = SlackNotifier::new(config, outward(), Arc::new(SystemClock::new())).unwrap();
    (Arc::new(notifier), Contact::new("slack:C1").unwrap())
}

#[tokio::test]
async fn p09_each_failure_of_telegram_has_its_outcome() {
    let errors = [(r#"{"ok":false,"error_code":500,"description":"odd"}"#, Unavailable), ("", Unknown)];
    check(Channel { at: &telegram, of_500: Unavailable, of_a_portal: Unknown, errors: &errors }).await;
}

#[tokio::test]
async fn p09_each_failure_of_slack_has_its_outcome() {
    let errors = [(r#"{"ok":false,"error":"account_inactive"}"#, Unavailable), ("", Unknown)];
    check(Channel { at: &slack, of_500: Unavailable, of_a_portal: Unknown, errors: &errors }).await;
}

#[tokio::test]
async fn nothing_is_sent_to_an_internal_api_unless_it_is_allowed() {
    let clock = Arc::new(SystemClock::new());
    let outward = Outward::new(&InternalHosts::new()).unwrap();
    let telegram = TelegramConfig::new("1:x").unwrap().at("https://127.0.0.1/").unwrap();
    let error = TelegramNotifier::new(telegram, outward.clone(), clock.clone()).unwrap_err();
    assert_eq!(error.kind(), inresponse_chat::ChatErrorKind::Url);
    let slack = SlackConfig::new("x", "x").unwrap().at("http://169.254.169.254/").unwrap();
    assert!(SlackNotifier::new(slack, outward, clock).is_err());
}
