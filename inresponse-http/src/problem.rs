//! Errors as RFC 9457 problem details.

use std::borrow::Cow;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use inresponse_api::FieldProblem;
use inresponse_core::{Chain, InvalidInput, Outage, OutageKind};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::refusals::Refusal;

/// An error with its answer, and what the layers around a route need to know about it.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The body of the answer.
    told: Box<inresponse_api::Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
    refusal: Option<Refusal>,
    /// The name of the key that the request was made with, for the log.
    key: Option<Box<str>>,
}

/// In the API document, this type has the schema of the answer.
impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        inresponse_api::Problem::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        inresponse_api::Problem::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        inresponse_api::Problem::schemas(schemas);
    }
}

/// The text of a refusal and the key of the request, as an extension of the response for the log.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) detail: Box<str>,
    pub(crate) key: Option<Box<str>>,
}

/// Everything that is wrong with the input, field by field.
pub(crate) fn fields(invalid: &InvalidInput) -> Vec<FieldProblem> {
    let field = |e: &inresponse_core::FieldError| FieldProblem {
        field: e.field().to_owned(),
        message: e.message().to_owned(),
    };
    invalid.errors().iter().map(field).collect()
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let told = inresponse_api::Problem {
            r#type: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            may_have_been_recorded: None,
            claimed_by: None,
        };
        Self { told: Box::new(told), headers: Vec::new(), refusal: None, key: None }
    }

    /// The text of the error.
    pub(crate) fn detail(&self) -> &str {
        &self.told.detail
    }

    /// What is wrong, field by field.
    #[cfg(feature = "pages")]
    pub(crate) fn errors(&self) -> &[FieldProblem] {
        &self.told.errors
    }

    /// Whether what was asked for may have been done anyway.
    #[cfg(feature = "pages")]
    pub(crate) fn may_have_been_recorded(&self) -> bool {
        self.told.may_have_been_recorded == Some(true)
    }

    /// The HTTP status of the error.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds the name of the key that made the request.
    pub(crate) fn by_key(mut self, name: &str) -> Self {
        self.key = Some(name.into());
        self
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// A 400 that lists everything that is wrong with the input.
    pub(crate) fn invalid(invalid: &InvalidInput) -> Self {
        Self::of_fields(StatusCode::BAD_REQUEST, invalid)
    }

    /// A 422: the request is well-formed, but a name in it does not exist.
    pub(crate) fn unprocessable(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of_fields(StatusCode::UNPROCESSABLE_ENTITY, &InvalidInput::field(field.into(), message))
    }

    /// A 422 that lists everything that is wrong with the input.
    pub(crate) fn unprocessable_fields(invalid: &InvalidInput) -> Self {
        Self::of_fields(StatusCode::UNPROCESSABLE_ENTITY, invalid)
    }

    fn of_fields(status: StatusCode, invalid: &InvalidInput) -> Self {
        let mut problem = Self::new(status, invalid.to_string());
        problem.told.errors = fields(invalid);
        problem
    }

    pub(crate) fn claimed_by(mut self, person: &str) -> Self {
        self.told.claimed_by = Some(person.to_owned());
        self
    }

    /// The 503 for a failed change. The body says whether the change may have happened (promise 4).
    pub(crate) fn outage_of_change(outage: &Outage) -> Self {
        let unknown = match outage.kind() {
            OutageKind::Unknown => true,
            OutageKind::Retryable | OutageKind::Permanent => false,
            _ => true,
        };
        let mut problem = Self::outage(outage);
        problem.told.may_have_been_recorded = Some(unknown);
        problem
    }

    /// The 503 for a query that could not be answered.
    pub(crate) fn outage(outage: &Outage) -> Self {
        tracing::error!(error = %Chain::of(outage), "a request failed");
        Self::unavailable(outage.to_string())
    }

    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Adds the reason of the refusal, for the log.
    pub(crate) fn refused(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }

    pub(crate) fn not_recorded(mut self) -> Self {
        self.told.may_have_been_recorded = Some(false);
        self
    }

    pub(crate) fn maybe_recorded(mut self) -> Self {
        self.told.may_have_been_recorded = Some(true);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = self.status();
        let (headers, refusal) = (std::mem::take(&mut self.headers), self.refusal);
        let detail = self.told.detail.chars().take(500).collect::<String>().into();
        let told = Told { detail, key: self.key.take() };
        let mut response = (status, Json(&*self.told)).into_response();
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
