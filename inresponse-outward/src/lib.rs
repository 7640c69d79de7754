//! What notifiers share: the HTTP client, which makes one attempt to an address that was checked, and the text of short
//! messages.
//!
//! ```no_run
//! # async fn send() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use inresponse_outward::{InternalHosts, Outward, Sent};
//!
//! let outward = Outward::new(&InternalHosts::new().allow("push.internal"))?;
//! let request = outward.post("http://push.internal/".parse()?)?;
//! // A body of at most 4 KiB is read if the request was refused.
//! let read = |status: inresponse_outward::StatusCode| if status.is_success() { 0 } else { 4096 };
//! match outward.send(request, "hello".into(), read, Duration::from_secs(30)).await {
//!     Sent::Answered(answer) => println!("{}", answer.status),
//!     Sent::Refused(refused) => println!("nothing was connected: {refused}"),
//!     Sent::Never(reason) => println!("certainly not sent: {reason}"),
//!     Sent::Lost(reason) => println!("it may have arrived: {reason}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # Which outcome each result means
//!
//! | result | outcome |
//! |---|---|
//! | [`Sent::Refused`] | rejected if the recipient chose the host, else unavailable |
//! | [`Sent::Never`] | unavailable |
//! | [`Sent::Lost`] | unknown |
//! | [`Sent::Answered`] | the notifier decides; [`retry_after`] reads the pause |
//!
//! Sources: RFC 9110 section 10.2.3 (`Retry-After`); IANA's registries of special-purpose addresses.
//!
//! | file | holds |
//! |---|---|
//! | `hosts` | the internal hosts that may be reached |
//! | `gate` | which URLs and addresses are allowed |
//! | `outward` | the client: one attempt |
//! | `watched` | a body that records when it is asked for |
//! | `carrier` | the outcomes of a carrier whose URL the operator configured |
//! | `pause` | reads `Retry-After` |
//! | `brief` | the text of short messages |
//! | `many` | the text of a message about many incidents |
//! | `slack` | blocks of messages to Slack |
//! | `payload` | an alert as JSON |
//! | `error` | the error of a client that cannot be made |

pub mod brief;
mod carrier;
mod error;
mod gate;
mod hosts;
pub mod many;
mod outward;
mod pause;
mod payload;
pub mod slack;
mod watched;

pub use error::{OutwardError, OutwardErrorKind};
pub use gate::{Gate, Refused};
pub use hosts::InternalHosts;
pub use outward::{Answer, Outward, Sent};
pub use pause::retry_after;
pub use payload::{json, json_of_bundle};
pub use reqwest::{Client, Method, RequestBuilder, StatusCode, header};
