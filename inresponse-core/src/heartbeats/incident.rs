//! Creates and resolves the incidents of misses.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::look::Heartbeats;
use super::plan::{Attempt, Event, Then};
use super::row::{Miss, Row};
use crate::engine::{Reported, Updated};
use crate::error::{Chain, InvalidInput, Outage};
use crate::model::{HeartbeatName, IncidentNumber, Note, Person, Report};
use crate::plan::{StateChange, Update};
use crate::roster::Heartbeat;
use crate::store::{ListQuery, Record};
use crate::text::duration;

/// The label with the heartbeat's name.
const NAME: &str = "heartbeat";
/// The label with the number of the miss.
const MISS: &str = "miss";
/// The kind of sender that is recorded.
const SOURCE: &str = "heartbeat";
/// The number of a service's newest incidents that are searched for the incident of a miss.
const SEARCHED: usize = 200;

/// The dedup key of a heartbeat's incidents.
pub(super) fn dedup_key(name: &HeartbeatName) -> String {
    format!("heartbeat:{name}")
}

impl Heartbeats {
    /// Does what follows from a decision. Returns the row after it, if it changed. What fails is logged and done later: the
    /// row says that it is left to do.
    pub(super) async fn carry_out(
        &self,
        name: &HeartbeatName,
        heartbeat: &Heartbeat,
        then: Then,
    ) -> Option<Row> {
        let mut then = then;
        let mut last = None;
        loop {
            let done = match &then {
                Then::Nothing => return last,
                Then::Create(miss, attempt) => self.create(name, heartbeat, miss, *attempt).await,
                Then::Resolve(miss, number) => self.resolve(name, miss, *number).await,
            };
            let stored = match done {
                Ok(event) => self.store(name, heartbeat.span(), event).await,
                Err(error) => Err(error),
            };
            match stored {
                Ok((row, next)) => {
                    self.note(name, heartbeat.span(), &row);
                    last = Some(row);
                    then = next;
                }
                Err(error) => {
                    tracing::error!(heartbeat = %name, error = %Chain::of(&error), "what follows from a miss is done later");
                    return last;
                }
            }
        }
    }

    async fn create(
        &self,
        name: &HeartbeatName,
        heartbeat: &Heartbeat,
        miss: &Miss,
        attempt: Attempt,
    ) -> Result<Event, Outage> {
        let nth = miss.nth();
        let found = match attempt {
            Attempt::First => None,
            // The process that died may have created it, and somebody may have resolved it since.
            Attempt::Again => self.created_before(name, heartbeat, miss).await?,
        };
        let number = match found {
            Some(number) => number,
            None => {
                let report = report(name, heartbeat, miss)
                    .map_err(|e| Outage::permanent("the report of a miss is invalid").because(e))?;
                match self.engine.report(report).await? {
                    Reported::New(record) | Reported::Repeat(record) => record.number(),
                    Reported::UnknownService => {
                        return Err(Outage::retryable("the service of a heartbeat is not in the roster"));
                    }
                }
            }
        };
        tracing::warn!(
            heartbeat = %name,
            incident = number.value(),
            due = %miss.due_at(),
            last_ping = miss.last_ping_at().map(tracing::field::display),
            "a heartbeat was missed"
        );
        metrics::counter!("inresponse_heartbeats_missed_total").increment(1);
        Ok(Event::Created { nth, number })
    }

    /// The incident of a miss, if it exists already.
    async fn created_before(
        &self,
        name: &HeartbeatName,
        heartbeat: &Heartbeat,
        miss: &Miss,
    ) -> Result<Option<IncidentNumber>, Outage> {
        let service = Some(heartbeat.service().clone());
        let query = ListQuery { service, limit: SEARCHED, ..ListQuery::default() };
        let nth = miss.nth().to_string();
        let is_of_miss = |record: &&Record| {
            let label = |label: &str| record.incident.labels().get(label).map(String::as_str);
            label(NAME) == Some(name.as_str()) && label(MISS) == Some(nth.as_str())
        };
        Ok(self.engine.list(&query).await?.iter().find(is_of_miss).map(Record::number))
    }

    async fn resolve(
        &self,
        name: &HeartbeatName,
        miss: &Miss,
        number: IncidentNumber,
    ) -> Result<Event, Outage> {
        let mut update = Update::state(person(name), StateChange::Resolve);
        update.note = miss.ended_at().and_then(|at| Note::new(format!("a ping came at {}", time(at))).ok());
        let updated = match self.engine.get(number).await? {
            // A note on an incident that somebody has resolved says nothing.
            Some(record) if record.incident.state() == crate::model::State::Resolved => None,
            Some(_) => Some(self.engine.update(number, &update).await?),
            None => None,
        };
        match updated {
            Some(Updated::Changed(_)) => {
                tracing::info!(heartbeat = %name, incident = number.value(), "a ping resolved the incident");
            }
            Some(Updated::Refused(_, refusal)) => {
                tracing::warn!(heartbeat = %name, incident = number.value(), ?refusal, "a ping could not resolve the incident");
            }
            Some(Updated::Unchanged(_) | Updated::Absent) | None => {}
        }
        Ok(Event::Resolved { nth: miss.nth() })
    }

    /// Says in the timeline of the open incident of a deleted heartbeat that no ping will resolve it.
    ///
    /// # Errors
    /// The settings or the store are unavailable.
    pub async fn deleted(&self, name: &HeartbeatName) -> Result<(), Outage> {
        self.changed();
        let Some(number) = self.row(name).await?.and_then(|row| row.open_incident()) else { return Ok(()) };
        let is_open = |record: &Record| record.incident.state() != crate::model::State::Resolved;
        let text = format!("heartbeat {name} was deleted, so no ping resolves this incident");
        if let (Some(_), Ok(note)) = (self.engine.get(number).await?.filter(is_open), Note::new(text)) {
            match self.engine.update(number, &Update::note(person(name), note)).await? {
                Updated::Changed(_) | Updated::Unchanged(_) | Updated::Refused(..) | Updated::Absent => {}
            }
        }
        Ok(())
    }
}

fn report(name: &HeartbeatName, heartbeat: &Heartbeat, miss: &Miss) -> Result<Report, InvalidInput> {
    let last = match miss.last_ping_at() {
        Some(at) => format!("The last ping came at {}.", time(at)),
        None => "No ping has ever come.".to_owned(),
    };
    let grace = match heartbeat.grace() {
        Duration::ZERO => String::new(),
        grace => format!(", with {} of grace", duration(grace)),
    };
    let every = duration(heartbeat.every());
    let message = format!(
        "{last} The next one was due at {}: heartbeat {name} must ping every {every}{grace}.\nThe next ping resolves this \
         incident.",
        time(miss.due_at())
    );
    Report::builder(heartbeat.service().as_str(), heartbeat.severity(), heartbeat.title_of_miss(name))
        .message(message)
        .source(SOURCE)
        .detected_at(miss.due_at())
        .dedup_key(dedup_key(name))
        .label(NAME, name.as_str())
        .label(MISS, miss.nth().to_string())
        .build()
}

/// The heartbeat as the one that resolves.
fn person(name: &HeartbeatName) -> Person {
    let named = Person::new(format!("heartbeat {name}"));
    named.or_else(|_| Person::new(SOURCE)).expect("the word is a valid name")
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
