//! Runs the futures of a simulation: whenever all tasks wait, simulated time advances.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use crate::world::World;

/// Notifies when every task waits.
#[derive(Default)]
struct Idle {
    rang: AtomicBool,
    bell: Mutex<Option<Waker>>,
}

impl Idle {
    fn ring(&self) {
        self.rang.store(true, Ordering::Relaxed);
        if let Some(bell) = &*self.bell.lock().unwrap_or_else(PoisonError::into_inner) {
            bell.wake_by_ref();
        }
    }
}

/// Every task waits for something that can never happen, and the work is not done.
#[derive(Debug)]
pub struct Deadlock;

/// Runs `work`, and all tasks that it spawns, to its end on this thread, in simulated time.
///
/// The order in which tasks run follows from the seed alone: tokio's single-threaded scheduler takes them in turn, and
/// tasks wait only for simulated time.
///
/// # Errors
/// Every task waits for something that can never happen.
///
/// # Panics
/// The runtime cannot be made, or the work panicked.
pub fn run<T: Send + 'static>(
    world: &Arc<World>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Deadlock> {
    let idle = Arc::new(Idle::default());
    let rings = Arc::clone(&idle);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || rings.ring())
        .build()
        .expect("a runtime without drivers can always be made");
    let world = Arc::clone(world);
    runtime.block_on(async move {
        let work = tokio::spawn(work);
        poll_fn(|context| {
            if work.is_finished() {
                return Poll::Ready(Ok(()));
            }
            let mut bell = idle.bell.lock().unwrap_or_else(PoisonError::into_inner);
            if !bell.as_ref().is_some_and(|bell| bell.will_wake(context.waker())) {
                *bell = Some(context.waker().clone());
            }
            drop(bell);
            if idle.rang.swap(false, Ordering::Relaxed) && !world.turn() {
                return Poll::Ready(Err(Deadlock));
            }
            Poll::Pending
        })
        .await?;
        Ok(work.await.expect("the work does not panic"))
    })
}
