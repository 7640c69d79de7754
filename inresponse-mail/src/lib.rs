//! How an InResponse alert looks as a mail, for every carrier of mail.
//!
//! Pure: an alert, a sender and the time go in, one message comes out, built by a mail library and never by
//! hand, so that nothing a title holds can become a header.
//!
//! | file | holds |
//! |---|---|
//! | `config` | who sends |
//! | `mail` | the message: headers, threading, parts |
//! | `view` | what the texts say, and `templates/` how |
//! | `error` | why a mail cannot be made |

mod config;
mod error;
mod mail;
mod view;

pub use config::Sender;
pub use error::{MailError, MailErrorKind};
pub use mail::{Mail, render};
