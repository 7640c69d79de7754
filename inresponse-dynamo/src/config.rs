//! The configuration: the names of the tables.

/// The names of the tables.
///
/// The first four tables are part of the system's specification; the others were added later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoConfig {
    pub(crate) incident: String,
    pub(crate) service: String,
    pub(crate) calendar: String,
    pub(crate) config: String,
    pub(crate) open_key: String,
    pub(crate) team: String,
    pub(crate) roster_change: String,
}

impl DynamoConfig {
    /// Names the tables `Incident`, `Service`, `OncallCalendar`, `Config`, `OpenKey`, `Team` and `RosterChange`, each
    /// after `prefix`.
    pub fn with_prefix(prefix: &str) -> Self {
        let named = |name: &str| format!("{prefix}{name}");
        Self {
            incident: named("Incident"),
            service: named("Service"),
            calendar: named("OncallCalendar"),
            config: named("Config"),
            open_key: named("OpenKey"),
            team: named("Team"),
            roster_change: named("RosterChange"),
        }
    }
}
