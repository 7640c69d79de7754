//! iCalendar feeds of who is on call: reading and writing.
//!
//! Reading is pure: bytes in, [`Event`]s at instants out. Nothing is fetched, stored or read from the clock.
//!
//! ```
//! use inresponse_calendar::{Shift, read, write};
//! use inresponse_core::model::Zone;
//!
//! let feed = b"BEGIN:VCALENDAR
//! BEGIN:VEVENT
//! UID:1
//! SUMMARY:[L1] Ann\\, Lee
//! DTSTART;TZID=\"GTB Standard Time\":20261024T090000
//! DTEND;TZID=\"GTB Standard Time\":20261025T090000
//! RRULE:FREQ=WEEKLY
//! END:VEVENT
//! END:VCALENDAR
//! ";
//! let span = "2026-10-24T00:00:00Z".parse()?.."2026-10-26T00:00:00Z".parse()?;
//! let read = read(feed, &Zone::new("Europe/Athens")?, span)?;
//! let event = &read.events[0];
//! // The night is an hour longer.
//! assert_eq!((event.from, event.to), ("2026-10-24T06:00:00Z".parse()?, "2026-10-25T07:00:00Z".parse()?));
//! assert_eq!((&event.names[1..3], event.priority), (&["Ann".to_owned(), "Lee".to_owned()][..], Some(1)));
//! assert!(read.findings.is_empty());
//!
//! let shift = Shift { from: event.from, to: event.to, name: "Ann".to_owned() };
//! assert!(write("On call", [shift].into_iter(), event.from).contains("DTSTART:20261024T060000Z\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is read
//!
//! | | |
//! |---|---|
//! | times | in UTC, in a zone (the name may be of IANA or Windows, or stand for one: `X-LIC-LOCATION`, or the calendar's own rules), without a zone (`X-WR-TIMEZONE`, or else the schedule's), whole days (of the schedule's zone) |
//! | ends | `DTEND` or `DURATION` |
//! | recurrence | `RRULE` (`DAILY`, `WEEKLY`, `MONTHLY`, `YEARLY`; `INTERVAL`, `COUNT`, `UNTIL`, `BYDAY`, `BYMONTHDAY`, `BYMONTH`, `BYSETPOS`, `WKST`), `RDATE`, `EXDATE` |
//! | changes | `RECURRENCE-ID` (an occurrence is moved or cancelled), `STATUS:CANCELLED`, `SEQUENCE` (the highest is read) |
//! | people | `SUMMARY`, the only `ATTENDEE`, `DESCRIPTION` |
//!
//! A part that is not understood, such as a rule of hours, becomes a [`Finding`] with the name of its event. Bytes that
//! are not a whole calendar are a [`ReadError`]: the caller keeps its last good copy. [`limits`] has the maximum sizes.
//!
//! # Local times
//!
//! Rules are expanded in local time, and then resolved with jiff and its bundled zones. A span of two local times
//! begins at the first occurrence of its start, and ends at the last occurrence of its end. If the clocks skip one of
//! them, it is the first instant after that. So spans that follow each other may overlap when clocks change, but leave
//! no gap. Days follow each other without gaps or overlaps. The hours of a `DURATION` are elapsed time.
//!
//! | module | holds |
//! |---|---|
//! | `lines`, `property`, `parts` | bytes as lines, properties, and parts of a calendar |
//! | `zones`, `windows` | the zones that names stand for |
//! | `time`, `rule` | times and lengths; rules and their expansion |
//! | `version`, `series` | one part as a version of an event; all versions of an event as its occurrences |
//! | `names` | whom an event is about |
//! | `read`, `write` | the two functions |
//! | [`limits`] | how much is read |

mod error;
mod event;
mod finding;
pub mod limits;
mod lines;
mod names;
mod parts;
mod property;
mod read;
mod rule;
mod series;
mod time;
mod version;
mod windows;
mod write;
mod zones;

pub use error::{ReadError, ReadErrorKind};
pub use event::Event;
pub use finding::{Finding, FindingKind};
pub use read::{Feed, read};
pub use write::{Shift, write};
