//! Counts the turns before a turn that contain hours of the layer.
//!
//! A turn counts if it contains an instant of the layer's weekly hours, even before the layer begins or after it ends.
//! As long as the clocks keep their offset from UTC, the pattern repeats every week, so turns are counted by the week.
//! Only turns during a clock change are looked at one by one. An anchor far in the past costs nothing, because
//! the counts at the changes are kept with the schedule.

use super::clock::{Clock, WEEK};
use super::hours::WeeklyHours;
use super::turns::Turns;

/// Counts turns that contain hours.
#[derive(Debug)]
pub(super) struct Numbers {
    marks: Vec<Mark>,
    cycles: Vec<Cycle>,
}

/// Counts are kept until the beginning of 2060. Later turns are counted from there.
const KEPT_UNTIL: i64 = 2_840_140_800;

/// A turn, and the number of turns before it that contain hours.
#[derive(Debug, Clone, Copy)]
struct Mark {
    turn: i64,
    worked: i64,
    then: Then,
}

/// The turns from a mark to the next one.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// Turns of a repeating cycle, with the place of that cycle.
    Repeat(usize),
    /// One turn.
    One,
}

/// Which turns contain hours as long as the clocks keep an offset from UTC.
#[derive(Debug, Clone)]
struct Cycle {
    /// What the clocks would show at the beginning of turn 0, in the week; `None` for months.
    phase: Option<i64>,
    /// The number of turns after which the pattern repeats.
    turns: i64,
    /// How many of the first 0, 1, 2 … turns of a cycle contain hours.
    sums: Vec<i64>,
}

impl Numbers {
    pub(super) fn new(turns: &Turns, hours: &WeeklyHours, clock: &Clock) -> Self {
        let mut numbers = Self { marks: Vec::new(), cycles: Vec::new() };
        let (mut turn, mut worked) = (0, 0);
        while turns.begins(clock, turn) < KEPT_UNTIL {
            let (mark, next) = numbers.step(turns, hours, clock, (turn, worked));
            numbers.marks.push(mark);
            (turn, worked) = next;
        }
        numbers.marks.push(Mark { turn, worked, then: Then::One });
        numbers
    }

    /// How many turns before this one contain hours.
    pub(super) fn before(&self, turns: &Turns, hours: &WeeklyHours, clock: &Clock, turn: i64) -> i64 {
        let passed = self.marks.partition_point(|mark| mark.turn <= turn);
        let Some(mark) = passed.checked_sub(1).and_then(|last| self.marks.get(last)) else { return 0 };
        match mark.then {
            Then::Repeat(cycle) => mark.worked + self.cycles[cycle].count(mark.turn, turn),
            Then::One => self.after_kept(turns, hours, clock, (mark.turn, mark.worked), turn),
        }
    }

    fn after_kept(
        &self,
        turns: &Turns,
        hours: &WeeklyHours,
        clock: &Clock,
        mut at: (i64, i64),
        turn: i64,
    ) -> i64 {
        if at.0 == turn {
            return at.1;
        }
        let mut numbers = Self { marks: Vec::new(), cycles: self.cycles.clone() };
        while at.0 < turn {
            let (mark, next) = numbers.step(turns, hours, clock, at);
            match mark.then {
                Then::Repeat(cycle) if next.0 > turn => {
                    return mark.worked + numbers.cycles[cycle].count(mark.turn, turn);
                }
                Then::Repeat(_) | Then::One => at = next,
            }
        }
        at.1
    }

    /// The mark at a turn, and the place of the next mark. `worked` turns before this turn contain hours.
    fn step(
        &mut self,
        turns: &Turns,
        hours: &WeeklyHours,
        clock: &Clock,
        (turn, worked): (i64, i64),
    ) -> (Mark, (i64, i64)) {
        let begins = turns.begins(clock, turn);
        let era = clock.era(begins);
        if era.is_plain(begins) {
            // Turns that begin and end far from a clock change.
            let end = turns.at(clock, era.plain_until.min(KEPT_UNTIL.max(begins + 200 * WEEK)));
            if let Some(end) = end.filter(|end| *end > turn) {
                let cycle = self.cycle(turns, hours, era.offset);
                let next = (end, worked + self.cycles[cycle].count(turn, end));
                return (Mark { turn, worked, then: Then::Repeat(cycle) }, next);
            }
        }
        let has_hours = hours.any(clock, begins, turns.begins(clock, turn + 1));
        (Mark { turn, worked, then: Then::One }, (turn + 1, worked + i64::from(has_hours)))
    }

    /// The place of the cycle of turns while the clocks keep an offset.
    fn cycle(&mut self, turns: &Turns, hours: &WeeklyHours, offset: i64) -> usize {
        let regular = turns.regular(offset).map(|(first, length)| (first.rem_euclid(WEEK), length));
        let phase = regular.map(|(phase, _)| phase);
        if let Some(known) = self.cycles.iter().position(|cycle| cycle.phase == phase) {
            return known;
        }
        self.cycles.push(match regular {
            Some((phase, length)) => Cycle::new(hours, phase, length),
            // Every month contains a whole week, and so some hours.
            None => Cycle { phase: None, turns: 1, sums: vec![0, 1] },
        });
        self.cycles.len() - 1
    }
}

impl Cycle {
    fn new(hours: &WeeklyHours, phase: i64, length: i64) -> Self {
        let turns = WEEK / greatest_common_divisor(WEEK, length);
        let (mut sums, mut sum) = (vec![0], 0);
        for turn in 0..turns {
            sum += i64::from(hours.any_shown(phase + turn * length, length));
            sums.push(sum);
        }
        Self { phase: Some(phase), turns, sums }
    }

    /// How many of the turns from `from` to `to`, without `to`, contain hours.
    fn count(&self, from: i64, to: i64) -> i64 {
        self.up_to(to) - self.up_to(from)
    }

    fn up_to(&self, turn: i64) -> i64 {
        let whole = self.sums.last().copied().unwrap_or_default();
        let rest = usize::try_from(turn.rem_euclid(self.turns)).unwrap_or_default();
        turn.div_euclid(self.turns) * whole + self.sums.get(rest).copied().unwrap_or_default()
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
