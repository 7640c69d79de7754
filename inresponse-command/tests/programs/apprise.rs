//! Apprise sends alerts, by the script of the documentation.

use std::sync::Arc;
use std::time::Duration;

use inresponse_command::{CommandConfig, CommandNotifier, Program};
use inresponse_core::clock::{Clock as _, SystemClock};
use inresponse_core::model::{Contact, OutcomeKind};
use inresponse_core::notify::{Alert, Notifier as _};
use inresponse_testkit::carrier::{Carrier, Manners, Says};

/// A service that takes Apprise's JSON.
const JSON: Manners = Manners {
    recipient: |got| Some(got.path.trim_start_matches('/').to_owned()),
    answer: |_, _, _| Says::new(200, "{}"),
};

#[tokio::test]
async fn apprise_sends_alerts_by_the_script_of_the_documentation() {
    let python = std::env::var("INRESPONSE_TEST_PYTHON").expect("the tests run by `cargo xtask test`");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/channels/by_apprise.py");
    let carrier = Carrier::start(JSON);
    let url = carrier.url().replace("http:", "json:");
    let mut config = CommandConfig::new();
    for (name, url) in [("ops", format!("{url}/ops")), ("odd", "nothing://x".to_owned())] {
        let arguments = ["-B".to_owned(), script.to_owned(), url];
        config = config.with(name, Program::new(&python, arguments).unwrap()).unwrap();
    }
    let clock = SystemClock::new();
    let notifier = CommandNotifier::new(config, Arc::new(clock.clone()));
    let send = async |name: &str| {
        let contact = Contact::new(format!("command:{name}")).unwrap();
        let alert = Alert::test(&contact, clock.now()).unwrap();
        (notifier.notify(&alert, Duration::from_secs(120)).await, alert)
    };
    let (outcome, alert) = send("ops").await;
    assert_eq!(outcome.kind(), OutcomeKind::Accepted, "{outcome:?}");
    let got = carrier.got("ops");
    assert_eq!(got.len(), 1);
    let text = got[0].json().to_string();
    for part in [alert.delivery_id().as_str(), alert.incident().title()] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let (outcome, _) = send("odd").await;
    assert_eq!(
        (outcome.kind(), outcome.reason()),
        (OutcomeKind::Unavailable, "Apprise does not know this URL")
    );
    carrier.say_next([Says::new(500, "")]);
    assert_eq!(send("ops").await.0.kind(), OutcomeKind::Unknown);
}
