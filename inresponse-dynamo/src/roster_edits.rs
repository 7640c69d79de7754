//! Edits the roster, each call in one transaction.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, DeleteRequest, Put, TransactWriteItem, Update, WriteRequest,
};
use chrono::{DateTime, Utc};
use inresponse_core::model::Person;
use inresponse_core::roster::{
    Edited, Effect, EntryKey, Judged, Looked, MAX_USERS, RosterChange, RosterEdit, Was, check, judge,
};
use inresponse_core::{Chain, Outage};

use crate::call::{Again, pause, read, write};
use crate::item::{Item, number, text, text_of};
use crate::roster::DynamoRoster;
use crate::roster_items::{entry_of, item_key, item_of, item_of_change, table};
use crate::write_id::WriteId;

/// The maximum number of items in one transaction, a limit of DynamoDB.
const TRANSACTION: usize = 100;
/// The maximum number of items that one batch deletes, a limit of DynamoDB.
const BATCH: usize = 25;
/// The maximum number of times that edits are tried because others changed the roster in between.
const MAX_TRIES: u32 = 20;
/// The key of the item with the roster's version, in the table of counters.
const VERSION: &str = "rosterVersion";

/// The result of a transaction.
enum Transacted {
    /// The transaction was made; this value contains the days of deleted teams that did not fit into the transaction.
    Done(Vec<Item>),
    /// Another process changed the roster first.
    Overtaken,
}

impl DynamoRoster {
    /// Implements [`Roster::apply`](inresponse_core::roster::Roster::apply): the write is conditional on the roster's
    /// version, and is done again if the version has changed.
    pub(crate) async fn edit(
        &self,
        by: &Person,
        at: DateTime<Utc>,
        edits: &[RosterEdit],
    ) -> Result<Edited, Outage> {
        if let Err(refusal) = check(edits) {
            return Ok(Edited::Refused(refusal));
        }
        for tried in 1..=MAX_TRIES {
            // The version first: what is looked at after it is at least as new.
            let version = self.version().await?;
            let mut looked = Vec::with_capacity(edits.len());
            for edit in edits {
                looked.push(self.look(edit).await?);
            }
            let (effects, changes) = match judge(by, at, edits, &looked) {
                Judged::Refused(refusal) => return Ok(Edited::Refused(refusal)),
                Judged::Write { effects, changes } => (effects, changes),
            };
            if changes.is_empty() {
                return Ok(Edited::Done(effects));
            }
            match self.transact(version, edits, &effects, &changes).await? {
                Transacted::Done(rest) => {
                    self.delete_rest(rest).await;
                    return Ok(Edited::Done(effects));
                }
                Transacted::Overtaken => pause(&self.client, tried.min(4)).await,
            }
        }
        Err(Outage::retryable("others changed the roster too often in between"))
    }

    async fn version(&self) -> Result<u64, Outage> {
        let found = read(&self.client, || {
            let get = self.client.get_item().table_name(&self.config.config).consistent_read(true);
            get.key("configkey", text(VERSION)).send()
        });
        match found.await?.item.as_ref().map(|item| item.get("currentId")) {
            None => Ok(0),
            Some(Some(AttributeValue::N(version))) => version
                .parse()
                .map_err(|e| Outage::permanent("the roster's version cannot be read").because(e)),
            Some(_) => Err(Outage::permanent("the roster's version is no number")),
        }
    }

    async fn look(&self, edit: &RosterEdit) -> Result<Looked, Outage> {
        let key = edit.key();
        let was = match self.item(&key).await? {
            Some(item) => entry_of(&key, &item).map_or(Was::Unreadable, Was::Entry),
            None => match &key {
                EntryKey::Team(team) if !self.last_days(team, Some(1)).await?.is_empty() => Was::OnlyParts,
                EntryKey::Service(_) | EntryKey::Team(_) | EntryKey::Day(..) => Was::Absent,
            },
        };
        let users = match edit {
            RosterEdit::Delete(EntryKey::Team(team)) => self.owned_by(team, MAX_USERS).await?,
            RosterEdit::Delete(EntryKey::Service(_) | EntryKey::Day(..)) | RosterEdit::Put(_) => Vec::new(),
        };
        Ok(Looked { was, users })
    }

    /// Writes the edits that change something, their records, and the next version.
    async fn transact(
        &self,
        version: u64,
        edits: &[RosterEdit],
        effects: &[Effect],
        changes: &[RosterChange],
    ) -> Result<Transacted, Outage> {
        let write_id = WriteId::new();
        let mut parts = vec![self.next_version(version, &write_id)?];
        for (nth, change) in changes.iter().enumerate() {
            parts.push(put(&self.config.roster_change, item_of_change(change, write_id.as_str(), nth))?);
        }
        for (edit, effect) in edits.iter().zip(effects) {
            let table = table(&self.config, edit.key().kind());
            match edit {
                _ if !effect.changes() => {}
                RosterEdit::Put(entry) => parts.push(put(table, item_of(entry)?)?),
                RosterEdit::Delete(key) => parts.push(delete(table, item_key(key))?),
            }
        }
        let deleted = edits.iter().zip(effects).filter_map(|(edit, effect)| match (edit, effect) {
            (RosterEdit::Delete(EntryKey::Team(team)), Effect::Deleted) => Some(team),
            (RosterEdit::Put(_) | RosterEdit::Delete(_), _) => None,
        });
        let mut rest = Vec::new();
        for team in deleted {
            // The last days first: what has still to come ends in the same moment as the team.
            let mut days = self.last_days(team, None).await?;
            let left = days.split_off(days.len().min(TRANSACTION.saturating_sub(parts.len())));
            rest.extend(left);
            for day in days {
                parts.push(delete(&self.config.calendar, day)?);
            }
        }
        // The write id is the token too: DynamoDB itself recognises a second try for ten minutes.
        let done = write(&self.client, Again::Harmless, || {
            let call = self.client.transact_write_items().client_request_token(write_id.as_str());
            call.set_transact_items(Some(parts.clone())).send()
        })
        .await;
        match done {
            Ok(_) => Ok(Transacted::Done(rest)),
            Err(failure) if failure.is_condition() => self.overtaken(&write_id, failure.unsure, rest).await,
            Err(failure) => Err(failure.into_outage()),
        }
    }

    fn next_version(&self, version: u64, write_id: &WriteId) -> Result<TransactWriteItem, Outage> {
        let update = Update::builder()
            .table_name(&self.config.config)
            .key("configkey", text(VERSION))
            .update_expression("SET currentId = :next, writeId = :id")
            .expression_attribute_values(":next", number(version + 1))
            .expression_attribute_values(":id", text(write_id.as_str()));
        let update = match version {
            0 => update.condition_expression("attribute_not_exists(configkey)"),
            version => update
                .condition_expression("currentId = :version")
                .expression_attribute_values(":version", number(version)),
        };
        Ok(TransactWriteItem::builder().update(update.build().map_err(incomplete)?).build())
    }

    /// Handles a changed version. After a try with an unknown result, the change may be our own.
    async fn overtaken(
        &self,
        write_id: &WriteId,
        unsure: bool,
        rest: Vec<Item>,
    ) -> Result<Transacted, Outage> {
        if !unsure {
            return Ok(Transacted::Overtaken);
        }
        let found = read(&self.client, || {
            let get = self.client.get_item().table_name(&self.config.config).consistent_read(true);
            get.key("configkey", text(VERSION)).send()
        });
        let found = found.await?.item.unwrap_or_default();
        if text_of(&found, "writeId") == Some(write_id.as_str()) {
            return Ok(Transacted::Done(rest));
        }
        Err(Outage::unknown("an edit of the roster may have been made; others changed the roster since"))
    }

    /// Deletes the remaining days of deleted teams. The teams are gone already; a day that cannot be deleted now counts
    /// as a calendar without a team, which can be deleted again.
    async fn delete_rest(&self, rest: Vec<Item>) {
        for days in rest.chunks(BATCH) {
            if let Err(error) = self.delete_days(days.to_vec()).await {
                tracing::warn!(error = %Chain::of(&error), days = rest.len(), "days of a deleted team are left");
                return;
            }
        }
    }

    /// Deletes these days, at most [`BATCH`].
    async fn delete_days(&self, days: Vec<Item>) -> Result<(), Outage> {
        let request = |day: Item| {
            let delete = DeleteRequest::builder().set_key(Some(day)).build();
            delete.map(|delete| WriteRequest::builder().delete_request(delete).build())
        };
        let mut left: Vec<_> = days.into_iter().map(request).collect::<Result<_, _>>().map_err(incomplete)?;
        for tried in 1..=MAX_TRIES {
            let mut written = write(&self.client, Again::Harmless, || {
                self.client.batch_write_item().request_items(&self.config.calendar, left.clone()).send()
            })
            .await
            .map_err(|failure| failure.into_outage())?;
            let unprocessed = written.unprocessed_items.as_mut();
            match unprocessed.and_then(|tables| tables.remove(&self.config.calendar)) {
                Some(unprocessed) if !unprocessed.is_empty() => left = unprocessed,
                Some(_) | None => return Ok(()),
            }
            pause(&self.client, tried.min(3)).await;
        }
        Err(Outage::retryable("DynamoDB left items out too often"))
    }
}

fn put(table: &str, item: Item) -> Result<TransactWriteItem, Outage> {
    let put = Put::builder().table_name(table).set_item(Some(item)).build().map_err(incomplete)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn delete(table: &str, key: Item) -> Result<TransactWriteItem, Outage> {
    let delete = Delete::builder().table_name(table).set_key(Some(key)).build().map_err(incomplete)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

fn incomplete(error: BuildError) -> Outage {
    Outage::permanent("a request to DynamoDB is incomplete").because(error)
}
