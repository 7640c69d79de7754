//! Silences: what they match, and when.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::request::Time;

/// A condition on a label, as in Alertmanager. The names `service`, `team` and `severity` mean the incident's field or a
/// label of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SilenceMatcher,
    example = json!({ "name": "service", "value": "checkout" })))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Matcher {
    /// The name of the label, or `service`, `team` or `severity`.
    pub name: String,
    /// The value, or the regular expression, which must match the whole value. A missing label is like an empty one.
    pub value: String,
    /// Whether the value is a regular expression (default: no).
    #[serde(default)]
    pub is_regex: bool,
    /// Whether the value must match; if not, it must differ (default: yes).
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

/// Weekly hours in a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SilenceWeekly))]
#[serde(deny_unknown_fields)]
pub struct Weekly {
    /// The days on which the hours begin: `Mon` to `Sun`.
    pub days: Vec<String>,
    /// When the hours begin, such as `02:00`.
    pub from: String,
    /// When the hours end: on the next day if this is not after `from`.
    pub to: String,
    /// The IANA time zone of the hours (default: UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// A silence, as a request makes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PutSilence,
    example = json!({
        "matchers": [{ "name": "service", "value": "checkout" }],
        "to": "2026-12-07T11:00:00Z", "comment": "new database",
    })))]
#[serde(deny_unknown_fields)]
pub struct SilenceEntry {
    /// The conditions, all of which an incident must fulfil.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub matchers: Option<Vec<Matcher>>,
    /// When the silence begins, RFC 3339 or Unix seconds (default: now).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// When the silence ends, RFC 3339 or Unix seconds. It lasts at most 400 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required, nullable = false))]
    pub to: Option<Time>,
    /// If given, the silence is active only in these hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<Weekly>,
    /// Why, at most 1,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The owner of the roster file that makes the entry, at most 100 bytes (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SilenceView))]
pub struct Silence {
    /// The silence's name.
    pub id: String,
    /// The conditions, all of which an incident must fulfil.
    pub matchers: Vec<Matcher>,
    /// When the silence begins.
    pub from: DateTime<Utc>,
    /// When the silence ends, as it was requested. It lasts at most 400 days.
    pub to: DateTime<Utc>,
    /// The hours in which the silence is active; absent if it is active all the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<Weekly>,
    /// The key or person that made the silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why it was made; may be empty.
    #[serde(default)]
    pub comment: String,
    /// The owner of the roster file that made the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How many open incidents are quiet because of the silence; absent if they were not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
}

/// The body of a request that leaves the silence unchanged.
impl From<Silence> for SilenceEntry {
    fn from(one: Silence) -> Self {
        let time = |at: DateTime<Utc>| Time::Text(at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
        Self {
            matchers: Some(one.matchers),
            from: Some(time(one.from)),
            to: Some(time(one.to)),
            weekly: one.weekly,
            comment: Some(one.comment).filter(|comment| !comment.is_empty()),
            owner: one.owner,
        }
    }
}

/// A page of silences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SilencesView))]
pub struct Silences {
    /// The silences, in the order of their names.
    pub silences: Vec<Silence>,
    /// The cursor of the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
