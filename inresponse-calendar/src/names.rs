//! Finds the names of the people whom an event is about.

use crate::limits::{MAX_NAME, MAX_NAMES};
use crate::parts::Part;

/// The characters that people put between names.
const SEPARATORS: [char; 5] = [',', ';', '/', '&', '+'];

/// The names that an event yields, and its priority.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) names: Vec<String>,
    pub(crate) priority: Option<u8>,
}

impl Names {
    /// In this order: the summary and its parts, the only attendee, the lines of the description.
    pub(crate) fn of(part: &Part) -> Self {
        let mut names = Self::default();
        let summary = part.value("SUMMARY").unwrap_or_default();
        let (priority, without) = prioritised(summary);
        names.priority = priority;
        names.add(without);
        without.split(SEPARATORS).for_each(|one| names.add(one));
        // A person's name may begin like that.
        names.add(summary);
        let mut attendees = part.all("ATTENDEE");
        if let (Some(attendee), None) = (attendees.next(), attendees.next()) {
            let address = attendee.value.trim();
            let scheme = address.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
            names.add(scheme.map_or(address, |scheme| &address[scheme.len()..]));
            ["EMAIL", "CN"]
                .iter()
                .filter_map(|name| attendee.parameter(name))
                .for_each(|name| names.add(name));
        }
        part.value("DESCRIPTION").unwrap_or_default().lines().for_each(|line| names.add(line));
        names
    }

    fn add(&mut self, name: &str) {
        let name = name.trim();
        let is_name = !name.is_empty() && name.len() <= MAX_NAME;
        if is_name && self.names.len() < MAX_NAMES && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }
}

/// A summary such as `[L1] Ann` has a priority before its names.
fn prioritised(summary: &str) -> (Option<u8>, &str) {
    let read = || {
        let (number, rest) = summary.strip_prefix("[L")?.split_once(']')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        Some((number.parse().ok().filter(|_| is_number)?, rest.trim_start()))
    };
    read().map_or((None, summary), |(priority, rest)| (Some(priority), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::calendars;

    #[test]
    fn names_come_from_the_summary_a_lone_attendee_and_the_description() {
        let cases: [(&str, Option<u8>, &[&str]); 14] = [
            ("SUMMARY:Ann", None, &["Ann"]),
            ("SUMMARY:  Ann Lee ", None, &["Ann Lee"]),
            (
                "SUMMARY:Ann\\, Lee / Kim & Jo+Pat\\; Sam",
                None,
                &["Ann, Lee / Kim & Jo+Pat; Sam", "Ann", "Lee", "Kim", "Jo", "Pat", "Sam"],
            ),
            ("SUMMARY:[L1] Ann\\, Lee", Some(1), &["Ann, Lee", "Ann", "Lee", "[L1] Ann, Lee"]),
            ("SUMMARY:[L12]ann@example.org", Some(12), &["ann@example.org", "[L12]ann@example.org"]),
            ("SUMMARY:[L1]", Some(1), &["[L1]"]),
            ("SUMMARY:[L300] Ann", None, &["[L300] Ann"]),
            ("SUMMARY:[L 1] Ann", None, &["[L 1] Ann"]),
            ("SUMMARY:[L-1] Ann", None, &["[L-1] Ann"]),
            ("SUMMARY:[Ops] Ann", None, &["[Ops] Ann"]),
            (
                "SUMMARY:On call\nATTENDEE;CN=Ann Lee;EMAIL=al@example.org:MAILTO:ann@example.org",
                None,
                &["On call", "ann@example.org", "al@example.org", "Ann Lee"],
            ),
            (
                "SUMMARY:On call\nATTENDEE:mailto:ann@example.org\nATTENDEE:mailto:lee@example.org",
                None,
                &["On call"],
            ),
            ("DESCRIPTION:Ann\\n\\n ann@example.org \\nAnn", None, &["Ann", "ann@example.org"]),
            ("UID:1", None, &[]),
        ];
        for (lines, priority, expected) in cases {
            let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
            let read = Names::of(&calendars(text.as_bytes()).unwrap()[0].events[0]);
            assert_eq!(
                (read.names.as_slice(), read.priority),
                (expected.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().as_slice(), priority),
                "{lines}"
            );
        }
        let long = format!("SUMMARY:{}\\,{}", "x".repeat(MAX_NAME + 1), "y,".repeat(4 * MAX_NAMES));
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{long}\nEND:VEVENT\nEND:VCALENDAR\n");
        assert_eq!(Names::of(&calendars(text.as_bytes()).unwrap()[0].events[0]).names, ["y"]);
    }
}
