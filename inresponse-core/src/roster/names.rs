//! Checks the names after an edit: no entry in use is deleted, no unknown entry is named, and no names form a circle.
//!
//! Names are judged after all edits of a call. The dates of the entries do not matter.

use std::collections::BTreeSet;

use super::question::{Answers, Question, Refusal};
use super::{Entry, EntryKey, RosterEdit, Target, Team, Was};
use crate::model::TeamName;

/// The names after the edits of one call.
pub(super) struct Names<'a> {
    pub(super) edits: &'a [RosterEdit],
    pub(super) answers: &'a Answers,
}

/// Why the names are not accepted, or not yet.
pub(super) enum Open {
    /// These questions must be answered first.
    Ask(Vec<Question>),
    /// The edits are refused.
    Refused(Box<Refusal>),
}

impl From<Refusal> for Open {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

type Checked<T = ()> = Result<T, Open>;

impl Names<'_> {
    pub(super) fn judge(&self) -> Checked {
        let unread = self.edits.iter().map(|edit| Question::Entry(edit.key()));
        let users = self.deleted().map(|key| Question::Users(key.clone()));
        let parts = self.deleted().filter(|key| matches!(key, EntryKey::Team(_)));
        let parts = parts.map(|key| Question::Parts(key.clone()));
        self.ask(unread.chain(users).chain(parts))?;
        for key in self.deleted() {
            self.is_unused(key)?;
        }
        for entry in self.put() {
            self.names_what_exists(entry)?;
        }
        for entry in self.put() {
            self.leads_nowhere_twice(entry)?;
            self.keeps_fallbacks(entry)?;
        }
        Ok(())
    }

    fn put(&self) -> impl Iterator<Item = &Entry> {
        self.edits.iter().filter_map(|edit| match edit {
            RosterEdit::Put(entry) => Some(entry),
            RosterEdit::Delete(_) => None,
        })
    }

    fn deleted(&self) -> impl Iterator<Item = &EntryKey> {
        self.edits.iter().filter_map(|edit| match edit {
            RosterEdit::Put(_) => None,
            RosterEdit::Delete(key) => Some(key),
        })
    }

    fn is_gone(&self, key: &EntryKey) -> bool {
        self.deleted().any(|deleted| key == deleted || key.is_inside(deleted))
    }

    /// Asks the questions that are not answered yet.
    fn ask(&self, questions: impl IntoIterator<Item = Question>) -> Checked {
        let is_open = |question: &Question| match question {
            Question::Entry(key) => self.answers.found(key).is_none(),
            Question::Users(_) | Question::Parts(_) | Question::OnCallOfDays { .. } => {
                self.answers.listed(question).is_none()
            }
        };
        let open: BTreeSet<_> = questions.into_iter().filter(is_open).collect();
        if open.is_empty() { Ok(()) } else { Err(Open::Ask(open.into_iter().collect())) }
    }

    fn listed(&self, question: Question) -> Checked<&[EntryKey]> {
        match self.answers.listed(&question) {
            Some(keys) => Ok(keys),
            None => Err(Open::Ask(vec![question])),
        }
    }

    /// The entry after the edits.
    fn entry(&self, key: &EntryKey) -> Checked<Option<&Entry>> {
        if let Some(entry) = self.put().find(|entry| entry.key() == *key) {
            return Ok(Some(entry));
        }
        if self.is_gone(key) {
            return Ok(None);
        }
        match self.answers.found(key) {
            Some(Was::Entry(entry)) => Ok(Some(entry)),
            Some(Was::Absent | Was::OnlyParts | Was::Unreadable) => Ok(None),
            None => Err(Open::Ask(vec![Question::Entry(key.clone())])),
        }
    }

    /// Whether the key has an entry after the edits.
    fn exists(&self, key: &EntryKey) -> Checked<bool> {
        if self.put().any(|entry| entry.key() == *key) {
            return Ok(true);
        }
        if self.is_gone(key) {
            return Ok(false);
        }
        match self.answers.found(key) {
            Some(was) => Ok(*was != Was::Absent),
            None => Err(Open::Ask(vec![Question::Entry(key.clone())])),
        }
    }

    /// Checks that no entry uses a deleted one, and that no other team uses a schedule of a deleted team.
    fn is_unused(&self, key: &EntryKey) -> Checked {
        let mut gone = vec![key.clone()];
        if matches!(key, EntryKey::Team(_)) {
            gone.extend(self.listed(Question::Parts(key.clone()))?.iter().cloned());
        }
        self.ask(gone.iter().map(|key| Question::Users(key.clone())))?;
        for gone in gone {
            let stored = self.listed(Question::Users(gone.clone()))?.iter();
            let is_edited = |user: &&EntryKey| self.edits.iter().any(|edit| edit.key() == **user);
            let stored = stored.filter(|user| !is_edited(user) && !self.is_gone(user)).cloned();
            let put = self.put().filter(|entry| entry.uses().contains(&gone)).map(Entry::key);
            if let Some(by) = stored.chain(put).next() {
                return Err(Refusal::InUse { key: gone, by }.into());
            }
        }
        Ok(())
    }

    fn names_what_exists(&self, entry: &Entry) -> Checked {
        let mut named = entry.named();
        // A part of a schedule needs the schedule.
        if let Entry::Override { team, schedule, .. } | Entry::Feed { team, schedule, .. } = entry {
            named.push(EntryKey::Schedule(team.clone(), schedule.clone()));
        }
        if let Entry::Heartbeat { heartbeat, .. } = entry {
            named.push(EntryKey::Service(heartbeat.service().clone()));
        }
        let unread = named.iter().filter(|key| !self.put().any(|entry| entry.key() == **key));
        self.ask(unread.map(|key| Question::Entry(key.clone())))?;
        for key in named {
            if !self.exists(&key)? {
                return Err(Refusal::Unknown { key, by: entry.key() }.into());
            }
        }
        Ok(())
    }

    /// Checks that no schedule and no team leads to itself.
    fn leads_nowhere_twice(&self, entry: &Entry) -> Checked {
        let node = match entry {
            Entry::Service { .. }
            | Entry::Person { .. }
            | Entry::Feed { .. }
            | Entry::Heartbeat { .. }
            | Entry::Silence { .. }
            | Entry::Routes(_) => {
                return Ok(());
            }
            Entry::Team { team, .. } | Entry::Day { team, .. } => EntryKey::Team(team.clone()),
            Entry::Schedule { team, name: schedule, .. } | Entry::Override { team, schedule, .. } => {
                EntryKey::Schedule(team.clone(), schedule.clone())
            }
        };
        // Only an entry that names a schedule or a team can close a circle.
        if entry.named().iter().all(|key| matches!(key, EntryKey::Person(_))) {
            return Ok(());
        }
        let (mut path, mut left) = (vec![node.clone()], vec![self.leads_to(&node)?]);
        let mut seen = BTreeSet::new();
        while let Some(next) = left.last_mut() {
            match next.pop() {
                None => {
                    left.pop();
                    path.pop();
                }
                Some(key) if key == node => return Err(Refusal::Circle(path).into()),
                Some(key) => {
                    if seen.insert(key.clone()) {
                        left.push(self.leads_to(&key)?);
                        path.push(key);
                    }
                }
            }
        }
        Ok(())
    }

    /// The schedules and teams to which a target that names `node` may lead, at any date.
    fn leads_to(&self, node: &EntryKey) -> Checked<Vec<EntryKey>> {
        let leads_on = |key: &EntryKey| matches!(key, EntryKey::Schedule(..) | EntryKey::Team(_));
        let mut keys = Vec::new();
        match node {
            EntryKey::Team(team) => {
                if let Some(Entry::Team { settings, .. }) = self.entry(node)? {
                    keys.extend(level_one(settings).filter_map(|target| EntryKey::named_by(target, team)));
                }
                let edited = self.edits.iter().filter_map(|edit| match edit.key() {
                    EntryKey::Day(of, day) if of == *team => Some(day),
                    _ => None,
                });
                let question = Question::OnCallOfDays { team: team.clone(), apart_from: edited.collect() };
                let stored = self.listed(question)?;
                keys.extend(stored.iter().cloned());
                for entry in self.put() {
                    if let Entry::Day { team: of, rota, .. } = entry
                        && of == team
                    {
                        keys.extend(
                            rota.oncall().iter().filter_map(|target| EntryKey::named_by(target, team)),
                        );
                    }
                }
            }
            EntryKey::Schedule(..) => {
                if let Some(entry) = self.entry(node)? {
                    keys.extend(entry.named());
                }
                let stored = self.listed(Question::Parts(node.clone()))?.to_vec();
                self.ask(stored.iter().filter(|key| !self.is_gone(key)).cloned().map(Question::Entry))?;
                let put = self.put().map(Entry::key).filter(|key| key.is_inside(node));
                for key in stored.into_iter().chain(put) {
                    if let Some(Entry::Override { team, stand_in, .. }) = self.entry(&key)? {
                        keys.extend(
                            stand_in.oncall().iter().filter_map(|target| EntryKey::named_by(target, team)),
                        );
                    }
                }
            }
            EntryKey::Service(_)
            | EntryKey::Day(..)
            | EntryKey::Person(_)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Heartbeat(_)
            | EntryKey::Silence(_)
            | EntryKey::Routes => {}
        }
        keys.retain(leads_on);
        Ok(keys)
    }

    /// Checks that a team's fallback always reaches somebody.
    fn keeps_fallbacks(&self, entry: &Entry) -> Checked {
        match entry {
            Entry::Team { team, settings } => {
                if self.reaches(settings)? {
                    Ok(())
                } else {
                    Err(Refusal::NoFallback(team.clone()).into())
                }
            }
            Entry::Person { person, profile } if profile.methods().is_empty() => {
                let users = self.listed(Question::Users(entry.key()))?;
                let teams: Vec<TeamName> = users
                    .iter()
                    .filter_map(|user| match user {
                        EntryKey::Team(team) => Some(team.clone()),
                        EntryKey::Service(_)
                        | EntryKey::Day(..)
                        | EntryKey::Person(_)
                        | EntryKey::Schedule(..)
                        | EntryKey::Override(..)
                        | EntryKey::Feed(..)
                        | EntryKey::Heartbeat(_)
                        | EntryKey::Silence(_)
                        | EntryKey::Routes => None,
                    })
                    .collect();
                for team in teams {
                    if let Some(Entry::Team { settings, .. }) = self.entry(&EntryKey::Team(team.clone()))?
                        && !self.reaches(settings)?
                    {
                        return Err(Refusal::LastMethod { person: person.clone(), team }.into());
                    }
                }
                Ok(())
            }
            Entry::Service { .. }
            | Entry::Day { .. }
            | Entry::Person { .. }
            | Entry::Schedule { .. }
            | Entry::Override { .. }
            | Entry::Feed { .. }
            | Entry::Heartbeat { .. }
            | Entry::Silence { .. }
            | Entry::Routes(_) => Ok(()),
        }
    }

    fn reaches(&self, settings: &Team) -> Checked<bool> {
        for target in settings.fallback() {
            match target {
                Target::Contact(_) => return Ok(true),
                Target::Person(person) => {
                    let person = self.entry(&EntryKey::Person(person.clone()))?;
                    if matches!(person, Some(Entry::Person { profile, .. }) if !profile.methods().is_empty())
                    {
                        return Ok(true);
                    }
                }
                Target::Schedule { .. } | Target::Team(_) => {}
            }
        }
        Ok(false)
    }
}

/// The people whom `team:NAME` may mean: level 1, otherwise the fallback.
fn level_one(settings: &Team) -> impl Iterator<Item = &Target> {
    let first = settings.levels().first();
    first.into_iter().flat_map(|level| &level.notify).chain(settings.fallback())
}

#[cfg(test)]
mod tests;
