//! Telegram: a bot that alerts, and whose buttons answer.
//!
//! | file | holds |
//! |---|---|
//! | `bot` | the notifier: sends and edits messages |
//! | `reply` | the outcome of an answer of the Bot API |
//! | `update` | reads and verifies what comes back |
//! | `taking` | takes what comes back: by a webhook, or from `polling` |
//! | `polling` | asks for what comes back, one server at a time |

mod bot;
mod polling;
mod reply;
mod taking;
mod update;

pub use bot::TelegramNotifier;
pub use polling::{Polled, TelegramPolling};
pub use taking::TelegramAnswers;
pub use update::{Press, Update, is_from_telegram, read_update};
