//! A whole roster from one JSON document.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Outage;
use crate::model::{OverrideId, PersonId, ScheduleName, TeamName};
use crate::roster::{
    Entry, Feed, FeedCopy, Layer, Override, Profile, Rota, Schedule, Snapshot, Target, Team, TeamLevel, Zone,
};

/// Reads a roster from a document as it compares with other programs: `people` by their ids, and `teams` by their names,
/// each with its `timezone`, `fallback`, `levels`, `shiftNotices`, `calendar` and `schedules`. A schedule has its `overrides` by their
/// ids and, under `copies`, the events of its feeds by the feeds' URLs. Everything is written as in the HTTP API. What is
/// left out has the API's defaults.
///
/// # Errors
/// Something in the document cannot be read, or is invalid.
pub fn roster_document(document: &Value) -> Result<Snapshot, Outage> {
    let mut roster = Snapshot::default();
    for (id, body) in members(document, "people") {
        let mut body = object(body);
        body.entry("timezone").or_insert("UTC".into());
        body.entry("methods").or_insert(Value::Object(Map::new()));
        let person = PersonId::new(id).map_err(invalid)?;
        roster.put(Entry::person(&person, read::<Profile>(body.into())?));
    }
    for (name, body) in members(document, "teams") {
        let team = TeamName::new(name).map_err(invalid)?;
        roster.put(Entry::team(&team, settings(body)?));
        for (day, rota) in members(body, "calendar") {
            let day = day.parse().map_err(|e| Outage::permanent("no day").because(e))?;
            let escalation = rota["escalation"].as_array().into_iter().flatten().map(targets);
            let escalation = match &rota["escalation"] {
                one @ Value::String(_) => vec![targets(one)?],
                _ => escalation.collect::<Result<Vec<_>, _>>()?,
            };
            roster.put(Entry::day(
                &team,
                day,
                Rota::new(targets(&rota["oncall"])?, escalation).map_err(invalid)?,
            ));
        }
        for (name, body) in members(body, "schedules") {
            put_schedule(&mut roster, &team, &ScheduleName::new(name).map_err(invalid)?, body)?;
        }
    }
    Ok(roster)
}

fn settings(body: &Value) -> Result<Team, Outage> {
    let fallback = match &body["fallback"] {
        Value::Null => targets(&"fallback@example.org".into())?,
        given => targets(given)?,
    };
    let mut team = Team::builder(fallback);
    if !body["timezone"].is_null() {
        team = team.timezone(read(body["timezone"].clone())?);
    }
    if !body["levels"].is_null() {
        team = team.levels(read::<Vec<TeamLevel>>(body["levels"].clone())?);
    }
    if !body["shiftNotices"].is_null() {
        team = team.shift_notices(read(body["shiftNotices"].clone())?);
    }
    team.build().map_err(invalid)
}

fn put_schedule(
    roster: &mut Snapshot,
    team: &TeamName,
    name: &ScheduleName,
    body: &Value,
) -> Result<(), Outage> {
    let zone = if body["timezone"].is_null() { Zone::utc() } else { read(body["timezone"].clone())? };
    let layers = body["layers"].as_array().into_iter().flatten().map(layer).collect::<Result<_, _>>()?;
    let feeds: Vec<Feed> = read(list(&body["feeds"]).into())?;
    for feed in &feeds {
        if let Some(copy) = body["copies"].get(&feed.url) {
            roster.put(Entry::feed(team, name, &feed.id(), read::<FeedCopy>(copy.clone())?));
        }
    }
    roster.put(Entry::schedule(team, name, Schedule::new(zone, layers, feeds).map_err(invalid)?));
    for (id, body) in members(body, "overrides") {
        let mut body = object(body);
        body.entry("oncall").or_insert(Value::Array(Vec::new()));
        let id = OverrideId::new(id).map_err(invalid)?;
        roster.put(Entry::stand_in(team, name, &id, read::<Override>(body.into())?));
    }
    Ok(())
}

fn layer(body: &Value) -> Result<Layer, Outage> {
    let mut body = object(body);
    let member = |member: &Value| match member {
        Value::Object(dated) => {
            let mut dated = dated.clone();
            dated.insert("who".to_owned(), list(&dated["who"]).into());
            Value::Object(dated)
        }
        who => Value::Object(Map::from_iter([("who".to_owned(), list(who).into())])),
    };
    let members: Vec<_> = list(body.get("members").unwrap_or(&Value::Null)).iter().map(member).collect();
    body.insert("members".to_owned(), members.into());
    read(body.into())
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value[name].as_object().into_iter().flatten()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A list, or one alone.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

fn targets(value: &Value) -> Result<Vec<Target>, Outage> {
    read(list(value).into())
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Outage> {
    let text = value.to_string();
    serde_json::from_value(value).map_err(|e| Outage::permanent(format!("cannot read {text}")).because(e))
}

fn invalid(error: crate::error::InvalidInput) -> Outage {
    Outage::permanent("the document is invalid").because(error)
}
