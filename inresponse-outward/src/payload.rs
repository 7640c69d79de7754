//! The alert or status update as JSON, with the field names of the HTTP API.

use chrono::{DateTime, Utc};
use inresponse_api::{self as api, convert};
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Occasion};

use crate::brief::claim;

/// An alert as JSON, an [`inresponse_api::Message`], sent at `now`.
pub fn json(alert: &Alert, now: DateTime<Utc>) -> Vec<u8> {
    let kind = match alert.occasion() {
        Occasion::Alert => api::MessageKind::Alert,
        Occasion::CalledIn => api::MessageKind::CalledIn,
        Occasion::Claimed => api::MessageKind::Claimed,
        Occasion::Handed => api::MessageKind::Handed,
        Occasion::ClaimEnds => api::MessageKind::ClaimEnds,
        Occasion::Resolved => api::MessageKind::Resolved,
        Occasion::Notice => api::MessageKind::Notice,
    };
    let data = api::Alert {
        delivery_id: alert.delivery_id().to_string(),
        attempt: alert.attempt(),
        round: alert.round(),
        level: convert::purpose(alert.purpose()),
        contact: alert.contact().to_string(),
        others: alert.others().map(Contact::to_string).collect(),
        upcoming: alert
            .upcoming()
            .iter()
            .map(|next| convert::upcoming(alert.incident(), next, Contact::to_string))
            .collect(),
        claim_url: claim(alert).map(|(_, url)| url.to_owned()),
        incident: convert::incident(alert.incident(), alert.count()),
    };
    let message = api::Message { kind, timestamp: now, data };
    serde_json::to_vec(&message).expect("a message has only string keys")
}
