//! Calls DynamoDB with a limited number of tries.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::AsyncSleep as _;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use inresponse_core::{Outage, OutageKind};

use crate::error::{OperationError, Trouble, outage, trouble};
use crate::write_id::random;

/// The maximum number of tries of a call. With the time-outs and pauses below, a call ends within nine seconds.
const TRIES: u32 = 4;
/// The time limit of one try.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The pause after the first try. The pause doubles with each try, and half of it is random.
const PAUSE: Duration = Duration::from_millis(60);

/// The client without its own retries, with a time limit. This module decides about retries, because it knows the
/// effect of a second try.
pub(crate) fn bounded(client: &Client) -> Client {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(TIMEOUT).operation_timeout(TIMEOUT).build();
    let config = client.config().to_builder().retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    Client::from_conf(config.build())
}

/// Whether a write may be sent again although the first try may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// The write may be sent again: it changes nothing twice, or is recognised by its write id.
    Harmless,
    /// The write must not be sent again.
    Never,
}

/// A call that failed.
#[derive(Debug)]
pub(crate) struct Failure<E> {
    /// The error of the last try.
    pub(crate) error: SdkError<E>,
    /// The meaning of the error.
    pub(crate) trouble: Trouble,
    /// Whether an earlier try may have changed something.
    pub(crate) unsure: bool,
}

impl<E: OperationError> Failure<E> {
    /// Whether the call failed because a condition was not met.
    pub(crate) fn is_condition(&self) -> bool {
        self.trouble == Trouble::Condition
    }

    pub(crate) fn into_outage(self) -> Outage {
        let trouble = if self.unsure { Trouble::Unsure } else { self.trouble };
        outage(self.error, trouble)
    }
}

/// Calls a write until it succeeds, a condition fails, or the tries are used up.
pub(crate) async fn write<T, E, F>(
    client: &Client,
    again: Again,
    call: impl Fn() -> F,
) -> Result<T, Failure<E>>
where
    E: OperationError,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    let (mut tried, mut unsure) = (0, false);
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        tried += 1;
        let trouble = trouble(&error);
        let may_go_on = match trouble {
            Trouble::Throttled | Trouble::Conflict => true,
            Trouble::Unsure => again == Again::Harmless,
            Trouble::Condition | Trouble::Refused => false,
        };
        if !may_go_on || tried == TRIES {
            return Err(Failure { error, trouble, unsure });
        }
        unsure |= trouble == Trouble::Unsure;
        tracing::debug!(tried, ?trouble, "a write to DynamoDB is tried again");
        pause(client, tried).await;
    }
}

/// Calls a read. A failed read has changed nothing, so every error except a refusal is worth another try.
pub(crate) async fn read<T, E, F>(client: &Client, call: impl Fn() -> F) -> Result<T, Outage>
where
    E: OperationError,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    write(client, Again::Harmless, call).await.map_err(|failure| {
        let outage = failure.into_outage();
        match outage.kind() {
            OutageKind::Unknown => Outage::retryable("DynamoDB did not answer").because(outage),
            _ => outage,
        }
    })
}

/// Waits before the next try, with the client's own timer.
pub(crate) async fn pause(client: &Client, tried: u32) {
    let whole = PAUSE * 2u32.saturating_pow(tried.saturating_sub(1)).min(16);
    let part = f64::from(random::<1>()[0]) / 255.0;
    let pause = whole / 2 + (whole / 2).mul_f64(part);
    match client.config().sleep_impl() {
        Some(sleep) => sleep.sleep(pause).await,
        None => tokio::time::sleep(pause).await,
    }
}
