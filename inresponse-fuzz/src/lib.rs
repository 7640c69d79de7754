//! Fuzz targets for all readers of untrusted input.
//!
//! A target is a function of bytes that panics if something is wrong. A target tests not only that nothing panics by
//! itself, but also what the reader promises (accepted input is written and read again unchanged, a refusal names a
//! field and stays small, a token of one secret is never valid under another, …).
//!
//! `cargo xtask fuzz` builds the binary with coverage instrumentation and runs libFuzzer. `tests/corpus.rs` feeds each
//! target the inputs that were worth keeping, and variations of them, in an ordinary test.
//!
//! | module | targets |
//! |---|---|
//! | `bodies` | `report`, `update`, `team`, `day`, `silence`, `alertmanager_silence`, `heartbeat`, `routes`: bodies of the API |
//! | `texts` | `cursor`, `token`, `contact`, `time`, `amazon_url`, `request_id`, `matcher`: texts of one line |
//! | `messages` | `alertmanager`, `prometheus`, `grafana`, `nagios`, `pagerduty`, `opsgenie`, `generic`, `sns`, `cloudwatch` |
//! | `head` | `forwarded`, `session`: the sender of a request, from proxies' headers and cookies |
//! | `mail` | `mail`: any incident's mail, read by two parsers |
//! | `settings` | `config`: the server's config file |
//! | `api` | `api`: any request, to the whole router |
//! | `notice` | `notice`: reports of SES about a mail |
//! | `channels` | `telegram_update`, `slack_request`, `command_end`, `pushover_receipt`: answers over channels |
//! | `phone` | `sms`, `twilio`: replies by text message, and the requests of Twilio |
//! | `feeds` | `ical`: calendars of other programs |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a target panics when something is wrong; that is how it reports"
)]

mod targets;

pub use targets::{TARGETS, Target};
