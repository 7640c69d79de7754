//! Units of time, and the ids of machines and processes.

use std::time::Duration;

/// Microseconds since the simulation began. No clock in the simulation shows this time.
pub type Micros = u64;

/// One second.
pub const SECOND: Micros = 1_000_000;
/// One millisecond.
pub const MILLI: Micros = 1_000;

/// The index of a machine.
pub type HostId = usize;

/// A process: its machine, and the number of the machine's earlier starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    /// The machine on which the process runs.
    pub host: HostId,
    /// The number of the machine's start.
    pub start: u32,
}

/// A time in seconds, for messages.
pub fn seconds(time: Micros) -> f64 {
    time as f64 / SECOND as f64
}

/// The microseconds of a duration.
pub fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
