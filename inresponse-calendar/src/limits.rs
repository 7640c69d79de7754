//! The limits of reading a calendar. If a calendar exceeds a limit, the result is an error or a finding, and the
//! reading takes no more time.

/// The maximum size of a calendar, in bytes. The caller must limit the download too.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The maximum number of parts of a calendar: events, zones, alarms and all others.
pub const MAX_COMPONENTS: usize = 20_000;

/// How deep parts may be nested. Real calendars have three levels.
pub const MAX_DEPTH: usize = 8;

/// The maximum length of one unfolded line, in bytes. A longer line of an event is a finding if it decides who is on
/// call, and when.
pub const MAX_LINE: usize = 32 * 1024;

/// The maximum number of occurrences of one event within the span that is read.
pub const MAX_OCCURRENCES: usize = 5_000;

/// The maximum number of occurrences of all events together within the span that is read.
pub const MAX_ALL_OCCURRENCES: usize = 50_000;

/// The maximum number of days that are examined for the rules of one event. Without this limit, a rule that never
/// matches would be followed forever. Each occurrence counts as ten days, because its time zone takes time.
pub const MAX_DAYS: u32 = 200_000;

/// The maximum number of days that are examined for the rules of all events, counted in the same way.
pub const MAX_ALL_DAYS: u32 = 2_000_000;

/// The maximum number of findings of a calendar. If there are more, one further finding says how many.
pub const MAX_FINDINGS: usize = 100;

/// The maximum number of names that one event yields.
pub const MAX_NAMES: usize = 64;

/// The maximum length of a name, in bytes. A longer name is left out.
pub const MAX_NAME: usize = 320;
