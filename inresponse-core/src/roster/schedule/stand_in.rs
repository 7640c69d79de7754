//! Overrides: who stands in for whom.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Layer;
use crate::error::InvalidInput;
use crate::model::{OwnerName, Zone};
use crate::roster::{Moment, Target};

/// A change of who is on call for a span of a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Override {
    from: Moment,
    to: Moment,
    oncall: Vec<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instead_of: Option<Vec<Target>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

impl Override {
    /// The maximum length of a note, in bytes.
    pub const MAX_NOTE_BYTES: usize = 500;

    /// Puts `oncall` on call from `from` to `to`.
    ///
    /// Without `instead_of`, the override replaces everybody. With names, it replaces those of them who are on call,
    /// and otherwise does nothing. With an empty list, it adds. If `oncall` is empty, the replaced people are taken off
    /// call and nobody takes their place.
    ///
    /// # Errors
    /// Every invalid field, by its name on the wire. `from` must be before `to`; this is checked only if both are
    /// instants or both are local times.
    pub fn new(
        from: Moment,
        to: Moment,
        oncall: Vec<Target>,
        instead_of: Option<Vec<Target>>,
        note: Option<String>,
    ) -> Result<Self, InvalidInput> {
        let mut invalid = InvalidInput::default();
        // Moments of different forms are compared in UTC: every zone is at most a day from UTC.
        let (begins, ends) = (from.begins(&Zone::utc()), to.ends(&Zone::utc()));
        let is_same_form =
            matches!((from, to), (Moment::At(_), Moment::At(_)) | (Moment::Local(_), Moment::Local(_)));
        let slack = if is_same_form { chrono::TimeDelta::zero() } else { chrono::TimeDelta::days(1) };
        if ends + slack <= begins {
            invalid.push("to", "must be after `from`");
        }
        let lists = [("oncall", Some(&oncall)), ("insteadOf", instead_of.as_ref())];
        for (field, targets) in lists {
            if targets.is_some_and(|targets| targets.len() > Layer::MAX_TOGETHER) {
                invalid.push(field, format!("must be at most {}", Layer::MAX_TOGETHER));
            }
        }
        let note = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
        if let Some(note) = &note {
            invalid.keep(crate::model::title("note", note, Self::MAX_NOTE_BYTES));
        }
        let owner = None;
        if invalid.is_empty() { Ok(Self { from, to, oncall, instead_of, note, owner }) } else { Err(invalid) }
    }

    /// When the override begins.
    pub fn from(&self) -> Moment {
        self.from
    }

    /// When the override ends.
    pub fn to(&self) -> Moment {
        self.to
    }

    /// The instants of the override, in the schedule's zone.
    pub fn span(&self, zone: &Zone) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.from.begins(zone), self.to.ends(zone))
    }

    /// Who is put on call.
    pub fn oncall(&self) -> &[Target] {
        &self.oncall
    }

    /// Whom they replace; `None` means everybody.
    pub fn instead_of(&self) -> Option<&[Target]> {
        self.instead_of.as_deref()
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same override with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }

    /// The reason, in the words of the person who made the override.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_an_override_must_end_after_it_begins() {
        let cases = [
            ("2026-12-07T09:00", "2026-12-07T10:00", true),
            ("2026-12-07T09:00", "2026-12-07T09:00", false),
            ("2026-12-07T09:00Z", "2026-12-07T09:00Z", false),
            ("2026-12-07T09:00+02:00", "2026-12-07T08:00Z", true),
            // The zone decides, so it is let through.
            ("2026-12-07T09:00", "2026-12-07T08:00Z", true),
            ("2026-12-07T09:00", "2026-12-06T08:00Z", false),
        ];
        for (from, to, is_valid) in cases {
            let made = Override::new(from.parse().unwrap(), to.parse().unwrap(), Vec::new(), None, None);
            assert_eq!(made.is_ok(), is_valid, "{from} to {to}: {made:?}");
        }
    }
}
