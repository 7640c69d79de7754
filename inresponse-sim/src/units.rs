//! Time, machines and processes, as everything in a simulation counts them.

use std::time::Duration;

/// Microseconds since the simulation began, by no clock that anybody in it can see.
pub type Micros = u64;

/// A second.
pub const SECOND: Micros = 1_000_000;
/// A millisecond.
pub const MILLI: Micros = 1_000;

/// Which machine.
pub type HostId = usize;

/// A process: which machine, and how often that was started before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// Its machine.
    pub host: HostId,
    /// Which start of it.
    pub start: u32,
}

/// As seconds, for people.
pub fn seconds(time: Micros) -> f64 {
    time as f64 / SECOND as f64
}

/// As the microseconds of a duration.
pub fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
