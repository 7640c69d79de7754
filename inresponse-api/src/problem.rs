//! What went wrong.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// An error as RFC 9457 problem details.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Always `about:blank`: the status says it.
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
    /// The error, for people.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub detail: String,
    /// The errors of fields; empty if the error is not about a field.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub errors: Vec<FieldProblem>,
    /// Whether the change may have happened anyway; with a dedup key it is safe to send it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_have_been_recorded: Option<bool>,
    /// Who has claimed the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
}

/// The error of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ProblemField))]
pub struct FieldProblem {
    /// The field, by its path.
    pub field: String,
    /// The error.
    pub message: String,
}
