//! The coverage check: what is missing or odd in the roster.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::lookup::{AT_ONCE, Lookup};
use crate::error::Outage;
use crate::model::{Contact, ServiceName, TeamName};
use crate::notify::{LastTest, Notifiers};
use crate::roster::{self, Finding, FindingKind, MatchOp, Silence, Standing, Ways};

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
    let silences = &cut_silences(lookup).await?;
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
        let mut found = roster::coverage(&directory, &lookup.defaults, now, to, ways);
        found.extend(silences.iter().filter(|cut| cut.may_hold(&team)).map(|cut| cut.finding.clone()));
        found.sort_by_key(|finding| finding.kind);
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

/// A silence that is cut before the end that was requested.
struct CutSilence {
    silence: Silence,
    /// The teams that own the services that the silence names by `=`, if it names some.
    owners: Option<Vec<TeamName>>,
    finding: Finding,
}

impl CutSilence {
    /// Whether it can hold an incident of a team, by what it says of teams and services.
    fn may_hold(&self, team: &TeamName) -> bool {
        self.silence
            .matchers()
            .iter()
            .all(|matcher| matcher.name() != "team" || matcher.accepts(team.as_str()))
            && self.owners.as_ref().is_none_or(|owners| owners.contains(team))
    }
}

async fn cut_silences(lookup: &Lookup) -> Result<Vec<CutSilence>, Outage> {
    let rules = lookup.quiet_rules().await?;
    let mut cut = Vec::new();
    for (id, silence) in rules.silences().filter(|(_, silence)| silence.ends() < silence.to()) {
        let named =
            silence.matchers().iter().filter(|one| one.name() == "service" && one.op() == MatchOp::Equal);
        let named: Vec<_> = named.filter_map(|one| ServiceName::new(one.value()).ok()).collect();
        let mut owners = Vec::new();
        for service in &named {
            owners.extend(lookup.roster.service(service).await?);
        }
        let (ends, to) = (silence.ends(), silence.to());
        let detail = format!("silence {id} ends at {}, not at {}", ends.to_rfc3339(), to.to_rfc3339());
        cut.push(CutSilence {
            silence: silence.clone(),
            owners: (!named.is_empty()).then_some(owners),
            finding: Finding { kind: FindingKind::SilenceCut, span: Some((ends, to)), detail },
        });
    }
    Ok(cut)
}
