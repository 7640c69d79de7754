//! What the unit tests of this crate share.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use inresponse_core::notify::Alert;
use inresponse_core::plan;

/// The first alert of incident 10001.
pub(crate) fn alert(service: &str, title: &str, contact: &str, link: Option<&str>) -> Alert {
    let report = Report::builder(service, Severity::Crit, title).build().unwrap();
    let contact = Contact::new(contact).unwrap();
    let matrix = Matrix::new(vec![vec![contact.clone()]], vec![contact.clone()], Duration::from_secs(600));
    let team = TeamName::new("devops").unwrap();
    let lease = Some(Duration::from_secs(30));
    let (opening, sends) = plan::open(report, team, matrix, lease, DateTime::UNIX_EPOCH);
    let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
    let alert = Alert::new(incident, 1, sends[0].delivery, 1, contact);
    link.into_iter().fold(alert, |alert, link| alert.with_claim_url(link.to_owned()))
}
