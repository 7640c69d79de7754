//! People who are called in to help with an incident.

use serde::{Deserialize, Serialize};

use super::{Level, Person, PersonId, Signature};

/// Who was called in during the current round, and who answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallIns {
    /// The number of times that somebody called people in.
    pub(crate) count: u16,
    /// The calls up to this one were made before a claim, which stopped them (promise 11).
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub(crate) over: u16,
    /// The levels of the round whose people were called in, because somebody escalated a claimed incident.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) levels: Vec<Level>,
    /// The people who answered while another person had the incident.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) responders: Vec<Signature>,
}

impl CallIns {
    pub(crate) fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// For whom a delivery calls somebody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Called {
    /// The person who called them in.
    pub by: Person,
    /// The people whom the contact reaches; nobody if it is an address that belongs to no single person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonId>,
}
