//! Brings alerts to people by mail: over SMTP, or as files in a folder.
//!
//! ```no_run
//! # fn notifier() -> Result<(), inresponse_smtp::SmtpError> {
//! use std::sync::Arc;
//!
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::notify::Notifiers;
//! use inresponse_smtp::{SmtpConfig, SmtpNotifier};
//!
//! let config = SmtpConfig::from_url(
//!     "smtp://user:password@mail.example.org:587?tls=required",
//!     "InResponse <alerts@example.org>",
//! )?;
//! let notifiers = Notifiers::new().mail(SmtpNotifier::new(config, Arc::new(SystemClock::new()))?);
//! # Ok(()) }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `config` | which server, how, as whom |
//! | `smtp` | the notifier: one attempt over a kept connection |
//! | `connect` | connections: TCP, TLS, AUTH |
//! | `pool` | connections that are kept |
//! | `reply` | what a server's replies mean |
//! | `outbox` | the notifier that writes files |
//! | `error` | why a notifier cannot be made |

mod config;
mod connect;
mod error;
mod outbox;
mod pool;
mod reply;
mod smtp;

pub use config::SmtpConfig;
pub use error::{SmtpError, SmtpErrorKind};
pub use outbox::OutboxNotifier;
pub use smtp::SmtpNotifier;
