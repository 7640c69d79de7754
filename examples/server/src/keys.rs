//! Making API keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inresponse_core::Outage;
use inresponse_http::{ApiKey, Scope, hash_of};

use crate::storage::Storage;

/// Under which name the hash of the key that was made on the first start is kept.
const FIRST_KEY: &str = "first-key-hash";

/// A random key.
pub(crate) fn random_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(format!("ir_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The key that was made on the first start, or one that is made and printed now.
pub(crate) async fn first_key(storage: &Storage) -> Result<ApiKey, Outage> {
    let key = random_key().map_err(|e| Outage::retryable("no random numbers").because(e))?;
    let hash = hash_of(&key);
    let kept = storage.keep_setting(FIRST_KEY, hash.clone().into_bytes()).await?;
    if kept == hash.as_bytes() {
        println!("API key, printed this once: {key}");
    }
    let kept = String::from_utf8_lossy(&kept);
    ApiKey::from_hash("first-key", &kept, Scope::ALL.to_vec())
        .map_err(|e| Outage::permanent("the stored key cannot be read").because(e))
}
