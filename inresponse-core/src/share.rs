//! On whose behalf a change is made, so that a store with a queue can take from all clients in turn.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

thread_local! {
    /// The share of the future that is polled now.
    static CURRENT: Cell<Share> = const { Cell::new(Share::OWN) };
}

/// A client's share of a store's queue.
///
/// A store that [queues by share](crate::store::Queueing::ByShare) takes waiting changes from all shares in turn, so many
/// changes of one client do not delay a change of another client. A change belongs to the share in which its future is
/// polled.
///
/// ```
/// use inresponse_core::share::Share;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let share = Share::new();
/// let seen = share.of(Box::pin(async { Share::current() })).await;
/// assert_eq!(seen, share);
/// assert_eq!(Share::current(), Share::OWN);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u64);

impl Share {
    /// The share of what a process does by itself, such as recording the outcomes of sends.
    pub const OWN: Self = Self(0);

    /// A new share, which no other client of this process has.
    #[allow(clippy::new_without_default, reason = "two such shares differ")]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The share in which the caller runs; [`OWN`](Self::OWN) outside of [`of`](Self::of).
    pub fn current() -> Self {
        CURRENT.get()
    }

    /// Runs a future in this share. Tasks that the future starts are not in the share.
    pub fn of<F: Future + Unpin>(self, future: F) -> InShare<F> {
        InShare { share: self, future }
    }
}

/// A future that runs in a [`Share`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct InShare<F> {
    share: Share,
    future: F,
}

impl<F: Future + Unpin> Future for InShare<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // Also restored if the future panics.
        let _before = Restore(CURRENT.replace(self.share));
        Pin::new(&mut self.future).poll(cx)
    }
}

struct Restore(Share);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_future_runs_in_its_share_and_what_is_around_it_does_not() {
        let (outer, inner) = (Share::new(), Share::new());
        assert_ne!(outer, inner);
        let seen = outer.of(Box::pin(async move {
            let nested = inner.of(Box::pin(async { Share::current() })).await;
            (Share::current(), nested)
        }));
        assert_eq!(seen.now_or_never(), Some((outer, inner)));
        assert_eq!(Share::current(), Share::OWN);
    }

    #[test]
    fn a_panic_leaves_no_share_behind() {
        let panics = Share::new().of(Box::pin(async { panic!("expected") }));
        let panics = std::panic::AssertUnwindSafe(panics);
        let caught = std::panic::catch_unwind(move || panics.0.now_or_never());
        assert!(caught.is_err());
        assert_eq!(Share::current(), Share::OWN);
    }
}
