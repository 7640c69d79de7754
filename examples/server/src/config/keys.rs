//! Reads and checks the API keys of the flag and the config file.

use inresponse_channels::SecretText;
use inresponse_core::InvalidInput;
use inresponse_http::{ApiKey, Grant, Scope};

use super::file::FileKey;

/// Whether the server accepts API keys that are short enough to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WeakSecrets {
    Refused,
    Allowed,
}

pub(super) fn check(
    api_key: Option<SecretText>,
    file_keys: Vec<FileKey>,
    weak: WeakSecrets,
    invalid: &mut InvalidInput,
) -> Vec<ApiKey> {
    let mut keys = Vec::new();
    if let Some(key) = api_key {
        keys.extend(invalid.keep(plain("api-key", "api-key", &key.0, Scope::ALL.to_vec(), weak)));
    }
    for (i, file_key) in file_keys.into_iter().enumerate() {
        let field = format!("keys[{i}]");
        let grant = Grant::read(&file_key.scopes, file_key.service).map_err(|e| e.under(&field));
        let grant = invalid.keep(grant);
        let key = match (&file_key.key, &file_key.hash) {
            (Some(key), None) => plain(&field, &file_key.name, &key.0, Vec::new(), weak),
            (None, Some(hash)) => ApiKey::from_hash(&file_key.name, &hash.0, Vec::new())
                .map_err(|e| InvalidInput::field(format!("{field}.hash"), e.to_string())),
            (Some(_), Some(_)) | (None, None) => {
                Err(InvalidInput::field(field, "must have either `hash` or `key`"))
            }
        };
        let key = invalid.keep(key);
        keys.extend(key.zip(grant).map(|(key, grant)| key.granted(grant)));
    }
    keys
}

fn plain(
    field: &str,
    name: &str,
    key: &str,
    scopes: Vec<Scope>,
    weak: WeakSecrets,
) -> Result<ApiKey, InvalidInput> {
    if weak == WeakSecrets::Refused && key.chars().count() < ApiKey::MIN_CHARS {
        let message =
            format!("must have at least {} characters; `inresponse key new` makes one", ApiKey::MIN_CHARS);
        return Err(InvalidInput::field(field.to_owned(), message));
    }
    ApiKey::from_plain(name, key, scopes).map_err(|e| InvalidInput::field(field.to_owned(), e.to_string()))
}
