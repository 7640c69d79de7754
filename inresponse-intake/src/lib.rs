//! Translates the alerts of monitoring systems into reports, recoveries and acknowledgements.
//!
//! Translation is pure: bytes in, [`Signal`]s out. Time is an argument; nothing is fetched or stored. Each sender has a
//! module that follows its public schema. Only these modules know the differences between senders. `inresponse-http`
//! serves the routes.
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
//! | [`pagerduty`] | clients of PagerDuty's Events API v2 |
//! | [`opsgenie`] | clients of Opsgenie's alert API |
//! | [`sns`] | Amazon SNS and EventBridge: CloudWatch alarms |
//! | [`nagios`] | Nagios and Icinga |
//! | [`generic`] | any JSON or form, by a mapping |
//!
//! All senders share these rules. [`Rule`] reads service and severity from labels. [`Trouble`] is cut to the limits of
//! a report, so that no alert is lost because of its size. Broken texts and times are repaired, and the report says so.
//! Keys that are too long are hashed. [`Recoveries`] recognises late messages and flapping.

mod form;
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
mod repair;
mod rule;
mod signal;
pub mod sns;
mod text;
mod time;
mod trouble;

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::ServiceName;

pub use recent::{FLAPPING_WITHIN, LATE_FOR, Recoveries, Standing};
pub use rule::{Rule, SEVERITY_WORDS, UNMAPPED};
pub use signal::{Covers, Recovery, Remark, Signal, Subject};
pub use trouble::{Recurrence, Trouble};

/// The maximum number of alerts in one message.
pub const MAX_ALERTS: usize = 10_000;

/// The reason to do nothing about a recovery whose time lies in the future: the sender's clock may be ahead.
pub const OVER_TO_COME: &str = "it ends in the future";

/// What translation needs besides the bytes of the message.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The rule that finds service and severity in labels.
    pub rule: &'a Rule,
    /// The service that the sender's key is restricted to. All its messages are about this service, even if they name
    /// another.
    pub service: Option<&'a ServiceName>,
    /// The current time.
    pub now: DateTime<Utc>,
}

/// The translation of one alert: its signal, or its errors.
pub type Translated = Result<Signal, InvalidInput>;

/// Translates as many alerts as one message may have. The rest becomes one refusal at the end.
fn bounded<T>(alerts: Vec<T>, translate: impl Fn(T) -> Translated) -> Vec<Translated> {
    let beyond = alerts.len().saturating_sub(MAX_ALERTS);
    let mut translated: Vec<_> = alerts.into_iter().take(MAX_ALERTS).map(translate).collect();
    if beyond > 0 {
        let message = format!("{beyond} more alerts were refused: a message may have {MAX_ALERTS}");
        translated.push(Err(InvalidInput::field("alerts", message)));
    }
    translated
}
