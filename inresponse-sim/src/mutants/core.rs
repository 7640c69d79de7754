//! Bugs of the core. Its sources have none: `cargo xtask mutants` builds a copy, to which it adds those of the folder
//! `bugs`, and then this list is not empty.

/// A bug of the core that can be planted.
#[derive(Debug, PartialEq, Eq)]
pub struct CoreBug {
    /// What the switch knows it by.
    pub number: usize,
    /// Its name.
    pub name: &'static str,
    /// The number of the promise that it breaks.
    pub promise: u8,
    /// What it does, in one sentence without a full stop.
    pub what: &'static str,
}

/// Those that this program was built with.
pub const BUILT_IN: &[CoreBug] = &[];

/// Plants a bug in this process, or takes out the one that is planted.
pub(super) fn plant(_bug: Option<&CoreBug>) {}
