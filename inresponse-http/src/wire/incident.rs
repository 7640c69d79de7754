//! How an incident is answered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Delivery, DeliveryStatus, Entry, Event, Incident, Level, Standing};
use inresponse_core::plan;
use inresponse_core::store::Record;
use serde::Serialize;
use utoipa::ToSchema;

/// An incident.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IncidentView {
    /// Its number.
    incident_id: u64,
    service: String,
    team: String,
    /// `CRIT`, `ERR` or `WARN`.
    severity: &'static str,
    /// `OPEN`, `CLAIMED` or `RESOLVED`.
    state: &'static str,
    title: String,
    message: String,
    source: Option<String>,
    detected_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    claimed_by: Option<String>,
    claimed_at: Option<DateTime<Utc>>,
    resolved_by: Option<String>,
    resolved_at: Option<DateTime<Utc>>,
    dedup_key: Option<String>,
    labels: BTreeMap<String, String>,
    links: Vec<LinkView>,
    /// How often it was reported.
    count: u64,
    /// The round of alerts, from 1.
    round: u32,
    /// When somebody is alerted next, unless it is claimed.
    next_alert_at: Option<DateTime<Utc>>,
    /// Everybody was alerted and nobody claimed.
    unclaimed: bool,
    /// Nobody could be alerted.
    undelivered: bool,
}

/// A link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkView {
    text: String,
    url: String,
}

/// An incident with its deliveries and its timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FullIncidentView {
    #[serde(flatten)]
    incident: IncidentView,
    /// Who was alerted, and how that went.
    deliveries: Vec<DeliveryView>,
    /// What people and levels did, the oldest first.
    timeline: Vec<EntryView>,
}

/// A page of incidents, or the one whose number was in the query.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ListView {
    Page(PageView),
    One(Box<FullIncidentView>),
}

/// A page of incidents, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PageView {
    pub(crate) incidents: Vec<IncidentView>,
    /// For the next page; null on the last one.
    pub(crate) cursor: Option<String>,
}

/// One contact to be alerted at one level of one round.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryView {
    /// The name that the alert bears in every attempt.
    delivery_id: String,
    round: u32,
    level: LevelView,
    contact: String,
    /// `pending`, `inFlight`, `accepted`, `dead` or `stopped`.
    status: &'static str,
    /// When something is to be done about it.
    due_at: Option<DateTime<Utc>>,
    /// When it was settled.
    settled_at: Option<DateTime<Utc>>,
    attempts: u32,
    since: DateTime<Utc>,
    last_outcome: Option<OutcomeView>,
}

/// How an attempt ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutcomeView {
    /// `accepted`, `rejected`, `throttled`, `unavailable`, `unknown`, `expired`, `notBegun` or `bounced`.
    kind: &'static str,
    detail: String,
    at: DateTime<Utc>,
}

/// A level: its number, or `fallback`; `news` where somebody is told who has the incident.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum LevelView {
    Number(u16),
    Word(&'static str),
}

/// A line of the timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    at: DateTime<Utc>,
    /// What happened: `opened`, `roundBegan`, `levelBegan`, `levelBeganAnew`, `levelEmpty`, `levelDead`,
    /// `unclaimed`, `claimed`, `released`, `resolved`, `handedOver`, `handedToTeam`, `escalated`,
    /// `severityChanged`, `reportedLower`, `noted`, `clockWentBack`, `folded`.
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Who or which team has it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// From whom it was taken over, the team or the severity before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<LevelView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// How many entries were folded into this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
}

impl From<Level> for LevelView {
    fn from(level: Level) -> Self {
        match level {
            Level::At(n) => LevelView::Number(n),
            Level::Fallback => LevelView::Word("fallback"),
            Level::News(_) => LevelView::Word("news"),
        }
    }
}

impl From<&Record> for IncidentView {
    fn from(record: &Record) -> Self {
        let incident = &record.incident;
        let (claimed, resolved) = (incident.claimed(), incident.resolved());
        Self {
            incident_id: incident.number().value(),
            service: incident.service().to_string(),
            team: incident.team().to_string(),
            severity: incident.severity().as_str(),
            state: incident.state().as_str(),
            title: incident.title().to_owned(),
            message: incident.message().to_owned(),
            source: incident.source().map(ToString::to_string),
            detected_at: incident.detected_at(),
            created_at: incident.created_at(),
            updated_at: incident.updated_at().max(record.last_reported_at),
            claimed_by: claimed.map(|c| c.by.to_string()),
            claimed_at: claimed.map(|c| c.at),
            resolved_by: resolved.map(|r| r.by.to_string()),
            resolved_at: resolved.map(|r| r.at),
            dedup_key: incident.dedup_key().map(ToString::to_string),
            labels: incident.labels().clone(),
            links: incident
                .links()
                .iter()
                .map(|link| LinkView { text: link.text().to_owned(), url: link.url().to_owned() })
                .collect(),
            count: record.count,
            round: incident.round(),
            next_alert_at: plan::next_alert_at(incident),
            unclaimed: incident.is_unclaimed(),
            undelivered: incident.is_undelivered(),
        }
    }
}

impl From<&Record> for FullIncidentView {
    fn from(record: &Record) -> Self {
        let incident = &record.incident;
        Self {
            incident: record.into(),
            deliveries: incident.deliveries().iter().map(|d| DeliveryView::new(incident, d)).collect(),
            timeline: incident.timeline().entries().iter().map(EntryView::from).collect(),
        }
    }
}

impl DeliveryView {
    fn new(incident: &Incident, delivery: &Delivery) -> Self {
        let (status, due_at, settled_at) = match delivery.status() {
            DeliveryStatus::Pending { due_at } => ("pending", Some(due_at), None),
            DeliveryStatus::InFlight { until } => ("inFlight", Some(until), None),
            DeliveryStatus::Accepted { at } => ("accepted", None, Some(at)),
            DeliveryStatus::Dead { at } => ("dead", None, Some(at)),
            DeliveryStatus::Stopped { at } => ("stopped", None, Some(at)),
        };
        Self {
            delivery_id: incident.delivery_id(delivery.key()).to_string(),
            round: delivery.key().round,
            level: delivery.key().level.into(),
            contact: delivery.contact().to_string(),
            status,
            due_at,
            settled_at,
            attempts: delivery.attempts(),
            since: delivery.since(),
            last_outcome: delivery.last().map(|last| OutcomeView {
                kind: last.kind.as_str(),
                detail: last.detail.clone(),
                at: last.at,
            }),
        }
    }
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        let base = |event| Self {
            at: entry.at,
            event,
            by: None,
            to: None,
            from: None,
            severity: None,
            round: None,
            level: None,
            contacts: None,
            note: None,
            entries: None,
            state: None,
            seconds: None,
        };
        let level = |event, round: &u32, level: &Level| Self {
            round: Some(*round),
            level: Some((*level).into()),
            ..base(event)
        };
        let by =
            |event, by: &inresponse_core::model::Person| Self { by: Some(by.to_string()), ..base(event) };
        match &entry.event {
            Event::Opened { severity } => Self { severity: Some(severity.as_str()), ..base("opened") },
            Event::RoundBegan { round } => Self { round: Some(*round), ..base("roundBegan") },
            Event::LevelBegan { round, level: at, contacts } => Self {
                contacts: Some(contacts.iter().map(ToString::to_string).collect()),
                ..level("levelBegan", round, at)
            },
            Event::LevelBeganAnew { round, level: at } => level("levelBeganAnew", round, at),
            Event::LevelEmpty { round, level: at } => level("levelEmpty", round, at),
            Event::LevelDead { round, level: at } => level("levelDead", round, at),
            Event::Unclaimed => base("unclaimed"),
            Event::Claimed { by: who, from } => {
                Self { from: from.as_ref().map(ToString::to_string), ..by("claimed", who) }
            }
            Event::HandedOver { by: who, to, from } => Self {
                to: Some(to.to_string()),
                from: from.as_ref().map(ToString::to_string),
                ..by("handedOver", who)
            },
            Event::HandedToTeam { by: who, from, to } => {
                Self { to: Some(to.to_string()), from: Some(from.to_string()), ..by("handedToTeam", who) }
            }
            Event::Escalated { by: who } => by("escalated", who),
            Event::Released { by: who } => by("released", who),
            Event::Resolved { by: who } => by("resolved", who),
            Event::SeverityChanged { from, to, by } => Self {
                by: by.as_ref().map(ToString::to_string),
                from: Some(from.to_string()),
                severity: Some(to.as_str()),
                ..base("severityChanged")
            },
            Event::ReportedLower { severity } => {
                Self { severity: Some(severity.as_str()), ..base("reportedLower") }
            }
            Event::Noted { by: who, note } => {
                Self { note: Some(note.as_str().to_owned()), ..by("noted", who) }
            }
            Event::ClockWentBack { seconds } => Self { seconds: Some(*seconds), ..base("clockWentBack") },
            Event::Folded { entries, standing } => {
                let Standing { state, severity, claimed_by, round } = standing;
                Self {
                    entries: Some(*entries),
                    state: Some(state.as_str()),
                    severity: Some(severity.as_str()),
                    by: claimed_by.as_ref().map(ToString::to_string),
                    round: Some(*round),
                    ..base("folded")
                }
            }
            Event::Unknown(_) => base("unknown"),
            _ => base("other"),
        }
    }
}
