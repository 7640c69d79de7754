//! An event with all its occurrences: from a rule, added, taken away and moved.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::event::Event;
use crate::finding::{Finding, FindingKind, Findings};
use crate::limits::{MAX_ALL_OCCURRENCES, MAX_OCCURRENCES};
use crate::rule::{Days, Expansion, Work, starts};
use crate::time::{Moment, first_instant, lasts};
use crate::version::{Body, Version};

/// Which occurrence of an event is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    Day(Date),
    Instant(Timestamp),
}

impl Which {
    fn of(moment: &Moment) -> Option<Self> {
        match moment {
            Moment::Day(date) => Some(Which::Day(*date)),
            Moment::At(local, zone) => first_instant(*local, zone).map(Which::Instant),
        }
    }

    /// For an event of whole days, only the day counts, even if a time was written too.
    fn of_event(moment: &Moment, days: Days) -> Option<Self> {
        match days {
            Days::Whole => Some(Which::Day(moment.date())),
            Days::Parts => Self::of(moment),
        }
    }
}

/// Reads the events of a calendar, and collects the results.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The zone of days.
    pub(crate) schedule: TimeZone,
    pub(crate) span: Range<Timestamp>,
    pub(crate) work: Work,
    pub(crate) events: Vec<Event>,
    pub(crate) findings: Findings,
}

impl Reader {
    /// Reads an event from all its versions, in the order of the file.
    pub(crate) fn series(&mut self, versions: Vec<Version>) {
        let before = self.events.len();
        let mut doubts = Vec::new();
        let (changes, masters): (Vec<_>, Vec<_>) =
            versions.into_iter().partition(|one| one.replaces.is_some());
        let master = newest(masters, &mut doubts);
        let mut changed: Vec<(Which, Vec<Version>)> = Vec::new();
        let mut places: HashMap<Which, usize> = HashMap::new();
        for change in changes {
            let Some(which) = change.replaces.as_ref().and_then(Which::of) else { continue };
            let place = *places.entry(which).or_insert(changed.len());
            if place == changed.len() {
                changed.push((which, Vec::new()));
            }
            changed[place].1.push(change);
        }
        let changes: Vec<Version> =
            changed.into_iter().filter_map(|(_, versions)| newest(versions, &mut doubts)).collect();
        let mut ended_by = None;
        if let Some(master) = master {
            match &master.body {
                Some(body) => {
                    let replaced: Vec<_> =
                        changes.iter().filter_map(|change| change.replaces.as_ref()).collect();
                    self.occurrences(&master, body, &replaced, &mut doubts);
                }
                // If a series is cancelled, its earlier changes are cancelled too.
                None => ended_by = Some(master.sequence),
            }
            doubts.extend(master.doubts);
        }
        for change in changes {
            let is_over = ended_by.is_some_and(|sequence| change.sequence <= sequence);
            if let Some(body) = change.body.as_ref().filter(|_| !is_over) {
                self.occurrences(&change, body, &[], &mut doubts);
            }
            doubts.extend(change.doubts);
        }
        // Old calendars have many doubtful events: only those in the span are reported.
        if self.events.len() > before {
            doubts.into_iter().for_each(|doubt| self.findings.add(doubt));
        }
    }

    /// The occurrences of one version, except those that other versions replace.
    fn occurrences(
        &mut self,
        version: &Version,
        body: &Body,
        replaced: &[&Moment],
        doubts: &mut Vec<Finding>,
    ) {
        let days = match body.start {
            Moment::Day(_) => Days::Whole,
            Moment::At(..) => Days::Parts,
        };
        let too_much = |message: &str| Finding::new(FindingKind::TooMuch, &version.title, message);
        self.work.next_event();
        let except: HashSet<Which> = body
            .except
            .iter()
            .chain(replaced.iter().copied())
            .filter_map(|moment| Which::of_event(moment, days))
            .collect();
        // The occurrences are keyed by their beginning, so that one that is given twice counts once.
        let mut found: BTreeMap<Timestamp, Timestamp> = BTreeMap::new();
        let regular = match self.regular_starts(version, body, days) {
            Some(regular) => regular.into_iter().map(|start| (start, body.length)),
            None => {
                return self
                    .findings
                    .add(too_much("its rules recur too often or take too long to follow, it is left out"));
            }
        };
        let added = body.more.iter().map(|(start, length)| (start.clone(), length.unwrap_or(body.length)));
        for (start, length) in regular.chain(added) {
            if !self.work.occurrence() {
                return self.findings.add(too_much("it has too many occurrences and is left out"));
            }
            let Some((from, to)) = lasts(&start, length, &self.schedule) else {
                doubts.push(Finding::new(
                    FindingKind::Time,
                    &version.title,
                    "an occurrence is too far away in time",
                ));
                continue;
            };
            let overlaps = from < to && from < self.span.end && to > self.span.start;
            if overlaps && !is_one_of(&except, &start) {
                found.entry(from).or_insert(to);
            }
        }
        if found.len() > MAX_OCCURRENCES || self.events.len() + found.len() > MAX_ALL_OCCURRENCES {
            return self.findings.add(too_much("it has too many occurrences and is left out"));
        }
        let event = |(from, to)| Event::new(version, &body.names, from, to);
        self.events.extend(found.into_iter().filter_map(event));
    }

    /// The starts by rules that may lie in the span, and the first start. `None` if there are too many.
    fn regular_starts(&mut self, version: &Version, body: &Body, days: Days) -> Option<Vec<Moment>> {
        // Only an event itself recurs, not a change of one occurrence.
        if body.rules.is_empty() || version.replaces.is_some() {
            return Some(vec![body.start.clone()]);
        }
        let zone = match &body.start {
            Moment::Day(_) => self.schedule.clone(),
            Moment::At(_, zone) => zone.clone(),
        };
        // Two days more on either side than any zone's offset needs.
        let reach =
            |local: DateTime, days: i64| local.saturating_add(0.days().try_days(days).unwrap_or_default());
        let window = reach(zone.to_datetime(self.span.start), -body.length.days() - 2)
            ..reach(zone.to_datetime(self.span.end), 2);
        let mut all = Vec::new();
        for rule in &body.rules {
            match starts(rule, &body.start.local(), (days, &zone), &window, &mut self.work) {
                Expansion::Starts(found) => all.extend(found),
                Expansion::TooMuch => return None,
            }
        }
        let moment = |local: DateTime| match days {
            Days::Whole => Moment::Day(local.date()),
            Days::Parts => Moment::At(local, zone.clone()),
        };
        Some(all.into_iter().map(moment).collect())
    }
}

/// The version with the highest sequence. If several have it, the last of them.
fn newest(versions: Vec<Version>, doubts: &mut Vec<Finding>) -> Option<Version> {
    let mut newest: Option<Version> = None;
    for version in versions {
        match &newest {
            Some(known) if known.sequence > version.sequence => {}
            Some(known) => {
                if known.sequence == version.sequence && known.body != version.body {
                    let message = "several events have its UID and SEQUENCE; the last is read";
                    doubts.push(Finding::new(FindingKind::Version, &version.title, message));
                }
                newest = Some(version);
            }
            None => newest = Some(version),
        }
    }
    newest
}

/// Whether an occurrence is one of those.
fn is_one_of(those: &HashSet<Which>, start: &Moment) -> bool {
    match start {
        Moment::Day(date) => those.contains(&Which::Day(*date)),
        Moment::At(local, zone) => {
            // Programs that write a skipped time, or one that comes twice, in UTC do not agree on the instant.
            let both = || {
                let ambiguous = zone.to_ambiguous_timestamp(*local);
                [ambiguous.earlier().ok(), ambiguous.later().ok(), first_instant(*local, zone)]
            };
            let is_meant = |at: Timestamp| those.contains(&Which::Instant(at));
            !those.is_empty()
                && (those.contains(&Which::Day(local.date())) || both().into_iter().flatten().any(is_meant))
        }
    }
}
