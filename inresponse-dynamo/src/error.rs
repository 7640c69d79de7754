//! The meanings of DynamoDB's errors.

use std::error::Error as StdError;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::scan::ScanError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_time_to_live::UpdateTimeToLiveError;
use aws_sdk_dynamodb::types::CancellationReason;
use inresponse_core::{Outage, OutageKind};

use crate::item::Item;

/// The meaning of a failed call, for a caller that decides whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing was changed, because there are too many requests.
    Throttled,
    /// Nothing was changed, because another transaction held an item.
    Conflict,
    /// The change may have happened.
    Unsure,
    /// Nothing was changed, because a condition failed.
    Condition,
    /// Nothing was changed, and the same call would fail again.
    Refused,
}

/// The error of an operation, with the details that only some operations return.
pub(crate) trait OperationError: ProvideErrorMetadata + StdError + Send + Sync + 'static {
    /// For each part of a transaction, the reason why it was cancelled.
    fn reasons(&self) -> &[CancellationReason] {
        &[]
    }

    /// The item on which the condition failed, if the error contains it.
    fn found(&self) -> Option<&Item> {
        None
    }
}

macro_rules! tells_nothing {
    ($($error:ty),+ $(,)?) => { $(impl OperationError for $error {})+ };
}

tells_nothing!(
    BatchGetItemError,
    BatchWriteItemError,
    CreateTableError,
    DeleteItemError,
    DescribeTableError,
    GetItemError,
    QueryError,
    ScanError,
    UpdateTimeToLiveError,
);

impl OperationError for PutItemError {
    fn found(&self) -> Option<&Item> {
        match self {
            PutItemError::ConditionalCheckFailedException(failed) => failed.item(),
            _ => None,
        }
    }
}

impl OperationError for UpdateItemError {
    fn found(&self) -> Option<&Item> {
        match self {
            UpdateItemError::ConditionalCheckFailedException(failed) => failed.item(),
            _ => None,
        }
    }
}

impl OperationError for TransactWriteItemsError {
    fn reasons(&self) -> &[CancellationReason] {
        match self {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                cancelled.cancellation_reasons()
            }
            _ => &[],
        }
    }
}

/// Whether that part of a transaction was cancelled because its condition failed.
pub(crate) fn failed_its_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// The meaning of an error. The codes come from the API reference: common errors and cancellation reasons.
pub(crate) fn trouble<E: OperationError>(error: &SdkError<E>) -> Trouble {
    let service = match error {
        SdkError::ConstructionFailure(_) => return Trouble::Refused,
        SdkError::ServiceError(service) => service,
        // No answer, or one that cannot be read.
        _ => return Trouble::Unsure,
    };
    if service.raw().status().is_server_error() {
        return Trouble::Unsure;
    }
    match service.err().code().unwrap_or_default() {
        "ConditionalCheckFailedException" => Trouble::Condition,
        "TransactionCanceledException" => cancelled(service.err().reasons()),
        "TransactionConflictException" => Trouble::Conflict,
        // The same token is still being worked on: an earlier try of the same write.
        "TransactionInProgressException" => Trouble::Unsure,
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "LimitExceededException" => Trouble::Throttled,
        _ => Trouble::Refused,
    }
}

fn cancelled(reasons: &[CancellationReason]) -> Trouble {
    let is = |codes: &[&str]| reasons.iter().any(|r| r.code().is_some_and(|code| codes.contains(&code)));
    if is(&["ConditionalCheckFailed"]) {
        Trouble::Condition
    } else if is(&["TransactionConflict"]) {
        Trouble::Conflict
    } else if is(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
        Trouble::Throttled
    } else {
        Trouble::Refused
    }
}

/// The outage for a failed write.
pub(crate) fn outage<E: OperationError>(error: SdkError<E>, trouble: Trouble) -> Outage {
    let code = error.as_service_error().and_then(|e| e.code()).unwrap_or("no code").to_owned();
    let (kind, message) = match trouble {
        Trouble::Throttled => (OutageKind::Retryable, "DynamoDB is throttling".to_owned()),
        Trouble::Conflict => (OutageKind::Retryable, "an item was held by other transactions".to_owned()),
        Trouble::Unsure => (OutageKind::Unknown, "DynamoDB did not answer".to_owned()),
        Trouble::Condition => (OutageKind::Retryable, "an item changed too often".to_owned()),
        Trouble::Refused => (OutageKind::Permanent, format!("DynamoDB refused the call ({code})")),
    };
    Outage::new(kind, message).because(error)
}
