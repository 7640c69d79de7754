//! The health of a deployment.

use serde::{Deserialize, Serialize};

use crate::words::HealthStatus;

/// The health of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`, or `degraded` if alerts do not get through or nobody answers them.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub status: HealthStatus,
    /// The server's version.
    pub version: String,
    /// Open incidents that nobody claimed after every level had its turn.
    pub unclaimed: u64,
    /// Open incidents for which nobody could be reached.
    pub undelivered: u64,
    /// Open incidents with an alert that has not been accepted for five minutes.
    pub waiting: u64,
}
