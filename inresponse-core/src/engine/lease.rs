//! Commits leases for due sends.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::clocks::Clocks;
use super::in_flight::{InFlight, InFlightMark};
use super::leased::{LeaseLength, LeaseTimes, LeasedSend, Place};
use super::links::Links;
use super::lookup::Lookup;
use super::seats::Seats;
use super::slots::{Slots, Urgency};
use super::swap::{Planned, Proposal, Swap, Swapped};
use super::transitions::report_transitions;
use super::waiting::Waiting;
use super::wake::Wake;
use crate::error::Outage;
use crate::model::{Contact, DeliveryId, DeliveryKey, Incident, Version};
use crate::notify::Alert;
use crate::plan::{self, Decision, Held, Hold, Input, Plan};
use crate::roster::QuietRules;
use crate::store::Record;

/// Commits the right to send, with a sending slot for each send.
#[derive(Debug)]
pub(super) struct Leases {
    pub(super) swap: Arc<Swap>,
    pub(super) lookup: Arc<Lookup>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) slots: Arc<Slots>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) wake: Arc<Wake>,
    pub(super) links: Arc<Links>,
    pub(super) length: LeaseLength,
    pub(super) in_flight: InFlight,
    /// Whether it was said that incidents in a newer format are left to others.
    pub(super) left_to_newer: AtomicBool,
}

/// The result of leasing a due record.
#[derive(Debug)]
pub(super) struct Leased {
    /// The next due time of the incident after this commit.
    pub(super) due_at: Option<DateTime<Utc>>,
    /// The sends that may begin now.
    pub(super) sends: Vec<LeasedSend>,
    /// Whether a due send waits for a sending slot.
    pub(super) blocked: bool,
}

impl Leased {
    /// The result without any send.
    pub(super) fn nothing(due_at: Option<DateTime<Utc>>) -> Self {
        Self { due_at, sends: Vec::new(), blocked: false }
    }
}

impl Leases {
    /// Leases the due deliveries of `record`, and returns the sends.
    ///
    /// The free sending slots are taken first, then the lease. A lease whose commit failed or stays unknown
    /// begins no send.
    pub(super) async fn lease_due(&self, record: Record) -> Result<Leased, Outage> {
        self.lease_seated(record, None).await
    }

    /// Does the same, and gives the alerts to the contact of a bundle a seat in it instead of a slot.
    pub(super) async fn lease_seated(&self, record: Record, seats: Option<&Seats>) -> Result<Leased, Outage> {
        match self.swap.swap(record, |record| self.plan_leases(record, seats)).await? {
            Swapped::Rested(leased) => Ok(leased),
            Swapped::Gone => Ok(Leased::nothing(None)),
            Swapped::Done(proposal, version) => {
                let Proposal { record, plan, now, with: Taken { slots, no_slot, marks, planned } } =
                    *proposal;
                let due_at = plan.draft.due_at();
                report_transitions(&record.incident, plan.draft.incident());
                let blocked = !no_slot.is_empty();
                report_lag(&record.incident, now);
                if blocked {
                    self.waiting.note(plan.draft.incident());
                } else {
                    self.waiting.forget(record.number());
                }
                self.wake.left(plan.draft.incident(), version, no_slot, now);
                let sends = self.leased_sends(plan, slots, marks, LeaseAt::of(&record, version, planned));
                Ok(Leased { due_at, sends, blocked })
            }
        }
    }

    async fn plan_leases(
        &self,
        record: Record,
        seats: Option<&Seats>,
    ) -> Result<Planned<Taken, Leased>, Outage> {
        if record.incident.is_left_to_newer() {
            self.leave_to_newer(&record);
            return Ok(Planned::Rest(Leased::nothing(None)));
        }
        let record = self.swap.take_back_unsent(record).await?;
        let (now, planned) = (self.clocks.now(), self.clocks.monotonic());
        let Prepared { plan, slots, no_slot } = self.prepare(&record.incident, seats, now).await?;
        let Some(plan) = plan else {
            let due_at = plan::due_at(&record.incident);
            if !no_slot.is_empty() {
                self.waiting.note(&record.incident);
            }
            self.wake.left(&record.incident, record.version, no_slot, now);
            let blocked = due_at.is_some_and(|due_at| due_at <= now);
            return Ok(Planned::Rest(Leased { due_at, sends: Vec::new(), blocked }));
        };
        let marks = plan.sends.iter().map(|s| self.mark(&record.incident, s.delivery)).collect();
        let with = Taken { slots, no_slot, marks, planned };
        Ok(Planned::Commit(Box::new(Proposal { record, plan, now, with })))
    }

    /// Leaves an incident in a newer format to newer servers. Logged only once, because it applies to many incidents.
    fn leave_to_newer(&self, record: &Record) {
        self.wake.due(record.number(), record.version, None);
        if !self.left_to_newer.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                incident = record.number().value(),
                "a newer version of this program stored this incident: only servers of that version act on it and on \
                 others like it"
            );
        }
    }

    /// Plans the due sends and takes a slot for each. Returns no plan if nothing can be done now.
    async fn prepare(
        &self,
        incident: &Incident,
        seats: Option<&Seats>,
        now: DateTime<Utc>,
    ) -> Result<Prepared, Outage> {
        let rules = self.lookup.quiet_rules_or_last().await;
        let mut hold = Holding {
            rules: &rules,
            in_flight: &self.in_flight,
            no_slot: HashSet::new(),
            let_it_wait: self.waiting.has(incident),
        };
        let mut slots = HashMap::new();
        let (mut round, mut no_slot) = (None, Vec::new());
        loop {
            let input = Input::Due { lease: self.length.marked(), hold: &hold, round: round.clone() };
            let plan = match plan::step(incident, input, now) {
                Decision::Change(plan) => *plan,
                Decision::Nothing | Decision::Refuse(_) => {
                    return Ok(Prepared { plan: None, slots, no_slot });
                }
                Decision::NeedsRound(of) => {
                    round = Some(self.lookup.next_round(incident, &of, now).await?);
                    continue;
                }
            };
            let mut complete = true;
            for send in &plan.sends {
                if slots.contains_key(&send.delivery) {
                    continue;
                }
                match self.place(plan.draft.incident(), send, seats) {
                    Some(place) => _ = slots.insert(send.delivery, place),
                    None => {
                        complete = false;
                        no_slot.push(send.contact.clone());
                        hold.no_slot.insert(incident.delivery_id(send.delivery));
                    }
                }
            }
            if complete {
                return Ok(Prepared { plan: Some(plan), slots, no_slot });
            }
        }
    }

    /// A seat in the bundle if there is one for this contact, otherwise a slot.
    fn place(&self, incident: &Incident, send: &plan::Dispatch, seats: Option<&Seats>) -> Option<Place> {
        let urgency = Urgency::of_delivery(incident, send.delivery.purpose);
        match seats.filter(|seats| seats.are_for(&send.contact, urgency)) {
            Some(seats) => seats.take(incident, send.delivery).then_some(Place::Seat),
            None => self.slots.take(&send.contact, urgency).map(Place::Slot),
        }
    }

    /// The sends that a committed plan allows.
    pub(super) fn leased_sends(
        &self,
        plan: Plan,
        mut slots: HashMap<DeliveryKey, Place>,
        marks: Vec<InFlightMark>,
        at: LeaseAt,
    ) -> Vec<LeasedSend> {
        let incident = Arc::new(plan.draft.into_incident());
        let leased = |(send, mark): (plan::Dispatch, InFlightMark)| {
            let place = slots.remove(&send.delivery).expect("every planned send was given a place");
            let mut alert =
                Alert::new(Arc::clone(&incident), at.count, send.delivery, send.attempt, send.contact);
            if let Some(url) = self.links.claim_url(incident.number(), alert.contact(), &self.clocks) {
                alert = alert.with_claim_url(url);
            }
            if let Some(url) = self.links.board_url(incident.number()) {
                alert = alert.with_board_url(url);
            }
            if let Some(token) = self.links.answer_token(incident.number(), alert.delivery_id(), &self.clocks)
            {
                alert = alert.with_answer_token(token);
            }
            LeasedSend {
                alert,
                delivery: send.delivery,
                attempt: send.attempt,
                lease: LeaseTimes { until: send.lease_until, planned: at.planned },
                version: at.version,
                last_reported_at: at.last_reported_at,
                place,
                mark,
            }
        };
        plan.sends.into_iter().zip(marks).map(leased).collect()
    }

    /// Marks a delivery as in flight, unless this process is sending it already.
    pub(super) fn mark_first(&self, incident: &Incident, delivery: DeliveryKey) -> Option<InFlightMark> {
        self.in_flight.mark_first(incident.delivery_id(delivery))
    }

    /// Marks a delivery as in flight in this process.
    pub(super) fn mark(&self, incident: &Incident, delivery: DeliveryKey) -> InFlightMark {
        self.in_flight.mark(incident.delivery_id(delivery))
    }
}

struct Prepared {
    plan: Option<Plan>,
    slots: HashMap<DeliveryKey, Place>,
    /// The contacts for which no slot was free.
    no_slot: Vec<Contact>,
}

/// Slots and marks that are kept until the commit of the leases is known.
struct Taken {
    slots: HashMap<DeliveryKey, Place>,
    /// The contacts for which no slot was free.
    no_slot: Vec<Contact>,
    marks: Vec<InFlightMark>,
    /// The monotonic time at which the commit began.
    planned: Duration,
}

/// The version and the time at which leases were committed, and the number of reports at that time.
pub(super) struct LeaseAt {
    version: Version,
    planned: Duration,
    count: u64,
    last_reported_at: DateTime<Utc>,
}

impl LeaseAt {
    /// Leases of that record, committed with that version. `planned` is the monotonic time at which the commit began.
    pub(super) fn of(record: &Record, version: Version, planned: Duration) -> Self {
        Self { version, planned, count: record.count, last_reported_at: record.last_reported_at }
    }
}

#[derive(Debug)]
struct Holding<'a> {
    rules: &'a QuietRules,
    in_flight: &'a InFlight,
    no_slot: HashSet<DeliveryId>,
    let_it_wait: bool,
}

impl Hold for Holding<'_> {
    fn held(&self, delivery: &DeliveryId, _: &Contact) -> Held {
        if self.in_flight.contains(delivery) {
            Held::InFlight
        } else if self.no_slot.contains(delivery) {
            Held::NoSlot
        } else {
            Held::Free
        }
    }

    fn has_let_it_wait(&self) -> bool {
        self.let_it_wait
    }

    fn quiet(&self) -> &QuietRules {
        self.rules
    }
}

/// Records how late a lease was.
fn report_lag(before: &Incident, now: DateTime<Utc>) {
    let lag = plan::due_at(before).and_then(|due_at| (now - due_at).to_std().ok());
    metrics::histogram!("inresponse_due_lag_seconds").record(lag.unwrap_or_default().as_secs_f64());
}
