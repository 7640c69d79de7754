//! Alertmanager's API of silences and its status, for `amtool silence` and other programs that know it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use inresponse_api::Matcher;
use inresponse_core::InvalidInput;
use inresponse_core::model::{Person, SilenceId};
use inresponse_core::roster::{self, Entry, EntryKey, Silence, read_instant};
use serde::Deserialize;
use serde_json::{Value, json};

use super::changes::{edit, present};
use crate::Api;
use crate::caller::Caller;
use crate::common::{InvalidField, InvalidParameter, NoSuchSilence};
use crate::input::{Body, NoParams, Path};
use crate::problem::Problem;
use crate::wire::silence as wire;

/// The maximum number of filters of a list.
const MAX_FILTERS: usize = 20;

/// A silence as Alertmanager's clients post it. Unknown fields are ignored, as Alertmanager does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostableSilence {
    #[serde(default)]
    id: Option<String>,
    matchers: Vec<PostableMatcher>,
    starts_at: String,
    ends_at: String,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostableMatcher {
    name: String,
    value: String,
    #[serde(default)]
    is_regex: bool,
    #[serde(default)]
    is_equal: Option<bool>,
}

/// Make or change a silence, as Alertmanager does. Without an id, it gets a new one.
#[utoipa::path(post, path = "/api/v2/silences", operation_id = "alertmanager_post_silence", tag = "roster",
    request_body(content = Value, description = "a silence, as Alertmanager takes it"),
    responses(
        (status = 200, description = "the silence's id", body = Value),
        InvalidField,
        NoSuchSilence,
    ))]
pub(crate) async fn post_silence(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Body(given): Body<PostableSilence>,
) -> Result<Json<Value>, Problem> {
    let (id, before) = match given.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => {
            let id = SilenceId::new(id).map_err(|e| Problem::invalid(&e))?;
            let before = silence(&api, &id).await?;
            (id, Some(before))
        }
        None => (new_id()?, None),
    };
    let mut silence = read(&given).map_err(|e| Problem::invalid(&e))?;
    // Alertmanager's form has no weekly hours and no owner, so a change keeps them.
    if let Some(before) = before {
        silence = silence.owned_by(before.owner().cloned());
        if let Some(weekly) = before.weekly() {
            silence = silence.recurring(weekly.clone()).map_err(|e| Problem::invalid(&e))?;
        }
    }
    let by = Person::new(&given.created_by).unwrap_or_else(|_| Person::from(&key.key));
    let _ = edit(&api, &key, Entry::silence(&id, silence.made_by(by)).into()).await?;
    Ok(Json(json!({ "silenceID": id.as_str() })))
}

pub(crate) fn read(given: &PostableSilence) -> Result<Silence, InvalidInput> {
    let mut invalid = InvalidInput::default();
    let time = |field: &'static str, text: &str| {
        read_instant(text).ok_or_else(|| InvalidInput::field(field, "must be an RFC 3339 time"))
    };
    let from = invalid.keep(time("startsAt", &given.starts_at));
    let to = invalid.keep(time("endsAt", &given.ends_at));
    let mut matchers = Vec::new();
    for (i, one) in given.matchers.iter().enumerate().take(Silence::MAX_MATCHERS + 1) {
        let matcher = Matcher {
            name: one.name.clone(),
            value: one.value.clone(),
            is_regex: one.is_regex,
            is_equal: one.is_equal.unwrap_or(true),
        };
        matchers
            .extend(invalid.keep(wire::matcher(&matcher).map_err(|e| e.under(&format!("matchers[{i}]")))));
    }
    let (Some(from), Some(to), true) = (from, to, invalid.is_empty()) else { return Err(invalid) };
    Silence::new(matchers, from, to)?.because(&given.comment)
}

/// A random id in the form of those of Alertmanager.
fn new_id() -> Result<SilenceId, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no random numbers"))?;
    // Version 4 of RFC 9562.
    let value = u128::from_be_bytes(bytes) & !(0xF000_u128 << 64) & !(0xC000_u128 << 48)
        | (0x4000_u128 << 64)
        | (0x8000_u128 << 48);
    let hex = format!("{value:032x}");
    let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    SilenceId::new(id).map_err(|e| Problem::invalid(&e))
}

/// List the silences, as Alertmanager does.
#[utoipa::path(get, path = "/api/v2/silences", operation_id = "alertmanager_silences", tag = "roster",
    params(("filter" = Option<Vec<String>>, Query, description = "matchers that the silences must have")),
    responses(
        (status = 200, description = "the silences, those that end last first", body = Value),
        InvalidParameter,
    ))]
pub(crate) async fn list_silences(
    State(api): State<Api>,
    _: Caller,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(|e| Problem::invalid(&InvalidInput::field("query", e.body_text())))?;
    let given = query.iter().filter(|(name, _)| name == "filter").map(|(_, text)| text);
    let mut filters: Vec<roster::Matcher> = Vec::new();
    for text in given {
        if filters.len() == MAX_FILTERS {
            let most = format!("must be at most {MAX_FILTERS}");
            return Err(Problem::invalid(&InvalidInput::field("filter", most)));
        }
        let read = text.parse::<roster::Matcher>();
        filters.push(read.map_err(|e| {
            let text = e.errors().iter().map(|e| e.message()).collect::<Vec<_>>().join(", ");
            Problem::invalid(&InvalidInput::field("filter", text))
        })?);
    }
    let rules = present(&api, api.engine().roster().quiet()).await.map_err(|e| Problem::outage(&e))?;
    let has = |silence: &Silence, filter: &roster::Matcher| {
        silence.matchers().iter().any(|own| own.name() == filter.name() && filter.accepts(own.value()))
    };
    let mut found: Vec<_> =
        rules.silences().filter(|(_, one)| filters.iter().all(|filter| has(one, filter))).collect();
    found.sort_by_key(|(_, one)| std::cmp::Reverse(one.ends()));
    let now = api.engine().now();
    Ok(Json(found.into_iter().map(|(id, one)| shown(id, one, now)).collect()))
}

/// Read a silence, as Alertmanager does.
#[utoipa::path(get, path = "/api/v2/silence/{silence}", operation_id = "alertmanager_silence", tag = "roster",
    params(("silence" = String, Path, example = "deploy")),
    responses(
        (status = 200, description = "the silence", body = Value),
        NoSuchSilence,
    ))]
pub(crate) async fn get_silence(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id = SilenceId::new(id).map_err(|e| Problem::invalid(&e))?;
    let found = silence(&api, &id).await?;
    Ok(Json(shown(&id, &found, api.engine().now())))
}

/// Lift a silence, as Alertmanager expires it.
#[utoipa::path(delete, path = "/api/v2/silence/{silence}", operation_id = "alertmanager_expire_silence",
    tag = "roster",
    params(("silence" = String, Path, example = "deploy")),
    responses(
        (status = 200, description = "gone"),
        NoSuchSilence,
    ))]
pub(crate) async fn delete_silence(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = SilenceId::new(id).map_err(|e| Problem::invalid(&e))?;
    super::roster::delete(&api, &key, EntryKey::Silence(id), "such silence").await?;
    // Alertmanager's clients expect this status.
    Ok(StatusCode::OK)
}

/// Read the version and the start of this server, as Alertmanager does.
///
/// There is no cluster, and no configuration in Alertmanager's form.
#[utoipa::path(get, path = "/api/v2/status", operation_id = "alertmanager_status", tag = "system",
    responses((status = 200, description = "the status", body = Value)))]
pub(crate) async fn status(State(api): State<Api>, _: Caller, _: NoParams) -> Json<Value> {
    let version = env!("CARGO_PKG_VERSION");
    Json(json!({
        "cluster": { "status": "disabled", "peers": [] },
        "config": { "original": "" },
        "uptime": api.since().to_rfc3339_opts(SecondsFormat::Millis, true),
        "versionInfo": {
            "version": version, "branch": "", "revision": "", "buildDate": "", "buildUser": "", "goVersion": "",
        },
    }))
}

async fn silence(api: &Api, id: &SilenceId) -> Result<Arc<Silence>, Problem> {
    let key = EntryKey::Silence(id.clone());
    let entry = present(api, api.engine().roster().entry(&key)).await.map_err(|e| Problem::outage(&e))?;
    match entry {
        Some(Entry::Silence { silence, .. }) => Ok(silence),
        Some(_) | None => Err(Problem::not_found(format!("there is no {key}"))),
    }
}

/// A silence in Alertmanager's form.
fn shown(id: &SilenceId, silence: &Silence, now: DateTime<Utc>) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let state = if silence.ends() <= now {
        "expired"
    } else if silence.from() > now {
        "pending"
    } else {
        "active"
    };
    json!({
        "id": id.as_str(),
        "status": { "state": state },
        "matchers": wire::silence_of(id, silence).matchers,
        "startsAt": time(silence.from()),
        "endsAt": time(silence.ends()),
        "updatedAt": time(silence.from()),
        "createdBy": silence.by().map(Person::as_str).unwrap_or_default(),
        "comment": silence.comment(),
    })
}
