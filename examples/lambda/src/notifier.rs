//! The function `notifier`, which the state machine and SNS call.

use std::time::Duration;

use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use inresponse_core::engine::Advanced;
use inresponse_core::model::IncidentNumber;
use inresponse_core::{Chain, Engine};
use inresponse_ses::Taken;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Config;
use crate::wiring::{Parts, parts};

/// How long after its beginning a call may still begin a send. A send that begins at the last moment is given up after
/// half a lease (15 s), so the call ends before its own time-out (25 s), which comes before the lease ends (30 s).
const WITHIN: Duration = Duration::from_secs(6);

/// The number of turns after which an execution hands over to a new one. An execution has at most 25,000 events, and a
/// turn with every possible retry takes about thirty.
const MAX_TURNS: u32 = 500;

/// An event that calls the notifier.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Event {
    /// A call by the state machine.
    #[serde(rename_all = "camelCase")]
    Timer {
        incident_id: IncidentNumber,
        /// The count with which the execution was started. A newer execution has a higher count.
        #[serde(default = "latest")]
        wake: u32,
        /// The number of turns that the execution has made.
        #[serde(default, rename = "loop")]
        turn: u32,
    },
    /// A call by SNS, with reports of SES.
    #[serde(rename_all = "PascalCase")]
    Sns { records: Vec<SnsRecord> },
}

/// The count of a caller that names no execution. No newer execution replaces this caller.
fn latest() -> u32 {
    u32::MAX
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SnsRecord {
    sns: SnsMessage,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SnsMessage {
    message: String,
}

/// Answers calls until Lambda ends the process.
pub(crate) async fn run(config: Config) -> Result<(), Error> {
    let Parts { engine, .. } = parts(&config).await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| match event.payload {
        Event::Timer { incident_id, wake, turn } => advance(&engine, incident_id, wake, turn).await,
        Event::Sns { records } => take_notices(&engine, &records).await,
    }))
    .await
}

/// Answers `{"done": true}`, or `{"done": false, "waitUntil": …}`. The time is a whole second, because a state machine
/// can wait for nothing finer.
async fn advance(engine: &Engine, number: IncidentNumber, wake: u32, turn: u32) -> Result<Value, Error> {
    let until = match engine.advance_woken(number, wake, WITHIN).await? {
        Advanced::Done | Advanced::Absent | Advanced::Superseded => return Ok(json!({ "done": true })),
        Advanced::WaitUntil(at) => at,
    };
    if turn >= MAX_TURNS {
        match engine.restart_timer(number).await {
            Ok(()) => return Ok(json!({ "done": true })),
            Err(error) => {
                tracing::error!(incident = number.value(), error = %Chain::of(&error), "the execution cannot hand over yet");
            }
        }
    }
    Ok(json!({ "done": false, "waitUntil": whole_second_after(until) }))
}

fn whole_second_after(at: DateTime<Utc>) -> String {
    let rounded = at.duration_round_up(TimeDelta::seconds(1)).unwrap_or(at);
    rounded.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Marks bounced deliveries as dead. A report that cannot be read is logged and ignored, because a repeat would not
/// help.
async fn take_notices(engine: &Engine, records: &[SnsRecord]) -> Result<Value, Error> {
    for record in records {
        match inresponse_ses::take(engine, record.sns.message.as_bytes()).await? {
            Taken::Dead | Taken::Nothing => {}
            Taken::Foreign(error) => {
                tracing::error!(error = %Chain::of(&error), "a notification of SES cannot be read");
            }
        }
    }
    Ok(json!({ "taken": records.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p08_times_to_wait_for_are_rounded_up_to_the_second() {
        for (micros, expected) in [
            (1_800_000_000_000_000, "2027-01-15T08:00:00Z"),
            (1_800_000_000_000_001, "2027-01-15T08:00:01Z"),
            (1_800_000_000_999_999, "2027-01-15T08:00:01Z"),
        ] {
            assert_eq!(whole_second_after(DateTime::from_timestamp_micros(micros).unwrap()), expected);
        }
    }

    #[test]
    fn events_are_told_apart() {
        let timer = |event: Value| match serde_json::from_value(event).unwrap() {
            Event::Timer { incident_id, wake, turn } => (incident_id.value(), wake, turn),
            Event::Sns { .. } => panic!("a timer"),
        };
        assert_eq!(timer(json!({ "incidentId": 7 })), (7, u32::MAX, 0));
        assert_eq!(timer(json!({ "incidentId": 7, "wake": 2, "loop": 3 })), (7, 2, 3));
        let sns = json!({ "Records": [{ "EventSource": "aws:sns", "Sns": { "Message": "{}" } }] });
        assert!(matches!(serde_json::from_value(sns), Ok(Event::Sns { records }) if records.len() == 1));
        assert!(serde_json::from_value::<Event>(json!({ "source": "aws.events" })).is_err());
    }
}
