//! The instants at which the answer to the question who is on call for a team may change.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, Utc};

use super::shifts::shifts;
use super::{Defaults, Directory, EntryKey, TeamPart, Zone, day_of};
use crate::model::{ScheduleName, TeamName};

/// `from`, and every instant before `to` at which a day or a shift begins, of the team or of a team or a schedule to which
/// its targets lead.
pub(super) fn instants(
    directory: &Directory,
    defaults: &Defaults,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<DateTime<Utc>> {
    let mut instants = BTreeSet::from([from]);
    let mut schedules: BTreeSet<(TeamName, ScheduleName)> = BTreeSet::new();
    let (mut left, mut seen) = (vec![directory.team().clone()], BTreeSet::new());
    while let Some(team) = left.pop() {
        let Some(part) = directory.part(&team).filter(|_| seen.insert(team.clone())) else { continue };
        let zone = zone_of(part, defaults);
        let (first, last) = (day_of(&zone, from), day_of(&zone, to));
        let days = first.iter_days().take_while(|day| *day <= last);
        instants.extend(days.map(|day| zone.first_instant(day.and_time(NaiveTime::MIN))));
        for target in part.targets() {
            match EntryKey::named_by(target, &team) {
                Some(EntryKey::Schedule(team, name)) => _ = schedules.insert((team, name)),
                Some(EntryKey::Team(other)) => left.push(other),
                Some(_) | None => {}
            }
        }
    }
    for (team, name) in schedules {
        let shifts = shifts(directory, &team, &name, from, to);
        instants.extend(shifts.iter().map(|shift| shift.from));
    }
    instants.into_iter().filter(|at| *at >= from && *at < to).collect()
}

fn zone_of(part: &TeamPart, defaults: &Defaults) -> Zone {
    let settings = part.settings.as_deref().or(defaults.team());
    settings.map_or_else(Zone::utc, |team| team.timezone().clone())
}
