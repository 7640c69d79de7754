//! Sends one notice.

use std::time::Duration;

use crate::Engine;
use crate::error::{Chain, Outage};
use crate::feeds;
use crate::model::{Contact, DeliveryId, Outcome, Scheme, TeamName};
use crate::notify::{Alert, Notice};
use crate::roster::{Book, OnDuty, Target, Zone};
use crate::settings::Settings;

use super::plan::CHECKED_DAYS;
use super::row::{Pending, Settled, Span, What};
use super::words::Words;

/// What is needed to send the notices of a team.
pub(super) struct Sender<'a> {
    pub(super) engine: &'a Engine,
    pub(super) settings: &'a dyn Settings,
    pub(super) team: &'a TeamName,
    pub(super) book: &'a Book,
}

impl Sender<'_> {
    /// Makes one attempt to send a notice, and returns within `deadline`.
    pub(super) async fn send(&self, pending: &Pending, deadline: Duration) -> Settled {
        let team = self.team;
        let (contact, notice) = match self.message(pending).await {
            Ok(Some(message)) => message,
            Ok(None) => {
                tracing::info!(%team, notice = pending.id, "a notice is not sent: nobody can get it by mail");
                return Settled::Dropped;
            }
            Err(error) => {
                tracing::warn!(%team, notice = pending.id, error = %Chain::of(&error), "a notice cannot be written yet");
                return Settled::Again;
            }
        };
        let outcome = self.engine.send_notice(&notice, deadline).await;
        let what = outcome.kind().as_str();
        match outcome {
            Outcome::Accepted | Outcome::AcceptedAs(_) => {
                tracing::info!(%team, notice = pending.id, "a notice was sent");
                Settled::Sent
            }
            Outcome::Rejected { reason } => {
                tracing::warn!(%team, notice = pending.id, to = contact.masked(), reason, "a notice was refused");
                Settled::Dropped
            }
            Outcome::Throttled { reason, .. }
            | Outcome::Limited { reason, .. }
            | Outcome::Unavailable { reason }
            | Outcome::Unknown { reason } => {
                tracing::warn!(%team, notice = pending.id, outcome = what, reason, "a notice could not be sent yet");
                Settled::Again
            }
        }
    }

    /// The recipient's address and the message. `None` if the recipient has no mail address, or if there is nothing left
    /// to say.
    async fn message(&self, pending: &Pending) -> Result<Option<(Contact, Alert)>, Outage> {
        let Some(contact) = address(pending, self.book) else { return Ok(None) };
        let zone = zone_of(self.engine, self.team).await?;
        let words = Words { team: self.team, zone: &zone, book: self.book };
        let (notice, page) = match &pending.what {
            What::Begins(span) => (words.begins(span, &self.above(span).await?), "board/oncall"),
            What::DayAhead(span) => (words.day_ahead(span, &self.above(span).await?), "board/oncall"),
            What::OnCall { who, span } => {
                (words.on_call(who, span, &self.above(span).await?), "board/oncall")
            }
            What::Changed { by, added, removed, more } => {
                (words.changed(by, added, removed, *more), "board/oncall")
            }
            What::Findings => {
                let found =
                    feeds::coverage(self.engine, self.settings, Some(self.team), CHECKED_DAYS).await?;
                let found: Vec<_> = found.into_values().flatten().collect();
                if found.is_empty() {
                    return Ok(None);
                }
                (words.findings(&found, CHECKED_DAYS), "board/coverage")
            }
        };
        let alert = self.alert(pending, &contact, notice, page)?;
        Ok(Some((contact, alert)))
    }

    fn alert(&self, pending: &Pending, to: &Contact, notice: Notice, page: &str) -> Result<Alert, Outage> {
        let invalid = |e| Outage::permanent("a notice cannot be written").because(e);
        let id = DeliveryId::read(format!("notice-{}", pending.id)).map_err(invalid)?;
        let alert = Alert::notice(id, to, notice, self.engine.now()).map_err(invalid)?;
        Ok(match self.engine.public_url() {
            Some(url) => alert.with_board_url(format!("{}/{page}", url.trim_end_matches('/'))),
            None => alert,
        })
    }

    /// The people of the next level that is not empty, otherwise the fallback.
    async fn above(&self, span: &Span) -> Result<Vec<OnDuty>, Outage> {
        let at = span.from.max(self.engine.now());
        let Some(explained) = self.engine.explained(self.team, at).await? else { return Ok(Vec::new()) };
        let higher = explained.levels.into_iter().skip(span.level.into()).find(|level| !level.is_empty());
        Ok(higher.unwrap_or(explained.fallback))
    }
}

/// The mail address of a person, or the contact itself. Only the team's channel may be another contact than a mail address.
fn address(pending: &Pending, book: &Book) -> Option<Contact> {
    match (&pending.to, &pending.what) {
        (Target::Person(person), _) => book.person(person)?.mail().cloned(),
        (Target::Contact(contact), What::OnCall { .. }) => Some(contact.clone()),
        (Target::Contact(contact), _) => {
            Some(contact.clone()).filter(|contact| contact.scheme() == Scheme::mailto().as_str())
        }
        (Target::Schedule { .. } | Target::Team(_), _) => None,
    }
}

async fn zone_of(engine: &Engine, team: &TeamName) -> Result<Zone, Outage> {
    let directory = engine.roster().directory(team, engine.now(), engine.now()).await?;
    Ok(directory.settings().map_or_else(Zone::utc, |settings| settings.timezone().clone()))
}
