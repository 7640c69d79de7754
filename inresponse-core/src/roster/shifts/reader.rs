//! Reads schedules and teams from an instant on, and remembers each answer as long as it is valid.

use chrono::{DateTime, NaiveDate};

use super::clock::{Clock, DAY, NEVER, bound};
use super::duty::Duty;
use super::people::{Presence, presence};
use super::stack::Stack;
use super::whom::{Absent, Known, Whom, Window, add};
use crate::model::{PersonId, ScheduleName, TeamName, Zone};
use crate::roster::first::first_level;
use crate::roster::{Book, Directory, Target, TeamPart};

/// Reads schedules and teams. Callers must ask about instants in ascending order.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    directory: &'a Directory,
    window: Window,
    nodes: Vec<Node<'a>>,
}

/// A schedule or a team.
#[derive(Debug)]
struct Node<'a> {
    key: Key<'a>,
    state: State<'a>,
    people: Vec<Known<'a>>,
    until: i64,
}

/// What names a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Schedule(&'a TeamName, &'a ScheduleName),
    Team(&'a TeamName),
}

#[derive(Debug)]
enum State<'a> {
    Schedule(Box<Stack<'a>>),
    Team(&'a TeamPart, Clock),
    /// It is not in the roster, so it yields nobody.
    Absent,
    /// It is being read. The roster refuses circles. A circle that two servers made at the same time ends here and
    /// yields nobody.
    Busy,
}

impl<'a> Reader<'a> {
    pub(super) fn new(directory: &'a Directory, window: Window) -> Self {
        Self { directory, window, nodes: Vec::new() }
    }

    /// Who is on call in a schedule at an instant, each with the source that put them there, and until when the answer
    /// is valid.
    pub(super) fn duties(
        &mut self,
        team: &'a TeamName,
        schedule: &'a ScheduleName,
        at: i64,
    ) -> (&[Duty<'a>], i64) {
        let node = self.node(Key::Schedule(team, schedule));
        let until = self.read(node, at);
        match &self.nodes[node].state {
            State::Schedule(stack) => (stack.duties(), until),
            State::Team(..) | State::Absent | State::Busy => (&[], until),
        }
    }

    /// Adds the people of a schedule or a team. People who are away are among a team's people if its level names them;
    /// `absent` says whether they are added too.
    fn of_node(&mut self, key: Key<'a>, at: i64, absent: Absent, found: &mut Vec<Known<'a>>) -> i64 {
        let node = self.node(key);
        let mut until = self.read(node, at);
        let node = &self.nodes[node];
        if !matches!(node.state, State::Busy) {
            for one in &node.people {
                match one {
                    Known::Person(person) => until = until.min(self.person(person, at, absent, found)),
                    Known::Contact(_) => add(found, *one),
                }
            }
        }
        until
    }

    fn node(&mut self, key: Key<'a>) -> usize {
        if let Some(known) = self.nodes.iter().position(|node| node.key == key) {
            return known;
        }
        let state = match key {
            Key::Schedule(team, name) => {
                let timetable = self.directory.book().timetable(team, name);
                let stack = timetable.and_then(|timetable| Stack::new(team, timetable, self.window));
                stack.map_or(State::Absent, |stack| State::Schedule(Box::new(stack)))
            }
            Key::Team(team) => self.directory.part(team).map_or(State::Absent, |part| {
                let zone = part.settings.as_ref().map_or_else(Zone::utc, |team| team.timezone().clone());
                State::Team(part, Clock::new(&zone, self.window.from))
            }),
        };
        self.nodes.push(Node { key, state, people: Vec::new(), until: -NEVER });
        self.nodes.len() - 1
    }

    /// Updates the answer of a node to an instant, and returns until when it is valid.
    fn read(&mut self, node: usize, at: i64) -> i64 {
        if at < self.nodes[node].until {
            return self.nodes[node].until;
        }
        let key = self.nodes[node].key;
        let mut people = std::mem::take(&mut self.nodes[node].people);
        people.clear();
        let (state, until) = match std::mem::replace(&mut self.nodes[node].state, State::Busy) {
            State::Schedule(mut stack) => {
                let until = stack.read(self, at, &mut people);
                (State::Schedule(stack), until)
            }
            State::Team(part, clock) => {
                let until = match key {
                    Key::Team(team) => self.team(team, part, &clock, at, &mut people),
                    Key::Schedule(..) => NEVER,
                };
                (State::Team(part, clock), until)
            }
            State::Absent => (State::Absent, NEVER),
            State::Busy => return NEVER,
        };
        let node = &mut self.nodes[node];
        (node.state, node.people, node.until) = (state, people, until);
        until
    }

    /// Level 1 of a team; its fallback if it has none.
    fn team(
        &mut self,
        team: &'a TeamName,
        part: &'a TeamPart,
        clock: &Clock,
        at: i64,
        found: &mut Vec<Known<'a>>,
    ) -> i64 {
        let day = clock.local(at).div_euclid(DAY);
        let first = first_level(part, date(day));
        let until = self.all(team, first.targets, at, found);
        if part.days.is_empty() {
            return until;
        }
        // If the clocks go back over midnight, the previous day returns.
        let (midnight, change) = (clock.first((day + 1) * DAY), clock.era(at).ends);
        until.min(if midnight > at { midnight.min(change) } else { change })
    }

    fn all(&mut self, team: &'a TeamName, targets: &'a [Target], at: i64, found: &mut Vec<Known<'a>>) -> i64 {
        let until = |until: i64, target| until.min(self.people(team, target, at, Absent::Stay, found));
        targets.iter().fold(NEVER, until)
    }
}

impl<'a> Whom<'a> for Reader<'a> {
    fn book(&self) -> &'a Book {
        self.directory.book()
    }

    fn people(
        &mut self,
        team: &'a TeamName,
        target: &'a Target,
        at: i64,
        absent: Absent,
        found: &mut Vec<Known<'a>>,
    ) -> i64 {
        match target {
            Target::Contact(contact) => {
                add(found, Known::Contact(contact));
                NEVER
            }
            Target::Person(person) => self.person(person, at, absent, found),
            Target::Schedule { team: of, name } => {
                self.of_node(Key::Schedule(of.as_ref().unwrap_or(team), name), at, absent, found)
            }
            Target::Team(other) => self.of_node(Key::Team(other), at, absent, found),
        }
    }

    fn person(&self, person: &'a PersonId, at: i64, absent: Absent, found: &mut Vec<Known<'a>>) -> i64 {
        let Some(profile) = self.directory.book().person(person) else { return NEVER };
        let (presence, until) = match absent {
            Absent::Out => presence(profile, at),
            Absent::Stay => (Presence::Here, NEVER),
        };
        if presence == Presence::Here {
            add(found, Known::Person(person));
        }
        until
    }
}

/// The date of a day that is counted from 1 January 1970.
fn date(day: i64) -> NaiveDate {
    let second = day.saturating_mul(DAY);
    DateTime::from_timestamp(second, 0).unwrap_or(bound(second)).date_naive()
}
