//! People: how they are reached, and when they are away.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::words::StatusUpdates;

/// A person's methods, rules and absences.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutPerson,
    example = json!({
        "name": "Jo Doe", "timezone": "Europe/Athens",
        "methods": { "mail": "jo@example.org", "call": "tel:+302101234567" },
        "rules": { "CRIT": [{ "afterSeconds": 0, "methods": ["mail"] }, { "afterSeconds": 180, "methods": ["call"] }] },
        "absences": [{ "from": "2026-12-24", "to": "2026-12-27" }],
    })))]
#[serde(deny_unknown_fields)]
pub struct PersonEntry {
    /// The display name (default: the id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The person's IANA time zone (default: UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The person's contacts, each with a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<BTreeMap<String, String>>,
    /// For a severity or `default`: after how long which methods. Without a rule, an alert goes out by all methods at
    /// once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<BTreeMap<String, Vec<RuleStep>>>,
    /// When the person is away: they take no turns then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absences: Option<Vec<Absence>>,
    /// Whether the person is also notified a day before a shift begins, if the team sends shift notices (default: false).
    #[serde(default, rename = "dayAheadNotice", skip_serializing_if = "Option::is_none")]
    pub day_ahead_notice: Option<bool>,
    /// Whether the person is told who has claimed or resolved an incident of which they were alerted: `on` or `off`
    /// (default: as the deployment tells everybody).
    #[serde(default, rename = "statusUpdates", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub status_updates: Option<StatusUpdates>,
    /// Whether each of the person's methods gets a test message once a week (default: false).
    #[serde(default, rename = "weeklyTest", skip_serializing_if = "Option::is_none")]
    pub weekly_test: Option<bool>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// One step of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleStep {
    /// How long after the level began.
    pub after_seconds: u64,
    /// The methods by which the person is alerted then.
    pub methods: Vec<String>,
}

/// A time in which a person is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// An RFC 3339 time, or a local time of the person's zone such as `2026-12-24T09:00` or `2026-12-24`.
    pub from: String,
    /// When the absence ends, in the same forms.
    pub to: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PersonView))]
pub struct Person {
    /// The person's id.
    pub person: String,
    /// The display name.
    pub name: String,
    /// The person's IANA time zone.
    pub timezone: String,
    /// The person's contacts, each with a name; masked unless the API key has the scope `admin`.
    pub methods: BTreeMap<String, String>,
    /// For a severity or `default`: after how long which methods.
    #[serde(default)]
    pub rules: BTreeMap<String, Vec<RuleStep>>,
    /// When the person is away.
    #[serde(default)]
    pub absences: Vec<Absence>,
    /// Whether the person is also notified a day before a shift begins.
    #[serde(default, rename = "dayAheadNotice", skip_serializing_if = "std::ops::Not::not")]
    pub day_ahead_notice: bool,
    /// Whether the person gets status updates: `on` or `off`; absent if the deployment decides.
    #[serde(default, rename = "statusUpdates", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub status_updates: Option<StatusUpdates>,
    /// Whether each of the person's methods gets a test message once a week.
    #[serde(default, rename = "weeklyTest", skip_serializing_if = "std::ops::Not::not")]
    pub weekly_test: bool,
    /// Since when the person has stopped messages by a method, by its name. Such a method is not alerted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stopped: BTreeMap<String, DateTime<Utc>>,
    /// When the person verified the phone number of a method, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verified: BTreeMap<String, DateTime<Utc>>,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// The body of a request that leaves the person unchanged.
impl From<Person> for PersonEntry {
    fn from(person: Person) -> Self {
        Self {
            name: (person.name != person.person).then_some(person.name),
            timezone: Some(person.timezone),
            methods: Some(person.methods),
            rules: Some(person.rules),
            absences: Some(person.absences),
            day_ahead_notice: Some(person.day_ahead_notice).filter(|asked| *asked),
            status_updates: person.status_updates,
            weekly_test: Some(person.weekly_test).filter(|asked| *asked),
            owner: person.owner,
        }
    }
}

/// A page of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PeopleView))]
pub struct People {
    /// The people, in the order of their ids.
    pub people: Vec<Person>,
    /// The cursor of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The results of test messages, one for each of a person's methods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TestsView))]
pub struct Tests {
    /// The tests, in the order of the methods' names.
    pub tests: Vec<MethodTest>,
}

/// A code was sent to a phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CodeSentView,
    example = json!({ "expiresAt": "2026-11-24T03:10:00Z" })))]
#[serde(rename_all = "camelCase")]
pub struct CodeSent {
    /// How long the code is valid.
    pub expires_at: DateTime<Utc>,
}

/// The code that was sent to a phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutCode, example = json!({ "code": "123456" })))]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Six digits.
    pub code: String,
}

/// The result of one test message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = MethodTestView,
    example = json!({ "method": "mail", "outcome": "accepted", "seconds": 1 })))]
pub struct MethodTest {
    /// The person's method.
    pub method: String,
    /// `accepted`, `rejected`, `throttled`, `limited`, `unavailable` or `unknown`.
    pub outcome: String,
    /// How long the test took.
    pub seconds: u64,
    /// What the carrier said or what went wrong; only for an API key with the scope `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
