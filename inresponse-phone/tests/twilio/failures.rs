//! The carriers of text messages and calls fail at every step.

use std::sync::Arc;

use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, OutcomeKind};
use inresponse_core::notify::Notifier;
use inresponse_outward::InternalHosts;
use inresponse_phone::{GatewayConfig, GatewayNotifier, GatewaySettings, TwilioConfig, TwilioNotifier};
use inresponse_testkit::failing::{Channel, NOWHERE, check};

use crate::fake::{FROM, SID, TOKEN};

use OutcomeKind::{Accepted, Unavailable, Unknown};

fn hosts() -> InternalHosts {
    InternalHosts::new().allow("127.0.0.1").allow(NOWHERE)
}

fn twilio(scheme: &str, url: &str) -> (Arc<dyn Notifier>, Contact) {
    let config = TwilioConfig::new(SID, TOKEN, FROM).unwrap().api_url(url).unwrap();
    let config = config.public_url("https://ir.example.org/");
    let notifier = TwilioNotifier::new(config, &hosts(), Arc::new(SystemClock::new())).unwrap();
    (Arc::new(notifier), Contact::new(format!("{scheme}:+302101234567")).unwrap())
}

fn gateway(url: &str, accepted: Option<&str>) -> (Arc<dyn Notifier>, Contact) {
    let settings = GatewaySettings {
        url: url.to_owned(),
        method: None,
        headers: [("authorization".to_owned(), "Bearer canary".to_owned())].into(),
        body: r#"{"to":"{number}","text":"{text}"}"#.to_owned(),
        schemes: vec!["sms".to_owned()],
        accepted: accepted.map(str::to_owned),
        gone: None,
    };
    let config = GatewayConfig::new("backup", &settings).unwrap();
    let notifier = GatewayNotifier::new(config, &hosts(), Arc::new(SystemClock::new())).unwrap();
    (Arc::new(notifier), Contact::new("sms:+302101234567").unwrap())
}

#[tokio::test]
async fn p09_each_failure_of_twilio_has_its_outcome() {
    let errors = [(r#"{"code":20003,"message":"canary","status":401}"#, Unknown), ("", Unknown)];
    for scheme in ["sms", "tel"] {
        let at = |url: &str| twilio(scheme, url);
        check(Channel { at: &at, of_500: Unknown, of_a_portal: Unknown, errors: &errors }).await;
    }
}

#[tokio::test]
async fn p09_each_failure_of_a_gateway_has_its_outcome() {
    let errors = [(r#"{"error":"no credit"}"#, Unavailable), ("", Unknown)];
    let at = |url: &str| gateway(url, Some("queued"));
    check(Channel { at: &at, of_500: Unavailable, of_a_portal: Unavailable, errors: &errors }).await;
    // Without a text of acceptance, the status alone decides.
    let at = |url: &str| gateway(url, None);
    check(Channel { at: &at, of_500: Unavailable, of_a_portal: Accepted, errors: &[] }).await;
}
