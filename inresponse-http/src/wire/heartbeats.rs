//! Heartbeats over the wire.

use std::time::Duration;

use inresponse_api as api;
use inresponse_core::InvalidInput;
use inresponse_core::heartbeats::{HeartbeatState, Miss, Row};
use inresponse_core::model::{HeartbeatName, OwnerName, ServiceName, Severity};
use inresponse_core::roster::Heartbeat;

use super::field::owner;

/// Converts a heartbeat from a request.
pub(crate) fn heartbeat(given: api::HeartbeatEntry) -> Result<Heartbeat, InvalidInput> {
    let mut invalid = InvalidInput::default();
    let owner = invalid.keep(owner(given.owner)).flatten();
    let mut missing = |field: &'static str| {
        invalid.push(field, "is missing");
        None
    };
    let service = given.service.or_else(|| missing("service"));
    let severity = given.severity.map(|word| word.to_string()).or_else(|| missing("severity"));
    let every = given.every_seconds.or_else(|| missing_seconds(&mut invalid));
    let service = service.and_then(|name| invalid.keep(ServiceName::new(name)));
    let severity = severity.and_then(|word| invalid.keep(word.parse::<Severity>()));
    let seconds = |seconds: Option<u64>| Duration::from_secs(seconds.unwrap_or_default());
    let (Some(every), grace) = (every, seconds(given.grace_seconds)) else { return Err(invalid) };
    // The other fields are checked even if these are invalid.
    let standing_in = ServiceName::new("service")?;
    let of = service.clone().unwrap_or(standing_in);
    let made = Heartbeat::new(
        of,
        severity.unwrap_or(Severity::Crit),
        Duration::from_secs(every),
        grace,
        given.title,
    );
    match (invalid.keep(made), invalid.is_empty()) {
        (Some(heartbeat), true) => Ok(heartbeat.owned_by(owner)),
        (_, _) => Err(invalid),
    }
}

fn missing_seconds(invalid: &mut InvalidInput) -> Option<u64> {
    invalid.push("everySeconds", "is missing");
    None
}

/// How much of a heartbeat is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What a list has.
    Brief,
    /// With its pings and misses.
    Whole,
}

/// Converts a heartbeat into the API's type. No process may have looked at a new one.
pub(crate) fn view(
    name: &HeartbeatName,
    heartbeat: &Heartbeat,
    row: Option<&Row>,
    extent: Extent,
) -> api::Heartbeat {
    let is_whole = extent == Extent::Whole;
    let state = row.map_or(HeartbeatState::Waiting, Row::state);
    api::Heartbeat {
        heartbeat: name.to_string(),
        service: heartbeat.service().to_string(),
        severity: heartbeat.severity().as_str().into(),
        every_seconds: heartbeat.every().as_secs(),
        grace_seconds: heartbeat.grace().as_secs(),
        title: heartbeat.title().map(str::to_owned),
        state: state.as_str().into(),
        last_ping_at: row.and_then(Row::last_ping_at),
        due_at: row.and_then(Row::due_at),
        incident_id: row.and_then(Row::open_incident).map(|number| number.value()),
        pings: is_whole.then(|| row.into_iter().flat_map(Row::pings).collect()),
        misses: is_whole.then(|| row.into_iter().flat_map(Row::misses).map(miss).collect()),
        owner: heartbeat.owner().map(OwnerName::to_string),
    }
}

fn miss(miss: &Miss) -> api::HeartbeatMiss {
    api::HeartbeatMiss {
        due_at: miss.due_at(),
        last_ping_at: miss.last_ping_at(),
        incident_id: miss.incident().map(|number| number.value()),
        ended_at: miss.ended_at(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_every_wrong_field_of_a_heartbeat_is_named() {
        let fields = |json: &str| -> Vec<String> {
            let refused = heartbeat(serde_json::from_str(json).unwrap()).unwrap_err();
            refused.errors().iter().map(|error| error.field().to_owned()).collect()
        };
        assert_eq!(fields("{}"), ["service", "severity", "everySeconds"]);
        let wrong =
            r#"{"service":"","severity":"BAD","everySeconds":0,"graceSeconds":99999999,"title":"a\u0001"}"#;
        assert_eq!(fields(wrong), ["service", "severity", "everySeconds", "graceSeconds", "title"]);
    }
}
