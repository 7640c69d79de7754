//! Reads JSON of other systems. Unknown fields are ignored, and an invalid detail does not make the whole invalid.

use inresponse_core::InvalidInput;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{repair, text};

/// Reads a body, and repairs invalid texts and numbers.
///
/// # Errors
/// The body is not JSON; the error names the field `body`.
pub(crate) fn value(bytes: &[u8]) -> Result<Value, InvalidInput> {
    let text = repair::decode(bytes);
    let read = serde_json::from_str(&text).or_else(|error| {
        let may_be_mended =
            text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).starts_with(['{', '[']);
        if may_be_mended { serde_json::from_str(&repair::json(&text)) } else { Err(error) }
    });
    read.map(sorted).map_err(|e| InvalidInput::field("body", e.to_string()))
}

/// The value with the fields of every object in alphabetical order, because senders may write them in any order.
///
/// The recursion is as deep as the value. The parser limits that depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Reads a body that is one object.
///
/// # Errors
/// The body is not a JSON object. The error names the field `body`.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, InvalidInput> {
    Object::of(value(bytes)?, "body")
}

/// Reads a body that is an array with any content.
///
/// # Errors
/// The body is not a JSON array. The error names the field `body`.
pub(crate) fn array(bytes: &[u8]) -> Result<Vec<Value>, InvalidInput> {
    match value(bytes)? {
        Value::Array(values) => Ok(values),
        _ => Err(InvalidInput::field("body", "must be a JSON array")),
    }
}

/// Reads a body strictly, without repairs, because it is signed or secret.
///
/// # Errors
/// The body does not have this form. The error names the field by its path, or `body`.
pub(crate) fn exactly<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, InvalidInput> {
    // A structure would be read from an array, too.
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(InvalidInput::field("body", "must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // A path may contain any names that a stranger sends.
        let path = text::line(&error.path().to_string(), 256);
        let field = if matches!(path.as_str(), "" | "." | "?") { "body".to_owned() } else { path };
        InvalidInput::field(field, error.into_inner().to_string())
    })?;
    json.end().map_err(|e| InvalidInput::field("body", e.to_string()))?;
    Ok(value)
}

/// A JSON object whose fields are converted to the expected types if possible.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// Converts a value that must be an object.
    ///
    /// # Errors
    /// The value is not an object. The error names `field`.
    pub(crate) fn of(value: Value, field: &'static str) -> Result<Self, InvalidInput> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(InvalidInput::field(field, "must be a JSON object")),
        }
    }

    /// The value of a field, unless it is null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A field as a text, unless it is blank.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(as_text).filter(|text| !text.trim().is_empty())
    }

    /// A field that is an object. If the field is not an object, the result is an empty object.
    pub(crate) fn object(&self, name: &str) -> Self {
        self.get(name).and_then(Value::as_object).cloned().map(Self).unwrap_or_default()
    }

    /// A field that is an array. If the field is not an array, the result is an empty array.
    pub(crate) fn array(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// The objects in an array.
    pub(crate) fn objects(&self, name: &str) -> Vec<Self> {
        self.array(name).iter().filter_map(|value| value.as_object().cloned().map(Self)).collect()
    }

    /// All fields as texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), as_text(value)?)))
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }
}

/// A value as the text of a label: a text unchanged, nothing for null, anything else as JSON.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// Whether a text is an http or https URL.
pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_what_has_no_name_is_named_anyway() {
        type Texts = std::collections::BTreeMap<String, String>;
        for (body, field) in [("{\"\": 5}", "body"), ("{\"\\n \": 5}", "body"), ("{\" a \": 5}", "a")] {
            assert_eq!(exactly::<Texts>(body.as_bytes()).unwrap_err().errors()[0].field(), field, "{body}");
        }
    }
}
