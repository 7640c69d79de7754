//! Links accounts of channels to people.

use super::clocks::Clocks;
use super::edits::{Edits, RosterEdited};
use super::links::Links;
use super::lookup::Lookup;
use crate::error::Outage;
use crate::link_code::{LinkCode, person_of};
use crate::model::{Contact, MethodName, Person, PersonId, Scheme};
use crate::roster::{Entry, Profile, Refusal, RosterEdit};

/// The result of a code that an account sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Linked {
    /// The account is a method of the person now, durably.
    Done(PersonId, MethodName),
    /// The code is none, has expired, or was used.
    Invalid,
    /// The account belongs to somebody else.
    Taken,
    /// The roster refused the method.
    Refused(Refusal),
    /// The person has the maximum number of methods.
    Full,
}

impl Linked {
    /// What to tell the person who sent the code. It has no address and names nobody else.
    pub fn text(&self) -> String {
        match self {
            Linked::Done(person, method) => {
                format!("This account is linked to {person} now, as the method `{method}`.")
            }
            Linked::Invalid => "That code is not valid. A code works once, for ten minutes. \
                Your page in InResponse shows a new one."
                .to_owned(),
            Linked::Taken => "This account is linked to somebody else already.".to_owned(),
            Linked::Refused(_) => "The account could not be linked: the roster refuses it.".to_owned(),
            Linked::Full => "The account could not be linked: there are too many methods.".to_owned(),
        }
    }
}

/// Makes the code that links an account of that scheme. `None` if there is no such person, or no secret.
pub(super) async fn code(
    lookup: &Lookup,
    links: &Links,
    clocks: &Clocks,
    person: &PersonId,
    scheme: &Scheme,
) -> Result<Option<LinkCode>, Outage> {
    let book = lookup.book().await?;
    let (Some(profile), Some(secret)) = (book.person(person), links.secrets().first()) else {
        return Ok(None);
    };
    Ok(Some(LinkCode::new(person, profile, scheme, secret, clocks.now())))
}

/// Adds the account to the person for whom the code was made.
pub(super) async fn link(
    lookup: &Lookup,
    links: &Links,
    edits: &Edits,
    code: &str,
    account: &Contact,
) -> Result<Linked, Outage> {
    let book = lookup.book().await?;
    let Ok(scheme) = Scheme::new(account.scheme()) else { return Ok(Linked::Invalid) };
    let people = book.people().iter().map(|(id, profile)| (id, &**profile));
    let now = edits.clocks.now();
    let Some(person) = person_of(code, &scheme, people, links.secrets(), now) else {
        return Ok(Linked::Invalid);
    };
    let has_account = |profile: &Profile| profile.methods().values().any(|contact| contact == account);
    if book.people().iter().any(|(id, profile)| id != person && has_account(profile)) {
        return Ok(Linked::Taken);
    }
    let Some(profile) = book.person(person) else { return Ok(Linked::Invalid) };
    if let Some((method, _)) = profile.methods().iter().find(|(_, contact)| *contact == account) {
        return Ok(Linked::Done(person.clone(), method.clone()));
    }
    let Some(method) = free_name(profile, &scheme) else { return Ok(Linked::Full) };
    let Ok(linked) = (**profile).clone().with_method(method.clone(), account.clone()) else {
        return Ok(Linked::Full);
    };
    let edit = RosterEdit::Put(Entry::person(person, linked));
    Ok(match edits.edit_roster(&Person::from(person), &[edit]).await? {
        RosterEdited::Done(_) => Linked::Done(person.clone(), method),
        RosterEdited::Refused(refusal) => Linked::Refused(refusal),
        // An edit of a person names no team.
        RosterEdited::UnknownTeam(_) | RosterEdited::CatchAllTeam(_) => Linked::Invalid,
    })
}

/// The scheme as the name of a method, with a number if that is taken.
fn free_name(profile: &Profile, scheme: &Scheme) -> Option<MethodName> {
    let numbered = (2..=Profile::MAX_METHODS).map(|n| format!("{}-{n}", scheme.as_str()));
    let names = [scheme.as_str().to_owned()].into_iter().chain(numbered);
    names.filter_map(|name| MethodName::new(name).ok()).find(|name| !profile.methods().contains_key(name))
}
