//! Which incidents are asked for.

use inresponse_api::{Severity, State};

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
