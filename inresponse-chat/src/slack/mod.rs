//! Slack: an app that alerts, and whose buttons answer.
//!
//! | file | holds |
//! |---|---|
//! | `app` | the notifier: posts and updates messages |
//! | `blocks` | the blocks of a message |
//! | `verdict` | the outcome of an answer of the Web API |
//! | `request` | reads what comes back |
//! | `signature` | verifies what comes back |
//! | `acting` | takes what comes back |

mod acting;
mod app;
mod blocks;
mod request;
mod signature;
mod verdict;

pub use acting::SlackAnswers;
pub use app::SlackNotifier;
pub use blocks::message as slack_message;
pub use request::{Action, Request, read_request};
pub use signature::is_from_slack;
