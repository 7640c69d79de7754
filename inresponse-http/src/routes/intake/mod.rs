//! What other monitoring systems send.

pub(crate) mod generic;
pub(crate) mod grafana;
pub(crate) mod nagios;
pub(crate) mod opsgenie;
pub(crate) mod pagerduty;
pub(crate) mod prometheus;
pub(crate) mod sns;
