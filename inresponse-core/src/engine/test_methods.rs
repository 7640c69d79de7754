//! Tests whether a person is reached.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select, try_join_all};

use super::clocks::Clocks;
use super::lookup::Lookup;
use crate::error::Outage;
use crate::model::{Contact, MethodName, Outcome, OutcomeKind, PersonId};
use crate::notify::{Alert, LastTest, Notifier, Notifiers};

/// The result of one test message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tested {
    /// The person's method.
    pub method: MethodName,
    /// The outcome of the message.
    pub outcome: Outcome,
    /// How long that took.
    pub took: Duration,
}

/// The time limit for a test, because somebody waits for its result. A real alert has more time.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a notifier may overrun its deadline before it is given up.
const GRACE: Duration = Duration::from_millis(500);

/// See [`Engine::test_methods`](super::Engine::test_methods).
pub(super) async fn test_methods(
    lookup: &Lookup,
    notifiers: &Notifiers,
    person: &PersonId,
) -> Result<Option<Vec<Tested>>, Outage> {
    let book = lookup.book().await?;
    let Some(profile) = book.person(person) else { return Ok(None) };
    let clocks = &lookup.clocks;
    let tests = profile.methods().iter().map(|(method, contact)| test(clocks, notifiers, method, contact));
    try_join_all(tests).await.map(Some)
}

async fn test(
    clocks: &Clocks,
    notifiers: &Notifiers,
    method: &MethodName,
    contact: &Contact,
) -> Result<Tested, Outage> {
    let alert = Alert::test(contact, clocks.now())
        .map_err(|e| Outage::permanent("a test message cannot be made").because(e))?;
    let began = clocks.monotonic();
    let outcome = send_once(clocks, notifiers, &alert, PATIENCE).await;
    let took = clocks.monotonic().saturating_sub(began);
    tracing::info!(%method, outcome = outcome.kind().as_str(), ?took, "a method was tested");
    notifiers.keep_test(contact, LastTest { at: clocks.now(), outcome: outcome.kind(), took }).await;
    Ok(Tested { method: method.clone(), outcome, took })
}

/// Makes one attempt to send a message that is about no incident, and returns within `patience`.
pub(super) async fn send_once(
    clocks: &Clocks,
    notifiers: &Notifiers,
    alert: &Alert,
    patience: Duration,
) -> Outcome {
    let notifying = AssertUnwindSafe(notifiers.notify(alert, patience.saturating_sub(GRACE))).catch_unwind();
    match select(Box::pin(notifying), clocks.sleep(patience)).await {
        Either::Left((Ok(outcome), _)) => {
            if outcome.kind() == OutcomeKind::Accepted {
                notifiers.note_reached(alert.contact()).await;
            }
            outcome
        }
        Either::Left((Err(_panic), _)) => Outcome::unknown("the notifier panicked"),
        Either::Right(_) => Outcome::unknown("the notifier did not answer in time"),
    }
}
