//! Whether something in this process sends the alerts of the engine.

use std::sync::atomic::{AtomicBool, Ordering};

use super::timers::Alarm;
use crate::model::Incident;
use crate::plan;

/// Remembers whether anybody has called what sends alerts, and warns once if a report is recorded before.
#[derive(Debug, Default)]
pub(super) struct Driven {
    is_driven: AtomicBool,
    has_warned: AtomicBool,
}

impl Driven {
    /// Records a call of the runner, a tick, an advance or a sweep.
    pub(super) fn note(&self) {
        self.is_driven.store(true, Ordering::Relaxed);
    }

    /// Warns, once, if an incident was recorded with alerts that nothing in this process will send.
    pub(super) fn opened(&self, incident: &Incident, alarm: &Alarm) {
        let is_sent = self.is_driven.load(Ordering::Relaxed) || alarm.is_set_by_timers();
        if is_sent || plan::due_at(incident).is_none() || self.has_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            incident = incident.number().value(),
            "an incident was recorded, but nothing in this process sends its alerts: spawn Engine::run, call \
             Engine::tick, or give the builder timers"
        );
    }
}
