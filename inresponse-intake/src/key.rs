//! Keys for trouble that its sender gives none.

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::DedupKey;
use sha2::{Digest, Sha256};

/// A key of a message and the time at which it came: nothing else has it, and the sender can be told it.
pub(crate) fn made_of(message: &[u8], now: DateTime<Utc>) -> Result<DedupKey, InvalidInput> {
    let hash =
        Sha256::new().chain_update(now.timestamp_micros().to_be_bytes()).chain_update(message).finalize();
    DedupKey::new(hash[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
