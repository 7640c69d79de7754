//! Translates messages of Grafana's webhook contact point (unified alerting).
//!
//! Source: Grafana's documentation of the webhook notifier. The alerts have Alertmanager's format, and also links to
//! dashboard, panel and silence, and a text with the measured values.

use inresponse_core::InvalidInput;

use crate::Context;
use crate::prometheus::{self, Webhook};

/// Translates a message of Grafana's webhook.
///
/// # Errors
/// The body is not a message of Grafana.
pub fn webhook(body: &[u8], context: &Context<'_>) -> Result<Webhook, InvalidInput> {
    prometheus::grafana(body, context)
}
