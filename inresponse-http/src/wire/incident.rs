//! How an incident is answered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use inresponse_core::model::{Delivery, DeliveryStatus, Entry, Event, Incident, Level, Standing};
use inresponse_core::plan::{self, Follows, Happened, Reached, Upcoming};
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
    /// When it is open again, unless the person it was handed to answers first; only if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_ends_at: Option<DateTime<Utc>>,
    /// It was handed to somebody whom nobody could tell, and who has not answered; only if that is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    handover_unconfirmed: bool,
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
    /// Everybody's turn has come and nobody claimed.
    unclaimed: bool,
    /// Nobody could be alerted.
    undelivered: bool,
    /// Who was reached, only if it is unclaimed: `everybody`, `somebody`, `nobodyYet` or `nobody`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<&'static str>,
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
    /// What comes next, unless somebody claims it.
    upcoming: Vec<UpcomingView>,
    /// Who was alerted, and how that went.
    deliveries: Vec<DeliveryView>,
    /// What people and levels did, the oldest first.
    timeline: Vec<EntryView>,
    /// Why what was just done, or asked about, may not be what was meant; only if there is a reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningView>,
}

impl FullIncidentView {
    /// The same with a warning about a field, if there is one.
    pub(crate) fn maybe_warning(mut self, field: &'static str, message: Option<String>) -> Self {
        self.warnings.extend(message.map(|message| WarningView { field, message }));
        self
    }
}

/// Why a request may not be what was meant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarningView {
    /// The field of the request.
    field: &'static str,
    message: String,
}

/// A level that is alerted later, or a further round with the people who are on call then.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum UpcomingView {
    Level { at: DateTime<Utc>, level: LevelView, contacts: Vec<String> },
    Round { at: DateTime<Utc>, round: u32 },
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
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryView {
    at: DateTime<Utc>,
    /// What happened: `opened`, `roundBegan`, `levelBegan`, `levelBeganAnew`, `levelEmpty`, `levelDead`,
    /// `unclaimed`, `claimed`, `released`, `resolved`, `handedOver`, `handoverUnconfirmed`, `handoverUnanswered`,
    /// `handedToTeam`, `teamChanged`, `teamGone`, `escalated`, `severityChanged`, `reportedLower`, `noted`,
    /// `clockWentBack`, `folded`.
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The name of the API key that it was done with; `link` for the link in an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Who or which team has it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// From whom it was taken over, the team or the severity before; the team that is gone.
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
    /// Of a level that is empty or dead: the next one was due at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at_once: Option<bool>,
    /// Of `unclaimed`, while it is known: who was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<&'static str>,
    /// Why another team has it: `ownsService`, `handedTo`, `catchAll`; or who is alerted in place of a team that is gone:
    /// `deploymentFallback`, `lastRound`.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
}

fn reached(reached: Reached) -> &'static str {
    match reached {
        Reached::Everybody => "everybody",
        Reached::Somebody => "somebody",
        Reached::NobodyYet => "nobodyYet",
        Reached::Nobody => "nobody",
    }
}

impl From<&Upcoming<'_>> for UpcomingView {
    fn from(next: &Upcoming<'_>) -> Self {
        match next {
            Upcoming::Level { level, at, contacts } => UpcomingView::Level {
                at: *at,
                level: (*level).into(),
                contacts: contacts.iter().map(ToString::to_string).collect(),
            },
            Upcoming::Round { round, at } => UpcomingView::Round { at: *at, round: *round },
        }
    }
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
            claim_ends_at: plan::claim_ends_at(incident),
            handover_unconfirmed: incident.handover().is_some_and(|h| h.unconfirmed_at.is_some()),
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
            reached: plan::reached(incident).map(reached),
        }
    }
}

impl From<&Record> for FullIncidentView {
    fn from(record: &Record) -> Self {
        let incident = &record.incident;
        Self {
            incident: record.into(),
            upcoming: plan::outlook(incident).iter().map(Into::into).collect(),
            deliveries: incident.deliveries().iter().map(|d| DeliveryView::new(incident, d)).collect(),
            timeline: plan::history(incident).iter().map(EntryView::from).collect(),
            warnings: Vec::new(),
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

impl From<&Happened<'_>> for EntryView {
    fn from(happened: &Happened<'_>) -> Self {
        let view = Self::from(happened.entry);
        match happened.follows {
            Follows::Nothing => view,
            Follows::TheNextAtOnce => Self { next_at_once: Some(true), ..view },
            Follows::Reached(who) => Self { reached: Some(reached(who)), ..view },
        }
    }
}

impl From<&Entry> for EntryView {
    fn from(entry: &Entry) -> Self {
        let base = |event| Self {
            at: entry.at,
            event,
            by: None,
            key: entry.key.as_ref().map(ToString::to_string),
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
            next_at_once: None,
            reached: None,
            why: None,
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
            Event::HandoverUnconfirmed { to } => {
                Self { to: Some(to.to_string()), ..base("handoverUnconfirmed") }
            }
            Event::HandoverUnanswered { to } => {
                Self { to: Some(to.to_string()), ..base("handoverUnanswered") }
            }
            Event::HandedToTeam { by: who, from, to } => {
                Self { to: Some(to.to_string()), from: Some(from.to_string()), ..by("handedToTeam", who) }
            }
            Event::TeamChanged { from, to, why } => Self {
                to: Some(to.to_string()),
                from: Some(from.to_string()),
                why: Some(why.as_str()),
                ..base("teamChanged")
            },
            Event::TeamGone { team, alerted } => {
                Self { from: Some(team.to_string()), why: Some(alerted.as_str()), ..base("teamGone") }
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
