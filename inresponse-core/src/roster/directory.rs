//! Everything that says who is on call for one team.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{Book, Rota, Target, Team};
use crate::model::TeamName;

/// Everything that decides who is on call for a team in a span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Directory {
    team: TeamName,
    own: TeamPart,
    /// The other teams to which targets lead.
    others: BTreeMap<TeamName, TeamPart>,
    book: Arc<Book>,
}

/// What a directory holds of one team.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamPart {
    /// The team's settings, if it has its own.
    pub settings: Option<Arc<Team>>,
    /// The team's calendar entries of at least the days that [`days_of`] names.
    pub days: BTreeMap<NaiveDate, Arc<Rota>>,
    /// Whether the team is known.
    pub standing: Standing,
}

/// Whether a team is known to the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has settings, a calendar entry, a schedule or a service.
    Known,
    /// The team has no settings, no calendar entry, no schedule and no service.
    Unknown,
}

impl TeamPart {
    /// A team that is not known.
    pub fn unknown() -> Self {
        Self { settings: None, days: BTreeMap::new(), standing: Standing::Unknown }
    }

    /// Everybody whom the settings and the calendar entries name.
    pub(super) fn targets(&self) -> impl Iterator<Item = &Target> {
        let settings = self.settings.iter().flat_map(|team| team.targets());
        settings.chain(self.days.values().flat_map(|rota| rota.targets()))
    }
}

impl Directory {
    /// A directory for `team` alone. If [`teams_to_read`](Self::teams_to_read) names others, they must be
    /// [added](Self::add).
    pub fn new(team: TeamName, own: TeamPart, book: Arc<Book>) -> Self {
        Self { team, own, others: BTreeMap::new(), book }
    }

    /// A directory for a team that is not known.
    pub fn unknown(team: TeamName) -> Self {
        Self::new(team, TeamPart::unknown(), Arc::default())
    }

    /// The same directory with other people and schedules. If [`teams_to_read`](Self::teams_to_read) names further
    /// teams, they must be [added](Self::add).
    #[must_use]
    pub fn with_book(&self, book: Book) -> Self {
        Self { book: Arc::new(book), ..self.clone() }
    }

    /// Adds a team to which targets lead.
    pub fn add(&mut self, team: TeamName, part: TeamPart) {
        if team != self.team {
            self.others.insert(team, part);
        }
    }

    /// The teams to which targets lead and that the directory does not contain yet. The targets of an added team may
    /// lead to more.
    pub fn teams_to_read(&self) -> Vec<TeamName> {
        let is_named = |target: &Target| !matches!(target, Target::Contact(_) | Target::Person(_));
        let parts = [(&self.team, &self.own)].into_iter().chain(&self.others);
        let named = parts.flat_map(|(team, part)| {
            part.targets().filter(|target| is_named(target)).map(move |target| (team.clone(), target.clone()))
        });
        // Each of the team's own schedules may be asked about, whether or not a target leads to it.
        let own = self
            .book
            .timetables(&self.team)
            .map(|(name, _)| (self.team.clone(), Target::Schedule { team: None, name: name.clone() }));
        // Most rosters name only people and contacts, so this loop has nothing to do.
        let (mut left, mut seen): (Vec<_>, _) = (named.chain(own).collect(), BTreeSet::new());
        let mut missing = BTreeSet::new();
        while let Some((team, target)) = left.pop() {
            if !seen.insert((team.clone(), target.clone())) {
                continue;
            }
            match target {
                Target::Contact(_) | Target::Person(_) => {}
                Target::Team(other) => {
                    if other != self.team && !self.others.contains_key(&other) {
                        missing.insert(other);
                    }
                }
                Target::Schedule { team: of, name } => {
                    let team = of.unwrap_or(team);
                    let Some(timetable) = self.book.timetable(&team, &name) else { continue };
                    let layers = timetable.schedule().into_iter().flat_map(|schedule| schedule.targets());
                    let overrides = timetable.overrides().values();
                    let overrides = overrides
                        .flat_map(|one| one.oncall().iter().chain(one.instead_of().unwrap_or_default()));
                    let further = layers.chain(overrides).filter(|target| is_named(target));
                    left.extend(further.map(|target| (team.clone(), target.clone())));
                }
            }
        }
        missing.into_iter().collect()
    }

    /// The team.
    pub fn team(&self) -> &TeamName {
        &self.team
    }

    /// The team's settings, if it has its own.
    pub fn settings(&self) -> Option<&Arc<Team>> {
        self.own.settings.as_ref()
    }

    /// The team's calendar entry for a day of the span.
    pub fn day(&self, day: NaiveDate) -> Option<&Arc<Rota>> {
        self.own.days.get(&day)
    }

    /// The team's calendar entries, in order.
    pub fn days(&self) -> impl Iterator<Item = (NaiveDate, &Arc<Rota>)> {
        self.own.days.iter().map(|(day, rota)| (*day, rota))
    }

    /// Whether the team is known.
    pub fn standing(&self) -> Standing {
        self.own.standing
    }

    /// The part of the directory for its own team, or for another team to which targets lead.
    pub fn part(&self, team: &TeamName) -> Option<&TeamPart> {
        if *team == self.team { Some(&self.own) } else { self.others.get(team) }
    }

    /// People and schedules.
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }
}

/// The first and the last calendar day that exists in some time zone between `from` and `to`.
pub fn days_of(from: DateTime<Utc>, to: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    // No zone is more than a day from UTC.
    let (first, last) = (from.date_naive(), to.date_naive());
    let day = Days::new(1);
    (
        first.checked_sub_days(day).unwrap_or(NaiveDate::MIN),
        last.checked_add_days(day).unwrap_or(NaiveDate::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LayerName, OverrideId, ScheduleName};
    use crate::roster::{
        Counting, Entry, Layer, Member, Override, Schedule, TeamLevel, Turn, TurnUnit, Zone,
    };

    fn team(name: &str) -> TeamName {
        TeamName::new(name).unwrap()
    }

    fn targets(texts: &[&str]) -> Vec<Target> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// A team with one level, a fallback, and one day of who is on call and to whom it escalates.
    fn part(level: &[&str], fallback: &[&str], oncall: &[&str], escalation: &[&str]) -> TeamPart {
        let levels = vec![TeamLevel { notify: targets(level), wait: None }];
        let settings = Team::builder(targets(fallback)).levels(levels).build().unwrap();
        let rota = Rota::new(targets(oncall), vec![targets(escalation)]).unwrap();
        let days = [("2026-12-24".parse().unwrap(), Arc::new(rota))].into();
        TeamPart { settings: Some(Arc::new(settings)), days, standing: Standing::Known }
    }

    fn plain() -> TeamPart {
        part(&[], &["last@example.org"], &[], &[])
    }

    fn schedule(of: &str, name: &str, members: &[&str]) -> Entry {
        let layer = Layer {
            name: LayerName::new("all").unwrap(),
            rank: None,
            members: vec![Member::always(targets(members))],
            from: "2026-12-07".parse().unwrap(),
            begins: None,
            until: None,
            turn: Turn { every: 1, unit: TurnUnit::Day, count: Counting::Elapsed },
            hours: Vec::new(),
        };
        let schedule = Schedule::new(Zone::utc(), vec![layer], Vec::new()).unwrap();
        Entry::schedule(&team(of), &ScheduleName::new(name).unwrap(), schedule)
    }

    fn override_of(of: &str, name: &str, oncall: &[&str], instead_of: &[&str]) -> Entry {
        let (from, to) = ("2026-12-07".parse().unwrap(), "2026-12-08".parse().unwrap());
        let one = Override::new(from, to, targets(oncall), Some(targets(instead_of)), None).unwrap();
        Entry::stand_in(&team(of), &ScheduleName::new(name).unwrap(), &OverrideId::new("o").unwrap(), one)
    }

    fn directory(own: TeamPart, entries: Vec<Entry>) -> Directory {
        let mut book = Book::default();
        entries.into_iter().for_each(|entry| book.put(entry));
        Directory::new(team("web"), own, Arc::new(book))
    }

    fn missing(directory: &Directory) -> Vec<String> {
        directory.teams_to_read().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whatever_a_team_names_leads_to_other_teams() {
        let last: &[&str] = &["last@example.org"];
        let cases: [(TeamPart, Vec<Entry>, &[&str]); 10] = [
            (plain(), vec![], &[]),
            (part(&["person:jo", "jo@example.org"], last, &[], &[]), vec![], &[]),
            (
                part(&["team:a"], &["last@example.org", "team:b"], &["team:c"], &["team:d"]),
                vec![],
                &["a", "b", "c", "d"],
            ),
            // Itself is there already.
            (part(&["team:web"], last, &["team:a", "team:a"], &[]), vec![], &["a"]),
            (
                part(&["schedule:x"], last, &[], &[]),
                vec![schedule("web", "x", &["team:a", "jo@example.org"])],
                &["a"],
            ),
            // A schedule without a team is one of the team that names it. The team's own schedules count too.
            (
                part(&["schedule:ops/x"], last, &[], &[]),
                vec![
                    schedule("ops", "x", &["schedule:y"]),
                    schedule("ops", "y", &["team:a"]),
                    schedule("web", "y", &["team:b"]),
                ],
                &["a", "b"],
            ),
            // Overrides name who stands in, and whom they replace.
            (
                part(&[], last, &["schedule:x"], &[]),
                vec![
                    schedule("web", "x", &["jo@example.org"]),
                    override_of("web", "x", &["team:a"], &["team:b"]),
                ],
                &["a", "b"],
            ),
            // Nobody names this schedule, but people look at it.
            (plain(), vec![schedule("web", "x", &["team:a"])], &["a"]),
            (part(&["schedule:gone", "schedule:ops/gone"], last, &[], &[]), vec![], &[]),
            // A circle, which two processes may have made at once, ends.
            (
                part(&["schedule:x"], last, &[], &[]),
                vec![schedule("web", "x", &["schedule:y"]), schedule("web", "y", &["schedule:x", "team:a"])],
                &["a"],
            ),
        ];
        for (own, entries, expected) in cases {
            let directory = directory(own, entries);
            assert_eq!(missing(&directory), expected, "{directory:#?}");
        }
    }

    #[test]
    fn a_team_that_was_added_leads_on() {
        let entries = vec![schedule("a", "x", &["team:c"]), schedule("web", "x", &["team:d"])];
        let own = part(&["team:a"], &["last@example.org", "team:b"], &[], &[]);
        let mut directory = directory(own.clone(), entries);
        assert_eq!(missing(&directory), ["a", "b", "d"]);
        directory.add(team("d"), TeamPart::unknown());
        // Its schedule is its own.
        directory.add(team("a"), part(&["schedule:x"], &["last@example.org"], &[], &[]));
        assert_eq!(missing(&directory), ["b", "c"]);
        directory.add(team("b"), TeamPart::unknown());
        directory.add(team("c"), part(&["team:a", "team:web"], &["last@example.org"], &[], &[]));
        assert_eq!(missing(&directory), Vec::<String>::new());
        directory.add(team("web"), plain());
        assert_eq!(directory.part(&team("web")), Some(&own), "its own part stays");
        assert_eq!(directory.part(&team("b")), Some(&TeamPart::unknown()));
        assert_eq!(directory.part(&team("z")), None);
    }
}
