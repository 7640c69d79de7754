//! A team's settings and calendar entries.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;
use crate::model::{Contact, Matrix, Severity, Zone};

/// A team's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    timezone: Zone,
    #[serde(rename = "escalateAfterSeconds", with = "seconds")]
    escalate_after: Duration,
    fallback: Vec<Contact>,
    repeat: u32,
    #[serde(default)]
    alert_levels: BTreeMap<Severity, Vec<u16>>,
}

impl Team {
    /// The default wait.
    pub const DEFAULT_WAIT: Duration = Duration::from_secs(600);
    /// The longest wait.
    pub const MAX_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);
    /// The most repeat rounds.
    pub const MAX_REPEAT: u32 = 100;

    /// A team whose fallback is `fallback`, with the defaults for everything else.
    pub fn builder(fallback: Vec<Contact>) -> TeamBuilder {
        TeamBuilder {
            team: Team {
                timezone: Zone::utc(),
                escalate_after: Self::DEFAULT_WAIT,
                fallback,
                repeat: 0,
                alert_levels: BTreeMap::new(),
            },
        }
    }

    /// The zone in which its calendar's days begin and end.
    pub fn timezone(&self) -> &Zone {
        &self.timezone
    }

    /// How long a level is given before the next one is alerted.
    pub fn escalate_after(&self) -> Duration {
        self.escalate_after
    }

    /// Who is alerted when nobody else can be or nobody else has claimed.
    pub fn fallback(&self) -> &[Contact] {
        &self.fallback
    }

    /// How many further rounds come before the fallback.
    pub fn repeat(&self) -> u32 {
        self.repeat
    }

    /// Which levels a severity alerts, where not all.
    pub fn alert_levels(&self) -> &BTreeMap<Severity, Vec<u16>> {
        &self.alert_levels
    }
}

/// Collects a [`Team`]'s settings; [`build`](Self::build) checks them.
#[derive(Debug, Clone)]
pub struct TeamBuilder {
    team: Team,
}

impl TeamBuilder {
    /// The zone of its calendar (default: UTC).
    #[must_use]
    pub fn timezone(mut self, zone: Zone) -> Self {
        self.team.timezone = zone;
        self
    }

    /// How long a level is given; a whole number of milliseconds (default: ten minutes).
    #[must_use]
    pub fn escalate_after(mut self, wait: Duration) -> Self {
        self.team.escalate_after = wait;
        self
    }

    /// Further rounds before the fallback (default: none).
    #[must_use]
    pub fn repeat(mut self, rounds: u32) -> Self {
        self.team.repeat = rounds;
        self
    }

    /// Which levels a severity alerts (default: all); an empty list alerts none.
    #[must_use]
    pub fn alert_levels(mut self, severity: Severity, levels: Vec<u16>) -> Self {
        self.team.alert_levels.insert(severity, levels);
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Every invalid setting, by its name on the wire.
    pub fn build(self) -> Result<Team, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let team = self.team;
        if team.fallback.is_empty() {
            invalid.push("fallback", "must name at least one contact");
        }
        if team.fallback.len() > Matrix::MAX_CONTACTS / 2 {
            invalid.push("fallback", format!("must be at most {} contacts", Matrix::MAX_CONTACTS / 2));
        }
        if team.escalate_after < Duration::from_secs(1) || team.escalate_after > Team::MAX_WAIT {
            let most = Team::MAX_WAIT.as_secs();
            invalid.push("escalateAfterSeconds", format!("must be from 1 to {most}"));
        }
        if team.repeat > Team::MAX_REPEAT {
            invalid.push("repeat", format!("must be at most {}", Team::MAX_REPEAT));
        }
        for (severity, levels) in &team.alert_levels {
            if levels.contains(&0) || levels.len() > Matrix::MAX_CONTACTS {
                invalid.push(format!("alertLevels.{severity}"), "must be level numbers, counted from 1");
            }
        }
        if invalid.is_empty() { Ok(team) } else { Err(invalid) }
    }
}

/// A calendar entry: who is on call on one day of a team, and to whom it escalates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rota {
    oncall: Vec<Contact>,
    escalation: Vec<Vec<Contact>>,
}

impl Rota {
    /// `oncall` is alerted first, together; then each entry of `escalation` in order.
    ///
    /// # Errors
    /// More contacts than a matrix can have. Empty lists are allowed: an empty level is skipped.
    pub fn new(oncall: Vec<Contact>, escalation: Vec<Vec<Contact>>) -> Result<Self, InvalidInput> {
        let contacts = oncall.len() + escalation.iter().map(Vec::len).sum::<usize>();
        let most = Matrix::MAX_CONTACTS / 2;
        if contacts > most || escalation.len() >= most {
            return Err(InvalidInput::field(
                "escalation",
                format!("must be at most {most} contacts and levels"),
            ));
        }
        Ok(Self { oncall, escalation })
    }

    /// Who is on call.
    pub fn oncall(&self) -> &[Contact] {
        &self.oncall
    }

    /// To whom it escalates, level by level.
    pub fn escalation(&self) -> &[Vec<Contact>] {
        &self.escalation
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_team_names_every_invalid_setting() {
        let refused = Team::builder(Vec::new())
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
            .build()
            .unwrap();
        let json = serde_json::to_string(&team).unwrap();
        assert_eq!(serde_json::from_str::<Team>(&json).unwrap(), team);
    }
}
