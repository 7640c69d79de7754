//! Takes pings.

use std::sync::Arc;

use super::backlog::LastPing;
use super::look::Heartbeats;
use super::plan::{Event, PACE};
use super::row::Row;
use crate::engine::{Reported, Taken};
use crate::error::Outage;
use crate::model::{HeartbeatName, Report};
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

/// The result of a report that may be a ping.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[expect(clippy::large_enum_variant, reason = "one is made for each report, and none is kept")]
pub enum Received {
    /// The report was taken as an incident, or refused.
    Reported(Reported),
    /// By a routing rule, the report is a ping of this heartbeat, and it was recorded.
    Pinged(HeartbeatName),
}

impl Heartbeats {
    /// Takes a report: as an incident, or as a ping if a routing rule says so. Durable when this returns (promise 1).
    ///
    /// # Errors
    /// As of [`Engine::report`](crate::engine::Engine::report) and of [`ping`](Self::ping).
    pub async fn report(&self, report: Report) -> Result<Received, Outage> {
        let (heartbeat, rule) = match self.engine.report_or_ping(report.clone()).await? {
            Taken::Reported(reported) => return Ok(Received::Reported(reported)),
            Taken::Ping(heartbeat, rule) => (heartbeat, rule),
        };
        match self.ping(&heartbeat).await? {
            Pinged::Recorded(_) | Pinged::Counted => Ok(Received::Pinged(heartbeat)),
            // A report is never lost.
            Pinged::Unknown => {
                tracing::warn!(%rule, %heartbeat, "a routing rule names a heartbeat that is not in the roster");
                self.engine.report(report).await.map(Received::Reported)
            }
        }
    }

    /// Takes a ping: durable when this returns. It arms the heartbeat, and resolves the incident of a miss.
    ///
    /// # Errors
    /// The settings or the roster are unavailable. It is safe to ping again.
    pub async fn ping(&self, name: &HeartbeatName) -> Result<Pinged, Outage> {
        let Some(heartbeat) = self.definition(name).await? else { return Ok(Pinged::Unknown) };
        let recorded = self.with_backlog(|backlog| backlog.recorded(name, heartbeat.span()));
        // Pings of one heartbeat that come at the same time wait for one write.
        let mut last = recorded.lock().await;
        let began = self.engine.clock().monotonic();
        if last.as_ref().is_some_and(|last| began.saturating_sub(last.at) < PACE) {
            return Ok(Pinged::Counted);
        }
        let known = last.as_ref().map(|last| last.stored.clone());
        let (stored, then) = self.store_over(known, name, heartbeat.span(), Event::Ping).await?;
        let row = stored.row.clone();
        // The time before the write, since the stored time of the ping is not earlier.
        *last = Some(LastPing { at: began, stored });
        metrics::counter!("inresponse_heartbeat_pings_total").increment(1);
        self.note(name, heartbeat.span(), &row);
        drop(last);
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
