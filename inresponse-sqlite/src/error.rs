//! The meaning of SQLite's errors.

use inresponse_core::{Outage, OutageKind};
use rusqlite::ErrorCode;

/// When an error occurred. The moment of the error decides whether a change may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The error occurred before anything was committed.
    BeforeCommit,
    /// The error occurred during the commit.
    Commit,
}

/// The outage for an error of SQLite.
pub(crate) fn outage(error: rusqlite::Error, moment: Moment) -> Outage {
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (OutageKind::Retryable, "the database is locked by another process")
        }
        Some(ErrorCode::DiskFull) => (OutageKind::Permanent, "the disk is full"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            (OutageKind::Permanent, "the database is read-only")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (OutageKind::Permanent, "the database file is corrupted or not a database")
        }
        Some(ErrorCode::CannotOpen) => (OutageKind::Permanent, "the database cannot be opened"),
        // An error of the disk while committing (the sync, above all) leaves open what will be there later.
        Some(ErrorCode::SystemIoFailure) if moment == Moment::Commit => {
            (OutageKind::Unknown, "the disk failed while committing")
        }
        Some(ErrorCode::SystemIoFailure) => (OutageKind::Retryable, "the disk failed"),
        _ if moment == Moment::Commit => (OutageKind::Unknown, "the commit failed"),
        _ => (OutageKind::Retryable, "the database failed"),
    };
    Outage::new(kind, message).because(error)
}

/// Whether the connection must be opened again after such an error.
pub(crate) fn spoils_connection(error: &Outage) -> bool {
    match error.kind() {
        OutageKind::Unknown | OutageKind::Permanent => true,
        OutageKind::Retryable => false,
        _ => true,
    }
}
