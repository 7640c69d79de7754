//! Values that are computed from an entry once and kept with it.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// A value that is computed from the other fields of its owner. All such values count as equal, so comparisons of
/// owners ignore them.
pub(super) struct Derived<T>(OnceLock<Arc<T>>);

impl<T> Derived<T> {
    /// The value, computed at the first call.
    pub(super) fn get(&self, work_out: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(|| Arc::new(work_out()))
    }

    /// The value to be shared, computed at the first call.
    pub(super) fn shared(&self, work_out: impl FnOnce() -> T) -> &Arc<T> {
        self.0.get_or_init(|| Arc::new(work_out()))
    }
}

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Clone for Derived<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Derived<T> {}

impl<T> fmt::Debug for Derived<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
