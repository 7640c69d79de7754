//! A schedule: base feeds, layers by rank, override feeds and overrides, one above the other.

use super::clock::{Clock, NEVER};
use super::duty::{Duty, Name, Origin};
use super::feeds::FeedReader;
use super::layer::{LayerPlan, OneTurn, Plan};
use super::overrides::Overrides;
use super::whom::{Absent, Known, Whom, Window, add};
use crate::model::TeamName;
use crate::roster::{FeedRole, Schedule, Timetable};

/// A schedule, read from an instant on.
#[derive(Debug)]
pub(super) struct Stack<'a> {
    team: &'a TeamName,
    clock: Clock,
    /// The floors from the bottom to the top. All people of one floor are on call together.
    floors: Vec<Vec<Part<'a>>>,
    overrides: Overrides<'a>,
    duties: Vec<Duty<'a>>,
}

/// A layer or a feed.
#[derive(Debug)]
struct Part<'a> {
    source: Origin<'a>,
    kind: Kind<'a>,
    people: Vec<Known<'a>>,
    until: i64,
}

#[derive(Debug)]
enum Kind<'a> {
    Layer { layer: &'a crate::roster::Layer, plan: &'a LayerPlan, turn: OneTurn },
    Feed(FeedReader<'a>),
}

impl<'a> Stack<'a> {
    /// `None` for a schedule that cannot be read.
    pub(super) fn new(team: &'a TeamName, timetable: &'a Timetable, window: Window) -> Option<Self> {
        let schedule: &'a Schedule = timetable.schedule()?;
        let plan = schedule.plan();
        let mut height = 0;
        let mut part = |name, kind| {
            height += 1;
            Part { source: Origin { height, name }, kind, people: Vec::new(), until: -NEVER }
        };
        let mut floors = Vec::with_capacity(plan.ranks.len() + 2);
        floors.push(feeds(schedule, plan, timetable, window, FeedRole::Base, &mut part));
        for rank in &plan.ranks {
            let layer = |place: &usize| {
                let (layer, plan) = (&schedule.layers()[*place], &plan.layers[*place]);
                part(Name::Layer(&layer.name), Kind::Layer { layer, plan, turn: OneTurn::NONE })
            };
            floors.push(rank.iter().map(layer).collect());
        }
        floors.push(feeds(schedule, plan, timetable, window, FeedRole::Override, &mut part));
        Some(Self {
            team,
            clock: Clock::new(schedule.timezone(), window.from),
            floors,
            overrides: Overrides::new(timetable, schedule.timezone(), window, height + 1),
            duties: Vec::new(),
        })
    }

    /// Who is on call, by the last reading.
    pub(super) fn duties(&self) -> &[Duty<'a>] {
        &self.duties
    }

    /// Reads who is on call at an instant, adds them to `people`, and returns until when the answer is valid.
    pub(super) fn read(&mut self, reader: &mut dyn Whom<'a>, at: i64, people: &mut Vec<Known<'a>>) -> i64 {
        self.duties.clear();
        let mut until = NEVER;
        // The highest floor that yields somebody hides the floors below it.
        for floor in self.floors.iter_mut().rev() {
            for part in floor {
                until = until.min(part.read(reader, self.team, &self.clock, at));
                let source = part.source;
                self.duties.extend(part.people.iter().map(|who| Duty { who: Some(*who), source }));
            }
            if !self.duties.is_empty() {
                break;
            }
        }
        until = until.min(self.overrides.apply(reader, self.team, at, &mut self.duties));
        self.duties.iter().filter_map(|duty| duty.who).for_each(|who| add(people, who));
        until
    }
}

/// The feeds of a role that were read at least once.
fn feeds<'a>(
    schedule: &'a Schedule,
    plan: &'a Plan,
    timetable: &'a Timetable,
    window: Window,
    role: FeedRole,
    part: &mut impl FnMut(Name<'a>, Kind<'a>) -> Part<'a>,
) -> Vec<Part<'a>> {
    let of_role = schedule.feeds().iter().zip(&plan.feeds).filter(|(feed, _)| feed.role == role);
    let read = of_role.filter_map(|(_, id)| Some((id, timetable.copy(id)?)));
    read.map(|(id, copy)| part(Name::Feed(id), Kind::Feed(FeedReader::new(copy, window)))).collect()
}

impl<'a> Part<'a> {
    fn read(&mut self, reader: &mut dyn Whom<'a>, team: &'a TeamName, clock: &Clock, at: i64) -> i64 {
        if at < self.until {
            return self.until;
        }
        self.people.clear();
        self.until = match &mut self.kind {
            Kind::Layer { layer, plan, turn } => {
                let (place, until) = plan.at(clock, at, turn);
                let who = place.map_or(&[][..], |place| &layer.members[place].who);
                who.iter().fold(until, |until, target| {
                    until.min(reader.people(team, target, at, Absent::Out, &mut self.people))
                })
            }
            Kind::Feed(feed) => feed.read(reader, at, &mut self.people),
        };
        self.until
    }
}
