//! The API keys that are accepted, and the secrets that sign the links in alerts.

use chrono::{DateTime, TimeDelta, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::claim::TokenSecret;
use inresponse_http::{ApiKey, Grant, Scope};
use serde::Deserialize;

use crate::variables::Variables;

/// How far the clock of the machine that replaced a secret may be ahead.
const CLOCK_AHEAD: TimeDelta = TimeDelta::hours(1);

/// An entry of `INRESPONSE_API_KEYS`, with the fields of `[[keys]]` in the server's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    hash: String,
    scopes: Vec<String>,
    service: Option<String>,
}

/// The accepted API keys: one key with all scopes, and the listed ones.
pub(crate) fn api_keys(variables: &Variables<'_>, invalid: &mut InvalidInput) -> Vec<ApiKey> {
    const ONE: &str = "INRESPONSE_API_KEY";
    const MORE: &str = "INRESPONSE_API_KEYS";
    let one = variables.required(ONE, invalid);
    if !one.is_empty() && one.chars().count() < ApiKey::MIN_CHARS {
        invalid.push(ONE, format!("must have at least {} characters", ApiKey::MIN_CHARS));
    }
    let named = |name: &'static str| move |e: InvalidInput| InvalidInput::field(name, e.to_string());
    let one = ApiKey::from_plain("admin", &one, Scope::ALL.to_vec()).map_err(named(ONE));
    let mut keys: Vec<ApiKey> = invalid.keep(one).into_iter().collect();
    let listed = variables.optional(MORE).unwrap_or_else(|| "[]".to_owned());
    let listed = serde_json::from_str::<Vec<Entry>>(&listed)
        .map_err(|e| InvalidInput::field(MORE, format!("must be a list of keys as JSON: {e}")));
    for (place, entry) in invalid.keep(listed).into_iter().flatten().enumerate() {
        let at = |e: InvalidInput| InvalidInput::field(format!("{MORE}[{place}]"), e.to_string());
        let key = ApiKey::from_hash(&entry.name, &entry.hash, Vec::new());
        let key = key.and_then(|key| Ok(key.granted(Grant::read(&entry.scopes, entry.service)?)));
        keys.extend(invalid.keep(key.map_err(at)));
    }
    keys
}

/// The secrets whose links are valid. The first secret signs. The previous secret is included as long as links signed
/// with it are valid.
pub(crate) fn token_secrets(
    variables: &Variables<'_>,
    now: DateTime<Utc>,
    invalid: &mut InvalidInput,
) -> Vec<TokenSecret> {
    const CURRENT: &str = "INRESPONSE_TOKEN_SECRET";
    const PREVIOUS: &str = "INRESPONSE_PREVIOUS_TOKEN_SECRET";
    const REPLACED_AT: &str = "INRESPONSE_TOKEN_SECRET_REPLACED_AT";
    let secret = |name: &'static str, text: String| {
        TokenSecret::new(text.into_bytes()).map_err(|e| InvalidInput::field(name, e.to_string()))
    };
    let current = variables.required(CURRENT, invalid);
    let mut secrets: Vec<_> = invalid.keep(secret(CURRENT, current)).into_iter().collect();
    let (previous, replaced_at) = match (variables.optional(PREVIOUS), variables.optional(REPLACED_AT)) {
        (None, None) => return secrets,
        (Some(previous), Some(replaced_at)) => (previous, replaced_at),
        (Some(_), None) => {
            invalid.push(REPLACED_AT, format!("is missing, and {PREVIOUS} is given"));
            return secrets;
        }
        (None, Some(_)) => {
            invalid.push(PREVIOUS, format!("is missing, and {REPLACED_AT} is given"));
            return secrets;
        }
    };
    let previous = invalid.keep(secret(PREVIOUS, previous));
    let replaced_at = replaced_at.parse::<DateTime<Utc>>().ok();
    // One that is replaced some day would be valid until then.
    let replaced_at = replaced_at.filter(|at| *at <= now + CLOCK_AHEAD);
    if replaced_at.is_none() {
        invalid.push(REPLACED_AT, "must be a time in the past, such as 2026-11-24T12:00:00Z");
    }
    secrets.extend(previous.zip(replaced_at).map(|(secret, at)| secret.replaced_at(at)));
    secrets
}

#[cfg(test)]
mod tests {
    use inresponse_core::claim::ClaimToken;
    use inresponse_core::model::{Contact, IncidentNumber};
    use inresponse_http::hash_of;
    use serde_json::json;

    use super::*;

    const NEW: &str = "0123456789abcdef0123456789abcdef";
    const OLD: &str = "fedcba9876543210fedcba9876543210";

    fn read<T>(
        given: &[(&str, &str)],
        read: impl Fn(&Variables<'_>, &mut InvalidInput) -> T,
    ) -> Result<T, InvalidInput> {
        let find = |name: &str| given.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let mut invalid = InvalidInput::default();
        let value = read(&Variables::new(&find), &mut invalid);
        if invalid.is_empty() { Ok(value) } else { Err(invalid) }
    }

    fn keys(listed: &str) -> Result<Vec<ApiKey>, InvalidInput> {
        read(&[("INRESPONSE_API_KEY", "a long random key"), ("INRESPONSE_API_KEYS", listed)], api_keys)
    }

    #[test]
    fn p16_each_listed_key_has_its_scopes_and_a_wrong_one_is_named_by_its_place() {
        let hash = hash_of("key of athens");
        let athens = json!({ "name": "athens", "hash": hash, "scopes": ["report"], "service": "athens" });
        let named = |keys: Vec<ApiKey>| keys.iter().map(|key| format!("{key:?}")).collect::<Vec<_>>();
        assert_eq!(named(keys("").unwrap()).len(), 1);
        let shown = named(keys(&json!([athens]).to_string()).unwrap());
        assert_eq!(shown.len(), 2);
        for part in ["athens", "[Report]", "Some"] {
            assert!(shown[1].contains(part), "{shown:?}");
        }
        let mut wrong = [athens.clone(), athens.clone(), athens.clone()];
        wrong[0]["hash"] = json!("0123");
        wrong[1]["scopes"] = json!(["everything"]);
        wrong[2]["scopes"] = json!(["admin"]);
        let refused = keys(&json!(wrong).to_string()).unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|error| error.field()).collect();
        let places = [0, 1, 2].map(|place| format!("INRESPONSE_API_KEYS[{place}]"));
        assert_eq!(fields, places);
        for no_list in ["athens", "{}", r#"[{"name":"a","key":"in plain text","scopes":[]}]"#] {
            assert_eq!(keys(no_list).unwrap_err().errors()[0].field(), "INRESPONSE_API_KEYS", "{no_list}");
        }
    }

    fn secrets(more: &[(&str, &str)], now: DateTime<Utc>) -> Result<Vec<TokenSecret>, InvalidInput> {
        let given = [more, &[("INRESPONSE_TOKEN_SECRET", NEW)]].concat();
        read(&given, |variables, invalid| token_secrets(variables, now, invalid))
    }

    /// Whether a link is valid that was made just now with that secret.
    fn is_valid(secrets: &[TokenSecret], made_with: &str, now: DateTime<Utc>) -> bool {
        let secret = TokenSecret::new(made_with.as_bytes()).unwrap();
        let number = IncidentNumber::new(7);
        let token = ClaimToken::new(number, Contact::new("jo@example.org").unwrap(), now).sign(&secret);
        ClaimToken::verify(&token, number, secrets, now).is_ok()
    }

    #[test]
    fn p20_a_replaced_secret_is_valid_for_seven_days_from_its_replacement() {
        let replaced: DateTime<Utc> = "2026-11-24T12:00:00Z".parse().unwrap();
        let given = [
            ("INRESPONSE_PREVIOUS_TOKEN_SECRET", OLD),
            ("INRESPONSE_TOKEN_SECRET_REPLACED_AT", "2026-11-24T12:00:00Z"),
        ];
        for (days, expected) in [(0, true), (6, true), (7, false), (400, false)] {
            let now = replaced + TimeDelta::days(days);
            let secrets = secrets(&given, now).unwrap();
            assert!(is_valid(&secrets, NEW, now), "{days}");
            assert_eq!(is_valid(&secrets, OLD, now), expected, "{days}");
        }
        let alone = secrets(&[], replaced).unwrap();
        assert!(is_valid(&alone, NEW, replaced) && !is_valid(&alone, OLD, replaced));
    }

    #[test]
    fn p16_a_previous_secret_needs_the_time_at_which_it_was_replaced() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let (previous, at) = ("INRESPONSE_PREVIOUS_TOKEN_SECRET", "INRESPONSE_TOKEN_SECRET_REPLACED_AT");
        for (given, field) in [
            (&[(previous, OLD)][..], at),
            (&[(at, "2026-11-24T12:00:00Z")], previous),
            (&[(previous, "short"), (at, "2026-11-24T12:00:00Z")], previous),
            (&[(previous, OLD), (at, "last week")], at),
            // It would be valid forever.
            (&[(previous, OLD), (at, "2099-01-01T00:00:00Z")], at),
        ] {
            let refused = secrets(given, now).unwrap_err();
            assert_eq!(refused.errors()[0].field(), field, "{given:?}");
        }
    }
}
