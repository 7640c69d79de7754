//! Incidents over the wire.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// The word that goes over the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How bad it is.
    Severity {
        /// Worth a look.
        Warn = "WARN",
        /// Something is broken.
        Err = "ERR",
        /// Everything is.
        Crit = "CRIT",
    }
}

words! {
    /// Where an incident stands.
    State {
        /// Nobody has it; people are alerted.
        Open = "OPEN",
        /// Somebody has it.
        Claimed = "CLAIMED",
        /// It is over.
        Resolved = "RESOLVED",
    }
}

words! {
    /// Who was reached once everybody's turn had come.
    Reached {
        /// Everybody.
        Everybody = "everybody",
        /// Somebody, and not everybody.
        Somebody = "somebody",
        /// Nobody yet.
        NobodyYet = "nobodyYet",
        /// Nobody could be.
        Nobody = "nobody",
    }
}

/// A link: a runbook, a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is called.
    pub text: String,
    /// Where it leads; http or https.
    pub url: String,
}

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

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the HTTP API")]
pub struct Incident {
    pub incident_id: u64,
    pub service: String,
    pub team: String,
    pub severity: Severity,
    pub state: State,
    pub title: String,
    pub message: String,
    pub source: Option<String>,
    pub detected_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub claimed_by: Option<String>,
    pub claimed_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_ends_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub handover_unconfirmed: bool,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub dedup_key: Option<String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub links: Vec<Link>,
    pub count: u64,
    pub round: u32,
    pub next_alert_at: Option<DateTime<Utc>>,
    pub unclaimed: bool,
    pub undelivered: bool,
    /// Only if it is unclaimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
}

/// An incident with its deliveries and its timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Details {
    /// The incident.
    #[serde(flatten)]
    pub incident: Incident,
    /// What comes next, unless somebody claims it.
    #[serde(default)]
    pub upcoming: Vec<Upcoming>,
    /// Who was alerted, and how that went.
    pub deliveries: Vec<Delivery>,
    /// What people and levels did, the oldest first.
    pub timeline: Vec<Entry>,
    /// What one should know of what was just done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Something that was done, and may not be what was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Warning {
    /// The field of the request.
    pub field: String,
    /// What is odd about it.
    pub message: String,
}

/// A level that is alerted later, or a further round with the people who are on call then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the HTTP API")]
pub enum Upcoming {
    /// A level.
    Level { at: DateTime<Utc>, level: Level, contacts: Vec<String> },
    /// A round.
    Round { at: DateTime<Utc>, round: u32 },
}

/// A level: its number, or `fallback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Level {
    /// From 1.
    Number(u16),
    /// `fallback`.
    Word(String),
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::Number(n) => write!(f, "level {n}"),
            Level::Word(word) => f.write_str(word),
        }
    }
}

/// One contact to be alerted at one level of one round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the HTTP API")]
pub struct Delivery {
    pub delivery_id: String,
    pub round: u32,
    pub level: Level,
    pub contact: String,
    /// `pending`, `inFlight`, `accepted`, `dead` or `stopped`.
    pub status: String,
    pub due_at: Option<DateTime<Utc>>,
    pub settled_at: Option<DateTime<Utc>>,
    pub attempts: u32,
    pub since: DateTime<Utc>,
    pub last_outcome: Option<AttemptOutcome>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the HTTP API")]
pub struct AttemptOutcome {
    pub kind: String,
    pub detail: String,
    pub at: DateTime<Utc>,
}

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the HTTP API")]
pub struct Entry {
    pub at: DateTime<Utc>,
    /// What happened: `opened`, `levelBegan`, `claimed`, …
    pub event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The name of the API key that it was done with; `link` for the link in an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at_once: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<Reached>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
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

/// A page of incidents, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// The incidents.
    pub incidents: Vec<Incident>,
    /// Where the next page begins; none on the last one.
    pub cursor: Option<String>,
}
