//! The values of an incident that a store needs.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{claim_end, defer, handover, ladder, past};
use crate::clock::later;
use crate::model::{
    CALL_INS, CLAIM_ENDS, DedupKey, Delivery, Incident, LIMITED, OWN_WAITS, QUIET, ROUTED, Routed, RulesId,
    STEPS, ServiceName, State,
};

/// The bytes of most records fit into this many, so that the buffer does not grow while a record is encoded.
const USUAL_BODY: usize = 2048;

/// A record to commit: the incident, and the fields that a store indexes.
///
/// A store keeps [`body`](Self::body) unchanged and indexes the other values; it never bases a decision on state or
/// severity.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub(super) incident: Incident,
    pub(super) due_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

impl Draft {
    pub(crate) fn new(mut incident: Incident) -> Self {
        if incident.matrix.has_own_waits() {
            incident.format = incident.format.max(OWN_WAITS);
        }
        if !incident.matrix.is_plain() {
            incident.format = incident.format.max(STEPS);
        }
        if incident.claim_end.is_some() || incident.matrix.claim_timeout().is_some() {
            incident.format = incident.format.max(CLAIM_ENDS);
        }
        let is_call = |d: &Delivery| d.key().purpose.is_call_in();
        if !incident.call_ins.are_none() || incident.deliveries.iter().any(is_call) {
            incident.format = incident.format.max(CALL_INS);
        }
        if incident.deliveries.iter().any(|d| d.is_limited() || Delivery::was_limited(d)) {
            incident.format = incident.format.max(LIMITED);
        }
        if incident.quiet.is_some() {
            incident.format = incident.format.max(QUIET);
        }
        if incident.routed.as_ref().is_some_and(Routed::decides_who) {
            incident.format = incident.format.max(ROUTED);
        }
        let mut due_at = due_at(&incident);
        // Only a newer server knows what else is due, so the incident is due at once.
        if incident.is_left_to_newer() {
            due_at = Some(due_at.map_or(incident.updated_at, |at| at.min(incident.updated_at)));
        }
        Self { due_at, expires_at: None, incident }
    }

    /// The values of an incident that is already stored.
    pub(crate) fn stored(incident: Incident, expires_at: Option<DateTime<Utc>>) -> Self {
        Self { expires_at, ..Self::new(incident) }
    }

    /// Limits how long the store keeps the incident after it was resolved. By default it is kept forever.
    #[must_use]
    pub fn kept_for(mut self, keep: Duration) -> Self {
        self.expires_at = self.incident.resolved.as_ref().map(|resolved| later(resolved.at, keep));
        self
    }

    /// The incident.
    pub fn incident(&self) -> &Incident {
        &self.incident
    }

    /// Turns the draft into its incident.
    pub fn into_incident(self) -> Incident {
        self.incident
    }

    /// When the incident is due; `None` if it is not due unless somebody acts.
    pub fn due_at(&self) -> Option<DateTime<Utc>> {
        self.due_at
    }

    /// The latest time in the incident: of a past event, or of a lease's end that is later.
    ///
    /// If this time is not after the clock, no clock that changed the incident was ahead (promise 14).
    pub fn latest_at(&self) -> DateTime<Utc> {
        past::latest_at(&self.incident)
    }

    /// The rules by which the incident was judged quiet; `None` if it is not quiet.
    pub fn quiet_by(&self) -> Option<RulesId> {
        defer::judged_by(&self.incident)
    }

    /// When the incident expires, so that the store may delete it; `None` if never.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// The dedup key that no other open incident may have (promise 3); `None` if the incident is resolved or has no
    /// key.
    pub fn open_key(&self) -> Option<(&ServiceName, &DedupKey)> {
        let key = self.incident.dedup_key.as_ref()?;
        (self.incident.state != State::Resolved).then_some((&self.incident.service, key))
    }

    /// The incident as bytes, for [`Record::decode`](crate::store::Record::decode).
    ///
    /// The bytes are JSON, well under 100 KB.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(USUAL_BODY);
        serde_json::to_writer(&mut body, &self.incident)
            .expect("an incident has only string keys and no failing serializer");
        body
    }
}

/// When an incident is due: the earliest of its pending deliveries, its lease ends, and the next level, repeat round,
/// fallback or end of the escalation. If it is quiet, the end of quiet takes the place of alerts. If it is not OPEN, only
/// status updates, people who were called in, the answer of a new holder and the end of the claim are due.
pub fn due_at(incident: &Incident) -> Option<DateTime<Utc>> {
    due_times(incident).min()
}

fn due_times(incident: &Incident) -> impl Iterator<Item = DateTime<Utc>> + '_ {
    let alerts = incident.state == State::Open && incident.quiet.is_none();
    let rung = ladder::next(incident).filter(|_| alerts).map(|next| next.at).into_iter();
    let rung = rung.chain(defer::ends_at(incident));
    let of_claim = handover::due_at(incident).into_iter().chain(claim_end::ends_at(incident));
    let deliveries = incident.current_deliveries().filter(|d| incident.wants(d));
    deliveries.filter_map(|d| d.due_at()).chain(rung).chain(of_claim)
}

/// The next due time after `now`: when there is more to do than the work that is already due.
#[cfg(feature = "runner")]
pub(crate) fn due_after(incident: &Incident, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    due_times(incident).filter(|at| *at > now).min()
}
