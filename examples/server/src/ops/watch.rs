//! Periodic work of a running server.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use inresponse_core::model::{Contact, TeamName};
use inresponse_core::{Chain, Engine, Outage};
use tokio::task::JoinSet;

use super::canary;
use crate::storage::Storage;

const EVERY: Duration = Duration::from_secs(60);

/// Starts the periodic work, which ends when the returned value is dropped.
pub(crate) fn watch(engine: &Engine, storage: Storage, canary: Option<Contact>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    if let Some(to) = canary {
        tasks.spawn(canary::sing(engine.clone(), to));
    }
    let engine = engine.clone();
    tasks.spawn(async move {
        let mut known = BTreeMap::new();
        loop {
            if let Err(error) = forget_expired(&engine, &storage).await {
                tracing::warn!(error = %Chain::of(&error), "expired incidents could not be deleted");
            }
            match engine.uncovered().await {
                Ok(found) => tell_uncovered(&mut known, found),
                Err(error) => {
                    tracing::warn!(error = %Chain::of(&error), "the roster could not be checked")
                }
            }
            engine.clock().sleep(EVERY).await;
        }
    });
    tasks
}

async fn forget_expired(engine: &Engine, storage: &Storage) -> Result<(), Outage> {
    let mut many = 0;
    loop {
        match storage.forget_expired(engine.now()).await? {
            0 => break,
            some => many += some,
        }
    }
    if many > 0 {
        tracing::info!(incidents = many, "expired incidents were deleted");
    }
    Ok(())
}

/// Shows uncovered days in the metrics, and logs new ones.
fn tell_uncovered(known: &mut BTreeMap<TeamName, Vec<NaiveDate>>, found: BTreeMap<TeamName, Vec<NaiveDate>>) {
    for (team, days) in &found {
        metrics::gauge!("inresponse_oncall_uncovered_days", "team" => team.to_string())
            .set(days.len() as f64);
        if let Some(first) = days.first()
            && known.get(team).is_none_or(|known| known.iter().max() < days.iter().max())
        {
            tracing::warn!(
                %team,
                days = days.len(),
                %first,
                "nobody is on call on some of the next seven days; the fallback would be alerted then"
            );
        }
    }
    for team in known.keys().filter(|team| !found.contains_key(team)) {
        metrics::gauge!("inresponse_oncall_uncovered_days", "team" => team.to_string()).set(0.0);
    }
    *known = found;
}
