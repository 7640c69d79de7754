//! Silences: what matches alerts nobody for a while.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use inresponse_api::{Silence, SilenceEntry, Silences};
use inresponse_core::model::{Person, QuietWhy, SilenceId};
use inresponse_core::roster::{Entry, EntryKey, EntryKind, Listed};

use super::changes::{edit, present};
use super::roster::{delete, page};
use crate::Api;
use crate::caller::Caller;
use crate::common::{InvalidField, InvalidParameter, NoSuchSilence};
use crate::input::{Body, NoParams, Params, Path};
use crate::problem::Problem;
use crate::wire::silence as wire;

/// The number of quiet incidents that are read to count them. If there are more, they are not counted.
const COUNTED: usize = 1_000;

fn silence_id(text: &str) -> Result<SilenceId, Problem> {
    SilenceId::new(text).map_err(|e| Problem::invalid(&e))
}

/// Make or change a silence.
///
/// Incidents that the silence matches are recorded, but nobody is alerted until it ends or is lifted.
#[utoipa::path(put, path = "/silences/{silence}", tag = "roster", request_body = SilenceEntry,
    params(("silence" = String, Path, example = "deploy")),
    responses(
        (status = 200, description = "as it is now", body = Silence),
        InvalidField,
    ))]
pub(crate) async fn put_silence(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(silence): Path<String>,
    Body(given): Body<SilenceEntry>,
) -> Result<Json<Silence>, Problem> {
    let id = silence_id(&silence)?;
    let silence = wire::silence(given, api.engine().now()).map_err(|e| Problem::invalid(&e))?;
    let silence = silence.made_by(Person::from(&key.key));
    let _ = edit(&api, &key, Entry::silence(&id, silence.clone()).into()).await?;
    Ok(Json(wire::silence_of(&id, &silence)))
}

/// Read a silence.
#[utoipa::path(get, path = "/silences/{silence}", tag = "roster",
    params(("silence" = String, Path, example = "deploy")),
    responses(
        (status = 200, description = "the silence", body = Silence),
        NoSuchSilence,
    ))]
pub(crate) async fn get_silence(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(silence): Path<String>,
) -> Result<Json<Silence>, Problem> {
    let id = silence_id(&silence)?;
    let key = EntryKey::Silence(id);
    let entry = present(&api, api.engine().roster().entry(&key)).await.map_err(|e| Problem::outage(&e))?;
    let waiting = waiting(&api).await?;
    let found = entry.and_then(|entry| answered(entry, waiting.as_ref()));
    found.map(Json).ok_or_else(|| Problem::not_found(format!("there is no {key}")))
}

/// Lift a silence: what it held is alerted now.
#[utoipa::path(delete, path = "/silences/{silence}", tag = "roster",
    params(("silence" = String, Path, example = "deploy")),
    responses(
        (status = 204, description = "gone"),
        NoSuchSilence,
    ))]
pub(crate) async fn delete_silence(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(silence): Path<String>,
) -> Result<StatusCode, Problem> {
    let id = silence_id(&silence)?;
    delete(&api, &key, EntryKey::Silence(id), "such silence").await
}

/// List the silences.
#[utoipa::path(get, path = "/silences", operation_id = "list_silences", tag = "roster",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "from the previous page"),
    ),
    responses(
        (status = 200, description = "a page", body = Silences),
        InvalidParameter,
    ))]
pub(crate) async fn list_silences(
    State(api): State<Api>,
    _: Caller,
    params: Params,
) -> Result<Json<Silences>, Problem> {
    let (page, cursor) = page(&api, EntryKind::Silence, params).await?;
    let waiting = waiting(&api).await?;
    let silence = |listed: Listed| answered(listed.entry?, waiting.as_ref());
    Ok(Json(Silences { silences: page.into_iter().filter_map(silence).collect(), cursor }))
}

fn answered(entry: Entry, waiting: Option<&BTreeMap<SilenceId, u64>>) -> Option<Silence> {
    let Entry::Silence { id, silence } = entry else { return None };
    let waiting = waiting.map(|waiting| waiting.get(&id).copied().unwrap_or_default());
    Some(Silence { waiting, ..wire::silence_of(&id, &silence) })
}

/// How many open incidents each silence holds; `None` if there are too many to count.
pub(crate) async fn waiting(api: &Api) -> Result<Option<BTreeMap<SilenceId, u64>>, Problem> {
    let quiet = api.engine().quiet_incidents(COUNTED).await.map_err(|e| Problem::outage(&e))?;
    if quiet.len() == COUNTED {
        return Ok(None);
    }
    let mut counts = BTreeMap::new();
    for quiet in quiet.iter().filter_map(|record| record.incident.quiet()) {
        for why in &quiet.why {
            if let QuietWhy::Silence(id) = why {
                *counts.entry(id.clone()).or_default() += 1;
            }
        }
    }
    Ok(Some(counts))
}
