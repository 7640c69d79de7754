//! Services, teams, calendars.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, ReturnValue, WriteRequest};
use chrono::{DateTime, NaiveDate, TimeDelta};
use inresponse_core::model::{Contact, Person, ServiceName, TeamName};
use inresponse_core::roster::{ChangeMark, Deleted, Roster, RosterChange, Rota, Team, TeamDeleted};
use inresponse_core::{Chain, InvalidInput, Outage};

use crate::call::{Again, WriteId, bounded, pause, read, write};
use crate::config::DynamoConfig;
use crate::item::{Item, number, sortable, text, text_of};

/// The most items that one call deletes; a limit of the service.
const BATCH: usize = 25;
/// The one partition of the changes.
const CHANGES: &str = "roster";
/// For how long a change is kept.
const CHANGES_KEPT: TimeDelta = TimeDelta::days(400);
/// How often a deletion of many goes on where some are left out.
const MAX_TRIES: u32 = 8;

/// The roster in DynamoDB. Cheap to clone.
///
/// Nothing is kept at hand: every answer is read from the table as it is, so that a change holds for all processes at
/// once. A report reads three items. Changes that were noted are kept for 400 days; those of several processes are in
/// the order of their clocks.
#[derive(Debug, Clone)]
pub struct DynamoRoster {
    client: Client,
    config: DynamoConfig,
}

impl DynamoRoster {
    /// The roster in these tables. Of the client, its retries and time-outs are replaced by the roster's own.
    pub fn new(client: &Client, config: DynamoConfig) -> Self {
        Self { client: bounded(client), config }
    }

    async fn item(&self, table: &str, key: &[(&str, &str)]) -> Result<Option<Item>, Outage> {
        let key: Item = key.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect();
        let found = read(&self.client, || {
            self.client.get_item().table_name(table).set_key(Some(key.clone())).consistent_read(true).send()
        });
        Ok(found.await?.item)
    }

    async fn put(&self, table: &str, item: Item) -> Result<(), Outage> {
        write(&self.client, Again::Harmless, || {
            self.client.put_item().table_name(table).set_item(Some(item.clone())).send()
        })
        .await
        .map(drop)
        .map_err(|failure| failure.into_outage())
    }

    async fn delete(&self, table: &str, key: &[(&str, &str)]) -> Result<Deleted, Outage> {
        let key: Item = key.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect();
        let deleted = write(&self.client, Again::Harmless, || {
            self.client
                .delete_item()
                .table_name(table)
                .set_key(Some(key.clone()))
                .return_values(ReturnValue::AllOld)
                .send()
        })
        .await
        .map_err(|failure| failure.into_outage())?;
        Ok(if deleted.attributes().is_some_and(|old| !old.is_empty()) {
            Deleted::Gone
        } else {
            Deleted::Absent
        })
    }

    /// A service that the team owns. Reads the whole table of services, as no report does: the owner that a service names
    /// need not be looked for.
    async fn owned_by(&self, team: &TeamName) -> Result<Option<ServiceName>, Outage> {
        let mut from = None;
        loop {
            let scan = self
                .client
                .scan()
                .table_name(&self.config.service)
                .consistent_read(true)
                .filter_expression("team = :team")
                .expression_attribute_values(":team", text(team.as_str()))
                .set_exclusive_start_key(std::mem::take(&mut from));
            let page = read(&self.client, || scan.clone().send()).await?;
            let owned =
                page.items().iter().find_map(|item| ServiceName::new(text_of(item, "serviceId")?).ok());
            from = page.last_evaluated_key;
            if owned.is_some() || from.is_none() {
                return Ok(owned);
            }
        }
    }

    /// The days of a team's calendar, up to `limit` from the first on.
    async fn days(&self, team: &TeamName, limit: i32) -> Result<Vec<String>, Outage> {
        let page = read(&self.client, || {
            self.client
                .query()
                .table_name(&self.config.calendar)
                .consistent_read(true)
                .key_condition_expression("teamname = :team")
                .expression_attribute_values(":team", text(team.as_str()))
                .projection_expression("teamname, #day")
                .expression_attribute_names("#day", "day")
                .limit(limit)
                .send()
        })
        .await?;
        Ok(page.items().iter().filter_map(|item| text_of(item, "day").map(str::to_owned)).collect())
    }

    /// Deletes these days, of which there are at most [`BATCH`].
    async fn delete_days(&self, team: &TeamName, days: &[String]) -> Result<(), Outage> {
        let delete = |day: &String| {
            let key = HashMap::from([
                ("teamname".to_owned(), text(team.as_str())),
                ("day".to_owned(), text(day.as_str())),
            ]);
            let delete = DeleteRequest::builder().set_key(Some(key)).build();
            delete.map(|delete| WriteRequest::builder().delete_request(delete).build())
        };
        let mut left: Vec<_> = days
            .iter()
            .map(delete)
            .collect::<Result<_, _>>()
            .map_err(|e| Outage::permanent("a request to DynamoDB is incomplete").because(e))?;
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

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// An entry that was made by hand may not be readable. It is left out, so that its reports fall back and are not refused.
fn readable<T>(entry: Result<T, Unreadable>, name: impl FnOnce() -> String) -> Option<T> {
    let told = |error: &Unreadable| {
        tracing::error!(name = name(), error = %Chain::of(&**error), "an entry of the roster cannot be read");
    };
    entry.inspect_err(told).ok()
}

/// A contact alone is a text, several are a list of texts.
fn level(contacts: &[Contact]) -> AttributeValue {
    match contacts {
        [one] => text(one.as_str()),
        many => AttributeValue::L(many.iter().map(|contact| text(contact.as_str())).collect()),
    }
}

/// As [`level`] writes it. An entry made by hand may also be a set of texts.
fn contacts(level: &AttributeValue) -> Result<Vec<Contact>, InvalidInput> {
    match level {
        AttributeValue::S(one) if one.trim().is_empty() => Ok(Vec::new()),
        AttributeValue::S(one) => Ok(vec![Contact::try_from(one.clone())?]),
        AttributeValue::Ss(many) => many.iter().cloned().map(Contact::try_from).collect(),
        AttributeValue::L(many) => {
            let contact = |value: &AttributeValue| match value {
                AttributeValue::S(one) => Contact::try_from(one.clone()),
                _ => Err(InvalidInput::field("contact", "must be a text")),
            };
            many.iter().map(contact).collect()
        }
        AttributeValue::Null(_) => Ok(Vec::new()),
        _ => Err(InvalidInput::field("contact", "must be a text or a list of texts")),
    }
}

/// A calendar entry: `oncall` is a level, `escalation` a list of levels, or a single contact.
fn rota(item: &Item) -> Result<Rota, InvalidInput> {
    let oncall = item.get("oncall").map(contacts).transpose()?.unwrap_or_default();
    let escalation = match item.get("escalation") {
        None => Vec::new(),
        Some(AttributeValue::L(levels)) => levels.iter().map(contacts).collect::<Result<_, _>>()?,
        Some(single) => contacts(single)?.into_iter().map(|contact| vec![contact]).collect(),
    };
    Rota::new(oncall, escalation)
}

#[async_trait]
impl Roster for DynamoRoster {
    async fn service(&self, service: &ServiceName) -> Result<Option<TeamName>, Outage> {
        let Some(item) = self.item(&self.config.service, &[("serviceId", service.as_str())]).await? else {
            return Ok(None);
        };
        let team = text_of(&item, "team").ok_or("it has no team").map_err(Unreadable::from);
        Ok(readable(team.and_then(|team| Ok(TeamName::new(team)?)), || format!("service {service}")))
    }

    async fn team(&self, team: &TeamName) -> Result<Option<Arc<Team>>, Outage> {
        let Some(item) = self.item(&self.config.team, &[("teamname", team.as_str())]).await? else {
            return Ok(None);
        };
        let settings = text_of(&item, "settings").ok_or("it has no settings").map_err(Unreadable::from);
        let settings = settings.and_then(|settings| Ok(Arc::new(serde_json::from_str(settings)?)));
        Ok(readable(settings, || format!("team {team}")))
    }

    async fn day(&self, team: &TeamName, day: NaiveDate) -> Result<Option<Arc<Rota>>, Outage> {
        let key = [("teamname", team.as_str()), ("day", &*day.to_string())];
        let Some(item) = self.item(&self.config.calendar, &key).await? else { return Ok(None) };
        let rota = rota(&item).map(Arc::new).map_err(Unreadable::from);
        Ok(readable(rota, || format!("the calendar of team {team} on {day}")))
    }

    async fn knows_team(&self, team: &TeamName) -> Result<bool, Outage> {
        Ok(self.item(&self.config.team, &[("teamname", team.as_str())]).await?.is_some()
            || !self.days(team, 1).await?.is_empty()
            || self.owned_by(team).await?.is_some())
    }

    async fn teams(&self) -> Result<Vec<TeamName>, Outage> {
        let mut names = BTreeSet::new();
        for (table, attribute) in [
            (&self.config.team, "teamname"),
            (&self.config.calendar, "teamname"),
            (&self.config.service, "team"),
        ] {
            let mut from = None;
            loop {
                let scan = self
                    .client
                    .scan()
                    .table_name(table)
                    .consistent_read(true)
                    .projection_expression(attribute)
                    .set_exclusive_start_key(std::mem::take(&mut from));
                let page = read(&self.client, || scan.clone().send()).await?;
                names.extend(
                    page.items().iter().filter_map(|item| TeamName::new(text_of(item, attribute)?).ok()),
                );
                from = page.last_evaluated_key;
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(names.into_iter().collect())
    }

    async fn put_service(&self, service: &ServiceName, team: &TeamName) -> Result<(), Outage> {
        let item = [("serviceId", text(service.as_str())), ("team", text(team.as_str()))];
        self.put(&self.config.service, named(item)).await
    }

    async fn put_team(&self, team: &TeamName, settings: &Team) -> Result<(), Outage> {
        let settings = serde_json::to_string(settings)
            .map_err(|e| Outage::permanent("a team's settings cannot be written").because(e))?;
        let item = [("teamname", text(team.as_str())), ("settings", text(settings))];
        self.put(&self.config.team, named(item)).await
    }

    async fn put_day(&self, team: &TeamName, day: NaiveDate, rota: &Rota) -> Result<(), Outage> {
        let escalation = rota.escalation().iter().map(|contacts| level(contacts)).collect();
        let item = [
            ("teamname", text(team.as_str())),
            ("day", text(day.to_string())),
            ("oncall", level(rota.oncall())),
            ("escalation", AttributeValue::L(escalation)),
        ];
        self.put(&self.config.calendar, named(item)).await
    }

    async fn delete_service(&self, service: &ServiceName) -> Result<Deleted, Outage> {
        self.delete(&self.config.service, &[("serviceId", service.as_str())]).await
    }

    async fn delete_team(&self, team: &TeamName) -> Result<TeamDeleted, Outage> {
        if let Some(service) = self.owned_by(team).await? {
            return Ok(TeamDeleted::OwnsService(service));
        }
        // The days first: a deletion that ends half-way leaves a team that can be deleted again.
        let mut had_days = false;
        loop {
            let days = self.days(team, i32::try_from(BATCH).unwrap_or(1)).await?;
            if days.is_empty() {
                break;
            }
            had_days = true;
            self.delete_days(team, &days).await?;
        }
        let settings = self.delete(&self.config.team, &[("teamname", team.as_str())]).await?;
        Ok(if had_days || settings == Deleted::Gone { TeamDeleted::Gone } else { TeamDeleted::Absent })
    }

    async fn delete_day(&self, team: &TeamName, day: NaiveDate) -> Result<Deleted, Outage> {
        let key = [("teamname", team.as_str()), ("day", &*day.to_string())];
        self.delete(&self.config.calendar, &key).await
    }

    async fn note_change(&self, change: &RosterChange) -> Result<(), Outage> {
        let expires_at = change.at().timestamp() + CHANGES_KEPT.num_seconds();
        let item = [
            ("log", text(CHANGES)),
            ("mark", text(format!("{}#{}", sortable(change.at()), WriteId::new().as_str()))),
            ("at", text(sortable(change.at()))),
            ("who", text(change.by().as_str())),
            ("what", text(change.what())),
            ("expiresAt", number(expires_at)),
        ];
        self.put(&self.config.roster_change, named(item)).await
    }

    async fn changes(
        &self,
        before: Option<&ChangeMark>,
        limit: usize,
    ) -> Result<Vec<(ChangeMark, RosterChange)>, Outage> {
        let mut changes = Vec::new();
        // Every mark begins with a digit.
        let mut before = before.map_or("~", ChangeMark::as_str).to_owned();
        while changes.len() < limit {
            let query = self
                .client
                .query()
                .table_name(&self.config.roster_change)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("#log = :log AND #mark < :before")
                .expression_attribute_names("#log", "log")
                .expression_attribute_names("#mark", "mark")
                .expression_attribute_values(":log", text(CHANGES))
                .expression_attribute_values(":before", text(&before))
                .limit(i32::try_from(limit - changes.len()).unwrap_or(i32::MAX));
            let page = read(&self.client, || query.clone().send()).await?;
            for item in page.items() {
                match change(item) {
                    Some(change) => changes.push(change),
                    None => tracing::error!("an entry of the roster's changes cannot be read"),
                }
            }
            match page.last_evaluated_key().and_then(|key| text_of(key, "mark")) {
                Some(last) => last.clone_into(&mut before),
                None => break,
            }
        }
        Ok(changes)
    }
}

/// A change as [`note_change`](DynamoRoster::note_change) writes it.
fn change(item: &Item) -> Option<(ChangeMark, RosterChange)> {
    let mark = ChangeMark::new(text_of(item, "mark")?).ok()?;
    let at = DateTime::parse_from_rfc3339(text_of(item, "at")?).ok()?.to_utc();
    let by = Person::new(text_of(item, "who")?).ok()?;
    Some((mark, RosterChange::new(at, by, text_of(item, "what")?)))
}

fn named<const N: usize>(item: [(&str, AttributeValue); N]) -> Item {
    item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_entry_made_by_hand_is_read() {
        let list = |texts: &[&str]| AttributeValue::L(texts.iter().map(|t| text(*t)).collect());
        let cases = [
            (vec![("oncall", text("jo@example.org"))], "jo@example.org /"),
            (
                vec![("oncall", text("jo@example.org")), ("escalation", text("kim@example.org"))],
                "jo@example.org / kim@example.org",
            ),
            (
                vec![
                    ("oncall", list(&["jo@example.org", "lee@example.org"])),
                    ("escalation", list(&["kim@example.org", "max@example.org"])),
                ],
                "jo@example.org lee@example.org / kim@example.org | max@example.org",
            ),
            (
                vec![
                    ("oncall", text("")),
                    ("escalation", AttributeValue::L(vec![list(&["kim@example.org", "max@example.org"])])),
                ],
                " / kim@example.org max@example.org",
            ),
        ];
        for (item, expected) in cases {
            let item: Item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let rota = rota(&item).unwrap();
            let names =
                |contacts: &[Contact]| contacts.iter().map(Contact::address).collect::<Vec<_>>().join(" ");
            let escalation: Vec<_> = rota.escalation().iter().map(|level| names(level)).collect();
            let shown = format!("{} / {}", names(rota.oncall()), escalation.join(" | "));
            assert_eq!(shown.trim_end(), expected.trim_end());
        }
        let refused = Item::from([("oncall".to_owned(), AttributeValue::Bool(true))]);
        assert!(rota(&refused).is_err());
    }
}
