//! The input of a notifier.

use std::sync::Arc;

use crate::model::{Contact, DeliveryId, DeliveryKey, Incident, Purpose, State};
use crate::plan::{self, Upcoming};

/// One alert for one contact: the incident as it was when the send was leased.
#[derive(Clone)]
pub struct Alert {
    incident: Arc<Incident>,
    count: u64,
    key: DeliveryKey,
    id: DeliveryId,
    attempt: u32,
    contact: Contact,
    claim_url: Option<String>,
    board_url: Option<String>,
}

/// What to say about an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// That it needs somebody.
    Alert,
    /// Somebody claimed it: [`Incident::claimed`] says who. Sent to everybody who was alerted.
    Claimed,
    /// The contact was handed it by somebody else and has not answered yet.
    Handed,
    /// It is resolved: [`Incident::resolved`] says by whom. Sent to everybody who was alerted.
    Resolved,
}

impl Alert {
    /// An alert of the delivery `key` of `incident` to `contact`; `count` is how often it was reported.
    ///
    /// Engines make these; it is public so that notifiers can be tested.
    pub fn new(
        incident: Arc<Incident>,
        count: u64,
        key: DeliveryKey,
        attempt: u32,
        contact: Contact,
    ) -> Self {
        let id = incident.delivery_id(key);
        Self { incident, count, key, id, attempt, contact, claim_url: None, board_url: None }
    }

    /// The same alert with a link by which its recipient can claim the incident.
    #[must_use]
    pub fn with_claim_url(mut self, url: String) -> Self {
        self.claim_url = Some(url);
        self
    }

    /// The same alert with the address of the incident's page, which is not secret.
    #[must_use]
    pub fn with_board_url(mut self, url: String) -> Self {
        self.board_url = Some(url);
        self
    }

    /// The same alert with a newer reading of the incident.
    #[must_use]
    pub(crate) fn read_again(mut self, incident: Arc<Incident>, count: u64) -> Self {
        (self.incident, self.count) = (incident, count);
        self
    }

    /// What it is about.
    pub fn incident(&self) -> &Incident {
        &self.incident
    }

    /// How often it was reported.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The id of this delivery, the same in every attempt, for the header `X-InResponse-Delivery`.
    pub fn delivery_id(&self) -> &DeliveryId {
        &self.id
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Who is to be reached.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// The round of alerts.
    pub fn round(&self) -> u32 {
        self.key.round
    }

    /// What it is for: to alert the contact at a level, or to tell them who has the incident.
    pub fn purpose(&self) -> Purpose {
        self.key.purpose
    }

    /// What to say.
    pub fn occasion(&self) -> Occasion {
        match (self.key.purpose, self.incident.state()) {
            (Purpose::StatusUpdate(_), State::Resolved) => Occasion::Resolved,
            (Purpose::StatusUpdate(_), State::Claimed) if self.is_handed() => Occasion::Handed,
            (Purpose::StatusUpdate(_), State::Claimed) => Occasion::Claimed,
            (Purpose::StatusUpdate(_), State::Open) | (Purpose::Alert(_), _) => Occasion::Alert,
        }
    }

    fn is_handed(&self) -> bool {
        self.incident.handover().is_some() && self.incident.holder_at(&self.contact).is_some()
    }

    /// A secret link by which the contact can claim the incident.
    pub fn claim_url(&self) -> Option<&str> {
        self.claim_url.as_deref()
    }

    /// The address of the incident's page, for people who may sign in there.
    pub fn board_url(&self) -> Option<&str> {
        self.board_url.as_deref()
    }

    /// Who is alerted together with the contact; nobody if it is a status update.
    pub fn others(&self) -> impl Iterator<Item = &Contact> {
        let contacts = |level| self.incident.matrix().contacts(level);
        let together = self.key.purpose.level().map_or(&[][..], contacts);
        together.iter().filter(|c| **c != self.contact)
    }

    /// The steps that follow, in order, unless somebody claims the incident; empty if it is no longer OPEN.
    pub fn upcoming(&self) -> Vec<Upcoming<'_>> {
        plan::outlook(&self.incident)
    }
}

impl std::fmt::Debug for Alert {
    /// Without the claim link, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alert")
            .field("delivery", &self.id)
            .field("attempt", &self.attempt)
            .field("contact", &self.contact)
            .finish_non_exhaustive()
    }
}
