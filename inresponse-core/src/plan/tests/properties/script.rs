//! Makes scenarios.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::model::{Contact, Level, Matrix, MethodName, PersonId, Recipient, Severity, TimedStep, Timing};
use crate::notify::Outcome;
use crate::plan::Held;

/// An incident's beginning and what happens to it then.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    /// The matrices of the first, second, … round; then from the first again.
    pub(super) matrices: Vec<Matrix>,
    pub(super) severity: Severity,
    pub(super) script: Vec<Act>,
}

/// Something that happens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Somebody looks for what is due.
    Due(When),
    /// The same, while every other delivery (by its place and level) is in flight, or has no free slot.
    DueHolding(When, Held, bool),
    /// The process of some attempt, `back` attempts before the last one, is still at it.
    Renew {
        back: u8,
    },
    /// The outcome of some attempt comes, `back` attempts before the last one. It may never have come, or come
    /// already.
    Outcome {
        back: u8,
        ends: Ends,
    },
    /// The carrier gives back what it was given, `back` attempts before the last one.
    Bounce {
        back: u8,
    },
    /// Time passes.
    Wait(u16),
    Claim(Who, bool),
    Release(Who, bool),
    Resolve(Who),
    HandTo(Who, Who),
    HandToTeam(Who),
    Escalate(Who),
    /// The claim ends so many seconds later.
    Snooze(Who, u64),
    Raise(Who, Severity),
    Note(Who),
    Repeat(Severity),
}

/// When somebody looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Now,
    /// As soon as something is due.
    OnTime,
    /// So many seconds later.
    Late(u16),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ends {
    Accepted,
    Rejected,
    Throttled,
    Limited,
    Unavailable,
    Unknown,
    NotBegun,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Who {
    Jo,
    Al,
}

impl Ends {
    /// The outcome; none of an attempt that was not begun.
    pub(super) fn outcome(self) -> Option<Outcome> {
        Some(match self {
            Ends::Accepted => Outcome::Accepted,
            Ends::Rejected => Outcome::rejected("no"),
            Ends::Throttled => Outcome::throttled(Duration::from_secs(20), "slower"),
            Ends::Limited => Outcome::limited(Duration::from_secs(20), "5 in 900 s"),
            Ends::Unavailable => Outcome::unavailable("busy"),
            Ends::Unknown => Outcome::unknown("lost"),
            Ends::NotBegun => return None,
        })
    }
}

impl Who {
    pub(super) fn name(self) -> &'static str {
        match self {
            Who::Jo => "jo",
            Who::Al => "al",
        }
    }
}

fn contact(i: usize) -> Contact {
    static CONTACTS: OnceLock<Vec<Contact>> = OnceLock::new();
    CONTACTS.get_or_init(|| super::super::contacts("a b c d e f"))[i].clone()
}

fn contacts(few: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<Contact>> {
    vec((0..6usize).prop_map(contact), few)
}

pub(super) fn severity() -> impl Strategy<Value = Severity> {
    (0..3usize).prop_map(|i| Severity::ALL[i])
}

fn mask() -> impl Strategy<Value = Option<Vec<u16>>> {
    weighted(0.4, vec(1..7u16, 0..4))
}

/// The longest time between a level and a step.
pub(super) const LONGEST_STEP: TimeDelta = TimeDelta::seconds(700);

/// For each level, contacts that are alerted at once, and later steps; some severities leave some out. The contacts `a`
/// and `b` are jo's, `c` and `d` are al's, and both share `e`.
fn steps() -> impl Strategy<Value = Vec<Vec<(usize, u64, u8)>>> {
    let step = (0..6usize, prop::sample::select(vec![0u64, 0, 5, 30, 100, 700]), 0..8u8);
    vec(vec(step, 0..=4), 6)
}

/// Gives a matrix rules.
fn with_rules(matrix: Matrix, steps: &[Vec<(usize, u64, u8)>]) -> Matrix {
    const PEOPLE: [&[&str]; 6] = [&["jo"], &["jo"], &["al"], &["al"], &["jo", "al"], &[]];
    let levels: Vec<Level> = (1..=matrix.height()).map(Level::At).chain([Level::Fallback]).collect();
    let (mut recipients, mut timing) = (Vec::new(), BTreeMap::<_, Vec<TimedStep>>::new());
    for level in levels {
        let contacts = matrix.contacts(level);
        for (place, contact) in contacts.iter().enumerate() {
            let which = usize::from(contact.as_str().as_bytes()["mailto:".len()] - b'a');
            let place = u16::try_from(place).unwrap();
            // Everybody is alerted at once by one contact at least.
            let own = steps[usize::from(place) % steps.len()].iter().filter(|(i, ..)| i % 2 == which % 2);
            let times = own.map(|(_, after, left_out)| (*after, *left_out)).chain([(0, 7)]);
            for (after, left_out) in times {
                let after = Duration::from_secs(after);
                for (i, severity) in Severity::ALL.into_iter().enumerate() {
                    let all = timing.entry(severity).or_default();
                    if left_out != 7 && left_out == u8::try_from(i).unwrap() {
                        continue;
                    }
                    if PEOPLE[which].is_empty() {
                        all.push(TimedStep { level, after: Duration::ZERO, place, recipient: None });
                    }
                    for person in PEOPLE[which] {
                        let recipient = Recipient {
                            level: Some(level),
                            contact: contact.clone(),
                            person: PersonId::new(person).unwrap(),
                            method: MethodName::new("m").unwrap(),
                        };
                        let known = recipients.iter().position(|one| *one == recipient);
                        let at = known.unwrap_or_else(|| {
                            recipients.push(recipient);
                            recipients.len() - 1
                        });
                        let recipient = Some(u16::try_from(at).unwrap());
                        all.push(TimedStep { level, after, place, recipient });
                    }
                }
            }
        }
    }
    matrix.reaching(recipients).timed(Timing::new(timing))
}

/// A matrix, in which some people have rules.
pub(super) fn matrix() -> impl Strategy<Value = Matrix> {
    (plain_matrix(), weighted(0.5, steps())).prop_map(|(matrix, steps)| match steps {
        Some(steps) => with_rules(matrix, &steps),
        None => matrix,
    })
}

/// Up to five levels of up to three contacts; or no calendar entry.
fn plain_matrix() -> impl Strategy<Value = Matrix> {
    let waits = prop::sample::select(vec![1u64, 20, 45, 600]);
    let levels = weighted(0.9, vec(contacts(0..=3), 0..=5));
    let shape = (levels, contacts(1..=2), waits, 0..=2u32);
    (shape, mask(), mask()).prop_map(|((levels, fallback, wait, repeat), warn, err)| {
        let wait = Duration::from_secs(wait);
        let masks = [(Severity::Warn, warn), (Severity::Err, err)];
        let masks: BTreeMap<_, _> = masks.into_iter().filter_map(|(s, mask)| Some((s, mask?))).collect();
        match levels {
            Some(levels) => Matrix::new(levels, fallback, wait),
            None => Matrix::without_calendar(fallback, wait),
        }
        .repeated(repeat)
        .alerting(masks)
    })
}

fn when() -> impl Strategy<Value = When> {
    (0..10u8, 0..2000u16).prop_map(|(how, seconds)| match how {
        0..=1 => When::Now,
        2..=6 => When::OnTime,
        7..=8 => When::Late(seconds / 40),
        _ => When::Late(seconds),
    })
}

fn ends() -> impl Strategy<Value = Ends> {
    use Ends::{Accepted, Limited, NotBegun, Rejected, Throttled, Unavailable, Unknown};
    prop::sample::select(vec![
        Limited,
        Limited,
        Accepted,
        Accepted,
        Rejected,
        Rejected,
        Throttled,
        Unavailable,
        Unknown,
        NotBegun,
    ])
}

fn act() -> impl Strategy<Value = Act> {
    let parts = (0..122u8, any::<(u8, bool)>(), when(), ends(), severity());
    parts.prop_map(|(kind, (number, flag), when, ends, severity)| {
        let who = if number % 2 == 0 { Who::Jo } else { Who::Al };
        match kind {
            0..=39 => Act::Due(when),
            40..=45 => Act::DueHolding(when, Held::InFlight, flag),
            110..=113 => Act::DueHolding(when, Held::NoSlot, flag),
            114..=117 => Act::Renew { back: number % 4 },
            46..=71 => Act::Outcome { back: number % 8, ends },
            72..=75 => Act::Bounce { back: number % 8 },
            76..=79 => Act::Wait(u16::from(number) / 4),
            80..=83 => Act::Claim(who, flag),
            84..=88 => Act::Release(who, flag),
            89 => Act::Resolve(who),
            90..=93 => Act::Raise(who, severity),
            94 => Act::Note(who),
            95..=99 => Act::Repeat(severity),
            100..=103 => Act::Escalate(who),
            // No end of a claim that is so near is announced.
            118..=121 => Act::Snooze(who, [1, 30, 60, 600][usize::from(number / 2) % 4]),
            104..=108 => Act::HandTo(who, if flag { Who::Jo } else { Who::Al }),
            _ => Act::HandToTeam(who),
        }
    })
}

pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    (vec(matrix(), 1..=2), severity(), vec(act(), 1..25)).prop_map(|(matrices, severity, script)| Scenario {
        matrices,
        severity,
        script,
    })
}
