//! The texts of notices. Times are in the team's zone.

use chrono::{DateTime, Utc};

use super::row::Span;
use crate::feeds;
use crate::model::{Person, PersonId, TeamName};
use crate::notify::Notice;
use crate::roster::{Book, Finding, OnDuty, Target, Zone};

/// The maximum number of findings that a notice lists.
const MAX_FINDINGS: usize = 40;

/// What the texts are about.
pub(super) struct Words<'a> {
    pub(super) team: &'a TeamName,
    pub(super) zone: &'a Zone,
    pub(super) book: &'a Book,
}

impl Words<'_> {
    /// To a person whose shift begins.
    pub(super) fn begins(&self, span: &Span, above: &[OnDuty]) -> Notice {
        let title = match span.to {
            Some(to) => format!("You are on call for {} until {}", self.team, self.time(to)),
            None => format!("You are on call for {}", self.team),
        };
        self.of_shift(title, span, above)
    }

    /// To a person whose shift begins in a day.
    pub(super) fn day_ahead(&self, span: &Span, above: &[OnDuty]) -> Notice {
        self.of_shift(format!("You go on call for {} on {}", self.team, self.time(span.from)), span, above)
    }

    /// To the channel of the team.
    pub(super) fn on_call(&self, who: &Target, span: &Span, above: &[OnDuty]) -> Notice {
        let who = self.name(who);
        let title = match span.to {
            Some(to) => format!("{who} is on call for {} until {}", self.team, self.time(to)),
            None => format!("{who} is on call for {}", self.team),
        };
        self.of_shift(title, span, above)
    }

    fn of_shift(&self, title: String, span: &Span, above: &[OnDuty]) -> Notice {
        let end = match span.to {
            Some(to) => self.time(to),
            None => "not known yet".to_owned(),
        };
        let mut facts = vec![
            ("Team".to_owned(), self.team.to_string()),
            ("Level".to_owned(), span.level.to_string()),
            ("Begins".to_owned(), self.time(span.from)),
            ("Ends".to_owned(), end),
        ];
        if !above.is_empty() {
            let names: Vec<String> = above.iter().map(|one| self.name(&one.who.clone().into())).collect();
            facts.push(("Alerted next".to_owned(), names.join(", ")));
        }
        Notice { title, message: String::new(), facts }
    }

    /// To a person whose coming shifts were changed.
    pub(super) fn changed(&self, by: &[Person], added: &[Span], removed: &[Span], more: usize) -> Notice {
        let by: Vec<String> = by.iter().map(|by| self.person(by)).collect();
        let title = match by.as_slice() {
            [] => format!("Your shifts for {} were changed", self.team),
            by => format!("Your shifts for {} were changed by {}", self.team, by.join(", ")),
        };
        let line = |what: &str, span: &Span| {
            let end = span.to.map_or_else(|| "an end that is not known yet".to_owned(), |to| self.time(to));
            format!("{what}: {} to {end}, level {}", self.time(span.from), span.level)
        };
        let removed = removed.iter().map(|span| line("Removed", span));
        let added = added.iter().map(|span| line("Added", span));
        let more = Some(format!("and {more} more")).filter(|_| more > 0);
        let message = removed.chain(added).chain(more).collect::<Vec<_>>().join("\n");
        Notice { title, message, facts: vec![("Team".to_owned(), self.team.to_string())] }
    }

    /// To the people of the fallback.
    pub(super) fn findings(&self, found: &[Finding], days: u16) -> Notice {
        let title = match found.len() {
            1 => format!("The roster of {} has 1 finding", self.team),
            many => format!("The roster of {} has {many} findings", self.team),
        };
        let line = |finding: &Finding| match finding.span {
            Some((from, to)) => format!("{} ({} to {})", finding.detail, self.time(from), self.time(to)),
            None => finding.detail.clone(),
        };
        let mut lines: Vec<String> = found.iter().take(MAX_FINDINGS).map(line).collect();
        if found.len() > MAX_FINDINGS {
            lines.push(format!("and {} more", found.len() - MAX_FINDINGS));
        }
        let facts = vec![
            ("Team".to_owned(), self.team.to_string()),
            ("Checked".to_owned(), format!("the next {days} days")),
        ];
        Notice { title, message: lines.join("\n"), facts }
    }

    fn time(&self, at: DateTime<Utc>) -> String {
        let local = self.zone.local(at);
        format!("{} {}", local.clock().format("%a %-d %b %Y %H:%M"), local.zone())
    }

    /// The display name of a person, or the text of another target.
    fn name(&self, who: &Target) -> String {
        match who {
            Target::Person(person) => {
                let profile = self.book.person(person);
                profile.and_then(|profile| profile.name()).unwrap_or(person.as_str()).to_owned()
            }
            Target::Contact(_) | Target::Schedule { .. } | Target::Team(_) => who.to_string(),
        }
    }

    /// The display name of a person who changed the roster, or the name of the key.
    fn person(&self, by: &Person) -> String {
        if by.as_str() == feeds::BY {
            return "a calendar feed".to_owned();
        }
        match PersonId::new(self.book.identify(by).as_str()) {
            Ok(person) => self.name(&Target::Person(person)),
            Err(_) => by.to_string(),
        }
    }
}
