//! Asks Pushover which pushes were acknowledged: an acknowledgement claims the incident.
//!
//! The incident holds the receipt of its push. Every process calls [`PushoverReceipts::run`]; when a look is due, one of
//! them takes it by a swap of a row in the shared settings. So a receipt is asked for every ten seconds at most; Pushover
//! allows five.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::model::{
    Contact, Delivery, DeliveryId, DeliveryStatus, Incident, IncidentNumber, KeyName, Person, Receipt, State,
};
use inresponse_core::plan::{Answer, AnswerTo, Wanted};
use inresponse_core::settings::{Settings, Swapped};
use inresponse_core::store::{ListQuery, Record};
use inresponse_core::{Chain, Engine, Outage};

use crate::pushover::{Acknowledged, PushoverNotifier};

/// The interval between two looks.
const EVERY: TimeDelta = TimeDelta::seconds(10);
/// The interval at which a process looks whether a look is due.
const LOOK: Duration = Duration::from_secs(5);
/// The name of the row with the time of the next look.
const ROW: &str = "pushover.due";
/// For how long after the last attempt a receipt is asked for: the push has expired by then.
const ASKED_FOR: TimeDelta = TimeDelta::seconds(3600 + 120);
/// The maximum number of receipts that one look asks for, the time limit for each, and the time in which one is begun.
const MOST: usize = 50;
const DEADLINE: Duration = Duration::from_secs(5);
const BEGUN_WITHIN: Duration = Duration::from_secs(10);
/// The maximum number of open, and of claimed, incidents that one look reads.
const READ: usize = 500;
const PAGE: usize = 100;

/// Turns acknowledgements into claims.
#[derive(Debug, Clone)]
pub struct PushoverReceipts {
    engine: Engine,
    settings: Arc<dyn Settings>,
    pushover: PushoverNotifier,
}

/// A push that waits for its acknowledgement.
#[derive(Debug)]
struct Waiting {
    incident: IncidentNumber,
    delivery: DeliveryId,
    receipt: Receipt,
}

impl PushoverReceipts {
    /// Receipts of the engine's incidents. The time of the next look is kept in `settings`.
    pub fn new(engine: Engine, settings: Arc<dyn Settings>, pushover: PushoverNotifier) -> Self {
        Self { engine, settings, pushover }
    }

    /// Looks when it is due, until it is dropped.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.tick().await {
                tracing::warn!(error = %Chain::of(&error), "the receipts of Pushover could not be looked at");
            }
            self.engine.clock().sleep(LOOK).await;
        }
    }

    /// Asks for the receipts of open incidents, if that is due and no other process does it. Returns the number of
    /// claims.
    ///
    /// # Errors
    /// The store or the settings are unavailable.
    pub async fn tick(&self) -> Result<usize, Outage> {
        if !self.takes_the_look().await? {
            return Ok(0);
        }
        let (clock, mut claims) = (self.engine.clock(), 0);
        let began = clock.monotonic();
        for waiting in self.waiting().await? {
            if clock.monotonic().saturating_sub(began) > BEGUN_WITHIN {
                break;
            }
            match self.pushover.acknowledged(&waiting.receipt, DEADLINE).await {
                Ok(Some(acknowledged)) => {
                    match self.engine.answer(waiting.incident, answer(&waiting, acknowledged)).await {
                        Ok(_) => claims += 1,
                        // The next look asks again.
                        Err(error) => {
                            let incident = waiting.incident.value();
                            tracing::warn!(incident, error = %Chain::of(&error), "an acknowledgement could not be taken");
                        }
                    }
                }
                Ok(None) => {}
                Err(outcome) => {
                    let (incident, reason) = (waiting.incident.value(), outcome.reason());
                    tracing::warn!(incident, reason, "a receipt of Pushover could not be read");
                }
            }
        }
        Ok(claims)
    }

    async fn takes_the_look(&self) -> Result<bool, Outage> {
        let stored = self.settings.setting(ROW).await?;
        let now = self.engine.now();
        let due_at = stored.as_deref().and_then(read_time);
        // A due time further ahead than any that is stored comes from a clock that was wrong.
        if due_at.is_some_and(|due_at| due_at > now && due_at <= now + EVERY) {
            return Ok(false);
        }
        let next = (now + EVERY).timestamp_millis().to_string();
        let swapped = self.settings.swap_setting(ROW, stored.as_deref(), next.as_bytes()).await?;
        Ok(swapped == Swapped::Done)
    }

    /// The pushes of the current round that may still be acknowledged.
    async fn waiting(&self) -> Result<Vec<Waiting>, Outage> {
        let mut found = Vec::new();
        for state in [State::Open, State::Claimed] {
            let mut query = ListQuery { state: Some(state), limit: PAGE, ..ListQuery::default() };
            for _ in 0..READ / PAGE {
                let page = self.engine.list(&query).await?;
                page.iter().for_each(|record| found.extend(of(record, self.engine.now())));
                match page.last() {
                    Some(last) if page.len() == PAGE => query.below = Some(last.number()),
                    Some(_) | None => break,
                }
            }
        }
        Ok(turn(found, self.engine.now()))
    }
}

/// The receipts that this look asks for. If there are too many for one look, each is asked for in its turn.
fn turn<T>(mut waiting: Vec<T>, now: DateTime<Utc>) -> Vec<T> {
    if waiting.len() > MOST {
        let look = usize::try_from(now.timestamp() / EVERY.num_seconds()).unwrap_or(0);
        let first = look.wrapping_mul(MOST) % waiting.len();
        waiting.rotate_left(first);
        waiting.truncate(MOST);
    }
    waiting
}

fn read_time(stored: &[u8]) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(std::str::from_utf8(stored).ok()?.parse().ok()?)
}

/// Whether a push of a claimed incident calls somebody in who has not answered.
fn is_called(incident: &Incident, delivery: &Delivery) -> bool {
    let Some(called) = delivery.called() else { return false };
    let is_theirs = |by: &Person| {
        called.people.iter().any(|person| Person::from(person).is(by))
            || incident.is_at(by, delivery.contact())
    };
    !incident.responders().iter().any(|one| is_theirs(&one.by))
}

fn of(record: &Record, now: DateTime<Utc>) -> impl Iterator<Item = Waiting> + '_ {
    let incident = &record.incident;
    let pushes = incident.deliveries().iter().filter(move |delivery| {
        let is_pushed = delivery.contact().scheme() == "pushover" && !delivery.is_status_update();
        let rings = match delivery.status() {
            DeliveryStatus::Accepted { at } => at + ASKED_FOR > now,
            DeliveryStatus::Pending { .. }
            | DeliveryStatus::InFlight { .. }
            | DeliveryStatus::Stopped { .. }
            | DeliveryStatus::Limited { .. }
            | DeliveryStatus::Dead { .. } => false,
        };
        let is_asked = incident.state() == State::Open || is_called(incident, delivery);
        is_pushed && rings && is_asked && delivery.key().round == incident.round()
    });
    pushes.filter_map(|delivery| {
        let receipt = delivery.receipt()?.clone();
        let delivery = incident.delivery_id(delivery.key());
        Some(Waiting { incident: record.number(), delivery, receipt })
    })
}

fn answer(waiting: &Waiting, acknowledged: Acknowledged) -> Answer {
    let from = acknowledged.by.and_then(|key| Contact::new(format!("pushover:{key}")).ok());
    Answer {
        to: AnswerTo::Delivery(waiting.delivery.clone()),
        from,
        account: None,
        wants: Wanted::Claim,
        counts_in: None,
        over: KeyName::channel(&PushoverNotifier::scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_receipt_is_asked_for_in_its_turn_however_many_wait() {
        for waiting in [0, 1, 50, 51, 60, 100, 137, 500] {
            let mut asked = std::collections::BTreeSet::new();
            let t0: DateTime<Utc> = "2026-11-24T03:00:00Z".parse().unwrap();
            for look in 0..20 {
                let chosen = turn((0..waiting).collect(), t0 + EVERY * look);
                assert!(chosen.len() <= MOST);
                asked.extend(chosen);
            }
            assert_eq!(asked.len(), waiting, "{waiting} receipts");
        }
    }
}
