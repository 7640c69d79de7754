//! Checks P21: quiet defers, and never drops.

use chrono::TimeDelta;
use inresponse_core::model::{Entry, Event, Incident, IncidentNumber, QuietWhy, Severity, State};
use inresponse_core::plan::{Refusal, StateChange};
use inresponse_core::store::Record;

use super::held::{Change, Held};
use super::{Checker, at, compared, may_have};
use crate::fault::Fault;
use crate::history::{Reply, Sent, UpdateCall, Verdict};
use crate::silences::Quiet;
use crate::world::{MILLI, Micros, SECOND};

/// How long something must have held an incident, so that a server has certainly noticed.
const NOTICED: Micros = 2 * SECOND;

impl Checker<'_> {
    pub(super) fn quiet(&self) {
        if self.scenario.quiet == Quiet::Unused {
            return;
        }
        self.nobody_is_alerted();
        for call in &self.history.updates {
            self.escalate_ends_quiet(call);
        }
        self.nothing_else_is_quiet();
        let changes = self.changes_of_quiet();
        let records: Vec<_> = self.last.values().copied().collect();
        for record in records {
            let entries = record.incident.timeline().entries();
            if entries.iter().any(|entry| matches!(entry.event, Event::Folded { .. })) {
                continue;
            }
            self.quiet_ends_once(record.number(), entries);
            self.quiet_has_a_reason(record.number(), entries);
            for (time, change) in &changes {
                self.quiet_ends_in_time(record, *time, *change);
            }
        }
    }

    /// "While it holds, no alert is leased."
    fn nobody_is_alerted(&self) {
        for (number, sends) in &self.sends {
            for sent in sends.iter().map(|i| self.sent(*i)) {
                // What is leased may be sent a moment later.
                let from = sent.began.saturating_sub(NOTICED + self.slow(sent));
                let is_held = self.held(*number, from, sent.began) == Held::Surely;
                if is_held && !self.may_be_overruled(*number, sent) && !self.rules_unread(from, sent) {
                    let text = format!(
                        "{} was sent at {}, although something had held {number} since {}",
                        sent.delivery,
                        at(sent.began),
                        at(from)
                    );
                    self.violated(21, text);
                }
            }
        }
    }

    /// "Who cannot read what is quiet alerts": whether the sender could not read the roster shortly before.
    fn rules_unread(&self, from: Micros, sent: &Sent) -> bool {
        self.history.disturbances.iter().any(|d| {
            d.fault == Fault::RosterOutage
                && d.host == Some(sent.process.host)
                && d.from <= sent.began
                && d.to >= from
        })
    }

    /// "Only a person's `escalate` ends it early": whether a person may have done so in the round of a send.
    fn may_be_overruled(&self, number: IncidentNumber, sent: &Sent) -> bool {
        self.updates_of(number).iter().any(|call| {
            let in_an_earlier_round = match call.answer.got() {
                Some(Verdict::Changed(record)) => record.incident.round() <= sent.round,
                Some(_) => false,
                None => true,
            };
            call.update.state == Some(StateChange::Escalate)
                && may_have(call)
                && call.began <= sent.began
                && in_an_earlier_round
        })
    }

    /// After a person has escalated, the incident is not quiet, and people are alerted at once.
    fn escalate_ends_quiet(&self, call: &UpdateCall) {
        let (Some(StateChange::Escalate), Some(ended)) = (&call.update.state, call.ended) else { return };
        let (Some(Verdict::Changed(record)) | Some(Verdict::Refused(record, _))) = call.answer.got() else {
            return;
        };
        let incident = &record.incident;
        if incident.state() != State::Open {
            return;
        }
        // The requested severity may alert nobody; then the request is refused and changes nothing.
        let asks_for_another_severity = call.update.severity.is_some_and(|one| one != incident.severity());
        let refused = matches!(call.answer.got(), Some(Verdict::Refused(_, Refusal::NobodyLeft)));
        let alerts_nobody = refused && self.may_alert_nobody(incident.severity());
        if incident.quiet().is_some() && call.over.is_none() && !asks_for_another_severity && !alerts_nobody {
            self.violated(21, format!("{} was escalated, but it is quiet at {}", call.number, at(ended)));
        }
        if !ended_now(incident) {
            return;
        }
        self.compared.borrow_mut().push(compared::QUIET_ESCALATED);
        let deadline = ended + self.margin();
        let others = self.updates_of(call.number).iter().any(|other| {
            other.began != call.began
                && other.began <= deadline
                && (other.answer.is_open() || other.ended.is_none_or(|end| end >= call.began))
        });
        if !others && !self.may_be_raised(call.number, call.began, deadline) {
            self.alerted_in_round(record, call.began, deadline);
        }
    }

    /// Whether some team's settings said at some time that incidents of that severity alert nobody.
    fn may_alert_nobody(&self, severity: Severity) -> bool {
        let mut teams = self.history.rosters.iter().flat_map(|(_, roster)| roster.teams.values());
        teams.any(|team| team.alert_levels.get(&severity).is_some_and(Vec::is_empty))
    }

    /// An incident that was seen quiet, while nothing failed, is held by something.
    fn nothing_else_is_quiet(&self) {
        for one in self.seen() {
            let (number, incident) = (one.record.number(), &one.record.incident);
            let from = one.began.saturating_sub(self.notice());
            let free = self.is_quiet(from, one.ended)
                && self.clocks_stand(from.saturating_sub(40 * SECOND), one.ended);
            if incident.quiet().is_some() && free && self.held(number, from, one.ended) == Held::Never {
                let text = format!("{number} was quiet at {}, but nothing held it", at(one.ended));
                self.violated(21, text);
            }
        }
    }

    /// An incident becomes quiet only if something holds it then, by the clock of some server.
    fn quiet_has_a_reason(&self, number: IncidentNumber, entries: &[Entry]) {
        let mut errors: Vec<i64> = self.history.offsets.iter().map(|(_, _, error)| *error).collect();
        errors.push(0);
        for entry in entries.iter().filter(|entry| matches!(entry.event, Event::BecameQuiet { .. })) {
            let times =
                errors.iter().filter_map(|error| self.time_of(entry.at - TimeDelta::microseconds(*error)));
            // The timeline never goes back, so it may say a later time than the clock did.
            let mut times = times.filter(|_| self.clocks_stand(0, self.history.ended_at)).peekable();
            if times.peek().is_some()
                && times.all(|time| {
                    let slack = self.notice() + self.apart(time) + self.slow_before(time);
                    self.held(number, time.saturating_sub(slack), time + SECOND + self.apart(time))
                        == Held::Never
                })
            {
                self.violated(21, format!("{number} became quiet at {}, but nothing held it", entry.at));
            }
        }
    }

    /// The largest error of a server's wall clock.
    pub(super) fn wrong(&self, time: Micros) -> Micros {
        let errors = (0..self.scenario.hosts).map(|host| self.offset(host, time).unsigned_abs());
        errors.max().unwrap_or(0)
    }

    /// How far a server's wall clock is behind at most, at any time of the run.
    fn behind(&self) -> Micros {
        let errors = self.history.offsets.iter().map(|(_, _, error)| *error);
        errors.min().unwrap_or(0).min(0).unsigned_abs()
    }

    /// How long calls of the store that were under way at a time were slow.
    fn slow_before(&self, time: Micros) -> Micros {
        let slow = self.history.disturbances.iter();
        let slow = slow.filter(|d| d.from <= time && d.to + 2 * self.lease() >= time);
        slow.map(|d| d.to - d.from).sum()
    }

    /// "At its end, a new round begins (round 1 if none began)", once.
    fn quiet_ends_once(&self, number: IncidentNumber, entries: &[Entry]) {
        let (mut is_quiet, mut has_begun, mut is_overruled) = (false, false, false);
        for (i, entry) in entries.iter().enumerate() {
            match &entry.event {
                Event::BecameQuiet { why, .. } => {
                    if has_begun && !is_quiet {
                        self.compared.borrow_mut().push(compared::QUIET_STOPPED);
                    }
                    if why.iter().any(|why| matches!(why, QuietWhy::AlertHours { .. })) {
                        self.compared.borrow_mut().push(compared::QUIET_HOURS);
                    }
                    if is_overruled {
                        let text =
                            format!("{number} was quiet again at {}, after a person had escalated", entry.at);
                        self.violated(21, text);
                    }
                    is_quiet = true;
                }
                Event::QuietEnded => {
                    let now = entries[i + 1..].iter().take_while(|later| {
                        later.at == entry.at
                            && matches!(
                                later.event,
                                Event::RoundBegan { .. } | Event::TeamChanged { .. } | Event::TeamGone { .. }
                            )
                    });
                    let began = now.filter(|later| matches!(later.event, Event::RoundBegan { .. })).count();
                    if !is_quiet {
                        self.violated(21, format!("quiet of {number} ended twice, at {}", entry.at));
                    }
                    if began != usize::from(has_begun) {
                        let text =
                            format!("at the end of quiet of {number}, {began} rounds began, at {}", entry.at);
                        self.violated(21, text);
                    }
                    let before = i.checked_sub(1).map(|before| &entries[before]);
                    is_overruled = before.is_some_and(|before| {
                        before.at == entry.at && matches!(before.event, Event::Escalated { .. })
                    });
                    (is_quiet, has_begun) = (false, false);
                }
                Event::RoundBegan { .. } => has_begun = false,
                // What was being sent may still fail, so a level may be dead.
                Event::LevelDead { .. } => has_begun = true,
                Event::LevelBegan { .. } | Event::LevelEmpty { .. } => {
                    if is_quiet {
                        let text = format!("a level of {number} began while it was quiet, at {}", entry.at);
                        self.violated(21, text);
                    }
                    has_begun = true;
                }
                Event::Resolved { .. } => {
                    if is_quiet {
                        self.compared.borrow_mut().push(compared::QUIET_RESOLVED);
                    }
                    is_quiet = false;
                }
                Event::Claimed { .. } | Event::HandedOver { .. } => is_quiet = false,
                Event::Released { .. }
                | Event::HandedToTeam { .. }
                | Event::ClaimEnded { .. }
                | Event::HandoverUnanswered { .. } => (is_quiet, is_overruled) = (false, false),
                _ => {}
            }
        }
    }

    /// If nothing explains a delay and the incident was quiet until a time, people are alerted soon after it.
    fn quiet_ends_in_time(&self, record: &Record, time: Micros, change: Change) {
        let number = record.number();
        let apart = self.apart(time) + MILLI;
        let (before, after) = (time.saturating_sub(apart), time + apart);
        // The timeline says what the clock of the server shows that wrote it.
        let wrong = self.wrong(time) + apart;
        let (since, notice) = (before.saturating_sub(NOTICED), self.notice() + apart);
        let deadline = time + notice;
        // Servers may have a copy from before an edit for a while.
        let noticed = after + crate::roster::LAG + MILLI;
        let free = deadline < self.history.ended_at
            && self.is_quiet(since, deadline)
            && self.clocks_stand(since.saturating_sub(40 * SECOND), deadline)
            && self.held(number, since, before) == Held::Surely
            && self.held(number, noticed, deadline) == Held::Never
            && self.is_open_or_quiet(number, since.saturating_sub(2 * wrong), deadline);
        if !free || !self.was_quiet(record, before, wrong) {
            return;
        }
        let entries = record.incident.timeline().entries();
        let near = |entry: &Entry| {
            self.time_of(entry.at).is_some_and(|at| at + wrong >= before && at <= deadline + wrong)
        };
        // If clocks are wrong, nothing tells the end of this quiet from that of one shortly before.
        let mut later =
            entries.iter().skip_while(|entry| !(matches!(entry.event, Event::QuietEnded) && near(entry)));
        if self.wrong(time) > 0
            && later.any(|entry| matches!(entry.event, Event::BecameQuiet { .. }) && near(entry))
        {
            return;
        }
        self.compared.borrow_mut().push(match change {
            Change::Time => compared::QUIET_TIME,
            Change::Edit => compared::QUIET_EDIT,
        });
        let ended: Vec<_> = entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| matches!(entry.event, Event::QuietEnded) && near(entry))
            .map(|(i, _)| i)
            .collect();
        // A server with a copy from before the edit may have made it quiet again.
        let is_quiet_again = |(ended, next): (&usize, &usize)| {
            let mut between = entries[*ended..*next].iter();
            between.any(|entry| {
                matches!(entry.event, Event::BecameQuiet { .. })
                    && self.time_of(entry.at).is_some_and(|at| at <= noticed + wrong)
            })
        };
        let (true, Some(&ended)) = (ended.iter().zip(ended.iter().skip(1)).all(is_quiet_again), ended.last())
        else {
            let text = format!(
                "quiet of {number} was over at {}, and by {} it ended {} times",
                at(time),
                at(deadline),
                ended.len()
            );
            return self.violated(21, text);
        };
        let ended_at = entries[ended].at;
        let later = entries[ended..].iter().filter(|entry| entry.at > ended_at);
        let is_last = !later.clone().any(|entry| {
            matches!(
                entry.event,
                Event::RoundBegan { .. } | Event::SeverityChanged { .. } | Event::BecameQuiet { .. }
            )
        });
        if is_last {
            self.alerted_in_round(record, before, deadline);
        }
    }

    /// Whether an incident was quiet at a time: it was reported while something held it, and that has not ended; or its
    /// timeline says so.
    fn was_quiet(&self, record: &Record, time: Micros, wrong: Micros) -> bool {
        let report = self.history.reports.iter().find(|call| call.title == record.incident.title());
        let answered = report.and_then(|call| match call.answer.got()? {
            Reply::New(reported) | Reply::Repeat(reported) => Some((call.began, call.ended?, reported)),
            Reply::UnknownService => None,
        });
        if let Some((began, ended, reported)) = answered
            && ended + NOTICED <= time
            && self.held(record.number(), began, time) == Held::Surely
            && self.is_left_alone(record.number(), began, time)
            // What alerts nobody is not quiet. A later change of the severity does not change what it was then.
            && !reported.incident.matrix().records_only(reported.incident.severity())
        {
            return true;
        }
        let entries = record.incident.timeline().entries().iter();
        // What a clock that is behind writes later looks older than it is.
        let wrong = wrong.max(self.behind());
        let before = entries.filter(|entry| self.time_of(entry.at).is_some_and(|at| at + wrong < time));
        let last = before.filter(|entry| {
            matches!(
                entry.event,
                Event::BecameQuiet { .. }
                    | Event::QuietEnded
                    | Event::Claimed { .. }
                    | Event::HandedOver { .. }
                    | Event::Released { .. }
                    | Event::HandedToTeam { .. }
                    | Event::Resolved { .. }
                    | Event::ClaimEnded { .. }
                    | Event::HandoverUnanswered { .. }
            )
        });
        last.last().is_some_and(|entry| matches!(entry.event, Event::BecameQuiet { .. }))
    }
}

/// Whether quiet of an incident ended when it was last changed.
pub(super) fn ended_now(incident: &Incident) -> bool {
    let mut now = incident.timeline().entries().iter().filter(|one| one.at == incident.updated_at());
    now.any(|entry| matches!(entry.event, Event::QuietEnded))
}
