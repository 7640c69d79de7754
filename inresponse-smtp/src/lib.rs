//! Sends alerts as mails: over SMTP, or as files in a folder.
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
//! # What a refusal means
//!
//! A delivery is *rejected*, and so dead, only if the server permanently refuses this recipient. Every other refusal is
//! tried again: after a pause if the server asks for one, otherwise soon. In doubt the delivery is tried again.
//!
//! | refused | code | outcome |
//! |---|---|---|
//! | anything | 421, 452; other 4yz with 4.7.x, 4.2.1, 4.3.2, 4.4.5, 4.5.3, or a text about greylisting or throttling | throttled |
//! | anything | 4yz with another status | unavailable |
//! | connection, EHLO, TLS, AUTH | 5yz | unavailable: the recipient was not named yet |
//! | MAIL: the sender | 5yz | unavailable |
//! | RCPT: the recipient | 5yz with 5.1.1, 5.1.2, 5.1.3, 5.1.4, 5.1.6, 5.1.10: no such mailbox, no such domain | rejected |
//! | | 5yz with 5.2.1 (disabled) or 5.2.2 (full) | rejected, unless the text is about a rate or about sending |
//! | | 5yz with 5.6.7 | rejected: the server does not accept the recipient's non-ASCII address |
//! | | 5yz with 5.4.1 and `Recipient address rejected: Access denied` | rejected: Exchange Online knows no such address |
//! | | 5yz with another status: the sender (5.1.7, 5.1.8), system (5.3.x), routes and quotas (5.4.x), protocol (5.5.x), policy (5.7.x) | unavailable |
//! | | 551, 556 without a status, or with x.0.0, x.1.0, x.2.0, x.5.0 | rejected, unless the text is about relaying, a sender, a quota, a policy |
//! | | 550, 553, 554 without a status, or with x.0.0, x.1.0, x.2.0, x.5.0 | rejected if the text also says that there is no such mailbox |
//! | | other 5yz | unavailable |
//! | DATA and the content | 5yz with 5.1.x and 5.2.x as after RCPT | rejected |
//! | | other 5yz | unavailable: the refusal is about the message |
//!
//! If the text names the sender, the refusal is about the sender, whatever the status is: Postfix refuses a sender only
//! after RCPT. A recipient whose local part is not ASCII is rejected if the server has no SMTPUTF8, because that server
//! cannot accept mail for them. Domains are in A-labels and never need SMTPUTF8.
//!
//! Sources: RFC 5321 section 4.2 (codes) and 3.6.1, RFC 3463 section 3 (enhanced status codes) and the IANA registry
//! that it began, RFC 2034 (the place of status codes), RFC 4954 section 6 (AUTH), RFC 6531 section 3.5 (5.6.7), RFC
//! 7504 (521, 556), RFC 7505 (5.1.10); "Gmail SMTP errors and codes" in the help of Google Workspace; "Email
//! non-delivery reports in Exchange Online" in Microsoft's documentation; "SMTP response codes returned by Amazon SES"
//! in the developer guide of SES; Postfix's `postconf(5)` (`smtpd_delay_reject`) and its texts.
//!
//! # Time limits
//!
//! All limits are within the engine's deadline: 10 s to connect to all addresses together; 60 s for TLS and for the
//! greeting, because some servers let clients wait; 30 s for the reply to a command before a mail begins. From MAIL on
//! there is only the deadline (RFC 5321 section 4.5.3.2 allows minutes). A missing reply is *unavailable* until the end
//! of the content was sent, and *unknown* after that: the mail may have arrived.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the server, the encryption and the sender |
//! | `smtp` | the notifier: one attempt over a kept connection |
//! | `connect` | opens connections: TCP, TLS, AUTH |
//! | `session` | commands and replies, and their time limits |
//! | `pool` | kept connections |
//! | `reply` | the meaning of a server's replies; `reply/recipient`: which replies are about the recipient |
//! | `outbox` | the notifier that writes files |
//! | `error` | the error of a notifier that cannot be made |

mod config;
mod connect;
mod error;
mod outbox;
mod pool;
mod reply;
mod session;
mod smtp;

pub use config::{Secrecy, SmtpConfig};
pub use error::{SmtpError, SmtpErrorKind};
pub use outbox::OutboxNotifier;
pub use smtp::SmtpNotifier;
