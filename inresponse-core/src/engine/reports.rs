//! Takes reports.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::clocks::Clocks;
use super::driven::Driven;
use super::duty::Duty;
use super::lease::{LeaseAt, Leases};
use super::leased::{LeaseLength, Place};
use super::lookup::Lookup;
use super::slots::{Slot, Slots, Urgency};
use super::swap::{Changed, Swap};
use super::timers::Alarm;
use super::waiting::Waiting;
use super::wake::Wake;
use crate::error::Outage;
use crate::model::{
    Contact, HeartbeatName, KeyName, Level, Matrix, Report, Routed, RuleName, Severity, TeamName,
};
use crate::plan::{self, Input, Plan, Ruled};
use crate::roster::{Pings, Subject};
use crate::store::{Created, Record, Store};

/// The result of a report.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Reported {
    /// A new incident, durable under its number.
    New(Record),
    /// An incident that is not resolved has that key; it was counted there.
    Repeat(Record),
    /// No team owns the service. Nothing was stored.
    UnknownService,
}

/// The result of a report that may be a ping.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made for each report, and none is kept")]
pub(crate) enum Taken {
    /// The report was taken as an incident.
    Reported(Reported),
    /// A routing rule says that the report is a ping of this heartbeat. Nothing was stored.
    Ping(HeartbeatName, RuleName),
}

/// Makes incidents of reports.
#[derive(Debug)]
pub(super) struct Reports {
    pub(super) store: Arc<dyn Store>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) lookup: Arc<Lookup>,
    pub(super) slots: Arc<Slots>,
    pub(super) leases: Arc<Leases>,
    pub(super) wake: Arc<Wake>,
    pub(super) waiting: Arc<Waiting>,
    pub(super) swap: Arc<Swap>,
    pub(super) alarm: Alarm,
    pub(super) driven: Arc<Driven>,
    pub(super) length: LeaseLength,
}

impl Reports {
    /// Takes a report: durable when this returns (promise 1), and the on-call engineer is alerted at once.
    pub(super) async fn report(&self, report: Report, pings: Pings) -> Result<Taken, Outage> {
        // Both clocks are read before the roster, because the time of that reading is part of the first lease.
        let began = Began { now: self.clocks.now(), monotonic: self.clocks.monotonic() };
        match self.lookup.duty(&report, pings, began.now).await? {
            None => Ok(Taken::Reported(Reported::UnknownService)),
            Some(Duty::Ping(heartbeat, rule)) => Ok(Taken::Ping(heartbeat, rule)),
            Some(Duty::Alert { team, matrix, routed }) => {
                let report = report.routed_by(routed);
                self.open(report, team, matrix, began).await.map(Taken::Reported)
            }
        }
    }

    async fn open(
        &self,
        report: Report,
        team: TeamName,
        matrix: Matrix,
        Began { now, monotonic: planned }: Began,
    ) -> Result<Reported, Outage> {
        let again = Again {
            severity: report.severity(),
            key: report.reporter().map(|reporter| reporter.key.clone()),
            routed: report.routed.clone(),
        };
        let severity = again.severity;
        // If a runner will send the first alert, its lease is committed together with the new incident.
        let rules = self.lookup.quiet_rules_or_last().await;
        let is_quiet = rules.judge(&Subject::reported(&report, &team), now).is_some();
        let is_recorded = report.routed.as_ref().is_some_and(|routed| routed.record_only);
        let slots = if is_quiet || is_recorded { None } else { self.first_slots(&matrix, severity) };
        let (opening, sends) = match &slots {
            Some(slots) => {
                let hold = Ruled { hold: &slots.none_free, rules: &rules };
                plan::open_leasing(report, team, matrix, self.length.marked(), &hold, now)
            }
            None => (plan::open_judged(report, team, matrix, &rules, now), Vec::new()),
        };
        let created = self.store.create(opening).await;
        self.swap.notice_clock(now);
        match created? {
            Created::New(record) => {
                metrics::counter!("inresponse_incidents_reported_total", "severity" => severity.as_str())
                    .increment(1);
                let none_free: Vec<_> = match slots {
                    Some(FirstSlots { taken, none_free }) => {
                        self.give_to_runner(&record, sends, taken, planned);
                        none_free.into_iter().collect()
                    }
                    None => Vec::new(),
                };
                if !none_free.is_empty() {
                    self.waiting.note(&record.incident);
                }
                self.wake.left(&record.incident, record.version, none_free, now);
                self.alarm.set(&record.incident).await;
                self.driven.opened(&record.incident, &self.alarm);
                tracing::info!(
                    incident = record.number().value(),
                    service = %record.incident.service(),
                    team = %record.incident.team(),
                    severity = %severity,
                    key = again.key.as_ref().map(KeyName::as_str),
                    rule = again.routed.as_ref().map(|routed| routed.rule.as_str()),
                    "incident opened"
                );
                Ok(Reported::New(record))
            }
            Created::Repeat(record) => {
                metrics::counter!("inresponse_incidents_repeated_total").increment(1);
                // Boxed, since every report would be as large as this rare one.
                Box::pin(self.repeat(record, again)).await.map(Reported::Repeat)
            }
        }
    }

    /// Slots for the first alert, if a runner will send it.
    ///
    /// A contact with a waiting alert gets none: the waiting alert goes first.
    fn first_slots(&self, matrix: &Matrix, severity: Severity) -> Option<FirstSlots> {
        let level = matrix.alerted_levels(severity).next().filter(|_| self.wake.has_runner())?;
        // If the level is empty, another level begins, which is not looked up here.
        let contacts = matrix.first_contacts(Level::At(level), severity);
        if contacts.is_empty() {
            return None;
        }
        let mut slots = FirstSlots { taken: HashMap::new(), none_free: HashSet::new() };
        for contact in contacts.iter() {
            let may_take = !self.wake.waits_for(contact);
            let slot = may_take.then(|| self.slots.take(contact, Urgency::Alert(severity)));
            match slot.flatten() {
                Some(slot) => _ = slots.taken.insert(contact.clone(), slot),
                None => _ = slots.none_free.insert(contact.clone()),
            }
        }
        Some(slots)
    }

    /// The leases of the first alert are committed: the runner sends it.
    fn give_to_runner(
        &self,
        record: &Record,
        sends: Vec<plan::Dispatch>,
        mut by_contact: HashMap<Contact, Slot>,
        planned: Duration,
    ) {
        let slots: HashMap<_, _> = sends
            .iter()
            .filter_map(|send| Some((send.delivery, Place::Slot(by_contact.remove(&send.contact)?))))
            .collect();
        // If a clock of another server is far behind, the lease may be over for this process before the store has answered,
        // and the runner may be sending already.
        let (sends, marks) = sends
            .into_iter()
            .filter(|send| slots.contains_key(&send.delivery))
            .filter_map(|send| Some((self.leases.mark_first(&record.incident, send.delivery)?, send)))
            .map(|(mark, send)| (send, mark))
            .unzip();
        let draft = plan::Draft::new(record.incident.clone());
        let at = LeaseAt::of(record, record.version, planned);
        let leased = self.leases.leased_sends(Plan { draft, sends }, slots, marks, at);
        self.wake.give_to_runner(leased);
    }

    /// Promise 3: the repeat is counted already; its severity, or how it is routed, may change the incident.
    async fn repeat(&self, record: Record, again: Again) -> Result<Record, Outage> {
        let Again { severity, key, routed } = again;
        let repeat = |round| Input::Repeat { severity, key: key.as_ref(), routed: routed.as_ref(), round };
        match self.swap.change(record, repeat).await {
            Ok(Changed::Done { record, .. } | Changed::Nothing(record) | Changed::Refused(record, _)) => {
                Ok(record)
            }
            Ok(Changed::Gone) => Err(Outage::unknown("the incident was deleted while it was reported again")),
            // The repeat itself is recorded, so the whole is not simply to be tried again.
            Err(error) => {
                Err(Outage::unknown("the repeated report was counted, but its severity was not applied")
                    .because(error))
            }
        }
    }
}

/// When the work for a report began, by both clocks.
struct Began {
    now: DateTime<Utc>,
    monotonic: Duration,
}

/// What a report says if it turns out to be a repeat.
struct Again {
    severity: Severity,
    key: Option<KeyName>,
    routed: Option<Routed>,
}

/// The sending slots for an incident's first alert.
struct FirstSlots {
    taken: HashMap<Contact, Slot>,
    /// The contacts without a free slot.
    none_free: HashSet<Contact>,
}
