//! The carrier fails at every step.

use std::sync::Arc;
use std::time::Duration;

use inresponse_chat::{SlackConfig, SlackNotifier, TelegramConfig, TelegramNotifier};
use inresponse_core::clock::{Clock as _, SystemClock};
use inresponse_core::model::{Contact, OutcomeKind};
use inresponse_core::notify::{Alert, Notifier, Outcome};
use inresponse_outward::{InternalHosts, Outward};
use inresponse_testkit::carrier::{Carrier, Says};
use tokio::net::TcpListener;

use crate::services::{SLACK, TELEGRAM};

/// The notifiers with their API at a URL.
fn both(url: &str) -> [(Box<dyn Notifier>, Contact); 2] {
    let hosts = InternalHosts::new().allow("127.0.0.1").allow("nowhere.invalid");
    let outward = Outward::new(&hosts).unwrap();
    let clock = Arc::new(SystemClock::new());
    let telegram = TelegramConfig::new("1:canary").unwrap().at(url).unwrap();
    let slack = SlackConfig::new("xoxb-canary", "canary").unwrap().at(url).unwrap();
    [
        (
            Box::new(TelegramNotifier::new(telegram, outward.clone(), clock.clone()).unwrap()),
            Contact::new("telegram:1").unwrap(),
        ),
        (Box::new(SlackNotifier::new(slack, outward, clock).unwrap()), Contact::new("slack:C1").unwrap()),
    ]
}

async fn outcomes(url: &str, deadline: Duration) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (notifier, contact) in both(url) {
        let alert = Alert::test(&contact, SystemClock::new().now()).unwrap();
        outcomes.push(notifier.notify(&alert, deadline).await);
    }
    for outcome in &outcomes {
        assert!(!outcome.reason().contains("canary"), "{outcome:?}");
    }
    outcomes
}

const AMPLE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn p09_what_is_not_connected_is_unavailable() {
    // No such name; nobody there; a server that speaks no TLS.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = deaf.local_addr().unwrap().port();
    drop(deaf);
    let plain = Carrier::start(TELEGRAM);
    let tls = plain.url().replace("http:", "https:");
    for url in ["http://nowhere.invalid/", &format!("http://127.0.0.1:{port}/"), &tls] {
        for outcome in outcomes(url, AMPLE).await {
            assert_eq!(outcome.kind(), OutcomeKind::Unavailable, "{url}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn p09_an_answer_with_an_error_in_it_is_not_an_acceptance() {
    for (manners, place) in [(TELEGRAM, 0), (SLACK, 1)] {
        let carrier = Carrier::start(manners);
        for (says, kind) in [
            (Says::new(200, r#"{"ok":false,"error":"fatal_error","description":"odd"}"#), None),
            (Says::new(200, "<html>a portal</html>"), Some(OutcomeKind::Unknown)),
            (Says::new(200, ""), Some(OutcomeKind::Unknown)),
            (Says::new(502, ""), Some(OutcomeKind::Unknown)),
            (Says::new(503, "").with("retry-after", 9), Some(OutcomeKind::Throttled)),
            (Says::new(500, ""), Some(OutcomeKind::Unavailable)),
            (Says::new(302, "").with("location", "http://127.0.0.1/"), Some(OutcomeKind::Unavailable)),
        ] {
            carrier.say_next([says.clone()]);
            let (notifier, contact) = both(&carrier.url()).into_iter().nth(place).unwrap();
            let alert = Alert::test(&contact, SystemClock::new().now()).unwrap();
            let outcome = notifier.notify(&alert, AMPLE).await;
            assert_ne!(outcome.kind(), OutcomeKind::Accepted, "{says:?}");
            assert!(kind.is_none_or(|kind| outcome.kind() == kind), "{says:?}: {outcome:?}");
        }
    }
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
