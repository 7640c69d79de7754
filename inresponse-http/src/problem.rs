//! Errors as RFC 9457 problem details.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use inresponse_core::{Chain, InvalidInput, Outage, OutageKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::refusals::Refusal;

/// What went wrong, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// Always `about:blank`: the status says it.
    #[schema(value_type = String)]
    r#type: AboutBlank,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    detail: Box<str>,
    /// What is wrong with which field; empty where it is not about one.
    errors: Vec<ProblemField>,
    /// Whether the change may have happened all the same; with a dedup key it is safe to send it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    may_have_been_recorded: Option<bool>,
    /// Who has claimed the incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_by: Option<Box<str>>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
    #[serde(skip)]
    refusal: Option<Refusal>,
    /// The key that the request was made with, for the log.
    #[serde(skip)]
    key: Option<Box<str>>,
}

/// The type of every problem.
#[derive(Debug)]
struct AboutBlank;

impl Serialize for AboutBlank {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("about:blank")
    }
}

/// What a refusal says, and with which key the request was made: an extension of its response, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) detail: Box<str>,
    pub(crate) key: Option<Box<str>>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemField {
    /// The field, by its path.
    field: String,
    /// What is wrong with it.
    message: String,
}

impl ProblemField {
    /// Everything that is wrong.
    pub(crate) fn all(invalid: &InvalidInput) -> Vec<Self> {
        let field = |e: &inresponse_core::FieldError| Self {
            field: e.field().to_owned(),
            message: e.message().to_owned(),
        };
        invalid.errors().iter().map(field).collect()
    }
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: AboutBlank,
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into().into(),
            errors: Vec::new(),
            may_have_been_recorded: None,
            claimed_by: None,
            headers: Vec::new(),
            refusal: None,
            key: None,
        }
    }

    /// What is wrong, for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Its HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same, made with the key of that name.
    pub(crate) fn by_key(mut self, name: &str) -> Self {
        self.key = Some(name.into());
        self
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// A 400 with everything that is wrong.
    pub(crate) fn invalid(invalid: &InvalidInput) -> Self {
        Self::fields(StatusCode::BAD_REQUEST, invalid)
    }

    /// A 422: well-formed, and naming something that is not there.
    pub(crate) fn unprocessable(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(StatusCode::UNPROCESSABLE_ENTITY, &InvalidInput::field(field.into(), message))
    }

    /// A 422 with everything that is wrong.
    pub(crate) fn unprocessable_fields(invalid: &InvalidInput) -> Self {
        Self::fields(StatusCode::UNPROCESSABLE_ENTITY, invalid)
    }

    fn fields(status: StatusCode, invalid: &InvalidInput) -> Self {
        Self { errors: ProblemField::all(invalid), ..Self::new(status, invalid.to_string()) }
    }

    pub(crate) fn claimed_by(mut self, person: &str) -> Self {
        self.claimed_by = Some(person.into());
        self
    }

    /// Promise 4: a change that failed says whether it may have happened.
    pub(crate) fn outage_of_change(outage: &Outage) -> Self {
        let unknown = match outage.kind() {
            OutageKind::Unknown => true,
            OutageKind::Retryable | OutageKind::Permanent => false,
            _ => true,
        };
        Self { may_have_been_recorded: Some(unknown), ..Self::outage(outage) }
    }

    /// A question that could not be answered.
    pub(crate) fn outage(outage: &Outage) -> Self {
        tracing::error!(error = %Chain::of(outage), "a request failed");
        Self::unavailable(outage.to_string())
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The same for the log to tell.
    pub(crate) fn refused(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }

    pub(crate) fn not_recorded(mut self) -> Self {
        self.may_have_been_recorded = Some(false);
        self
    }

    pub(crate) fn maybe_recorded(mut self) -> Self {
        self.may_have_been_recorded = Some(true);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = self.status();
        let (headers, refusal) = (std::mem::take(&mut self.headers), self.refusal);
        let detail = self.detail.chars().take(500).collect::<String>().into();
        let told = Told { detail, key: self.key.take() };
        let mut response = (status, Json(self)).into_response();
        response.extensions_mut().insert(told);
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(refusal) = refusal {
            response.extensions_mut().insert(refusal);
        }
        response
    }
}
