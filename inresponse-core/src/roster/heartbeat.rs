//! Heartbeats: what must report that it is alive, and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::InvalidInput;
use crate::model::{HeartbeatName, OwnerName, Report, ServiceName, Severity};

/// The definition of a heartbeat: if no ping comes within the interval and the grace, an incident opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    service: ServiceName,
    severity: Severity,
    every_seconds: u64,
    #[serde(default)]
    grace_seconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerName>,
}

impl Heartbeat {
    /// The longest interval, and the longest grace: 366 days.
    pub const MAX: Duration = Duration::from_secs(366 * 24 * 3600);

    /// A heartbeat that is due `every` so often, and is missed when `grace` more has passed. The incident of a miss
    /// is one of `service`.
    ///
    /// Parts of a second are cut off.
    ///
    /// # Errors
    /// Every invalid field, by its name on the wire: the interval must be at least a second, and both at most
    /// [`MAX`](Self::MAX).
    pub fn new(
        service: ServiceName,
        severity: Severity,
        every: Duration,
        grace: Duration,
        title: Option<String>,
    ) -> Result<Self, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let max = Self::MAX.as_secs();
        if every.as_secs() == 0 || every > Self::MAX {
            invalid.push("everySeconds", format!("must be from 1 to {max}"));
        }
        if grace > Self::MAX {
            invalid.push("graceSeconds", format!("must be at most {max}"));
        }
        let title = title.map(|title| title.trim().to_owned()).filter(|title| !title.is_empty());
        if let Some(title) = &title {
            invalid.keep(crate::model::title("title", title, Report::MAX_TITLE_BYTES));
        }
        let (every_seconds, grace_seconds) = (every.as_secs(), grace.as_secs());
        let heartbeat = Self { service, severity, every_seconds, grace_seconds, title, owner: None };
        if invalid.is_empty() { Ok(heartbeat) } else { Err(invalid) }
    }

    /// The service whose incident a miss is.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The severity of a miss.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The interval between two pings.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds)
    }

    /// How late a ping may be.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }

    /// How long after a ping the next one must have come: the interval and the grace.
    pub fn span(&self) -> Duration {
        self.every().saturating_add(self.grace())
    }

    /// The title of a miss, if the definition has one.
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The title of a miss of the heartbeat with that name.
    pub fn title_of_miss(&self, name: &HeartbeatName) -> String {
        self.title.clone().unwrap_or_else(|| format!("no ping from heartbeat {name}"))
    }

    /// The owner of the roster file that made the entry.
    pub fn owner(&self) -> Option<&OwnerName> {
        self.owner.as_ref()
    }

    /// The same heartbeat with that owner.
    #[must_use]
    pub fn owned_by(self, owner: Option<OwnerName>) -> Self {
        Self { owner, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_an_invalid_heartbeat_names_its_fields() {
        let heartbeat = |every: u64, grace: u64, title: Option<&str>| {
            let service = ServiceName::new("athens").unwrap();
            let (every, grace) = (Duration::from_secs(every), Duration::from_secs(grace));
            Heartbeat::new(service, Severity::Crit, every, grace, title.map(str::to_owned))
        };
        let fields = |refused: InvalidInput| -> Vec<String> {
            refused.errors().iter().map(|error| error.field().to_owned()).collect()
        };
        assert_eq!(fields(heartbeat(0, 0, None).unwrap_err()), ["everySeconds"]);
        assert_eq!(fields(heartbeat(1, u64::MAX, Some("a\u{1}b")).unwrap_err()), ["graceSeconds", "title"]);
        assert!(heartbeat(366 * 86_400, 366 * 86_400, Some(" ")).is_ok());
        let name = HeartbeatName::new("nightly backup").unwrap();
        let title = |title| heartbeat(60, 0, title).unwrap().title_of_miss(&name);
        assert_eq!(title(None), "no ping from heartbeat nightly backup");
        assert_eq!(title(Some("the backup did not run")), "the backup did not run");
    }
}
