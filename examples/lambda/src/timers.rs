//! Timers that are executions of the state machine.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::start_execution::StartExecutionError;
use inresponse_core::Outage;
use inresponse_core::engine::Timers;
use inresponse_core::model::IncidentNumber;
use serde_json::json;

/// The time limit for starting an execution, retries included. The answer to a report waits for the start.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Starts an execution for each incident that begins alerting.
#[derive(Debug)]
pub(crate) struct Executions {
    client: Client,
    state_machine: String,
}

impl Executions {
    pub(crate) fn new(aws: &SdkConfig, state_machine: String) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
        // A start that did happen is recognised by its name, so it may be tried again.
        let retries = RetryConfig::standard().with_max_attempts(3);
        let config = aws_sdk_sfn::config::Builder::from(aws).timeout_config(timeouts).retry_config(retries);
        Self { client: Client::from_conf(config.build()), state_machine }
    }
}

#[async_trait]
impl Timers for Executions {
    async fn start(&self, incident: IncidentNumber, wake: u32) -> Result<(), Outage> {
        let started = self
            .client
            .start_execution()
            .state_machine_arn(&self.state_machine)
            .name(format!("incident-{incident}-{wake}"))
            .input(json!({ "incidentId": incident, "wake": wake, "loop": 0 }).to_string())
            .send()
            .await;
        match started {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // A name stays taken for 90 days after its execution has ended.
                Some(StartExecutionError::ExecutionAlreadyExists(_)) => Ok(()),
                _ => Err(Outage::unknown("the state machine could not be started").because(error)),
            },
        }
    }
}
