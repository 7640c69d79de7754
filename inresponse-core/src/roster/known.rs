//! Finds people by the names that calendars may use for them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};
use std::sync::Arc;

use super::Profile;
use crate::model::{Contact, PersonId};

/// People by their display names and by the addresses of their mail methods, both in lower case.
#[derive(Debug)]
pub(super) struct KnownPeople {
    /// `None` stands for a name that more than one person has: it identifies nobody.
    pub(super) titles: BTreeMap<String, Option<PersonId>>,
    pub(super) mails: BTreeMap<String, Option<PersonId>>,
}

impl KnownPeople {
    pub(super) fn new(people: &BTreeMap<PersonId, Arc<Profile>>) -> Self {
        let mut known = Self { titles: BTreeMap::new(), mails: BTreeMap::new() };
        for (person, profile) in people {
            let title = profile.name().unwrap_or(person.as_str());
            add(&mut known.titles, title.to_lowercase(), person);
            for mail in profile.methods().values().filter_map(mail) {
                add(&mut known.mails, mail, person);
            }
        }
        known
    }
}

fn add(names: &mut BTreeMap<String, Option<PersonId>>, name: String, person: &PersonId) {
    match names.entry(name) {
        Vacant(free) => _ = free.insert(Some(person.clone())),
        Occupied(mut taken) if taken.get().as_ref() != Some(person) => _ = taken.insert(None),
        Occupied(_) => {}
    }
}

/// An e-mail address in lower case.
pub(super) fn mail(contact: &Contact) -> Option<String> {
    (contact.scheme() == "mailto").then(|| contact.address().to_lowercase())
}
