//! The lines of a schedule: who each layer and each feed puts on call, and who is on call in the end.

use chrono::{DateTime, Utc};
use inresponse_core::model::{ScheduleName, TeamName};
use inresponse_core::roster::{
    Book, Directory, Entry, EntryKey, Feed, FeedCopy, FeedRole, Layer, Schedule, Shift, Source, Timetable,
    Who, shifts,
};

use super::reader;

/// A line of a schedule.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) shifts: Vec<Shift>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A layer or a feed alone.
    Part,
    /// Who is on call in the end.
    Final,
}

/// The lines of a schedule from the bottom to the top, the final one last.
pub(super) fn lines(
    directory: &Directory,
    team: &TeamName,
    name: &ScheduleName,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<Line> {
    let book = directory.book();
    let Some(timetable) = book.timetable(team, name) else { return Vec::new() };
    let Some(schedule) = timetable.schedule() else { return Vec::new() };
    let of_final = Line {
        name: "On call".to_owned(),
        kind: Kind::Final,
        shifts: shifts(directory, team, name, from, to),
    };
    if schedule.layers().len() == 1 && schedule.feeds().is_empty() && timetable.overrides().is_empty() {
        // A line for the only layer would show the same shifts again.
        return vec![of_final];
    }
    let alone = |layers: Vec<Layer>, feed: Option<&Feed>| {
        let feeds = feed.cloned().into_iter().collect();
        let part = Schedule::new(schedule.timezone().clone(), layers, feeds).ok()?;
        let mut other = Book::clone(book);
        other.delete(&EntryKey::Schedule(team.clone(), name.clone()));
        other.put(Entry::schedule(team, name, part));
        if let Some((feed, copy)) = feed.and_then(|feed| Some((feed.id(), timetable.copy(&feed.id())?))) {
            other.put(Entry::feed(team, name, &feed, FeedCopy::clone(copy)));
        }
        Some(shifts(&directory.with_book(other), team, name, from, to))
    };
    let feed_lines = |role: FeedRole| -> Vec<Line> {
        let feeds = schedule.feeds().iter().filter(|feed| feed.role == role);
        let line = |feed: &Feed| {
            let name = format!("feed {}", feed.masked());
            Some(Line { name, kind: Kind::Part, shifts: alone(Vec::new(), Some(feed))? })
        };
        feeds.filter_map(line).collect()
    };
    let mut layers: Vec<(u32, &Layer)> =
        schedule.layers().iter().enumerate().map(|(i, layer)| (layer.rank_at(i), layer)).collect();
    layers.sort_by_key(|(rank, _)| *rank);
    let layers = layers.into_iter().filter_map(|(_, layer)| {
        let name = format!("layer {}", layer.name);
        Some(Line { name, kind: Kind::Part, shifts: alone(vec![layer.clone()], None)? })
    });
    let mut lines = feed_lines(FeedRole::Base);
    lines.extend(layers);
    lines.extend(feed_lines(FeedRole::Override));
    lines.push(of_final);
    lines
}

/// The sources that put people on call, in words.
pub(super) fn because(timetable: Option<&Timetable>, shift: &Shift) -> String {
    let told = |source: &Source| match source {
        Source::Layer(layer) => format!("layer {layer}"),
        Source::Override(id) => {
            let note = timetable.and_then(|timetable| timetable.overrides().get(id)?.note());
            note.map_or_else(|| format!("override {id}"), |note| format!("override {id}: {note}"))
        }
        Source::Feed(id) => {
            let feeds = timetable.and_then(Timetable::schedule).map_or(&[][..], |schedule| schedule.feeds());
            let feed = feeds.iter().find(|feed| feed.id() == *id);
            feed.map_or_else(|| "feed".to_owned(), |feed| format!("feed {}", feed.masked()))
        }
    };
    shift.sources.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// Who is on call, as a list; `nobody` in a gap.
pub(super) fn who(book: &Book, oncall: &[Who]) -> String {
    reader::names(oncall.iter().map(|who| reader::name_of(book, who)))
}

/// A span in which a change would put other people on call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) was: Vec<Who>,
    pub(super) is: Vec<Who>,
}

/// The spans in which two lines differ, in order. Both lines cover the same time.
pub(super) fn changes(was: &[Shift], is: &[Shift]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let (mut i, mut k) = (0, 0);
    while let Some((old, new)) = was.get(i).zip(is.get(k)) {
        let (from, to) = (old.from.max(new.from), old.to.min(new.to));
        if from < to && sorted(&old.oncall) != sorted(&new.oncall) {
            match changes.last_mut() {
                Some(last) if last.to == from && last.was == old.oncall && last.is == new.oncall => {
                    last.to = to
                }
                Some(_) | None => {
                    changes.push(Change { from, to, was: old.oncall.clone(), is: new.oncall.clone() });
                }
            }
        }
        i += usize::from(old.to <= to);
        k += usize::from(new.to <= to);
    }
    changes
}

fn sorted(oncall: &[Who]) -> Vec<&Who> {
    let mut sorted: Vec<&Who> = oncall.iter().collect();
    sorted.sort_unstable();
    sorted
}

#[cfg(test)]
mod tests {
    use inresponse_core::model::PersonId;

    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    fn line(parts: &[(i64, i64, &[&str])]) -> Vec<Shift> {
        let who = |name: &&str| Who::Person(PersonId::new(name).unwrap());
        let shift = |(from, to, names): &(i64, i64, &[&str])| Shift {
            from: at(*from),
            to: at(*to),
            oncall: names.iter().map(who).collect(),
            sources: Vec::new(),
        };
        parts.iter().map(shift).collect()
    }

    #[test]
    fn what_changes_hands_is_told_once_and_whole() {
        let was = line(&[(0, 10, &["jo"]), (10, 20, &["kim", "lee"]), (20, 30, &["jo"])]);
        let is = line(&[
            (0, 5, &["jo"]),
            (5, 12, &["kim"]),
            (12, 20, &["lee", "kim"]),
            (20, 25, &[]),
            (25, 30, &["jo"]),
        ]);
        let told: Vec<_> = changes(&was, &is)
            .into_iter()
            .map(|change| {
                let hours = |at: DateTime<Utc>| at.timestamp() / 3600;
                (hours(change.from), hours(change.to), change.was.len(), change.is.len())
            })
            .collect();
        assert_eq!(told, [(5, 10, 1, 1), (10, 12, 2, 1), (20, 25, 1, 0)]);
        assert_eq!(changes(&was, &was), []);
    }
}
