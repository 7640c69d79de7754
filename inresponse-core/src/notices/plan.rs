//! Says what is due for a team.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};

use super::row::{Row, Span, Tells, What};
use crate::Engine;
use crate::error::Outage;
use crate::feeds;
use crate::model::{Person, TeamName};
use crate::roster::{
    Book, ChangeMark, EntryKey, Stint, Target, What as Changed, Zone, changed_shifts, day_of, notices_due,
};
use crate::settings::Settings;

/// How far ahead changes of shifts are told.
const AHEAD: TimeDelta = TimeDelta::days(60);
/// The maximum number of coming stints of a team that are kept.
const MAX_STINTS: usize = 1_000;
/// What should have been told longer ago than this is not told any more.
const LATEST: TimeDelta = TimeDelta::days(7);
/// Of a team that is seen for the first time, shifts are told that began within this time.
const FIRST: TimeDelta = TimeDelta::minutes(2);
/// Changes of shifts are not told while a team is new, because it is still being set up.
const NEW: TimeDelta = TimeDelta::hours(1);
/// A team gets its first weekly mail no earlier than this.
const FIRST_CHECK: TimeDelta = TimeDelta::hours(24);
/// The number of days ahead in which the weekly mail looks for findings.
pub(super) const CHECKED_DAYS: u16 = 30;
/// The hour of Monday at which the weekly mail is due, in the team's zone.
const CHECK_HOUR: u32 = 9;
/// The maximum number of changes to the roster that are read to find out who made them.
const MAX_CHANGES: usize = 1_000;
/// The maximum number of times that one notice lists as added, and as removed.
const MAX_SPANS: usize = 10;

/// The roster as it was at the beginning of a look at all teams.
pub(super) struct Roster {
    /// The newest change.
    pub(super) newest: Option<ChangeMark>,
    pub(super) book: Arc<Book>,
}

/// What is asked for what is due.
pub(super) struct Planner<'a> {
    pub(super) engine: &'a Engine,
    pub(super) settings: &'a dyn Settings,
}

impl Planner<'_> {
    /// The row of a team with everything that is due by `now` added to the notices that wait.
    pub(super) async fn planned(
        &self,
        team: &TeamName,
        held: Option<Row>,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Result<Row, Outage> {
        let mut row = match held {
            Some(row) if row.is_full() => return Ok(row),
            Some(row) => row,
            None => {
                let zone = self.settings_of(team, now).await?.0;
                Row::first(now, now - FIRST, check_after(&zone, now + FIRST_CHECK))
            }
        };
        let is_changed = row.seen.as_deref() != roster.newest.as_ref().map(ChangeMark::as_str);
        let is_stale = is_changed || row.resolve_at <= now;
        if is_stale {
            self.resolve_again(team, &mut row, roster, now).await?;
        }
        if row.tells == Tells::Everything {
            self.add_beginnings(team, &mut row, roster, now).await?;
        }
        if is_stale {
            row.told_until = now;
        }
        if row.check_at <= now {
            self.check(team, &mut row, now).await?;
        }
        Ok(row)
    }

    /// The zone of a team, and the shift notices that it sends.
    async fn settings_of(&self, team: &TeamName, now: DateTime<Utc>) -> Result<(Zone, Tells), Outage> {
        let directory = self.engine.roster().directory(team, now, now).await?;
        let settings = directory.settings();
        let tells = match settings.and_then(|settings| settings.shift_notices()) {
            Some(_) => Tells::Everything,
            None => Tells::Changes,
        };
        Ok((settings.map_or_else(Zone::utc, |settings| settings.timezone().clone()), tells))
    }

    /// Resolves the coming stints, and adds a notice for everybody whose shifts somebody else changed.
    async fn resolve_again(
        &self,
        team: &TeamName,
        row: &mut Row,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Result<(), Outage> {
        let (zone, tells) = self.settings_of(team, now).await?;
        let from = match row.tells {
            Tells::Everything => row.told_until.max(now - LATEST),
            // What began while notices were off is not told when they are switched on.
            Tells::Changes => now,
        };
        let (stints, ahead) = self.stints(team, from, now).await?;
        let (known_until, seen) = (now + ahead, roster.newest.as_ref().map(ToString::to_string));
        if row.seen != seen && row.since + NEW <= now {
            let authors = self.authors(team, row.seen.as_deref()).await?;
            let until = row.known_until.min(known_until);
            for change in changed_shifts(&row.stints(), &stints, (now, until), &authors, &roster.book) {
                let spans = |stints: &[Stint]| -> Vec<Span> {
                    stints.iter().take(MAX_SPANS).map(|stint| Span::of(stint, until)).collect()
                };
                let (added, removed) = (spans(&change.added), spans(&change.removed));
                let all = change.added.len() + change.removed.len();
                let more = all - added.len() - removed.len();
                let what = What::Changed { by: authors.clone(), added, removed, more };
                row.push(change.who.into(), what, now);
            }
        }
        (row.tells, row.told_until) = (tells, from);
        (row.seen, row.known_until, row.resolve_at) = (seen, known_until, now + ahead / 60);
        row.keep(&stints, now);
        // The zone may be another one. The next check stays in its week.
        row.check_at = check_after(&zone, row.check_at - TimeDelta::days(3));
        Ok(())
    }

    /// The stints from a second before `from`, and how far ahead of `now` they are known.
    async fn stints(
        &self,
        team: &TeamName,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Stint>, TimeDelta), Outage> {
        let mut ahead = AHEAD;
        loop {
            let mut stints = self.engine.stints(team, from - TimeDelta::seconds(1), now + ahead).await?;
            if stints.len() <= MAX_STINTS || ahead <= TimeDelta::days(2) {
                stints.truncate(MAX_STINTS);
                return Ok((stints, ahead));
            }
            ahead = ahead / 2;
        }
    }

    /// Who changed the roster since a change that was seen: those who changed the team or a person, else everybody.
    async fn authors(&self, team: &TeamName, seen: Option<&str>) -> Result<Vec<Person>, Outage> {
        const PAGE: usize = 100;
        let (mut near, mut far): (Vec<Person>, Vec<Person>) = Default::default();
        let mut before: Option<ChangeMark> = None;
        for _ in 0..MAX_CHANGES / PAGE {
            let page = self.engine.roster().changes(before.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            for (mark, change) in page {
                if seen == Some(mark.as_str()) {
                    return Ok(if near.is_empty() { far } else { near });
                }
                let is_near = match change.what() {
                    Changed::Entry(entry) => match &entry.key {
                        EntryKey::Person(_) => true,
                        key => key.team() == Some(team),
                    },
                    Changed::Text(_) => false,
                };
                let authors = if is_near { &mut near } else { &mut far };
                if !authors.contains(change.by()) {
                    authors.push(change.by().clone());
                }
                before = Some(mark);
            }
            if is_last {
                break;
            }
        }
        Ok(if near.is_empty() { far } else { near })
    }

    /// Adds a notice for every shift that begins, and a day ahead for those who asked.
    async fn add_beginnings(
        &self,
        team: &TeamName,
        row: &mut Row,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Result<(), Outage> {
        let stints = row.stints();
        let from = row.told_until.max(now - LATEST);
        let due = notices_due(&stints, &roster.book, from, now);
        if due.is_empty() {
            return Ok(());
        }
        let directory = self.engine.roster().directory(team, now, now).await?;
        let notices = directory.settings().and_then(|settings| settings.shift_notices().cloned());
        let channel = notices.and_then(|notices| notices.channel).map(Target::Contact);
        for (notice, stint) in due {
            let what = What::of(notice, Span::of(stint, row.known_until));
            if let (Some(channel), What::Begins(span)) = (&channel, &what) {
                let who = Target::from(stint.who.clone());
                row.push(channel.clone(), What::OnCall { who, span: *span }, now);
            }
            row.push(stint.who.clone().into(), what, now);
        }
        row.told_until = now;
        Ok(())
    }

    /// Adds a notice for the people of the fallback if the coverage check finds anything.
    async fn check(&self, team: &TeamName, row: &mut Row, now: DateTime<Utc>) -> Result<(), Outage> {
        let zone = self.settings_of(team, now).await?.0;
        let found = feeds::coverage(self.engine, self.settings, Some(team), CHECKED_DAYS).await?;
        if found.values().any(|findings| !findings.is_empty()) {
            let fallback = self.engine.explained(team, now).await?.map(|explained| explained.fallback);
            for one in fallback.unwrap_or_default() {
                row.push(one.who.into(), What::Findings, now);
            }
        }
        row.check_at = check_after(&zone, now);
        Ok(())
    }
}

/// The first Monday after `at` at nine o'clock in the zone.
pub(super) fn check_after(zone: &Zone, at: DateTime<Utc>) -> DateTime<Utc> {
    let nine = NaiveTime::from_hms_opt(CHECK_HOUR, 0, 0).unwrap_or_default();
    let mondays = day_of(zone, at).iter_days().filter(|day| day.weekday() == Weekday::Mon);
    let due = mondays.map(|day| zone.first_instant(day.and_time(nine))).find(|due| *due > at);
    due.unwrap_or(at + TimeDelta::days(7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weekly_check_is_due_on_monday_at_nine_in_the_teams_zone() {
        let cases = [
            // 7 December 2026 is a Monday.
            ("UTC", "2026-12-07T08:59:59Z", "2026-12-07T09:00:00Z"),
            ("UTC", "2026-12-07T09:00:00Z", "2026-12-14T09:00:00Z"),
            ("Europe/Athens", "2026-12-07T06:59:59Z", "2026-12-07T07:00:00Z"),
            ("Europe/Athens", "2026-12-06T22:00:00Z", "2026-12-07T07:00:00Z"),
            ("America/New_York", "2026-12-07T09:00:00Z", "2026-12-07T14:00:00Z"),
            ("Pacific/Kiritimati", "2026-12-06T18:00:00Z", "2026-12-06T19:00:00Z"),
            // Clocks go forward on 28 March 2027 in Athens.
            ("Europe/Athens", "2027-03-22T07:00:00Z", "2027-03-29T06:00:00Z"),
        ];
        for (zone, at, due) in cases {
            let got = check_after(&Zone::new(zone).unwrap(), at.parse().unwrap());
            assert_eq!(got, due.parse::<DateTime<Utc>>().unwrap(), "{at} in {zone}");
        }
    }
}
