//! The parsers of what strangers send, for the fuzz targets.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use inresponse_core::InvalidInput;
use inresponse_core::model::{IncidentNumber, KeyName, Report, TeamName};
use inresponse_core::plan::Update;
use inresponse_core::roster::{Rota, Team};
use inresponse_core::store::ListQuery;
use serde_json::Value;

use crate::client::{Client, TrustedProxies};
use crate::cursor;
use crate::input::{Time, read_json};
use crate::wire::report::{PostIncident, PutIncident};
use crate::wire::roster::{DayView, PutDay, PutTeam, TeamView};

/// The body of `PUT /incidents`.
pub fn report(body: &[u8]) -> Result<Report, InvalidInput> {
    read_json::<PutIncident>(body)?.into_report()
}

/// The body of `POST /incidents`.
pub fn update(body: &[u8], key_name: &KeyName) -> Result<(IncidentNumber, Update), InvalidInput> {
    read_json::<PostIncident>(body)?.into_update(None, key_name)
}

/// The body of `PUT /teams/T`.
pub fn team(body: &[u8]) -> Result<Team, InvalidInput> {
    Ok(read_json::<PutTeam>(body)?.into_team()?.0)
}

/// What `GET /teams/T` answers.
pub fn team_view(name: &TeamName, team: &Team) -> Value {
    serde_json::to_value(TeamView::new(name, team)).expect("a view has only string keys")
}

/// The body of `PUT /teams/T/calendar/D`.
pub fn day(body: &[u8]) -> Result<Rota, InvalidInput> {
    Ok(read_json::<PutDay>(body)?.into_rota()?.0)
}

/// What `GET /teams/T/calendar/D` answers.
pub fn day_view(team: &TeamName, rota: &Rota) -> Value {
    serde_json::to_value(DayView::new(team, chrono::NaiveDate::MIN, rota))
        .expect("a view has only string keys")
}

/// A time in a body or query.
pub fn time(text: &str) -> Result<chrono::DateTime<chrono::Utc>, InvalidInput> {
    Time::Text(text.to_owned()).read("at")
}

/// Who sent a request: the address that is believed, and what the log says of it.
pub fn client(peer: SocketAddr, proxies: &TrustedProxies, headers: &HeaderMap) -> (Option<IpAddr>, String) {
    let mut request = Request::new(Body::empty());
    *request.headers_mut() = headers.clone();
    request.extensions_mut().insert(ConnectInfo(peer));
    let client = Client::of(&request, proxies);
    (client.address(), client.to_string())
}

/// The value of a session's cookie, as it is written once it was read.
#[cfg(feature = "pages")]
pub fn session(text: &str) -> Option<String> {
    crate::pages::sessions::read_again(text)
}

/// A cursor of a list.
pub fn read_cursor(text: &str, list: &ListQuery) -> Result<IncidentNumber, InvalidInput> {
    cursor::read(text, list)
}

/// The cursor of a place in a list.
pub fn write_cursor(below: IncidentNumber, list: &ListQuery) -> String {
    cursor::write(below, list)
}
