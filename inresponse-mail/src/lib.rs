//! Writes an InResponse alert as a mail, for any mail carrier.
//!
//! The crate is pure: an alert, a sender and the time go in, and one message comes out. A mail library builds the
//! message, so that no part of a title can become a header.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use chrono::DateTime;
//! use inresponse_core::model::{Contact, IncidentNumber, Matrix, Report, Severity, TeamName};
//! use inresponse_core::{notify::Alert, plan};
//! use inresponse_mail::{Sender, render};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // What an engine does with a report:
//! let now = DateTime::UNIX_EPOCH;
//! let report = Report::builder("athens", Severity::Crit, "5xx Error Spike").build()?;
//! let on_call = vec![vec![Contact::new("jo@example.org")?]];
//! let matrix = Matrix::new(on_call, vec![Contact::new("ops@example.org")?], Duration::from_secs(600));
//! let lease = Some(Duration::from_secs(30));
//! let (opening, sends) = plan::open(report, TeamName::new("devops")?, matrix, lease, now);
//! let incident = Arc::new(opening.numbered(IncidentNumber::new(10001)).into_incident());
//! let alert = Alert::new(incident, 1, sends[0].delivery, sends[0].attempt, sends[0].contact.clone());
//!
//! let mail = render(&alert, &Sender::new("InResponse <alerts@example.org>")?, now)?;
//! let message = std::str::from_utf8(mail.message())?;
//! assert!(message.contains("\r\nSubject: [CRIT] #10001 athens: 5xx Error Spike\r\n"));
//! # Ok(()) }
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `config` | the sender |
//! | `mail` | the message: headers, threading, parts |
//! | `subject` | a subject that every reader decodes correctly |
//! | `bundle` | many alerts in one mail |
//! | `view` | the content of the texts; `templates/` has their form |
//! | `visible` | escapes untrusted text |
//! | `error` | the error of a mail that cannot be made |

mod bundle;
mod config;
mod error;
mod mail;
mod subject;
mod view;
mod visible;

pub use config::Sender;
pub use error::{MailError, MailErrorKind};
pub use mail::{Mail, render, render_bundle};
