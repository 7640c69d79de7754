//! The environment variables of a function.

use inresponse_core::InvalidInput;

/// The environment variables of a function. A blank variable counts as missing.
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

    /// The value of a required variable. If the variable is missing, its name is added to the errors and the value is
    /// blank.
    pub(crate) fn required(&self, name: &'static str, invalid: &mut InvalidInput) -> String {
        let value = self.optional(name);
        if value.is_none() {
            invalid.push(name, "is missing");
        }
        value.unwrap_or_default()
    }
}
