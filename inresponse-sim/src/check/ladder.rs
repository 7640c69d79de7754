//! Checks P8, P12 and P15: who is alerted, in which order, and not too early.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use inresponse_core::model::{Contact, Event, IncidentNumber, Level, Matrix, Purpose};
use inresponse_core::plan::StateChange;
use inresponse_core::store::Record;

use super::frozen::Frozen;
use super::{Checker, at, may_have};
use crate::fault::Fault;
use crate::history::{Sent, Told, UpdateCall};
use crate::silences::Quiet;
use crate::world::{Micros, SECOND, micros};

/// A send may begin this many leases after its first one, if all calls to the store are slow.
const RENEWED: u64 = 8;

/// People's requests to escalate. Every request alerts one level earlier.
struct Escalations<'a> {
    left: Vec<&'a UpdateCall>,
}

impl<'a> Escalations<'a> {
    fn of(updates: &[&'a UpdateCall]) -> Self {
        let escalates =
            |call: &&&UpdateCall| call.update.state == Some(StateChange::Escalate) && may_have(call);
        let mut left: Vec<_> = updates.iter().filter(escalates).copied().collect();
        // A call that ended first can explain the fewest sends.
        left.sort_by_key(|call| if call.answer.is_open() { None } else { call.ended }.unwrap_or(Micros::MAX));
        Self { left }
    }

    /// Uses up one request that may have been granted in that time, if there is one.
    fn take(&mut self, from: Micros, to: Micros) -> bool {
        let may_explain = |call: &&UpdateCall| {
            call.began <= to && (call.answer.is_open() || call.ended.is_none_or(|end| end >= from))
        };
        let found = self.left.iter().position(may_explain);
        found.map(|i| self.left.remove(i)).is_some()
    }
}

impl<'a> Checker<'a> {
    pub(super) fn ladder(&self) {
        let all: Vec<(IncidentNumber, Vec<usize>)> =
            self.sends.iter().map(|(n, s)| (*n, s.clone())).collect();
        let mut shown = BTreeMap::<(IncidentNumber, u32), &Matrix>::new();
        for one in self.seen() {
            let incident = &one.record.incident;
            // The end of quiet, or another rule, freezes the matrix of a round again if no level has begun.
            let may_freeze_again =
                self.scenario.quiet != Quiet::Unused || self.is_rerouted(incident.number());
            if incident.begun().is_empty() && may_freeze_again {
                continue;
            }
            shown.insert((incident.number(), incident.round()), incident.matrix());
        }
        for (number, sends) in all {
            let mut rounds = BTreeMap::<u32, Vec<&'a Sent>>::new();
            for i in sends {
                rounds.entry(self.sent(i).round).or_default().push(self.sent(i));
            }
            let (mut from, mut escalations) = (None, Escalations::of(self.updates_of(number)));
            let mut past = Vec::new();
            for (i, (round, sends)) in (1u32..).zip(&rounds) {
                // The matrix of a round that sent nothing is not known.
                let past_is_known = i == *round;
                let mut frozen = self.frozen(number, *round, from, sends, past_is_known.then_some(&*past));
                let named = |record: &&Record| record.incident.round() == *round;
                if frozen.is_empty() {
                    let text = format!("no roster explains the matrix of round {round} of {number}");
                    self.violated(8, text);
                } else if let Some(record) = self.last.get(&number).copied().filter(named)
                    && !frozen.iter().any(|frozen| frozen.name == record.incident.team().as_str())
                {
                    let team = record.incident.team();
                    self.violated(8, format!("round {round} of {number} cannot be that of team {team}"));
                } else {
                    if let Some(shown) = shown.get(&(number, *round)) {
                        self.is_who_is_on_call(number, *round, shown, &mut frozen);
                    }
                    self.never_early(number, sends, &frozen, &mut escalations);
                }
                past.extend(frozen);
                // A slow lease, or one that waited for the others of its bundle, is sent later than it was taken. The next
                // round may have begun before.
                let gathered = if self.scenario.singles > 0 { SECOND } else { 0 };
                from = sends.first().map(|sent| sent.began.saturating_sub(self.slow(sent) + gathered));
            }
        }
    }

    /// P8: a level's first send comes a wait after the first send of the previous level, or at once if that level is
    /// dead. P12: levels come in order.
    fn never_early(
        &self,
        number: IncidentNumber,
        sends: &[&'a Sent],
        frozen: &[Frozen<'a>],
        escalations: &mut Escalations<'a>,
    ) {
        let mut firsts = BTreeMap::<Purpose, &Sent>::new();
        for sent in sends {
            firsts.entry(sent.purpose).or_insert(sent);
        }
        let firsts: Vec<&Sent> = firsts.into_values().collect();
        for pair in firsts.windows(2) {
            let (one, next) = (pair[0], pair[1]);
            let wait = frozen.iter().map(|frozen| frozen.wait_of(one.purpose)).min().unwrap_or_default();
            let dead = |contact: &Contact| {
                sends.iter().any(|sent| {
                    sent.purpose == one.purpose
                        && sent.contact == *contact
                        && sent.told == Some(Told::Rejected)
                        && sent.ended.is_some_and(|ended| ended <= next.began)
                })
            };
            let level_dead = |f: &Frozen| f.all_of_a_severity(one.purpose, dead);
            // Allowances: the dead; a level whose lease was lost more than once before anything was sent; what
            // was raised, so that lower levels come later; clocks that were set; deaths by five crashes. And a wait
            // shorter than the lease, which may be over before the lease that was lost is.
            let short = one.attempt > 1 && micros(wait) < self.lease() + SECOND;
            // So may the first of a level be where only a part of it had free sending slots.
            let part = one.attempt == 1 && self.began_in_part(number, one);
            // And a level that began with a lease under which nothing was sent, if that was recorded: the next one
            // counts from that lease, and a server that continues after an outage may come to both at once.
            let unbegun =
                one.attempt > 1 && self.history.not_begun.contains(&(number, one.round, one.purpose));
            let lost = self.lost_twice(number, one)
                || short
                || unbegun
                || part
                || frozen.iter().any(level_dead)
                || self.died_by_expiry(number, one);
            let slack = SECOND + self.slow(one) + self.apart(next.began);
            // A level began when its time came, if no sending slot was free then for any of its contacts.
            let began = next.began.saturating_sub(micros(wait));
            let said = self.said_to_begin(number, one);
            // A level whose alerts wait for their message has begun.
            let waited = self.scenario.singles > 0 && said.iter().any(|said| *said <= began + slack);
            let times: Vec<_> = said.into_iter().chain([began]).collect();
            let crowded = frozen.iter().any(|f| {
                times.iter().any(|at| {
                    let in_demand =
                        |contact: &Contact| self.is_in_demand(contact, at.saturating_sub(slack), at + slack);
                    f.all_first_of_a_severity(one.purpose, in_demand)
                })
            });
            let since = one.began.min(began).saturating_sub(slack + self.lease());
            let clocks = self.clocks_stand(since, next.began) && self.clocks_agree(next.began);
            if lost
                || waited
                || crowded
                || !clocks
                || self.may_be_reordered(number, one.began.max(next.began))
            {
                continue;
            }
            let slack = TimeDelta::microseconds(i64::try_from(slack).unwrap_or(0));
            let passed = next.wall - one.wall;
            // If its first lease was lost, the level had begun at some earlier time.
            let since = if one.attempt > 1 { 0 } else { since };
            let is_early = passed + slack < TimeDelta::from_std(wait).unwrap_or_default();
            if is_early && !escalations.take(since, next.began) {
                let text = format!(
                    "level {} of {number} was alerted at {}, {} after level {}; its wait is {wait:?}",
                    next.purpose,
                    at(next.began),
                    passed,
                    one.purpose
                );
                self.violated(8, text);
            }
        }
    }

    /// When a send's level began, or began again, by the timeline: by a correct clock, and by every clock that was wrong
    /// at some time.
    pub(super) fn said_to_begin(&self, number: IncidentNumber, one: &Sent) -> Vec<Micros> {
        let Some(record) = self.last.get(&number) else { return Vec::new() };
        let began = record.incident.timeline().entries().iter().filter(|entry| match &entry.event {
            Event::LevelBegan { round, level, .. } | Event::LevelBeganAgain { round, level } => {
                (*round, Purpose::Alert(*level)) == (one.round, one.purpose)
            }
            _ => false,
        });
        let errors: BTreeSet<i64> =
            self.history.offsets.iter().map(|(_, _, error)| *error).chain([0]).collect();
        let times = began.flat_map(|entry| {
            errors.iter().filter_map(|error| self.time_of(entry.at - TimeDelta::microseconds(*error)))
        });
        times.filter(|time| *time <= one.began).collect()
    }

    /// Whether processes died more than once before anything was sent to a send's level. In this case the level's wait
    /// counts from its first repeat, because the wait begins again only once.
    fn lost_twice(&self, number: IncidentNumber, one: &Sent) -> bool {
        let lost_leases = self.targets.iter().any(|((of, round, purpose, ..), sends)| {
            (*of, *round, *purpose) == (number, one.round, one.purpose) && self.sent(sends[0]).attempt > 2
        });
        lost_leases || self.died_after_it_began_again(number, one)
    }

    /// Whether a process died without a send after the send's level had begun again because of another dead process.
    fn died_after_it_began_again(&self, number: IncidentNumber, one: &Sent) -> bool {
        let Some(record) = self.last.get(&number) else { return false };
        let again = record.incident.timeline().entries().iter().filter(|entry| match &entry.event {
            Event::LevelBeganAgain { round, level } => {
                (*round, Purpose::Alert(*level)) == (one.round, one.purpose)
            }
            _ => false,
        });
        let mut again = again.filter_map(|entry| self.time_of(entry.at));
        again.any(|at| self.history.crashes.iter().any(|(_, died)| *died >= at && *died < one.began))
    }

    /// Whether the first lease of some contact of a send's level was lost before anything was sent.
    pub(super) fn began_in_part(&self, number: IncidentNumber, one: &Sent) -> bool {
        // An incident forgets the deliveries of earlier rounds, but what was sent later tells.
        let was_lost = self.targets.iter().any(|((of, round, purpose, ..), sends)| {
            (*of, *round, *purpose) == (number, one.round, one.purpose) && self.sent(sends[0]).attempt > 1
        });
        if was_lost {
            return true;
        }
        let Some(record) = self.last.get(&number) else { return true };
        record.incident.deliveries().iter().any(|d| {
            let target = (number, one.round, one.purpose, d.contact().clone(), d.after().as_secs());
            let sent_first = self.targets.get(&target).is_some_and(|sends| self.sent(sends[0]).attempt == 1);
            (d.key().round, d.key().purpose) == (one.round, one.purpose) && d.attempts() > 0 && !sent_first
        })
    }

    /// How much later than its lease a send may have begun, because of a slow store.
    pub(super) fn slow(&self, sent: &Sent) -> Micros {
        // A first attempt that was not begun may have been slow on another server; and a lease that was slow is renewed
        // before its send begins, which may be slow again.
        let planned = sent.began.saturating_sub(self.lease() * (u64::from(sent.attempt) + RENEWED));
        let slow = self.history.disturbances.iter().filter(|d| {
            matches!(d.fault, Fault::SlowCall | Fault::SlowAnswer)
                && (d.host == Some(sent.process.host) || sent.attempt > 1)
                && d.from <= sent.began
                && d.to >= planned
        });
        slow.map(|d| d.to - d.from).sum()
    }

    pub(super) fn died_by_expiry(&self, number: IncidentNumber, one: &Sent) -> bool {
        let Some(record) = self.last.get(&number) else { return true };
        record
            .incident
            .deliveries()
            .iter()
            .any(|d| d.key().round == one.round && d.key().purpose == one.purpose && d.expired() >= 5)
    }

    /// Whether the severity may have changed by a given time, so that a level may come after a higher one.
    fn may_be_reordered(&self, number: IncidentNumber, by: Micros) -> bool {
        let changed =
            self.updates_of(number).iter().any(|call| call.update.severity.is_some() && call.began < by);
        changed || self.may_be_raised(number, 0, by)
    }

    /// The wait of a level, if it is known for certain.
    pub(super) fn wait_of(&self, number: IncidentNumber, round: u32, level: Level) -> Option<Duration> {
        let record = self.last.get(&number)?;
        (record.incident.round() == round).then(|| record.incident.matrix().wait_of(level))
    }
}
