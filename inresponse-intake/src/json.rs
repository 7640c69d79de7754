//! Reading JSON of strangers: fields that are not known are theirs to add, what is wrong is named by its path.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use inresponse_core::InvalidInput;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a body that is one object.
///
/// # Errors
/// Names the field by its path, or `body`.
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, InvalidInput> {
    // A structure would be read from an array, too.
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(InvalidInput::field("body", "must be a JSON object"));
    }
    read(bytes)
}

/// Reads a body that is an array of whatever.
///
/// # Errors
/// Names the field `body`.
pub(crate) fn array(bytes: &[u8]) -> Result<Vec<Value>, InvalidInput> {
    read(bytes)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, InvalidInput> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| refused(e, "body"))?;
    json.end().map_err(|e| InvalidInput::field("body", e.to_string()))?;
    Ok(value)
}

/// Reads one of several alerts.
///
/// # Errors
/// Names the field by its path in the alert, or `alert`.
pub(crate) fn object_of<T: DeserializeOwned>(value: Value) -> Result<T, InvalidInput> {
    if !value.is_object() {
        return Err(InvalidInput::field("alert", "must be a JSON object"));
    }
    serde_path_to_error::deserialize(value).map_err(|e| refused(e, "alert"))
}

fn refused<E: std::fmt::Display>(error: serde_path_to_error::Error<E>, whole: &'static str) -> InvalidInput {
    let path = cut(error.path().to_string());
    let field = if matches!(path.as_str(), "" | "." | "?") { whole.to_owned() } else { path };
    InvalidInput::field(field, error.into_inner().to_string())
}

/// A path may hold whatever names a stranger gives.
fn cut(field: String) -> String {
    crate::text::line(&field, 256)
}

/// A time as monitoring systems write it; the years before 1970 are how some of them write "none".
///
/// RFC 3339, also with an offset without a colon, as CloudWatch and PagerDuty have it.
///
/// # Errors
/// It is none.
pub(crate) fn time(field: &'static str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, InvalidInput> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let at = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .map(|at| at.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc()));
    match at {
        Ok(at) if at.year() < 1970 => Ok(None),
        Ok(at) if at.year() <= 9999 => Ok(Some(at)),
        Ok(_) | Err(_) => Err(InvalidInput::field(field, "must be an RFC 3339 time")),
    }
}

/// A value as the text of a label: a text as it is, anything else as JSON, nothing for null.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// Whether a text leads somewhere.
pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_what_has_no_name_is_named_all_the_same() {
        type Texts = std::collections::BTreeMap<String, String>;
        for (body, field) in [("{\"\": 5}", "body"), ("{\"\\n \": 5}", "body"), ("{\" a \": 5}", "a")] {
            assert_eq!(object::<Texts>(body.as_bytes()).unwrap_err().errors()[0].field(), field, "{body}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        let read = |text| time("at", Some(text)).map(|at| at.map(|at| at.timestamp()));
        for text in [
            "2026-11-24T03:00:00Z",
            "2026-11-24T05:00:00.000+02:00",
            "2026-11-24T03:00:00.000+0000",
            "2026-11-24T03:00:00.123456789",
        ] {
            assert_eq!(read(text), Ok(Some(1_795_489_200)), "{text}");
        }
        for none in ["", " ", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"] {
            assert_eq!(read(none), Ok(None), "{none}");
        }
        for bad in ["yesterday", "2026-13-01T00:00:00Z", "+99999-01-01T00:00:00Z", "5"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
