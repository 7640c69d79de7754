//! Writes the configured roster, or the sample roster, into the storage.

use chrono::{NaiveDate, NaiveTime};
use inresponse_core::engine::RosterEdited;
use inresponse_core::model::{Contact, Person, ServiceName, TeamName};
use inresponse_core::roster::{Entry, MAX_EDITS, RosterEdit, Team};
use inresponse_core::{Engine, InvalidInput, Outage};

use crate::config::{RosterSeed, SAMPLE_TEAM, SeededTeam};
use crate::storage::Storage;

/// The setting that records that the sample was created, so that a deleted sample stays deleted.
const SAMPLE_MADE: &str = "sample-made";
/// The name that is recorded for roster changes by the configuration.
const BY: &str = "config";

/// Creates missing roster entries, and overwrites nothing that was set through the API.
pub(crate) async fn seed(engine: &Engine, seed: &RosterSeed) -> Result<(), Outage> {
    let by = Person::new(BY).map_err(|e| Outage::permanent("the configuration has no name").because(e))?;
    let missing = missing(engine, seed).await?;
    // Each call is whole by itself: teams and their days come before the services that they own.
    for edits in missing.chunks(MAX_EDITS) {
        match engine.edit_roster(&by, edits).await? {
            RosterEdited::Done(_) => {}
            refused @ (RosterEdited::Refused(_)
            | RosterEdited::UnknownTeam(_)
            | RosterEdited::CatchAllTeam(_)) => {
                return Err(Outage::permanent(format!("the configured roster was refused: {refused:?}")));
            }
        }
    }
    Ok(())
}

async fn missing(engine: &Engine, seed: &RosterSeed) -> Result<Vec<RosterEdit>, Outage> {
    let (roster, mut missing) = (engine.roster(), Vec::new());
    for SeededTeam { name, settings, calendar } in &seed.teams {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let days = calendar.iter().map(|(day, _)| midnight(*day));
        let from = days.clone().min().unwrap_or_else(|| engine.now());
        let directory = roster.directory(name, from, days.max().unwrap_or(from)).await?;
        if directory.settings().is_none() {
            missing.push(Entry::team(name, settings.clone()).into());
        }
        let days = calendar.iter().filter(|(day, _)| directory.day(*day).is_none());
        missing.extend(days.map(|(day, rota)| Entry::day(name, *day, rota.clone()).into()));
    }
    for (service, team) in &seed.services {
        if roster.service(service).await?.is_none() {
            missing.push(Entry::service(service, team).into());
        }
    }
    Ok(missing)
}

/// Creates the sample roster on the first start if the configuration has no roster: a team `devops` that owns the
/// service `athens`.
pub(crate) async fn sample(storage: &Storage, engine: &Engine) -> Result<(), Outage> {
    if storage.setting(SAMPLE_MADE).await?.is_some() {
        return Ok(());
    }
    let sample = sample_roster().map_err(|e| Outage::permanent("the sample roster is invalid").because(e))?;
    seed(engine, &sample).await?;
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
