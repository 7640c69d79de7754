//! Takes pings.

use std::sync::Arc;

use super::look::Heartbeats;
use super::plan::{Event, PACE};
use super::row::Row;
use crate::error::Outage;
use crate::model::HeartbeatName;
use crate::roster::{Entry, EntryKey, Heartbeat};

/// The result of a ping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Pinged {
    /// The ping is stored durably, in this row.
    Recorded(Box<Row>),
    /// A ping of the same heartbeat was stored less than half a second ago. This one counts as that one.
    Counted,
    /// There is no such heartbeat. Nothing was stored.
    Unknown,
}

impl Heartbeats {
    /// Takes a ping: durable when this returns. It arms the heartbeat, and resolves the incident of a miss.
    ///
    /// # Errors
    /// The settings or the roster are unavailable. It is safe to ping again.
    pub async fn ping(&self, name: &HeartbeatName) -> Result<Pinged, Outage> {
        let Some(heartbeat) = self.definition(name).await? else { return Ok(Pinged::Unknown) };
        let recorded = self.with_backlog(|backlog| backlog.recorded(name, heartbeat.span()));
        // Pings of one heartbeat that come at the same time wait for one write.
        let mut recorded_at = recorded.lock().await;
        let began = self.engine.clock().monotonic();
        if recorded_at.is_some_and(|at| began.saturating_sub(at) < PACE) {
            return Ok(Pinged::Counted);
        }
        let (row, then) = self.store(name, heartbeat.span(), Event::Ping).await?;
        // The time before the write, since the stored time of the ping is not earlier.
        *recorded_at = Some(began);
        metrics::counter!("inresponse_heartbeat_pings_total").increment(1);
        self.note(name, heartbeat.span(), &row);
        drop(recorded_at);
        let resolved = self.carry_out(name, &heartbeat, then).await;
        Ok(Pinged::Recorded(Box::new(resolved.unwrap_or(row))))
    }

    /// The definition of a heartbeat.
    ///
    /// # Errors
    /// The roster is unavailable.
    pub async fn definition(&self, name: &HeartbeatName) -> Result<Option<Arc<Heartbeat>>, Outage> {
        let key = EntryKey::Heartbeat(name.clone());
        let roster = self.engine.roster();
        let found = match roster.entry(&key).await? {
            Some(entry) => Some(entry),
            // A local copy may lag behind another server's change.
            None => {
                roster.refresh().await?;
                roster.entry(&key).await?
            }
        };
        Ok(found.and_then(|entry| match entry {
            Entry::Heartbeat { heartbeat, .. } => Some(heartbeat),
            _ => None,
        }))
    }
}
