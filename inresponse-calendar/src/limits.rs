//! How much of a calendar is read. Whatever is over a limit becomes an error or a finding, and takes no more time.

/// The maximum number of bytes of a calendar. The caller bounds its download, too.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The maximum number of parts of a calendar: events, zones, alarms and all others.
pub const MAX_COMPONENTS: usize = 20_000;

/// How deep parts may be nested. Real calendars have three levels.
pub const MAX_DEPTH: usize = 8;

/// The maximum number of bytes of one unfolded line. A longer line of an event is a finding if it decides who is on
/// call when.
pub const MAX_LINE: usize = 32 * 1024;

/// The maximum number of occurrences of one event within the span that is read.
pub const MAX_OCCURRENCES: usize = 5_000;

/// The maximum number of occurrences of all events together within the span that is read.
pub const MAX_ALL_OCCURRENCES: usize = 50_000;

/// The maximum number of days that the rules of one event may look at, so that a rule that never matches ends. Each
/// occurrence counts as ten days, since its zone takes time.
pub const MAX_DAYS: u32 = 200_000;

/// The maximum number of days that the rules of all events may look at, counted in the same way.
pub const MAX_ALL_DAYS: u32 = 2_000_000;

/// The maximum number of findings of a calendar. One more says how many others there are.
pub const MAX_FINDINGS: usize = 100;

/// The maximum number of names that one event yields.
pub const MAX_NAMES: usize = 64;

/// The maximum number of bytes of a name. A longer one is left out.
pub const MAX_NAME: usize = 320;
