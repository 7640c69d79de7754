//! Names and numbers, each with its own type.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Contact, Scheme};
use crate::error::InvalidInput;

/// The number of an incident, which is the answer to its report.
///
/// A number is unique in its store and never reused. If a report is made after another one was answered, it gets a
/// higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentNumber(u64);

impl IncidentNumber {
    /// The number `n`.
    pub const fn new(n: u64) -> Self {
        Self(n)
    }

    /// The number as an integer.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for IncidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The version of a stored record: the number of its commits. Every commit must name the current version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// The version of a record that was just created.
    pub const FIRST: Version = Version(1);

    /// The version `n`, as a store keeps it.
    pub const fn new(n: u64) -> Self {
        Self(n)
    }

    /// The version as an integer, as a store keeps it.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The version after the next commit.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Trims `text` and checks that it is a non-empty line of at most `max` bytes.
fn line(field: &'static str, text: &str, max: usize) -> Result<String, InvalidInput> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidInput::field(field, "must not be empty"));
    }
    if text.len() > max {
        return Err(InvalidInput::field(field, format!("must be at most {max} bytes, is {}", text.len())));
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidInput::field(field, "must not contain control characters"));
    }
    Ok(text.to_owned())
}

/// As [`line`], without the characters in `forbidden`.
fn part(field: &'static str, text: &str, max: usize, forbidden: &str) -> Result<String, InvalidInput> {
    let text = line(field, text, max)?;
    match text.chars().find(|c| forbidden.contains(*c)) {
        Some(found) => Err(InvalidInput::field(field, format!("must not contain `{found}`"))),
        None => Ok(text),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        name!($(#[$doc])* $name, $field, $max, "");
    };
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal, $forbidden:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The maximum length, in bytes.
            pub const MAX_BYTES: usize = $max;

            /// Checks and trims `text`.
            ///
            /// # Errors
            /// It is empty, longer than [`Self::MAX_BYTES`], or has control characters or others that the type does not
            /// allow. The error names the field as on the wire.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidInput> {
                part($field, text.as_ref(), $max, $forbidden).map(Self)
            }

            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// A service for which incidents are reported. Every service belongs to one team.
    ServiceName, "service", 128
);
name!(
    /// A team that owns services and has an on-call calendar.
    TeamName, "team", 128
);
name!(
    /// The sender's key for a problem. Reports with the same key belong to the same incident.
    DedupKey, "dedupKey", 512
);
name!(
    /// A person who updates incidents: a name, as the person gave it. For a person of the roster, make it from their
    /// [`PersonId`].
    Person, "by", 100
);
name!(
    /// The name of an API key.
    KeyName, "name", 100
);
name!(
    /// The kind of monitoring system that reported: `nagios`, `prometheus`, …
    Source, "source", 128
);

name!(
    /// A person of the roster, as `person:jo` names them. A claim over any channel is recorded under this id.
    PersonId, "person", 100, "/:@,"
);
name!(
    /// The name of one of a person's ways to be reached, such as `mail` or `call`.
    MethodName, "method", 64
);
name!(
    /// The name of a schedule within its team, as `schedule:primary` names it.
    ScheduleName, "schedule", 128, "/"
);
name!(
    /// The name of a layer within its schedule.
    LayerName, "name", 128, "+"
);
name!(
    /// The name of an override within its schedule.
    OverrideId, "override", 128, "/+"
);
name!(
    /// The name of a heartbeat.
    HeartbeatName, "heartbeat", 128, "/"
);
name!(
    /// The name of a silence.
    SilenceId, "silence", 128, "/"
);
name!(
    /// The name of a routing rule.
    RuleName, "name", 128
);
name!(
    /// The owner of an entry of the roster, as named in a roster file. It is stored with each entry of the file.
    OwnerName, "owner", 100
);

impl From<&PersonId> for Person {
    /// The name under which this person of the roster acts.
    fn from(id: &PersonId) -> Self {
        Self(id.0.clone())
    }
}

impl KeyName {
    /// The key name that is recorded if somebody used the link in an alert. No key has this name.
    pub const LINK: &'static str = "link";

    /// How key names begin that are recorded if somebody answered over a channel. No key's name begins like this.
    pub const CHANNEL: &'static str = "channel:";

    /// The key name for answers over the channel with that scheme.
    pub fn channel(scheme: &Scheme) -> Self {
        Self(format!("{}{}", Self::CHANNEL, scheme.as_str()))
    }

    /// The scheme of the channel, if somebody answered over one.
    pub fn as_channel(&self) -> Option<&str> {
        self.0.strip_prefix(Self::CHANNEL)
    }

    /// The key name for the link in an alert.
    pub fn link() -> Self {
        Self(Self::LINK.to_owned())
    }
}

impl From<&KeyName> for Person {
    /// The person for a caller who shows a key and gives no name: the name of the key.
    fn from(key: &KeyName) -> Self {
        Self(key.0.clone())
    }
}

impl Person {
    /// The person whose only known name is the address of a contact. A long address is shortened.
    ///
    /// # Errors
    /// The address is no valid name.
    pub fn at(contact: &Contact) -> Result<Self, InvalidInput> {
        let address = contact.address();
        Self::new(&address[..address.floor_char_boundary(Self::MAX_BYTES)])
    }

    /// The person's name as an address, if it is one.
    pub fn contact(&self) -> Option<Contact> {
        // Most names are not addresses. For these, no error message is formatted.
        if !self.0.contains(['@', ':']) {
            return None;
        }
        Contact::new(&self.0).ok()
    }

    /// Whether the person's name is that address.
    pub(crate) fn is_named_by(&self, contact: &Contact) -> bool {
        self.0 == contact.address() || self.contact().as_ref() == Some(contact)
    }

    /// Whether both are the same person: the same name, or the same address in any spelling.
    pub fn is(&self, other: &Person) -> bool {
        self == other || self.contact().is_some_and(|contact| other.contact() == Some(contact))
    }
}

/// A note in an incident's timeline: at most 2,000 bytes, line breaks allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Note(String);

impl Note {
    /// The maximum length of a note, in bytes.
    pub const MAX_BYTES: usize = 2000;

    /// Checks and trims `text`.
    ///
    /// # Errors
    /// The text is empty, too long, or has control characters other than line breaks and tabs.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidInput> {
        let text = paragraph("note", text.as_ref(), Self::MAX_BYTES)?;
        if text.is_empty() {
            return Err(InvalidInput::field("note", "must not be empty"));
        }
        Ok(Self(text))
    }

    /// The note as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Trims `text` and checks that it has at most `max` bytes, and no control characters except `\n`, `\r`, `\t`.
pub(crate) fn paragraph(field: &'static str, text: &str, max: usize) -> Result<String, InvalidInput> {
    let text = text.trim();
    if text.len() > max {
        return Err(InvalidInput::field(field, format!("must be at most {max} bytes, is {}", text.len())));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(InvalidInput::field(field, "must not contain control characters other than line breaks"));
    }
    Ok(text.to_owned())
}

/// Checks a text like [`paragraph`], but it must be one line and not empty.
pub(crate) fn title(field: &'static str, text: &str, max: usize) -> Result<String, InvalidInput> {
    line(field, text, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        let cases = [
            ("athens", Some("athens")),
            ("  athens \n", Some("athens")),
            ("Αθήνα", Some("Αθήνα")),
            ("", None),
            ("   ", None),
            ("a\nb", None),
            ("a\0b", None),
        ];
        for (given, expected) in cases {
            assert_eq!(ServiceName::new(given).ok().as_ref().map(ServiceName::as_str), expected, "{given:?}");
        }
        assert!(ServiceName::new("x".repeat(128)).is_ok());
        let refused = ServiceName::new("x".repeat(129)).unwrap_err();
        assert_eq!(refused.to_string(), "service: must be at most 128 bytes, is 129");
    }

    #[test]
    fn p06_an_address_is_the_same_person_however_it_is_written() {
        let is = |one: &str, other: &str| Person::new(one).unwrap().is(&Person::new(other).unwrap());
        assert!(is("jo", "jo") && is("jo@x.org", "mailto:jo@X.ORG") && is("slack:ops", "SLACK:ops"));
        assert!(is("jo@bücher.example", "mailto:jo@XN--BCHER-KVA.example"));
        assert!(!is("jo", "Jo") && !is("jo", "jo@x.org") && !is("slack:ops", "ops"));
        assert!(!is("jo@bücher.example", "Jo@bücher.example"));
    }

    #[test]
    fn notes_may_have_lines() {
        assert_eq!(Note::new(" a\n\tb ").unwrap().as_str(), "a\n\tb");
        assert!(Note::new("a\u{7}b").is_err());
        assert!(Note::new(" ").is_err());
    }
}
