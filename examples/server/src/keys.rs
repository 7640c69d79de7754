//! Makes, replaces and stores the API key that is made on the first start.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use inresponse_core::Outage;
use inresponse_http::{ApiKey, Scope, hash_of};

use crate::config::{Config, ServeArgs, StorageConfig};
use crate::storage::Storage;

/// The name of the setting with the hash of the key that was made on the first start.
pub(crate) const FIRST_KEY: &str = "first-key-hash";

/// Makes a random key.
pub(crate) fn random_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(format!("ir_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The SHA-256 hash of the key that was made on the first start, if there is one.
pub(crate) async fn first_key_hash(storage: &Storage) -> Result<Option<String>, Outage> {
    let kept = storage.setting(FIRST_KEY).await?;
    Ok(kept.map(|hash| String::from_utf8_lossy(&hash).into_owned()))
}

/// `inresponse key replace`: revokes the key that was made on the first start, and prints a new one.
pub(crate) async fn replace(args: ServeArgs) -> Result<(), Box<dyn Error>> {
    let config = Config::load(args)?;
    match &config.storage {
        StorageConfig::Sqlite(path) if !path.exists() => {
            return Err(format!("there is no database {} yet", path.display()).into());
        }
        StorageConfig::Sqlite(_) | StorageConfig::Postgres(_) => {}
        #[cfg(feature = "aws")]
        StorageConfig::Dynamo { .. } => {}
    }
    let storage = Storage::open(config.storage).await?;
    let key = random_key()?;
    storage.put_setting(FIRST_KEY, hash_of(&key).into_bytes()).await?;
    println!("API key, printed this once: {key}");
    println!(
        "send SIGHUP to the servers, or restart them: they then accept this key and no longer the old one"
    );
    if !config.keys.is_empty() {
        println!("with this configuration servers accept neither key, because the configuration names keys");
    }
    Ok(())
}

/// The key that was made on the first start. If there is none, one is made and printed now.
pub(crate) async fn first_key(storage: &Storage) -> Result<ApiKey, Outage> {
    let key = random_key().map_err(|e| Outage::retryable("no random numbers").because(e))?;
    let hash = hash_of(&key);
    let kept = storage.keep_setting(FIRST_KEY, hash.clone().into_bytes()).await?;
    if kept == hash.as_bytes() {
        println!("API key, printed this once: {key}");
    }
    first_key_of(&kept)
}

/// The entry of the key that was made on the first start, from its stored hash.
pub(crate) fn first_key_of(hash: &[u8]) -> Result<ApiKey, Outage> {
    ApiKey::from_hash("first-key", &String::from_utf8_lossy(hash), Scope::ALL.to_vec())
        .map_err(|e| Outage::permanent("the stored key cannot be read").because(e))
}
