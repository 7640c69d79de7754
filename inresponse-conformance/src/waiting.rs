//! The runtime of the laws, with their time limits and concurrency.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// The time limit of a law. A law that takes longer has met a call that does not end.
const LIMIT: Duration = Duration::from_secs(600);

/// How long the answers of `due`, `list` and `census` may lag behind a commit.
const LAG: Duration = Duration::from_secs(60);

/// Runs a law on its own runtime.
pub fn run(law: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(4).enable_all().build().expect("a runtime starts");
    let ended = runtime.block_on(async { timeout(LIMIT, law).await });
    // Without waiting for threads that an adapter may have blocked.
    runtime.shutdown_background();
    ended.unwrap_or_else(|_| panic!("the law did not end within {LIMIT:?}: a call hangs"));
}

/// Waits until `look` sees `expected`.
pub(crate) async fn eventually<T, Look>(expected: &T, look: impl FnMut() -> Look)
where
    T: PartialEq + Debug,
    Look: Future<Output = T>,
{
    within(LAG, expected, look).await;
}

/// Waits up to `patience` until `look` sees `expected`.
pub(crate) async fn within<T, Look>(patience: Duration, expected: &T, mut look: impl FnMut() -> Look)
where
    T: PartialEq + Debug,
    Look: Future<Output = T>,
{
    let mut waited = Duration::ZERO;
    let mut pause = Duration::from_millis(2);
    loop {
        let seen = look().await;
        if seen == *expected {
            return;
        }
        if waited >= patience {
            panic!("expected, within {patience:?}:\n{expected:#?}\nbut saw:\n{seen:#?}");
        }
        sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Runs all futures concurrently, each on its own task, and returns their results in order.
pub(crate) async fn together<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    // The first panic ends it, since others may be waiting for the thread that panicked.
    let answers = futures_util::future::try_join_all(tasks.into_iter().map(tokio::spawn)).await;
    answers.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}

/// Polls `call` for a while and then drops it. `patience` is the number of turns that other tasks get before that.
pub(crate) async fn abandoned<T>(patience: usize, call: impl Future<Output = T>) {
    let turns = async {
        for _ in 0..patience {
            tokio::task::yield_now().await;
        }
    };
    futures_util::pin_mut!(call, turns);
    drop(futures_util::future::select(call, turns).await);
}
