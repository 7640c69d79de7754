//! The carriers of pushes fail at every step.

use std::sync::Arc;

use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, OutcomeKind};
use inresponse_core::notify::Notifier;
use inresponse_outward::{InternalHosts, Outward};
use inresponse_push::{NtfyConfig, NtfyNotifier, PushoverConfig, PushoverNotifier};
use inresponse_testkit::failing::{Channel, NOWHERE, check};

use OutcomeKind::{Unavailable, Unknown};

fn outward() -> Outward {
    Outward::new(&InternalHosts::new().allow("127.0.0.1").allow(NOWHERE)).unwrap()
}

fn ntfy(url: &str) -> (Arc<dyn Notifier>, Contact) {
    let config = NtfyConfig::at(url).unwrap().with_token("tk_canary").unwrap();
    let notifier = NtfyNotifier::new(config, None, outward(), Arc::new(SystemClock::new())).unwrap();
    (Arc::new(notifier), Contact::new("ntfy:topic").unwrap())
}

fn pushover(url: &str) -> (Arc<dyn Notifier>, Contact) {
    let config = PushoverConfig::new("canarycanary").unwrap().at(url).unwrap();
    let notifier = PushoverNotifier::new(config, outward(), Arc::new(SystemClock::new())).unwrap();
    (Arc::new(notifier), Contact::new(format!("pushover:{}", "u".repeat(30))).unwrap())
}

#[tokio::test]
async fn p09_each_failure_of_ntfy_has_its_outcome() {
    let errors =
        [(r#"{"code":50001,"http":500,"error":"internal server error"}"#, Unavailable), ("", Unknown)];
    check(Channel { at: &ntfy, of_500: Unavailable, of_a_portal: Unknown, errors: &errors }).await;
}

#[tokio::test]
async fn p09_each_failure_of_pushover_has_its_outcome() {
    let errors = [(r#"{"status":0,"errors":["application token is invalid"]}"#, Unavailable), ("", Unknown)];
    check(Channel { at: &pushover, of_500: Unavailable, of_a_portal: Unknown, errors: &errors }).await;
}
