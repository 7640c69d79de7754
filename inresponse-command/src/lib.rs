//! Sends alerts through any program.
//!
//! ```
//! # fn notifiers() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use inresponse_command::{CommandConfig, CommandNotifier, Program};
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::notify::Notifiers;
//!
//! let program = Program::new("/usr/local/bin/page", ["--quiet".to_owned()])?.with("LANG", "C.UTF-8")?;
//! let config = CommandConfig::new().with("pager", program)?;
//! // Contacts may now be `command:pager`.
//! let command = CommandNotifier::new(config, Arc::new(SystemClock::new()));
//! let notifiers = Notifiers::new().with(CommandNotifier::scheme(), command);
//! # Ok(()) }
//! ```
//!
//! The program runs once for each attempt. It gets the alert on its standard input: the JSON that webhooks get, an
//! `inresponse_api::Message`, which ends with the input. Its standard output is dropped. Its environment has `PATH`, and
//! what the configuration names. At the deadline (two minutes by default) its process group is killed; so are processes
//! that it leaves behind in that group when it ends.
//!
//! # Which outcome each end of the program means
//!
//! | end | outcome |
//! |---|---|
//! | exit code 0 | accepted |
//! | exit code 1 | unavailable: certainly not delivered, tried again |
//! | exit code 2 | rejected: the recipient is gone, and the delivery is dead |
//! | exit code 3 | throttled: certainly not delivered, tried again after a pause |
//! | exit code 4; any other; a signal; no end before the deadline | unknown: the message may have arrived |
//! | the program cannot be started | unavailable |
//! | none: there is no program of that name | rejected |
//!
//! The first line of standard error is the reason; at most 200 bytes of it are kept. An interpreter may exit with 1 or 2
//! by itself if a script fails, so scripts should catch their errors.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the programs by their names |
//! | `command` | the notifier: runs the program |
//! | `group` | the process group, which is killed as a whole |
//! | `exit` | what the end of a program means |
//! | `error` | the error of a program that cannot be used |

mod command;
mod config;
mod error;
mod exit;
mod group;

pub use command::CommandNotifier;
pub use config::{CommandConfig, Program};
pub use error::{CommandError, CommandErrorKind};
pub use exit::{MAX_ERROR, outcome};
