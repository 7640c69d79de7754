//! The alert that buttons answer.

use inresponse_core::model::Delivery;
use inresponse_core::notify::Alert;

/// The id of the alert that the buttons of a message answer: the message itself, or the alert that it changes.
pub(crate) fn alert_id(alert: &Alert) -> String {
    let incident = alert.incident();
    let is_alert = |d: &&Delivery| !d.is_status_update() && d.contact() == alert.contact();
    let changed = alert.receipt().and_then(|receipt| {
        let mut alerts = incident.deliveries().iter().rev().filter(is_alert);
        alerts.find(|d| d.receipt() == Some(receipt)).map(|d| incident.delivery_id(d.key()).to_string())
    });
    changed.unwrap_or_else(|| alert.delivery_id().to_string())
}
