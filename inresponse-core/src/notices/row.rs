//! The stored row of a team.

use chrono::serde::{ts_seconds, ts_seconds_option};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Outage;
use crate::model::Person;
use crate::roster::{ShiftNotice, Stint, Target, Who};

/// The maximum number of notices that one process sends at once for a team.
const AT_ONCE: usize = 20;
/// With more notices than this that wait, nothing further becomes due.
const MAX_PENDING: usize = 100;
/// The maximum number of notices that wait. A row must fit in an item of DynamoDB, which has at most 400 KB.
const MOST_PENDING: usize = 200;
/// For how long a process has the notices that it took.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// The first wait after a failed attempt. It doubles with each further attempt …
const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);
/// … up to this.
const AGAIN_AT_MOST: TimeDelta = TimeDelta::minutes(30);
/// How long a notice is tried.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(24);

/// What is known and what is due for one team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    /// When the team was seen first.
    pub(super) since: DateTime<Utc>,
    /// Until when the shifts that begin have been dealt with.
    pub(super) told_until: DateTime<Utc>,
    /// Whether the team told people of their shifts then.
    pub(super) tells: Tells,
    /// The newest change of the roster that `stints` takes into account.
    pub(super) seen: Option<String>,
    /// The coming stints …
    stints: Vec<Kept>,
    /// … until this time.
    pub(super) known_until: DateTime<Utc>,
    /// When the stints are resolved again even if the roster did not change.
    pub(super) resolve_at: DateTime<Utc>,
    /// When the coverage check is due.
    pub(super) check_at: DateTime<Utc>,
    /// The notices that wait to be sent.
    pub(super) pending: Vec<Pending>,
}

/// Whether a team tells people of their shifts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Tells {
    Changes,
    Everything,
}

/// A stint in its stored form, with seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    who: Target,
    level: u16,
    from: i64,
    to: i64,
}

/// A notice that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pending {
    pub(super) id: String,
    pub(super) to: Target,
    pub(super) what: What,
    made_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    attempts: u32,
}

/// The content of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub(super) enum What {
    /// A shift of the recipient begins.
    Begins(Span),
    /// A shift of the recipient begins in a day.
    DayAhead(Span),
    /// Somebody's shift begins, for the team's channel.
    OnCall { who: Target, span: Span },
    /// Somebody changed the recipient's shifts.
    Changed {
        by: Vec<Person>,
        added: Vec<Span>,
        removed: Vec<Span>,
        /// The number of further times.
        more: usize,
    },
    /// The coverage check found something.
    Findings,
}

/// A time at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) level: u16,
    #[serde(with = "ts_seconds")]
    pub(super) from: DateTime<Utc>,
    /// `None` if the end is further away than the roster was resolved.
    #[serde(with = "ts_seconds_option", default)]
    pub(super) to: Option<DateTime<Utc>>,
}

/// The result of sending a notice that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Settled {
    /// A carrier took it.
    Sent,
    /// It will never be sent, for example because its recipient has no mail address.
    Dropped,
    /// It must be tried again.
    Again,
}

impl Row {
    /// The row of a team that was not seen before.
    pub(super) fn first(now: DateTime<Utc>, told_until: DateTime<Utc>, check_at: DateTime<Utc>) -> Self {
        Self {
            since: now,
            told_until,
            tells: Tells::Everything,
            seen: None,
            stints: Vec::new(),
            known_until: now,
            resolve_at: now,
            check_at,
            pending: Vec::new(),
        }
    }

    /// An unreadable row counts as missing.
    pub(super) fn read(stored: Option<&[u8]>) -> Option<Self> {
        serde_json::from_slice(stored?).ok()
    }

    pub(super) fn written(&self) -> Result<Vec<u8>, Outage> {
        serde_json::to_vec(self)
            .map_err(|e| Outage::permanent("the row of a team cannot be written").because(e))
    }

    pub(super) fn stints(&self) -> Vec<Stint> {
        self.stints.iter().filter_map(Kept::stint).collect()
    }

    /// Keeps the stints that have not ended at `now`.
    pub(super) fn keep(&mut self, stints: &[Stint], now: DateTime<Utc>) {
        self.stints = stints.iter().filter(|stint| stint.to > now).map(Kept::of).collect();
    }

    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= MAX_PENDING
    }

    /// Adds a notice, unless it waits already.
    pub(super) fn push(&mut self, to: Target, what: What, now: DateTime<Utc>) {
        let at = match &what {
            Begins(span) | DayAhead(span) | OnCall { span, .. } => span.from,
            Changed { .. } | Findings => now,
        };
        let kind = match &what {
            Begins(_) => "begins".to_owned(),
            DayAhead(_) => "ahead".to_owned(),
            OnCall { who, .. } => format!("on call {who}"),
            Changed { .. } => "changed".to_owned(),
            Findings => "findings".to_owned(),
        };
        let id = digest(&format!("{}\u{1f}{to}\u{1f}{kind}\u{1f}{at}", self.since));
        if self.pending.len() >= MOST_PENDING {
            return tracing::error!(notice = id, "too many notices wait, so one is dropped");
        }
        if !self.pending.iter().any(|pending| pending.id == id) {
            self.pending.push(Pending { id, to, what, made_at: now, due_at: now, attempts: 0 });
        }
    }

    /// Takes due notices for this process. Until their lease ends, they are not due again.
    pub(super) fn take(&mut self, now: DateTime<Utc>) -> Vec<Pending> {
        let due = self.pending.iter_mut().filter(|pending| pending.due_at <= now).take(AT_ONCE);
        let take = |pending: &mut Pending| {
            pending.due_at = now + LEASE;
            pending.attempts += 1;
            pending.clone()
        };
        due.map(take).collect()
    }

    /// Removes notices that are done, and puts the others off.
    pub(super) fn settle(&mut self, settled: &[(String, Settled)], now: DateTime<Utc>) {
        self.pending.retain_mut(|pending| {
            let settled = settled.iter().find(|(id, _)| *id == pending.id);
            match settled.map(|(_, settled)| *settled) {
                Some(Settled::Sent | Settled::Dropped) => false,
                Some(Settled::Again) if pending.made_at + GIVE_UP_AFTER <= now => {
                    tracing::error!(notice = pending.id, "a notice could not be sent within a day");
                    false
                }
                Some(Settled::Again) => {
                    let doubled = AGAIN_AFTER * 2i32.pow(pending.attempts.clamp(1, 10) - 1);
                    pending.due_at = now + doubled.min(AGAIN_AT_MOST);
                    true
                }
                None => true,
            }
        });
    }
}

use What::{Begins, Changed, DayAhead, Findings, OnCall};

impl What {
    pub(super) fn of(notice: ShiftNotice, span: Span) -> Self {
        match notice {
            ShiftNotice::Begins => Begins(span),
            ShiftNotice::DayAhead => DayAhead(span),
        }
    }
}

impl Span {
    /// A stint that was resolved until then.
    pub(super) fn of(stint: &Stint, until: DateTime<Utc>) -> Self {
        Self { level: stint.level, from: stint.from, to: Some(stint.to).filter(|to| *to < until) }
    }
}

impl Kept {
    fn of(stint: &Stint) -> Self {
        let (from, to) = (stint.from.timestamp(), stint.to.timestamp());
        Self { who: stint.who.clone().into(), level: stint.level, from, to }
    }

    /// `None` for what no version writes.
    fn stint(&self) -> Option<Stint> {
        let who = match &self.who {
            Target::Person(person) => Who::Person(person.clone()),
            Target::Contact(contact) => Who::Contact(contact.clone()),
            Target::Schedule { .. } | Target::Team(_) => return None,
        };
        let instant = |second| DateTime::from_timestamp(second, 0);
        Some(Stint { from: instant(self.from)?, to: instant(self.to)?, level: self.level, who })
    }
}

/// Sixteen characters that stand for a text.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_taken_by_one_process_and_tried_again_until_it_is_sent() {
        let t0: DateTime<Utc> = "2026-12-07T09:00:00Z".parse().unwrap();
        let minutes = |n: i64| t0 + TimeDelta::minutes(n);
        let mut row = Row::first(t0, t0, t0);
        row.push("person:jo".parse().unwrap(), What::Findings, t0);
        row.push("person:jo".parse().unwrap(), What::Findings, t0);
        assert_eq!(row.pending.len(), 1, "it waits once");
        let mut row = Row::read(Some(&row.written().unwrap())).unwrap();
        let id = row.pending[0].id.clone();
        assert_eq!(row.take(t0).len(), 1);
        assert!(row.take(minutes(1)).is_empty(), "another process has it");
        assert_eq!(row.take(minutes(2)).len(), 1, "that process died");
        let mut at = minutes(2);
        for wait in [2, 4, 8, 16, 30, 30] {
            row.settle(&[(id.clone(), Settled::Again)], at);
            assert!(row.take(at + TimeDelta::minutes(wait) - TimeDelta::seconds(1)).is_empty());
            at += TimeDelta::minutes(wait);
            assert_eq!(row.take(at).len(), 1, "after {wait} minutes");
        }
        let mut sent = row.clone();
        sent.settle(&[(id.clone(), Settled::Sent)], at);
        assert!(sent.pending.is_empty());
        row.settle(&[(id, Settled::Again)], t0 + GIVE_UP_AFTER);
        assert!(row.pending.is_empty(), "it is given up after a day");
    }
}
