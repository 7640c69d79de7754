//! For tests of programs that use this library: a clock that stands still and a notifier that remembers.

mod clock;
mod document;
mod recorder;
mod roster;

pub use clock::ManualClock;
pub use document::roster_document;
pub use recorder::{Recorded, RecordingNotifier};
pub use roster::RosterTestExt;
