//! Forms: the texts that were typed, and the errors in them.

use inresponse_core::InvalidInput;

use crate::problem::Problem;

/// The fields of a form as a browser sends them.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn read(form: &[u8]) -> Self {
        let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
        let pairs = form_urlencoded::parse(form);
        Self(pairs.map(|(name, value)| (name.into_owned(), plain(&value))).collect())
    }

    /// The text that was typed into a field, without the space around it. Empty if the form does not have the field.
    pub(super) fn text(&self, name: &str) -> String {
        self.given(name).unwrap_or_default().to_owned()
    }

    /// The text that was typed into a field, if there is any.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether the form has the field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }
}

/// The errors in a form.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    /// All errors, in sentences.
    pub(super) told: Vec<String>,
    /// The fields with their messages.
    fields: Vec<(String, String)>,
}

impl Wrong {
    /// A form with only that error.
    pub(super) fn field(field: &str, message: &str) -> Self {
        (&InvalidInput::field(field.to_owned(), message.to_owned())).into()
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.told.is_empty()
    }

    /// The errors of a field and of its parts, such as `members[1]`.
    pub(super) fn of(&self, field: &str) -> Option<String> {
        let is_of = |given: &str| {
            let rest = given.strip_prefix(field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        let of: Vec<String> = self
            .fields
            .iter()
            .filter(|(given, _)| is_of(given))
            .map(|(given, message)| part(given.strip_prefix(field).unwrap_or_default(), message))
            .collect();
        (!of.is_empty()).then(|| of.join("; "))
    }
}

/// A message about a part of a field: `[1]` is the second entry.
fn part(part: &str, message: &str) -> String {
    let entry = part.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match entry.and_then(|(number, _)| number.parse::<usize>().ok()) {
        Some(number) => format!("entry {}: {message}", number + 1),
        None if part.is_empty() => message.to_owned(),
        None => format!("{}: {message}", part.trim_start_matches('.')),
    }
}

impl From<&InvalidInput> for Wrong {
    fn from(invalid: &InvalidInput) -> Self {
        (&Problem::invalid(invalid)).into()
    }
}

impl From<&Problem> for Wrong {
    fn from(problem: &Problem) -> Self {
        let fields: Vec<_> =
            problem.errors().iter().map(|error| (error.field.clone(), error.message.clone())).collect();
        let told = match fields.as_slice() {
            [] => vec![format!("{}.", problem.detail())],
            fields => fields.iter().map(|(field, message)| format!("{field}: {message}.")).collect(),
        };
        Self { told, fields }
    }
}

/// A name as a part of a path.
pub(super) fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_field_has_its_own_errors_and_those_of_its_parts() {
        let mut invalid = InvalidInput::field("layers[0].members[1]", "is odd");
        invalid.push("layers[0].members", "are too many");
        invalid.push("layers[0].membersX", "is another");
        invalid.push("methods.mail", "is invalid");
        let wrong = Wrong::from(&invalid);
        assert_eq!(wrong.of("layers[0].members").unwrap(), "entry 2: is odd; are too many");
        assert_eq!(wrong.of("methods").unwrap(), "mail: is invalid");
        assert_eq!(wrong.of("layers[1].members"), None);
        assert_eq!(wrong.told.len(), 4);
        assert!(!wrong.is_nothing() && Wrong::default().is_nothing());
    }

    #[test]
    fn a_name_is_one_part_of_a_path_whatever_is_in_it() {
        assert_eq!(segment("a/b c+d?"), "a%2Fb%20c%2Bd%3F");
    }
}
