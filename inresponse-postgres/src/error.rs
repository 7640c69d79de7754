//! The meaning of PostgreSQL's errors.

use inresponse_core::{Outage, OutageKind};
use tokio_postgres::error::{Severity, SqlState};

/// A statement that failed. Its kind says whether the statement's changes may have happened.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: OutageKind,
    message: &'static str,
    error: Option<tokio_postgres::Error>,
}

impl Failure {
    /// The failure of a statement, given the error that ended it.
    pub(crate) fn of(error: tokio_postgres::Error) -> Self {
        let (kind, message) = match error.as_db_error() {
            // The server ends the session, perhaps after the commit and before its answer.
            Some(answer) if !matches!(answer.parsed_severity(), Some(Severity::Error)) => {
                (OutageKind::Unknown, "the database ended the connection")
            }
            // The server has undone the statement.
            Some(answer) => meaning(answer.code()),
            None => (OutageKind::Unknown, "the connection to the database broke"),
        };
        Self { kind, message, error: Some(error) }
    }

    /// The failure of a statement that was not answered in time.
    pub(crate) fn late() -> Self {
        Self { kind: OutageKind::Unknown, message: "the database did not answer in time", error: None }
    }

    /// The failure of a statement in a transaction that was not committed: nothing was changed, and a repetition may
    /// succeed unless the statement is wrong.
    pub(crate) fn undone(self) -> Self {
        let kind = if self.kind == OutageKind::Unknown { OutageKind::Retryable } else { self.kind };
        Self { kind, ..self }
    }

    /// Whether the changes of the statement may have happened.
    pub(crate) fn is_unknown(&self) -> bool {
        self.kind == OutageKind::Unknown
    }

    /// Whether the statement was undone because of other transactions, and will probably succeed when it is repeated.
    pub(crate) fn is_contention(&self) -> bool {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
            .iter()
            .any(|code| self.code() == Some(code))
    }

    /// Whether a row broke the constraint with that name.
    pub(crate) fn breaks(&self, constraint: &str) -> bool {
        let answer = self.error.as_ref().and_then(tokio_postgres::Error::as_db_error);
        answer.and_then(|answer| answer.constraint()) == Some(constraint)
    }

    fn code(&self) -> Option<&SqlState> {
        self.error.as_ref().and_then(tokio_postgres::Error::code)
    }

    /// Whether the session must not be used again.
    pub(crate) fn spoils_session(&self) -> bool {
        self.is_unknown() || self.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
    }

    /// The outage, if the statement was a read.
    pub(crate) fn of_read(self) -> Outage {
        self.undone().of_write()
    }

    /// The outage, if the statement was a write.
    pub(crate) fn of_write(self) -> Outage {
        let outage = Outage::new(self.kind, self.message);
        match self.error {
            Some(error) => outage.because(error),
            None => outage,
        }
    }
}

/// The meaning of an error after which the server has undone the statement.
fn meaning(code: &SqlState) -> (OutageKind, &'static str) {
    match code.code() {
        "53100" => (OutageKind::Permanent, "the disk of the database is full"),
        "25006" => (OutageKind::Retryable, "the database is read-only"),
        "40001" | "40P01" => (OutageKind::Retryable, "other transactions were in the way"),
        "55P03" => (OutageKind::Retryable, "the database waited too long for a lock"),
        "57014" => (OutageKind::Retryable, "the database took too long"),
        "42501" => (OutageKind::Permanent, "the user of the database lacks a privilege"),
        code => match code.get(..2) {
            // Integrity, syntax, and names of tables and columns.
            Some("22" | "23" | "42") => (OutageKind::Permanent, "the database refused the statement"),
            Some("28") => (OutageKind::Permanent, "the database refused the user or the password"),
            Some("3D") => (OutageKind::Permanent, "the database does not exist"),
            _ => (OutageKind::Retryable, "the database failed"),
        },
    }
}

/// The outage if no connection could be opened. Nothing was changed.
pub(crate) fn unreachable(error: tokio_postgres::Error) -> Outage {
    let (kind, message) = match error.code() {
        Some(code) => match meaning(code) {
            (_, "the database failed") => (OutageKind::Retryable, "the database accepts no connection"),
            known => known,
        },
        None => (OutageKind::Retryable, "the database cannot be reached"),
    };
    Outage::new(kind, message).because(error)
}
