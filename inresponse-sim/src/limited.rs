//! The limits of a run, before its carriers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inresponse_core::memory::MemorySettings;
use inresponse_core::model::{OutcomeKind, Scheme};
use inresponse_core::notify::{Alert, ChannelLimits, Limits, Notifier, Notifiers, Outcome, Window};

use crate::carrier::HostCarrier;
use crate::history::Told;
use crate::world::HostClock;

/// The carriers as one process reaches them through the limits of the deployment.
#[derive(Debug)]
pub struct HostLimits {
    carrier: Arc<HostCarrier>,
    limited: Notifiers,
}

/// Passes alerts to a carrier that is shared.
#[derive(Debug)]
struct Passes(Arc<HostCarrier>);

#[async_trait]
impl Notifier for Passes {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        self.0.notify(alert, deadline).await
    }
}

impl HostLimits {
    /// The carriers for contacts of a scheme. Every address gets that many messages within that time.
    pub fn new(
        scheme: &Scheme,
        carrier: HostCarrier,
        (most, within): (u32, Duration),
        settings: MemorySettings,
        clock: HostClock,
    ) -> Self {
        let carrier = Arc::new(carrier);
        let limits = ChannelLimits::none().per_address([Window::new(most, within)]);
        let limits = Limits::none().with(scheme, limits);
        let limited = Notifiers::new().with(scheme.clone(), Passes(Arc::clone(&carrier)));
        Self { carrier, limited: limited.limited(limits, Arc::new(settings), clock) }
    }
}

#[async_trait]
impl Notifier for HostLimits {
    async fn notify(&self, alert: &Alert, deadline: Duration) -> Outcome {
        let outcome = self.limited.notify(alert, deadline).await;
        if outcome.kind() == OutcomeKind::Limited {
            // A process that is dead does nothing.
            if !self.carrier.world.lives(self.carrier.process) {
                std::future::pending::<()>().await;
            }
            return self.carrier.begin(std::slice::from_ref(alert)).tell(Told::Limited, outcome);
        }
        outcome
    }
}
