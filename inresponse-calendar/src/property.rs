//! One content line as a property.

use crate::lines::Line;

/// The properties that decide who is on call, and when, and those that name an event. All others are ignored.
const READ: [&str; 19] = [
    "ATTENDEE",
    "DESCRIPTION",
    "DTEND",
    "DTSTART",
    "DURATION",
    "EXDATE",
    "EXRULE",
    "RDATE",
    "RECURRENCE-ID",
    "RRULE",
    "SEQUENCE",
    "STATUS",
    "SUMMARY",
    "TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "UID",
    "X-LIC-LOCATION",
    "X-WR-TIMEZONE",
];

/// A property: its name in capitals, its parameters and its value, with the escapes of text undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    parameters: Vec<(String, String)>,
    pub(crate) value: String,
}

/// What a line is.
#[derive(Debug)]
#[must_use]
pub(crate) enum Meaning {
    Begin(String),
    End(String),
    Property(Property),
    /// A property that nothing depends on.
    Other,
    /// Not a property at all.
    Broken,
}

impl Property {
    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What a line means.
///
/// The parser of the crate `icalendar` reads the line: parameters, quoted values, escapes. It is not used for whole
/// calendars for three reasons: it decodes text before it unfolds it, it refuses the whole calendar because of one
/// broken line, and very deeply nested parts overflow its stack.
pub(crate) fn meaning(line: &Line<'_>) -> Meaning {
    let text = line.text.as_ref();
    let Some(end) = text.find([':', ';']) else { return Meaning::Broken };
    let (name, rest) = text.split_at(end);
    let name = name.trim().to_ascii_uppercase();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if !is_name {
        return Meaning::Broken;
    }
    if let "BEGIN" | "END" = name.as_str() {
        let part = rest.trim_start_matches([':', ';']).trim().to_ascii_uppercase();
        return if name == "BEGIN" { Meaning::Begin(part) } else { Meaning::End(part) };
    }
    let Some(known) = READ.into_iter().find(|known| *known == name) else { return Meaning::Other };
    if line.is_cut {
        return Meaning::Broken;
    }
    let line = format!("{known}{rest}");
    let Ok(parsed) = icalendar::parser::Property::try_from(line.as_str()) else { return Meaning::Broken };
    // If the parameters make no sense, the parser stops after the name.
    if rest.starts_with(';') && parsed.params.is_empty() {
        return Meaning::Broken;
    }
    let parameters = parsed.params.iter().map(|parameter| {
        let value = parameter.val.as_ref().map_or("", |value| value.as_str());
        (parameter.key.as_str().to_owned(), unquoted(value))
    });
    Meaning::Property(Property {
        name: known,
        parameters: parameters.collect(),
        value: parsed.val.as_str().to_owned(),
    })
}

/// Removes quotation marks, and undoes the escapes of RFC 6868.
fn unquoted(value: &str) -> String {
    let value = value.trim_matches('"');
    if !value.contains('^') {
        return value.to_owned();
    }
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = match (c, chars.peek()) {
            ('^', Some('^')) => Some('^'),
            ('^', Some('n')) => Some('\n'),
            ('^', Some('\'')) => Some('"'),
            _ => None,
        };
        if escaped.is_some() {
            chars.next();
        }
        plain.push(escaped.unwrap_or(c));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Lines;

    fn told(text: &str) -> String {
        let line = Lines::of(text.as_bytes()).next().unwrap();
        match meaning(&line) {
            Meaning::Begin(part) => format!("begin {part}"),
            Meaning::End(part) => format!("end {part}"),
            Meaning::Property(Property { name, parameters, value }) => {
                let parameters: Vec<_> =
                    parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("{name} [{}] {value}", parameters.join("|"))
            }
            Meaning::Other => "other".to_owned(),
            Meaning::Broken => "broken".to_owned(),
        }
    }

    #[test]
    fn a_line_is_read_with_its_parameters_and_escapes() {
        let cases = [
            ("BEGIN:VEVENT", "begin VEVENT"),
            ("end:vevent ", "end VEVENT"),
            ("SUMMARY:Ann\\, Lee\\; \\\\ and\\nKim: all", "SUMMARY [] Ann, Lee; \\ and\nKim: all"),
            ("summary;LANGUAGE=en:Ann\\, Lee", "SUMMARY [LANGUAGE=en] Ann, Lee"),
            ("SUMMARY:", "SUMMARY [] "),
            (
                "DTSTART;TZID=\"W. Europe Standard Time\":20261201T090000",
                "DTSTART [TZID=W. Europe Standard Time] 20261201T090000",
            ),
            ("DTSTART;TZID=:20261201T090000", "DTSTART [TZID=] 20261201T090000"),
            (
                "ATTENDEE;CN=\"Doe: Jo; Ann\";RSVP=TRUE:mailto:jo@example.org",
                "ATTENDEE [CN=Doe: Jo; Ann|RSVP=TRUE] mailto:jo@example.org",
            ),
            (
                "ATTENDEE;CN=Jo ^'J^' Doe^^:mailto:jo@example.org",
                "ATTENDEE [CN=Jo \"J\" Doe^] mailto:jo@example.org",
            ),
            ("ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA", "other"),
            ("X-ANYTHING", "broken"),
            ("the second line of a text", "broken"),
            ("a text: with a colon", "broken"),
            (":no name", "broken"),
            ("DTSTART;TZID=\"Europe/\"Berlin:20261201T090000", "broken"),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected, "{text}");
        }
        assert_eq!(told(&format!("SUMMARY:{}", "x".repeat(crate::limits::MAX_LINE))), "broken");
        assert_eq!(told(&format!("X-IMAGE:{}", "x".repeat(crate::limits::MAX_LINE))), "other");
    }
}
