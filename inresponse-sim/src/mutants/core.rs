//! Bugs of the core. The core's sources contain none. `cargo xtask mutants` builds a copy of the sources with the bugs
//! from the folder `bugs`. In every other build this list is empty.

/// A bug of the core that can be planted.
#[derive(Debug, PartialEq, Eq)]
pub struct CoreBug {
    /// The number by which the switch selects the bug.
    pub number: usize,
    /// The bug's name.
    pub name: &'static str,
    /// The number of the promise that the bug breaks.
    pub promise: u8,
    /// The bug's effect, in one sentence without a full stop.
    pub what: &'static str,
}

/// The bugs that this program was built with.
pub const BUILT_IN: &[CoreBug] = &[];

/// Plants a bug in this process, or removes the planted one.
pub(super) fn plant(_bug: Option<&CoreBug>) {}
