//! Alerts and status updates as JSON, with the field names of the HTTP API.

use chrono::{DateTime, Utc};
use inresponse_api::{self as api, convert};
use inresponse_core::model::Contact;
use inresponse_core::notify::{Alert, Bundle, Occasion};

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
    let message = api::Message { kind, timestamp: now, data: whole(alert) };
    serde_json::to_vec(&message).expect("a message has only string keys")
}

/// Many alerts as JSON, an [`inresponse_api::BundleMessage`], sent at `now`.
pub fn json_of_bundle(bundle: &Bundle, now: DateTime<Utc>) -> Vec<u8> {
    let data = api::Bundle {
        contact: bundle.contact().to_string(),
        claim_all_url: bundle.claim_all_url().map(str::to_owned),
        worst: bundle.worst().iter().map(whole).collect(),
        others: bundle.others().iter().map(brief).collect(),
    };
    let message = api::BundleMessage { kind: api::MessageKind::Alerts, timestamp: now, data };
    serde_json::to_vec(&message).expect("a message has only string keys")
}

fn whole(alert: &Alert) -> api::Alert {
    api::Alert {
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
        claim_url: claim_url(alert),
        incident: convert::incident(alert.incident(), alert.count()),
    }
}

fn brief(alert: &Alert) -> api::BriefAlert {
    let incident = alert.incident();
    api::BriefAlert {
        delivery_id: alert.delivery_id().to_string(),
        incident_id: incident.number().value(),
        severity: incident.severity().as_str().into(),
        service: incident.service().to_string(),
        title: incident.title().to_owned(),
        claim_url: claim_url(alert),
    }
}

fn claim_url(alert: &Alert) -> Option<String> {
    claim(alert).map(|(_, url)| url.to_owned())
}
