//! Reads due incidents page by page.

use chrono::{DateTime, Utc};

use crate::plan;
use crate::store::{DueMark, Record};

/// The usual number of incidents on a page.
pub(super) const PAGE: usize = 256;
/// The maximum number of incidents on a page.
const LONGEST: usize = 64 * PAGE;

/// Where the next page begins, and its length.
///
/// The store sorts by the stored times. A server of a newer version may have stored a time that this version does not
/// compute. So the incidents in a newer format do not show where a page ended: the other ones do. If a full page shows
/// nothing, a longer page is read from the same place.
pub(super) struct Paging {
    due_by: DateTime<Utc>,
    after: Option<DueMark>,
    limit: usize,
    is_over: bool,
}

impl Paging {
    /// Reads the incidents that are due by that time.
    pub(super) fn due_by(due_by: DateTime<Utc>) -> Self {
        Self { due_by, after: None, limit: PAGE, is_over: false }
    }

    /// Begins after that place.
    #[cfg(feature = "runner")]
    pub(super) fn after(mut self, after: Option<DueMark>) -> Self {
        self.after = after;
        self
    }

    /// The place and the length of the next page; `None` after the last page.
    pub(super) fn next(&self) -> Option<(Option<DueMark>, usize)> {
        (!self.is_over).then_some((self.after, self.limit))
    }

    /// Takes the page that was read there.
    pub(super) fn read(&mut self, page: &[Record]) {
        if page.len() < self.limit {
            self.is_over = true;
            return;
        }
        let is_told = |record: &&Record| !record.incident.is_left_to_newer();
        let due = |record: &Record| mark_of(record).filter(|mark| mark.due_at <= self.due_by);
        let last = page.iter().rev().filter(is_told).find_map(due);
        match last.filter(|last| self.after.is_none_or(|after| *last > after)) {
            Some(last) => (self.after, self.limit) = (Some(last), PAGE),
            None if self.limit < LONGEST => self.limit *= 2,
            None => {
                tracing::error!(
                    incidents = page.len(),
                    "too many due incidents are in a newer format: update this server to see what is due after them"
                );
                self.is_over = true;
            }
        }
    }
}

/// A record's place in the order of due incidents.
fn mark_of(record: &Record) -> Option<DueMark> {
    let due_at = plan::due_at(&record.incident)?;
    Some(DueMark { due_at, number: record.number() })
}
