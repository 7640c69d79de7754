//! The servers of webhooks fail at every step.

use std::sync::Arc;

use inresponse_core::clock::SystemClock;
use inresponse_core::model::{Contact, OutcomeKind};
use inresponse_core::notify::Notifier;
use inresponse_testkit::failing::{Channel, NOWHERE, check};
use inresponse_webhook::{WebhookConfig, WebhookNotifier};

use OutcomeKind::{Accepted, Unavailable};

fn webhook(url: &str) -> (Arc<dyn Notifier>, Contact) {
    let config = WebhookConfig::new().allow_internal("127.0.0.1").allow_internal(NOWHERE);
    let notifier = WebhookNotifier::new(config, Arc::new(SystemClock::new())).unwrap();
    (Arc::new(notifier), Contact::new(format!("{url}hook/canary")).unwrap())
}

#[tokio::test]
async fn p09_each_failure_of_a_webhook_has_its_outcome() {
    // The status alone decides, as receivers of webhooks expect.
    check(Channel { at: &webhook, of_500: Unavailable, of_a_portal: Accepted, errors: &[("no", Accepted)] })
        .await;
}
