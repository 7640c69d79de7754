//! Timers outside the process, for deployments without a runner.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::{Chain, Outage};
use crate::model::{Incident, IncidentNumber};
use crate::plan;

/// Starts a timer outside this process that calls [`Engine::advance_woken`](crate::Engine::advance_woken) when it is time.
///
/// For deployments in which no process runs all the time. A timer knows only the time: the incident is in the store. It
/// calls at once, then at each time that the call returns, and ends when there is nothing to wait for.
/// [`Engine::sweep`](crate::Engine::sweep) replaces lost timers.
#[async_trait]
pub trait Timers: Debug + Send + Sync + 'static {
    /// Starts a timer with a name made from the incident's number and `wake`. If a timer with that name already exists,
    /// that is success. The method ends in bounded time.
    async fn start(&self, incident: IncidentNumber, wake: u32) -> Result<(), Outage>;
}

/// Sets timers, if this deployment has any.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarm {
    timers: Option<Arc<dyn Timers>>,
}

impl Alarm {
    pub(super) fn by(timers: Arc<dyn Timers>) -> Self {
        Self { timers: Some(timers) }
    }

    /// Whether timers outside this process advance incidents.
    pub(super) fn is_set_by_timers(&self) -> bool {
        self.timers.is_some()
    }

    /// The timers, which there must be.
    pub(super) fn timers(&self) -> Result<&dyn Timers, Outage> {
        self.timers.as_deref().ok_or_else(|| Outage::permanent("no timers are configured"))
    }

    /// Starts a timer for an incident that is due sooner than its timer knows, if this deployment has timers. If that
    /// fails, the commit still counts: a sweep finds the incident overdue.
    pub(super) async fn set(&self, incident: &Incident) {
        let Some(timers) = &self.timers else { return };
        if plan::due_at(incident).is_none() {
            return;
        }
        if let Err(error) = timers.start(incident.number(), incident.wake()).await {
            metrics::counter!("inresponse_timers_failed_total").increment(1);
            tracing::error!(
                incident = incident.number().value(),
                error = %Chain::of(&error),
                "a timer could not be started: the alert waits for the next sweep"
            );
        }
    }
}
