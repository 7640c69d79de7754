//! Edits the roster, each call in one transaction.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, DeleteRequest, Put, TransactWriteItem, Update, WriteRequest,
};
use chrono::{DateTime, Utc};
use inresponse_core::model::Person;
use inresponse_core::roster::{
    Answers, Book, Edited, Effect, Entry, EntryKey, EntryKind, Judged, Question, RosterChange, RosterEdit,
    Target, Was, check, judge,
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

/// An item that is deleted together with the entry that it belongs to.
struct Inside<'a> {
    table: &'a str,
    key: Item,
}

/// The result of a transaction.
enum Transacted<'a> {
    /// It happened. These parts of deleted entries did not fit in.
    Done(Vec<Inside<'a>>),
    /// Somebody else changed the roster first.
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
            return Ok(Edited::Refused(*refusal));
        }
        for tried in 1..=MAX_TRIES {
            // The version first: what is looked at after it is at least as new.
            let (version, book) = self.book().await?;
            let mut answers = Answers::default();
            let (effects, changes) = loop {
                match judge(by, at, edits, &answers) {
                    Judged::Ask(questions) => {
                        for question in questions {
                            self.answer(&question, &book, &mut answers).await?;
                        }
                    }
                    Judged::Refused(refusal) => return Ok(Edited::Refused(refusal)),
                    Judged::Write { effects, changes } => break (effects, changes),
                }
            };
            if changes.is_empty() {
                return Ok(Edited::Done(effects));
            }
            match self.transact(version, &book, edits, &effects, &changes).await? {
                Transacted::Done(rest) => {
                    self.delete_rest(rest).await;
                    return Ok(Edited::Done(effects));
                }
                Transacted::Overtaken => pause(&self.client, tried.min(4)).await,
            }
        }
        Err(Outage::retryable("others changed the roster too often in between"))
    }

    pub(crate) async fn version(&self) -> Result<u64, Outage> {
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

    async fn answer(&self, question: &Question, book: &Book, answers: &mut Answers) -> Result<(), Outage> {
        let keys = match question {
            Question::Entry(key) => {
                answers.entry(key.clone(), self.was(key, book).await?);
                return Ok(());
            }
            Question::Users(key) => self.users(key, book).await?,
            Question::Parts(key) => book.parts(key),
            Question::OnCallOfDays { team, apart_from } => {
                let leads_on = |target: &&Target| matches!(target, Target::Schedule { .. } | Target::Team(_));
                let days = self.calendar(team).await?;
                let targets = days.iter().flat_map(|entry| match entry {
                    Entry::Day { day, rota, .. } if !apart_from.contains(day) => rota.oncall(),
                    _ => &[],
                });
                let keys: BTreeSet<_> =
                    targets.filter(leads_on).filter_map(|target| EntryKey::named_by(target, team)).collect();
                keys.into_iter().collect()
            }
        };
        answers.keys(question.clone(), keys);
        Ok(())
    }

    async fn was(&self, key: &EntryKey, book: &Book) -> Result<Was, Outage> {
        if let Some(item) = self.item(key).await? {
            return Ok(entry_of(key, &item).map_or(Was::Unreadable, Was::Entry));
        }
        let EntryKey::Team(team) = key else { return Ok(Was::Absent) };
        let has_parts = !book.parts(key).is_empty() || !self.last_days(team, Some(1)).await?.is_empty();
        Ok(if has_parts { Was::OnlyParts } else { Was::Absent })
    }

    /// Entries that use a name. Reads whole tables: a name is seldom deleted.
    async fn users(&self, key: &EntryKey, book: &Book) -> Result<Vec<EntryKey>, Outage> {
        let mut users = match key {
            EntryKey::Team(team) => self.owned_by(team, usize::MAX).await?,
            EntryKey::Person(_) | EntryKey::Schedule(..) => Vec::new(),
            // Nothing can name these.
            EntryKey::Day(..)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Silence(_)
            | EntryKey::Routes => {
                return Ok(Vec::new());
            }
            // Only routing rules name these.
            EntryKey::Heartbeat(_) => return Ok(book.users(key).collect()),
            EntryKey::Service(_) => {
                let heartbeats = self.heartbeats().await?;
                return Ok(heartbeats
                    .iter()
                    .filter(|one| one.uses().contains(key))
                    .map(Entry::key)
                    .collect());
            }
        };
        for kind in [EntryKind::Team, EntryKind::Day] {
            let entries = self.tabled(kind).await?;
            let using = entries.iter().filter(|entry| entry.uses().contains(key)).map(Entry::key);
            users.extend(using.filter(|user| user != key && !user.is_inside(key)));
        }
        users.extend(book.users(key));
        Ok(users)
    }

    /// Writes the edits that change something, their records, and the next version.
    async fn transact<'a>(
        &'a self,
        version: u64,
        book: &Book,
        edits: &[RosterEdit],
        effects: &[Effect],
        changes: &[RosterChange],
    ) -> Result<Transacted<'a>, Outage> {
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
        let outer = edits.iter().zip(effects).filter_map(|(edit, effect)| match (edit, effect) {
            (RosterEdit::Delete(key), Effect::Deleted) => Some(key.clone()),
            // A process that died may have left parts of a schedule of this name that was deleted.
            (RosterEdit::Put(entry @ Entry::Schedule { .. }), Effect::Created) => Some(entry.key()),
            (RosterEdit::Put(_) | RosterEdit::Delete(_), _) => None,
        });
        let mut rest = Vec::new();
        for key in outer {
            let is_edited = |inner: &EntryKey| edits.iter().any(|edit| edit.key() == *inner);
            // Schedules go first, since others may name them.
            let mut inside: Vec<Inside> = book
                .inside(&key)
                .filter(|inner| !is_edited(inner))
                .map(|inner| Inside { table: table(&self.config, inner.kind()), key: item_key(&inner) })
                .collect();
            if let EntryKey::Team(team) = &key {
                // The last days first: what has still to come ends in the same moment as the team.
                let days = self.last_days(team, None).await?.into_iter();
                inside.extend(days.map(|key| Inside { table: &self.config.calendar, key }));
            }
            let left = inside.split_off(inside.len().min(TRANSACTION.saturating_sub(parts.len())));
            rest.extend(left);
            for Inside { table, key } in inside {
                parts.push(delete(table, key)?);
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

    /// The version has moved. After a try with an unknown result, the change may be this one.
    async fn overtaken<'a>(
        &self,
        write_id: &WriteId,
        unsure: bool,
        rest: Vec<Inside<'a>>,
    ) -> Result<Transacted<'a>, Outage> {
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

    /// Deletes the parts of deleted entries that are left. The entries are gone already; a part that cannot be deleted now
    /// stays without them, and can be deleted again with its team.
    async fn delete_rest(&self, rest: Vec<Inside<'_>>) {
        if rest.is_empty() {
            return;
        }
        let mut deleted = Ok(());
        for parts in rest.chunks(BATCH) {
            deleted = self.delete_parts(parts).await;
            if deleted.is_err() {
                break;
            }
        }
        // Somebody may have read them since the entries are gone, and would keep them as long as the version stays.
        let raised = write(&self.client, Again::Harmless, || {
            let update = self.client.update_item().table_name(&self.config.config);
            let update = update.key("configkey", text(VERSION)).update_expression("ADD currentId :one");
            update.expression_attribute_values(":one", number(1)).send()
        });
        let raised = raised.await.map(drop).map_err(|failure| failure.into_outage());
        if let Err(error) = deleted.and(raised) {
            tracing::warn!(error = %Chain::of(&error), parts = rest.len(), "parts of a deleted team are left");
        }
    }

    /// Deletes these parts, which are at most [`BATCH`].
    async fn delete_parts(&self, parts: &[Inside<'_>]) -> Result<(), Outage> {
        let mut left: HashMap<String, Vec<WriteRequest>> = HashMap::new();
        for Inside { table, key } in parts {
            let delete = DeleteRequest::builder().set_key(Some(key.clone())).build().map_err(incomplete)?;
            let request = WriteRequest::builder().delete_request(delete).build();
            left.entry((*table).to_owned()).or_default().push(request);
        }
        for tried in 1..=MAX_TRIES {
            let mut written = write(&self.client, Again::Harmless, || {
                self.client.batch_write_item().set_request_items(Some(left.clone())).send()
            })
            .await
            .map_err(|failure| failure.into_outage())?;
            match written.unprocessed_items.take() {
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
