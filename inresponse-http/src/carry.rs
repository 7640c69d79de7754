//! Changes that are carried through even if the client goes away.

use std::future::Future;

use inresponse_core::Outage;
use tracing::Instrument;

use crate::lanes::Lane;

/// Carries a change of an incident through even if the client has gone.
///
/// Dropped between its commit and the hand-over of its alerts, those would wait for their lease to end. Begins when it
/// is its lane's turn; who goes away before that has changed nothing.
pub(crate) fn carried_through<T: Send + 'static>(
    lane: &Lane,
    change: impl Future<Output = Result<T, Outage>> + Send + 'static,
) -> impl Future<Output = Result<T, Outage>> + Send {
    // Boxed at once: by value it would be copied, several kilobytes at a time, at every step from here to its task.
    let change = Box::pin(change);
    async move {
        let turn = lane.turn().await?;
        by_itself(async move {
            let _turn = turn;
            change.await
        })
        .await
    }
}

/// As [`carried_through`], for what takes turns on its way.
pub(crate) async fn by_itself<T: Send + 'static>(
    change: impl Future<Output = Result<T, Outage>> + Send + 'static,
) -> Result<T, Outage> {
    let done = tokio::spawn(change.in_current_span()).await;
    done.unwrap_or_else(
        |e| Err(Outage::unknown("the change ended before it was known to be done").because(e)),
    )
}
