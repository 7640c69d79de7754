//! The bodies of requests: report an incident, update an incident.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::words::{Severity, State};

/// A report of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutIncident,
    example = json!({ "service": "athens", "severity": "CRIT", "title": "5xx", "message": "12 % of requests fail",
    "dedupKey": "5xx", "labels": { "region": "eu" }, "links": [{ "text": "Graph", "url": "https://example.org/5xx" }] })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Report {
    /// The affected service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub service: Option<String>,
    /// `CRIT`, `ERR` or `WARN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, required, nullable = false))]
    pub severity: Option<Severity>,
    /// The title, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub title: Option<String>,
    /// The description of the problem, in any number of lines. The field may also be called `description`.
    #[serde(alias = "description", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub message: Option<String>,
    /// The state: only `OPEN` is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub state: Option<State>,
    /// The kind of monitoring system that reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When the problem was detected (default: now).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Time>,
    /// The dedup key. Reports with the same key belong to the same incident until it is resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<String>,
    /// The labels: names and values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// The links, such as runbooks and graphs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<Vec<NewLink>>,
}

impl Report {
    /// A report about a service, with a title and a message of any length.
    pub fn new(
        service: impl Into<String>,
        severity: Severity,
        title: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            service: Some(service.into()),
            severity: Some(severity),
            title: Some(title.into()),
            message: Some(message.into()),
            state: None,
            source: None,
            detected_at: None,
            dedup_key: None,
            labels: None,
            links: None,
        }
    }

    /// Sets the kind of monitoring system that reports: nagios, prometheus, …
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the time at which the problem was detected (default: now).
    #[must_use]
    pub fn detected_at(mut self, at: DateTime<Utc>) -> Self {
        self.detected_at = Some(at.into());
        self
    }

    /// Sets the dedup key: a report with the key of an unresolved incident of the service adds to that incident.
    #[must_use]
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.dedup_key = Some(key.into());
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.get_or_insert_default().insert(name.into(), value.into());
        self
    }

    /// Adds a link.
    #[must_use]
    pub fn link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        self.links.get_or_insert_default().push(NewLink { text: text.into(), url: url.into() });
        self
    }
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutLink))]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// The text of the link.
    pub text: String,
    /// The URL of the link; http or https.
    pub url: String,
}

/// A time as RFC 3339 text or Unix seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, expecting = "must be an RFC 3339 time or Unix seconds")]
pub enum Time {
    /// A time as text, such as `2026-11-24T03:00:00Z`.
    Text(String),
    /// A time as seconds since 1970, in UTC.
    Seconds(f64),
}

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        Self::Text(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// An update of an incident. An update needs at least one of `state`, `handTo`, `handToTeam`, `escalate`,
/// `snoozeSeconds`, `severity` and `note`, and at most one of the first five.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PostIncident,
    example = json!({ "incidentId": 10000, "state": "CLAIMED" })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Update {
    /// The incident's number. The number may be left out if it is in the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<u64>,
    /// The new state: `CLAIMED`, `RESOLVED`, or `OPEN` to release the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub state: Option<State>,
    /// The person who makes the update (default: the API key's name).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// `true`: claim or release the incident even if somebody else has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub take_over: Option<bool>,
    /// The person to hand the incident to, no matter who had it before. An address is notified. If the person makes no
    /// update until `claimEndsAt`, the incident is OPEN again. The answer has `warnings` if the roster does not know
    /// the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand_to: Option<String>,
    /// The team to hand the incident to. The team's on-call engineer is alerted at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand_to_team: Option<String>,
    /// `true`: alert the next level without waiting. If somebody has the incident, the people of the next level are called
    /// in, and the claim stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate: Option<bool>,
    /// The claim ends that many seconds from now, from 1 to 604800, earlier or later than before. Somebody must have the
    /// incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snooze_seconds: Option<u64>,
    /// Calls more people in, from 1 to 10 targets: `person:NAME`, `team:NAME` (who is on call there now), `schedule:NAME`
    /// or an address. The claim stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Vec<String>>,
    /// A new severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub severity: Option<Severity>,
    /// A note for the timeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Update {
    /// An update that claims the incident. Its alerts stop.
    pub fn claim() -> Self {
        Self { state: Some(State::Claimed), ..Self::default() }
    }

    /// An update that releases the incident. Alerts begin again.
    pub fn release() -> Self {
        Self { state: Some(State::Open), ..Self::default() }
    }

    /// An update that resolves the incident, which is final.
    pub fn resolve() -> Self {
        Self { state: Some(State::Resolved), ..Self::default() }
    }

    /// An update that hands the incident to a person, who must answer. An address is notified.
    pub fn hand_to(person: impl Into<String>) -> Self {
        Self { hand_to: Some(person.into()), ..Self::default() }
    }

    /// An update that calls more people in. The claim stays.
    pub fn call_in(targets: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { alert: Some(targets.into_iter().map(Into::into).collect()), ..Self::default() }
    }

    /// An update that hands the incident to another team. Its on-call engineer is alerted at once.
    pub fn hand_to_team(team: impl Into<String>) -> Self {
        Self { hand_to_team: Some(team.into()), ..Self::default() }
    }

    /// An update that alerts the next level without waiting.
    pub fn escalate() -> Self {
        Self { escalate: Some(true), ..Self::default() }
    }

    /// An update that sets the end of the claim.
    pub fn snooze(seconds: u64) -> Self {
        Self { snooze_seconds: Some(seconds), ..Self::default() }
    }

    /// An update that adds a note to the timeline.
    pub fn note(text: impl Into<String>) -> Self {
        Self::default().with_note(text)
    }

    /// An update that changes the severity.
    pub fn severity(severity: Severity) -> Self {
        Self { severity: Some(severity), ..Self::default() }
    }

    /// Sets the person who makes the update (default: the key's name).
    #[must_use]
    pub fn by(mut self, person: impl Into<String>) -> Self {
        self.by = Some(person.into());
        self
    }

    /// Makes the update apply even if somebody else has the incident.
    #[must_use]
    pub fn take_over(mut self) -> Self {
        self.take_over = Some(true);
        self
    }

    /// Adds a note for the timeline.
    #[must_use]
    pub fn with_note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }
}
