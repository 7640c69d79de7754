//! Silences: what matches alerts nobody for a while.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::subject::Subject;
use super::{Hours, Matcher};
use crate::clock::{later, to_micros};
use crate::error::InvalidInput;
use crate::model::{OwnerName, Person, Zone};

/// The weekly recurrence of a silence: it is active only in these hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weekly {
    /// The hours, on the days on which they begin.
    #[serde(flatten)]
    pub hours: Hours,
    /// The zone of the hours.
    pub timezone: Zone,
}

/// A silence, or a maintenance window: nobody is alerted of an incident that it matches (promise 21).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    matchers: Vec<Matcher>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weekly: Option<Weekly>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Person>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    comment: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

impl Silence {
    /// The maximum number of matchers.
    pub const MAX_MATCHERS: usize = 20;
    /// The maximum length of a comment, in bytes.
    pub const MAX_COMMENT_BYTES: usize = 1_000;
    /// The longest time that a silence lasts. A later end is cut.
    pub const LONGEST: Duration = Duration::from_secs(400 * 24 * 3600);

    /// A silence from one instant to another.
    ///
    /// # Errors
    /// Every invalid field, by its name on the wire.
    pub fn new(matchers: Vec<Matcher>, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Self, InvalidInput> {
        let mut invalid = InvalidInput::default();
        if matchers.len() > Self::MAX_MATCHERS {
            invalid.push("matchers", format!("must be at most {}", Self::MAX_MATCHERS));
        }
        // As in Alertmanager: an empty condition would match everything by mistake.
        if matchers.iter().all(Matcher::matches_empty) {
            invalid.push("matchers", "must contain one that a missing label does not fulfil");
        }
        if to <= from {
            invalid.push("to", "must be after `from`");
        }
        let (from, to) = (to_micros(from), to_micros(to));
        let silence =
            Self { matchers, from, to, weekly: None, by: None, comment: String::new(), owner: None };
        if invalid.is_empty() { Ok(silence) } else { Err(invalid) }
    }

    /// The same silence, active only in weekly hours.
    ///
    /// # Errors
    /// The hours are on no day.
    pub fn recurring(self, weekly: Weekly) -> Result<Self, InvalidInput> {
        if weekly.hours.days.is_empty() {
            return Err(InvalidInput::field("weekly.days", "must name at least one day"));
        }
        Ok(Self { weekly: Some(weekly), ..self })
    }

    /// The same silence, with the reason for it.
    ///
    /// # Errors
    /// The comment is too long, or has control characters other than line breaks.
    pub fn because(self, comment: &str) -> Result<Self, InvalidInput> {
        let comment = crate::model::paragraph("comment", comment, Self::MAX_COMMENT_BYTES)?;
        Ok(Self { comment, ..self })
    }

    /// The same silence, made by that person.
    #[must_use]
    pub fn made_by(self, by: Person) -> Self {
        Self { by: Some(by), ..self }
    }

    /// The conditions, all of which an incident must fulfil.
    pub fn matchers(&self) -> &[Matcher] {
        &self.matchers
    }

    /// When the silence begins.
    pub fn from(&self) -> DateTime<Utc> {
        self.from
    }

    /// When the silence ends, as it was requested.
    pub fn to(&self) -> DateTime<Utc> {
        self.to
    }

    /// When the silence ends: 400 days after it begins at the latest.
    pub fn ends(&self) -> DateTime<Utc> {
        self.to.min(later(self.from, Self::LONGEST))
    }

    /// The weekly hours in which it is active; `None` if it is active all the time.
    pub fn weekly(&self) -> Option<&Weekly> {
        self.weekly.as_ref()
    }

    /// The person who made it, if known.
    pub fn by(&self) -> Option<&Person> {
        self.by.as_ref()
    }

    /// Why it was made; may be empty.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same silence with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }

    /// Whether an incident fulfils all conditions, whatever the time.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches(subject))
    }
}
