//! Which member of a layer has a turn.
//!
//! Turns go round the list. A turn goes to the next one in the list, after the member who had the previous turn, who is
//! a member at the start of the turn. So while members stay the same, each of n members gets every n-th turn. A member
//! who joins later changes no earlier turn. If nobody is a member at the start of a turn, nobody has the turn.

use super::clock::{Clock, NEVER};
use super::hours::WeeklyHours;
use super::numbers::Numbers;
use super::turns::Turns;
use crate::roster::{Counting, Layer, Member, WallTime};

/// The members of a layer and their turns.
#[derive(Debug)]
pub(super) struct Members {
    /// When each joins and leaves.
    dates: Vec<(i64, i64)>,
    /// `None` if every turn counts.
    numbers: Option<Numbers>,
    terms: Vec<Term>,
}

/// Consecutive turns at whose start the same people are members.
#[derive(Debug)]
struct Term {
    /// The first of the turns.
    turn: i64,
    /// The number of counted turns before it.
    number: i64,
    /// The places, in the order in which they take turns from the first on.
    places: Vec<usize>,
}

impl Members {
    pub(super) fn new(layer: &Layer, turns: &Turns, hours: Option<&WeeklyHours>, clock: &Clock) -> Self {
        // Joining and leaving are boundaries like those of turns, so both are the first occurrence of a local time.
        let at = |time: WallTime| clock.first(time.clock().and_utc().timestamp());
        let dates = |member: &Member| (member.from.map_or(-NEVER, at), member.until.map_or(NEVER, at));
        let dates = layer.members.iter().map(dates);
        let dates: Vec<_> = dates.collect();
        let numbers = match (layer.turn.count, hours) {
            (Counting::Worked, Some(hours)) => Some(Numbers::new(turns, hours, clock)),
            (Counting::Worked, None) | (Counting::Elapsed, _) => None,
        };
        let mut members = Self { dates, numbers, terms: Vec::new() };
        members.terms = members.terms(turns, hours, clock);
        members
    }

    /// Who has a turn at its start: a place in the list.
    pub(super) fn at_start(
        &self,
        turns: &Turns,
        hours: Option<&WeeklyHours>,
        clock: &Clock,
        turn: i64,
    ) -> Option<usize> {
        let term = self.terms.partition_point(|term| term.turn <= turn).checked_sub(1)?;
        let term = self.terms.get(term)?;
        let number = self.number(turns, hours, clock, turn) - term.number;
        let places = i64::try_from(term.places.len()).ok().filter(|places| *places > 0)?;
        term.places.get(usize::try_from(number.rem_euclid(places)).ok()?).copied()
    }

    /// Who has a turn at an instant, given who had it at its start, and until when at the latest. If a member leaves
    /// during a turn, the next in the list who is a member at that moment takes the rest.
    pub(super) fn at(&self, at_start: Option<usize>, at: i64) -> (Option<usize>, i64) {
        let mut having = at_start;
        while let Some(place) = having {
            let (_, leaves) = self.dates[place];
            if at < leaves {
                return (having, leaves);
            }
            having = self.next(place, leaves);
        }
        (None, NEVER)
    }

    /// The next in the list who is a member at an instant. The search ends with the given place itself.
    fn next(&self, place: usize, at: i64) -> Option<usize> {
        let behind = (place + 1..self.dates.len()).chain(0..=place);
        behind.into_iter().find(|place| self.is_member(*place, at))
    }

    fn is_member(&self, place: usize, at: i64) -> bool {
        let (joins, leaves) = self.dates[place];
        joins <= at && at < leaves
    }

    /// The number of a turn: how many turns before it count.
    fn number(&self, turns: &Turns, hours: Option<&WeeklyHours>, clock: &Clock, turn: i64) -> i64 {
        match (&self.numbers, hours) {
            (Some(numbers), Some(hours)) => numbers.before(turns, hours, clock, turn),
            (None, _) | (_, None) => turn,
        }
    }

    fn terms(&self, turns: &Turns, hours: Option<&WeeklyHours>, clock: &Clock) -> Vec<Term> {
        let mut changes: Vec<_> = self.dates.iter().flat_map(|(joins, leaves)| [*joins, *leaves]).collect();
        changes.retain(|at| at.abs() < NEVER);
        changes.sort_unstable();
        changes.dedup();
        let mut starts = vec![(0, -NEVER)];
        starts.extend(changes.into_iter().map(|at| (turns.from(clock, at), at)));
        let mut terms: Vec<Term> = Vec::new();
        // The place that had the last counted turn.
        let mut last: Option<usize> = None;
        for (turn, change) in starts {
            let number = self.number(turns, hours, clock, turn);
            if let Some(term) = terms.last() {
                last = term.last_before(number).or(last);
            }
            if terms.last().is_some_and(|term| term.turn == turn) {
                terms.pop();
            }
            let mut places: Vec<_> =
                (0..self.dates.len()).filter(|place| self.is_member(*place, change)).collect();
            let first = places.partition_point(|place| last.is_some_and(|last| *place <= last));
            places.rotate_left(first);
            terms.push(Term { turn, number, places });
        }
        terms
    }
}

impl Term {
    /// The place that has the last counted turn of the term, if the next term begins with that number.
    fn last_before(&self, number: i64) -> Option<usize> {
        let places = i64::try_from(self.places.len()).ok().filter(|places| *places > 0)?;
        let last = number - self.number - 1;
        if last < 0 {
            return None;
        }
        self.places.get(usize::try_from(last % places).ok()?).copied()
    }
}
