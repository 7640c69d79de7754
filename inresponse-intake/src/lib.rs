//! What monitoring systems send, translated into reports, recoveries and acknowledgements.
//!
//! Pure: bytes in, [`Signal`]s out; time is an argument, nothing is fetched or stored. Each sender has a module,
//! written after its public schema; what differs between senders ends there. `inresponse-http` serves the routes.
//!
//! ```
//! use inresponse_intake::{Context, Rule, Signal, prometheus};
//!
//! let body = br#"[{"labels": {"alertname": "Down", "service": "athens", "severity": "page"}}]"#;
//! let rule = Rule::default();
//! let context = Context { rule: &rule, service: None, now: "2026-11-24T03:00:00Z".parse()? };
//! let signals = prometheus::alerts(body, &context)?;
//! assert!(matches!(&signals[0], Ok(Signal::Report(trouble)) if trouble.service().as_str() == "athens"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`prometheus`] | Alertmanager's webhook, and Alertmanager's API as Prometheus posts to it |
//! | [`grafana`] | Grafana's unified alerting |
//! | [`pagerduty`] | whatever speaks PagerDuty's Events API v2 |
//! | [`opsgenie`] | whatever speaks Opsgenie's alert API |
//! | [`sns`] | Amazon SNS: CloudWatch alarms |
//! | [`nagios`] | Nagios and Icinga |
//! | [`generic`] | any JSON, by a mapping |
//!
//! What all senders share: [`Rule`] reads service and severity from labels; [`Trouble`] is cut to what a report may
//! hold, so that no alert is lost for being too large; [`Recoveries`] tells late messages and flapping.

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod generic;
pub mod grafana;
mod json;
mod key;
pub mod nagios;
pub mod opsgenie;
pub mod pagerduty;
pub mod prometheus;
mod recent;
mod rule;
mod signal;
pub mod sns;
mod text;
mod trouble;

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::ServiceName;

pub use recent::{FLAPPING_WITHIN, Recoveries, Recurrence, Standing};
pub use rule::{Rule, SEVERITY_WORDS, UNMAPPED};
pub use signal::{Acknowledgement, Covers, Recovery, Signal, Subject};
pub use trouble::Trouble;

/// The most alerts in one message.
pub const MAX_ALERTS: usize = 1000;

/// What translation needs besides the bytes.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// How service and severity are read from labels.
    pub rule: &'a Rule,
    /// The service of a sender whose messages name none.
    pub service: Option<&'a ServiceName>,
    /// The time now.
    pub now: DateTime<Utc>,
}

/// What became of one alert: what it asks for, or what is wrong with it.
pub type Translated = Result<Signal, InvalidInput>;

/// Refuses more alerts than one message may have.
fn bounded<T>(alerts: Vec<T>) -> Result<Vec<T>, InvalidInput> {
    if alerts.len() > MAX_ALERTS {
        let message = format!("must be at most {MAX_ALERTS}, are {}", alerts.len());
        return Err(InvalidInput::field("alerts", message));
    }
    Ok(alerts)
}
