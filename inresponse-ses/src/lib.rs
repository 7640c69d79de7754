//! Brings alerts to people by mail over Amazon SES, and reads what SES tells later of the mails that it took.
//!
//! ```
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
//! SES accepts a mail for an address that does not exist, and tells later that it came back: through the
//! configuration set's event destination, to an SNS topic. Hand its messages to [`read`], and what is for good to
//! [`Engine::bounced`](inresponse_core::Engine::bounced), so that nobody waits for the unreachable (promise 12):
//!
//! ```
//! # async fn told(engine: &inresponse_core::Engine, message: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! use inresponse_ses::{Notice, read};
//!
//! if let Notice::Alert(alert) = read(message)? {
//!     if alert.fate.is_dead() {
//!         let _ = engine.bounced(alert.number, &alert.delivery, &alert.reason).await?;
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `config` | as whom, under which configuration set |
//! | `ses` | the notifier: one call of `SendEmail` |
//! | `handed` | whether any of the mail was handed over |
//! | `reply` | what the answers of SES mean |
//! | `notice` | what SES tells later: bounces, complaints |
//! | `error` | what can go wrong outside of a send |

mod config;
mod error;
mod handed;
mod notice;
mod reply;
mod ses;

pub use config::SesConfig;
pub use error::{SesError, SesErrorKind};
pub use notice::{AlertNotice, Fate, Notice, read};
pub use ses::SesNotifier;
