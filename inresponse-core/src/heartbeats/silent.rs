//! Finds heartbeats that have never pinged.

use crate::Engine;
use crate::error::Outage;
use crate::model::TeamName;
use crate::roster::{Entry, EntryKind, Finding, FindingKind};
use crate::settings::Settings;

use super::row::Row;

/// The number of definitions that one query lists.
const PAGE: usize = 500;
/// The maximum number of heartbeats whose rows are read, and that are found.
const SEARCHED: usize = 10_000;
const FOUND: usize = 100;

/// The heartbeats that have never pinged, each with the team that owns its service.
///
/// # Errors
/// The roster or the settings are unavailable.
pub(crate) async fn silent(
    engine: &Engine,
    settings: &dyn Settings,
) -> Result<Vec<(TeamName, Finding)>, Outage> {
    let (mut found, mut after, mut read) = (Vec::new(), None, 0);
    loop {
        let page = engine.roster().entries(EntryKind::Heartbeat, after.as_ref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|listed| listed.key.clone());
        read += page.len();
        for entry in page.into_iter().filter_map(|listed| listed.entry) {
            let Entry::Heartbeat { name, heartbeat } = entry else { continue };
            let row = Row::read(settings.setting(&Row::setting(&name)).await?.as_deref());
            if row.is_some_and(|row| row.last_ping_at().is_some()) {
                continue;
            }
            let Some(team) = engine.roster().service(heartbeat.service()).await? else { continue };
            let detail = format!("heartbeat {name} of service {} has never pinged", heartbeat.service());
            found.push((team, Finding { kind: FindingKind::SilentHeartbeat, span: None, detail }));
        }
        if is_last || read >= SEARCHED || found.len() >= FOUND {
            return Ok(found);
        }
    }
}
