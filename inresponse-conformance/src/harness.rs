//! What an author tells the suites of stores and rosters.

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

/// Also for what is still there after its process has ended.
pub trait Durable: Harness {
    /// Lets `crashed` end as a crash would, and opens what it left behind.
    ///
    /// It must not be closed in good order first: [`std::mem::forget`] it and open the same files, or open a
    /// copy of the files as they are now.
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
