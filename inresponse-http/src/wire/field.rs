//! Fields that several bodies have, and errors that name them.

use inresponse_core::InvalidInput;
use inresponse_core::model::OwnerName;

/// Converts the owner of the roster file that makes an entry.
pub(super) fn owner(given: Option<String>) -> Result<Option<OwnerName>, InvalidInput> {
    given.map(OwnerName::new).transpose()
}

/// Gives the errors of a result the name of that field.
pub(super) fn at<T>(field: &str, result: Result<T, InvalidInput>) -> Result<T, InvalidInput> {
    result.map_err(|error| {
        let mut named = InvalidInput::default();
        for e in error.errors() {
            named.push(field.to_owned(), e.message());
        }
        named
    })
}
