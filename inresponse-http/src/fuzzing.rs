//! The parsers of what strangers send, for the fuzz targets.

use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::model::{IncidentNumber, KeyName, Report, TeamName};
use inresponse_core::plan::Update;
use inresponse_core::roster::{Rota, Team};
use inresponse_core::store::ListQuery;
use serde_json::Value;

use crate::cursor;
use crate::input::{read_json, read_time};
use crate::wire::{report, roster};

/// The body of `PUT /incidents`.
pub fn report(body: &[u8]) -> Result<Report, InvalidInput> {
    report::report(read_json::<api::Report>(body)?)
}

/// The body of `POST /incidents`.
pub fn update(body: &[u8], key_name: &KeyName) -> Result<(IncidentNumber, Update), InvalidInput> {
    report::update(read_json::<api::Update>(body)?, None, key_name)
}

/// The body of `PUT /teams/T`.
pub fn team(body: &[u8]) -> Result<Team, InvalidInput> {
    Ok(roster::settings(read_json::<api::TeamSettings>(body)?)?.0)
}

/// What `GET /teams/T` answers.
pub fn team_view(name: &TeamName, team: &Team) -> Value {
    serde_json::to_value(roster::team(name, team)).expect("a view has only string keys")
}

/// The body of `PUT /teams/T/calendar/D`.
pub fn day(body: &[u8]) -> Result<Rota, InvalidInput> {
    Ok(roster::rota(&read_json::<api::DayEntry>(body)?)?.0)
}

/// What `GET /teams/T/calendar/D` answers.
pub fn day_view(team: &TeamName, rota: &Rota) -> Value {
    serde_json::to_value(roster::day(team, chrono::NaiveDate::MIN, rota))
        .expect("a view has only string keys")
}

/// A time in a body or query.
pub fn time(text: &str) -> Result<chrono::DateTime<chrono::Utc>, InvalidInput> {
    read_time(&api::Time::Text(text.to_owned()), "at")
}

/// A cursor of a list.
pub fn read_cursor(text: &str, list: &ListQuery) -> Result<IncidentNumber, InvalidInput> {
    cursor::read(text, list)
}

/// The cursor of a place in a list.
pub fn write_cursor(below: IncidentNumber, list: &ListQuery) -> String {
    cursor::write(below, list)
}
