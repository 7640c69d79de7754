//! Checks P10, P11 and P14: which alerts may be sent, and when no more.

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{Event, IncidentNumber, StatusUpdates};
use inresponse_core::plan::StateChange;
use inresponse_core::roster::Profile;

use super::{Checker, at, closes, may_have, releases};
use crate::fault::Fault;
use crate::history::{Sent, Told, Verdict};
use crate::world::{MILLI, Micros, SECOND};

/// The faults with which a store call fails.
const FAILED: &[Fault] = &[
    Fault::StoreRetryable,
    Fault::StorePermanent,
    Fault::UnknownHappened,
    Fault::UnknownDidNot,
    Fault::CallLost,
    Fault::AnswerLost,
    Fault::CallThrottled,
    Fault::CallConflict,
];
/// The faults with which a store call is slow.
const SLOW: &[Fault] = &[Fault::SlowCall, Fault::SlowAnswer];
/// The time to record an outcome if the store has no faults.
const RECORDING: Micros = 300 * MILLI;

impl Checker<'_> {
    pub(super) fn alerts(&self) {
        self.repeats_bear_the_same_name();
        self.exactly_one();
        self.own_sends_do_not_overlap();
        self.leases_hold();
        self.claims_stop_alerts();
        self.status_updates_are_for_those_concerned();
    }

    /// P10: every attempt of a delivery has the same id, and no other delivery has it.
    fn repeats_bear_the_same_name(&self) {
        let mut names = std::collections::BTreeMap::new();
        for (target, sends) in self.targets.clone() {
            for i in sends {
                let name = &self.sent(i).delivery;
                if names.entry(name.as_str()).or_insert_with(|| target.clone()) != &target {
                    self.violated(10, format!("two deliveries have the id {name}"));
                }
                if *name != self.sent(self.targets[&target][0]).delivery {
                    self.violated(10, format!("a repeat of a delivery has the id {name}"));
                }
            }
        }
    }

    /// P10: an accepted alert is not sent again, unless a crash or a lost reply hid the acceptance. P9: a rejected
    /// alert is not sent again either.
    fn exactly_one(&self) {
        for sends in self.targets.clone().values() {
            for (n, i) in sends.iter().enumerate() {
                let one = self.sent(*i);
                let settled = match one.told {
                    Some(Told::Accepted) => one.arrived.is_some(),
                    Some(Told::Rejected) => true,
                    _ => false,
                };
                let Some(ended) = one.ended.filter(|_| settled) else { continue };
                for j in &sends[n + 1..] {
                    let again = self.sent(*j);
                    if !self.is_excused(one, ended, again) {
                        let text = format!(
                            "{} was {:?} at {} and was sent again at {}",
                            one.delivery,
                            one.told,
                            at(ended),
                            at(again.began)
                        );
                        let promise = if one.told == Some(Told::Rejected) { 9 } else { 10 };
                        self.violated(promise, text);
                    }
                }
            }
        }
    }

    /// Whether something hid the outcome of `one` from the process that sent `again`: a crash; a store that failed, or
    /// that took longer to record the outcome than the rest of the lease; or clocks that disagree.
    ///
    /// A slow lease or a slow carrier is no excuse, because such a send renews its lease.
    fn is_excused(&self, one: &Sent, ended: Micros, again: &Sent) -> bool {
        let disturbed = |until: Micros, faults: &'static [Fault]| {
            let host = Some(one.process.host);
            self.history.disturbances.iter().filter(move |d| {
                faults.contains(&d.fault) && d.host == host && d.from <= until && d.to >= ended
            })
        };
        let crashed = self.history.crashes.iter().any(|(process, at)| {
            let recording =
                || disturbed(*at, FAILED).next().is_some() || disturbed(*at, SLOW).next().is_some();
            *process == one.process
                && *at >= one.began
                && *at <= again.began
                && (*at <= ended + RECORDING || recording())
        });
        let failed = disturbed(again.began, FAILED).next().is_some();
        // At least a third of the lease is left when a send ends.
        let slow: Micros = disturbed(again.began, SLOW).map(|d| d.to - d.from).sum();
        let too_slow = slow + RECORDING >= self.lease() / 3;
        // A process that had a wrong clock may bring times back for all.
        let before = one.began.saturating_sub(self.lease() + SECOND);
        let disagree = !self.clocks_agree(again.began) || !self.clocks_stand(before, again.began);
        crashed || failed || too_slow || disagree
    }

    /// P14: a process never repeats a send of its own that has not ended.
    fn own_sends_do_not_overlap(&self) {
        for sends in self.targets.clone().values() {
            for (n, i) in sends.iter().enumerate() {
                for j in &sends[n + 1..] {
                    let (one, again) = (self.sent(*i), self.sent(*j));
                    if one.process == again.process && one.ended.is_none_or(|ended| again.began < ended) {
                        let text = format!(
                            "server {} sent {} again at {} while it was sending it",
                            one.process.host,
                            one.delivery,
                            at(again.began)
                        );
                        self.violated(14, text);
                    }
                }
            }
        }
    }

    /// P14: no send begins after its lease has ended by either clock.
    fn leases_hold(&self) {
        for sent in &self.history.sends {
            let Some(until) = sent.lease_until else {
                self.violated(11, format!("{} was sent without a lease", sent.delivery));
                continue;
            };
            if sent.wall >= until {
                let text =
                    format!("{} was sent at {} by the wall clock after its lease", sent.delivery, sent.wall);
                self.violated(14, text);
            }
            // When the lease was taken: by the wall clock as it was set last, of all times that this may have been.
            let lease = i64::try_from(self.lease()).unwrap_or(i64::MAX);
            let planned = (until - TimeDelta::microseconds(lease) - self.world.base).num_microseconds();
            let Some(planned) = planned else { continue };
            let set = self
                .history
                .offsets
                .iter()
                .filter(|(from, host, _)| *host == sent.process.host && *from <= sent.began);
            let latest = set
                .filter_map(|(from, _, offset)| {
                    let time = u64::try_from(planned - offset).ok()?;
                    (time + MILLI >= *from && time <= sent.began + MILLI).then_some(time)
                })
                .max();
            if let Some(latest) = latest
                && sent.began.saturating_sub(latest) > self.lease()
            {
                let text = format!("{} was sent at {} after its lease", sent.delivery, at(sent.began));
                self.violated(14, text);
            }
        }
    }

    /// P11: from a second after a claim was answered, no alert is sent.
    fn claims_stop_alerts(&self) {
        let all: Vec<(IncidentNumber, Vec<usize>)> =
            self.sends.iter().map(|(n, s)| (*n, s.clone())).collect();
        for (number, sends) in all {
            for call in self.updates_of(number).to_vec() {
                let (Some(Verdict::Changed(record)), Some(ended), true) =
                    (call.answer.got(), call.ended, closes(call))
                else {
                    continue;
                };
                let round = record.incident.round();
                let late = sends
                    .iter()
                    .map(|i| self.sent(*i))
                    .find(|sent| sent.began > ended + SECOND && sent.round <= round);
                if let Some(late) = late {
                    let text = format!(
                        "{} was sent at {}, although {number} was {} by {}",
                        late.delivery,
                        at(late.began),
                        record.incident.state(),
                        at(ended)
                    );
                    self.violated(11, text);
                }
                // A later round needs a release, a claim that ended, or somebody who was given it and did not answer.
                let released = self.updates_of(number).iter().filter(|call| releases(call) && may_have(call));
                let later =
                    released.filter(|r| r.answer.is_open() || r.ended.is_none_or(|end| end > call.began));
                let first_release = later.map(|release| release.began).min();
                let unreleased = sends.iter().map(|i| self.sent(*i)).find(|sent| {
                    sent.began > ended + SECOND
                        && first_release.is_none_or(|release| sent.began < release)
                        && !self.may_be_unanswered(number, sent.began)
                        && !self.may_have_ended(number, sent.began)
                });
                if let Some(sent) = unreleased.filter(|sent| sent.round > round) {
                    let text = format!("round {} of {number} began, although nobody released it", sent.round);
                    self.violated(11, text);
                }
            }
        }
    }

    /// P11: a message that is sent while somebody has the incident says that. It goes only to the person who was handed
    /// the incident, and, if status updates are on, to the people who were alerted. `claim_notices` checks the notice
    /// before a claim ends.
    fn status_updates_are_for_those_concerned(&self) {
        let updates = self.history.sends.iter().filter(|sent| sent.is_status_update());
        for update in updates.filter(|sent| sent.announces.is_none()) {
            // If a process died or a commit's reply was lost, a lease may have begun under which nothing was sent.
            let began = |event: &Event| match event {
                Event::LevelBegan { contacts, .. } => contacts.contains(&update.contact),
                Event::Folded { .. } => true,
                _ => false,
            };
            let timeline = self.last.get(&update.number).map(|record| record.incident.timeline().entries());
            // So may a step of a rule, later or by a raise.
            let steps = self.last.get(&update.number).map_or(&[][..], |record| record.incident.deliveries());
            let had_a_step_since = |is_so: &dyn Fn(DateTime<Utc>) -> bool| {
                let mut theirs = steps.iter().filter(|d| !d.is_status_update() && d.attempts() > 0);
                theirs.any(|d| *d.contact() == update.contact && is_so(d.since()))
            };
            let had_a_step = had_a_step_since(&|_| true);
            let sends = [&self.sends, &self.calls].into_iter().filter_map(|sends| sends.get(&update.number));
            let was_sent = sends.flatten().any(|i| {
                let sent = self.sent(*i);
                sent.contact == update.contact && sent.began <= update.began
            });
            // Or the lease was just taken, and the message is sent in a moment.
            let is_near = |at: DateTime<Utc>| {
                self.time_of(at).is_some_and(|at| at.abs_diff(update.began) <= 2 * SECOND)
            };
            let just_leased = timeline
                .is_some_and(|entries| entries.iter().any(|e| is_near(e.at) && began(&e.event)))
                || had_a_step_since(&is_near);
            let may_be_unsent = just_leased || !self.is_quiet(0, update.began);
            let was_alerted = self.may_get_updates(update)
                && (was_sent
                    || may_be_unsent && had_a_step
                    || may_be_unsent
                        && timeline.is_none_or(|entries| entries.iter().any(|entry| began(&entry.event))));
            let before = |call: &&&crate::history::UpdateCall| call.began <= update.began && may_have(call);
            let mut calls = self.updates_of(update.number).iter().filter(before);
            let was_handed = calls.clone().any(|call| {
                matches!(&call.update.state, Some(StateChange::HandTo(to)) if to.as_str() == update.contact.as_str())
            });
            if !(was_alerted || was_handed) || !calls.any(|call| closes(call)) {
                let text = format!(
                    "{} got a status update about {} without a reason",
                    update.contact, update.number
                );
                self.violated(11, text);
            }
        }
    }

    /// Whether somebody who was alerted may get a status update. A person of the simulation chooses once. Of somebody who
    /// was alerted only in an earlier round, the round does not know what they chose.
    fn may_get_updates(&self, update: &Sent) -> bool {
        let rosters = self.history.rosters.iter().map(|(_, roster)| &roster.book);
        let profiles = rosters.flat_map(|book| book.people().values());
        let has_contact = |profile: &&std::sync::Arc<Profile>| {
            profile.methods().values().any(|method| *method == update.contact)
        };
        let choice = profiles.filter(has_contact).find_map(|profile| profile.status_updates());
        let is_known = self.last.get(&update.number).is_some_and(|record| {
            let people = record.incident.matrix().recipients();
            let is_theirs = people.iter().any(|one| one.contact == update.contact && one.level.is_some());
            record.incident.round() == update.round && is_theirs
        });
        let by_default = self.scenario.status_updates == StatusUpdates::On;
        match choice {
            Some(choice) if is_known => choice == StatusUpdates::On,
            Some(choice) => by_default || choice == StatusUpdates::On,
            None => by_default,
        }
    }
}
