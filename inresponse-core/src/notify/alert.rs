//! The input of a notifier.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::notice::Notice;
use crate::model::{Contact, Delivery, DeliveryId, DeliveryKey, Incident, Person, Purpose, Receipt, State};
use crate::plan::{self, Upcoming};

/// One alert for one contact, with the incident as it was when the send was leased.
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
    answer_token: Option<String>,
    notice: Option<Arc<Notice>>,
}

/// The occasion of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// An alert: somebody must respond.
    Alert,
    /// A call for help: [`Alert::called_by`] says who called the contact in, and [`Incident::claimed`] who has the
    /// incident, if somebody has.
    CalledIn,
    /// A status update to everybody who was alerted: [`Incident::claimed`] says who has claimed the incident.
    Claimed,
    /// A notice to a contact who was handed the incident by somebody else and has not answered yet.
    Handed,
    /// A notice to the claimant: their claim ends soon. [`Alert::claim_ends_at`] says when.
    ClaimEnds,
    /// A status update to everybody who was alerted: [`Incident::resolved`] says who has resolved the incident.
    Resolved,
    /// A notice about the roster: [`Alert::as_notice`] has its text. Nobody must respond.
    /// [`Alert::incident`] is a placeholder that no store has.
    Notice,
}

impl Alert {
    /// Makes the alert for the delivery `key` of `incident` to `contact`. `count` is the number of reports.
    ///
    /// Engines make alerts; this function is public so that notifiers can be tested.
    pub fn new(
        incident: Arc<Incident>,
        count: u64,
        key: DeliveryKey,
        attempt: u32,
        contact: Contact,
    ) -> Self {
        let id = incident.delivery_id(key);
        let (claim_url, board_url, answer_token, notice) = (None, None, None, None);
        Self { incident, count, key, id, attempt, contact, claim_url, board_url, answer_token, notice }
    }

    /// Adds a link with which the recipient can claim the incident.
    #[must_use]
    pub fn with_claim_url(mut self, url: String) -> Self {
        self.claim_url = Some(url);
        self
    }

    /// Adds the address of the incident's page, which is not secret.
    #[must_use]
    pub fn with_board_url(mut self, url: String) -> Self {
        self.board_url = Some(url);
        self
    }

    /// Adds a token with which a button in the message can claim the incident in this round.
    #[must_use]
    pub fn with_answer_token(mut self, token: String) -> Self {
        self.answer_token = Some(token);
        self
    }

    /// Makes it a notice with that id.
    #[must_use]
    pub(super) fn with_notice(mut self, id: DeliveryId, notice: Notice) -> Self {
        (self.id, self.notice) = (id, Some(Arc::new(notice)));
        self
    }

    /// Replaces the incident with one that was read later.
    #[must_use]
    pub(crate) fn read_again(mut self, incident: Arc<Incident>, count: u64) -> Self {
        (self.incident, self.count) = (incident, count);
        self
    }

    /// The incident that the alert is about.
    pub fn incident(&self) -> &Incident {
        &self.incident
    }

    /// The number of reports of the incident.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The id of this delivery, the same in every attempt, for the header `X-InResponse-Delivery`.
    pub fn delivery_id(&self) -> &DeliveryId {
        &self.id
    }

    /// Which delivery of its incident it is.
    pub(super) fn key(&self) -> DeliveryKey {
        self.key
    }

    /// The number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The contact to reach.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// The round of the delivery.
    pub fn round(&self) -> u32 {
        self.key.round
    }

    /// What it is for: to alert the contact at a level, to call them in, or to tell them who has the incident.
    pub fn purpose(&self) -> Purpose {
        self.key.purpose
    }

    /// The text of a notice about the roster; `None` if the message is about an incident.
    pub fn as_notice(&self) -> Option<&Notice> {
        self.notice.as_deref()
    }

    /// The occasion of the message.
    pub fn occasion(&self) -> Occasion {
        if self.notice.is_some() {
            return Occasion::Notice;
        }
        match (self.key.purpose, self.incident.state()) {
            (Purpose::StatusUpdate(_), State::Resolved) => Occasion::Resolved,
            (Purpose::StatusUpdate(_), State::Claimed) if self.claim_ends_at().is_some() => {
                Occasion::ClaimEnds
            }
            (Purpose::StatusUpdate(_), State::Claimed) if self.is_handed() => Occasion::Handed,
            (Purpose::StatusUpdate(_), State::Claimed) => Occasion::Claimed,
            (Purpose::CallIn(_), _) => Occasion::CalledIn,
            (Purpose::StatusUpdate(_), State::Open) | (Purpose::Alert(_), _) => Occasion::Alert,
        }
    }

    fn is_handed(&self) -> bool {
        self.incident.handover().is_some() && self.incident.holder_at(&self.contact).is_some()
    }

    /// When the contact's claim ends, if the message announces that.
    pub fn claim_ends_at(&self) -> Option<DateTime<Utc>> {
        let own = self.incident.deliveries().iter().find(|delivery| delivery.key() == self.key);
        own.and_then(Delivery::announces)
    }

    /// A secret link by which the contact can claim the incident.
    pub fn claim_url(&self) -> Option<&str> {
        self.claim_url.as_deref()
    }

    /// The address of the incident's page, for people who may sign in there.
    pub fn board_url(&self) -> Option<&str> {
        self.board_url.as_deref()
    }

    /// A secret with which a button in the message can claim the incident, if the channel cannot say who pressed it. It
    /// counts in this round only; see [`Engine::verify_answer`](crate::Engine::verify_answer).
    pub fn answer_token(&self) -> Option<&str> {
        self.answer_token.as_deref()
    }

    /// The carrier's name for the alert that the contact got in this incident, if this is a status update. The notice before
    /// a claim ends is a message of its own.
    ///
    /// A notifier changes or withdraws that message. If the deployment's [status
    /// updates](crate::model::Matrix::status_updates) are off, it does only that and sends no further message.
    pub fn receipt(&self) -> Option<&Receipt> {
        let is_alert = |d: &&Delivery| !d.is_status_update() && d.contact() == &self.contact;
        match self.key.purpose {
            Purpose::StatusUpdate(_) if self.claim_ends_at().is_some() => None,
            Purpose::StatusUpdate(_) => {
                self.incident.deliveries().iter().rev().filter(is_alert).find_map(Delivery::receipt)
            }
            Purpose::Alert(_) | Purpose::CallIn(_) => None,
        }
    }

    /// The person who called the contact in, if the message is a call for more people.
    pub fn called_by(&self) -> Option<&Person> {
        let delivery = self.incident.deliveries().iter().find(|delivery| delivery.key() == self.key);
        delivery.and_then(Delivery::called).map(|called| &called.by)
    }

    /// Who is alerted together with the contact, at the same step of the level; nobody if it is a status update.
    pub fn others(&self) -> impl Iterator<Item = &Contact> {
        let (key, deliveries) = (self.key, self.incident.deliveries());
        let own = deliveries.iter().find(|delivery| delivery.key() == key).map(Delivery::after);
        let is_together = move |delivery: &&Delivery| {
            let same = delivery.key().round == key.round && delivery.key().purpose == key.purpose;
            same && !key.purpose.is_status_update() && Some(delivery.after()) == own
        };
        deliveries
            .iter()
            .filter(is_together)
            .map(Delivery::contact)
            .filter(|contact| **contact != self.contact)
    }

    /// The next steps of the escalation, in order, unless somebody claims the incident; empty if it is no longer OPEN, and
    /// in a notice.
    pub fn upcoming(&self) -> Vec<Upcoming<'_>> {
        if self.notice.is_some() { Vec::new() } else { plan::outlook(&self.incident) }
    }
}

impl std::fmt::Debug for Alert {
    /// Shows everything except the claim link, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alert")
            .field("delivery", &self.id)
            .field("attempt", &self.attempt)
            .field("contact", &self.contact)
            .finish_non_exhaustive()
    }
}
