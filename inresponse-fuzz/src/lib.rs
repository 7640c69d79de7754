//! Fuzz targets for everything that reads what strangers send.
//!
//! A target is a function of bytes that panics if something is wrong: not only that nothing panics by itself, but
//! what the reader promises (what it accepts is written and read again as the same, a refusal names a field and stays
//! small, a token of one secret never holds under another, …).
//!
//! `cargo xtask fuzz` builds the binary with coverage instrumentation and runs libFuzzer; `tests/corpus.rs` feeds each
//! target what was found worth keeping, and changes of it, in an ordinary test.
//!
//! | module | targets |
//! |---|---|
//! | `bodies` | `report`, `update`, `team`, `day`: bodies of the API |
//! | `texts` | `cursor`, `token`, `contact`, `time`, `amazon_url`, `request_id`: what is written in one line |
//! | `messages` | `alertmanager`, `prometheus`, `grafana`, `nagios`, `pagerduty`, `opsgenie`, `generic`, `sns`, `cloudwatch` |
//! | `head` | `forwarded`, `session`: who sent a request, as proxies and cookies say it |
//! | `mail` | `mail`: any incident's mail, read by two parsers |
//! | `settings` | `config`: the server's file |
//! | `api` | `api`: any request, through the whole router |
//! | `notice` | `notice`: what SES reports about a mail |
//! | `feeds` | `ical`: calendars of other programs |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a target panics when something is wrong; that is how it reports"
)]

mod targets;

pub use targets::{TARGETS, Target};
