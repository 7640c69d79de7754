//! What went wrong.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What went wrong, as RFC 9457 has it.
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
    /// What is wrong, for people.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub detail: String,
    /// What is wrong with which field; empty where it is not about one.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub errors: Vec<FieldProblem>,
    /// Whether the change may have happened all the same; with a dedup key it is safe to send it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_have_been_recorded: Option<bool>,
    /// Who has claimed the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ProblemField))]
pub struct FieldProblem {
    /// The field, by its path.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}
