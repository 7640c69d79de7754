//! Completes changes even if the client disconnects.

use std::future::Future;

use inresponse_core::Outage;
use tracing::Instrument;

use crate::lanes::Lane;

/// Completes a change to an incident even if the client disconnects.
///
/// If the change were dropped between its commit and the hand-over of its alerts, the alerts would wait for their lease
/// to end. The change begins when its lane has a turn; a client that disconnects before that has changed nothing.
pub(crate) fn carried_through<T: Send + 'static>(
    lane: &Lane,
    change: impl Future<Output = Result<T, Outage>> + Send + 'static,
) -> impl Future<Output = Result<T, Outage>> + Send {
    // Boxed at once: by value it would be copied, several kilobytes at a time, at every step from here to its task.
    let change = lane.share().of(Box::pin(change));
    async move {
        let turn = lane.turn().await?;
        by_itself(async move {
            let _turn = turn;
            change.await
        })
        .await
    }
}

/// Like [`carried_through`], but takes no turn of a lane, because the change itself waits for its turns.
pub(crate) async fn by_itself<T: Send + 'static>(
    change: impl Future<Output = Result<T, Outage>> + Send + 'static,
) -> Result<T, Outage> {
    let done = tokio::spawn(change.in_current_span()).await;
    done.unwrap_or_else(|e| Err(Outage::unknown("the change ended before its result was known").because(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_large_a_change_is_it_is_not_copied_from_step_to_step() {
        const LARGE: usize = 16 * 1024;
        let change = async {
            let held = [0_u8; LARGE];
            tokio::task::yield_now().await;
            std::hint::black_box(held);
            Ok(())
        };
        assert!(size_of_val(&change) > LARGE);
        let lane = Lane::default();
        let carried = carried_through(&lane, change);
        assert!(size_of_val(&carried) < 1024, "{} bytes", size_of_val(&carried));
    }
}
