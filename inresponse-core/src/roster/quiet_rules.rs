//! The one pure question of promise 21: until when does a silence or an alert hour hold an incident?

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::shifts::{Clock, Open, WeeklyHours};
use super::subject::Subject;
use super::{Entry, Hours, Silence, Team};
use crate::model::{Quiet, QuietWhy, RulesId, Severity, SilenceId, TeamName, Zone};

/// No incident is judged farther ahead than this. At that time it is judged again.
const HORIZON: TimeDelta = TimeDelta::days(400);
/// The maximum number of times that hours open and close in one judgement. At the next time it is judged again.
const MAX_CHANGES: usize = 5_000;

/// The silences and the alert hours of a whole roster.
#[derive(Debug, Clone, Default)]
pub struct QuietRules {
    silences: Vec<(SilenceId, Arc<Silence>)>,
    hours: BTreeMap<TeamName, AlertHours>,
    id: Option<RulesId>,
}

/// When a team is alerted. A severity without hours is always alerted.
#[derive(Debug, Clone, Serialize)]
struct AlertHours {
    zone: Zone,
    hours: BTreeMap<Severity, Vec<Hours>>,
}

/// Something that holds an incident at times.
struct Holder<'a> {
    why: QuietWhy,
    span: Span<'a>,
}

enum Span<'a> {
    Silence { silence: &'a Silence, weekly: Option<(WeeklyHours, Clock)> },
    OutsideHours { open: WeeklyHours, clock: Clock },
}

impl QuietRules {
    /// Rules by which nothing is ever quiet.
    pub fn none() -> &'static Self {
        static NONE: QuietRules = QuietRules { silences: Vec::new(), hours: BTreeMap::new(), id: None };
        &NONE
    }

    /// The rules of these entries of a roster. Entries of other kinds change nothing.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut rules = Self::default();
        for entry in entries {
            match entry {
                Entry::Silence { id, silence } => rules.silences.push((id, silence)),
                Entry::Team { team, settings } => rules.add_hours(&team, &settings),
                _ => {}
            }
        }
        rules.silences.sort_by(|(one, _), (other, _)| one.cmp(other));
        rules.id = Some(rules.fingerprint());
        rules
    }

    pub(super) fn add_hours(&mut self, team: &TeamName, settings: &Team) {
        if !settings.alert_hours().is_empty() {
            let hours =
                AlertHours { zone: settings.timezone().clone(), hours: settings.alert_hours().clone() };
            self.hours.insert(team.clone(), hours);
        }
    }

    /// Whether nothing is ever quiet.
    pub fn is_empty(&self) -> bool {
        self.silences.is_empty() && self.hours.is_empty()
    }

    /// The id of these rules.
    pub fn id(&self) -> RulesId {
        self.id.unwrap_or(RulesId::NONE)
    }

    /// The silences, in the order of their ids.
    pub fn silences(&self) -> impl Iterator<Item = (&SilenceId, &Silence)> {
        self.silences.iter().map(|(id, silence)| (id, &**silence))
    }

    /// The first bytes of a digest of everything that decides. The same in every process.
    fn fingerprint(&self) -> RulesId {
        if self.is_empty() {
            return RulesId::NONE;
        }
        let mut digest = Sha256::new();
        // Each part is JSON, which shows where it ends.
        let mut add = |part: Result<Vec<u8>, serde_json::Error>| digest.update(part.unwrap_or_default());
        for (id, silence) in &self.silences {
            let decides = (id, silence.matchers(), silence.from(), silence.ends(), silence.weekly());
            add(serde_json::to_vec(&decides));
        }
        self.hours.iter().for_each(|hours| add(serde_json::to_vec(&hours)));
        let mut first = [0; 8];
        first.copy_from_slice(&digest.finalize()[..8]);
        // Neither the id of no rules nor a negative one.
        RulesId::new((i64::from_be_bytes(first) & i64::MAX).max(1))
    }

    /// Until when an incident is quiet, and why: the first instant from `now` on at which nothing holds it. `None` if
    /// nothing holds it now.
    pub fn judge(&self, subject: &Subject<'_>, now: DateTime<Utc>) -> Option<Quiet> {
        if self.is_empty() {
            return None;
        }
        let holders = self.holders(subject, now);
        let horizon = now.checked_add_signed(HORIZON).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let (mut until, mut why) = (now, Vec::new());
        for _ in 0..MAX_CHANGES {
            let mut next = None;
            for holder in &holders {
                let Some(end) = holder.holds(until) else { continue };
                next = next.max(Some(end));
                if why.len() < Quiet::MAX_WHY && !why.contains(&holder.why) {
                    why.push(holder.why.clone());
                }
            }
            match next.filter(|_| until < horizon) {
                Some(end) => until = end,
                None => break,
            }
        }
        (until > now).then(|| Quiet { until: until.min(horizon), why, judged_by: self.id() })
    }

    /// Everything that may hold this incident from `now` on.
    fn holders(&self, subject: &Subject<'_>, now: DateTime<Utc>) -> Vec<Holder<'_>> {
        let mut holders = Vec::new();
        for (id, silence) in &self.silences {
            if silence.ends() <= now || !silence.matches(subject) {
                continue;
            }
            let weekly = silence.weekly().and_then(|weekly| {
                let hours = WeeklyHours::new(std::slice::from_ref(&weekly.hours))?;
                Some((hours, Clock::new(&weekly.timezone, now.timestamp())))
            });
            let why = QuietWhy::Silence(id.clone());
            holders.push(Holder { why, span: Span::Silence { silence, weekly } });
        }
        let of_team = self.hours.get(subject.team);
        let hours = of_team.and_then(|of| Some((of, of.hours.get(&subject.severity)?)));
        if let Some((AlertHours { zone, .. }, hours)) = hours
            && let Some(open) = WeeklyHours::new(hours)
        {
            let why = QuietWhy::AlertHours { team: subject.team.clone(), severity: subject.severity };
            let clock = Clock::new(zone, now.timestamp());
            holders.push(Holder { why, span: Span::OutsideHours { open, clock } });
        }
        holders
    }
}

impl Holder<'_> {
    /// If it holds the incident at an instant, an instant until which it certainly does.
    fn holds(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.span {
            Span::Silence { silence, weekly } => {
                let is_active = silence.from() <= at && at < silence.ends();
                match weekly.as_ref().filter(|_| is_active) {
                    None => is_active.then(|| silence.ends()),
                    Some((hours, clock)) => {
                        let (open, until) = hours.at(clock, at.timestamp());
                        (open == Open::Yes).then(|| instant(until).min(silence.ends()))
                    }
                }
            }
            Span::OutsideHours { open, clock } => {
                let (open, until) = open.at(clock, at.timestamp());
                (open == Open::No).then(|| instant(until))
            }
        }
    }
}

fn instant(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
