//! Sends alerts as pushes, through ntfy and Pushover, and takes the claims that come back.
//!
//! ```no_run
//! # fn notifiers() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::notify::Notifiers;
//! use inresponse_outward::{InternalHosts, Outward};
//! use inresponse_push::{NtfyConfig, NtfyNotifier};
//!
//! let outward = Outward::new(&InternalHosts::new())?;
//! let config = NtfyConfig::at(NtfyConfig::URL)?;
//! let public_url = Some("https://alerts.example.org");
//! let ntfy = NtfyNotifier::new(config, public_url, outward, Arc::new(SystemClock::new()))?;
//! // Contacts may now be `ntfy:topic`.
//! let notifiers = Notifiers::new().with(NtfyNotifier::scheme(), ntfy);
//! # Ok(()) }
//! ```
//!
//! # ntfy
//!
//! A push is published as JSON. Its priority is 5 for CRIT, 4 for ERR, 3 for WARN. The button *Claim* posts to
//! `/channels/ntfy` with a token that names the alert and is valid for a day. Everybody who reads the topic has the token: it
//! claims this alert in its round, and does nothing else. The sequence id is the delivery id. So a repeat replaces the
//! push, a status update replaces it, and where status updates are off a claim deletes it. This needs ntfy 2.16 and the
//! app for Android 1.22, or a web browser; older ones show a status update as a further push.
//!
//! | answer of ntfy | outcome |
//! |---|---|
//! | 2xx with the `id` of the message | accepted |
//! | 2xx with an `error` | unavailable |
//! | any other 2xx, such as the page of a proxy | unknown |
//! | 404, 405 to a deletion: the server is older | accepted: there is nothing to change |
//! | 429; any other refusal with `Retry-After` | throttled |
//! | any other 3xx, 4xx; 500, 503; no connection | unavailable: topics are made by use, so no refusal is the topic's |
//! | 502, 504; no answer after the request began | unknown |
//! | none: the contact is not the name of a topic | rejected, without a request |
//!
//! Sources: <https://docs.ntfy.sh/publish/>, "Publish as JSON", "Send HTTP request", "Updating + deleting notifications";
//! `topicRegex` and `sequenceIDRegex` in ntfy's `server/server.go`.
//!
//! # Pushover
//!
//! CRIT and ERR have priority 2: Pushover repeats the push every minute for an hour, until somebody acknowledges it. An
//! acknowledgement claims. A claim over any channel cancels the repetition. The last line of the message has the delivery
//! id.
//!
//! | answer of Pushover | outcome |
//! |---|---|
//! | 2xx with `"status":1` | accepted; the receipt is kept |
//! | 2xx with another status | unavailable |
//! | 2xx that cannot be read | unknown |
//! | 4xx with `"user":"invalid"` | rejected |
//! | 429; any other refusal with `Retry-After` | throttled |
//! | any other 4xx (the token, the monthly limit, the message); 500, 503; no connection | unavailable |
//! | 502, 504; no answer after the request began | unknown |
//! | none: the contact is not a user key | rejected, without a request |
//!
//! Sources: <https://pushover.net/api>, <https://pushover.net/api/receipts>.
//!
//! | file | holds |
//! |---|---|
//! | `config` | where the services are, and their tokens |
//! | `ntfy` | the notifier for ntfy |
//! | `claims` | takes the claims by buttons |
//! | `pushover` | the notifier for Pushover |
//! | `receipts` | turns acknowledgements into claims |
//! | `error` | the error of a notifier that cannot be made |

mod claims;
mod config;
mod error;
mod ntfy;
mod pushover;
mod receipts;

pub use claims::{NtfyClaims, token};
pub use config::{NtfyConfig, PushoverConfig};
pub use error::{PushError, PushErrorKind};
pub use ntfy::NtfyNotifier;
pub use pushover::{Acknowledged, PushoverNotifier, read_receipt};
pub use receipts::PushoverReceipts;
