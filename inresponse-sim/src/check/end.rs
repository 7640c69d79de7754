//! Checks P9 and P12 at the end of a run, when all faults have ended and nothing is due.

use inresponse_core::model::{Contact, DeliveryStatus, Event, Level, Origin, Purpose, State};
use inresponse_core::plan;
use inresponse_core::store::Record;

use super::{Checker, at};
use crate::fault::Fault;
use crate::history::{Sent, Told};

impl Checker<'_> {
    pub(super) fn end(&self) {
        if self.history.rested_at.is_none() {
            let due: Vec<_> = self.last.values().filter(|r| plan::due_at(&r.incident).is_some()).collect();
            let due: Vec<_> =
                due.iter().map(|r| format!("{} at {:?}", r.number(), plan::due_at(&r.incident))).collect();
            let ended = at(self.history.ended_at);
            self.violated(
                9,
                format!(
                    "at {ended}, long after all faults had ended, there was still due: {}",
                    due.join(", ")
                ),
            );
            return;
        }
        let records: Vec<_> = self.last.values().copied().collect();
        for record in records {
            if record.incident.state() == State::Open {
                self.everybody_is_alerted(record);
                self.shows_as_it_is(record);
            }
        }
        self.census_agrees();
    }

    /// P9: every contact of every level got an accepted send or is dead.
    fn everybody_is_alerted(&self, record: &Record) {
        let incident = &record.incident;
        let (number, matrix) = (record.number(), incident.matrix());
        if matrix.records_only(incident.severity()) {
            return;
        }
        let mut levels: Vec<Level> = matrix.alerted_levels(incident.severity()).map(Level::At).collect();
        // If the calendar was empty, the fallback was level 1.
        if matrix.origin() == Origin::Calendar {
            levels.push(Level::Fallback);
        }
        for level in levels {
            // P19: a raise gives the new rule's steps. A person who lowers a severity may leave some out.
            let changed = self.updates_of(number).iter().any(|call| call.update.severity.is_some());
            let steps = matrix.steps(level, incident.severity()).into_iter();
            for (contact, after) in steps.filter(|_| matrix.is_plain() || !changed) {
                let after = after.as_secs();
                let reached = self.attempts(record, level, contact, after).any(|sent| sent.arrived.is_some());
                if !reached
                    && !self.is_rightly_dead(record, level, contact, after)
                    && !self.is_rightly_limited(record, level, contact, after)
                {
                    let promise = if after == 0 { 9 } else { 19 };
                    let text = format!(
                        "{contact} of level {level}, after {after} s, was never alerted for {number}"
                    );
                    self.violated(promise, text);
                }
            }
        }
    }

    fn attempts(
        &self,
        record: &Record,
        level: Level,
        contact: &Contact,
        after: u64,
    ) -> impl Iterator<Item = &Sent> {
        let (number, round) = (record.number(), record.incident.round());
        let target = (number, round, Purpose::Alert(level), contact.clone(), after);
        self.targets.get(&target).into_iter().flatten().map(|i| self.sent(*i))
    }

    /// P9: a delivery is dead only if it was rejected, or if its process died five times during the send.
    fn is_rightly_dead(&self, record: &Record, level: Level, contact: &Contact, after: u64) -> bool {
        let incident = &record.incident;
        let dead = incident.deliveries().iter().any(|d| {
            d.key().round == incident.round()
                && d.key().purpose == Purpose::Alert(level)
                && (d.contact(), d.after().as_secs()) == (contact, after)
                && matches!(d.status(), DeliveryStatus::Dead { .. })
        });
        let rejected =
            self.attempts(record, level, contact, after).any(|sent| sent.told == Some(Told::Rejected));
        let expired = incident.deliveries().iter().any(|d| {
            (d.key().round, d.key().purpose) == (incident.round(), Purpose::Alert(level))
                && (d.contact(), d.after().as_secs()) == (contact, after)
                && d.expired() >= plan::MAX_EXPIRED
        });
        // A lease whose commit stayed unknown sent nothing, so it does not count.
        let unknown = [Fault::UnknownHappened, Fault::UnknownDidNot];
        let others = self.history.disturbances.iter().filter(|d| !unknown.contains(&d.fault)).count();
        let enough_faults = others + self.history.crashes.len() >= plan::MAX_EXPIRED as usize;
        dead && (rejected || (expired && enough_faults))
    }

    /// P12: an incident that nobody claimed is `unclaimed`; if nobody could be reached, it is also `undelivered`.
    fn shows_as_it_is(&self, record: &Record) {
        let incident = &record.incident;
        let number = record.number();
        if incident.matrix().records_only(incident.severity()) {
            return;
        }
        if !incident.is_unclaimed() {
            self.violated(12, format!("everybody was alerted for {number}, but it is not unclaimed"));
        }
        // Events count since the incident was opened or released. Repeat rounds belong together, because the events do
        // not distinguish them.
        let entries = incident.timeline().entries();
        let count = |of: &dyn Fn(&Event) -> bool| entries.iter().filter(|e| of(&e.event)).count();
        // The end of quiet begins a round, unless none had begun.
        let after_quiet = (0..entries.len()).filter(|i| {
            let is_end = matches!(entries[*i].event, Event::QuietEnded);
            let gives = |e: &Event| matches!(e, Event::TeamChanged { .. } | Event::TeamGone { .. });
            let next = entries[i + 1..].iter().find(|entry| !gives(&entry.event));
            is_end && next.is_some_and(|next| matches!(next.event, Event::RoundBegan { .. }))
        });
        let after_quiet = after_quiet.count();
        let rounds = count(&|e| matches!(e, Event::RoundBegan { .. } | Event::Folded { .. }));
        let begins_again = |e: &Event| {
            matches!(
                e,
                Event::Released { .. }
                    | Event::HandedToTeam { .. }
                    | Event::HandoverUnanswered { .. }
                    | Event::ClaimEnded { .. }
            )
        };
        if rounds > count(&begins_again) + after_quiet {
            return;
        }
        let sends = [&self.sends, &self.calls].into_iter().filter_map(|sends| sends.get(&number));
        let sends = sends.flatten().map(|i| self.sent(*i));
        let mut of_round = sends.filter(|sent| sent.round == incident.round());
        // A crash may have hidden an acceptance, so that it was sent again; or given up, if it was the fifth.
        let is_last = |sent: &Sent| {
            let target = (sent.number, sent.round, sent.purpose, sent.contact.clone(), sent.after);
            let gave_up = incident.deliveries().iter().any(|d| {
                (d.key().round, d.key().purpose) == (sent.round, sent.purpose)
                    && (d.contact(), d.after().as_secs()) == (&sent.contact, sent.after)
                    && d.expired() >= plan::MAX_EXPIRED
            });
            !gave_up && self.targets[&target].last().is_some_and(|i| self.sent(*i).began == sent.began)
        };
        let accepted = of_round.clone().any(|sent| sent.told == Some(Told::Accepted) && is_last(sent));
        let arrived = of_round.any(|sent| sent.arrived.is_some());
        if accepted && incident.is_undelivered() {
            self.violated(
                12,
                format!("an alert of {number} was delivered, but the incident shows as undelivered"),
            );
        }
        if !arrived && !incident.is_undelivered() {
            self.violated(
                12,
                format!("no alert of {number} arrived, but the incident does not show as undelivered"),
            );
        }
    }

    /// P12: the census counts the stored incidents correctly.
    fn census_agrees(&self) {
        let count = |of: &dyn Fn(&Record) -> bool| self.last.values().filter(|r| of(r)).count() as u64;
        let census = &self.history.census;
        let resolved = count(&|r| r.incident.state() == State::Resolved);
        let expected = [
            ("open", census.open, count(&|r| r.incident.state() == State::Open)),
            ("claimed", census.claimed, count(&|r| r.incident.state() == State::Claimed)),
            ("resolved", census.resolved.unwrap_or(resolved), resolved),
            ("unclaimed", census.unclaimed, count(&|r| r.incident.is_unclaimed())),
            ("undelivered", census.undelivered, count(&|r| r.incident.is_undelivered())),
            ("waiting", census.waiting, 0),
        ];
        for (what, counted, there_are) in expected {
            if counted != there_are {
                self.violated(12, format!("the census counts {counted} {what}, but there are {there_are}"));
            }
        }
    }
}
