//! Writing a feed.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, SubsecRound, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::limits::MAX_NAME;

/// When somebody is on call. Several people who are on call together are several shifts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it is over.
    pub to: DateTime<Utc>,
    /// Who is on call, as people say it.
    pub name: String,
}

/// How often programs should fetch a feed again.
const REFRESH: &str = "PT10M";

/// Writes shifts as a calendar of that name, in the format of RFC 5545. `stamp` is the time of the last change of the
/// shifts. If `stamp` and the shifts are the same, the calendar is the same.
///
/// A shift keeps its UID as long as it has the same name and begins at the same time. Times are in UTC and have whole
/// seconds; a shift with fractions of seconds is written a little longer, never shorter. Line breaks and other control
/// characters of names are written as spaces, and names longer than [`MAX_NAME`] are cut.
pub fn write(name: &str, shifts: impl Iterator<Item = Shift>, stamp: DateTime<Utc>) -> String {
    let name = plain(name);
    let mut written = String::new();
    let mut line = |key: &str, value: &str| fold(&format!("{key}:{value}"), &mut written);
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//InResponse//inresponse-calendar//EN");
    line("CALSCALE", "GREGORIAN");
    line("METHOD", "PUBLISH");
    line("X-WR-CALNAME", &escaped(&name));
    line("X-PUBLISHED-TTL", REFRESH);
    let stamp = utc(stamp);
    let mut same: HashMap<(String, String), u32> = HashMap::new();
    for shift in shifts {
        let (from, to) = (utc(shift.from), utc(up(shift.to)));
        if from >= to {
            continue;
        }
        let who = plain(&shift.name);
        let nth = same.entry((from.clone(), who.clone())).or_default();
        line("BEGIN", "VEVENT");
        line("UID", &uid(&name, &from, &who, *nth));
        line("DTSTAMP", &stamp);
        line("DTSTART", &from);
        line("DTEND", &to);
        line("SUMMARY", &escaped(&who));
        // A person who is on call still counts as free for meetings.
        line("TRANSP", "TRANSPARENT");
        line("END", "VEVENT");
        *nth += 1;
    }
    line("END", "VCALENDAR");
    written
}

/// The maximum number of bytes of a line, without its end.
const FOLD_AT: usize = 75;

/// Adds a line with its end, folded between characters. (The crate `icalendar` makes the last of folded lines one byte too
/// long.)
fn fold(line: &str, written: &mut String) {
    let (mut rest, mut room) = (line, FOLD_AT);
    while rest.len() > room {
        let (now, later) = rest.split_at(rest.floor_char_boundary(room));
        written.push_str(now);
        written.push_str("\r\n ");
        // The space at the beginning of a folded line counts.
        (rest, room) = (later, FOLD_AT - 1);
    }
    written.push_str(rest);
    written.push_str("\r\n");
}

/// Escapes the characters that would end a value.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace(',', r"\,").replace(';', r"\;")
}

/// Removes the characters that a calendar's text may not contain.
fn plain(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_NAME)].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The second in which a time lies, as calendars write it. Their years have four digits.
fn utc(at: DateTime<Utc>) -> String {
    match at.year() {
        ..=0 => "00010101T000000Z".to_owned(),
        1..=9999 => at.format("%Y%m%dT%H%M%SZ").to_string(),
        10_000.. => "99991231T235959Z".to_owned(),
    }
}

/// The next whole second, so that no gap is left.
fn up(at: DateTime<Utc>) -> DateTime<Utc> {
    let down = at.trunc_subsecs(0);
    if down == at { at } else { down.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(down) }
}

fn uid(calendar: &str, from: &str, who: &str, nth: u32) -> String {
    let mut hash = Sha256::new();
    for part in [calendar, from, who, &nth.to_string()] {
        hash.update(part);
        // No part contains this byte, so parts cannot be confused.
        hash.update(b"\0");
    }
    let hash = BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..15]);
    format!("{hash}@inresponse")
}
