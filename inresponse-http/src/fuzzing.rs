//! The parsers of untrusted input, exported for the fuzz targets.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::model::{HeartbeatName, IncidentNumber, KeyName, Report, SilenceId, TeamName};
use inresponse_core::plan::Update;
use inresponse_core::roster::{Heartbeat, Rota, Routes, Silence, Target, Team};
use inresponse_core::store::ListQuery;
use serde_json::Value;

use crate::address::{Client, TrustedProxies};
use crate::cursor;
use crate::input::{read_json, read_time};
use crate::wire::{self, report, roster, rules};

/// Parses the body of `PUT /incidents`.
pub fn report(body: &[u8]) -> Result<Report, InvalidInput> {
    report::report(read_json::<api::Report>(body)?)
}

/// Parses the body of `POST /incidents`.
///
/// Returns the number of the incident, the update, and whom it calls in.
pub fn update(
    body: &[u8],
    key_name: &KeyName,
) -> Result<(IncidentNumber, Update, Vec<Target>), InvalidInput> {
    report::update(read_json::<api::Update>(body)?, None, key_name)
}

/// Parses the body of `PUT /teams/T`.
pub fn team(body: &[u8]) -> Result<Team, InvalidInput> {
    Ok(roster::settings(read_json::<api::TeamSettings>(body)?)?.0)
}

/// The answer of `GET /teams/T`.
pub fn team_view(name: &TeamName, team: &Team) -> Value {
    serde_json::to_value(roster::team(name, team)).expect("a view has only string keys")
}

/// Parses the body of `PUT /routes`.
pub fn routes(body: &[u8]) -> Result<Routes, InvalidInput> {
    rules::routes(read_json::<api::RoutesEntry>(body)?)
}

/// The answer of `GET /routes`.
pub fn routes_view(routes: &Routes) -> Value {
    serde_json::to_value(rules::routes_of(routes)).expect("a view has only string keys")
}

/// Parses the body of `PUT /teams/T/calendar/D`.
pub fn day(body: &[u8]) -> Result<Rota, InvalidInput> {
    Ok(roster::rota(&read_json::<api::DayEntry>(body)?)?.0)
}

/// The answer of `GET /teams/T/calendar/D`.
pub fn day_view(team: &TeamName, rota: &Rota) -> Value {
    serde_json::to_value(roster::day(team, chrono::NaiveDate::MIN, rota))
        .expect("a view has only string keys")
}

/// Parses the body of `PUT /silences/ID`.
pub fn silence(body: &[u8], now: DateTime<Utc>) -> Result<Silence, InvalidInput> {
    wire::silence::silence(read_json::<api::SilenceEntry>(body)?, now)
}

/// Parses the body of Alertmanager's `POST /api/v2/silences`.
pub fn alertmanager_silence(body: &[u8]) -> Result<Silence, InvalidInput> {
    crate::routes::alertmanager::read(&read_json(body)?)
}

/// The answer of `GET /silences/ID`.
pub fn silence_view(id: &SilenceId, silence: &Silence) -> Value {
    serde_json::to_value(wire::silence::silence_of(id, silence)).expect("a view has only string keys")
}

/// Parses the body of `PUT /heartbeats/H`.
pub fn heartbeat(body: &[u8]) -> Result<Heartbeat, InvalidInput> {
    wire::heartbeats::heartbeat(read_json::<api::HeartbeatEntry>(body)?)
}

/// The answer of `GET /heartbeats/H`, if it has never pinged.
pub fn heartbeat_view(name: &HeartbeatName, heartbeat: &Heartbeat) -> Value {
    let view = wire::heartbeats::view(name, heartbeat, None, wire::heartbeats::Extent::Whole);
    serde_json::to_value(view).expect("a view has only string keys")
}

/// Parses a time in a body or query.
pub fn time(text: &str) -> Result<DateTime<Utc>, InvalidInput> {
    read_time(&api::Time::Text(text.to_owned()), "at")
}

/// The sender of a request: the address that the server believes, and the log's words for it.
pub fn client(peer: SocketAddr, proxies: &TrustedProxies, headers: &HeaderMap) -> (Option<IpAddr>, String) {
    let mut request = Request::new(Body::empty());
    *request.headers_mut() = headers.clone();
    request.extensions_mut().insert(ConnectInfo(peer));
    let client = Client::of(&request, proxies);
    (client.address(), client.to_string())
}

/// Parses the value of a session's cookie and writes it again.
#[cfg(feature = "pages")]
pub fn session(text: &str) -> Option<String> {
    crate::pages::sessions::read_again(text)
}

/// Parses a cursor of a list.
pub fn read_cursor(text: &str, list: &ListQuery) -> Result<IncidentNumber, InvalidInput> {
    cursor::read(text, list)
}

/// Writes the cursor of the page that begins with the next lower incident number.
pub fn write_cursor(below: IncidentNumber, list: &ListQuery) -> String {
    cursor::write(below, list)
}
