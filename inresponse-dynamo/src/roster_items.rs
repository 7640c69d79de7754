//! Converts the roster's entries and audit records to items.
//!
//! Services, days and settings keep the tables that they have always had. All other kinds are stored in the table of
//! the audit records, in a partition of their own. A new kind needs no new table. It joins the other kinds in each
//! `match` here.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, TimeDelta};
use inresponse_core::model::{OwnerName, Person, TeamName};
use inresponse_core::roster::{ChangeMark, Entry, EntryKey, EntryKind, RosterChange, Rota, Target};
use inresponse_core::{Chain, InvalidInput, Outage};

use crate::config::DynamoConfig;
use crate::item::{Item, number, sortable, text, text_of};

/// The partition of all audit records.
pub(crate) const CHANGES: &str = "roster";
/// The one partition of the entries that have no table of their own.
pub(crate) const ENTRIES: &str = "entries";
/// For how long an audit record is kept.
const CHANGES_KEPT: TimeDelta = TimeDelta::days(400);

type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// The table of a kind of entry.
pub(crate) fn table(config: &DynamoConfig, kind: EntryKind) -> &str {
    match kind {
        EntryKind::Service => &config.service,
        EntryKind::Team => &config.team,
        EntryKind::Day => &config.calendar,
        EntryKind::Person
        | EntryKind::Schedule
        | EntryKind::Override
        | EntryKind::Feed
        | EntryKind::Heartbeat
        | EntryKind::Silence
        | EntryKind::Routes => &config.roster_change,
    }
}

/// The key attributes of an entry's item.
pub(crate) fn item_key(key: &EntryKey) -> Item {
    let parts = match key {
        EntryKey::Service(service) => vec![("serviceId", service.to_string())],
        EntryKey::Team(team) => vec![("teamname", team.to_string())],
        EntryKey::Day(team, day) => vec![("teamname", team.to_string()), ("day", day.to_string())],
        EntryKey::Person(_)
        | EntryKey::Schedule(..)
        | EntryKey::Override(..)
        | EntryKey::Feed(..)
        | EntryKey::Heartbeat(_)
        | EntryKey::Silence(_)
        | EntryKey::Routes => {
            let team = key.team().map(TeamName::to_string).unwrap_or_default();
            // A name contains no control characters, so the parts stay separate.
            let mark = format!("{}\u{1f}{team}\u{1f}{}", key.kind().as_str(), key.name());
            vec![("log", ENTRIES.to_owned()), ("mark", mark)]
        }
    };
    parts.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

/// The key of the entry in an item, if the item has one.
pub(crate) fn key_of(kind: EntryKind, item: &Item) -> Option<EntryKey> {
    let part = |name| text_of(item, name).unwrap_or_default();
    let (team, name) = match kind {
        EntryKind::Service => ("", part("serviceId")),
        EntryKind::Team => (part("teamname"), ""),
        EntryKind::Day => (part("teamname"), part("day")),
        EntryKind::Person
        | EntryKind::Schedule
        | EntryKind::Override
        | EntryKind::Feed
        | EntryKind::Heartbeat
        | EntryKind::Silence
        | EntryKind::Routes => (part("team"), part("name")),
    };
    EntryKey::from_parts(kind, team, name).ok()
}

/// The item for an entry.
pub(crate) fn item_of(entry: &Entry) -> Result<Item, Outage> {
    let mut item = item_key(&entry.key());
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    match entry {
        Entry::Service { team, .. } => _ = put("team", text(team.as_str())),
        Entry::Team { .. } => _ = put("settings", text(entry.body()?)),
        Entry::Day { rota, .. } => {
            put("oncall", level(rota.oncall()));
            let escalation = rota.escalation().iter().map(|targets| level(targets)).collect();
            put("escalation", AttributeValue::L(escalation));
        }
        Entry::Person { .. }
        | Entry::Schedule { .. }
        | Entry::Override { .. }
        | Entry::Feed { .. }
        | Entry::Heartbeat { .. }
        | Entry::Silence { .. }
        | Entry::Routes(_) => {
            let key = entry.key();
            put("kind", text(key.kind().as_str()));
            put("team", text(key.team().map(TeamName::to_string).unwrap_or_default()));
            put("name", text(key.name()));
            put("body", text(entry.body()?));
        }
    }
    // Other kinds keep their owner in their body.
    if let (Entry::Service { .. } | Entry::Day { .. }, Some(owner)) = (entry, entry.owner()) {
        item.insert("owner".to_owned(), text(owner.as_str()));
    }
    Ok(item)
}

/// The entry in an item. An entry that somebody wrote by hand may be unreadable: it is ignored and logged, so that
/// reports use the fallback and are not refused.
pub(crate) fn entry_of(key: &EntryKey, item: &Item) -> Option<Entry> {
    let owner = || text_of(item, "owner").and_then(|owner| OwnerName::new(owner).ok());
    let read = || -> Result<Entry, Unreadable> {
        Ok(match key {
            EntryKey::Service(service) => {
                let team = TeamName::new(text_of(item, "team").ok_or("it has no team")?)?;
                Entry::service(service, &team).owned_by(owner())
            }
            EntryKey::Team(_) => {
                Entry::decode(key.clone(), text_of(item, "settings").ok_or("it has no settings")?)?
            }
            EntryKey::Day(team, day) => Entry::day(team, *day, rota(item)?.owned_by(owner())),
            EntryKey::Person(_)
            | EntryKey::Schedule(..)
            | EntryKey::Override(..)
            | EntryKey::Feed(..)
            | EntryKey::Heartbeat(_)
            | EntryKey::Silence(_)
            | EntryKey::Routes => Entry::decode(key.clone(), text_of(item, "body").ok_or("it has no body")?)?,
        })
    };
    let told = |error: &Unreadable| {
        tracing::error!(entry = %key, error = %Chain::of(&**error), "an entry of the roster cannot be read");
    };
    read().inspect_err(told).ok()
}

/// The entry of an item in the partition of entries; `None` for a kind that a newer version has.
pub(crate) fn entry_of_any(item: &Item) -> Option<Entry> {
    let kind = text_of(item, "kind")?.parse().ok()?;
    entry_of(&key_of(kind, item)?, item)
}

/// A target alone is a text, several are a list of texts.
fn level(targets: &[Target]) -> AttributeValue {
    match targets {
        [one] => text(String::from(one.clone())),
        many => AttributeValue::L(many.iter().cloned().map(|target| text(String::from(target))).collect()),
    }
}

/// Reads the form that [`level`] writes. In an entry made by hand, it may also be a set of texts.
fn targets(level: &AttributeValue) -> Result<Vec<Target>, InvalidInput> {
    match level {
        AttributeValue::S(one) if one.trim().is_empty() => Ok(Vec::new()),
        AttributeValue::S(one) => Ok(vec![Target::try_from(one.clone())?]),
        AttributeValue::Ss(many) => many.iter().cloned().map(Target::try_from).collect(),
        AttributeValue::L(many) => {
            let target = |value: &AttributeValue| match value {
                AttributeValue::S(one) => Target::try_from(one.clone()),
                _ => Err(InvalidInput::field("contact", "must be a text")),
            };
            many.iter().map(target).collect()
        }
        AttributeValue::Null(_) => Ok(Vec::new()),
        _ => Err(InvalidInput::field("contact", "must be a text or a list of texts")),
    }
}

/// A calendar entry: `oncall` is a level, `escalation` a list of levels, or a single target.
fn rota(item: &Item) -> Result<Rota, InvalidInput> {
    let oncall = item.get("oncall").map(targets).transpose()?.unwrap_or_default();
    let escalation = match item.get("escalation") {
        None => Vec::new(),
        Some(AttributeValue::L(levels)) => levels.iter().map(targets).collect::<Result<_, _>>()?,
        Some(single) => targets(single)?.into_iter().map(|target| vec![target]).collect(),
    };
    Rota::new(oncall, escalation)
}

/// The item for an audit record. Records of the same write keep their order.
pub(crate) fn item_of_change(change: &RosterChange, write_id: &str, nth: usize) -> Item {
    let expires_at = change.at().timestamp() + CHANGES_KEPT.num_seconds();
    let item = [
        ("log", text(CHANGES)),
        ("mark", text(format!("{}#{write_id}{nth:02}", sortable(change.at())))),
        ("at", text(sortable(change.at()))),
        ("who", text(change.by().as_str())),
        ("what", text(change.stored())),
        ("expiresAt", number(expires_at)),
    ];
    item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Reads an audit record that [`item_of_change`] wrote.
pub(crate) fn change_of(item: &Item) -> Option<(ChangeMark, RosterChange)> {
    let mark = ChangeMark::new(text_of(item, "mark")?).ok()?;
    let at = DateTime::parse_from_rfc3339(text_of(item, "at")?).ok()?.to_utc();
    let by = Person::new(text_of(item, "who")?).ok()?;
    Some((mark, RosterChange::decode(at, by, text_of(item, "what")?)))
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
                |targets: &[Target]| targets.iter().map(Target::to_string).collect::<Vec<_>>().join(" ");
            let escalation: Vec<_> = rota.escalation().iter().map(|level| names(level)).collect();
            let shown = format!("{} / {}", names(rota.oncall()), escalation.join(" | "));
            assert_eq!(shown.replace("mailto:", "").trim_end(), expected.trim_end());
        }
        let refused = Item::from([("oncall".to_owned(), AttributeValue::Bool(true))]);
        assert!(rota(&refused).is_err());
    }
}
