//! Targets: an entry names a contact, a person, a schedule or a team.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;
use crate::model::{Contact, PersonId, ScheduleName, TeamName};

/// The person, address, schedule or team that a calendar, a level, a fallback, a layer or an override names.
///
/// ```
/// use inresponse_core::roster::Target;
/// for text in ["jo@example.org", "person:jo", "schedule:primary", "schedule:web/primary", "team:db"] {
///     assert_eq!(text.parse::<Target>()?.to_string(), text);
/// }
/// # Ok::<(), inresponse_core::InvalidInput>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// This address.
    Contact(Contact),
    /// A person of the roster, reached by their methods.
    Person(PersonId),
    /// The people whom a schedule has on call at that time.
    Schedule {
        /// The schedule's team; `None` means the team that names the schedule.
        team: Option<TeamName>,
        /// The schedule.
        name: ScheduleName,
    },
    /// Level 1 of another team at that time, or its fallback if it has no level 1.
    Team(TeamName),
}

impl Target {
    /// The address, if the target is one.
    pub fn contact(&self) -> Option<&Contact> {
        match self {
            Self::Contact(contact) => Some(contact),
            Self::Person(_) | Self::Schedule { .. } | Self::Team(_) => None,
        }
    }

    /// The target's text, in which a contact is [masked](Contact::masked).
    pub fn masked(&self) -> String {
        match self {
            Self::Contact(contact) => contact.masked(),
            Self::Person(_) | Self::Schedule { .. } | Self::Team(_) => self.to_string(),
        }
    }

    /// Reads a target. A contact passes through `contact`.
    fn read(
        text: &str,
        contact: impl FnOnce(&str) -> Result<Contact, InvalidInput>,
    ) -> Result<Self, InvalidInput> {
        let text = text.trim();
        let named = text.split_once(':').map(|(scheme, name)| (scheme.to_ascii_lowercase(), name));
        Ok(match named.as_ref().map(|(scheme, name)| (scheme.as_str(), *name)) {
            Some(("person", name)) => Self::Person(PersonId::new(name)?),
            Some(("team", name)) => Self::Team(TeamName::new(name)?),
            // A team's name may contain a slash, a schedule's name may not.
            Some(("schedule", name)) => match name.rsplit_once('/') {
                Some((team, name)) => {
                    Self::Schedule { team: Some(TeamName::new(team)?), name: ScheduleName::new(name)? }
                }
                None => Self::Schedule { team: None, name: ScheduleName::new(name)? },
            },
            Some(_) | None => Self::Contact(contact(text)?),
        })
    }
}

impl From<Contact> for Target {
    fn from(contact: Contact) -> Self {
        Self::Contact(contact)
    }
}

impl FromStr for Target {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        Self::read(text, |text| Contact::new(text))
    }
}

/// Reads a stored target: a contact that was stored by an older version stays readable.
impl TryFrom<String> for Target {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        Self::read(&text, |text| Contact::try_from(text.to_owned()))
    }
}

/// The form that stores keep: a contact has its scheme.
impl From<Target> for String {
    fn from(target: Target) -> Self {
        match target {
            Target::Contact(contact) => contact.into(),
            Target::Person(_) | Target::Schedule { .. } | Target::Team(_) => target.to_string(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(contact) => contact.fmt(f),
            Self::Person(person) => write!(f, "person:{person}"),
            Self::Schedule { team: Some(team), name } => write!(f, "schedule:{team}/{name}"),
            Self::Schedule { team: None, name } => write!(f, "schedule:{name}"),
            Self::Team(team) => write!(f, "team:{team}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_target_is_read_in_every_spelling_and_refused_with_its_field() {
        let cases = [
            (" Person:jo ", Ok("person:jo")),
            ("person: jo", Ok("person:jo")),
            ("schedule:a/b/primary", Ok("schedule:a/b/primary")),
            ("team:Data base", Ok("team:Data base")),
            ("jo@Example.org", Ok("jo@example.org")),
            ("MAILTO:jo@Example.org", Ok("jo@example.org")),
            ("sms:+301", Ok("sms:+301")),
            ("person:", Err("person")),
            ("person:a/b", Err("person")),
            ("person:jo@example.org", Err("person")),
            ("schedule:/primary", Err("team")),
            ("schedule:web/", Err("schedule")),
            ("team:", Err("team")),
            ("jo", Err("contact")),
            ("", Err("contact")),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Target>();
            let read = read.as_ref().map(ToString::to_string);
            let read = read.as_ref().map(String::as_str).map_err(|e| e.errors()[0].field());
            assert_eq!(read, expected, "{text:?}");
        }
    }
}
