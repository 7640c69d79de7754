//! Converts what the core decides into the types on the wire, once for the HTTP API and the webhooks.

use chrono::{DateTime, Utc};
use inresponse_core::model::{self, Contact, Purpose};
use inresponse_core::plan;

use crate::{Incident, Level, LevelWord, Link, Reached, Responder, Upcoming, UpcomingAlert};

/// Converts an incident that was reported `count` times, without the next alerts, the deliveries and the timeline.
pub fn incident(incident: &model::Incident, count: u64) -> Incident {
    let (claimed, resolved) = (incident.claimed(), incident.resolved());
    let links = incident.links().iter();
    Incident {
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
        responders: incident
            .responders()
            .iter()
            .map(|one| Responder { by: one.by.to_string(), at: one.at })
            .collect(),
        claim_ends_at: plan::claim_ends_at(incident),
        quiet_until: incident.quiet().map(|quiet| quiet.until),
        quiet_by: incident.quiet().map(quiet_by).unwrap_or_default(),
        routed_by: incident.routed().map(|routed| routed.rule.to_string()),
        record_only: incident.is_recorded_by_rule(),
        handover_unconfirmed: incident.handover().is_some_and(|h| h.unconfirmed_at.is_some()),
        resolved_by: resolved.map(|r| r.by.to_string()),
        resolved_at: resolved.map(|r| r.at),
        dedup_key: incident.dedup_key().map(ToString::to_string),
        labels: incident.labels().clone(),
        links: links.map(|link| Link { text: link.text().to_owned(), url: link.url().to_owned() }).collect(),
        count,
        round: incident.round(),
        next_alert_at: plan::next_alert_at(incident),
        unclaimed: incident.is_unclaimed(),
        undelivered: incident.is_undelivered(),
        reached: plan::reached(incident).map(reached),
    }
}

/// Converts a level of a matrix.
pub fn level(level: model::Level) -> Level {
    match level {
        model::Level::At(n) => Level::Number(n),
        model::Level::Fallback => Level::Word(LevelWord::Fallback),
    }
}

/// Converts what a delivery is for: the level of an alert, or the word for another purpose.
pub fn purpose(purpose: Purpose) -> Level {
    match purpose {
        Purpose::Alert(of) => level(of),
        Purpose::CallIn(_) => Level::Word(LevelWord::CallIn),
        Purpose::StatusUpdate(_) => Level::Word(LevelWord::StatusUpdate),
    }
}

/// Converts who was reached.
pub fn reached(reached: plan::Reached) -> Reached {
    match reached {
        plan::Reached::Everybody => Reached::Everybody,
        plan::Reached::Somebody => Reached::Somebody,
        plan::Reached::NobodyYet => Reached::NobodyYet,
        plan::Reached::Nobody => Reached::Nobody,
    }
}

/// Converts a coming alert of an incident. `contact` gives the text of a contact. A new round has no contacts, because
/// who is on call then is not known yet.
pub fn upcoming(
    incident: &model::Incident,
    next: &plan::Upcoming<'_>,
    contact: impl Fn(&Contact) -> String,
) -> Upcoming {
    let alert = |of: model::Level, one: &Contact| {
        let recipient = incident.matrix().recipient(of, one);
        UpcomingAlert {
            contact: contact(one),
            person: recipient.map(|one| format!("person:{}", one.person)),
            method: recipient.map(|one| one.method.to_string()),
        }
    };
    let alerts = |at: DateTime<Utc>, of: model::Level, alerts: Vec<UpcomingAlert>, later_step| {
        let contacts = alerts.iter().map(|alert| alert.contact.clone()).collect();
        Upcoming::Level { at, level: level(of), contacts, alerts, later_step }
    };
    match next {
        plan::Upcoming::Level { level: of, at, contacts } => {
            alerts(*at, *of, contacts.iter().map(|one| alert(*of, one)).collect(), false)
        }
        plan::Upcoming::Step { level: of, at, contacts } => {
            alerts(*at, *of, contacts.iter().map(|one| alert(*of, one)).collect(), true)
        }
        plan::Upcoming::Round { round, at } => Upcoming::Round { at: *at, round: *round },
    }
}

/// Why a routing rule has no effect, as it is on the wire.
pub fn ignored(why: &model::Ignored) -> String {
    match why {
        model::Ignored::UnknownTeam(team) => format!("unknownTeam:{team}"),
        model::Ignored::NoPing(heartbeat) => format!("noPing:{heartbeat}"),
    }
}

/// What makes an incident quiet, as it is on the wire.
pub fn quiet_by(quiet: &inresponse_core::model::Quiet) -> Vec<String> {
    quiet.why.iter().map(ToString::to_string).collect()
}
