//! Checks P9, P11 and P19 for people who are called in: each gets each step of the call unless something stops it,
//! nobody is called in without a call, and the claim does not move.

use inresponse_core::model::{
    Contact, Delivery, DeliveryStatus, IncidentNumber, Level, Person, Purpose, State,
};
use inresponse_core::plan::{self, StateChange, TakeOver};
use inresponse_core::store::Record;

use super::{Checker, at, compared, may_have};
use crate::history::{Sent, Told, UpdateCall, Verdict};
use crate::world::SECOND;

impl<'a> Checker<'a> {
    pub(super) fn calls(&self) {
        for (number, sends) in &self.calls {
            for sent in sends.iter().map(|i| self.sent(*i)) {
                self.somebody_called(*number, sent);
            }
        }
        for call in &self.history.updates {
            let Some(Verdict::Changed(record)) = call.answer.got() else { continue };
            if call.update.call_in.is_some() {
                self.everybody_is_called(call, record);
            }
            self.an_answer_stops_the_rest(call, record);
            self.a_resolution_stops_all(call, record);
            self.a_claim_stops_earlier_calls(call, record);
        }
    }

    /// P11: a person who is called in was named by a call, or by somebody who escalated a claimed incident.
    fn somebody_called(&self, number: IncidentNumber, sent: &Sent) {
        let mut calls =
            self.updates_of(number).iter().filter(|call| may_have(call) && call.began <= sent.began);
        let is_named = calls.any(|call| {
            let named = call
                .update
                .call_in
                .as_ref()
                .is_some_and(|people| people.contacts(Level::At(1)).contains(&sent.contact));
            named || call.update.state == Some(StateChange::Escalate)
        });
        if !is_named {
            self.violated(11, format!("{} went to {}, whom nobody called in", sent.delivery, sent.contact));
        }
    }

    /// P9 and P19: at the end of a run, every alert of a call was accepted, is dead, or was stopped for a reason.
    fn everybody_is_called(&self, call: &UpdateCall, record: &Record) {
        if self.history.rested_at.is_none() {
            return;
        }
        let incident = &record.incident;
        let latest = incident.deliveries().iter().filter(|d| d.key().round == incident.round());
        let latest = latest.filter_map(|d| match d.key().purpose {
            Purpose::CallIn(n) => Some(n),
            Purpose::Alert(_) | Purpose::StatusUpdate(_) => None,
        });
        let Some(purpose) = latest.max().map(Purpose::CallIn) else { return };
        let of_call = |d: &&Delivery| (d.key().round, d.key().purpose) == (incident.round(), purpose);
        for delivery in incident.deliveries().iter().filter(of_call) {
            if !matches!(delivery.status(), DeliveryStatus::Pending { .. }) {
                continue;
            }
            self.compared.borrow_mut().push(compared::CALL);
            let sends = self.calls.get(&call.number).into_iter().flatten().map(|i| self.sent(*i));
            let mut theirs = sends.filter(|sent| {
                sent.contact == *delivery.contact()
                    && sent.after == delivery.after().as_secs()
                    && sent.began >= call.began
            });
            let is_settled = |sent: &Sent| sent.arrived.is_some() || sent.told == Some(Told::Rejected);
            if !theirs.any(is_settled) && !self.is_stopped(call, record, delivery) {
                let text = format!(
                    "{} was called in to {} at {}, {} s later, and never alerted",
                    delivery.contact(),
                    call.number,
                    at(call.began),
                    delivery.after().as_secs()
                );
                self.violated(if delivery.after().is_zero() { 9 } else { 19 }, text);
            }
        }
    }

    /// Whether something may have stopped an alert of a call: the person answered or has the incident, it was resolved,
    /// or, if nobody had the incident, somebody claimed it.
    fn is_stopped(&self, call: &UpdateCall, record: &Record, delivery: &Delivery) -> bool {
        let Some(called) = delivery.called() else { return false };
        let was_open = record.incident.state() == State::Open;
        // A release opens it again, and then a claim stops the call.
        let may_open = self.updates_of(call.number).iter().any(|later| {
            let opens = matches!(
                later.update.state,
                Some(StateChange::Release(_) | StateChange::HandToTeam(_) | StateChange::HandTo(_))
            );
            opens && may_have(later) && later.ended.is_none_or(|ended| ended >= call.began)
        });
        let ends = record.incident.matrix().claim_timeout().is_some()
            || record.incident.handover().is_some()
            || plan::claim_ends_at(&record.incident).is_some();
        let snoozed = self
            .updates_of(call.number)
            .iter()
            .any(|later| matches!(later.update.state, Some(StateChange::Snooze(_))) && may_have(later));
        let may_be_claimed = was_open || may_open || ends || snoozed;
        let is_called = |by: &Person| {
            called.people.iter().any(|person| Person::from(person).is(by))
                || self.had(by.as_str(), delivery.contact())
                || by.contact().as_ref() == Some(delivery.contact())
                || by.as_str() == delivery.contact().address()
        };
        // An answer over a channel is by the address of the message that was answered.
        let answers = |later: &UpdateCall| {
            let is_it = |one: &Contact| one.address() == later.update.by.as_str();
            later.over.as_ref().is_some_and(|over| {
                over.from.as_ref() == Some(delivery.contact())
                    || called.people.iter().any(|person| self.had_one(person.as_str(), is_it))
            })
        };
        let stops = |later: &UpdateCall| match &later.update.state {
            Some(StateChange::Resolve | StateChange::End(_)) => true,
            Some(StateChange::Claim(_)) => may_be_claimed || is_called(&later.update.by) || answers(later),
            Some(StateChange::HandTo(to)) => may_be_claimed || is_called(to),
            Some(
                StateChange::Release(_)
                | StateChange::HandToTeam(_)
                | StateChange::Escalate
                | StateChange::Snooze(_),
            )
            | None => false,
        };
        let is_later = |later: &UpdateCall| later.ended.is_none_or(|ended| ended >= call.began);
        let stopped = self.updates_of(call.number).iter().any(|l| stops(l) && may_have(l) && is_later(l));
        // Five processes died while they sent it.
        let dead = self.last.get(&call.number).is_some_and(|last| {
            last.incident.deliveries().iter().any(|d| {
                d.contact() == delivery.contact()
                    && d.key().purpose.is_call_in()
                    && d.expired() >= plan::MAX_EXPIRED
            })
        });
        stopped || dead
    }

    /// P19: from a second after the answer of somebody who was called in, they get no more of the call.
    fn an_answer_stops_the_rest(&self, call: &UpdateCall, record: &Record) {
        let (incident, by) = (&record.incident, &call.update.by);
        let Some(ended) = call.ended else { return };
        let claims = call.update.state == Some(StateChange::Claim(TakeOver::No));
        let helps = incident.responders().iter().any(|one| one.by == *by);
        if !claims || !helps {
            return;
        }
        self.compared.borrow_mut().push(compared::RESPONDER);
        let sends = self.calls.get(&call.number).into_iter().flatten().map(|i| self.sent(*i));
        let late = sends.filter(|sent| sent.round == incident.round() && sent.began > ended + SECOND);
        let is_theirs = |sent: &&Sent| {
            let delivery = incident
                .deliveries()
                .iter()
                .find(|d| incident.delivery_id(d.key()).as_str() == sent.delivery);
            let people = delivery.and_then(Delivery::called).map(|called| called.people.as_slice());
            people.is_some_and(|people| matches!(people, [one] if Person::from(one) == *by))
        };
        if let Some(late) = late.into_iter().find(is_theirs) {
            let text = format!(
                "{} was sent at {}, although {by} had answered by {}",
                late.delivery,
                at(late.began),
                at(ended)
            );
            self.violated(19, text);
        }
    }

    /// P11: from a second after a resolution, nobody who was called in is alerted.
    fn a_resolution_stops_all(&self, call: &UpdateCall, record: &Record) {
        let Some(ended) = call.ended.filter(|_| record.incident.state() == State::Resolved) else { return };
        let sends = self.calls.get(&call.number).into_iter().flatten().map(|i| self.sent(*i));
        if let Some(late) = sends.into_iter().find(|sent| sent.began > ended + SECOND) {
            let (id, number) = (&late.delivery, call.number);
            let text = format!("{id} was sent at {}, although {number} was resolved", at(late.began));
            self.violated(11, text);
        }
    }

    /// P11: a claim of an open incident stops the calls that were made before it.
    fn a_claim_stops_earlier_calls(&self, call: &UpdateCall, record: &Record) {
        let incident = &record.incident;
        if call.update.call_in.is_none() || call.update.state.is_some() || incident.state() != State::Open {
            return;
        }
        let Some(called) = call.ended else { return };
        let claims = self.updates_of(call.number).iter().filter(|later| {
            let has_it = match later.answer.got() {
                Some(Verdict::Changed(record)) => {
                    let holder = record.incident.claimed().map(|claimed| &claimed.by);
                    record.incident.round() == incident.round() && holder == Some(&later.update.by)
                }
                Some(Verdict::Unchanged(_) | Verdict::Refused(..) | Verdict::Absent) | None => false,
            };
            has_it && matches!(later.update.state, Some(StateChange::Claim(_))) && later.began > called
        });
        let Some(claimed) = claims.filter_map(|claim| claim.ended).min() else { return };
        let mine = incident.deliveries().iter().filter(|d| d.key().purpose.is_call_in());
        let mine: Vec<String> = mine.map(|d| incident.delivery_id(d.key()).as_str().to_owned()).collect();
        let sends = self.calls.get(&call.number).into_iter().flatten().map(|i| self.sent(*i));
        let mut late = sends.filter(|sent| sent.began > claimed + SECOND && mine.contains(&sent.delivery));
        if let Some(late) = late.next() {
            let text = format!(
                "{} was sent at {}, although {} was claimed by {}",
                late.delivery,
                at(late.began),
                call.number,
                at(claimed)
            );
            self.violated(11, text);
        }
    }
}
