//! Brings the configured roster, or the sample, into the storage.

use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, Person, ServiceName, TeamName};
use inresponse_core::roster::told::{self, Before};
use inresponse_core::roster::{Roster, RosterChange, Team};
use inresponse_core::{InvalidInput, Outage};

use crate::config::{RosterSeed, SAMPLE_TEAM, SeededTeam};
use crate::storage::Storage;

/// Under which name it is kept that the sample was made, so that it stays deleted once it is.
const SAMPLE_MADE: &str = "sample-made";
/// By whom it is noted that something was created.
const BY: &str = "config";

/// Creates what is missing, each noted first, and overwrites nothing that was set by the API.
pub(crate) async fn seed(roster: &dyn Roster, seed: &RosterSeed, now: DateTime<Utc>) -> Result<(), Outage> {
    let by = Person::new(BY).map_err(|e| Outage::permanent("nobody can be noted").because(e))?;
    let note = async |what: String| {
        roster.note_change(&RosterChange::new(now, by.clone(), &what)).await?;
        tracing::info!(by = BY, change = what, "the roster is changed");
        Ok::<(), Outage>(())
    };
    for team in &seed.teams {
        if roster.team(&team.name).await?.is_none() {
            note(told::team(&team.name, &team.settings, &Before::Absent)).await?;
            roster.put_team(&team.name, &team.settings).await?;
        }
        for (day, rota) in &team.calendar {
            if roster.day(&team.name, *day).await?.is_none() {
                note(told::day(&team.name, *day, rota, &Before::Absent)).await?;
                roster.put_day(&team.name, *day, rota).await?;
            }
        }
    }
    for (service, team) in &seed.services {
        if roster.service(service).await?.is_none() {
            note(told::service(service, team, &Before::Absent)).await?;
            roster.put_service(service, team).await?;
        }
    }
    Ok(())
}

/// On the first start without a configured roster: a team `devops` that owns the service `athens`.
pub(crate) async fn sample(storage: &Storage, roster: &dyn Roster, now: DateTime<Utc>) -> Result<(), Outage> {
    if storage.setting(SAMPLE_MADE).await?.is_some() {
        return Ok(());
    }
    let sample =
        sample_roster().map_err(|e| Outage::permanent("the sample roster does not hold").because(e))?;
    seed(roster, &sample, now).await?;
    storage.put_setting(SAMPLE_MADE, b"yes".to_vec()).await
}

fn sample_roster() -> Result<RosterSeed, InvalidInput> {
    let name = TeamName::new(SAMPLE_TEAM)?;
    let settings = Team::builder(vec![Contact::new("devops@example.org")?]).build()?;
    Ok(RosterSeed {
        services: vec![(ServiceName::new("athens")?, name.clone())],
        teams: vec![SeededTeam { name, settings, calendar: Vec::new() }],
    })
}
