//! The notifier, which the state machine and SNS call, and the sweeper.

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
use crate::wiring::engine;

/// How long after its begin a call may still begin a send. What is being sent half a lease (15 s) after that is given
/// up, so that the call ends before its own time-out (25 s), and that comes before the lease ends (30 s).
const WITHIN: Duration = Duration::from_secs(6);

/// After how many turns an execution hands over to another: one has at most 25,000 events, and a turn in which
/// everything is tried as often as it may be takes some thirty.
const MAX_TURNS: u32 = 500;

/// How long something must be overdue to have been dropped.
const OVERDUE: Duration = Duration::from_secs(10);

/// What calls the notifier.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Event {
    /// The state machine.
    #[serde(rename_all = "camelCase")]
    Timer {
        incident_id: IncidentNumber,
        /// Under which count the execution was started.
        #[serde(default = "latest")]
        wake: u32,
        /// How often the execution has looped.
        #[serde(default, rename = "loop")]
        turn: u32,
    },
    /// SNS, with what SES tells.
    #[serde(rename_all = "PascalCase")]
    Sns { records: Vec<SnsRecord> },
}

/// A caller that names no execution is not superseded.
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
    let (engine, _) = engine(&config).await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| match event.payload {
        Event::Timer { incident_id, wake, turn } => advance(&engine, incident_id, wake, turn).await,
        Event::Sns { records } => take_notices(&engine, &records).await,
    }))
    .await
}

/// `{"done": true}`, or `{"done": false, "waitUntil": …}` with a whole second, since that is all that a state machine
/// waits to.
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

/// Marks what came back as dead. What cannot be read is logged and left: a repeat would not help.
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

/// Sweeps whenever it is called, until Lambda ends the process.
pub(crate) async fn run_sweeper(config: Config) -> Result<(), Error> {
    let (engine, _) = engine(&config).await?;
    lambda_runtime::run(service_fn(async |_: LambdaEvent<Value>| {
        let swept = engine.sweep(OVERDUE).await?;
        let answer = json!({
            "restarted": swept.restarted,
            "advanced": swept.advanced,
            "failed": swept.failed,
        });
        if swept.failed > 0 {
            return Err(Error::from(format!("{} incidents stay overdue", swept.failed)));
        }
        Ok(answer)
    }))
    .await
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
