//! API keys from flag and file, checked.

use inresponse_core::InvalidInput;
use inresponse_core::model::ServiceName;
use inresponse_http::{ApiKey, Scope};

use super::file::FileKey;
use super::{SecretText, rename};

/// What becomes of keys that can be guessed.
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
        let scope = |name: &String| {
            name.parse::<Scope>().map_err(|_| {
                InvalidInput::field(
                    format!("{field}.scopes"),
                    format!("`{name}` is not report, respond or admin"),
                )
            })
        };
        let scopes: Vec<Scope> =
            file_key.scopes.iter().filter_map(|name| invalid.keep(scope(name))).collect();
        let key = match (&file_key.key, &file_key.hash) {
            (Some(key), None) => plain(&field, &file_key.name, &key.0, scopes, weak),
            (None, Some(hash)) => ApiKey::from_hash(&file_key.name, &hash.0, scopes)
                .map_err(|e| InvalidInput::field(format!("{field}.hash"), e.to_string())),
            (Some(_), Some(_)) | (None, None) => {
                Err(InvalidInput::field(field, "must have either `hash` or `key`"))
            }
        };
        let administers = file_key.scopes.iter().any(|name| name == Scope::Admin.as_str());
        let service = file_key
            .service
            .map(|service| ServiceName::new(service).map_err(|e| rename(&e, &format!("keys[{i}].service"))));
        let service = service.and_then(|service| invalid.keep(service));
        if service.is_some() && administers {
            let message = "cannot be given together with the scope admin: the roster is of no service";
            invalid.push(format!("keys[{i}].service"), message);
        }
        let key = invalid.keep(key);
        keys.extend(key.map(|key| match service {
            Some(service) => key.of_service(service),
            None => key,
        }));
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
