//! Writes the configured roster, or the sample roster, into the storage.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use inresponse_core::engine::RosterEdited;
use inresponse_core::heartbeats::Heartbeats;
use inresponse_core::model::{Contact, Person, ServiceName, TeamName};
use inresponse_core::roster::{Entry, EntryKey, MAX_EDITS, RosterEdit, Snapshot, Team};
use inresponse_core::{Engine, InvalidInput, Outage};
use inresponse_http::entries;

use crate::config::{RosterSeed, SAMPLE_TEAM};
use crate::order::{Step, order};
use crate::storage::Storage;

/// The setting that records that the sample was created, so that a deleted sample stays deleted.
const SAMPLE_MADE: &str = "sample-made";
/// The name that is recorded for roster changes by the configuration.
const BY: &str = "config";

/// Creates missing roster entries, and overwrites nothing that was set through the API.
///
/// If the roster refuses an entry because it was edited in the meantime, the entry is left out and logged. The server
/// starts anyway.
pub(crate) async fn seed(storage: &Storage, engine: &Engine, seed: &RosterSeed) -> Result<(), Outage> {
    create(storage, engine, seed.entries.iter().map(|wanted| &wanted.entry)).await
}

async fn create(
    storage: &Storage,
    engine: &Engine,
    wanted: impl Iterator<Item = &Entry>,
) -> Result<(), Outage> {
    let by = Person::new(BY).map_err(|e| Outage::permanent("the configuration has no name").because(e))?;
    let wanted: Vec<&Entry> = wanted.collect();
    let roster = present(engine, &wanted).await?;
    let missing = wanted.into_iter().filter(|entry| roster.entry(&entry.key()).is_none()).cloned();
    let found = order(roster.clone(), missing.collect(), Vec::new());
    for (entry, refusal) in &found.refused {
        let why = entries::refused(refusal);
        tracing::error!(%entry, why, "an entry of the configured roster is refused");
    }
    let heartbeats = Heartbeats::new(engine.clone(), storage.settings(), 0);
    for step in &found.steps {
        if let Step::Put(Entry::Heartbeat { name, heartbeat }) = step {
            heartbeats.begin(name, heartbeat).await?;
        }
    }
    for steps in chunks(&found.steps) {
        let edits: Vec<RosterEdit> = steps.iter().map(Step::edit).collect();
        if !taken(engine.edit_roster(&by, &edits).await?) {
            // The roster has entries that were not examined here.
            for edit in edits {
                let entry = edit.key();
                if !taken(engine.edit_roster(&by, &[edit]).await?) {
                    tracing::error!(%entry, "an entry of the configured roster is refused");
                }
            }
        }
    }
    Ok(())
}

fn taken(edited: RosterEdited) -> bool {
    match edited {
        RosterEdited::Done(_) => true,
        RosterEdited::Refused(_) | RosterEdited::UnknownTeam(_) | RosterEdited::CatchAllTeam(_) => false,
    }
}

/// Steps for one call each: not too many, and no entry twice.
fn chunks(steps: &[Step]) -> Vec<&[Step]> {
    let (mut chunks, mut begin, mut seen) = (Vec::new(), 0, BTreeSet::new());
    for (place, step) in steps.iter().enumerate() {
        let key = step.edit().key();
        if place - begin == MAX_EDITS || seen.contains(&key) {
            chunks.push(&steps[begin..place]);
            begin = place;
            seen.clear();
        }
        seen.insert(key);
    }
    chunks.push(&steps[begin..]);
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

/// The existing ones among these entries and the entries that they name.
async fn present(engine: &Engine, wanted: &[&Entry]) -> Result<Snapshot, Outage> {
    let (roster, mut present) = (engine.roster(), Snapshot::default());
    if wanted.is_empty() {
        return Ok(present);
    }
    for entry in engine.book().await?.entries() {
        present.put(entry);
    }
    let named = wanted.iter().flat_map(|entry| entry.uses());
    let keys: BTreeSet<EntryKey> = wanted.iter().map(|entry| entry.key()).chain(named).collect();
    let teams: BTreeSet<&TeamName> = keys.iter().filter_map(EntryKey::team).collect();
    for team in teams {
        let days: Vec<NaiveDate> = keys
            .iter()
            .filter_map(|key| match key {
                EntryKey::Day(of, day) if of == team => Some(*day),
                _ => None,
            })
            .collect();
        let midnight = |day: &NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let from = days.iter().min().map_or_else(|| engine.now(), midnight);
        let directory = roster.directory(team, from, days.iter().max().map_or(from, midnight)).await?;
        if let Some(settings) = directory.settings() {
            present.put(Entry::Team { team: team.clone(), settings: settings.clone() });
        }
        for (day, rota) in directory.days() {
            present.put(Entry::Day { team: team.clone(), day, rota: rota.clone() });
        }
    }
    for key in &keys {
        if let EntryKey::Service(service) = key
            && let Some(team) = roster.service(service).await?
        {
            present.put(Entry::service(service, &team));
        }
        if let EntryKey::Heartbeat(_) = key
            && let Some(heartbeat) = roster.entry(key).await?
        {
            present.put(heartbeat);
        }
    }
    Ok(present)
}

/// Creates the sample roster on the first start if the configuration has no roster: a team `devops` that owns the
/// service `athens`.
pub(crate) async fn sample(storage: &Storage, engine: &Engine) -> Result<(), Outage> {
    if storage.setting(SAMPLE_MADE).await?.is_some() {
        return Ok(());
    }
    let sample = sample_roster().map_err(|e| Outage::permanent("the sample roster is invalid").because(e))?;
    create(storage, engine, sample.iter()).await?;
    storage.put_setting(SAMPLE_MADE, b"yes".to_vec()).await
}

fn sample_roster() -> Result<[Entry; 2], InvalidInput> {
    let name = TeamName::new(SAMPLE_TEAM)?;
    let settings = Team::builder(vec![Contact::new("devops@example.org")?]).build()?;
    Ok([Entry::team(&name, settings), Entry::service(&ServiceName::new("athens")?, &name)])
}
