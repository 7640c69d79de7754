//! The `[roster]` of a file as TOML, as it is read and as it is written. Only its shape is checked.

use std::collections::BTreeMap;

use inresponse_client::{
    Absence, Contacts, Feed, Hours, Layer, Levels, Severity, ShiftNotices, StatusUpdates, Weekly,
};
use serde::{Deserialize, Serialize};

/// Services, teams and their calendars, people, schedules, heartbeats, silences and routing rules.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRoster {
    /// The owner, stored with every entry of the file, so that entries that the file no longer names can be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// The team of each service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) services: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) people: BTreeMap<String, FilePerson>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) teams: BTreeMap<String, FileTeam>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) heartbeats: BTreeMap<String, FileHeartbeat>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) silences: BTreeMap<String, FileSilence>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) routes: Vec<FileRule>,
}

/// A routing rule, with the names of the HTTP API or their kebab-case. Its matchers are written as in Alertmanager.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FileRule {
    pub(crate) name: String,
    pub(crate) matchers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) severity: Option<Severity>,
    #[serde(default, alias = "recordOnly", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) record_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) heartbeat: Option<String>,
}

/// A heartbeat, with the names of the HTTP API or their kebab-case.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FileHeartbeat {
    pub(crate) service: String,
    pub(crate) severity: Severity,
    #[serde(alias = "everySeconds")]
    pub(crate) every_seconds: u64,
    #[serde(default, alias = "graceSeconds", skip_serializing_if = "Option::is_none")]
    pub(crate) grace_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
}

/// A person, with the names of the HTTP API or their kebab-case.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilePerson {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) methods: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) rules: BTreeMap<String, Vec<FileStep>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) absences: Vec<Absence>,
    #[serde(
        default,
        rename = "day-ahead-notice",
        alias = "dayAheadNotice",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) day_ahead_notice: Option<bool>,
    #[serde(
        default,
        rename = "status-updates",
        alias = "statusUpdates",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) status_updates: Option<StatusUpdates>,
    #[serde(default, rename = "weekly-test", alias = "weeklyTest", skip_serializing_if = "Option::is_none")]
    pub(crate) weekly_test: Option<bool>,
}

/// A step of a person's rule.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FileStep {
    #[serde(alias = "afterSeconds")]
    pub(crate) after_seconds: u64,
    pub(crate) methods: Vec<String>,
}

/// A team, with the names of the HTTP API or their kebab-case.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FileTeam {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
    #[serde(alias = "escalateAfterSeconds", skip_serializing_if = "Option::is_none")]
    pub(crate) escalate_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fallback: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repeat: Option<u32>,
    #[serde(default, alias = "alertLevels", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) alert_levels: BTreeMap<String, Vec<u16>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) levels: Vec<FileLevel>,
    #[serde(alias = "claimTimeoutSeconds", skip_serializing_if = "Option::is_none")]
    pub(crate) claim_timeout_seconds: Option<u64>,
    #[serde(default, alias = "alertHours", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) alert_hours: BTreeMap<String, Vec<Hours>>,
    #[serde(alias = "shiftNotices", skip_serializing_if = "Option::is_none")]
    pub(crate) shift_notices: Option<ShiftNotices>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) calendar: BTreeMap<String, FileDay>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) schedules: BTreeMap<String, FileSchedule>,
}

/// A level of a team's own ladder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FileLevel {
    pub(crate) notify: Contacts,
    #[serde(alias = "waitSeconds", skip_serializing_if = "Option::is_none")]
    pub(crate) wait_seconds: Option<u64>,
}

/// A day's entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileDay {
    pub(crate) oncall: Contacts,
    #[serde(default = "no_levels", skip_serializing_if = "is_without_levels")]
    pub(crate) escalation: Levels,
}

/// A silence. Its matchers are written as in Alertmanager.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSilence {
    pub(crate) matchers: Vec<String>,
    pub(crate) from: String,
    pub(crate) to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weekly: Option<Weekly>,
}

/// A schedule with its overrides.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileSchedule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) layers: Vec<Layer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) feeds: Vec<Feed>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) overrides: BTreeMap<String, FileOverride>,
}

/// An override.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FileOverride {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) oncall: Contacts,
    #[serde(alias = "insteadOf", skip_serializing_if = "Option::is_none")]
    pub(crate) instead_of: Option<Contacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

fn no_levels() -> Levels {
    Levels::Many(Vec::new())
}

fn is_without_levels(levels: &Levels) -> bool {
    levels.texts().is_empty()
}

/// The words of the HTTP API that have another form in a file: kebab-case.
const WORDS: [(&str, &str); 14] = [
    ("recordOnly", "record-only"),
    ("alertHours", "alert-hours"),
    ("everySeconds", "every-seconds"),
    ("graceSeconds", "grace-seconds"),
    ("claimTimeoutSeconds", "claim-timeout-seconds"),
    ("escalateAfterSeconds", "escalate-after-seconds"),
    ("alertLevels", "alert-levels"),
    ("waitSeconds", "wait-seconds"),
    ("afterSeconds", "after-seconds"),
    ("insteadOf", "instead-of"),
    ("shiftNotices", "shift-notices"),
    ("dayAheadNotice", "day-ahead-notice"),
    ("statusUpdates", "status-updates"),
    ("weeklyTest", "weekly-test"),
];

/// Replaces the words of the HTTP API in a field or a message by those of a file.
pub(super) fn in_words_of_a_file(text: &str) -> String {
    WORDS.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}
