//! Messages that are about no incident: tests of a contact, and notices about the roster.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Alert, Notice};
use crate::error::InvalidInput;
use crate::model::{Contact, DeliveryId, IncidentNumber, Matrix, Report, Severity, TeamName};
use crate::plan;

/// The service and the team of a test; neither is in a roster.
const TEST: &str = "inresponse-test";
/// The service and the team of a notice.
const NOTICE: &str = "inresponse-notice";
/// The maximum length of a notice's message, in bytes.
const MAX_MESSAGE: usize = 8 * 1024;
/// Any lease: nothing waits for its end.
const LEASE: Duration = Duration::from_secs(30);

impl Alert {
    /// An alert to `contact` that is marked as a test. Its incident is stored nowhere.
    ///
    /// # Errors
    /// The contact cannot be alerted.
    pub fn test(contact: &Contact, at: DateTime<Utc>) -> Result<Self, InvalidInput> {
        let message = "Somebody is testing whether alerts reach you. There is no incident and nothing to do.";
        of_nobody(TEST, "This is a test", message, contact, at)
    }

    /// A notice to `contact`. A text that is too long is cut.
    ///
    /// The incident has the notice's title, and its message with the facts, for notifiers that do not know notices. It has
    /// the number 0 and is stored nowhere.
    ///
    /// # Errors
    /// The notice has no title.
    pub fn notice(
        id: DeliveryId,
        contact: &Contact,
        mut notice: Notice,
        at: DateTime<Utc>,
    ) -> Result<Self, InvalidInput> {
        cut(&mut notice.title, Report::MAX_TITLE_BYTES);
        cut(&mut notice.message, MAX_MESSAGE);
        let facts = notice.facts.iter().map(|(name, value)| format!("{name}: {value}"));
        let message = Some(notice.message.clone()).filter(|message| !message.is_empty());
        let message = message.into_iter().chain(facts).collect::<Vec<_>>().join("\n");
        let alert = of_nobody(NOTICE, &notice.title, &message, contact, at)?;
        Ok(alert.with_notice(id, notice))
    }
}

/// An alert to `contact` whose incident is stored nowhere, of a service and a team that are in no roster.
fn of_nobody(
    service: &str,
    title: &str,
    message: &str,
    contact: &Contact,
    at: DateTime<Utc>,
) -> Result<Alert, InvalidInput> {
    let report = Report::builder(service, Severity::Warn, title).message(message).build()?;
    let to = vec![contact.clone()];
    let matrix = Matrix::new(vec![to.clone()], to, Duration::from_secs(600));
    let (opening, sends) = plan::open(report, TeamName::new(service)?, matrix, Some(LEASE), at);
    let send = sends.first().ok_or_else(|| InvalidInput::field("contact", "cannot be alerted"))?;
    let incident = Arc::new(opening.numbered(IncidentNumber::new(0)).into_incident());
    Ok(Alert::new(incident, 1, send.delivery, send.attempt, contact.clone()))
}

/// Cuts a text after a whole character.
fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most - '…'.len_utf8()).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
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

    #[test]
    fn a_notice_has_its_own_id_and_no_incident_to_claim() {
        let (id, contact) = (DeliveryId::read("notice-1").unwrap(), Contact::new("jo@example.org").unwrap());
        let notice = Notice { title: "é".repeat(300), message: String::new(), facts: Vec::new() };
        let at = "2026-11-24T03:00:00Z".parse().unwrap();
        let alert = Alert::notice(id.clone(), &contact, notice, at).unwrap();
        assert_eq!((alert.occasion(), alert.delivery_id()), (Occasion::Notice, &id));
        assert_eq!((alert.claim_url(), alert.upcoming().len(), alert.others().count()), (None, 0, 0));
        let title = &alert.as_notice().unwrap().title;
        assert!(title.len() <= 500 && title.ends_with("é…"), "{title}");
        assert_eq!(alert.incident().title(), title);
    }
}
