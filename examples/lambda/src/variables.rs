//! The environment of a function.

use inresponse_core::InvalidInput;

/// The environment of a function, in which what is blank is not there.
pub(crate) struct Variables<'a> {
    find: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Variables<'a> {
    pub(crate) fn new(find: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { find }
    }

    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        (self.find)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Its value; blank, and named, if it is missing.
    pub(crate) fn required(&self, name: &'static str, invalid: &mut InvalidInput) -> String {
        let value = self.optional(name);
        if value.is_none() {
            invalid.push(name, "is missing");
        }
        value.unwrap_or_default()
    }
}
