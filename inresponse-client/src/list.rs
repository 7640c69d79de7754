//! The filter of a list of incidents.

use inresponse_api::{Severity, State};

/// The filter of a list of incidents. By default all incidents are listed.
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
    /// Lists all incidents, newest first, 50 on each page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only incidents in that state.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Lists only incidents of that service.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Lists only incidents that the team has.
    #[must_use]
    pub fn team(mut self, team: impl Into<String>) -> Self {
        self.team = Some(team.into());
        self
    }

    /// Lists only incidents of that severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Sets the size of a page: 1 to 500.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Begins after an earlier page, at that page's cursor.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}
