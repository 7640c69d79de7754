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

/// What went wrong, and what the layers around a route need to know of it.
#[derive(Debug)]
pub(crate) struct Problem {
    /// What is answered.
    told: Box<inresponse_api::Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
    refusal: Option<Refusal>,
    /// The key that the request was made with, for the log.
    key: Option<Box<str>>,
}

/// In the API document it is what is answered.
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

/// The text of a refusal and the key of the request: an extension of the response, for the log.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) detail: Box<str>,
    pub(crate) key: Option<Box<str>>,
}

/// Everything that is wrong.
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

    /// The error, for people.
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

    /// Its HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
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
        Self::of_fields(StatusCode::BAD_REQUEST, invalid)
    }

    /// A 422: well-formed, and naming something that is not there.
    pub(crate) fn unprocessable(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of_fields(StatusCode::UNPROCESSABLE_ENTITY, &InvalidInput::field(field.into(), message))
    }

    /// A 422 with everything that is wrong.
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

    /// Promise 4: a change that failed says whether it may have happened.
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
