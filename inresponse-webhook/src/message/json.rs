//! The whole alert, or who has the incident, as JSON; its fields are named as in the HTTP API.

use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, Level, Signature};
use inresponse_core::notify::{Alert, Occasion};
use inresponse_core::plan::{self, Upcoming};
use serde_json::{Value, json};

use super::{body, claim};

/// The body of a webhook, sent at `now`.
pub(crate) fn json(alert: &Alert, now: DateTime<Utc>) -> Vec<u8> {
    let incident = alert.incident();
    let texts = |contacts: &[Contact]| contacts.iter().map(Contact::to_string).collect::<Vec<_>>();
    let upcoming: Vec<Value> = alert
        .upcoming()
        .iter()
        .map(|next| match next {
            Upcoming::Level { level: of, at, contacts } => {
                json!({ "at": at, "level": level(*of), "contacts": texts(contacts) })
            }
            // Who is on call then is not known yet.
            Upcoming::Round { round, at } => json!({ "at": at, "round": round }),
        })
        .collect();
    let links: Vec<Value> =
        incident.links().iter().map(|link| json!({ "text": link.text(), "url": link.url() })).collect();
    let kind = match alert.occasion() {
        Occasion::Alert => "inresponse.alert",
        Occasion::Claimed => "inresponse.claimed",
        Occasion::Handed => "inresponse.handed",
        Occasion::Resolved => "inresponse.resolved",
    };
    let by = |signature: Option<&Signature>| signature.map(|signature| signature.by.to_string());
    let at = |signature: Option<&Signature>| signature.map(|signature| signature.at);
    body(&json!({
        "type": kind,
        "timestamp": now,
        "data": {
            "deliveryId": alert.delivery_id().as_str(),
            "attempt": alert.attempt(),
            "round": alert.round(),
            "level": level(alert.level()),
            "contact": alert.contact().to_string(),
            "others": alert.others().map(Contact::to_string).collect::<Vec<_>>(),
            "upcoming": upcoming,
            "claimUrl": claim(alert).map(|(_, url)| url),
            "incident": {
                "incidentId": incident.number().value(),
                "service": incident.service().as_str(),
                "team": incident.team().as_str(),
                "severity": incident.severity().as_str(),
                "state": incident.state().as_str(),
                "title": incident.title(),
                "message": incident.message(),
                "source": incident.source().map(|source| source.as_str()),
                "detectedAt": incident.detected_at(),
                "createdAt": incident.created_at(),
                "claimedBy": by(incident.claimed()),
                "claimedAt": at(incident.claimed()),
                "claimEndsAt": plan::claim_ends_at(incident),
                "resolvedBy": by(incident.resolved()),
                "resolvedAt": at(incident.resolved()),
                "dedupKey": incident.dedup_key().map(|key| key.as_str()),
                "labels": incident.labels(),
                "links": links,
                "count": alert.count(),
            },
        },
    }))
}

fn level(level: Level) -> Value {
    match level {
        Level::At(n) => json!(n),
        Level::Fallback => json!("fallback"),
        Level::News(_) => json!("news"),
    }
}
