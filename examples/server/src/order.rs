//! Orders the edits that a file needs, so that the roster accepts them one by one.
//!
//! The order is tried on a copy of the roster, by the rules of the roster itself. Every entry that can be put next is
//! put next. If there is none, a new team is put without the entries that it names and that do not exist yet, usually
//! its own schedules. If that does not help, an entry is deleted.

use std::sync::Arc;

use chrono::DateTime;
use inresponse_core::InvalidInput;
use inresponse_core::model::{Person, TeamName};
use inresponse_core::roster::{
    Answers, Effect, Entry, EntryKey, Judged, Question, Refusal, RosterEdit, Snapshot, Target, Team,
    TeamLevel, judge_by,
};

/// The steps, and the edits that are impossible.
#[derive(Debug, Default)]
pub(crate) struct Ordered {
    pub(crate) steps: Vec<Step>,
    /// The entries that the roster would refuse, and why.
    pub(crate) refused: Vec<(EntryKey, Refusal)>,
    /// The roster after all steps.
    pub(crate) after: Snapshot,
}

/// One edit of the roster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Puts an entry.
    Put(Entry),
    /// Puts a new team without some of the entries that it names. The whole team follows.
    PutFirst(Entry),
    /// Deletes an entry.
    Delete(EntryKey),
}

impl Step {
    /// The edit.
    pub(crate) fn edit(&self) -> RosterEdit {
        match self {
            Self::Put(entry) | Self::PutFirst(entry) => RosterEdit::Put(entry.clone()),
            Self::Delete(key) => RosterEdit::Delete(key.clone()),
        }
    }
}

/// Finds the order of `puts` and `deletes` for a roster.
pub(crate) fn order(roster: Snapshot, puts: Vec<Entry>, deletes: Vec<EntryKey>) -> Ordered {
    let mut found = Ordered { after: roster, ..Ordered::default() };
    let (mut puts, mut deletes) = (puts, deletes);
    loop {
        let left = puts.len();
        let mut waiting = Vec::new();
        for place in 0..left {
            let entry = &puts[place];
            let waits = waits_for_its_team(entry, &puts[place..], &waiting, &found.after);
            if waits || found.take(Step::Put(entry.clone())).is_err() {
                waiting.push(entry.clone());
            }
        }
        let is_stuck = waiting.len() == left;
        puts = waiting;
        if !is_stuck {
            continue;
        }
        let first = puts.iter().filter_map(|entry| without_the_unknown(entry, &found.after));
        let first: Vec<Entry> = first.collect();
        if first.into_iter().any(|team| found.take(Step::PutFirst(team)).is_ok()) {
            continue;
        }
        let deleted = deletes.iter().position(|key| found.take(Step::Delete(key.clone())).is_ok());
        match deleted {
            Some(place) => _ = deletes.remove(place),
            None => break,
        }
    }
    let left = puts.into_iter().map(Step::Put).chain(deletes.into_iter().map(Step::Delete));
    for step in left {
        let key = step.edit().key();
        if let Err(Some(refusal)) = found.take(step) {
            found.refused.push((key, *refusal));
        }
    }
    found
}

impl Ordered {
    /// Makes a step if the roster accepts it.
    fn take(&mut self, step: Step) -> Result<(), Option<Box<Refusal>>> {
        let edits = [step.edit()];
        let effects = judged(&self.after, &edits)?;
        self.after.apply(&edits, &effects);
        // An entry that was already deleted with another one needs no step.
        if effects != [Effect::Absent] {
            self.steps.push(step);
        }
        Ok(())
    }
}

/// The effects of the edits on a roster. The error is `None` only if a question could not be answered from the copy.
fn judged(roster: &Snapshot, edits: &[RosterEdit]) -> Result<Vec<Effect>, Option<Box<Refusal>>> {
    // Person and time are only for audit records, which are not kept here.
    let by = Person::new("file").map_err(|_: InvalidInput| None)?;
    let answer = |question: &Question, answers: &mut Answers| {
        roster.answer(question, answers);
        Ok::<_, std::convert::Infallible>(())
    };
    let Ok(judged) = judge_by(&by, DateTime::UNIX_EPOCH, edits, answer);
    match judged {
        Judged::Write { effects, .. } => Ok(effects),
        Judged::Refused(refusal) => Err(Some(Box::new(refusal))),
        Judged::Ask(_) => Err(None),
    }
}

/// Whether the entry belongs to a team that has not been put yet. A day or a schedule alone does not create a team.
fn waits_for_its_team(entry: &Entry, left: &[Entry], waiting: &[Entry], roster: &Snapshot) -> bool {
    let team = match entry {
        Entry::Service { team, .. }
        | Entry::Day { team, .. }
        | Entry::Schedule { team, .. }
        | Entry::Override { team, .. } => EntryKey::Team(team.clone()),
        Entry::Team { .. }
        | Entry::Person { .. }
        | Entry::Feed { .. }
        | Entry::Heartbeat { .. }
        | Entry::Silence { .. }
        | Entry::Routes(_) => {
            return false;
        }
    };
    roster.entry(&team).is_none() && left.iter().chain(waiting).any(|other| other.key() == team)
}

/// A new team without the names that are not in the roster; `None` for everything else.
fn without_the_unknown(entry: &Entry, roster: &Snapshot) -> Option<Entry> {
    let Entry::Team { team, settings } = entry else { return None };
    if roster.entry(&entry.key()).is_some() {
        return None;
    }
    let known = |targets: &[Target]| known(targets, team, roster);
    let level = |level: &TeamLevel| TeamLevel { notify: known(&level.notify), wait: level.wait };
    let mut first = Team::builder(known(settings.fallback()))
        .timezone(settings.timezone().clone())
        .escalate_after(settings.escalate_after())
        .repeat(settings.repeat())
        .levels(settings.levels().iter().map(level).collect());
    for (severity, levels) in settings.alert_levels() {
        first = first.alert_levels(*severity, levels.clone());
    }
    for (severity, hours) in settings.alert_hours() {
        first = first.alert_hours(*severity, hours.clone());
    }
    if let Some(timeout) = settings.claim_timeout() {
        first = first.claim_timeout(timeout);
    }
    if let Some(notices) = settings.shift_notices() {
        first = first.shift_notices(notices.clone());
    }
    let first = first.build().ok()?.owned_by(settings.owner().cloned());
    Some(Entry::Team { team: team.clone(), settings: Arc::new(first) })
}

fn known(targets: &[Target], team: &TeamName, roster: &Snapshot) -> Vec<Target> {
    let is_known =
        |target: &&Target| EntryKey::named_by(target, team).is_none_or(|key| roster.entry(&key).is_some());
    targets.iter().filter(is_known).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{RosterSeed, read_roster};

    fn read(text: &str) -> Vec<Entry> {
        let RosterSeed { entries, .. } = read_roster(text).unwrap();
        entries.into_iter().map(|wanted| wanted.entry).collect()
    }

    /// Checks that a roster accepts every step, and contains the wanted entries at the end.
    fn ordered(roster: &Snapshot, wanted: &[Entry], deletes: Vec<EntryKey>) -> Ordered {
        let found = order(roster.clone(), wanted.to_vec(), deletes.clone());
        assert_eq!(found.refused, [], "{:?}", found.steps);
        let mut played = roster.clone();
        for step in &found.steps {
            let edits = [step.edit()];
            let effects = judged(&played, &edits).unwrap();
            played.apply(&edits, &effects);
        }
        for entry in wanted {
            assert_eq!(played.entry(&entry.key()).as_ref(), Some(entry));
        }
        for key in deletes {
            assert_eq!(played.entry(&key), None);
        }
        assert_eq!(played, found.after);
        found
    }

    const TWO_TEAMS: &str = "
        [roster.people.jo]
        methods = { mail = 'jo@example.org' }
        [roster.services]
        proxy = 'web'
        [roster.teams.web]
        fallback = ['person:jo', 'team:db']
        levels = [{ notify = ['schedule:primary'] }, { notify = ['team:db'] }]
        calendar.'2031-01-01' = { oncall = 'schedule:primary' }
        [roster.teams.web.schedules.primary]
        layers = [{ name = 'a', members = ['person:jo', 'schedule:zulu', 'schedule:db/primary'], from = '2031-01-01', turn = { every = 1, unit = 'week' } }]
        overrides.swap = { from = '2031-01-02', to = '2031-01-03', oncall = 'schedule:zulu' }
        [roster.teams.web.schedules.zulu]
        layers = [{ name = 'a', members = ['person:jo'], from = '2031-01-01', turn = { every = 1, unit = 'week' } }]
        [roster.teams.db]
        fallback = ['db@example.org']
        levels = [{ notify = ['schedule:primary'] }, { notify = ['schedule:web/primary'] }]
        [roster.teams.db.schedules.primary]
        layers = [{ name = 'a', members = ['person:jo'], from = '2031-01-01', turn = { every = 1, unit = 'week' } }]
        ";

    #[test]
    fn teams_whose_levels_name_each_others_schedules_are_put_in_two_steps() {
        let wanted = read(TWO_TEAMS);
        let found = ordered(&Snapshot::default(), &wanted, Vec::new());
        let first = found.steps.iter().filter(|step| matches!(step, Step::PutFirst(_))).count();
        assert_eq!(first, 2, "{:?}", found.steps);
        // The second time, everything is there.
        let again = ordered(&found.after, &wanted, Vec::new());
        assert_eq!(again.steps.len(), wanted.len());
        // And everything can be deleted, in whatever order it is named.
        let keys: Vec<EntryKey> = wanted.iter().map(Entry::key).collect();
        let parts = keys.iter().filter(|key| keys.iter().any(|outer| key.is_inside(outer)));
        let (parts, all): (Vec<_>, Vec<_>) = (parts.cloned().collect(), keys.clone());
        let alone: Vec<_> = all.into_iter().filter(|key| !parts.contains(key)).collect();
        let gone = order(found.after, Vec::new(), alone);
        // The teams still name each other; a file that no longer has them names neither.
        assert!(gone.refused.iter().all(|(_, refusal)| matches!(refusal, Refusal::InUse { .. })));
    }

    #[test]
    fn of_names_that_change_places_the_one_that_frees_the_other_is_put_first() {
        let schedules = |a: &str, b: &str| {
            read(&format!(
                "[roster.people.jo]\nmethods = {{ mail = 'jo@example.org' }}\n\
                 [roster.teams.web]\nfallback = ['ops@example.org']\n\
                 [roster.teams.web.schedules.a]\nlayers = [{{ name = 'x', members = ['{a}'], from = '2031-01-01', turn = {{ every = 1, unit = 'week' }} }}]\n\
                 [roster.teams.web.schedules.b]\nlayers = [{{ name = 'x', members = ['{b}'], from = '2031-01-01', turn = {{ every = 1, unit = 'week' }} }}]\n"
            ))
        };
        let before = ordered(&Snapshot::default(), &schedules("schedule:b", "person:jo"), Vec::new()).after;
        let found = ordered(&before, &schedules("person:jo", "schedule:a"), Vec::new());
        assert!(found.steps.iter().all(|step| matches!(step, Step::Put(_))));
    }

    #[test]
    fn an_entry_is_deleted_before_what_it_would_lead_round_in_a_circle() {
        let text = |members: &str, overrides: &str| {
            format!(
                "[roster.teams.web]\nfallback = ['ops@example.org']\n\
                 [roster.teams.web.schedules.a]\n{overrides}\n\
                 [roster.teams.web.schedules.b]\nlayers = [{{ name = 'x', members = ['{members}'], from = '2031-01-01', turn = {{ every = 1, unit = 'week' }} }}]\n"
            )
        };
        let swap = "overrides.swap = { from = '2031-01-02', to = '2031-01-03', oncall = 'schedule:b' }";
        let old = read(&text("ops@example.org", swap));
        let before = ordered(&Snapshot::default(), &old, Vec::new()).after;
        let swap = old.iter().map(Entry::key).find(|key| matches!(key, EntryKey::Override(..))).unwrap();
        let found = ordered(&before, &read(&text("schedule:a", "")), vec![swap.clone()]);
        assert!(found.steps.contains(&Step::Delete(swap)));
    }

    #[test]
    fn what_leads_round_in_a_circle_and_what_is_unknown_is_refused_by_its_name() {
        let refused = |text: &str| {
            let found = order(Snapshot::default(), read(text), Vec::new());
            found.refused.into_iter().map(|(key, refusal)| (key.to_string(), refusal)).collect::<Vec<_>>()
        };
        let circle = refused(
            "[roster.teams.web]\nfallback = ['ops@example.org']\nlevels = [{ notify = 'schedule:db/a' }]\n\
             [roster.teams.db]\nfallback = ['ops@example.org']\n\
             [roster.teams.db.schedules.a]\nlayers = [{ name = 'x', members = ['team:web'], from = '2031-01-01', turn = { every = 1, unit = 'week' } }]\n",
        );
        assert!(matches!(&circle[..], [(_, Refusal::Circle(_))]), "{circle:?}");
        let unknown = refused("[roster.teams.web]\nfallback = ['ops@example.org', 'person:jo']\n");
        assert!(matches!(&unknown[..], [(key, Refusal::Unknown { .. })] if key == "team web"), "{unknown:?}");
    }
}
