//! Reads who is on call from a calendar feed.

use super::clock::NEVER;
use super::people::named_in;
use super::whom::{Absent, Known, Whom, Window};
use crate::model::PersonId;
use crate::roster::{FeedCopy, FeedEvent};

/// A feed's copy, read from an instant on. All people whom the events of an instant name are on call together.
#[derive(Debug)]
pub(super) struct FeedReader<'a> {
    /// The events that have not begun yet, ordered by their beginning.
    coming: std::vec::IntoIter<&'a FeedEvent>,
    /// The events of the instant, and whom they name.
    present: Vec<(&'a FeedEvent, Vec<&'a PersonId>)>,
}

impl<'a> FeedReader<'a> {
    pub(super) fn new(copy: &'a FeedCopy, window: Window) -> Self {
        let is_inside = |event: &&FeedEvent| {
            let (from, to) = (event.from.timestamp(), event.to.timestamp());
            from < to && from < window.to && to > window.from
        };
        let mut coming: Vec<_> = copy.events.iter().filter(is_inside).collect();
        if !coming.is_sorted_by_key(|event| event.from) {
            coming.sort_by_key(|event| event.from);
        }
        Self { coming: coming.into_iter(), present: Vec::new() }
    }

    /// Adds who is on call at an instant, and returns until when the answer is valid.
    pub(super) fn read(&mut self, reader: &dyn Whom<'a>, at: i64, found: &mut Vec<Known<'a>>) -> i64 {
        let book = reader.book();
        self.present.retain(|(event, _)| event.to.timestamp() > at);
        while let Some(event) = self.coming.as_slice().first().filter(|event| event.from.timestamp() <= at) {
            if event.to.timestamp() > at {
                self.present.push((event, named_in(book, event)));
            }
            self.coming.next();
        }
        let mut until = self.coming.as_slice().first().map_or(NEVER, |event| event.from.timestamp());
        for (event, people) in &self.present {
            until = until.min(event.to.timestamp());
            for person in people {
                until = until.min(reader.person(person, at, Absent::Out, found));
            }
        }
        until
    }
}
