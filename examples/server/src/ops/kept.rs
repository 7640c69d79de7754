//! Tasks that run as long as the server does, whatever a bug does to them.

use std::time::Duration;

use inresponse_core::clock::Clock;
use tokio::task::JoinSet;

/// How soon a task that panicked starts again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Runs a task to its end, and again after each panic. Everything that such a task does is stored, so the next run
/// continues where the previous one stopped.
///
/// The task ends if the returned future is dropped.
pub(crate) async fn kept<F>(name: &'static str, clock: &dyn Clock, mut task: impl FnMut() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut running = JoinSet::new();
        running.spawn(task());
        match running.join_next().await {
            // The panic itself is on the standard error output already.
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(task = name, "a task of the server panicked and starts again: this is a bug");
                metrics::counter!("inresponse_task_panics_total", "task" => name).increment(1);
                clock.sleep(AGAIN_AFTER).await;
            }
            Some(Ok(()) | Err(_)) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use inresponse_core::clock::SystemClock;

    use super::kept;

    #[tokio::test(start_paused = true)]
    #[allow(clippy::panic, reason = "the panic is what the test is about")]
    async fn p13_a_task_that_panics_starts_again_until_it_ends() {
        let runs = Arc::new(AtomicUsize::new(0));
        let task = || {
            let run = runs.fetch_add(1, Ordering::Relaxed);
            async move { assert!(run == 2, "a bug") }
        };
        kept("test", &SystemClock::new(), task).await;
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_task_ends_with_whom_it_is_kept_for() {
        let alive = Arc::new(());
        let of_task = Arc::clone(&alive);
        let clock = SystemClock::new();
        let task = move || {
            let held = Arc::clone(&of_task);
            async move {
                std::future::pending::<()>().await;
                drop(held);
            }
        };
        let mut running = Box::pin(kept("test", &clock, task));
        tokio::select! {
            () = &mut running => unreachable!("it never ends by itself"),
            () = tokio::task::yield_now() => {}
        }
        drop(running);
        while Arc::strong_count(&alive) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
