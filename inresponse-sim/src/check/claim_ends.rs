//! Checks P22: a claim that has an end ends then, once, in a new round.

use chrono::TimeDelta;
use inresponse_core::model::{Entry, Event, IncidentNumber, State};
use inresponse_core::plan::StateChange;
use inresponse_core::store::Record;

use super::{Checker, at, compared, may_have};
use crate::history::{UpdateCall, Verdict};
use crate::world::{Micros, SECOND, micros};

impl Checker<'_> {
    pub(super) fn claim_ends(&self) {
        let records: Vec<_> = self.last.values().copied().collect();
        for record in records {
            if self.history.rested_at.is_some() {
                self.no_claim_is_forgotten(record);
            }
            self.no_claim_ends_early(record);
        }
        for call in &self.history.updates {
            self.claim_ends_in_time(call);
        }
    }

    /// At the end of a run, nobody has an incident whose claim should have ended.
    fn no_claim_is_forgotten(&self, record: &Record) {
        let incident = &record.incident;
        let entries = incident.timeline().entries();
        let is_folded = entries.iter().any(|entry| matches!(entry.event, Event::Folded { .. }));
        if incident.state() != State::Claimed || is_folded {
            return;
        }
        let last = entries.iter().rev().find(|entry| fixes(&entry.event));
        let is_snoozed = last.is_some_and(|entry| matches!(entry.event, Event::Snoozed { .. }));
        if is_snoozed || incident.matrix().claim_timeout().is_some() {
            self.violated(22, format!("the claim of {} never ended", record.number()));
        }
    }

    /// A claim ends only after its time, by the clock that wrote the timeline, and once.
    fn no_claim_ends_early(&self, record: &Record) {
        let entries = record.incident.timeline().entries();
        for (i, entry) in entries.iter().enumerate() {
            if !matches!(entry.event, Event::ClaimEnded { .. }) {
                continue;
            }
            self.compared.borrow_mut().push(compared::CLAIM_END);
            let before = &entries[..i];
            let fixed = (0..i).rev().find(|i| fixes(&before[*i].event) && !confirms(&before[..=*i]));
            let Some(fixed) = fixed else {
                if !before.iter().any(|entry| matches!(entry.event, Event::Folded { .. })) {
                    self.violated(22, format!("a claim of {} ended that nobody made", record.number()));
                }
                continue;
            };
            let between = &before[fixed..];
            if between.iter().any(|entry| matches!(entry.event, Event::ClaimEnded { .. })) {
                self.violated(22, format!("a claim of {} ended twice", record.number()));
            }
            if between.iter().any(|e| matches!(e.event, Event::ClockWentBack { .. })) {
                continue;
            }
            let time = match before[fixed].event {
                Event::Snoozed { seconds, .. } => Some(seconds * SECOND),
                _ => self.shortest_timeout(),
            };
            let passed = (entry.at - before[fixed].at).num_microseconds().unwrap_or(i64::MAX);
            if time.is_none_or(|time| passed < i64::try_from(time).unwrap_or(i64::MAX)) {
                let text = format!("a claim of {} ended after {passed} µs", record.number());
                self.violated(22, text);
            }
        }
    }

    /// If no fault prevents it, the incident is open again when the claim's time is over.
    fn claim_ends_in_time(&self, call: &UpdateCall) {
        let (Some(Verdict::Changed(record)), Some(ended)) = (call.answer.got(), call.ended) else { return };
        let incident = &record.incident;
        let time = match &call.update.state {
            Some(StateChange::Snooze(time)) => micros(*time),
            Some(StateChange::Claim(_)) => match incident.matrix().claim_timeout() {
                Some(timeout) => micros(timeout),
                None => return,
            },
            _ => return,
        };
        let since = incident.updated_at();
        let all = incident.timeline().entries();
        let fixed = all.iter().rposition(|entry| entry.at == since && fixes(&entry.event));
        let is_new = fixed.is_some_and(|i| !confirms(&all[..=i]));
        let deadline = ended + time + self.margin();
        let touched = self.updates_of(call.number).iter().any(|other| {
            other.began != call.began
                && other.began <= deadline
                && (other.answer.is_open() || other.ended.is_none_or(|end| end >= call.began))
        });
        let free = is_new
            && !touched
            && !self.may_be_raised(call.number, call.began, deadline)
            && self.is_quiet(call.began, deadline)
            && self.clocks_stand(call.began.saturating_sub(SECOND), deadline)
            && deadline < self.history.ended_at;
        let (Some(last), true) = (self.last.get(&call.number), free) else { return };
        let entries = last.incident.timeline().entries();
        if entries.iter().any(|entry| matches!(entry.event, Event::Folded { .. })) {
            return;
        }
        // A hand-over that was not answered may end it sooner.
        let by = since
            + TimeDelta::microseconds(
                i64::try_from(time + self.margin() + self.apart(deadline) + SECOND).unwrap_or(i64::MAX),
            );
        let again = |entry: &Entry| {
            matches!(entry.event, Event::ClaimEnded { .. } | Event::HandoverUnanswered { .. })
                && entry.at >= since
                && entry.at <= by
        };
        if !entries.iter().any(again) {
            self.violated(22, format!("the claim of {} had not ended by {}", call.number, at(deadline)));
        }
    }

    fn shortest_timeout(&self) -> Option<Micros> {
        let teams = self.history.rosters.iter().flat_map(|(_, roster)| roster.teams.values());
        teams.filter_map(|team| team.claim_timeout).map(micros).min()
    }

    /// Whether a claim may have ended by a given time, because its time was over.
    pub(super) fn may_have_ended(&self, number: IncidentNumber, by: Micros) -> bool {
        self.updates_of(number).iter().any(|call| {
            let time = match &call.update.state {
                Some(StateChange::Snooze(time)) => Some(micros(*time)),
                Some(StateChange::Claim(_) | StateChange::HandTo(_)) => self.shortest_timeout(),
                _ => None,
            };
            let tells = self.clocks_stand(call.began.saturating_sub(SECOND), by);
            may_have(call)
                && call.began <= by
                && time.is_some_and(|time| !tells || call.began + time <= by + self.apart(by) + SECOND)
        })
    }
}

/// Whether the last entry is the claim of a person who was handed the incident and had not answered. The hand-over, or a
/// snooze since then, has fixed when that claim ends.
pub(super) fn confirms(entries: &[Entry]) -> bool {
    let Some((Entry { event: Event::Claimed { by, .. }, .. }, before)) = entries.split_last() else {
        return false;
    };
    let is_end = |event: &Event| {
        matches!(
            event,
            Event::Released { .. }
                | Event::HandedToTeam { .. }
                | Event::ClaimEnded { .. }
                | Event::HandoverUnanswered { .. }
        )
    };
    let holds = |event: &Event| matches!(event, Event::Claimed { .. } | Event::HandedOver { .. });
    let last = before.iter().rev().map(|entry| &entry.event).find(|event| holds(event) || is_end(event));
    matches!(last, Some(Event::HandedOver { to, .. }) if to.is(by))
}

/// Whether an event fixes when a claim ends.
pub(super) fn fixes(event: &Event) -> bool {
    matches!(event, Event::Claimed { .. } | Event::HandedOver { .. } | Event::Snoozed { .. })
}
