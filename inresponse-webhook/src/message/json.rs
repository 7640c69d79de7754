//! The alert or status update as JSON, with the field names of the HTTP API.

use chrono::{DateTime, Utc};
use inresponse_api as api;
use inresponse_core::model::{Contact, Incident, Level, Purpose};
use inresponse_core::notify::{Alert, Occasion};
use inresponse_core::plan::{self, Reached, Upcoming};

use super::claim;

/// The body of a webhook, sent at `now`.
pub(crate) fn json(alert: &Alert, now: DateTime<Utc>) -> Vec<u8> {
    let kind = match alert.occasion() {
        Occasion::Alert => api::MessageKind::Alert,
        Occasion::Claimed => api::MessageKind::Claimed,
        Occasion::Handed => api::MessageKind::Handed,
        Occasion::Resolved => api::MessageKind::Resolved,
        Occasion::Notice => api::MessageKind::Notice,
    };
    let data = api::Alert {
        delivery_id: alert.delivery_id().to_string(),
        attempt: alert.attempt(),
        round: alert.round(),
        level: match alert.purpose() {
            Purpose::Alert(of) => level(of),
            Purpose::StatusUpdate(_) => api::Level::Word(api::LevelWord::StatusUpdate),
        },
        contact: alert.contact().to_string(),
        others: alert.others().map(Contact::to_string).collect(),
        upcoming: alert.upcoming().iter().map(upcoming).collect(),
        claim_url: claim(alert).map(|(_, url)| url.to_owned()),
        incident: incident(alert.incident(), alert.count()),
    };
    let message = api::Message { kind, timestamp: now, data };
    serde_json::to_vec(&message).expect("a message has only string keys")
}

fn incident(incident: &Incident, count: u64) -> api::Incident {
    let (claimed, resolved) = (incident.claimed(), incident.resolved());
    let links = incident.links().iter();
    api::Incident {
        incident_id: incident.number().value(),
        service: incident.service().to_string(),
        team: incident.team().to_string(),
        severity: incident.severity().as_str().into(),
        state: incident.state().as_str().into(),
        title: incident.title().to_owned(),
        message: incident.message().to_owned(),
        source: incident.source().map(ToString::to_string),
        detected_at: incident.detected_at(),
        created_at: incident.created_at(),
        updated_at: incident.updated_at(),
        claimed_by: claimed.map(|c| c.by.to_string()),
        claimed_at: claimed.map(|c| c.at),
        claim_ends_at: plan::claim_ends_at(incident),
        handover_unconfirmed: incident.handover().is_some_and(|h| h.unconfirmed_at.is_some()),
        resolved_by: resolved.map(|r| r.by.to_string()),
        resolved_at: resolved.map(|r| r.at),
        dedup_key: incident.dedup_key().map(ToString::to_string),
        labels: incident.labels().clone(),
        links: links
            .map(|link| api::Link { text: link.text().to_owned(), url: link.url().to_owned() })
            .collect(),
        count,
        round: incident.round(),
        next_alert_at: plan::next_alert_at(incident),
        unclaimed: incident.is_unclaimed(),
        undelivered: incident.is_undelivered(),
        reached: plan::reached(incident).map(reached),
    }
}

fn reached(reached: Reached) -> api::Reached {
    match reached {
        Reached::Everybody => api::Reached::Everybody,
        Reached::Somebody => api::Reached::Somebody,
        Reached::NobodyYet => api::Reached::NobodyYet,
        Reached::Nobody => api::Reached::Nobody,
    }
}

fn upcoming(next: &Upcoming<'_>) -> api::Upcoming {
    match next {
        Upcoming::Level { level: of, at, contacts } => api::Upcoming::Level {
            at: *at,
            level: level(*of),
            contacts: contacts.iter().map(Contact::to_string).collect(),
        },
        // Who is on call then is not known yet.
        Upcoming::Round { round, at } => api::Upcoming::Round { at: *at, round: *round },
    }
}

fn level(level: Level) -> api::Level {
    match level {
        Level::At(n) => api::Level::Number(n),
        Level::Fallback => api::Level::Word(api::LevelWord::Fallback),
    }
}
