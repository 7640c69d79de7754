//! Checks P22: the claimant is told ten minutes before their claim ends, once, and nobody else is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Contact, Entry, Event, IncidentNumber, Person, PersonId};
use inresponse_core::plan::StateChange;

use super::claim_ends::{confirms, fixes};
use super::{Checker, at, compared};
use crate::history::{Sent, UpdateCall, Verdict};
use crate::world::{Micros, SECOND, micros};

/// How long before the end the claimant is told.
const AHEAD: Micros = 600 * SECOND;
/// The end of a claim that lasts less is not announced.
const SHORTEST: Micros = 1_200 * SECOND;

impl Checker<'_> {
    pub(super) fn claim_notices(&self) {
        let mut told: BTreeMap<(IncidentNumber, DateTime<Utc>, &Contact), &Sent> = BTreeMap::new();
        for sent in &self.history.sends {
            let Some(end) = sent.announces else { continue };
            self.compared.borrow_mut().push(compared::CLAIM_NOTICE);
            self.is_in_time_and_for_the_claimant(sent, end);
            let first = told.entry((sent.number, end, &sent.contact)).or_insert(sent);
            if first.delivery != sent.delivery {
                let text = format!("{} and {} announce the same end", first.delivery, sent.delivery);
                self.violated(22, text);
            }
        }
        for call in &self.history.updates {
            self.an_end_is_announced(call);
        }
    }

    /// A notice goes to the person who has the incident, within ten minutes before the end that the claim has.
    fn is_in_time_and_for_the_claimant(&self, sent: &Sent, end: DateTime<Utc>) {
        let slack = TimeDelta::microseconds(signed(self.apart(sent.began) + 2 * SECOND));
        let early = end - TimeDelta::microseconds(signed(AHEAD));
        if self.clocks_stand(0, sent.began) && (sent.wall < early - slack || sent.wall > end + slack) {
            self.violated(22, format!("{} announced {end} at {}", sent.delivery, sent.wall));
        }
        let Some(record) = self.last.get(&sent.number) else { return };
        let entries = record.incident.timeline().entries();
        let is_folded = entries.iter().any(|entry| matches!(entry.event, Event::Folded { .. }));
        if is_folded || !self.clocks_stand(0, self.history.ended_at) {
            return;
        }
        // Somebody may act while the message is being sent.
        let is_near = |entry: &&Entry| (entry.at - sent.wall).abs() <= slack;
        if entries.iter().filter(is_near).any(|entry| fixes(&entry.event) || gives_up(&entry.event)) {
            return;
        }
        let before = entries.iter().take_while(|entry| entry.at <= sent.wall).count();
        let before = &entries[..before];
        let latest = before.iter().rposition(|entry| fixes(&entry.event) || gives_up(&entry.event));
        let Some(latest) = latest.filter(|i| fixes(&before[*i].event)) else {
            return self.violated(22, format!("{} announced the end of no claim", sent.delivery));
        };
        let holder = before.iter().rev().find_map(|entry| match &entry.event {
            Event::Claimed { by, .. } => Some(by),
            Event::HandedOver { to, .. } => Some(to),
            _ => None,
        });
        if holder.is_none_or(|holder| !self.is_at(holder, &sent.contact)) {
            let text =
                format!("{} announced the end of the claim of {holder:?} to {}", sent.delivery, sent.contact);
            self.violated(22, text);
        }
        let fixed = (0..=latest).rev().find(|i| fixes(&before[*i].event) && !confirms(&before[..=*i]));
        let Some(i) = fixed else { return };
        let (fixed, moved) = (&before[i], moved_back(&before[i..]));
        let lasts = (end - fixed.at).num_microseconds().and_then(|time| Micros::try_from(time).ok());
        let is_it = |time: Micros, lasts: Micros| (time.saturating_sub(moved)..=time).contains(&lasts);
        let may_last = |lasts: Micros| match fixed.event {
            Event::Snoozed { seconds, .. } => is_it(seconds * SECOND, lasts),
            _ => self.timeouts().any(|timeout| is_it(timeout, lasts)),
        };
        if !lasts.is_some_and(may_last) {
            self.violated(22, format!("{} announced {end}, which is not the claim's end", sent.delivery));
        }
    }

    /// If no fault prevents it and nobody does anything, the claimant is told in time.
    fn an_end_is_announced(&self, call: &UpdateCall) {
        let (Some(Verdict::Changed(record)), Some(ended)) = (call.answer.got(), call.ended) else { return };
        let incident = &record.incident;
        let (since, Some(claimed)) = (incident.updated_at(), incident.claimed()) else { return };
        let time = match &call.update.state {
            Some(StateChange::Snooze(time)) => micros(*time),
            Some(StateChange::Claim(_)) if claimed.at == since => match incident.matrix().claim_timeout() {
                Some(timeout) => micros(timeout),
                None => return,
            },
            _ => return,
        };
        let before = (since - claimed.at).num_microseconds().and_then(|time| Micros::try_from(time).ok());
        let is_announced = before.is_some_and(|before| before + time >= SHORTEST) && time > AHEAD + SECOND;
        // A claimant whose name is an address can be told there.
        let (true, Some(contact)) = (is_announced, claimed.by.contact()) else { return };
        let due = call.began + time - AHEAD;
        let deadline = ended + time - AHEAD + self.margin() + self.apart(ended + time) + SECOND;
        let touched = self.updates_of(call.number).iter().any(|other| {
            other.began != call.began
                && other.began <= deadline
                && (other.answer.is_open() || other.ended.is_none_or(|end| end >= call.began))
        });
        let free = !touched
            && incident.handover().is_none()
            && self.is_quiet(call.began, deadline)
            && self.clocks_stand(call.began.saturating_sub(SECOND), deadline)
            && deadline < self.history.ended_at
            && !self.is_in_demand(&contact, due.saturating_sub(self.lease()), deadline);
        if !free {
            return;
        }
        self.compared.borrow_mut().push(compared::CLAIM_NOTICED);
        let end = since + TimeDelta::microseconds(signed(time));
        let last = self.last.get(&call.number).map(|last| last.incident.timeline().entries());
        let is_claim = |entry: &Entry| entry.at == since && fixes(&entry.event);
        let entries = last.unwrap_or_default();
        let claim = entries.iter().position(is_claim).unwrap_or_default();
        let earliest = end - TimeDelta::microseconds(signed(moved_back(&entries[claim..])));
        let is_told = self.history.sends.iter().any(|sent| {
            sent.number == call.number
                && sent.announces.is_some_and(|announced| announced >= earliest && announced <= end)
                && sent.contact == contact
                && sent.began <= deadline
        });
        if !is_told {
            let text = format!("{} was not told by {} of the end of {}", contact, at(deadline), call.number);
            self.violated(22, text);
        }
    }

    /// Whether a contact is the person's: their name, or a method in some roster of the run.
    fn is_at(&self, person: &Person, contact: &Contact) -> bool {
        let id = PersonId::new(person.as_str()).ok();
        let has = |id: &PersonId| {
            let profiles = self.history.rosters.iter().filter_map(|(_, roster)| roster.book.person(id));
            profiles.into_iter().any(|profile| profile.methods().values().any(|method| method == contact))
        };
        person.contact().as_ref() == Some(contact) || id.is_some_and(|id| has(&id))
    }

    fn timeouts(&self) -> impl Iterator<Item = Micros> {
        let teams = self.history.rosters.iter().flat_map(|(_, roster)| roster.teams.values());
        teams.chain(&self.scenario.fallback).filter_map(|team| team.claim_timeout).map(micros)
    }
}

/// By how much the end of a claim may have been moved back, because the clock of another server is behind: the timeline
/// says it in whole seconds.
fn moved_back(entries: &[Entry]) -> Micros {
    let moved = entries.iter().filter_map(|entry| match entry.event {
        Event::ClockWentBack { seconds } => u64::try_from(seconds).ok(),
        _ => None,
    });
    moved.map(|seconds| (seconds + 1) * SECOND).sum()
}

fn signed(time: Micros) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// Whether an event ends a claim.
fn gives_up(event: &Event) -> bool {
    matches!(
        event,
        Event::Released { .. }
            | Event::HandedToTeam { .. }
            | Event::ClaimEnded { .. }
            | Event::HandoverUnanswered { .. }
            | Event::Resolved { .. }
    )
}
