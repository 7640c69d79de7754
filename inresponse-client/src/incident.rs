//! What is sent about incidents, and which are asked for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use inresponse_api::{Link, Severity, State};
use serde::Serialize;

/// A new incident.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    service: String,
    severity: Severity,
    title: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detected_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedup_key: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

impl Report {
    /// A report about a service: a line, and as many more as it takes.
    pub fn new(
        service: impl Into<String>,
        severity: Severity,
        title: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            service: service.into(),
            severity,
            title: title.into(),
            message: message.into(),
            source: None,
            detected_at: None,
            dedup_key: None,
            labels: BTreeMap::new(),
            links: Vec::new(),
        }
    }

    /// The same from a kind of system: nagios, prometheus, …
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same with the time at which the trouble was detected; now unless given.
    #[must_use]
    pub fn detected_at(mut self, at: DateTime<Utc>) -> Self {
        self.detected_at = Some(at);
        self
    }

    /// The same with a key: reports about a service with the same key are the same incident while it is not resolved.
    #[must_use]
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.dedup_key = Some(key.into());
        self
    }

    /// The same with a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// The same with a link.
    #[must_use]
    pub fn link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        self.links.push(Link { text: text.into(), url: url.into() });
        self
    }
}

/// A change of an incident.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    take_over: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hand_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hand_to_team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escalate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl Update {
    /// Claims it: alerts stop.
    pub fn claim() -> Self {
        Self { state: Some(State::Claimed), ..Self::default() }
    }

    /// Gives it back: alerts begin again.
    pub fn release() -> Self {
        Self { state: Some(State::Open), ..Self::default() }
    }

    /// Ends it for good.
    pub fn resolve() -> Self {
        Self { state: Some(State::Resolved), ..Self::default() }
    }

    /// Gives it to somebody, who is told if this is an address, and must answer.
    pub fn hand_to(person: impl Into<String>) -> Self {
        Self { hand_to: Some(person.into()), ..Self::default() }
    }

    /// Gives it to another team: its on-call engineer is alerted at once.
    pub fn hand_to_team(team: impl Into<String>) -> Self {
        Self { hand_to_team: Some(team.into()), ..Self::default() }
    }

    /// Alerts the next level without waiting.
    pub fn escalate() -> Self {
        Self { escalate: Some(true), ..Self::default() }
    }

    /// Adds a note to the timeline.
    pub fn note(text: impl Into<String>) -> Self {
        Self::default().with_note(text)
    }

    /// Changes the severity.
    pub fn severity(severity: Severity) -> Self {
        Self { severity: Some(severity), ..Self::default() }
    }

    /// The same by somebody; by the key's name unless given.
    #[must_use]
    pub fn by(mut self, person: impl Into<String>) -> Self {
        self.by = Some(person.into());
        self
    }

    /// The same although somebody else has it.
    #[must_use]
    pub fn take_over(mut self) -> Self {
        self.take_over = Some(true);
        self
    }

    /// The same with a note for the timeline.
    #[must_use]
    pub fn with_note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }
}

/// Which incidents to list; all unless narrowed.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    pub(crate) state: Option<State>,
    pub(crate) service: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) severity: Option<Severity>,
    pub(crate) limit: Option<usize>,
    pub(crate) cursor: Option<String>,
}

impl ListQuery {
    /// All, newest first, 50 to a page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only those in a state.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Only those of a service.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Only those that a team has.
    #[must_use]
    pub fn team(mut self, team: impl Into<String>) -> Self {
        self.team = Some(team.into());
        self
    }

    /// Only those of a severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// So many to a page: 1 to 500.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// From where a page ended.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}
