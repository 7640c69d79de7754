//! What the author of a store or roster provides to the suites.

use std::future::Future;

/// Makes the store or roster under test.
///
/// Every closure like `|| async { MyStore::new() }` is one.
pub trait Harness: Send + Sync {
    /// The store or roster under test, or something that is both.
    type Subject: Send + Sync + 'static;

    /// An empty one, on storage that nobody else uses. Called once in each law, first.
    fn fresh(&self) -> impl Future<Output = Self::Subject> + Send;
}

/// For subjects whose data survives the end of their process.
pub trait Durable: Harness {
    /// Ends `crashed` as a crash would, and opens its data again.
    ///
    /// Do not close it properly first: [`std::mem::forget`] it and open the same files, or open a copy of the current
    /// files.
    fn reopen(&self, crashed: Self::Subject) -> impl Future<Output = Self::Subject> + Send;
}

/// Also for what several processes use at once.
pub trait Shared: Harness {
    /// Another handle on the storage of `first`, as another process would open it.
    fn another(&self, first: &Self::Subject) -> impl Future<Output = Self::Subject> + Send;
}

impl<F, Made, Subject> Harness for F
where
    F: Fn() -> Made + Send + Sync,
    Made: Future<Output = Subject> + Send,
    Subject: Send + Sync + 'static,
{
    type Subject = Subject;

    fn fresh(&self) -> impl Future<Output = Subject> + Send {
        self()
    }
}
