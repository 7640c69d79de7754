//! Everything that says who is on call for one team.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{Book, Rota, Target, Team};
use crate::model::TeamName;

/// Everything that says who is on call for a team in a span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Directory {
    team: TeamName,
    own: TeamPart,
    /// The teams that targets lead to.
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

/// Whether a team is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has settings, a calendar entry, a schedule or a service.
    Known,
    /// It has none of them.
    Unknown,
}

impl TeamPart {
    /// A team that is not known.
    pub fn unknown() -> Self {
        Self { settings: None, days: BTreeMap::new(), standing: Standing::Unknown }
    }

    fn targets(&self) -> impl Iterator<Item = &Target> {
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

    /// Adds a team that targets lead to.
    pub fn add(&mut self, team: TeamName, part: TeamPart) {
        if team != self.team {
            self.others.insert(team, part);
        }
    }

    /// The teams that targets lead to and that the directory does not hold yet. Adding one may lead to more.
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
        // The most rosters name only people and contacts, and end here.
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

    /// What the directory holds of a team that targets lead to, or of its own.
    pub fn part(&self, team: &TeamName) -> Option<&TeamPart> {
        if *team == self.team { Some(&self.own) } else { self.others.get(team) }
    }

    /// People and schedules.
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }
}

/// The first and the last calendar day that some zone has between `from` and `to`.
pub fn days_of(from: DateTime<Utc>, to: DateTime<Utc>) -> (NaiveDate, NaiveDate) {
    // No zone is more than a day from UTC.
    let (first, last) = (from.date_naive(), to.date_naive());
    let day = Days::new(1);
    (
        first.checked_sub_days(day).unwrap_or(NaiveDate::MIN),
        last.checked_add_days(day).unwrap_or(NaiveDate::MAX),
    )
}
