//! For tests of programs that use this library: a clock that stands still and a notifier that remembers.

mod clock;
mod recorder;
mod roster;

pub use clock::ManualClock;
pub use recorder::{Recorded, RecordingNotifier};
pub use roster::RosterTestExt;
