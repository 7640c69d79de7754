//! Tells claimants once a day that they have an incident that is still being reported (promise 22).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::row::{Settled, digest};
use crate::Engine;
use crate::error::{Chain, Outage};
use crate::forgotten;
use crate::model::{Contact, DeliveryId, Outcome, Person, PersonId, Scheme, TeamName, Zone};
use crate::notify::{Alert, Notice};
use crate::plan;
use crate::roster::Book;
use crate::settings::Swapped;
use crate::store::Record;
use crate::text::duration;

use super::run::Notices;

/// How often a team's claims are looked at.
const LOOK_EVERY: TimeDelta = TimeDelta::hours(1);
/// How long after a notice the next one about the same claim is due.
const AGAIN_AFTER: TimeDelta = TimeDelta::days(1);
/// For how long a process has the notices that it took.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// How long after a failed attempt a notice is tried again.
const TRY_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(10);
/// How often a result is recorded again because another process changed the row in between.
const TRIES: usize = 5;

/// The stored row of a team's claims.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    /// When the claims are looked at next.
    look_at: DateTime<Utc>,
    /// The forgotten claims.
    claims: Vec<Claim>,
}

/// A forgotten claim of which the claimant was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claim {
    incident: u64,
    /// When the claim was made. A later claim of the incident is another one.
    since: DateTime<Utc>,
    /// When the claimant is told again.
    due_at: DateTime<Utc>,
    /// The number of the notice, which every attempt of it has.
    notice: u32,
}

impl Row {
    /// An unreadable row counts as missing.
    fn read(stored: Option<&[u8]>) -> Self {
        stored.and_then(|stored| serde_json::from_slice(stored).ok()).unwrap_or_default()
    }

    fn written(&self) -> Result<Vec<u8>, Outage> {
        serde_json::to_vec(self)
            .map_err(|e| Outage::permanent("the row of a team's claims cannot be written").because(e))
    }

    /// Takes the due notices about these claims for this process, and forgets all other claims. Until the lease ends, they
    /// are not due again.
    fn take(&mut self, forgotten: &[(u64, DateTime<Utc>)], now: DateTime<Utc>) -> Vec<Claim> {
        let mut taken = Vec::new();
        let claims = forgotten.iter().map(|(incident, since)| {
            let known = self.claims.iter().find(|claim| (claim.incident, claim.since) == (*incident, *since));
            let mut claim = match known {
                Some(claim) => claim.clone(),
                None => Claim { incident: *incident, since: *since, due_at: now, notice: 1 },
            };
            if claim.due_at <= now {
                claim.due_at = now + LEASE;
                taken.push(claim.clone());
            }
            // A clock may have gone back.
            claim.due_at = claim.due_at.min(now + AGAIN_AFTER);
            claim
        });
        self.claims = claims.collect();
        self.look_again(now);
        taken
    }

    /// Records what came of a notice.
    fn settle(&mut self, taken: &Claim, settled: Settled, now: DateTime<Utc>) {
        let is_this = |claim: &&mut Claim| {
            (claim.incident, claim.since, claim.notice) == (taken.incident, taken.since, taken.notice)
        };
        if let Some(claim) = self.claims.iter_mut().find(is_this) {
            match settled {
                Settled::Sent | Settled::Dropped => {
                    claim.due_at = now + AGAIN_AFTER;
                    claim.notice = claim.notice.saturating_add(1);
                }
                Settled::Again => claim.due_at = now + TRY_AGAIN_AFTER,
            }
        }
        self.look_again(now);
    }

    fn look_again(&mut self, now: DateTime<Utc>) {
        let due = self.claims.iter().map(|claim| claim.due_at).chain([now + LOOK_EVERY]);
        self.look_at = due.min().unwrap_or(now + LOOK_EVERY);
    }
}

impl Notices {
    /// Tells the claimants of a team's forgotten claims, unless another process does.
    pub(super) async fn tell_claimants(&self, team: &TeamName, book: &Book) -> Result<usize, Outage> {
        let key = format!("claims.{}", digest(team.as_str()));
        let stored = self.settings.setting(&key).await?;
        let mut row = Row::read(stored.as_deref());
        let now = crate::clock::to_micros(self.engine.now());
        if row.look_at > now && row.look_at <= now + LOOK_EVERY {
            return Ok(0);
        }
        let records = forgotten::forgotten(&self.engine, Some(team)).await?;
        let claims: Vec<_> = records.iter().filter_map(|record| Some((claim_of(record)?, record))).collect();
        let forgotten: Vec<_> = claims.iter().map(|(claim, _)| *claim).collect();
        let taken = row.take(&forgotten, now);
        match self.settings.swap_setting(&key, stored.as_deref(), &row.written()?).await? {
            Swapped::Changed => return Ok(0),
            Swapped::Done => {}
        }
        let mut sent = 0;
        for claim in taken {
            let record = claims.iter().find(|(one, _)| *one == (claim.incident, claim.since));
            let Some((_, record)) = record else { continue };
            let settled = self.tell(team, book, record, &claim).await;
            sent += usize::from(settled == Settled::Sent);
            self.record_claim(&key, &claim, settled).await?;
        }
        Ok(sent)
    }

    async fn record_claim(&self, key: &str, claim: &Claim, settled: Settled) -> Result<(), Outage> {
        for _ in 0..TRIES {
            let stored = self.settings.setting(key).await?;
            let mut row = Row::read(stored.as_deref());
            row.settle(claim, settled, crate::clock::to_micros(self.engine.now()));
            match self.settings.swap_setting(key, stored.as_deref(), &row.written()?).await? {
                Swapped::Done => return Ok(()),
                Swapped::Changed => {}
            }
        }
        Err(Outage::retryable("others changed the row too often in between"))
    }

    /// Makes one attempt to tell a claimant.
    async fn tell(&self, team: &TeamName, book: &Book, record: &Record, claim: &Claim) -> Settled {
        let incident = record.number().value();
        let Some(to) = record.incident.claimed().and_then(|claimed| address(book, &claimed.by)) else {
            tracing::info!(%team, incident, "an old claim is not reported: the claimant has no mail address");
            return Settled::Dropped;
        };
        let alert = match alert(&self.engine, team, record, claim, &to) {
            Ok(alert) => alert,
            Err(error) => {
                tracing::warn!(%team, incident, error = %Chain::of(&error), "a notice cannot be written");
                return Settled::Dropped;
            }
        };
        match self.engine.send_notice(&alert, Self::DEADLINE).await {
            Outcome::Accepted | Outcome::AcceptedAs(_) => {
                tracing::info!(%team, incident, "the claimant of an old claim was told");
                Settled::Sent
            }
            Outcome::Rejected { reason } => {
                tracing::warn!(%team, incident, reason, "a notice about an old claim was refused");
                Settled::Dropped
            }
            Outcome::Throttled { reason, .. }
            | Outcome::Limited { reason, .. }
            | Outcome::Unavailable { reason }
            | Outcome::Unknown { reason } => {
                tracing::warn!(%team, incident, reason, "a notice about an old claim could not be sent yet");
                Settled::Again
            }
        }
    }
}

/// The number of an incident, and when it was claimed.
fn claim_of(record: &Record) -> Option<(u64, DateTime<Utc>)> {
    Some((record.number().value(), record.incident.claimed()?.at))
}

/// The mail address of a claimant.
fn address(book: &Book, claimant: &Person) -> Option<Contact> {
    let profile = PersonId::new(claimant.as_str()).ok().and_then(|id| book.person(&id).cloned());
    match profile {
        Some(profile) => profile.mail().cloned(),
        None => claimant.contact().filter(|contact| contact.scheme() == Scheme::mailto().as_str()),
    }
}

fn alert(
    engine: &Engine,
    team: &TeamName,
    record: &Record,
    claim: &Claim,
    to: &Contact,
) -> Result<Alert, Outage> {
    let invalid = |e| Outage::permanent("a notice cannot be written").because(e);
    let name = format!("{team}\u{1f}{}\u{1f}{}\u{1f}{}", claim.incident, claim.since, claim.notice);
    let id = DeliveryId::read(format!("notice-{}", digest(&name))).map_err(invalid)?;
    let alert = Alert::notice(id, to, words(record, claim.since, engine.now()), engine.now());
    let alert = alert.map_err(invalid)?;
    Ok(match engine.public_url() {
        Some(url) => {
            alert.with_board_url(format!("{}/board/incidents/{}", url.trim_end_matches('/'), claim.incident))
        }
        None => alert,
    })
}

fn words(record: &Record, since: DateTime<Utc>, now: DateTime<Utc>) -> Notice {
    let incident = &record.incident;
    let (number, zone) = (incident.number(), incident.matrix().zone());
    let time = |zone: &Zone, at: DateTime<Utc>| {
        let local = zone.local(at);
        format!("{} {}", local.clock().format("%a %-d %b %Y %H:%M"), local.zone())
    };
    let had = duration((now - since).to_std().unwrap_or_default());
    let title = format!("You have had incident {number} for {had}, and it is still reported");
    let message = format!(
        "{} {}: {}\nResolve it, release it, or hand it over.",
        incident.severity(),
        incident.service(),
        incident.title()
    );
    let mut facts = vec![
        ("Team".to_owned(), incident.team().to_string()),
        ("Claimed".to_owned(), time(zone, since)),
        (
            "Reported".to_owned(),
            format!("{} times, last {}", record.count, time(zone, record.last_reported_at)),
        ),
    ];
    if let Some(end) = plan::claim_ends_at(incident) {
        facts.push(("Claim ends".to_owned(), time(zone, end)));
    }
    Notice { title, message, facts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p22_a_claimant_is_told_once_a_day_by_one_process_until_the_claim_is_over() {
        let t0: DateTime<Utc> = "2026-12-07T09:00:00Z".parse().unwrap();
        let hours = |n: i64| t0 + TimeDelta::hours(n);
        let claim = (10_001, hours(-24));
        let mut row = Row::read(None);
        let first = row.take(&[claim], t0);
        assert_eq!(first.len(), 1);
        let mut row = Row::read(Some(&row.written().unwrap()));
        assert_eq!(row.take(&[claim], t0 + TimeDelta::minutes(1)), [], "another process has it");
        let mut died = row.clone();
        let again = died.take(&[claim], t0 + LEASE);
        assert_eq!(again.iter().map(|claim| claim.notice).collect::<Vec<_>>(), [1], "the same notice");

        row.settle(&first[0], Settled::Again, t0);
        assert_eq!(row.look_at, t0 + TRY_AGAIN_AFTER);
        row.settle(&first[0], Settled::Sent, t0);
        assert_eq!(row.look_at, hours(1));
        assert_eq!(row.take(&[claim], hours(23)), []);
        assert_eq!(row.take(&[claim], hours(24)).len(), 1);
        // It is not reported any more, and later it is again.
        assert_eq!(row.take(&[], hours(25)), []);
        assert_eq!(row.take(&[claim], hours(26)).len(), 1);
        // Somebody else has it.
        assert_eq!(row.take(&[(10_001, hours(3))], hours(27)).len(), 1);
        assert_eq!(row.claims.len(), 1);
    }

    #[test]
    fn p14_a_notice_is_at_most_a_day_away_after_the_clock_went_back() {
        let t0: DateTime<Utc> = "2026-12-07T09:00:00Z".parse().unwrap();
        let claim = (10_001, t0 - TimeDelta::days(2));
        let mut row = Row::default();
        let taken = row.take(&[claim], t0 + TimeDelta::days(400));
        row.settle(&taken[0], Settled::Sent, t0 + TimeDelta::days(400));
        assert_eq!(row.take(&[claim], t0), []);
        assert_eq!(row.claims[0].due_at, t0 + AGAIN_AFTER);
    }
}
