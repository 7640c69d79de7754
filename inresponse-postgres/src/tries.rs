//! Sends a write again while its result is unknown.

use std::time::Duration;

use inresponse_core::Outage;

use crate::error::Failure;

/// The pauses before a write is sent again.
const PAUSES: [Duration; 3] = [Duration::from_millis(20), Duration::from_millis(200), Duration::from_secs(1)];

/// The result of one try of a write.
#[derive(Debug)]
pub(crate) enum Tried<T> {
    Done(T),
    /// Nothing is known about the try, or it was undone because of other transactions.
    Again(Failure),
}

impl<T> Tried<T> {
    /// The result of a try that failed: whether it should be repeated.
    pub(crate) fn of(failure: Failure) -> Result<Self, Outage> {
        if failure.is_unknown() || failure.is_contention() {
            Ok(Self::Again(failure))
        } else {
            Err(failure.of_write())
        }
    }
}

/// Whether an earlier try of the same write may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    None,
    Perhaps,
}

/// The tries of a write. The write has an id, so that it takes effect once.
#[derive(Debug)]
pub(crate) struct Tries {
    earlier: Earlier,
    pauses: std::array::IntoIter<Duration, { PAUSES.len() }>,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self { earlier: Earlier::None, pauses: PAUSES.into_iter() }
    }

    /// Whether an earlier try may have happened.
    pub(crate) fn earlier(&self) -> Earlier {
        self.earlier
    }

    /// The result of the write after a try; `None`, after a pause, if the write should be tried again.
    ///
    /// An outage after a try whose result is unknown is of kind unknown.
    pub(crate) async fn after<T>(&mut self, tried: Result<Tried<T>, Outage>) -> Result<Option<T>, Outage> {
        let outage = match tried {
            Ok(Tried::Done(done)) => return Ok(Some(done)),
            Ok(Tried::Again(failure)) => {
                if failure.is_unknown() {
                    self.earlier = Earlier::Perhaps;
                }
                failure.of_write()
            }
            Err(outage) if self.earlier == Earlier::None => return Err(outage),
            Err(outage) => outage,
        };
        match (self.pauses.next(), self.earlier) {
            (Some(pause), _) => {
                tokio::time::sleep(pause).await;
                Ok(None)
            }
            (None, Earlier::None) => Err(outage),
            (None, Earlier::Perhaps) => {
                Err(Outage::unknown("it is not known whether the write happened").because(outage))
            }
        }
    }
}
