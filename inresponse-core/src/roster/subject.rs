//! What silences and alert hours see of an incident.

use std::collections::BTreeMap;

use crate::model::{Incident, Report, ServiceName, Severity, TeamName};

/// What rules see of an incident. The labels are those of its first report.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The service.
    pub service: &'a ServiceName,
    /// The team that has the incident.
    pub team: &'a TeamName,
    /// The severity.
    pub severity: Severity,
    /// The labels.
    pub labels: &'a BTreeMap<String, String>,
}

impl<'a> Subject<'a> {
    /// What rules see of an incident.
    pub fn of(incident: &'a Incident) -> Self {
        Self {
            service: incident.service(),
            team: incident.team(),
            severity: incident.severity(),
            labels: incident.labels(),
        }
    }

    /// What rules see of a report to that team.
    pub fn reported(report: &'a Report, team: &'a TeamName) -> Self {
        Self { service: report.service(), team, severity: report.severity(), labels: &report.labels }
    }
}
