//! Remembers what came from a number: so a reply that is sent again changes nothing, and machines that answer each other
//! come to an end.
//!
//! One row of the settings for each number, under a hash of the number. So what it says survives restarts, and all
//! servers of a database share it. Only numbers that the roster or an incident knows get a row.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{Contact, IncidentNumber};
use inresponse_core::settings::{Settings, Swapped};
use serde::{Deserialize, Serialize};

/// The number of replies that are remembered for each number.
const SEEN: usize = 500;
/// The round in which a reply counts that counts no more: the first round of an incident is 1.
const NO_ROUND: u32 = 0;
/// The maximum number of answers that change nothing which a number gets within [`TOLD_WITHIN`].
const TOLD: usize = 5;
const TOLD_WITHIN: TimeDelta = TimeDelta::hours(1);
/// How far the clocks of servers may differ.
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// The number of times that a row is read again because another process changed it.
const TRIES: usize = 16;

/// The incident that a reply is about, and the only round in which it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) number: IncidentNumber,
    pub(crate) round: u32,
}

impl About {
    /// A reply that counts in no round.
    pub(crate) fn none_of(number: IncidentNumber) -> Self {
        Self { number, round: NO_ROUND }
    }
}

/// Whether a reply came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Came {
    /// It came for the first time.
    First,
    /// It came before, and was about that incident, if it was about any.
    Before(Option<About>),
}

/// Whether a number is told that its answer changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Telling {
    /// It is.
    Allowed,
    /// It was told so often in the last hour that a machine seems to answer.
    TooOften,
}

/// Remembers what came. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    settings: Arc<dyn Settings>,
}

impl Replies {
    pub(crate) fn new(settings: Arc<dyn Settings>) -> Self {
        Self { settings }
    }

    /// Whether the reply with that id came from the number before.
    pub(crate) async fn came(&self, from: &Contact, id: &str) -> Result<Came, Outage> {
        let stored = self.settings.setting(&row_name(from)).await?;
        Ok(Row::read(stored.as_deref()).came(&Seen::hash(id)))
    }

    /// Remembers a reply, and returns what it is about. If another process took the same reply at the same time, its word
    /// counts.
    pub(crate) async fn remember(
        &self,
        from: &Contact,
        id: &str,
        about: Option<About>,
    ) -> Result<Option<About>, Outage> {
        let id = Seen::hash(id);
        let remembered = self.change(from, |row| match row.came(&id) {
            Came::Before(about) => Next::Stays(about),
            Came::First => {
                row.remember(Seen { id: id.clone(), about });
                Next::Changes(about)
            }
        });
        remembered.await
    }

    /// A reply was refused: it counts no more, whatever becomes of the incident.
    pub(crate) async fn refused(
        &self,
        from: &Contact,
        id: &str,
        number: IncidentNumber,
    ) -> Result<(), Outage> {
        let id = Seen::hash(id);
        let changed = self.change(from, |row| {
            row.remember(Seen { id: id.clone(), about: Some(About::none_of(number)) });
            Next::Changes(())
        });
        changed.await
    }

    /// Counts an answer that changed nothing, if the number gets it.
    pub(crate) async fn tells(&self, to: &Contact, now: DateTime<Utc>) -> Result<Telling, Outage> {
        let told = self.change(to, |row| match row.tells(now) {
            Telling::Allowed => Next::Changes(Telling::Allowed),
            Telling::TooOften => Next::Stays(Telling::TooOften),
        });
        told.await
    }

    async fn change<T>(&self, from: &Contact, change: impl Fn(&mut Row) -> Next<T>) -> Result<T, Outage> {
        let name = row_name(from);
        for _ in 0..TRIES {
            let stored = self.settings.setting(&name).await?;
            let mut row = Row::read(stored.as_deref());
            let result = match change(&mut row) {
                Next::Stays(result) => return Ok(result),
                Next::Changes(result) => result,
            };
            match self.settings.swap_setting(&name, stored.as_deref(), &row.written()).await? {
                Swapped::Done => return Ok(result),
                Swapped::Changed => {}
            }
        }
        Err(Outage::retryable("too many replies from one number at once"))
    }
}

/// Whether a change has to be stored, and its result.
enum Next<T> {
    Stays(T),
    Changes(T),
}

/// A reply that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// A hash of the provider's id of the message, or of the call and its key.
    id: String,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    about: Option<About>,
}

impl Seen {
    fn hash(id: &str) -> String {
        hex(id, 8)
    }
}

/// What is remembered of a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Row {
    /// The last replies, the oldest first.
    seen: Vec<Seen>,
    /// When the number was told that its answer changed nothing, in seconds.
    told: Vec<i64>,
}

impl Row {
    /// Reads a row; one that cannot be read remembers nothing.
    fn read(stored: Option<&[u8]>) -> Self {
        stored.and_then(|stored| serde_json::from_slice(stored).ok()).unwrap_or_default()
    }

    fn written(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a row has no map with odd keys")
    }

    fn came(&self, id: &str) -> Came {
        match self.seen.iter().find(|seen| seen.id == id) {
            Some(seen) => Came::Before(seen.about),
            None => Came::First,
        }
    }

    fn remember(&mut self, reply: Seen) {
        self.seen.retain(|seen| seen.id != reply.id);
        self.seen.push(reply);
        self.seen.drain(..self.seen.len().saturating_sub(SEEN));
    }

    fn tells(&mut self, now: DateTime<Utc>) -> Telling {
        let (after, before) = ((now - TOLD_WITHIN).timestamp(), (now + SKEW).timestamp());
        self.told.retain(|at| *at > after && *at <= before);
        if self.told.len() >= TOLD {
            return Telling::TooOften;
        }
        self.told.push(now.timestamp());
        Telling::Allowed
    }
}

/// The name of the row of a number, which does not tell the number.
fn row_name(from: &Contact) -> String {
    format!("replies-{}", hex(from.as_str(), 16))
}

/// The first bytes of a hash, in hexadecimal digits.
fn hex(text: &str, bytes: usize) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(number: u64, round: u32) -> Option<About> {
        Some(About { number: IncidentNumber::new(number), round })
    }

    #[test]
    fn p20_the_last_replies_of_a_number_are_remembered_and_a_row_stays_small() {
        let mut row = Row::default();
        for i in 0..10_000_u64 {
            let id = Seen::hash(&format!("SM{i}"));
            assert_eq!(row.came(&id), Came::First);
            row.remember(Seen { id, about: (i % 3 > 0).then(|| about(u64::MAX, u32::MAX)).flatten() });
        }
        let written = row.written();
        assert!(written.len() < 50_000, "{}", written.len());
        let read = Row::read(Some(&written));
        assert_eq!(read, row);
        assert_eq!(read.came(&Seen::hash("SM9999")), Came::Before(None));
        assert_eq!(read.came(&Seen::hash("SM9500")), Came::Before(about(u64::MAX, u32::MAX)));
        assert_eq!(read.came(&Seen::hash("SM9499")), Came::First);
        assert_eq!(Row::read(Some(b"{\"seen\": 1}")), Row::default());
    }

    #[test]
    fn p20_a_refused_reply_counts_in_no_round() {
        let mut row = Row::default();
        row.remember(Seen { id: "a".to_owned(), about: about(7, 2) });
        row.remember(Seen { id: "a".to_owned(), about: Some(About::none_of(IncidentNumber::new(7))) });
        assert_eq!(row.came("a"), Came::Before(about(7, NO_ROUND)));
        assert_eq!(row.seen.len(), 1);
    }

    #[test]
    fn a_number_is_told_five_times_an_hour_that_its_answer_changed_nothing() {
        let at = |minutes: i64| DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes);
        let mut row = Row::default();
        for (minutes, expected) in [
            (0, Telling::Allowed),
            (0, Telling::Allowed),
            (1, Telling::Allowed),
            (30, Telling::Allowed),
            (59, Telling::Allowed),
            (59, Telling::TooOften),
            (60, Telling::Allowed),
            (60, Telling::Allowed),
            (60, Telling::TooOften),
            (61, Telling::Allowed),
            (61, Telling::TooOften),
            // The clock went far back: what it said in between does not silence the number.
            (-10_000, Telling::Allowed),
        ] {
            assert_eq!(row.tells(at(minutes)), expected, "after {minutes} minutes");
            assert!(row.told.len() <= TOLD);
        }
    }
}
