//! Grafana's unified alerting: its webhook contact point.
//!
//! Source: Grafana's documentation of the webhook notifier. The alerts are as Alertmanager's, with links to
//! dashboard, panel and silence, and a text of the values that were measured.

use inresponse_core::InvalidInput;

use crate::Context;
use crate::prometheus::{self, Webhook};

/// Translates a message of Grafana's webhook.
///
/// # Errors
/// It is not such a message.
pub fn webhook(body: &[u8], context: &Context<'_>) -> Result<Webhook, InvalidInput> {
    prometheus::grafana(body, context)
}
