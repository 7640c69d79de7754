//! The alert with which somebody tests whether a contact is reached.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Alert;
use crate::error::InvalidInput;
use crate::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
use crate::plan;

/// The service and the team of a test; neither is in a roster.
const NOBODYS: &str = "inresponse-test";
/// Any lease: nothing waits for its end.
const LEASE: Duration = Duration::from_secs(30);

impl Alert {
    /// An alert to `contact` that is marked as a test. Its incident is stored nowhere.
    ///
    /// # Errors
    /// The contact cannot be alerted.
    pub fn test(contact: &Contact, at: DateTime<Utc>) -> Result<Self, InvalidInput> {
        let report = Report::builder(NOBODYS, Severity::Warn, "This is a test")
            .message("Somebody is testing whether alerts reach you. There is no incident and nothing to do.")
            .build()?;
        let to = vec![contact.clone()];
        let matrix = Matrix::new(vec![to.clone()], to, Duration::from_secs(600));
        let (opening, sends) = plan::open(report, TeamName::new(NOBODYS)?, matrix, Some(LEASE), at);
        let send = sends.first().ok_or_else(|| InvalidInput::field("contact", "cannot be alerted"))?;
        let incident = Arc::new(opening.numbered(IncidentNumber::new(0)).into_incident());
        Ok(Self::new(incident, 1, send.delivery, send.attempt, contact.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Occasion;

    #[test]
    fn a_test_says_that_it_is_one_and_offers_no_claim() {
        let contact = Contact::new("jo@example.org").unwrap();
        let alert = Alert::test(&contact, "2026-11-24T03:00:00Z".parse().unwrap()).unwrap();
        assert_eq!((alert.contact(), alert.occasion(), alert.claim_url()), (&contact, Occasion::Alert, None));
        assert_eq!(alert.incident().title(), "This is a test");
        assert_eq!(alert.incident().number(), IncidentNumber::new(0));
    }
}
