//! The list of targets, and the checks that they share.

mod api;
mod bodies;
mod channels;
mod feeds;
mod head;
mod mail;
mod messages;
mod notice;
mod phone;
mod settings;
mod texts;

use std::cell::OnceCell;

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;

/// A fuzz target: one reader of untrusted bytes.
#[derive(Debug)]
pub struct Target {
    /// The name of the target, and of its corpus folder.
    pub name: &'static str,
    /// Reads these bytes and panics if something is wrong.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($module:ident: $($name:ident),+;)+) => {
        &[$($(Target { name: stringify!($name), run: $module::$name },)+)+]
    };
}

/// All targets.
pub static TARGETS: &[Target] = targets! {
    bodies: report, update, team, day, silence, alertmanager_silence, heartbeat, routes;
    texts: cursor, token, contact, time, amazon_url, request_id, matcher;
    messages: alertmanager, prometheus, grafana, nagios, pagerduty, opsgenie, generic, sns, cloudwatch;
    head: forwarded, session;
    mail: mail;
    settings: config;
    notice: notice;
    phone: sms, twilio;
    feeds: ical;
    channels: telegram_update, slack_request, command_end, pushover_receipt;
    api: api;
};

/// The fixed time at which everything happens.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_489_200, 0).unwrap()
}

/// Checks that a refusal names fields and stays small, whatever was refused.
fn refusal_holds(invalid: &InvalidInput) {
    assert!(!invalid.is_empty());
    assert!(invalid.errors().len() <= InvalidInput::MAX_ERRORS);
    for error in invalid.errors() {
        assert!(!error.field().is_empty() && !error.message().is_empty(), "{invalid:?}");
        assert!(error.field().len() <= 256 && error.message().len() <= 512, "{invalid:?}");
    }
}

/// Makes a value once in each thread.
fn once<T>(
    cell: &'static std::thread::LocalKey<OnceCell<T>>,
    make: impl FnOnce() -> T,
    with: impl FnOnce(&T),
) {
    cell.with(|cell| with(cell.get_or_init(make)));
}
