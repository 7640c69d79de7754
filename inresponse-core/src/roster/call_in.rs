//! Resolves whom targets mean that a person calls in, as a pure function.

use chrono::{DateTime, Utc};

use super::freeze::freeze;
use super::on_duty::OnDuty;
use super::resolve::{Defaults, resolve_target};
use super::shifts::Who;
use super::{Book, Directory, Standing, Target, Team};
use crate::model::{Level, Matrix, Recipient};

/// Whom a target means at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Whom {
    /// These people and addresses.
    These(Vec<OnDuty>),
    /// The roster does not have that name.
    Unknown,
    /// The name is known, but it means nobody now, or a person without a method that is in use.
    Nobody,
}

/// Whom `target` means at `at`. `directory` is that of the team of `team:NAME`, else that of the incident's team.
pub fn whom(directory: &Directory, target: &Target, defaults: &Defaults, at: DateTime<Utc>) -> Whom {
    let is_known = match target {
        Target::Contact(_) => true,
        Target::Person(person) => directory.book().person(person).is_some(),
        Target::Schedule { team, name } => {
            let timetable = directory.book().timetable(team.as_ref().unwrap_or(directory.team()), name);
            timetable.is_some_and(|timetable| timetable.schedule().is_some())
        }
        Target::Team(_) => directory.standing() != Standing::Unknown,
    };
    if !is_known {
        return Whom::Unknown;
    }
    let mut found = resolve_target(directory, target, at);
    // A team without settings of its own has the deployment's.
    if let (Target::Team(_), true, None) = (target, found.is_empty(), directory.settings()) {
        let fallback = defaults.team().map_or(&[][..], Team::fallback);
        found = fallback.iter().flat_map(|target| resolve_target(directory, target, at)).collect();
    }
    found.retain(|one| !one.contacts().is_empty());
    if found.is_empty() { Whom::Nobody } else { Whom::These(found) }
}

/// The people as a matrix of one level, with the times that their rules say.
pub fn called(people: &[OnDuty], book: &Book) -> Matrix {
    let mut level: Vec<OnDuty> = Vec::new();
    for one in people {
        if !level.iter().any(|other| other.who == one.who) {
            level.push(one.clone());
        }
    }
    let mut frozen = freeze(std::slice::from_ref(&level), &[], book);
    let levels = std::mem::take(&mut frozen.levels);
    let mut matrix = frozen.complete(Matrix::new(levels, Vec::new(), Team::DEFAULT_WAIT));
    // An address stands for a person if only that person has it (promise 6).
    let owner = |one: &OnDuty| {
        let Who::Contact(contact) = &one.who else { return None };
        let person = book.person_at(contact)?;
        let profile = book.person(person)?;
        let (method, _) = profile.methods().iter().find(|(_, known)| *known == contact)?;
        Some(Recipient {
            level: Some(Level::At(1)),
            contact: contact.clone(),
            person: person.clone(),
            method: method.clone(),
        })
    };
    matrix.know(level.iter().filter_map(owner).collect::<Vec<_>>());
    matrix
}
