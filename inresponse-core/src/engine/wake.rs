//! Wakes the runner when an incident becomes due.
//!
//! The due time is always stored with the incident. This module only saves the runner from querying all due incidents
//! more than once a second.

#[cfg(feature = "runner")]
pub(super) use with_runner::Wake;
#[cfg(not(feature = "runner"))]
pub(super) use without_runner::Wake;

#[cfg(feature = "runner")]
mod with_runner {
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use chrono::{DateTime, TimeDelta, Utc};
    use tokio::sync::{Notify, mpsc};

    use crate::engine::backlog::{Backlog, Blocked, Turns};
    use crate::engine::leased::LeasedSend;
    use crate::engine::slots::{Slots, Urgency};
    use crate::error::{Chain, Outage};
    use crate::model::{Contact, Incident, IncidentNumber, Version};
    use crate::plan;

    /// How soon to look again at an incident that is due but still in flight in this process.
    const IN_FLIGHT_PAUSE: TimeDelta = TimeDelta::milliseconds(100);
    /// When to come back to an incident that could not be advanced.
    const AGAIN_AFTER_OUTAGE: TimeDelta = TimeDelta::seconds(1);

    #[derive(Debug, Default)]
    pub(in crate::engine) struct Wake {
        bell: Notify,
        state: Mutex<State>,
    }

    #[derive(Debug, Default)]
    struct State {
        backlog: Backlog,
        /// Whether a slot may have become free for which an incident waits.
        freed: bool,
        /// Whether the clock has gone back behind the time of a write.
        went_back: bool,
        /// Whether this process changed silences or alert hours.
        new_rules: bool,
        handoff: Option<mpsc::UnboundedSender<LeasedSend>>,
    }

    impl Wake {
        pub(in crate::engine) fn new() -> Self {
            Self::default()
        }

        /// Records that the incident, at that version, is next due at `at`.
        pub(in crate::engine) fn due(
            &self,
            number: IncidentNumber,
            version: Version,
            at: Option<DateTime<Utc>>,
        ) {
            let mut state = self.state();
            // A process that begins to run looks at everything first.
            if state.handoff.is_none() {
                return;
            }
            let before = state.backlog.next_at();
            state.backlog.due(number, version, at);
            let is_sooner = |next| before.is_none_or(|before| next < before);
            if state.backlog.next_at().is_some_and(is_sooner) {
                self.bell.notify_one();
            }
        }

        /// Logs that an incident could not be advanced, and comes back to it a little later.
        pub(in crate::engine) fn after_outage(
            &self,
            number: IncidentNumber,
            error: &Outage,
            now: DateTime<Utc>,
        ) {
            tracing::error!(incident = number.value(), error = %Chain::of(&error), "an incident could not be advanced");
            // Everything else that is known about the incident is newer.
            self.due(number, Version::FIRST, Some(now + AGAIN_AFTER_OUTAGE));
        }

        /// Records what is left at `now` after everything due was leased: deliveries that wait for a slot of those
        /// contacts, or that this process has in flight.
        pub(in crate::engine) fn left(
            &self,
            incident: &Incident,
            version: Version,
            no_slot: Vec<Contact>,
            now: DateTime<Utc>,
        ) {
            let (number, due_at) = (incident.number(), plan::due_at(incident));
            let Some(due_at) = due_at.filter(|_| !no_slot.is_empty()) else {
                // A delivery that is due and in flight reports when its send ends.
                let again = |at| if at > now { at } else { now + IN_FLIGHT_PAUSE };
                return self.due(number, version, due_at.map(again));
            };
            let again = plan::due_after(incident, now);
            let blocked = Blocked { contacts: no_slot, urgency: Urgency::of(incident), due_at, again };
            let mut state = self.state();
            if state.handoff.is_none() {
                return;
            }
            state.backlog.blocked(number, version, blocked);
            // One may have become free before anybody knew that it is waited for.
            state.freed = true;
            self.bell.notify_one();
        }

        /// Records that a sending slot became free.
        pub(in crate::engine) fn slot_freed(&self) {
            let mut state = self.state();
            if state.backlog.waits() {
                state.freed = true;
                self.bell.notify_one();
            }
        }

        /// When there may be room for a waiting send although no send has ended, or when the next bundle may go out.
        pub(in crate::engine) fn relief(&self, slots: &Slots) -> Option<Duration> {
            let state = self.state();
            if !state.backlog.waits() {
                return None;
            }
            let paced_until = state.backlog.paced_until();
            drop(state);
            slots.relief().into_iter().chain(paced_until.map(|at| slots.until(at))).min()
        }

        /// Whether a slot for which an incident waits may have become free since the last call.
        pub(in crate::engine) fn take_freed(&self) -> bool {
            std::mem::take(&mut self.state().freed)
        }

        /// Whether an incident waits for a slot of that contact.
        pub(in crate::engine) fn waits_for(&self, contact: &Contact) -> bool {
            self.state().backlog.waits_for(contact)
        }

        /// Whether this process will handle the incident at that version.
        pub(in crate::engine) fn knows(&self, number: IncidentNumber, version: Version) -> bool {
            self.state().backlog.knows(number, version)
        }

        /// Takes at most `limit` incidents whose turn it is, and those that go out in bundles.
        pub(in crate::engine) fn take(&self, now: DateTime<Utc>, limit: usize, slots: &Slots) -> Turns {
            let mut state = self.state();
            let mut offer = slots.offer();
            let turns = state.backlog.take(now, limit, &mut offer);
            drop(offer);
            if turns.numbers.len() == limit {
                state.freed = true;
                self.bell.notify_one();
            }
            turns
        }

        /// Forgets all due times. After the clock went back, they may be wrong.
        pub(in crate::engine) fn forget(&self) {
            self.state().backlog.clear();
        }

        /// The earliest known due time.
        pub(in crate::engine) fn next_at(&self) -> Option<DateTime<Utc>> {
            self.state().backlog.next_at()
        }

        /// Records that the clock has gone back behind the time of a write.
        pub(in crate::engine) fn clock_went_back(&self) {
            self.state().went_back = true;
        }

        /// Whether the clock has gone back behind the time of a write since the last call.
        pub(in crate::engine) fn take_went_back(&self) -> bool {
            std::mem::take(&mut self.state().went_back)
        }

        /// Records that this process changed silences or alert hours.
        pub(in crate::engine) fn rules_changed(&self) {
            self.state().new_rules = true;
            self.bell.notify_one();
        }

        /// Whether this process has changed silences or alert hours since [`Self::take_new_rules`].
        pub(in crate::engine) fn has_new_rules(&self) -> bool {
            self.state().new_rules
        }

        /// Records that the new rules are being looked at.
        pub(in crate::engine) fn take_new_rules(&self) {
            self.state().new_rules = false;
        }

        /// Resolves when the runner must look.
        pub(in crate::engine) async fn rung(&self) {
            self.bell.notified().await;
        }

        /// Opens the channel by which a runner takes over sends that were leased elsewhere.
        pub(in crate::engine) fn open_handoff(&self) -> mpsc::UnboundedReceiver<LeasedSend> {
            let (sender, receiver) = mpsc::unbounded_channel();
            self.state().handoff = Some(sender);
            receiver
        }

        /// Closes the channel: the runner takes over no more sends.
        pub(in crate::engine) fn close_handoff(&self) {
            self.state().handoff = None;
        }

        /// Whether a runner takes over sends that were leased elsewhere.
        pub(in crate::engine) fn has_runner(&self) -> bool {
            self.state().handoff.as_ref().is_some_and(|handoff| !handoff.is_closed())
        }

        /// Hands leased sends over to the runner. If the runner has just ended, the deliveries are due again when their
        /// leases end.
        pub(in crate::engine) fn give_to_runner(&self, sends: Vec<LeasedSend>) {
            drop(self.offer_to_runner(sends));
        }

        /// Hands leased sends over to the runner. Returns those that it does not take because it has just ended.
        pub(in crate::engine) fn offer_to_runner(&self, sends: Vec<LeasedSend>) -> Vec<LeasedSend> {
            let state = self.state();
            let Some(handoff) = &state.handoff else { return sends };
            sends.into_iter().filter_map(|send| handoff.send(send).err()).map(|refused| refused.0).collect()
        }

        fn state(&self) -> MutexGuard<'_, State> {
            // No code panics while it holds the lock, so the data behind a poisoned lock is intact.
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

#[cfg(not(feature = "runner"))]
mod without_runner {
    use chrono::{DateTime, Utc};

    use crate::engine::leased::LeasedSend;
    use crate::model::{Contact, Incident, IncidentNumber, Version};

    /// Without the feature `runner` there is no runner to wake.
    #[derive(Debug)]
    pub(in crate::engine) struct Wake;

    impl Wake {
        pub(in crate::engine) fn new() -> Self {
            Self
        }
        pub(in crate::engine) fn due(&self, _: IncidentNumber, _: Version, _at: Option<DateTime<Utc>>) {}
        pub(in crate::engine) fn left(&self, _: &Incident, _: Version, _: Vec<Contact>, _: DateTime<Utc>) {}
        pub(in crate::engine) fn waits_for(&self, _: &Contact) -> bool {
            false
        }
        pub(in crate::engine) fn slot_freed(&self) {}
        pub(in crate::engine) fn clock_went_back(&self) {}
        pub(in crate::engine) fn rules_changed(&self) {}
        pub(in crate::engine) fn has_runner(&self) -> bool {
            false
        }
        pub(in crate::engine) fn give_to_runner(&self, _sends: Vec<LeasedSend>) {}
    }
}
