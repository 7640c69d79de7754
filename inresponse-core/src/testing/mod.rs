//! Test doubles for programs that use this library: a clock that moves only on command, and a notifier that records
//! alerts.

mod clock;
mod document;
mod recorder;
mod roster;

pub use clock::ManualClock;
pub use document::roster_document;
pub use recorder::{Recorded, RecordingNotifier};
pub use roster::RosterTestExt;
