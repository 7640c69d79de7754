//! Sends alerts as mails with Amazon SES, and reads SES's later reports on them.
//!
//! ```
//! # #[cfg(feature = "notifier")]
//! # fn notifier(aws: &aws_sdk_sesv2::Config) -> Result<(), inresponse_ses::SesError> {
//! use std::sync::Arc;
//!
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::notify::Notifiers;
//! use inresponse_ses::{SesConfig, SesNotifier};
//!
//! let config = SesConfig::new("InResponse <alerts@example.org>")?.configuration_set("inresponse")?;
//! // `aws` is how AWS is reached: region, credentials. What `aws_config::load_defaults` answers will do.
//! # let aws = aws.to_builder();
//! let notifiers = Notifiers::new().mail(SesNotifier::new(aws, config, Arc::new(SystemClock::new())));
//! # Ok(()) }
//! ```
//!
//! # Which outcome each answer of SES means
//!
//! A delivery is *rejected*, and so dead, only if SES permanently refuses this recipient. A refusal of the account, the
//! sender or the message affects every recipient and can be fixed, so it is tried again.
//!
//! | answer | outcome |
//! |---|---|
//! | `BadRequestException` about an impossible address | rejected |
//! | `MessageRejected` that says that the recipient is on a suppression list | rejected |
//! | an address whose local part is not ASCII, which SES never accepts | rejected, without a call |
//! | other `MessageRejected`: an address is not verified (also the recipient's, in the sandbox), sending is suspended or paused, a virus | unavailable |
//! | other `BadRequestException`, `NotFoundException` (configuration set) | unavailable |
//! | `MailFromDomainNotVerifiedException`, `AccountSuspendedException`, `SendingPausedException` | unavailable |
//! | `TooManyRequestsException`, `ThrottlingException` and the like, 429 | throttled: for the requested time, otherwise 1 s |
//! | `LimitExceededException`, the daily quota | throttled: for the requested time, otherwise 30 s |
//! | 401, 403, other 4xx (keys, permissions, a wrong clock) | unavailable |
//! | 503 | unavailable; throttled if it asks for a pause |
//! | 500, 502, 504 and all others, an answer that cannot be read | unknown: the mail may have been accepted |
//! | no credentials, no region, no connection | unavailable: nothing was handed over |
//! | no answer in time, connection lost | unavailable before the mail was sent, unknown after that |
//!
//! Sources: the errors of `SendEmail` and the common errors in the API reference of SES v2; "Amazon SES email sending
//! errors" and "Errors related to the sending quotas" in the developer guide. The time to wait comes from `Retry-After`
//! (RFC 9110 section 10.2.3, in seconds) or `x-amz-retry-after` (in milliseconds).
//!
//! # Later reports of SES
//!
//! SES accepts a mail for an address that does not exist or is on a suppression list, and reports the bounce later:
//! through the configuration set's event destination, to an SNS topic. Hand the topic's messages to [`take`], or those
//! of several topics to [`SesTopics`], which handles those of trusted topics. So nobody waits for an unreachable
//! contact (promise 12). The documentation of [`Fate`] explains the messages.
//!
//! ```
//! # async fn told(engine: &inresponse_core::Engine, message: &[u8]) -> Result<(), inresponse_core::Outage> {
//! use inresponse_ses::{Taken, take};
//!
//! match take(engine, message).await? {
//!     Taken::Dead => println!("the next level is due at once"),
//!     Taken::Nothing => {}
//!     Taken::Foreign(error) => println!("SES did not write this: {error}"),
//! }
//! # Ok(()) }
//! ```
//!
//! [`take`] and [`read`] need no AWS SDK: without the feature `notifier` (on by default) the SDK is not built.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the sender and the configuration set |
//! | `ses` | the notifier: one call of `SendEmail` |
//! | `handed` | records whether any part of the mail was handed over |
//! | `reply` | the meaning of SES's answers |
//! | `notice` | later reports of SES: bounces, complaints |
//! | `take` | handles later reports of SES |
//! | `topics` | the trusted topics |
//! | `error` | errors that occur outside of a send |

#[cfg(feature = "notifier")]
mod config;
mod error;
#[cfg(feature = "notifier")]
mod handed;
mod notice;
#[cfg(feature = "notifier")]
mod reply;
#[cfg(feature = "notifier")]
mod ses;
mod take;
mod topics;

#[cfg(feature = "notifier")]
pub use config::SesConfig;
pub use error::{SesError, SesErrorKind};
pub use notice::{AlertNotice, Fate, Notice, read};
#[cfg(feature = "notifier")]
pub use ses::SesNotifier;
pub use take::{Taken, take};
pub use topics::SesTopics;
