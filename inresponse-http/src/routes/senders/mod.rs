//! The routes for messages of other monitoring systems.

pub(crate) mod generic;
pub(crate) mod grafana;
pub(crate) mod nagios;
pub(crate) mod opsgenie;
pub(crate) mod pagerduty;
pub(crate) mod prometheus;
pub(crate) mod sns;

use axum::response::Response;
use inresponse_core::InvalidInput;
use inresponse_intake::{Context, prometheus::Webhook};

use crate::Api;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::signals::{answer, take};

/// Takes a message of several alerts, and warns if its sender left some out.
async fn webhook(
    api: &Api,
    sender: &Caller,
    kind: &'static str,
    read: impl FnOnce(&Context<'_>) -> Result<Webhook, InvalidInput>,
) -> Result<Response, Problem> {
    let webhook =
        read(&api.intake().context(sender, api.engine().now())).map_err(|e| Problem::invalid(&e))?;
    if webhook.truncated > 0 {
        tracing::warn!(
            sender = kind,
            lost = webhook.truncated,
            "alerts were left out: raise the sender's maximum"
        );
    }
    answer(kind, sender, &take(api, sender, webhook.alerts).await)
}
