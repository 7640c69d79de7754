//! The parts that the author of a store or roster provides to the suites.

use std::future::Future;

/// Makes the store, roster or settings under test.
///
/// Every closure like `|| async { MyStore::new() }` is a harness.
pub trait Harness: Send + Sync {
    /// The store, roster or settings under test.
    type Subject: Send + Sync + 'static;

    /// Makes an empty subject, on storage that nobody else uses. Each law calls this once, first.
    fn fresh(&self) -> impl Future<Output = Self::Subject> + Send;
}

/// A harness for subjects whose data survives the end of their process.
pub trait Durable: Harness {
    /// Ends `crashed` as a crash would, and opens its data again.
    ///
    /// Do not close `crashed` properly first: [`std::mem::forget`] it and open the same files, or open a copy of the
    /// current files.
    fn reopen(&self, crashed: Self::Subject) -> impl Future<Output = Self::Subject> + Send;
}

/// A harness for subjects that several processes use at once.
pub trait Shared: Harness {
    /// Makes another handle on the storage of `first`, as another process would open it.
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
