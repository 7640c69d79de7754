//! Heartbeats: something that must report that it is alive, and an incident if it does not (promise 24).
//!
//! Every server calls [`Heartbeats::run`], or [`Heartbeats::look`] from time to time. Each heartbeat has a row in the shared
//! settings, and every change of it is a swap: so a ping that is stored first wins, and one process decides each miss.
//!
//! A miss is three steps: the row is swapped, the incident is created, its number is noted on the row. What a process that
//! died left undone, another process does some seconds later. If a ping came meanwhile, the process that finds it so
//! resolves the incident.
//!
//! | file | holds |
//! |---|---|
//! | `plan` | every decision, as a pure function |
//! | `row` | the stored row |
//! | `listening` | since when the deployment has been listening for pings, as a pure function |
//! | `backlog` | when this process must look at which heartbeat; only a shortcut of what is stored |
//! | `ping` | takes pings |
//! | `look` | looks at what is due |
//! | `silent` | finds heartbeats that have never pinged |
//! | `incident` | creates and resolves the incidents of misses |

mod backlog;
mod incident;
mod listening;
mod look;
mod ping;
mod plan;
mod row;
mod silent;

pub use look::Heartbeats;
pub use ping::{Pinged, Received};
pub use row::{HeartbeatState, MISSES_KEPT, Miss, PINGS_KEPT, Row};
pub(crate) use silent::silent;
