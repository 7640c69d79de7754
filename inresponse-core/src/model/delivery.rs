//! One message to one contact in one round: an alert at a level, a call for more people, or a status update.

use std::fmt;
use std::time::Duration;

use chrono::serde::{ts_microseconds as micros, ts_microseconds_option as micros_option};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Called, Contact, IncidentNumber, Level, Purpose, Receipt, Unknown};
use crate::clock::earlier;
use crate::error::InvalidInput;

/// Which delivery of an incident: (round, purpose, place among those with that purpose).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryKey {
    /// The round of the delivery.
    pub round: u32,
    /// What it is for.
    pub purpose: Purpose,
    /// The contact's place among those of that purpose, from 0.
    pub place: u16,
}

impl DeliveryKey {
    /// The alert of the contact at that place of a level.
    pub const fn alert(round: u32, level: Level, place: u16) -> Self {
        Self { round, purpose: Purpose::Alert(level), place }
    }
}

/// The id of a delivery. It is the same in every attempt, so a recipient can recognise a repeat.
///
/// Looks like `10001-1-2-0-t5k2m8x1qo`: number, round, level (`f` for the fallback, `c1` for the first call for more
/// people, `n1` for the first status update), place, and the time when the incident was created, so that it is unique even if numbering started again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(String);

impl DeliveryId {
    pub(crate) fn new(number: IncidentNumber, key: DeliveryKey, created_at: DateTime<Utc>) -> Self {
        let stamp = Base36(created_at.timestamp_micros().unsigned_abs());
        let DeliveryKey { round, purpose, place } = key;
        Self(match purpose {
            Purpose::Alert(Level::At(n)) => format!("{number}-{round}-{n}-{place}-{stamp}"),
            Purpose::Alert(Level::Fallback) => format!("{number}-{round}-f-{place}-{stamp}"),
            Purpose::CallIn(n) => format!("{number}-{round}-c{n}-{place}-{stamp}"),
            Purpose::StatusUpdate(n) => format!("{number}-{round}-n{n}-{place}-{stamp}"),
        })
    }

    /// The maximum length of an id, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Reads an id that a carrier returns.
    ///
    /// # Errors
    /// The text is empty, longer than [`Self::MAX_BYTES`], or has other characters than ASCII letters, digits and
    /// hyphens.
    pub fn read(text: impl AsRef<str>) -> Result<Self, InvalidInput> {
        let text = text.as_ref();
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if text.is_empty() || text.len() > Self::MAX_BYTES || !plain {
            return Err(InvalidInput::field("delivery", "is not a delivery id"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The number of the incident whose message has this id; `None` for a notice about the roster.
    pub fn incident(&self) -> Option<IncidentNumber> {
        self.0.split('-').next()?.parse().ok().map(IncidentNumber::new)
    }

    /// The key in the id of a status update; `None` in the id of an alert.
    pub(crate) fn status_update(&self) -> Option<DeliveryKey> {
        let mut parts = self.0.split('-').skip(1);
        let round = parts.next()?.parse().ok()?;
        let purpose = Purpose::StatusUpdate(parts.next()?.strip_prefix('n')?.parse().ok()?);
        Some(DeliveryKey { round, purpose, place: parts.next()?.parse().ok()? })
    }

    /// The id as text: ASCII letters, digits and hyphens.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Base36(u64);

impl fmt::Display for Base36 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut digits = [0u8; 13];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        f.write_str(std::str::from_utf8(&digits[at..]).expect("base 36 digits are ASCII"))
    }
}

/// The status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
#[must_use]
pub enum DeliveryStatus {
    /// The delivery must be sent at `due_at`.
    #[serde(rename_all = "camelCase")]
    Pending {
        /// When the delivery is due.
        #[serde(with = "micros")]
        due_at: DateTime<Utc>,
    },
    /// A process has the lease to send the delivery, until `until`; after that the delivery is due again.
    InFlight {
        /// When the lease ends.
        #[serde(with = "micros")]
        until: DateTime<Utc>,
    },
    /// The carrier accepted the delivery. This state is final, unless the carrier reports later that it could not deliver
    /// the message.
    Accepted {
        /// When the acceptance was recorded.
        #[serde(with = "micros")]
        at: DateTime<Utc>,
    },
    /// The delivery will never arrive. This state is final, unless a late acceptance becomes known.
    Dead {
        /// When the end of the delivery was recorded.
        #[serde(with = "micros")]
        at: DateTime<Utc>,
    },
    /// A limit of this deployment held the delivery back, and the person has another way to be reached. The delivery is
    /// due again if the other ways fail.
    Limited {
        /// When this was recorded.
        #[serde(with = "micros")]
        at: DateTime<Utc>,
    },
    /// The delivery is not needed, because of a claim, a resolution or a new round.
    Stopped {
        /// When the delivery was stopped.
        #[serde(with = "micros")]
        at: DateTime<Utc>,
    },
}

/// The kind of the last known result of a delivery's attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum OutcomeKind {
    /// The carrier accepted the message.
    Accepted,
    /// The carrier refused the recipient permanently.
    Rejected,
    /// The carrier asked for a pause.
    Throttled,
    /// A limit of this deployment held the message back.
    Limited,
    /// The carrier could not be reached or could not accept the message now.
    Unavailable,
    /// The message may or may not have arrived.
    Unknown,
    /// The process that was sending died before it recorded a result.
    Expired,
    /// The lease was taken, but the attempt was not begun.
    NotBegun,
    /// The carrier accepted the message, and reported later that it could not deliver it: the delivery is dead, or due
    /// again.
    Bounced,
}

impl OutcomeKind {
    /// The name of the kind on the wire and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            OutcomeKind::Accepted => "accepted",
            OutcomeKind::Rejected => "rejected",
            OutcomeKind::Throttled => "throttled",
            OutcomeKind::Limited => "limited",
            OutcomeKind::Unavailable => "unavailable",
            OutcomeKind::Unknown => "unknown",
            OutcomeKind::Expired => "expired",
            OutcomeKind::NotBegun => "notBegun",
            OutcomeKind::Bounced => "bounced",
        }
    }
}

/// The last known result of a delivery's attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastOutcome {
    /// The kind of the result.
    pub kind: OutcomeKind,
    /// The carrier's text, shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// When the result was recorded.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl LastOutcome {
    /// The information from an attempt, with the carrier's text shortened.
    pub(crate) fn new(kind: OutcomeKind, detail: &str, at: DateTime<Utc>) -> Self {
        Self { kind, detail: short_detail(detail), at, unknown: Unknown::default() }
    }
}

/// One message to one contact in one round, with all that is known of its attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub(crate) round: u32,
    // Stored under the name that it has always had.
    #[serde(rename = "level")]
    pub(crate) purpose: Purpose,
    pub(crate) place: u16,
    pub(crate) contact: Contact,
    pub(crate) status: DeliveryStatus,
    pub(crate) attempts: u32,
    /// The attempts whose lease ended without an outcome. An attempt is removed if its outcome comes late. (Old stored
    /// records may contain only their number, as `expired`.)
    #[serde(rename = "expiredAttempts", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) expired: Vec<u32>,
    #[serde(with = "micros")]
    pub(crate) since: DateTime<Utc>,
    /// How long after its level's beginning, or after a raise, a person's rule makes it due.
    #[serde(rename = "afterSeconds", default, skip_serializing_if = "Duration::is_zero", with = "seconds")]
    pub(crate) after: Duration,
    /// Who is called in, and by whom, if it calls somebody in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) called: Option<Called>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<LastOutcome>,
    /// The carrier's name for the message that it accepted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<Receipt>,
    /// The end of the claim that the delivery announces to the claimant.
    #[serde(rename = "claimEnds", default, skip_serializing_if = "Option::is_none", with = "micros_option")]
    pub(crate) announces: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Delivery {
    /// The same delivery, which a person's rule makes due that long after its level.
    pub(crate) fn that_late(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// The same delivery, which announces to the claimant that the claim ends at that time.
    pub(crate) fn announcing(self, end: DateTime<Utc>) -> Self {
        Self { announces: Some(end), ..self }
    }

    /// The same delivery, which calls somebody in.
    pub(crate) fn calling(self, called: Called) -> Self {
        Self { called: Some(called), ..self }
    }

    /// A delivery that is due at `due_at` and whose turn came at `since`.
    pub(crate) fn pending(
        key: DeliveryKey,
        contact: Contact,
        due_at: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> Self {
        let DeliveryKey { round, purpose, place } = key;
        let status = DeliveryStatus::Pending { due_at };
        let (attempts, expired, unknown) = (0, Vec::new(), Unknown::default());
        Self {
            round,
            purpose,
            place,
            contact,
            status,
            attempts,
            expired,
            since,
            after: Duration::ZERO,
            called: None,
            last: None,
            receipt: None,
            announces: None,
            unknown,
        }
    }

    /// The key of the delivery within its incident.
    pub fn key(&self) -> DeliveryKey {
        DeliveryKey { round: self.round, purpose: self.purpose, place: self.place }
    }

    /// Who gets it.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// The status of the delivery.
    pub fn status(&self) -> DeliveryStatus {
        self.status
    }

    /// The number of attempts that were leased so far.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The number of attempts whose process died, as far as is known: the lease ended without an outcome.
    pub fn expired(&self) -> u32 {
        u32::try_from(self.expired.len()).unwrap_or(u32::MAX)
    }

    /// When its turn came, or will come: the step of a person's rule may be later than its level.
    pub fn since(&self) -> DateTime<Utc> {
        self.since
    }

    /// How long after its level's beginning, or after a raise of the severity, a person's rule makes it due.
    pub fn after(&self) -> Duration {
        self.after
    }

    /// Whether it is a later step of a person's rule that was not begun yet.
    pub fn is_later_step(&self) -> bool {
        let is_pending = matches!(self.status, DeliveryStatus::Pending { .. });
        self.attempts == 0 && !self.after.is_zero() && is_pending
    }

    /// From when its time was counted; its own turn if it is no later step.
    pub(crate) fn counted_from(&self) -> DateTime<Utc> {
        if self.is_later_step() { earlier(self.since, self.after) } else { self.since }
    }

    /// The last known result of the attempts.
    pub fn last(&self) -> Option<&LastOutcome> {
        self.last.as_ref()
    }

    /// The carrier's name for the accepted message, if it gave one.
    pub fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// The end of the claim that it announces to the claimant; `None` if it is another message.
    pub fn announces(&self) -> Option<DateTime<Utc>> {
        self.announces
    }

    /// Who is called in, and by whom, if it calls somebody in.
    pub fn called(&self) -> Option<&Called> {
        self.called.as_ref()
    }

    /// Whether it is a status update, which alerts nobody.
    pub fn is_status_update(&self) -> bool {
        self.purpose.is_status_update()
    }

    pub(crate) fn is_accepted(&self) -> bool {
        matches!(self.status, DeliveryStatus::Accepted { .. })
    }

    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.status, DeliveryStatus::Dead { .. })
    }

    /// Whether the delivery is dead because it bounced. A late acceptance does not change that.
    pub(crate) fn has_bounced(&self) -> bool {
        self.is_dead() && self.last.as_ref().is_some_and(|last| last.kind == OutcomeKind::Bounced)
    }

    /// Whether the delivery is due again because the carrier reported that this attempt, which it had accepted, failed.
    pub(crate) fn is_sent_again_after(&self, attempt: u32) -> bool {
        matches!(self.status, DeliveryStatus::Pending { .. })
            && self.attempts == attempt
            && self.last.as_ref().is_some_and(|last| last.kind == OutcomeKind::Bounced)
    }

    pub(crate) fn is_limited(&self) -> bool {
        matches!(self.status, DeliveryStatus::Limited { .. })
    }

    /// Whether a limit held the last attempt back.
    pub(crate) fn was_limited(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.kind == OutcomeKind::Limited)
    }

    /// Whether the contact was reached, or nothing has failed yet.
    pub(crate) fn is_promising(&self) -> bool {
        self.is_accepted() || (self.is_unsettled() && self.last.is_none())
    }

    pub(crate) fn is_unsettled(&self) -> bool {
        matches!(self.status, DeliveryStatus::Pending { .. } | DeliveryStatus::InFlight { .. })
    }

    /// When something must be done about the delivery, unless it is settled first.
    pub(crate) fn due_at(&self) -> Option<DateTime<Utc>> {
        match self.status {
            DeliveryStatus::Pending { due_at } => Some(due_at),
            DeliveryStatus::InFlight { until } => Some(until),
            DeliveryStatus::Accepted { .. }
            | DeliveryStatus::Dead { .. }
            | DeliveryStatus::Limited { .. }
            | DeliveryStatus::Stopped { .. } => None,
        }
    }
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(d: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(d.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        u64::deserialize(d).map(Duration::from_secs)
    }
}

/// A carrier's text on one line, short enough for a record.
fn short_detail(text: &str) -> String {
    const MAX_BYTES: usize = 100; // as JSON, where a quote takes two
    let line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut room = MAX_BYTES;
    let short: String = line
        .map_while(|c| {
            room = room.checked_sub(c.len_utf8() + usize::from(matches!(c, '"' | '\\')))?;
            Some(c)
        })
        .collect();
    short.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delivery_ids_are_stable_and_plain() {
        let at = DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap();
        let key = DeliveryKey::alert(1, Level::At(2), 0);
        let id = DeliveryId::new(IncidentNumber::new(10001), key, at);
        assert_eq!(id.as_str(), "10001-1-2-0-hq1ol1g85c");
        let fallback = DeliveryKey { purpose: Purpose::Alert(Level::Fallback), ..key };
        assert_eq!(DeliveryId::new(IncidentNumber::new(7), fallback, at).as_str(), "7-1-f-0-hq1ol1g85c");
    }

    #[test]
    fn delivery_ids_are_read_back_whatever_the_numbers_and_nothing_else_is() {
        let far = DateTime::from_timestamp(i32::MAX.into(), 0).unwrap();
        let alerts = [Level::At(u16::MAX), Level::Fallback].map(Purpose::Alert);
        let others = [Purpose::CallIn(u16::MAX), Purpose::StatusUpdate(u16::MAX)];
        for purpose in alerts.into_iter().chain(others) {
            let key = DeliveryKey { round: u32::MAX, purpose, place: u16::MAX };
            for at in [DateTime::UNIX_EPOCH, far, DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
                let id = DeliveryId::new(IncidentNumber::new(u64::MAX), key, at);
                assert_eq!(DeliveryId::read(id.as_str()), Ok(id));
            }
        }
        for refused in ["", "1-1-1-0-t\n", "1 1", "é", &"1".repeat(65)] {
            assert!(DeliveryId::read(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn details_are_short_lines() {
        assert_eq!(short_detail("550 no\r\nsuch user "), "550 no  such user");
        assert_eq!(short_detail(&"é".repeat(500)).chars().count(), 50);
        assert_eq!(short_detail(&"\"".repeat(500)).len(), 50);
    }
}
