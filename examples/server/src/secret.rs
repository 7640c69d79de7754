//! What claim links are signed with.

use inresponse_core::Outage;
use inresponse_core::claim::TokenSecret;

use crate::config::SecretText;
use crate::storage::Storage;

const CURRENT: &str = "token-secret";
const PREVIOUS: &str = "token-secret-previous";

/// The secrets whose tokens hold, the one to sign with first: the given or kept one, and the one before it.
pub(crate) async fn token_secrets(
    storage: &Storage,
    given: Option<SecretText>,
) -> Result<Vec<TokenSecret>, Outage> {
    let kept = match &given {
        Some(given) => storage.keep_setting(CURRENT, given.0.clone().into_bytes()).await?,
        None => {
            let mut random = vec![0; 32];
            getrandom::fill(&mut random).map_err(|e| Outage::retryable("no random numbers").because(e))?;
            storage.keep_setting(CURRENT, random).await?
        }
    };
    let current = match given {
        Some(given) if given.0.as_bytes() != kept => {
            storage.put_setting(PREVIOUS, kept).await?;
            storage.put_setting(CURRENT, given.0.clone().into_bytes()).await?;
            given.0.into_bytes()
        }
        Some(_) | None => kept,
    };
    let previous = storage.setting(PREVIOUS).await?;
    let secret = |bytes| {
        TokenSecret::new(bytes).map_err(|e| Outage::permanent("a stored token secret is broken").because(e))
    };
    let mut secrets = vec![secret(current)?];
    if let Some(previous) = previous {
        secrets.push(secret(previous)?);
    }
    Ok(secrets)
}
