//! Checks P22: a person who is handed an incident must answer, or the incident is open again in a new round, never
//! early and never late.

use chrono::TimeDelta;
use inresponse_core::model::{Entry, Event, IncidentNumber, Person, State};
use inresponse_core::plan::StateChange;
use inresponse_core::store::Record;

use super::{Checker, at, may_have};
use crate::history::{UpdateCall, Verdict};
use crate::world::{Micros, SECOND, micros};

impl<'a> Checker<'a> {
    pub(super) fn handovers(&self) {
        let records: Vec<_> = self.last.values().copied().collect();
        for record in records {
            if self.history.rested_at.is_some() {
                self.nobody_is_waited_for(record);
            }
            self.never_early_again(record);
        }
        for call in &self.history.updates {
            self.open_again_in_time(call);
        }
    }

    /// At the end of a run, no incident belongs to a person who was handed it and never answered.
    fn nobody_is_waited_for(&self, record: &Record) {
        let entries = record.incident.timeline().entries();
        let last = entries.iter().rposition(|entry| has_it(&entry.event));
        let (State::Claimed, Some(i)) = (record.incident.state(), last) else { return };
        let Event::HandedOver { by, to, .. } = &entries[i].event else { return };
        if by != to && !entries[i..].iter().any(|entry| is_by(&entry.event, to)) {
            self.violated(22, format!("{to} was handed {} and never answered", record.number()));
        }
    }

    /// The wait of the round passes between a hand-over and its end, by the clock that wrote the timeline.
    fn never_early_again(&self, record: &Record) {
        let (number, entries) = (record.number(), record.incident.timeline().entries());
        for (i, entry) in entries.iter().enumerate() {
            let Event::HandoverUnanswered { to } = &entry.event else { continue };
            let before = &entries[..i];
            let handed = before
                .iter()
                .rposition(|e| matches!(&e.event, Event::HandedOver { to: given, .. } if given == to));
            let Some(handed) = handed else { continue };
            let brought_back =
                before[handed..].iter().any(|e| matches!(e.event, Event::ClockWentBack { .. }));
            let Some((call, wait)) = self.hand_over_at(number, &before[handed]) else { continue };
            let passed = (entry.at - before[handed].at).num_microseconds().unwrap_or(i64::MAX);
            if !brought_back && passed < i64::try_from(wait).unwrap_or(i64::MAX) {
                self.violated(
                    22,
                    format!("{number} was open again although {to} had only {passed} µs to answer"),
                );
            }
            if before[handed..].iter().any(|e| is_by(&e.event, to)) {
                self.violated(22, format!("{to} answered, but {number} was open again"));
            }
            // The same check by elapsed time, if all clocks agree.
            let alerts = self.sends.get(&number).into_iter().flatten().map(|i| self.sent(*i));
            let round = self.round_at(call);
            let first =
                alerts.filter(|sent| round.is_some_and(|round| sent.round > round)).map(|s| s.began).min();
            if let Some(began) = first
                && self.clocks_stand(call.began.saturating_sub(SECOND), began)
                && began + self.apart(began) + SECOND < call.began + wait
                && !self.may_have_begun_again(number, call.began, began)
                && !self.may_have_ended(number, began)
            {
                self.violated(22, format!("{number} was alerted again too early, at {}", at(began)));
            }
        }
    }

    /// If no fault prevents it, the incident is open again one wait after the hand-over.
    fn open_again_in_time(&self, call: &UpdateCall) {
        let Some((to, Some(ended), wait)) = self.granted(call) else { return };
        let deadline = ended + wait + self.margin();
        let touched = self.updates_of(call.number).iter().any(|other| {
            other.began != call.began
                && other.began <= deadline
                && (other.answer.is_open() || other.ended.is_none_or(|end| end >= call.began))
        });
        let free = !touched
            && !self.may_be_raised(call.number, call.began, deadline)
            && self.is_quiet(call.began, deadline)
            && self.clocks_stand(call.began.saturating_sub(SECOND), deadline)
            && deadline < self.history.ended_at;
        let (Some(record), true) = (self.last.get(&call.number), free) else { return };
        let entries = record.incident.timeline().entries();
        if entries.iter().any(|entry| matches!(entry.event, Event::Folded { .. })) {
            return;
        }
        let Some(Verdict::Changed(handed)) = call.answer.got() else { return };
        // The claim may end before they must answer.
        let late = self.margin() + self.apart(deadline) + SECOND;
        if handed.incident.matrix().claim_timeout().is_some_and(|time| micros(time) <= wait + late) {
            return;
        }
        let Some(since) = handed.incident.claimed().map(|claimed| claimed.at) else { return };
        let by = since + TimeDelta::microseconds(i64::try_from(wait + late).unwrap_or(i64::MAX));
        let again = |e: &Entry| {
            matches!(&e.event, Event::HandoverUnanswered { to: given } if given == to)
                && e.at >= since
                && e.at <= by
        };
        if !entries.iter().any(again) {
            let text =
                format!("{to} did not answer, but {} was not open again by {}", call.number, at(deadline));
            self.violated(22, text);
        }
    }

    /// The person to whom a call handed an incident, when it was answered, and the wait of the round.
    fn granted<'c>(&self, call: &'c UpdateCall) -> Option<(&'c Person, Option<Micros>, Micros)> {
        let (Some(StateChange::HandTo(to)), Some(Verdict::Changed(record))) =
            (&call.update.state, call.answer.got())
        else {
            return None;
        };
        // This does not apply if they had the incident already, and the call changed something else.
        let (incident, updated_at) = (&record.incident, record.incident.updated_at());
        let is_new = incident.claimed().is_some_and(|claimed| claimed.at == updated_at);
        (is_new && *to != call.update.by).then(|| (to, call.ended, micros(incident.matrix().wait())))
    }

    /// The call that made a timeline entry, and the wait of the round.
    fn hand_over_at(&self, number: IncidentNumber, entry: &Entry) -> Option<(&'a UpdateCall, Micros)> {
        self.updates_of(number).iter().find_map(|call| {
            let (_, _, wait) = self.granted(call)?;
            let Some(Verdict::Changed(record)) = call.answer.got() else { return None };
            let claimed = record.incident.claimed()?;
            (claimed.at == entry.at).then_some((*call, wait))
        })
    }

    fn round_at(&self, call: &UpdateCall) -> Option<u32> {
        match call.answer.got() {
            Some(Verdict::Changed(record)) => Some(record.incident.round()),
            Some(Verdict::Unchanged(_) | Verdict::Refused(..) | Verdict::Absent) | None => None,
        }
    }

    /// Whether a person may have started a new round in that time.
    fn may_have_begun_again(&self, number: IncidentNumber, from: Micros, to: Micros) -> bool {
        self.updates_of(number).iter().any(|call| {
            super::releases(call)
                && may_have(call)
                && call.began <= to
                && (call.answer.is_open() || call.ended.is_none_or(|end| end >= from))
        })
    }

    /// Whether the incident may be open again by a given time, because a person who was handed it has not answered.
    pub(super) fn may_be_unanswered(&self, number: IncidentNumber, by: Micros) -> bool {
        let teams = self.history.rosters.iter().flat_map(|(_, roster)| roster.teams.values());
        let shortest = teams.map(|team| micros(team.wait)).min().unwrap_or(0);
        self.updates_of(number).iter().any(|call| {
            let is_handed =
                matches!(&call.update.state, Some(StateChange::HandTo(to)) if *to != call.update.by);
            let wait = self.granted(call).map_or(shortest, |(_, _, wait)| wait);
            let tells = self.clocks_stand(call.began.saturating_sub(SECOND), by);
            is_handed
                && may_have(call)
                && call.began <= by
                && (!tells || call.began + wait <= by + self.apart(by) + SECOND)
        })
    }
}

/// Whether an event changes who has the incident.
fn has_it(event: &Event) -> bool {
    matches!(
        event,
        Event::Claimed { .. }
            | Event::HandedOver { .. }
            | Event::HandoverUnanswered { .. }
            | Event::ClaimEnded { .. }
            | Event::Released { .. }
            | Event::HandedToTeam { .. }
            | Event::Folded { .. }
    )
}

/// Whether an event records an action of this person.
fn is_by(event: &Event, person: &Person) -> bool {
    match event {
        Event::Claimed { by, .. }
        | Event::HandedOver { by, .. }
        | Event::HandedToTeam { by, .. }
        | Event::CalledIn { by, .. }
        | Event::Escalated { by }
        | Event::Snoozed { by, .. }
        | Event::Released { by }
        | Event::Resolved { by }
        | Event::SeverityChanged { by: Some(by), .. }
        | Event::Noted { by, .. } => by == person,
        _ => false,
    }
}
