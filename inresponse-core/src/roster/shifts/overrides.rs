//! Overrides: they change who is on call, one after the other.

use std::cmp::Reverse;

use super::clock::NEVER;
use super::duty::{Duty, Name, Origin};
use super::people::span;
use super::whom::{Absent, Known, Whom, Window};
use crate::model::{OverrideId, TeamName, Zone};
use crate::roster::{Override, Target, Timetable};

/// The overrides of a schedule, read from an instant on.
#[derive(Debug)]
pub(super) struct Overrides<'a> {
    /// In the order in which they apply: by their beginning, the longer first, then by id.
    all: Vec<One<'a>>,
    /// The places of the overrides that apply at an instant.
    present: Vec<usize>,
    until: i64,
}

#[derive(Debug)]
struct One<'a> {
    from: i64,
    to: i64,
    id: &'a OverrideId,
    stand_in: &'a Override,
    source: Origin<'a>,
}

impl<'a> Overrides<'a> {
    /// The overrides of a window. Their places, from the bottom, begin at `height`.
    pub(super) fn new(timetable: &'a Timetable, zone: &Zone, window: Window, height: usize) -> Self {
        let one = |(id, stand_in): (&'a OverrideId, &'a std::sync::Arc<Override>)| {
            let (from, to) = span(stand_in.from(), stand_in.to(), zone, window.from)?;
            let source = Origin { height, name: Name::Override(id) };
            (from < to && from < window.to).then_some(One { from, to, id, stand_in, source })
        };
        let mut all: Vec<_> = timetable.overrides().iter().filter_map(one).collect();
        all.sort_unstable_by_key(|one| (one.from, Reverse(one.to), one.id));
        all.iter_mut().enumerate().for_each(|(place, one)| one.source.height += place);
        Self { all, present: Vec::new(), until: -NEVER }
    }

    /// Applies the overrides of an instant to those on call so far, and returns until when the answer is valid.
    pub(super) fn apply(
        &mut self,
        reader: &mut dyn Whom<'a>,
        team: &'a TeamName,
        at: i64,
        duties: &mut Vec<Duty<'a>>,
    ) -> i64 {
        if at >= self.until {
            self.look_up(at);
        }
        let mut until = self.until;
        for place in &self.present {
            let change = &self.all[*place];
            until = until.min(change.apply(reader, team, at, duties));
        }
        until
    }

    fn look_up(&mut self, at: i64) {
        self.present.clear();
        self.until = NEVER;
        for (place, one) in self.all.iter().enumerate() {
            if one.from > at {
                self.until = self.until.min(one.from);
                break;
            }
            if at < one.to {
                self.present.push(place);
                self.until = self.until.min(one.to);
            }
        }
    }
}

impl<'a> One<'a> {
    fn apply(
        &self,
        reader: &mut dyn Whom<'a>,
        team: &'a TeamName,
        at: i64,
        duties: &mut Vec<Duty<'a>>,
    ) -> i64 {
        let mut until = NEVER;
        let mut all = |targets: &'a [Target], absent| {
            let mut found = Vec::new();
            for target in targets {
                until = until.min(reader.people(team, target, at, absent, &mut found));
            }
            found
        };
        // People who are away are taken out. If nobody is left, the override leaves a gap, and the gap is shown.
        let people = all(self.stand_in.oncall(), Absent::Out);
        let is_on = |found: &[Known<'a>], duty: &Duty<'a>| duty.who.is_some_and(|who| found.contains(&who));
        match self.stand_in.instead_of() {
            None => duties.clear(),
            Some([]) if people.is_empty() => return until,
            Some([]) => {}
            Some(others) => {
                let others = all(others, Absent::Stay);
                if !duties.iter().any(|duty| is_on(&others, duty)) {
                    return until;
                }
                duties.retain(|duty| !is_on(&others, duty));
            }
        }
        let source = self.source;
        // An earlier override that left a gap does not apply to the people who are added now.
        duties.retain(|duty| duty.who.is_some());
        duties.extend(people.into_iter().map(|who| Duty { who: Some(who), source }));
        if duties.is_empty() {
            duties.push(Duty { who: None, source });
        }
        until
    }
}
