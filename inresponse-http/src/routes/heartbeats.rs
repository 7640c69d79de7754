//! Heartbeats: their definitions, and pings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use inresponse_api::{Heartbeat, HeartbeatEntry, Heartbeats, Ping};
use inresponse_core::heartbeats::Pinged;
use inresponse_core::model::HeartbeatName;
use inresponse_core::roster::{self, Entry, EntryKey, EntryKind, RosterEdit};
use inresponse_core::{Chain, Outage};
use serde::Serialize;
use utoipa::ToSchema;

use super::changes::{edit, present};
use super::roster::{delete, page};
use crate::Api;
use crate::caller::Caller;
use crate::common::{ChangeNotStored, InvalidField, InvalidParameter, NoSuchHeartbeat};
use crate::input::{Body, Bytes, NoParams, Params, Path};
use crate::problem::Problem;
use crate::wire::heartbeats::{self as wire, Extent};

/// The number of rows that are read at the same time.
const AT_ONCE: usize = 16;

fn heartbeat_name(text: &str) -> Result<HeartbeatName, Problem> {
    HeartbeatName::new(text).map_err(|e| Problem::invalid(&e))
}

fn absent(name: &HeartbeatName) -> Problem {
    Problem::not_found(format!("there is no heartbeat `{name}`"))
}

/// Create or replace a heartbeat.
///
/// A new interval applies from the next look, and never makes a ping late that was in time before.
#[utoipa::path(put, path = "/heartbeats/{heartbeat}", tag = "heartbeats", request_body = HeartbeatEntry,
    params(("heartbeat" = String, Path, example = "nightly-backup")),
    responses(
        (status = 200, description = "as it is now", body = Heartbeat),
        InvalidField,
        (status = 422, description = "the service does not exist", body = Problem),
    ))]
pub(crate) async fn put_heartbeat(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(name): Path<String>,
    Body(given): Body<HeartbeatEntry>,
) -> Result<Json<Heartbeat>, Problem> {
    let name = heartbeat_name(&name)?;
    let heartbeat = wire::heartbeat(given).map_err(|e| Problem::invalid(&e))?;
    let beats = api.heartbeats();
    let known = beats.definition(&name).await.map_err(|e| Problem::outage(&e))?;
    if known.is_none() {
        // Before the definition is there, so that no process judges it by the row of an earlier one.
        beats.begin(&name, &heartbeat).await.map_err(|e| Problem::outage_of_change(&e))?;
    }
    let _ = edit(&api, &key, RosterEdit::Put(Entry::heartbeat(&name, heartbeat.clone()))).await?;
    beats.changed();
    let row = beats.row(&name).await.map_err(|e| Problem::outage(&e))?;
    Ok(Json(wire::view(&name, &heartbeat, row.as_ref(), Extent::Whole)))
}

/// Read a heartbeat, with its last pings and misses.
#[utoipa::path(get, path = "/heartbeats/{heartbeat}", tag = "heartbeats",
    params(("heartbeat" = String, Path, example = "nightly-backup")),
    responses(
        (status = 200, description = "the heartbeat", body = Heartbeat),
        NoSuchHeartbeat,
    ))]
pub(crate) async fn get_heartbeat(
    State(api): State<Api>,
    _: Caller,
    _: NoParams,
    Path(name): Path<String>,
) -> Result<Json<Heartbeat>, Problem> {
    let name = heartbeat_name(&name)?;
    one(&api, &name).await.map_err(|e| Problem::outage(&e))?.map(Json).ok_or_else(|| absent(&name))
}

/// One heartbeat with its pings and misses.
pub(crate) async fn one(api: &Api, name: &HeartbeatName) -> Result<Option<Heartbeat>, Outage> {
    let key = EntryKey::Heartbeat(name.clone());
    match present(api, api.engine().roster().entry(&key)).await? {
        Some(Entry::Heartbeat { heartbeat, .. }) => {
            let row = api.heartbeats().row(name).await?;
            Ok(Some(wire::view(name, &heartbeat, row.as_ref(), Extent::Whole)))
        }
        Some(_) | None => Ok(None),
    }
}

/// Delete a heartbeat.
///
/// An incident that is open because of it stays open: a person resolves it.
#[utoipa::path(delete, path = "/heartbeats/{heartbeat}", tag = "heartbeats",
    params(("heartbeat" = String, Path, example = "nightly-backup")),
    responses(
        (status = 204, description = "gone"),
        NoSuchHeartbeat,
    ))]
pub(crate) async fn delete_heartbeat(
    State(api): State<Api>,
    key: Caller,
    _: NoParams,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let name = heartbeat_name(&name)?;
    let what = format!("heartbeat `{name}`");
    let deleted = delete(&api, &key, EntryKey::Heartbeat(name.clone()), &what).await?;
    if let Err(error) = api.heartbeats().deleted(&name).await {
        tracing::warn!(heartbeat = %name, error = %Chain::of(&error), "the incident of a deleted heartbeat has no note");
    }
    Ok(deleted)
}

/// List the heartbeats.
#[utoipa::path(get, path = "/heartbeats", operation_id = "list_heartbeats", tag = "heartbeats",
    params(
        ("limit" = Option<usize>, Query, description = "1 to 500 (default: 50)"),
        ("cursor" = Option<String>, Query, description = "from the previous page"),
    ),
    responses(
        (status = 200, description = "a page", body = Heartbeats),
        InvalidParameter,
    ))]
pub(crate) async fn list_heartbeats(
    State(api): State<Api>,
    _: Caller,
    params: Params,
) -> Result<Json<Heartbeats>, Problem> {
    let (page, cursor) = page(&api, EntryKind::Heartbeat, params).await?;
    let defined = page.into_iter().filter_map(|listed| match listed.entry {
        Some(Entry::Heartbeat { name, heartbeat }) => Some((name, heartbeat)),
        _ => None,
    });
    let heartbeats = brief(&api, defined).await.map_err(|e| Problem::outage(&e))?;
    Ok(Json(Heartbeats { heartbeats, cursor }))
}

/// Heartbeats without their pings and misses.
pub(crate) async fn brief(
    api: &Api,
    defined: impl Iterator<Item = (HeartbeatName, Arc<roster::Heartbeat>)>,
) -> Result<Vec<Heartbeat>, Outage> {
    let rows = stream::iter(defined).map(|(name, heartbeat)| async move {
        let row = api.heartbeats().row(&name).await?;
        Ok(wire::view(&name, &heartbeat, row.as_ref(), Extent::Brief))
    });
    rows.buffered(AT_ONCE).try_collect().await
}

/// Takes a ping with the key of a sender.
async fn take(api: &Api, sender: &Caller, name: &HeartbeatName) -> Result<Ping, Problem> {
    let definition = api.heartbeats().definition(name).await.map_err(|e| Problem::outage(&e))?;
    let Some(definition) = definition else { return Err(absent(name)) };
    if let Some(why) = sender.barred_from(definition.service()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, why));
    }
    let pinged = api.heartbeats().ping(name).await.map_err(|e| Problem::outage_of_change(&e))?;
    let (ping, due_at) = match pinged {
        Pinged::Recorded(row) => ("recorded", row.due_at()),
        Pinged::Counted => ("counted", None),
        Pinged::Unknown => return Err(absent(name)),
    };
    Ok(Ping { heartbeat: name.to_string(), ping: ping.to_owned(), due_at })
}

/// Ping a heartbeat.
///
/// The ping is durable when it is answered. Of pings that come faster than two a second, some are counted and not stored.
/// The body is ignored.
#[utoipa::path(post, path = "/heartbeats/{heartbeat}/ping", tag = "heartbeats",
    params(("heartbeat" = String, Path, example = "nightly-backup")),
    responses(
        (status = 200, description = "the ping counts", body = Ping),
        NoSuchHeartbeat,
        ChangeNotStored,
    ))]
pub(crate) async fn post_ping(
    State(api): State<Api>,
    sender: Caller,
    _: NoParams,
    Path(name): Path<String>,
    _: Bytes,
) -> Result<Json<Ping>, Problem> {
    Ok(Json(take(&api, &sender, &heartbeat_name(&name)?).await?))
}

/// Ping a heartbeat, for senders that can only make GET requests. HEAD does not ping.
#[utoipa::path(get, path = "/heartbeats/{heartbeat}/ping", tag = "heartbeats",
    params(("heartbeat" = String, Path, example = "nightly-backup")),
    responses(
        (status = 200, description = "the ping counts", body = Ping),
        NoSuchHeartbeat,
        ChangeNotStored,
    ))]
pub(crate) async fn get_ping(
    State(api): State<Api>,
    sender: Caller,
    method: Method,
    _: NoParams,
    Path(name): Path<String>,
) -> Result<Json<Ping>, Problem> {
    refuse_head(&method)?;
    Ok(Json(take(&api, &sender, &heartbeat_name(&name)?).await?))
}

fn refuse_head(method: &Method) -> Result<(), Problem> {
    match *method {
        Method::HEAD => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "a HEAD request is not a ping")),
        _ => Ok(()),
    }
}

/// Opsgenie's answer to a ping.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pong {
    /// Always `PONG - Heartbeat received`.
    result: &'static str,
    /// The processing time, in seconds.
    took: f64,
    /// The heartbeat's name.
    request_id: String,
}

type Ponged = (StatusCode, Json<Pong>);

async fn pong(api: &Api, sender: &Caller, name: &str) -> Result<Ponged, Problem> {
    let began = api.engine().clock().monotonic();
    let ping = take(api, sender, &heartbeat_name(name)?).await?;
    let took = api.engine().clock().monotonic().saturating_sub(began).as_secs_f64();
    let pong = Pong { result: "PONG - Heartbeat received", took, request_id: ping.heartbeat };
    Ok((StatusCode::ACCEPTED, Json(pong)))
}

/// Ping a heartbeat, as in Opsgenie.
#[utoipa::path(post, path = "/v2/heartbeats/{name}/ping", operation_id = "opsgenie_post_ping", tag = "intake",
    params(("name" = String, Path, description = "the heartbeat's name")),
    responses(
        (status = 202, description = "the ping counts", body = Pong),
        NoSuchHeartbeat,
        ChangeNotStored,
    ))]
pub(crate) async fn opsgenie_post(
    State(api): State<Api>,
    sender: Caller,
    Path(name): Path<String>,
    _: Bytes,
) -> Result<Ponged, Problem> {
    pong(&api, &sender, &name).await
}

/// Ping a heartbeat, as in Opsgenie. HEAD does not ping.
#[utoipa::path(get, path = "/v2/heartbeats/{name}/ping", operation_id = "opsgenie_get_ping", tag = "intake",
    params(("name" = String, Path, description = "the heartbeat's name")),
    responses(
        (status = 202, description = "the ping counts", body = Pong),
        NoSuchHeartbeat,
        ChangeNotStored,
    ))]
pub(crate) async fn opsgenie_get(
    State(api): State<Api>,
    sender: Caller,
    method: Method,
    Path(name): Path<String>,
) -> Result<Ponged, Problem> {
    refuse_head(&method)?;
    pong(&api, &sender, &name).await
}
