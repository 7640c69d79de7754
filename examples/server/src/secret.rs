//! The secrets that sign claim links.

use chrono::{DateTime, Utc};
use inresponse_channels::SecretText;
use inresponse_core::Outage;
use inresponse_core::claim::TokenSecret;

use crate::storage::Storage;

const CURRENT: &str = "token-secret";
const PREVIOUS: &str = "token-secret-previous";
/// The name of the setting with the time when the previous secret was replaced, in Unix seconds.
const REPLACED_AT: &str = "token-secret-replaced-at";

/// The secrets with valid links. The first secret signs: the configured or the stored one. The previous secret is
/// included as long as links signed with it are valid.
pub(crate) async fn token_secrets(
    storage: &Storage,
    given: Option<SecretText>,
    now: DateTime<Utc>,
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
            storage.put_setting(REPLACED_AT, seconds(now)).await?;
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
        // Earlier versions did not record the time. Then the current time counts.
        let replaced_at = storage.keep_setting(REPLACED_AT, seconds(now)).await?;
        let replaced_at = String::from_utf8(replaced_at).ok().and_then(|text| text.parse().ok());
        let replaced_at = replaced_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let replaced_at = replaced_at
            .ok_or_else(|| Outage::permanent("the time when the token secret was replaced cannot be read"))?;
        secrets.push(secret(previous)?.replaced_at(replaced_at));
    }
    Ok(secrets)
}

fn seconds(at: DateTime<Utc>) -> Vec<u8> {
    at.timestamp().to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use inresponse_core::claim::ClaimToken;
    use inresponse_core::model::{Contact, IncidentNumber};

    use super::*;
    use crate::config::StorageConfig;

    async fn secrets(storage: &Storage, given: &str, now: DateTime<Utc>) -> Vec<TokenSecret> {
        token_secrets(storage, Some(given.to_owned().into()), now).await.unwrap()
    }

    /// Whether a new link of that secret is valid.
    fn holds(secrets: &[TokenSecret], made_with: &str, now: DateTime<Utc>) -> bool {
        let secret = TokenSecret::new(made_with.as_bytes()).unwrap();
        let number = IncidentNumber::new(7);
        let token = ClaimToken::new(number, Contact::new("jo@example.org").unwrap(), now).sign(&secret);
        ClaimToken::verify(&token, number, secrets, now).is_ok()
    }

    const OLD: &str = "an-old-secret-of-some-length-0123";
    const NEW: &str = "a-new-secret-of-some-length-01234";

    #[tokio::test]
    async fn p20_a_replaced_secret_holds_for_seven_days_from_its_replacement_however_often_one_starts() {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig::Sqlite(dir.path().join("x.db"))).await.unwrap();
        let begin = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        secrets(&storage, OLD, begin).await;
        let replaced = begin + TimeDelta::days(100);
        for days in [0, 1, 6, 7, 8, 400] {
            let now = replaced + TimeDelta::days(days);
            let secrets = secrets(&storage, NEW, now).await;
            assert!(holds(&secrets, NEW, now), "{days}");
            assert_eq!(holds(&secrets, OLD, now), days < 7, "{days}");
        }
        // Also of a server that started before and goes on.
        let first = secrets(&storage, NEW, replaced).await;
        assert!(!holds(&first, OLD, replaced + TimeDelta::days(7)));
    }

    #[tokio::test]
    async fn p20_a_secret_that_an_older_version_replaced_holds_for_seven_days_from_now() {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(StorageConfig::Sqlite(dir.path().join("x.db"))).await.unwrap();
        storage.put_setting(PREVIOUS, OLD.into()).await.unwrap();
        storage.put_setting(CURRENT, NEW.into()).await.unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for (days, is_good) in [(0, true), (6, true), (7, false)] {
            let now = now + TimeDelta::days(days);
            assert_eq!(holds(&secrets(&storage, NEW, now).await, OLD, now), is_good, "{days}");
        }
    }
}
