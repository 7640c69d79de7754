//! Settings that need DynamoDB and SES in the build. Other builds refuse these settings instead of ignoring them, so
//! that nobody alerts from a local database by mistake.

use inresponse_core::InvalidInput;

use super::{MailConfig, StorageConfig};

/// Checks the prefix of the tables' names. DynamoDB allows 255 characters (Developer Guide, naming rules), and the longest
/// name after the prefix, `OncallCalendar`, has 14.
#[cfg(feature = "aws")]
pub(super) fn dynamo(prefix: String, invalid: &mut InvalidInput) -> Option<StorageConfig> {
    let plain = prefix.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if prefix.is_empty() || prefix.len() > 241 || !plain {
        invalid.push("dynamo-prefix", "must be 1 to 241 ASCII letters, digits, underscores, dashes and dots");
        return None;
    }
    Some(StorageConfig::Dynamo { prefix })
}

#[cfg(feature = "aws")]
pub(super) fn ses(from: Option<String>, invalid: &mut InvalidInput) -> Option<MailConfig> {
    let Some(from) = from else {
        invalid.push(
            "mail-from",
            "must be given with ses: an address, or one of a domain, that SES has verified",
        );
        return None;
    };
    let config = inresponse_ses::SesConfig::new(&from);
    invalid.keep(config.map(MailConfig::Ses).map_err(|e| InvalidInput::field("mail-from", e.to_string())))
}

#[cfg(not(feature = "aws"))]
const NOT_BUILT_IN: &str =
    "is not in this build; build it with `cargo build --release -p inresponse-server --features aws`";

#[cfg(not(feature = "aws"))]
pub(super) fn dynamo(_: String, invalid: &mut InvalidInput) -> Option<StorageConfig> {
    invalid.push("dynamo-prefix", NOT_BUILT_IN);
    None
}

#[cfg(not(feature = "aws"))]
pub(super) fn ses(_: Option<String>, invalid: &mut InvalidInput) -> Option<MailConfig> {
    invalid.push("ses", NOT_BUILT_IN);
    None
}
