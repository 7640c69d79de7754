//! Content lines as calendars with their events and zones.

use crate::error::{ReadError, ReadErrorKind};
use crate::limits::{MAX_BYTES, MAX_COMPONENTS, MAX_DEPTH};
use crate::lines::Lines;
use crate::property::{Meaning, Property, meaning};

/// The parts of a calendar that are read.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// The zone of times without a zone.
    pub(crate) zone: Option<String>,
    pub(crate) zones: Vec<ZonePart>,
    pub(crate) events: Vec<Part>,
}

/// A zone as the calendar describes it.
#[derive(Debug, Default)]
pub(crate) struct ZonePart {
    pub(crate) properties: Part,
    /// Standard and daylight saving time.
    pub(crate) times: Vec<Part>,
}

/// The properties of an event, or of another part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) properties: Vec<Property>,
    /// The first line of it that is not a property.
    pub(crate) broken: Option<usize>,
}

impl Part {
    /// The first property of that name.
    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The value of the first property of that name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.property(name).map(|property| property.value.trim())
    }

    /// All properties of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }
}

/// The calendars of a file: usually one.
pub(crate) fn calendars(bytes: &[u8]) -> Result<Vec<Calendar>, ReadError> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the calendar has {} bytes, more than {MAX_BYTES}", bytes.len());
        return Err(ReadError::new(ReadErrorKind::TooLarge, message));
    }
    let mut reading = Reading::default();
    for line in Lines::of(bytes) {
        match meaning(&line) {
            Meaning::Begin(part) => reading.begin(part)?,
            Meaning::End(part) => reading.end(&part, line.number)?,
            Meaning::Property(_) | Meaning::Other | Meaning::Broken if reading.open.is_empty() => {
                // Lines after a calendar are ignored: a proxy may have added them.
                if reading.calendars.is_empty() {
                    return Err(not_a_calendar());
                }
            }
            Meaning::Property(property) => reading.property(property),
            Meaning::Other => {}
            Meaning::Broken => reading.broken(line.number),
        }
    }
    match reading.open.last() {
        Some(open) => {
            let message = format!("the calendar ends before its {open} does");
            Err(ReadError::new(ReadErrorKind::Incomplete, message))
        }
        None if reading.calendars.is_empty() => Err(not_a_calendar()),
        None => Ok(reading.calendars),
    }
}

fn not_a_calendar() -> ReadError {
    ReadError::new(
        ReadErrorKind::NotACalendar,
        "it is not a calendar: it does not begin with BEGIN:VCALENDAR",
    )
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    calendars: Vec<Calendar>,
    /// The parts that have begun and not ended.
    open: Vec<String>,
    components: usize,
}

/// Which part the line belongs to.
enum Place<'a> {
    Calendar(&'a mut Calendar),
    Part(&'a mut Part),
    /// A part that nothing depends on, such as an alarm.
    Elsewhere,
}

impl Reading {
    fn begin(&mut self, part: String) -> Result<(), ReadError> {
        self.components += 1;
        if self.components > MAX_COMPONENTS || self.open.len() == MAX_DEPTH {
            let message = format!("the calendar has more than {MAX_COMPONENTS} parts or {MAX_DEPTH} levels");
            return Err(ReadError::new(ReadErrorKind::TooLarge, message));
        }
        let path: Vec<&str> = self.open.iter().map(String::as_str).collect();
        match (path.as_slice(), part.as_str(), self.calendars.last_mut()) {
            ([], "VCALENDAR", _) => self.calendars.push(Calendar::default()),
            ([], _, None) => return Err(not_a_calendar()),
            (["VCALENDAR"], "VEVENT", Some(calendar)) => calendar.events.push(Part::default()),
            (["VCALENDAR"], "VTIMEZONE", Some(calendar)) => calendar.zones.push(ZonePart::default()),
            (["VCALENDAR", "VTIMEZONE"], "STANDARD" | "DAYLIGHT", Some(calendar)) => {
                calendar.zones.last_mut().into_iter().for_each(|zone| zone.times.push(Part::default()));
            }
            _ => {}
        }
        self.open.push(part);
        Ok(())
    }

    fn end(&mut self, part: &str, line: usize) -> Result<(), ReadError> {
        match self.open.pop() {
            Some(open) if open == part => Ok(()),
            None if self.calendars.is_empty() => Err(not_a_calendar()),
            None => Ok(()),
            Some(open) => {
                let message = format!("line {line} ends a part other than {open}, which is still open");
                Err(ReadError::new(ReadErrorKind::Incomplete, message))
            }
        }
    }

    fn place(&mut self) -> Place<'_> {
        let path: Vec<&str> = self.open.iter().map(String::as_str).collect();
        let Some(calendar) = self.calendars.last_mut() else { return Place::Elsewhere };
        let part = match path.as_slice() {
            ["VCALENDAR"] => return Place::Calendar(calendar),
            ["VCALENDAR", "VEVENT"] => calendar.events.last_mut(),
            ["VCALENDAR", "VTIMEZONE"] => calendar.zones.last_mut().map(|zone| &mut zone.properties),
            ["VCALENDAR", "VTIMEZONE", "STANDARD" | "DAYLIGHT"] => {
                calendar.zones.last_mut().and_then(|zone| zone.times.last_mut())
            }
            _ => None,
        };
        part.map_or(Place::Elsewhere, Place::Part)
    }

    fn property(&mut self, property: Property) {
        match self.place() {
            Place::Calendar(calendar) if property.name == "X-WR-TIMEZONE" => {
                calendar.zone = Some(property.value.trim().to_owned()).filter(|name| !name.is_empty());
            }
            Place::Part(part) => part.properties.push(property),
            Place::Calendar(_) | Place::Elsewhere => {}
        }
    }

    fn broken(&mut self, line: usize) {
        if let Place::Part(part) = self.place() {
            part.broken.get_or_insert(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p18_what_is_not_a_whole_calendar_is_an_error() {
        let whole = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n";
        let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:A\n".repeat(200_000));
        let many = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", "BEGIN:A\nEND:A\n".repeat(MAX_COMPONENTS));
        let large = format!("{whole}{}", "X".repeat(MAX_BYTES));
        let cases = [
            ("", ReadErrorKind::NotACalendar),
            ("\r\n \r\n", ReadErrorKind::NotACalendar),
            ("<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", ReadErrorKind::NotACalendar),
            ("{\"error\": \"not found\"}", ReadErrorKind::NotACalendar),
            ("END:VCALENDAR\n", ReadErrorKind::NotACalendar),
            ("BEGIN:VCARD\nEND:VCARD\n", ReadErrorKind::NotACalendar),
            ("BEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n", ReadErrorKind::NotACalendar),
            ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", ReadErrorKind::Incomplete),
            (&deep, ReadErrorKind::TooLarge),
            (&many, ReadErrorKind::TooLarge),
            (&large, ReadErrorKind::TooLarge),
        ];
        for (text, kind) in cases {
            let error = calendars(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}: {}", text.get(..80).unwrap_or(text));
        }
        assert_eq!(calendars(whole.as_bytes()).unwrap()[0].events.len(), 1);
        // A cut is noticed unless only the end of the last line is missing.
        for end in 1..whole.len() - 1 {
            let kind = calendars(&whole.as_bytes()[..end]).unwrap_err().kind();
            let begun = end >= "BEGIN:VCALENDAR".len();
            assert_eq!(
                kind,
                if begun { ReadErrorKind::Incomplete } else { ReadErrorKind::NotACalendar },
                "{end}"
            );
        }
    }

    #[test]
    fn what_an_alarm_says_is_not_what_its_event_says() {
        let text = "BEGIN:VCALENDAR\nX-WR-TIMEZONE:Europe/Athens\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nTZOFFSETTO:+0200\n\
                    END:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nSUMMARY:Ann\nBEGIN:VALARM\nDESCRIPTION:Wake up\n\
                    ATTENDEE:mailto:lee@example.org\nbroken\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n<!-- by a proxy -->\n";
        let read = calendars(text.as_bytes()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].zone.as_deref(), Some("Europe/Athens"));
        assert_eq!(read[0].zones[0].properties.value("TZID"), Some("x"));
        assert_eq!(read[0].zones[0].times[0].value("TZOFFSETTO"), Some("+0200"));
        let names: Vec<_> = read[0].events[0].properties.iter().map(|property| property.name).collect();
        assert_eq!((names, read[0].events[0].broken), (vec!["UID", "SUMMARY"], None));
    }
}
