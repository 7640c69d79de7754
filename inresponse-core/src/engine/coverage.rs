//! The coverage check: what is missing or odd in the roster.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::lookup::{AT_ONCE, Lookup};
use crate::error::Outage;
use crate::model::{Contact, TeamName};
use crate::notify::{LastTest, Notifiers};
use crate::roster::{self, Finding, FindingKind, Standing, Ways};

/// See [`Engine::coverage`](super::Engine::coverage).
pub(super) async fn coverage(
    lookup: &Lookup,
    notifiers: &Notifiers,
    team: Option<&TeamName>,
    days: u16,
) -> Result<BTreeMap<TeamName, Vec<Finding>>, Outage> {
    lookup.roster.refresh().await?;
    let teams = match team {
        Some(team) => vec![team.clone()],
        None => lookup.teams().await?,
    };
    let now = crate::clock::to_micros(lookup.clocks.now());
    let to = now + TimeDelta::days(i64::from(days));
    let unproved = &unproved(lookup, notifiers).await?;
    let failures = &failures(lookup, notifiers).await?;
    let spent = &notifiers.spent().await?;
    let teams = teams.into_iter().filter(|name| team.is_some() || name.as_str() != roster::CANARY);
    let found = stream::iter(teams).map(|team| async move {
        let directory = lookup.roster.directory(&team, now, to).await?;
        if directory.standing() == Standing::Unknown {
            return Ok(None);
        }
        let reaches = |contact: &_| notifiers.reach(contact);
        let is_proved = |contact: &Contact| !unproved.contains(contact);
        let failed = |contact: &Contact| failures.get(contact).copied();
        let is_spent = |contact: &Contact| spent.iter().any(|scheme| scheme == contact.scheme());
        let ways = Ways { reaches: &reaches, is_proved: &is_proved, failed: &failed, is_spent: &is_spent };
        let found = roster::coverage(&directory, &lookup.defaults, now, to, ways);
        Ok(Some((team, found)))
    });
    let found = found.buffer_unordered(AT_ONCE).try_filter_map(|found| async move { Ok(found) });
    let mut found: BTreeMap<_, Vec<_>> = found.try_collect().await?;
    for (of, finding) in unknown_in_rules(lookup, team, now).await? {
        found.entry(of).or_default().push(finding);
    }
    Ok(found)
}

/// The teams of routing rules that are not in the roster. Such a rule has no effect.
async fn unknown_in_rules(
    lookup: &Lookup,
    only: Option<&TeamName>,
    now: DateTime<Utc>,
) -> Result<Vec<(TeamName, Finding)>, Outage> {
    let book = lookup.held_book().await?;
    let mut found = Vec::new();
    for rule in book.routes().iter().flat_map(|routes| routes.rules()) {
        let Some(team) = rule.team.as_ref().filter(|team| only.is_none_or(|only| only == *team)) else {
            continue;
        };
        if lookup.people_of(team, now).await?.is_none() {
            let detail = format!("routing rule {} names a team that is not in the roster", rule.name);
            found.push((team.clone(), Finding { kind: FindingKind::UnknownName, span: None, detail }));
        }
    }
    Ok(found)
}

/// The addresses of people at which no carrier has ever accepted a message, of those that a channel carries.
async fn unproved(lookup: &Lookup, notifiers: &Notifiers) -> Result<BTreeSet<Contact>, Outage> {
    let book = lookup.held_book().await?;
    let methods = book.people().values().flat_map(|profile| profile.methods().values());
    let contacts: BTreeSet<Contact> = methods.filter(|contact| notifiers.reach(contact)).cloned().collect();
    let asked = stream::iter(contacts).map(|contact| async move {
        let is_proved = notifiers.has_reached(&contact).await?;
        Ok((!is_proved).then_some(contact))
    });
    asked.buffer_unordered(AT_ONCE).try_filter_map(|found| async move { Ok(found) }).try_collect().await
}

/// The addresses of people of which the last test was not accepted, each with the kind of the outcome.
async fn failures(lookup: &Lookup, notifiers: &Notifiers) -> Result<BTreeMap<Contact, &'static str>, Outage> {
    let book = lookup.held_book().await?;
    let methods = book.people().values().flat_map(|profile| profile.methods().values());
    let contacts: BTreeSet<Contact> = methods.filter(|contact| notifiers.reach(contact)).cloned().collect();
    let asked = stream::iter(contacts).map(|contact| async move {
        let last = notifiers.last_test(&contact).await?.filter(LastTest::has_failed);
        Ok(last.map(|last| (contact, last.outcome.as_str())))
    });
    asked.buffer_unordered(AT_ONCE).try_filter_map(|found| async move { Ok(found) }).try_collect().await
}
