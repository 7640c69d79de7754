//! A team's settings and calendar entries.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use serde_json::{Map, Value};

use super::{Hours, Layer, Target};
use crate::error::InvalidInput;
use crate::model::{Contact, Matrix, OwnerName, Severity, Zone};

/// A team's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    timezone: Zone,
    #[serde(rename = "escalateAfterSeconds", with = "seconds")]
    escalate_after: Duration,
    fallback: Vec<Target>,
    repeat: u32,
    #[serde(default)]
    alert_levels: BTreeMap<Severity, Vec<u16>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    levels: Vec<TeamLevel>,
    /// How long a claim lasts; absent if claims do not end.
    #[serde(
        rename = "claimTimeoutSeconds",
        default,
        skip_serializing_if = "Option::is_none",
        with = "maybe_seconds"
    )]
    claim_timeout: Option<Duration>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    alert_hours: BTreeMap<Severity, Vec<Hours>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shift_notices: Option<ShiftNotices>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

/// The team tells people by mail when their shifts begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftNotices {
    /// A contact, such as a chat channel, that is told too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Contact>,
}

/// One level of a team's own ladder: who is alerted, and how long the level is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamLevel {
    /// Everyone whom this level alerts, at the same time.
    pub notify: Vec<Target>,
    /// How long the level has. If absent, it has the team's wait.
    #[serde(
        rename = "waitSeconds",
        default,
        skip_serializing_if = "Option::is_none",
        with = "maybe_seconds"
    )]
    pub wait: Option<Duration>,
}

impl Team {
    /// The default wait.
    pub const DEFAULT_WAIT: Duration = Duration::from_secs(600);
    /// The maximum wait.
    pub const MAX_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);
    /// The maximum number of repeat rounds.
    pub const MAX_REPEAT: u32 = 100;

    /// The maximum number of levels.
    pub const MAX_LEVELS: usize = Matrix::MAX_CONTACTS / 2;

    /// Builds settings with that fallback, and defaults for everything else.
    pub fn builder<T: Into<Target>>(fallback: Vec<T>) -> TeamBuilder {
        TeamBuilder {
            team: Team {
                timezone: Zone::utc(),
                escalate_after: Self::DEFAULT_WAIT,
                fallback: fallback.into_iter().map(Into::into).collect(),
                repeat: 0,
                alert_levels: BTreeMap::new(),
                levels: Vec::new(),
                claim_timeout: None,
                alert_hours: BTreeMap::new(),
                shift_notices: None,
                owner: None,
            },
        }
    }

    /// A builder that begins with these settings.
    pub fn to_builder(&self) -> TeamBuilder {
        TeamBuilder { team: self.clone() }
    }

    /// The time zone in which the calendar's days begin and end.
    pub fn timezone(&self) -> &Zone {
        &self.timezone
    }

    /// The wait: how long a level has before the next one is alerted.
    pub fn escalate_after(&self) -> Duration {
        self.escalate_after
    }

    /// The fallback: it is alerted if nobody else can be reached, or nobody else has claimed.
    pub fn fallback(&self) -> &[Target] {
        &self.fallback
    }

    /// The team's own ladder: who is alerted on days without a calendar entry, level by level.
    pub fn levels(&self) -> &[TeamLevel] {
        &self.levels
    }

    /// Everybody whom the levels and the fallback name.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.levels.iter().flat_map(|level| &level.notify).chain(&self.fallback)
    }

    /// The number of further rounds before the fallback.
    pub fn repeat(&self) -> u32 {
        self.repeat
    }

    /// The levels that each severity alerts, if not all.
    pub fn alert_levels(&self) -> &BTreeMap<Severity, Vec<u16>> {
        &self.alert_levels
    }

    /// How long a claim lasts; `None` if claims do not end.
    pub fn claim_timeout(&self) -> Option<Duration> {
        self.claim_timeout
    }

    /// The weekly hours, in the team's zone, in which a severity is alerted. A severity without hours is always alerted.
    pub fn alert_hours(&self) -> &BTreeMap<Severity, Vec<Hours>> {
        &self.alert_hours
    }

    /// Whether people are told when their shifts begin, and who else is told.
    pub fn shift_notices(&self) -> Option<&ShiftNotices> {
        self.shift_notices.as_ref()
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same settings with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }
}

/// Collects a [`Team`]'s settings; [`build`](Self::build) checks them.
#[derive(Debug, Clone)]
pub struct TeamBuilder {
    team: Team,
}

impl TeamBuilder {
    /// Sets the time zone of the calendar (default: UTC).
    #[must_use]
    pub fn timezone(mut self, zone: Zone) -> Self {
        self.team.timezone = zone;
        self
    }

    /// Sets the wait of a level: a whole number of milliseconds (default: ten minutes).
    #[must_use]
    pub fn escalate_after(mut self, wait: Duration) -> Self {
        self.team.escalate_after = wait;
        self
    }

    /// Sets how long a claim lasts (default: claims do not end).
    #[must_use]
    pub fn claim_timeout(mut self, timeout: Duration) -> Self {
        self.team.claim_timeout = Some(timeout);
        self
    }

    /// Sets the number of further rounds before the fallback (default: none).
    #[must_use]
    pub fn repeat(mut self, rounds: u32) -> Self {
        self.team.repeat = rounds;
        self
    }

    /// Sets the levels that a severity alerts (default: all). An empty list alerts nobody.
    #[must_use]
    pub fn alert_levels(mut self, severity: Severity, levels: Vec<u16>) -> Self {
        self.team.alert_levels.insert(severity, levels);
        self
    }

    /// Sets the weekly hours, in the team's zone, in which a severity is alerted (default: always).
    #[must_use]
    pub fn alert_hours(mut self, severity: Severity, hours: Vec<Hours>) -> Self {
        self.team.alert_hours.insert(severity, hours);
        self
    }

    /// The team's own ladder (default: none).
    #[must_use]
    pub fn levels(mut self, levels: Vec<TeamLevel>) -> Self {
        self.team.levels = levels;
        self
    }

    /// Tells people when their shifts begin (default: nobody is told).
    #[must_use]
    pub fn shift_notices(mut self, notices: ShiftNotices) -> Self {
        self.team.shift_notices = Some(notices);
        self
    }

    /// Checks all settings, and makes them.
    ///
    /// # Errors
    /// Lists every invalid setting, by its name on the wire.
    pub fn build(self) -> Result<Team, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let team = self.team;
        if team.fallback.is_empty() {
            invalid.push("fallback", "must name at least one contact");
        }
        if team.fallback.len() > Matrix::MAX_CONTACTS / 2 {
            invalid.push("fallback", format!("must be at most {} contacts", Matrix::MAX_CONTACTS / 2));
        }
        if team.levels.len() > Team::MAX_LEVELS {
            invalid.push("levels", format!("must be at most {}", Team::MAX_LEVELS));
        }
        for (i, level) in team.levels.iter().enumerate() {
            if level.notify.len() > Team::MAX_LEVELS {
                invalid.push(format!("levels[{i}].notify"), format!("must be at most {}", Team::MAX_LEVELS));
            }
            if level.wait.is_some_and(|wait| wait < Duration::from_secs(1) || wait > Team::MAX_WAIT) {
                let most = Team::MAX_WAIT.as_secs();
                invalid.push(format!("levels[{i}].waitSeconds"), format!("must be from 1 to {most}"));
            }
        }
        if team.escalate_after < Duration::from_secs(1) || team.escalate_after > Team::MAX_WAIT {
            let most = Team::MAX_WAIT.as_secs();
            invalid.push("escalateAfterSeconds", format!("must be from 1 to {most}"));
        }
        if team.claim_timeout.is_some_and(|time| time < Duration::from_secs(1) || time > Team::MAX_WAIT) {
            let most = Team::MAX_WAIT.as_secs();
            invalid.push("claimTimeoutSeconds", format!("must be from 1 to {most}"));
        }
        if team.repeat > Team::MAX_REPEAT {
            invalid.push("repeat", format!("must be at most {}", Team::MAX_REPEAT));
        }
        for (severity, levels) in &team.alert_levels {
            if levels.contains(&0) || levels.len() > Matrix::MAX_CONTACTS {
                invalid.push(format!("alertLevels.{severity}"), "must be level numbers, counted from 1");
            }
        }
        for (severity, hours) in &team.alert_hours {
            let field = format!("alertHours.{severity}");
            if hours.iter().all(|hours| hours.days.is_empty()) {
                invalid.push(field, "must open on at least one day");
            } else if hours.len() > Layer::MAX_HOURS {
                invalid.push(field, format!("must be at most {}", Layer::MAX_HOURS));
            } else if let Some(i) = hours.iter().position(|hours| hours.days.is_empty()) {
                invalid.push(format!("{field}[{i}].days"), "must name at least one day");
            }
        }
        if invalid.is_empty() { Ok(team) } else { Err(invalid) }
    }
}

impl Team {
    /// The settings as they may be shown: `masked` shows targets without addresses.
    pub(super) fn shown(&self, masked: &dyn Fn(&[Target]) -> Value) -> Map<String, Value> {
        let levels = self.alert_levels.iter();
        let levels = levels.map(|(severity, levels)| (severity.to_string(), levels.clone().into()));
        let mut shown = Map::from_iter([
            ("timezone".into(), Value::from(self.timezone.name())),
            ("escalateAfterSeconds".into(), self.escalate_after.as_secs_f64().into()),
            ("fallback".into(), masked(&self.fallback)),
            ("repeat".into(), self.repeat.into()),
            ("alertLevels".into(), Value::Object(levels.collect())),
        ]);
        if let Some(timeout) = self.claim_timeout {
            shown.insert("claimTimeoutSeconds".to_owned(), timeout.as_secs_f64().into());
        }
        if !self.levels.is_empty() {
            let level = |level: &TeamLevel| {
                let mut shown = Map::from_iter([("notify".to_owned(), masked(&level.notify))]);
                let wait = level.wait.map(|wait| ("waitSeconds".to_owned(), wait.as_secs_f64().into()));
                shown.extend(wait);
                Value::Object(shown)
            };
            shown.insert("levels".to_owned(), self.levels.iter().map(level).collect());
        }
        if !self.alert_hours.is_empty() {
            let hours = serde_json::to_value(&self.alert_hours).unwrap_or_default();
            shown.insert("alertHours".to_owned(), hours);
        }
        if let Some(notices) = &self.shift_notices {
            let channel = notices.channel.iter().cloned().map(Target::Contact).collect::<Vec<_>>();
            let channel = masked(&channel).as_array_mut().and_then(Vec::pop);
            let channel = channel.into_iter().map(|channel| ("channel".to_owned(), channel));
            shown.insert("shiftNotices".to_owned(), Value::Object(channel.collect()));
        }
        shown.extend(self.owner.iter().map(|owner| ("owner".to_owned(), Value::from(owner.as_str()))));
        shown
    }
}

/// A calendar entry: the contacts who are on call on one day of a team, and those of the next levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rota {
    oncall: Vec<Target>,
    escalation: Vec<Vec<Target>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

impl Rota {
    /// Makes an entry: `oncall` is alerted first, together; then each entry of `escalation` in order.
    ///
    /// # Errors
    /// There are more contacts than a matrix can have. Empty lists are allowed: an empty level is skipped.
    pub fn new<T: Into<Target>>(oncall: Vec<T>, escalation: Vec<Vec<T>>) -> Result<Self, InvalidInput> {
        let targets = |level: Vec<T>| level.into_iter().map(Into::into).collect::<Vec<Target>>();
        let (oncall, escalation) = (targets(oncall), escalation.into_iter().map(targets).collect::<Vec<_>>());
        let contacts = oncall.len() + escalation.iter().map(Vec::len).sum::<usize>();
        let most = Matrix::MAX_CONTACTS / 2;
        if contacts > most || escalation.len() >= most {
            return Err(InvalidInput::field(
                "escalation",
                format!("must be at most {most} contacts and levels"),
            ));
        }
        Ok(Self { oncall, escalation, owner: None })
    }

    /// The contacts who are on call: level 1.
    pub fn oncall(&self) -> &[Target] {
        &self.oncall
    }

    /// The contacts of the next levels, level by level.
    pub fn escalation(&self) -> &[Vec<Target>] {
        &self.escalation
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same entry with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }

    /// Everybody whom the entry names.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.oncall.iter().chain(self.escalation.iter().flatten())
    }
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(d.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

mod maybe_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Option<Duration>, s: S) -> Result<S::Ok, S::Error> {
        match d {
            Some(d) => s.serialize_f64(d.as_secs_f64()),
            None => s.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
        let seconds = Option::<f64>::deserialize(d)?;
        let wait = seconds.map(Duration::try_from_secs_f64).transpose();
        wait.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_team_names_every_invalid_setting() {
        let refused = Team::builder(Vec::<Contact>::new())
            .escalate_after(Duration::ZERO)
            .repeat(1000)
            .alert_levels(Severity::Warn, vec![0])
            .build()
            .unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|e| e.field()).collect();
        assert_eq!(fields, ["fallback", "escalateAfterSeconds", "repeat", "alertLevels.WARN"]);
        assert!(Zone::new("Europe/Atlantis").is_err());
    }

    #[test]
    fn a_team_survives_being_stored() {
        let team = Team::builder(vec![Contact::new("a@b.c").unwrap()])
            .timezone(Zone::new("America/St_Johns").unwrap())
            .escalate_after(Duration::from_millis(1500))
            .alert_levels(Severity::Warn, vec![])
            .shift_notices(ShiftNotices { channel: Some(Contact::new("slack:ops").unwrap()) })
            .build()
            .unwrap();
        let json = serde_json::to_string(&team).unwrap();
        assert_eq!(serde_json::from_str::<Team>(&json).unwrap(), team);
    }
}
