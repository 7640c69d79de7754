//! Changes the roster, if the configuration of this deployment allows the change.

use std::sync::Arc;

use super::clocks::Clocks;
use super::lookup::Lookup;
use super::wake::Wake;
use crate::error::Outage;
use crate::model::{Contact, MethodName, Person, PersonId, TeamName};
use crate::roster::{
    Directory, Edited, Effect, Entry, EntryKey, Profile, Refusal, Roster, RosterEdit, Standing, check,
};

/// The result of a change to the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum RosterEdited {
    /// All edits are durable. The list has the effect of each edit, in their order.
    Done(Vec<Effect>),
    /// Nothing was changed, for this reason.
    Refused(Refusal),
    /// Nothing was changed: a service, a calendar entry or a schedule names a team that cannot be alerted.
    UnknownTeam(TeamName),
    /// Nothing was changed: this is the catch-all team of the configuration.
    CatchAllTeam(TeamName),
}

/// Whether somebody wants messages to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// No more: the contact is not alerted.
    Stop,
    /// Again, after they were stopped.
    StartAgain,
}

/// Whether people's rules may use phone numbers that they have not verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnverifiedPhones {
    /// They may.
    #[default]
    Allowed,
    /// They may not, unless they did already.
    Refused,
}

/// Changes the roster.
#[derive(Debug)]
pub(super) struct Edits {
    pub(super) unverified_phones: UnverifiedPhones,
    pub(super) roster: Arc<dyn Roster>,
    pub(super) wake: Arc<Wake>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) lookup: Arc<Lookup>,
}

impl Edits {
    /// Makes edits in the name of a person, with their audit records, in one atomic and durable step; see
    /// [`Roster::apply`](crate::roster::Roster::apply).
    ///
    /// # Errors
    /// The roster is unavailable. After an outage of kind unknown the edits may have been made; it is safe to make
    /// them again.
    pub(super) async fn edit_roster(
        &self,
        by: &Person,
        edits: &[RosterEdit],
    ) -> Result<RosterEdited, Outage> {
        if let Err(refusal) = check(edits) {
            return Ok(RosterEdited::Refused(*refusal));
        }
        for edit in edits {
            if let Some(refused) = self.refusal(edit, edits).await? {
                return Ok(refused);
            }
        }
        let edits = self.keeping_marks(edits).await?;
        if let Some(refusal) = self.unverified(&edits).await? {
            return Ok(RosterEdited::Refused(refusal));
        }
        let edited = self.apply(by, &edits).await;
        if edits.iter().any(|edit| matches!(edit.key(), EntryKey::Silence(_) | EntryKey::Team(_))) {
            self.wake.rules_changed();
        }
        edited
    }

    /// Whether a person's rules would begin to use a phone number that is not verified, where that is refused.
    async fn unverified(&self, edits: &[RosterEdit]) -> Result<Option<Refusal>, Outage> {
        match self.unverified_phones {
            UnverifiedPhones::Allowed => return Ok(None),
            UnverifiedPhones::Refused => {}
        }
        let book = self.lookup.book().await?;
        let refused = edits.iter().find_map(|edit| match edit {
            RosterEdit::Put(Entry::Person { person, profile }) => {
                profile.uses_unverified(book.person(person).map(|was| &**was))
            }
            RosterEdit::Put(_) | RosterEdit::Delete(_) => None,
        });
        Ok(refused.map(|(field, method)| Refusal::UnverifiedPhone { field, method }))
    }

    /// The edits, in which people keep what they have stopped and verified: only they can change that.
    async fn keeping_marks(&self, edits: &[RosterEdit]) -> Result<Vec<RosterEdit>, Outage> {
        let mut edits = edits.to_vec();
        if edits.iter().any(|edit| matches!(edit, RosterEdit::Put(Entry::Person { .. }))) {
            let book = self.lookup.book().await?;
            for edit in &mut edits {
                if let RosterEdit::Put(Entry::Person { person, profile }) = edit
                    && let Some(was) = book.person(person)
                {
                    let kept = Profile::clone(profile).marked_as(was);
                    *profile = Arc::new(kept);
                }
            }
        }
        Ok(edits)
    }

    async fn apply(&self, by: &Person, edits: &[RosterEdit]) -> Result<RosterEdited, Outage> {
        match self.roster.apply(by, self.clocks.now(), edits).await? {
            Edited::Refused(refusal) => Ok(RosterEdited::Refused(refusal)),
            Edited::Done(effects) => {
                for (edit, effect) in edits.iter().zip(&effects).filter(|(_, effect)| effect.changes()) {
                    let entry = edit.key();
                    tracing::info!(by = by.as_str(), %entry, effect = effect.as_str(), "the roster was changed");
                }
                Ok(RosterEdited::Done(effects))
            }
        }
    }

    /// Records that everybody with that contact stops messages to it, or wants them again. Each makes the change
    /// themselves. Returns the number of people whose entries were changed.
    pub(super) async fn stop(&self, contact: &Contact, messages: Messages) -> Result<usize, Outage> {
        let (book, now) = (self.lookup.book().await?, self.clocks.now());
        let at = match messages {
            Messages::Stop => Some(now),
            Messages::StartAgain => None,
        };
        let mut changed = 0;
        for (person, profile) in book.people() {
            let next = Profile::clone(profile).stopping(contact, at);
            if next == **profile {
                continue;
            }
            let edits = [RosterEdit::from(Entry::person(person, next))];
            match self.apply(&Person::from(person), &edits).await? {
                RosterEdited::Done(_) => changed += 1,
                RosterEdited::Refused(_) | RosterEdited::UnknownTeam(_) | RosterEdited::CatchAllTeam(_) => {
                    tracing::warn!(%person, "a stop of messages could not be recorded");
                }
            }
        }
        Ok(changed)
    }

    /// Records that a person has verified a method. Returns the person, or `None` if the method no longer has that contact.
    pub(super) async fn verify(
        &self,
        person: &PersonId,
        method: &MethodName,
        contact: &Contact,
    ) -> Result<Option<Profile>, Outage> {
        let book = self.lookup.book().await?;
        let Some(profile) = book.person(person) else { return Ok(None) };
        let next = Profile::clone(profile).verifying(method, contact, self.clocks.now());
        if next == **profile {
            return Ok(None);
        }
        let edits = [RosterEdit::from(Entry::person(person, next.clone()))];
        match self.apply(&Person::from(person), &edits).await? {
            RosterEdited::Done(_) => Ok(Some(next)),
            RosterEdited::Refused(_) | RosterEdited::UnknownTeam(_) | RosterEdited::CatchAllTeam(_) => {
                Ok(None)
            }
        }
    }

    /// Why this deployment refuses an edit; `None` if it does not.
    async fn refusal(&self, edit: &RosterEdit, all: &[RosterEdit]) -> Result<Option<RosterEdited>, Outage> {
        let makes = |team: &TeamName| {
            all.iter()
                .any(|edit| matches!(edit, RosterEdit::Put(Entry::Team { team: made, .. }) if made == team))
        };
        Ok(match edit {
            RosterEdit::Put(Entry::Service { team, .. }) => {
                let is_known = makes(team) || self.lookup.can_alert(team).await?;
                (!is_known).then(|| RosterEdited::UnknownTeam(team.clone()))
            }
            RosterEdit::Put(Entry::Day { team, .. } | Entry::Schedule { team, .. }) => {
                // A calendar or a schedule alone makes a team only if the deployment has a fallback to give it.
                let is_known = makes(team)
                    || self.lookup.has_default_fallback()
                    || self.looked_again(team).await?.settings().is_some();
                (!is_known).then(|| RosterEdited::UnknownTeam(team.clone()))
            }
            RosterEdit::Delete(EntryKey::Team(team)) if self.lookup.catch_all() == Some(team) => {
                let is_known = self.looked_again(team).await?.standing() == Standing::Known;
                is_known.then(|| RosterEdited::CatchAllTeam(team.clone()))
            }
            RosterEdit::Put(
                Entry::Team { .. }
                | Entry::Person { .. }
                | Entry::Override { .. }
                | Entry::Feed { .. }
                | Entry::Heartbeat { .. }
                | Entry::Silence { .. }
                | Entry::Routes(_),
            )
            | RosterEdit::Delete(_) => None,
        })
    }

    /// The directory of a team now, after a refresh, because the local copy of the roster may lag.
    async fn looked_again(&self, team: &TeamName) -> Result<Arc<Directory>, Outage> {
        self.roster.refresh().await?;
        self.roster.directory(team, self.clocks.now(), self.clocks.now()).await
    }
}
