//! The coverage check: what is missing or odd in the roster.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::Engine;
use super::lookup::AT_ONCE;
use crate::error::Outage;
use crate::model::TeamName;
use crate::roster::{self, Finding, Standing};

impl Engine {
    /// What is missing or odd in the roster within the next `days`, by team: one team, or all but the canary's. A team that is
    /// not known is left out.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn coverage(
        &self,
        team: Option<&TeamName>,
        days: u16,
    ) -> Result<BTreeMap<TeamName, Vec<Finding>>, Outage> {
        self.inner.roster.refresh().await?;
        let teams = match team {
            Some(team) => vec![team.clone()],
            None => self.teams().await?,
        };
        let now = crate::clock::to_micros(self.now());
        let to = now + TimeDelta::days(i64::from(days));
        let teams = teams.into_iter().filter(|name| team.is_some() || name.as_str() != roster::CANARY);
        let found = stream::iter(teams).map(|team| async move {
            let directory = self.inner.roster.directory(&team, now, to).await?;
            if directory.standing() == Standing::Unknown {
                return Ok(None);
            }
            let reaches = |contact: &_| self.inner.notifiers.reach(contact);
            let found = roster::coverage(&directory, &self.inner.defaults, now, to, &reaches);
            Ok(Some((team, found)))
        });
        found.buffer_unordered(AT_ONCE).try_filter_map(|found| async move { Ok(found) }).try_collect().await
    }
}
