//! Finds what is missing or odd in a team's roster, as a pure function.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};

use super::instants::instants;
use super::shifts::{Shift, Source, Who, shifts};
use super::{
    Defaults, Directory, EntryKey, Explained, OnDuty, Profile, Target, Timetable, Zone, day_of, explain,
};
use crate::model::{Contact, Matrix, MethodName, PersonId, ScheduleName, Severity, TeamName};

/// One thing that is missing or odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is.
    pub kind: FindingKind,
    /// The span in which it is so, if it does not apply to all times.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The finding in one sentence, without addresses.
    pub detail: String,
}

/// The kinds of findings, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Nobody is on call.
    Gap,
    /// Somebody who is named cannot be reached: they have no method, or no channel carries any of their methods.
    NoMethod,
    /// A person's rule uses a method that no channel carries.
    UnreachedMethod,
    /// A round has too many alerts, so the latest steps are left out.
    AlertsCut,
    /// A person has stopped messages by a method.
    StoppedMethod,
    /// The budget of a channel is spent for today, so some of a person's messages are held back.
    BudgetSpent,
    /// The last test message to a person's method was not accepted.
    FailedTest,
    /// A person has not verified a phone number, which may be wrong.
    UnverifiedPhone,
    /// A target names somebody who is not in the roster.
    UnknownName,
    /// A calendar feed could not be read for too long, or was never read.
    StaleFeed,
    /// Something in a calendar feed was not understood, or names nobody in the roster.
    UnreadFeed,
    /// A level other than the first resolves to nobody.
    EmptyLevel,
    /// Somebody has had an incident for more than a day, and it is still being reported.
    ForgottenClaim,
    /// A heartbeat has never pinged.
    SilentHeartbeat,
    /// A silence is cut before the end that was requested.
    SilenceCut,
    /// Two levels in a row are the same people.
    SamePeople,
    /// Only one person is ever on call.
    OnePerson,
    /// A person is on call in two schedules at once.
    TwoPlaces,
    /// A person is on call for most of a day.
    LongHours,
    /// No carrier has ever accepted a message at a person's method.
    Unproved,
    /// An override changes nothing.
    IdleOverride,
    /// A calendar entry for the day hides an override.
    HiddenOverride,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Gap,
        Self::NoMethod,
        Self::UnreachedMethod,
        Self::StoppedMethod,
        Self::BudgetSpent,
        Self::FailedTest,
        Self::UnverifiedPhone,
        Self::AlertsCut,
        Self::UnknownName,
        Self::StaleFeed,
        Self::UnreadFeed,
        Self::EmptyLevel,
        Self::ForgottenClaim,
        Self::SilentHeartbeat,
        Self::SilenceCut,
        Self::SamePeople,
        Self::OnePerson,
        Self::TwoPlaces,
        Self::LongHours,
        Self::Unproved,
        Self::IdleOverride,
        Self::HiddenOverride,
    ];

    /// The word for the kind on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::NoMethod => "noMethod",
            Self::UnreachedMethod => "unreachedMethod",
            Self::AlertsCut => "alertsCut",
            Self::StoppedMethod => "stoppedMethod",
            Self::BudgetSpent => "budgetSpent",
            Self::FailedTest => "failedTest",
            Self::UnverifiedPhone => "unverifiedPhone",
            Self::UnknownName => "unknownName",
            Self::StaleFeed => "staleFeed",
            Self::UnreadFeed => "unreadFeed",
            Self::EmptyLevel => "emptyLevel",
            Self::ForgottenClaim => "forgottenClaim",
            Self::SilentHeartbeat => "silentHeartbeat",
            Self::SilenceCut => "silenceCut",
            Self::SamePeople => "samePeople",
            Self::OnePerson => "onePerson",
            Self::TwoPlaces => "twoPlaces",
            Self::LongHours => "longHours",
            Self::Unproved => "unproved",
            Self::IdleOverride => "idleOverride",
            Self::HiddenOverride => "hiddenOverride",
        }
    }
}

/// The maximum number of findings of one kind for one team. Further findings are left out.
const MAX_OF_A_KIND: usize = 100;
/// A person who is on call for longer than this in one day has long hours.
const LONG: TimeDelta = TimeDelta::hours(16);

/// Finds what is missing or odd for the directory's team from `from` to `to`, the worst first.
///
/// Stale feeds are not found here, because only the
/// caller knows the age of a copy.
pub fn coverage(
    directory: &Directory,
    defaults: &Defaults,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    ways: Ways<'_>,
) -> Vec<Finding> {
    let check = Check { directory, defaults, from, to };
    let mut found = Vec::new();
    check.names(ways, &mut found);
    check.schedules(&mut found);
    check.levels(&mut found);
    found.sort_by_key(|finding: &Finding| (finding.kind, finding.span));
    let mut counts: BTreeMap<FindingKind, usize> = BTreeMap::new();
    found.retain(|finding| {
        let count = counts.entry(finding.kind).or_default();
        *count += 1;
        *count <= MAX_OF_A_KIND
    });
    found
}

/// What is known about the ways to contacts.
#[derive(Clone, Copy)]
pub struct Ways<'a> {
    /// Whether a channel carries messages to a contact.
    pub reaches: &'a dyn Fn(&Contact) -> bool,
    /// Whether a carrier has ever accepted a message for a contact.
    pub is_proved: &'a dyn Fn(&Contact) -> bool,
    /// The kind of the outcome of the last test message to a contact, if it was not accepted.
    pub failed: &'a dyn Fn(&Contact) -> Option<&'static str>,
    /// Whether the budget of a contact's channel is spent for today.
    pub is_spent: &'a dyn Fn(&Contact) -> bool,
}

impl fmt::Debug for Ways<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ways(…)")
    }
}

/// Finds what is wrong with a person's methods.
fn methods(person: &PersonId, profile: &Profile, ways: Ways<'_>, found: &mut Vec<Finding>) {
    found.extend(stopped_methods(person, profile));
    found.extend(unverified_phones(person, profile, ways.reaches));
    if profile.open_methods().any(|(_, contact)| (ways.reaches)(contact)) {
        found.extend(unreached_methods(person, profile, ways.reaches));
    } else {
        let why = if profile.methods().is_empty() {
            "has no method"
        } else if profile.open_methods().next().is_none() {
            "has stopped messages by all their methods"
        } else {
            "has only methods that no configured channel carries"
        };
        found.push(without_time(FindingKind::NoMethod, format!("person {person} {why}")));
    }
    for (name, contact) in profile.open_methods().filter(|(_, contact)| (ways.is_spent)(contact)) {
        let scheme = contact.scheme();
        let detail =
            format!("the budget of `{scheme}` is spent for today: person {person} gets less by {name}");
        found.push(without_time(FindingKind::BudgetSpent, detail));
    }
    for (name, contact) in profile.open_methods() {
        if let Some(outcome) = (ways.failed)(contact) {
            let detail =
                format!("the last test of {name} of person {person} ended as {outcome}: send another");
            found.push(without_time(FindingKind::FailedTest, detail));
        }
    }
    let is_unproved = |contact: &Contact| (ways.reaches)(contact) && !(ways.is_proved)(contact);
    for (name, _) in profile.open_methods().filter(|(_, contact)| is_unproved(contact)) {
        let detail = format!("person {person} never got a message by {name}: send a test");
        found.push(without_time(FindingKind::Unproved, detail));
    }
}

/// When a person is on call, and in which schedule.
type Span<'a> = (DateTime<Utc>, DateTime<Utc>, &'a ScheduleName);

struct Check<'a> {
    directory: &'a Directory,
    defaults: &'a Defaults,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Check<'_> {
    fn team(&self) -> &TeamName {
        self.directory.team()
    }

    /// Everybody whom the team's settings, calendar, schedules and overrides name.
    fn targets(&self) -> Vec<(String, Target)> {
        let mut named = Vec::new();
        let mut add = |place: &str, targets: &mut dyn Iterator<Item = &Target>| {
            named.extend(targets.map(|target| (place.to_owned(), target.clone())));
        };
        if let Some(settings) = self.directory.settings() {
            add("the settings", &mut settings.targets());
        }
        for (day, rota) in self.directory.days() {
            add(&format!("the calendar entry of {day}"), &mut rota.targets());
        }
        for (name, timetable) in self.directory.book().timetables(self.team()) {
            if let Some(schedule) = timetable.schedule() {
                add(&format!("schedule {name}"), &mut schedule.targets());
            }
            for (id, one) in timetable.overrides() {
                let replaced = one.instead_of().unwrap_or_default();
                let place = format!("override {id} of schedule {name}");
                add(&place, &mut one.oncall().iter().chain(replaced));
            }
        }
        named
    }

    fn names(&self, ways: Ways<'_>, found: &mut Vec<Finding>) {
        let book = self.directory.book();
        let (mut told, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        for (place, target) in self.targets() {
            let is_there = match EntryKey::named_by(&target, self.team()) {
                Some(EntryKey::Person(person)) => match book.person(&person) {
                    None => false,
                    Some(profile) => {
                        if told.insert(person.clone()) {
                            methods(&person, profile, ways, found);
                        }
                        true
                    }
                },
                Some(EntryKey::Schedule(team, name)) => book.timetable(&team, &name).is_some(),
                Some(EntryKey::Team(team)) => {
                    self.directory.part(&team).is_some_and(|part| part.standing == super::Standing::Known)
                }
                Some(_) | None => true,
            };
            if !is_there && unknown.insert(target.clone()) {
                let detail = format!("{place} names {target}, who is not in the roster");
                found.push(without_time(FindingKind::UnknownName, detail));
            }
        }
    }

    /// The schedules of the team that no other schedule contains.
    fn outer_schedules(&self) -> Vec<(&ScheduleName, &Timetable)> {
        let book = self.directory.book();
        let inner: BTreeSet<EntryKey> = book
            .schedules()
            .filter_map(|(team, _, timetable)| Some((team, timetable.schedule()?)))
            .flat_map(|(team, schedule)| {
                schedule.targets().filter_map(|target| EntryKey::named_by(target, team)).collect::<Vec<_>>()
            })
            .collect();
        let is_outer =
            |name: &ScheduleName| !inner.contains(&EntryKey::Schedule(self.team().clone(), name.clone()));
        book.timetables(self.team()).filter(|(name, _)| is_outer(name)).collect()
    }

    fn schedules(&self, found: &mut Vec<Finding>) {
        let mut duties: BTreeMap<PersonId, Vec<Span<'_>>> = BTreeMap::new();
        for (name, timetable) in self.outer_schedules() {
            let shifts = shifts(self.directory, self.team(), name, self.from, self.to);
            self.gaps(name, &shifts, found);
            self.overrides(name, timetable, &shifts, found);
            let people: BTreeSet<&Who> = shifts.iter().flat_map(|shift| &shift.oncall).collect();
            if let (1, Some(Who::Person(only))) = (people.len(), people.first()) {
                let detail = format!("only person {only} is ever on call in schedule {name}");
                found.push(without_time(FindingKind::OnePerson, detail));
            }
            for shift in &shifts {
                for who in &shift.oncall {
                    if let Who::Person(person) = who {
                        duties.entry(person.clone()).or_default().push((shift.from, shift.to, name));
                    }
                }
            }
        }
        for (person, mut spans) in duties {
            spans.sort();
            two_places(&person, &spans, found);
            self.long_hours(&person, &spans, found);
        }
    }

    fn gaps(&self, name: &ScheduleName, shifts: &[Shift], found: &mut Vec<Finding>) {
        let mut gap: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
        let mut tell = |span: Option<(DateTime<Utc>, DateTime<Utc>)>| {
            if span.is_some() {
                let detail = format!("nobody is on call in schedule {name}");
                found.push(Finding { kind: FindingKind::Gap, span, detail });
            }
        };
        for shift in shifts {
            match (&mut gap, shift.oncall.is_empty()) {
                (Some((_, end)), true) => *end = shift.to,
                (None, true) => gap = Some((shift.from, shift.to)),
                (open, false) => tell(open.take()),
            }
        }
        tell(gap);
    }

    fn overrides(
        &self,
        name: &ScheduleName,
        timetable: &Timetable,
        shifts: &[Shift],
        found: &mut Vec<Finding>,
    ) {
        let Some(schedule) = timetable.schedule() else { return };
        let zone = self.directory.settings().map_or_else(Zone::utc, |team| team.timezone().clone());
        for (id, one) in timetable.overrides() {
            let (from, to) = one.span(schedule.timezone());
            let (from, to) = (from.max(self.from), to.min(self.to));
            if from >= to {
                continue;
            }
            let source = Source::Override(id.clone());
            let is_effective = shifts
                .iter()
                .any(|shift| shift.from < to && shift.to > from && shift.sources.contains(&source));
            if !is_effective {
                let detail = format!("override {id} of schedule {name} changes nothing");
                found.push(Finding { kind: FindingKind::IdleOverride, span: Some((from, to)), detail });
            }
            let (first, last) = (day_of(&zone, from), day_of(&zone, to - TimeDelta::seconds(1)));
            if let Some(day) = first
                .iter_days()
                .take_while(|day| *day <= last)
                .find(|day| self.directory.day(*day).is_some())
            {
                let detail = format!("the calendar entry of {day} hides override {id} of schedule {name}");
                found.push(Finding { kind: FindingKind::HiddenOverride, span: Some((from, to)), detail });
            }
        }
    }

    fn long_hours(&self, person: &PersonId, spans: &[Span<'_>], found: &mut Vec<Finding>) {
        let book = self.directory.book();
        let zone = book.person(person).map_or_else(Zone::utc, |profile| profile.timezone().clone());
        let mut by_day: BTreeMap<chrono::NaiveDate, TimeDelta> = BTreeMap::new();
        let mut busy_until = DateTime::<Utc>::MIN_UTC;
        for (from, to, _) in spans {
            let mut at = (*from).max(busy_until);
            while at < *to {
                let day = day_of(&zone, at);
                let midnight = day.checked_add_days(Days::new(1)).map(|next| next.and_time(NaiveTime::MIN));
                let next = midnight.map_or(*to, |midnight| zone.first_instant(midnight));
                let end = next.min(*to).max(at + TimeDelta::seconds(1));
                *by_day.entry(day).or_default() += end - at;
                at = end;
            }
            busy_until = busy_until.max(*to);
        }
        let long: Vec<_> = by_day.iter().filter(|(_, hours)| **hours > LONG).map(|(day, _)| *day).collect();
        if let Some(first) = long.first() {
            let detail = format!(
                "person {person} is on call for more than 16 hours on {} days, the first of them {first}",
                long.len()
            );
            found.push(without_time(FindingKind::LongHours, detail));
        }
    }

    /// The levels as they are at every instant at which something may change.
    fn levels(&self, found: &mut Vec<Finding>) {
        let mut open: BTreeMap<(FindingKind, String), (DateTime<Utc>, DateTime<Utc>)> = BTreeMap::new();
        let instants = instants(self.directory, self.defaults, self.from, self.to);
        for (n, at) in instants.iter().enumerate() {
            let until = instants.get(n + 1).copied().unwrap_or(self.to);
            let Some(explained) = explain(self.directory, self.defaults, *at) else { continue };
            for (kind, detail) in odd_levels(&explained) {
                match open.get_mut(&(kind, detail.clone())) {
                    Some((_, end)) if *end == *at => *end = until,
                    Some(span) => {
                        found.push(Finding { kind, span: Some(*span), detail });
                        *span = (*at, until);
                    }
                    None => _ = open.insert((kind, detail), (*at, until)),
                }
            }
        }
        found.extend(open.into_iter().map(|((kind, detail), span)| Finding {
            kind,
            span: Some(span),
            detail,
        }));
    }
}

fn without_time(kind: FindingKind, detail: String) -> Finding {
    Finding { kind, span: None, detail }
}

/// The methods by which a person gets no messages, because they stopped them.
fn stopped_methods(person: &PersonId, profile: &Profile) -> Vec<Finding> {
    let finding = |(method, since): (&MethodName, &DateTime<Utc>)| {
        let since = since.format("%Y-%m-%d");
        let detail = format!("person {person} has stopped messages by {method}, since {since}");
        without_time(FindingKind::StoppedMethod, detail)
    };
    profile.stopped().iter().map(finding).collect()
}

/// The phone numbers that a person has not verified, if a channel could send them a code.
fn unverified_phones(
    person: &PersonId,
    profile: &Profile,
    reaches: &dyn Fn(&Contact) -> bool,
) -> Vec<Finding> {
    let unverified = profile.unverified().filter(|(_, contact)| reaches(contact));
    let finding = |(method, _): (&MethodName, &Contact)| {
        let detail = format!("person {person} has not verified the number of {method}");
        without_time(FindingKind::UnverifiedPhone, detail)
    };
    unverified.map(finding).collect()
}

/// The methods of a person's rules that no channel carries.
fn unreached_methods(
    person: &PersonId,
    profile: &Profile,
    reaches: &dyn Fn(&Contact) -> bool,
) -> Vec<Finding> {
    let mut unreached: BTreeMap<&MethodName, BTreeSet<String>> = BTreeMap::new();
    for (rule, steps) in profile.rules() {
        for method in steps.iter().flat_map(|step| &step.methods) {
            if !profile.methods().get(method).is_some_and(reaches) {
                unreached.entry(method).or_default().insert(rule.to_string());
            }
        }
    }
    let finding = |(method, rules): (&MethodName, BTreeSet<String>)| {
        let rules = rules.into_iter().collect::<Vec<_>>().join(", ");
        let detail = format!(
            "person {person}: the rule for {rules} uses {method}, which no configured channel carries"
        );
        without_time(FindingKind::UnreachedMethod, detail)
    };
    unreached.into_iter().map(finding).collect()
}

fn odd_levels(explained: &Explained) -> Vec<(FindingKind, String)> {
    let mut odd = Vec::new();
    let matrix = &explained.resolved.matrix;
    for severity in Severity::ALL.into_iter().filter(|severity| matrix.cut(*severity) > 0) {
        let (most, cut) = (Matrix::MAX_CONTACTS, matrix.cut(severity));
        let detail =
            format!("a round for {severity} has more than {most} alerts, so the latest {cut} are left out");
        odd.push((FindingKind::AlertsCut, detail));
    }
    let people = |level: &[OnDuty]| level.iter().map(|one| one.who.clone()).collect::<BTreeSet<_>>();
    for (n, level) in explained.levels.iter().enumerate() {
        let number = n + 1;
        if level.is_empty() && explained.resolved.why != super::Why::Fallback {
            let kind = if n == 0 { FindingKind::Gap } else { FindingKind::EmptyLevel };
            odd.push((kind, format!("level {number} is nobody, so the next level is alerted at once")));
        }
        let next = explained.levels.get(n + 1);
        if !level.is_empty() && next.is_some_and(|next| people(next) == people(level)) {
            let detail = format!("levels {number} and {} are the same people", number + 1);
            odd.push((FindingKind::SamePeople, detail));
        }
    }
    odd
}

fn two_places(person: &PersonId, spans: &[Span<'_>], found: &mut Vec<Finding>) {
    let mut told: BTreeSet<(&ScheduleName, &ScheduleName)> = BTreeSet::new();
    for (n, (from, to, schedule)) in spans.iter().enumerate() {
        for (other_from, other_to, other) in &spans[n + 1..] {
            if other_from >= to {
                break;
            }
            let pair = if schedule <= other { (*schedule, *other) } else { (*other, *schedule) };
            if schedule != other && told.insert(pair) {
                let span = Some(((*from).max(*other_from), (*to).min(*other_to)));
                let detail = format!("person {person} is on call in schedules {} and {}", pair.0, pair.1);
                found.push(Finding { kind: FindingKind::TwoPlaces, span, detail });
            }
        }
    }
}
