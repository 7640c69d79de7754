//! Tells the runner when something became due.
//!
//! What is due is a stored row; this only spares the runner from looking for it more often than once a second.

#[cfg(feature = "runner")]
pub(super) use with_runner::Wake;
#[cfg(not(feature = "runner"))]
pub(super) use without_runner::Wake;

#[cfg(feature = "runner")]
mod with_runner {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use chrono::{DateTime, Utc};
    use tokio::sync::{Notify, mpsc};

    use crate::engine::lease::LeasedSend;

    const REMEMBERED: usize = 1024;

    #[derive(Debug, Default)]
    pub(in crate::engine) struct Wake {
        bell: Notify,
        state: Mutex<State>,
    }

    #[derive(Debug, Default)]
    struct State {
        /// The next due times that this process knows of, as many as are worth remembering.
        due: BTreeSet<DateTime<Utc>>,
        /// Something that is due waits for a slot.
        blocked: bool,
        /// Since then, one became free.
        freed: bool,
        /// Something was written by a time that the clock has gone back behind.
        went_back: bool,
        handoff: Option<mpsc::UnboundedSender<LeasedSend>>,
    }

    impl Wake {
        pub(in crate::engine) fn new() -> Self {
            Self::default()
        }

        /// Something is due at `at`.
        pub(in crate::engine) fn due(&self, at: Option<DateTime<Utc>>) {
            let Some(at) = at else { return };
            let mut state = self.state();
            if state.due.first().is_none_or(|next| at < *next) {
                self.bell.notify_one();
            }
            state.due.insert(at);
            if state.due.len() > REMEMBERED {
                state.due.pop_last();
            }
        }

        /// A sending slot became free.
        pub(in crate::engine) fn slot_freed(&self) {
            let mut state = self.state();
            if std::mem::take(&mut state.blocked) {
                state.freed = true;
                self.bell.notify_one();
            }
        }

        /// Whether a slot became free that something waited for, since the last call.
        pub(in crate::engine) fn take_freed(&self) -> bool {
            std::mem::take(&mut self.state().freed)
        }

        /// Ring when the next slot becomes free.
        pub(in crate::engine) fn blocked(&self) {
            self.state().blocked = true;
        }

        /// Something was written by a time that the clock has gone back behind.
        pub(in crate::engine) fn clock_went_back(&self) {
            self.state().went_back = true;
        }

        /// Whether that was so since the last call.
        pub(in crate::engine) fn take_went_back(&self) -> bool {
            std::mem::take(&mut self.state().went_back)
        }

        /// Forgets what is due by `now`, which is about to be looked for.
        pub(in crate::engine) fn forget_until(&self, now: DateTime<Utc>) {
            self.state().due.retain(|at| *at > now);
        }

        /// The earliest due time that is known of.
        pub(in crate::engine) fn next_due(&self) -> Option<DateTime<Utc>> {
            self.state().due.first().copied()
        }

        /// Resolves when the bell was rung.
        pub(in crate::engine) async fn rung(&self) {
            self.bell.notified().await;
        }

        /// From now on a runner takes sends that were leased elsewhere.
        pub(in crate::engine) fn open_handoff(&self) -> mpsc::UnboundedReceiver<LeasedSend> {
            let (sender, receiver) = mpsc::unbounded_channel();
            self.state().handoff = Some(sender);
            receiver
        }

        /// No more are taken.
        pub(in crate::engine) fn close_handoff(&self) {
            self.state().handoff = None;
        }

        /// Whether a runner takes sends that were leased elsewhere.
        pub(in crate::engine) fn has_runner(&self) -> bool {
            self.state().handoff.as_ref().is_some_and(|handoff| !handoff.is_closed())
        }

        /// Gives leased sends to the runner. If it has just ended, their leases end and they are due again.
        pub(in crate::engine) fn hand_over(&self, sends: Vec<LeasedSend>) {
            let state = self.state();
            if let Some(handoff) = &state.handoff {
                for send in sends {
                    let _runner_has_ended = handoff.send(send);
                }
            }
        }

        fn state(&self) -> MutexGuard<'_, State> {
            // Nothing panics while it holds the lock, so what a poisoned lock guards is whole.
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(not(feature = "runner"))]
mod without_runner {
    use chrono::{DateTime, Utc};

    use crate::engine::lease::LeasedSend;

    /// Nobody to wake.
    #[derive(Debug)]
    pub(in crate::engine) struct Wake;

    impl Wake {
        pub(in crate::engine) fn new() -> Self {
            Self
        }
        pub(in crate::engine) fn due(&self, _at: Option<DateTime<Utc>>) {}
        pub(in crate::engine) fn slot_freed(&self) {}
        pub(in crate::engine) fn clock_went_back(&self) {}
        pub(in crate::engine) fn has_runner(&self) -> bool {
            false
        }
        pub(in crate::engine) fn hand_over(&self, _sends: Vec<LeasedSend>) {}
    }
}
