//! Errors on the wire.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// An error as RFC 9457 problem details.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The type of the problem: always `about:blank`, because the status is enough.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = true))]
    pub r#type: Cow<'static, str>,
    /// The status in words.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required = true))]
    pub title: Cow<'static, str>,
    /// The HTTP status.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub status: u16,
    /// The text of the error.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub detail: String,
    /// The errors of single fields. Empty if the error is not about a field.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub errors: Vec<FieldProblem>,
    /// `true` if the change may have happened although the request failed. A report with a dedup key can safely be sent
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_have_been_recorded: Option<bool>,
    /// The person who has claimed the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
}

/// The error of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ProblemField))]
pub struct FieldProblem {
    /// The path of the field.
    pub field: String,
    /// The text of the error.
    pub message: String,
}
