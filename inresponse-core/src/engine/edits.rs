//! Changes the roster, if the configuration of this deployment allows the change.

use std::sync::Arc;

use super::clocks::Clocks;
use super::lookup::Lookup;
use crate::error::Outage;
use crate::model::{Person, TeamName};
use crate::roster::{
    Directory, Edited, Effect, Entry, EntryKey, Refusal, Roster, RosterEdit, Standing, check,
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

/// Changes the roster.
#[derive(Debug)]
pub(super) struct Edits {
    pub(super) roster: Arc<dyn Roster>,
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
                Entry::Team { .. } | Entry::Person { .. } | Entry::Override { .. } | Entry::Feed { .. },
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
