//! Somebody who is alerted at a level.

use super::shifts::Who;
use crate::model::{Contact, MethodName};

/// Somebody who is alerted at a level, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// Who.
    pub who: Who,
    /// The person's methods; a contact has none.
    pub methods: Vec<(MethodName, Contact)>,
    /// The way from the level to them: `fallback`, `level:1`, `day:2026-12-24`, `schedule:primary layer:weekdays`, …
    pub why: String,
}

impl OnDuty {
    /// The addresses at which they are alerted.
    pub fn contacts(&self) -> Vec<Contact> {
        match &self.who {
            Who::Contact(contact) => vec![contact.clone()],
            Who::Person(_) => self.methods.iter().map(|(_, contact)| contact.clone()).collect(),
        }
    }
}
