//! Reads untrusted input: bodies, paths, queries, numbers, times.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{self, FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use inresponse_api::Time;
use inresponse_core::InvalidInput;
use inresponse_core::model::IncidentNumber;
use inresponse_core::roster::read_instant;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The maximum size of a body, in bytes.
pub(crate) const MAX_BODY: usize = 256 * 1024;
/// The time limit for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// A JSON body. The content type does not matter: curl sends the type of a form by default.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Bytes(bytes) = Bytes::from_request(request, state).await?;
        read_json(&bytes).map(Self).map_err(|invalid| Problem::invalid(&invalid))
    }
}

/// A body as bytes.
#[derive(Debug)]
pub(crate) struct Bytes(pub(crate) axum::body::Bytes);

impl<S: Send + Sync> FromRequest<S> for Bytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let too_large = || {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body must be at most {MAX_BODY} bytes"))
        };
        let announced =
            request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        let arrived = tokio::time::timeout(BODY_TIMEOUT, to_bytes(request.into_body(), MAX_BODY)).await;
        let arrived = arrived.map_err(|_| {
            Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long; nothing was recorded")
        })?;
        let bytes = arrived.map_err(|error| {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(e) = cause {
                if e.to_string().contains("length limit exceeded") {
                    return too_large();
                }
                cause = e.source();
            }
            Problem::new(StatusCode::BAD_REQUEST, "the body ended early")
        })?;
        Ok(Self(bytes))
    }
}

/// Reads one JSON object. An error names the wrong field by its path, or `body`.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, InvalidInput> {
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(InvalidInput::field("body", "must be a JSON object"));
    }
    // Only the path of an error is needed, and following it costs more than reading.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        let field = named_field(&message).map(|name| match path.as_str() {
            "." | "?" => name.to_owned(),
            path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
            path => format!("{path}.{name}"),
        });
        let field =
            field.unwrap_or(if matches!(path.as_str(), "" | "." | "?") { "body".to_owned() } else { path });
        InvalidInput::field(field, message)
    })?;
    json.end().map_err(|e| InvalidInput::field("body", e.to_string()))?;
    Ok(value)
}

/// The field that an error about a field's name refers to.
fn named_field(message: &str) -> Option<&str> {
    let rest = ["unknown field `", "missing field `", "duplicate field `"]
        .into_iter()
        .find_map(|prefix| message.strip_prefix(prefix))?;
    // An empty name does not name a field.
    rest.split_once('`').map(|(name, _)| name).filter(|name| !name.is_empty())
}

/// A parameter in the path, percent-decoded.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                let field = match error.kind() {
                    ErrorKind::InvalidUtf8InPathParam { key } => key.clone(),
                    _ => "path".to_owned(),
                };
                Err(Problem::invalid(&InvalidInput::field(field, "must be UTF-8, percent-encoded")))
            }
            Err(error) => Err(Problem::new(error.status(), error.body_text())),
        }
    }
}

/// Checks that the query has no parameters, for calls that take none.
#[derive(Debug)]
pub(crate) struct NoParams;

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Params::from_request_parts(parts, state).await?.finish()?;
        Ok(Self)
    }
}

/// The parameters of a query. A handler must take every parameter.
#[derive(Debug)]
pub(crate) struct Params {
    given: Vec<(String, String)>,
    invalid: InvalidInput,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(given) =
            query.map_err(|e| Problem::invalid(&InvalidInput::field("query", e.body_text())))?;
        Ok(Self { given, invalid: InvalidInput::default() })
    }
}

impl Params {
    /// Takes a parameter out of the query and reads it.
    pub(crate) fn take<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, InvalidInput>,
    ) -> Option<T> {
        let mut values: Vec<String> = Vec::new();
        self.given.retain(|(given, value)| {
            let taken = given == name;
            if taken {
                values.push(value.clone());
            }
            !taken
        });
        if values.len() > 1 {
            self.invalid.push(name, "must be given once");
            return None;
        }
        let read = read(values.first()?);
        self.invalid.keep(read.map_err(|e| {
            let text = e.errors().iter().map(|e| e.message()).collect::<Vec<_>>().join(", ");
            InvalidInput::field(name, text)
        }))
    }

    /// Takes a parameter that must be given, as text.
    pub(crate) fn take_required(&mut self, name: &'static str) -> Option<String> {
        let is_given = self.given.iter().any(|(given, _)| given == name);
        if !is_given {
            self.invalid.push(name, "is missing");
        }
        self.take(name, |text| Ok(text.to_owned()))
    }

    /// Takes a parameter that may be given up to `most` times, and reads each value.
    pub(crate) fn take_all<T>(
        &mut self,
        name: &'static str,
        most: usize,
        read: impl Fn(&str) -> Result<T, InvalidInput>,
    ) -> Vec<T> {
        let (taken, left) = std::mem::take(&mut self.given).into_iter().partition(|(given, _)| given == name);
        self.given = left;
        let taken: Vec<(String, String)> = taken;
        if taken.len() > most {
            self.invalid.push(name, format!("must be given at most {most} times"));
            return Vec::new();
        }
        taken.iter().filter_map(|(_, value)| self.invalid.keep(read(value))).collect()
    }

    /// Refuses the request if a parameter was invalid or was not taken.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.given {
            // A parameter without a name is reported as an error of the query.
            let name = if name.is_empty() { "query" } else { name };
            let name: String = name.chars().take(64).collect();
            self.invalid.push(name, "is not a parameter of this call");
        }
        if self.invalid.is_empty() { Ok(()) } else { Err(Problem::invalid(&self.invalid)) }
    }
}

/// Reads an incident number in a path or query.
pub(crate) fn number(text: &str) -> Result<IncidentNumber, InvalidInput> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number
        .map(IncidentNumber::new)
        .ok_or_else(|| InvalidInput::field("incidentId", "must be a positive whole number"))
}

/// Reads the time in a field or parameter.
pub(crate) fn read_time(time: &Time, field: &'static str) -> Result<DateTime<Utc>, InvalidInput> {
    let refused =
        || InvalidInput::field(field, "must be an RFC 3339 time or Unix seconds, from 1970 to 9999");
    let at = match time {
        Time::Text(text) => read_instant(text.trim()).ok_or_else(refused)?,
        Time::Seconds(seconds) => {
            let micros = seconds * 1e6;
            if !(0.0..=253_402_300_799e6).contains(&micros) {
                return Err(refused());
            }
            #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
            DateTime::from_timestamp_micros(micros as i64).ok_or_else(refused)?
        }
    };
    let year = chrono::Datelike::year(&at);
    if (1970..=9999).contains(&year) { Ok(at) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Sample {
        a: Option<u8>,
        b: Option<std::collections::BTreeMap<String, String>>,
    }

    #[test]
    fn p16_an_error_names_the_field() {
        let nested = format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
        let cases: [(&[u8], &str); 14] = [
            (b"", "body"),
            (b"[]", "body"),
            (b"null", "body"),
            (b"{", "body"),
            (b"{} x", "body"),
            (b"{\"a\":\"x\"}", "a"),
            (b"{\"a\":300}", "a"),
            (b"{\"b\":{\"k\":1}}", "b.k"),
            (b"{\"z\":1}", "z"),
            (b"{\"\":1}", "body"),
            (b"{\"b\":{\"\":1}}", "b."),
            (b"{\"a\":1,\"a\":2}", "a"),
            (b"{\"b\":{\"k\":\"\xff\"}}", "b.k"),
            (nested.as_bytes(), "a"),
        ];
        for (bytes, field) in cases {
            let error = read_json::<Sample>(bytes).unwrap_err();
            assert_eq!(
                error.errors()[0].field(),
                field,
                "{} {error}",
                String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
            );
        }
    }

    #[test]
    fn times_are_text_or_seconds() {
        let read = |t: Time| read_time(&t, "at").ok().map(|t| t.to_rfc3339());
        assert_eq!(
            read(Time::Text("2026-11-24T05:00:00+02:00".into())).as_deref(),
            Some("2026-11-24T03:00:00+00:00")
        );
        assert_eq!(read(Time::Seconds(1.5)).as_deref(), Some("1970-01-01T00:00:01.500+00:00"));
        for bad in [
            Time::Text("yesterday".into()),
            Time::Seconds(-1.0),
            Time::Seconds(1e300),
            Time::Seconds(f64::NAN),
        ] {
            assert_eq!(read(bad), None);
        }
    }
}
