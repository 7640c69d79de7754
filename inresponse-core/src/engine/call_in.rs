//! Asks the roster whom targets mean that a person calls in.

use std::fmt;

use super::lookup::Lookup;
use crate::error::Outage;
use crate::model::{Level, Matrix, TeamName};
use crate::notify::Notifiers;
use crate::plan::MAX_CALLED;
use crate::roster::{self, OnDuty, Target, Whom};

/// Whom targets mean.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Callees {
    /// These people and addresses, as a matrix of one level for [`Update::call_in`](crate::plan::Update::call_in).
    These(Box<Matrix>),
    /// Nobody is called in, because these targets cannot be; each with its place in the list.
    Not(Vec<(usize, Uncalled)>),
}

/// Why a target cannot be called in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncalled {
    /// The roster does not have that name.
    Unknown,
    /// It means nobody now, or a person without a method that is in use.
    Nobody,
    /// No notifier reaches it.
    Unreachable,
    /// The targets mean more people than can be called in at once.
    TooMany,
}

impl fmt::Display for Uncalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uncalled::Unknown => f.write_str("is not in the roster"),
            Uncalled::Nobody => f.write_str("means nobody who can be alerted now"),
            Uncalled::Unreachable => f.write_str("is not an address that this server can send to"),
            Uncalled::TooMany => write!(f, "means too many people: at most {MAX_CALLED} alerts are possible"),
        }
    }
}

/// Whom the targets mean that somebody calls in to an incident of `team`.
pub(super) async fn callees(
    lookup: &Lookup,
    notifiers: &Notifiers,
    team: &TeamName,
    targets: &[Target],
) -> Result<Callees, Outage> {
    let found = by_copy(lookup, notifiers, team, targets).await?;
    if let Callees::These(_) = &found {
        return Ok(found);
    }
    // A local copy of the roster may lag.
    lookup.roster.refresh().await?;
    by_copy(lookup, notifiers, team, targets).await
}

async fn by_copy(
    lookup: &Lookup,
    notifiers: &Notifiers,
    team: &TeamName,
    targets: &[Target],
) -> Result<Callees, Outage> {
    let now = lookup.clocks.now();
    let (mut people, mut not) = (Vec::<(usize, OnDuty)>::new(), Vec::new());
    for (i, target) in targets.iter().enumerate() {
        let of = match target {
            Target::Team(other) => other,
            Target::Contact(_) | Target::Person(_) | Target::Schedule { .. } => team,
        };
        let directory = lookup.roster.directory(of, now, now).await?;
        match roster::whom(&directory, target, &lookup.defaults, now) {
            Whom::These(found) => {
                let is_reached = |one: &OnDuty| one.contacts().iter().any(|contact| notifiers.reach(contact));
                if !found.iter().any(is_reached) {
                    not.push((i, Uncalled::Unreachable));
                }
                people.extend(found.into_iter().map(|one| (i, one)));
            }
            Whom::Unknown => not.push((i, Uncalled::Unknown)),
            Whom::Nobody => not.push((i, Uncalled::Nobody)),
        }
    }
    let all: Vec<OnDuty> = people.iter().map(|(_, one)| one.clone()).collect();
    let matrix = roster::called(&all, &*lookup.held_book().await?);
    let has_room = |one: &OnDuty| one.contacts().iter().any(|c| matrix.contacts(Level::At(1)).contains(c));
    let left_out = people.iter().find(|(_, one)| !has_room(one));
    not.extend(left_out.map(|(i, _)| (*i, Uncalled::TooMany)));
    Ok(if not.is_empty() { Callees::These(Box::new(matrix)) } else { Callees::Not(not) })
}
