//! Sends alerts to chats whose buttons answer: Telegram, and Slack with an app.
//!
//! ```no_run
//! # fn notifiers() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use inresponse_chat::{TelegramAnswers, TelegramConfig, TelegramNotifier};
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::notify::Notifiers;
//! use inresponse_outward::{InternalHosts, Outward};
//!
//! let outward = Outward::new(&InternalHosts::new())?;
//! let config = TelegramConfig::new("123456:ABC-DEF")?.with_webhook_secret("sixteen-or-more-x")?;
//! let bot = TelegramNotifier::new(config, outward, Arc::new(SystemClock::new()))?;
//! // Contacts may now be `telegram:CHATID`, and `/channels/telegram` is served by this channel.
//! let answers = TelegramAnswers::new(bot.clone());
//! let notifiers = Notifiers::new().with(TelegramNotifier::scheme(), bot);
//! # Ok(()) }
//! ```
//!
//! An alert has the buttons *Claim*, *Resolve* and *Escalate*. When the incident changes, the message changes: its text
//! and its buttons. A message changes without a sound. A press counts for the person to whom the account of the presser is
//! linked: a method of that person is `telegram:USERID` or `slack:USERID`. The person's page shows a code, and the person
//! sends it to the bot or the app from the account. What a message claims about its sender counts for nothing.
//!
//! # Telegram
//!
//! The buttons hold a letter and the delivery id, which is also the last line of the message. Answers come by a webhook,
//! whose requests have a secret in the header `X-Telegram-Bot-Api-Secret-Token`; or, without a webhook secret, by long
//! polling, which needs no address that is reachable from outside.
//!
//! | answer of Telegram | outcome |
//! |---|---|
//! | 200 with `"ok":true` | accepted; chat and message are kept as the receipt |
//! | 403: the bot was blocked or removed, or the user never wrote to it | rejected |
//! | 400: `chat not found`, `user not found`, `PEER_ID_INVALID`, `group chat was upgraded to a supergroup chat` | rejected |
//! | 400 to an edit: `message is not modified`, `message to edit not found`, `message can't be edited` | accepted: there is nothing to change |
//! | 429: the pause is `parameters.retry_after` | throttled |
//! | any other 4xx (the token, the message), `"ok":false`; 500, 503; no connection | unavailable |
//! | 200 that cannot be read; 502, 504; no answer after the request began | unknown |
//! | none: the contact is not a chat | rejected, without a request |
//!
//! Sources: <https://core.telegram.org/bots/api> ("Making requests", `ResponseParameters`, `setWebhook`, `getUpdates`,
//! `CallbackQuery`); the texts of errors are those of Telegram's server `tdlib/telegram-bot-api`, and are not documented.
//!
//! # Slack
//!
//! Requests of Slack are signed; see [`is_from_slack`]. The value of a button is the delivery id, and so is the block id of
//! the last block.
//!
//! | answer of Slack | outcome |
//! |---|---|
//! | 200 with `"ok":true` | accepted; channel and timestamp are kept as the receipt |
//! | `channel_not_found`, `is_archived`, `user_not_found`, `users_not_found`, `user_disabled`, `cannot_dm_bot`, `messages_tab_disabled` | rejected |
//! | to an update: `message_not_found`, `cant_update_message`, `edit_window_closed`, `channel_not_found` | accepted: there is nothing to change |
//! | 429; `ratelimited`, `rate_limited`, `message_limit_exceeded`; any refusal with `Retry-After` | throttled |
//! | `fatal_error`, `internal_error`, `request_timeout`: "some aspect of the operation" may have succeeded | unknown |
//! | any other word, such as `not_in_channel`, `invalid_auth`, `missing_scope`; 4xx; 500, 503; no connection | unavailable |
//! | 200 that cannot be read; 502, 504; no answer after the request began | unknown |
//! | none: the contact is no channel and no user | rejected, without a request |
//!
//! Sources: <https://docs.slack.dev/reference/methods/chat.postMessage>,
//! <https://docs.slack.dev/reference/methods/chat.update>, <https://docs.slack.dev/apis/web-api/rate-limits>,
//! <https://docs.slack.dev/interactivity/handling-user-interaction>,
//! <https://docs.slack.dev/authentication/verifying-requests-from-slack>.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the tokens and secrets |
//! | `telegram` | the bot of Telegram, and its answers |
//! | `slack` | the app of Slack, and its answers |
//! | `wanted` | what a button asks for |
//! | `alert` | the alert that buttons answer |
//! | `error` | the error of a notifier that cannot be made |

mod alert;
mod config;
mod error;
mod slack;
mod telegram;
mod wanted;

pub use config::{SlackConfig, TelegramConfig};
pub use error::{ChatError, ChatErrorKind};
pub use slack::{Action, Request, SlackAnswers, SlackNotifier, is_from_slack, read_request, slack_message};
pub use telegram::{
    Polled, Press, TelegramAnswers, TelegramNotifier, TelegramPolling, Update, is_from_telegram, read_update,
};
