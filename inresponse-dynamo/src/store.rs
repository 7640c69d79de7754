//! Creates, loads and commits incidents.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use chrono::{DateTime, Utc};
use inresponse_core::Outage;
use inresponse_core::model::{DedupKey, IncidentNumber, RulesId, ServiceName, Version};
use inresponse_core::plan::{Draft, Opening};
use inresponse_core::store::{Census, Committed, Created, DueMark, ListQuery, Record, Store};

use crate::call::{Again, bounded, pause, read, write};
use crate::config::DynamoConfig;
use crate::error::{OperationError, failed_its_condition};
use crate::item::{self, Item, columns, number, number_of, open_key, text, text_of};
use crate::write_id::WriteId;

/// The number of the first incident, if there is no counter yet.
const FIRST_NUMBER: u64 = 100_000;
/// The maximum number of times that a create starts again because its dedup key was taken or freed in between.
const MAX_TRIES: u32 = 12;
/// The maximum number of incidents that processes of the previous version may create while they are replaced.
const GIVEN_MEANWHILE: u64 = 1_000;

/// The incidents in DynamoDB. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    pub(crate) client: Client,
    pub(crate) config: DynamoConfig,
    listed_after: Arc<OnceLock<u64>>,
}

/// The result of an attempt to store a new incident.
enum PutNew {
    Done,
    /// Another incident got the dedup key or the number first.
    Taken,
}

impl DynamoStore {
    /// The store in these tables. The client's own retries and time-outs are replaced by the store's.
    pub fn new(client: &Client, config: DynamoConfig) -> Self {
        Self { client: bounded(client), config, listed_after: Arc::default() }
    }

    /// Reads the item of an incident, as last written.
    async fn item(&self, number_of_it: IncidentNumber) -> Result<Option<Item>, Outage> {
        let found = read(&self.client, || {
            self.client
                .get_item()
                .table_name(&self.config.incident)
                .key("incidentId", number(number_of_it.value()))
                .consistent_read(true)
                .send()
        });
        Ok(found.await?.item)
    }

    /// The number of the incident that holds the dedup key.
    async fn holder(&self, key: &str) -> Result<Option<IncidentNumber>, Outage> {
        let found = read(&self.client, || {
            self.client
                .get_item()
                .table_name(&self.config.open_key)
                .key("openKey", text(key))
                .consistent_read(true)
                .send()
        })
        .await?;
        let holder = found.item().map(|item| {
            number_of(item, "incidentId")
                .map(IncidentNumber::new)
                .ok_or_else(|| Outage::permanent("the guard of a dedup key cannot be read"))
        });
        holder.transpose()
    }

    /// Adds to the count of the incident (promise 3), unless the incident no longer holds the key.
    async fn repeat(
        &self,
        holder: IncidentNumber,
        key: &str,
        reported_at: DateTime<Utc>,
    ) -> Result<Option<Record>, Outage> {
        let count = |moves_forward: bool| {
            let (update, condition) = if moves_forward {
                ("SET lastReportedAt = :at ADD #count :one", "openKey = :key AND lastReportedAt < :at")
            } else {
                ("ADD #count :one", "openKey = :key")
            };
            let call = self
                .client
                .update_item()
                .table_name(&self.config.incident)
                .key("incidentId", number(holder.value()))
                .update_expression(update)
                .condition_expression(condition)
                .expression_attribute_names("#count", "count")
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":key", text(key))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            if moves_forward {
                call.expression_attribute_values(":at", number(reported_at.timestamp_micros()))
            } else {
                call
            }
        };
        // A second try would count twice what was counted already, so an unknown result is left unknown.
        let mut counted = write(&self.client, Again::Never, || count(true).send()).await;
        if let Err(failure) = &counted
            && failure.is_condition()
        {
            let holds = |item: &Item| text_of(item, "openKey") == Some(key);
            if !failure.error.as_service_error().and_then(OperationError::found).is_some_and(holds) {
                return Ok(None);
            }
            counted = write(&self.client, Again::Never, || count(false).send()).await;
        }
        match counted {
            Ok(done) => done.attributes().map(item::record).transpose(),
            Err(failure) if failure.is_condition() => Ok(None),
            Err(failure) => Err(failure.into_outage()),
        }
    }

    /// Removes a guard whose incident does not exist or has another key. Only a manual edit of the tables can cause
    /// such a guard, but every report with the guard's key would fail.
    async fn remove_orphan(&self, key: &str, holder: IncidentNumber) -> Result<(), Outage> {
        // The incident was looked at after the guard was read. If the guard is still the same, it did not change
        // hands in between.
        if self.holder(key).await? != Some(holder) {
            return Ok(());
        }
        tracing::warn!(incident = holder.value(), "a dedup key was held by an incident with another key");
        let removed = write(&self.client, Again::Harmless, || {
            self.client
                .delete_item()
                .table_name(&self.config.open_key)
                .key("openKey", text(key))
                .condition_expression("incidentId = :holder")
                .expression_attribute_values(":holder", number(holder.value()))
                .send()
        })
        .await;
        match removed {
            Ok(_) => Ok(()),
            Err(failure) if failure.is_condition() => Ok(()),
            Err(failure) => Err(failure.into_outage()),
        }
    }

    /// Takes a number that was never returned (promise 2). A number that is not used is a gap.
    async fn next_number(&self) -> Result<IncidentNumber, Outage> {
        let counted = write(&self.client, Again::Harmless, || {
            self.client
                .update_item()
                .table_name(&self.config.config)
                .key("configkey", text("incidentId"))
                .update_expression("SET currentId = if_not_exists(currentId, :before) + :one")
                .expression_attribute_values(":before", number(FIRST_NUMBER - 1))
                .expression_attribute_values(":one", number(1))
                .return_values(ReturnValue::UpdatedOld)
                .send()
        })
        .await
        // Nothing but a number is lost if it did happen.
        .map_err(|failure| Outage::retryable("DynamoDB returned no number").because(failure.into_outage()))?;
        let before = match counted.attributes().is_some_and(|item| item.contains_key("currentId")) {
            true => counted.attributes().and_then(|item| number_of(item, "currentId")),
            false => {
                // Everything that there will ever be is in every index.
                self.note_listed_after(0).await?;
                Some(FIRST_NUMBER - 1)
            }
        };
        before
            .map(|before: u64| IncidentNumber::new(before + 1))
            .ok_or_else(|| Outage::permanent("the counter of numbers cannot be read"))
    }

    /// The number after which every incident is in the indexes by team. Earlier incidents are added to these indexes
    /// when they change.
    pub(crate) async fn listed_after(&self) -> Result<u64, Outage> {
        if let Some(last) = self.listed_after.get() {
            return Ok(*last);
        }
        let update = "SET currentId = if_not_exists(currentId, :n)";
        let before = self.update_counter(update, FIRST_NUMBER - 1, ReturnValue::AllOld).await?;
        let last = match (number_of(&before, "listedAfter"), number_of::<u64>(&before, "currentId")) {
            (Some(last), _) => last,
            (None, None) => self.note_listed_after(0).await?,
            // Processes of before may give some more numbers while they are replaced.
            (None, Some(current)) => self.note_listed_after(current + GIVEN_MEANWHILE).await?,
        };
        Ok(*self.listed_after.get_or_init(|| last))
    }

    async fn note_listed_after(&self, last: u64) -> Result<u64, Outage> {
        let update = "SET listedAfter = if_not_exists(listedAfter, :n)";
        let noted = self.update_counter(update, last, ReturnValue::AllNew).await?;
        number_of(&noted, "listedAfter")
            .ok_or_else(|| Outage::permanent("the counter of numbers cannot be read"))
    }

    async fn update_counter(&self, update: &str, n: u64, answer: ReturnValue) -> Result<Item, Outage> {
        let updated = write(&self.client, Again::Harmless, || {
            self.client
                .update_item()
                .table_name(&self.config.config)
                .key("configkey", text("incidentId"))
                .update_expression(update)
                .expression_attribute_values(":n", number(n))
                .return_values(answer.clone())
                .send()
        });
        let updated = updated.await.map_err(|failure| {
            Outage::retryable("DynamoDB cannot say where lists begin").because(failure.into_outage())
        })?;
        Ok(updated.attributes.unwrap_or_default())
    }

    async fn put(&self, draft: &Draft) -> Result<PutNew, Outage> {
        let write_id = WriteId::new();
        let item = item::created(draft, &write_id);
        match draft.open_key() {
            Some(key) => self.put_with_guard(draft.incident().number(), item, open_key(key), &write_id).await,
            None => self.put_alone(item, &write_id).await,
        }
    }

    async fn put_alone(&self, item: Item, write_id: &WriteId) -> Result<PutNew, Outage> {
        let put = write(&self.client, Again::Harmless, || {
            self.client
                .put_item()
                .table_name(&self.config.incident)
                .set_item(Some(item.clone()))
                .condition_expression("attribute_not_exists(incidentId)")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
        })
        .await;
        match put {
            Ok(_) => Ok(PutNew::Done),
            Err(failure) if failure.is_condition() => {
                let found = failure.error.as_service_error().and_then(OperationError::found);
                Ok(if found.is_some_and(|found| is_created_by(found, write_id)) {
                    PutNew::Done
                } else {
                    PutNew::Taken
                })
            }
            Err(failure) => Err(failure.into_outage()),
        }
    }

    /// Writes the incident and the guard of its key, both or none.
    async fn put_with_guard(
        &self,
        number_of_it: IncidentNumber,
        item: Item,
        key: String,
        write_id: &WriteId,
    ) -> Result<PutNew, Outage> {
        let incident = Put::builder()
            .table_name(&self.config.incident)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(incidentId)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(incomplete)?;
        let guard = Put::builder()
            .table_name(&self.config.open_key)
            .item("openKey", text(key))
            .item("incidentId", number(number_of_it.value()))
            .condition_expression("attribute_not_exists(openKey)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(incomplete)?;
        let parts = [
            TransactWriteItem::builder().put(incident).build(),
            TransactWriteItem::builder().put(guard).build(),
        ];
        match self.transact(&parts, write_id).await? {
            Transacted::Done => Ok(PutNew::Done),
            Transacted::Cancelled(found) => {
                let ours = found[0].as_ref().is_some_and(|item| is_created_by(item, write_id));
                Ok(if ours { PutNew::Done } else { PutNew::Taken })
            }
        }
    }

    async fn transact(
        &self,
        parts: &[TransactWriteItem; 2],
        write_id: &WriteId,
    ) -> Result<Transacted, Outage> {
        // The write id is the token too: DynamoDB itself recognises a second try for ten minutes.
        let done = write(&self.client, Again::Harmless, || {
            self.client
                .transact_write_items()
                .set_transact_items(Some(parts.to_vec()))
                .client_request_token(write_id.as_str())
                .send()
        })
        .await;
        match done {
            Ok(_) => Ok(Transacted::Done),
            Err(failure) if failure.is_condition() => {
                let reasons = failure.error.as_service_error().map_or(&[][..], |error| error.reasons());
                let found = |i: usize| {
                    let reason = reasons.get(i).filter(|reason| failed_its_condition(reason))?;
                    Some(reason.item().cloned().unwrap_or_default())
                };
                Ok(Transacted::Cancelled([found(0), found(1)]))
            }
            Err(failure) => Err(failure.into_outage()),
        }
    }

    /// Commits a draft that leaves the guards alone.
    async fn commit_alone(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let write_id = WriteId::new();
        let change = Change::new(version, draft, &write_id);
        let committed = write(&self.client, Again::Harmless, || {
            self.client
                .update_item()
                .table_name(&self.config.incident)
                .key("incidentId", number(draft.incident().number().value()))
                .update_expression(&change.update)
                .condition_expression(Change::CONDITION)
                .set_expression_attribute_names(Some(change.names.clone()))
                .set_expression_attribute_values(Some(change.values.clone()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
        })
        .await;
        match committed {
            Ok(_) => Ok(Committed::At(version.next())),
            Err(failure) if failure.is_condition() => {
                let found = failure.error.as_service_error().and_then(OperationError::found);
                judge(version, found, &write_id, failure.unsure)
            }
            Err(failure) => Err(failure.into_outage()),
        }
    }

    /// Commits a draft that frees its key: it also deletes the guard, unless the guard now belongs to another incident.
    async fn commit_and_free(
        &self,
        version: Version,
        draft: &Draft,
        key: String,
    ) -> Result<Committed, Outage> {
        let write_id = WriteId::new();
        let change = Change::new(version, draft, &write_id);
        let incident = Update::builder()
            .table_name(&self.config.incident)
            .key("incidentId", number(draft.incident().number().value()))
            .update_expression(&change.update)
            .condition_expression(Change::CONDITION)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(incomplete)?;
        let guard = Delete::builder()
            .table_name(&self.config.open_key)
            .key("openKey", text(key))
            .condition_expression("attribute_not_exists(openKey) OR incidentId = :holder")
            .expression_attribute_values(":holder", number(draft.incident().number().value()))
            .build()
            .map_err(incomplete)?;
        let parts = [
            TransactWriteItem::builder().update(incident).build(),
            TransactWriteItem::builder().delete(guard).build(),
        ];
        match self.transact(&parts, &write_id).await? {
            Transacted::Done => Ok(Committed::At(version.next())),
            // For ten minutes, the token shows whether an earlier try of the transaction happened.
            Transacted::Cancelled([Some(found), _]) => judge(version, Some(&found), &write_id, false),
            Transacted::Cancelled([None, _]) => self.commit_alone(version, draft).await,
        }
    }
}

/// The result of a transaction with two parts.
enum Transacted {
    Done,
    /// A condition failed. For each part: the item that was found, if its condition failed (empty if there is none).
    Cancelled([Option<Item>; 2]),
}

/// A commit as an update of the item: all attributes of the draft, if the version has not changed.
struct Change {
    update: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    const CONDITION: &str = "#version = :before";

    fn new(version: Version, draft: &Draft, write_id: &WriteId) -> Self {
        let columns = columns(draft, version.next(), write_id);
        let mut names = HashMap::new();
        let mut values = HashMap::from([(":before".to_owned(), number(version.value()))]);
        let set: Vec<_> = columns.present.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let remove: Vec<_> = columns.absent.iter().map(|name| format!("#{name}")).collect();
        for name in columns.present.iter().map(|(name, _)| name).chain(&columns.absent) {
            names.insert(format!("#{name}"), (*name).to_owned());
        }
        for (name, value) in columns.present {
            values.insert(format!(":{name}"), value);
        }
        let mut update = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            update.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        Self { update, names, values }
    }
}

fn is_ours(found: &Item, write_id: &WriteId) -> bool {
    text_of(found, "writeId") == Some(write_id.as_str())
}

/// Whether that write created the item, even if it was changed since.
fn is_created_by(found: &Item, write_id: &WriteId) -> bool {
    text_of(found, "createId") == Some(write_id.as_str())
}

/// Decides what a failed condition on the version means, from the item that was found.
fn judge(
    before: Version,
    found: Option<&Item>,
    write_id: &WriteId,
    unsure: bool,
) -> Result<Committed, Outage> {
    let Some(found) = found else { return Ok(Committed::Stale) };
    if is_ours(found, write_id) {
        return Ok(Committed::At(before.next()));
    }
    // After an earlier try without an answer, a record that went further than that try would have brought it may
    // have gone through it.
    let version: u64 = number_of(found, "version").unwrap_or_default();
    if unsure && version > before.next().value() {
        return Err(Outage::unknown(
            "the record changed again before it was known whether this commit happened",
        ));
    }
    Ok(Committed::Stale)
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Outage {
    Outage::permanent("a request to DynamoDB is incomplete").because(error)
}

#[async_trait]
impl Store for DynamoStore {
    async fn create(&self, opening: Opening) -> Result<Created, Outage> {
        let reported_at = opening.incident().created_at();
        let key = opening.open_key().map(open_key);
        for tried in 1..=MAX_TRIES {
            if let Some(key) = &key
                && let Some(holder) = self.holder(key).await?
            {
                match self.repeat(holder, key, reported_at).await? {
                    Some(record) => return Ok(Created::Repeat(record)),
                    None => self.remove_orphan(key, holder).await?,
                }
            }
            let draft = opening.clone().numbered(self.next_number().await?);
            match self.put(&draft).await? {
                PutNew::Done => return Ok(Created::New(Record::created(draft.into_incident()))),
                PutNew::Taken => pause(&self.client, tried.min(2)).await,
            }
        }
        Err(Outage::retryable("the dedup key was taken and freed too often"))
    }

    async fn load(&self, number_of_it: IncidentNumber) -> Result<Option<Record>, Outage> {
        self.item(number_of_it).await?.as_ref().map(item::record).transpose()
    }

    async fn find_open(&self, service: &ServiceName, key: &DedupKey) -> Result<Option<Record>, Outage> {
        let key = open_key((service, key));
        let Some(holder) = self.holder(&key).await? else { return Ok(None) };
        // It may have given the key back since the guard was read.
        let found = self.item(holder).await?;
        found.filter(|item| text_of(item, "openKey") == Some(&key)).as_ref().map(item::record).transpose()
    }

    async fn due(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.look_for_due(now, after, limit).await
    }

    async fn ahead(
        &self,
        now: DateTime<Utc>,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.look_ahead(now, after, limit).await
    }

    async fn quiet(
        &self,
        judged_by: RulesId,
        after: Option<DueMark>,
        limit: usize,
    ) -> Result<Vec<Record>, Outage> {
        self.look_for_quiet(judged_by, after, limit).await
    }

    async fn commit(&self, version: Version, draft: &Draft) -> Result<Committed, Outage> {
        let incident = draft.incident();
        match (draft.open_key(), incident.dedup_key()) {
            (None, Some(key)) => {
                self.commit_and_free(version, draft, open_key((incident.service(), key))).await
            }
            (Some(_), _) | (None, None) => self.commit_alone(version, draft).await,
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<Record>, Outage> {
        self.look_through(query).await
    }

    async fn census(&self, waiting_before: DateTime<Utc>) -> Result<Census, Outage> {
        self.count(waiting_before).await
    }
}
