//! Alerts by phone, and the answers: text messages and calls through Twilio.
//!
//! ```no_run
//! # fn notifiers(settings: std::sync::Arc<dyn inresponse_core::settings::Settings>) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::notify::{Channel, Notifiers};
//! use inresponse_phone::{TwilioChannel, TwilioConfig, TwilioNotifier};
//! use inresponse_outward::InternalHosts;
//!
//! let config = TwilioConfig::new("AC…", "the auth token", "+15005550006")?.public_url("https://alerts.example.org");
//! // Answers come back to `https://alerts.example.org/channels/twilio/…`.
//! let channel: Arc<dyn Channel> = Arc::new(TwilioChannel::new(config.clone(), settings));
//! let twilio = TwilioNotifier::new(config, &InternalHosts::new(), Arc::new(SystemClock::new()))?;
//! // Contacts may now be `sms:+302101234567` and `tel:+302101234567`.
//! let notifiers = twilio.schemes().into_iter().fold(Notifiers::new(), |n, s| n.with(s, twilio.clone()));
//! # Ok(()) }
//! ```
//!
//! # A text message
//!
//! `CRIT checkout: 12 % of payments fail`, `Reply 10001c to claim, 10001r to resolve.`, and the claim link if all of it
//! fits into three segments. Each segment is billed, and messages of more than 320 characters arrive less often. A
//! segment has 160 characters of the GSM alphabet (153 if there are several), or 70 (67) of any other script; so
//! typographic quotes and dashes are replaced. The code is always there: it is the incident's number and a letter.
//!
//! # A call
//!
//! A call says severity, service and title, three times. 4 claims, 6 resolves, 5 alerts the next level; any other key
//! repeats the text. An answering machine presses no key, so it claims nothing. Nobody is called for status updates,
//! except if they were handed an incident.
//!
//! # Which outcome each answer of Twilio means
//!
//! A delivery is *rejected*, and so dead, only if Twilio says that this recipient cannot be reached. An error of the
//! account, the sender or the message affects every recipient and can be corrected, so it is tried again.
//!
//! | answer | outcome |
//! |---|---|
//! | 2xx that names the message or the call (`sid`): it is queued | accepted |
//! | any other 2xx, such as the page of a proxy | unknown |
//! | 4xx with 21211, 21217 (the number is not valid), 21214 (it cannot be reached), 21265 (a short code), 21266 (the sender's own number), 21610 (the recipient has sent STOP), 21614, 21635 (it takes no text messages) | rejected |
//! | 429, 20429: too many requests | throttled: for the requested time, otherwise 2 s |
//! | 4xx with 21611 (the sender's queue is full), 14107, 63038 (a limit of the account) | throttled: 30 s |
//! | 401, 403, 20003: wrong account or auth token | unavailable |
//! | 21210, 21212, 21606, 21659 (the sender), 21612 (this sender cannot reach that number), 21215, 21408 (the account may not send to that country), 21219, 21608 (a trial account), 21216 (blocked by Twilio) | unavailable |
//! | any other 4xx, 3xx, 503; no connection within 10 s | unavailable |
//! | 500, 502, 504; no answer after the request began | unknown: the message may have been queued |
//! | none: the number is not international, or the message needs no call | rejected, without a request |
//!
//! # What Twilio reports later
//!
//! | report | effect |
//! |---|---|
//! | message `failed`, `undelivered` with 30004 (blocked by the recipient), 30005 (unknown number), 30006 (a landline), or a code that means *rejected* above | the delivery is dead: the next level need not wait ([`Engine::bounced`](inresponse_core::Engine::bounced)) |
//! | message `failed`, `undelivered` with any other code: 30001, 30002, 30003 (the phone is off), 30007 (filtered), 30008, 30034 … | the delivery is due again after a pause ([`Engine::undelivered`](inresponse_core::Engine::undelivered)) |
//! | call `failed` with SIP 404, 410, 484, 604: no such number | dead |
//! | call `failed` otherwise | due again after a pause |
//! | call `busy`, `no-answer`, `canceled`, `completed`; all other reports | none: the phone rang |
//!
//! Sources: Twilio's "Error and Warning Dictionary" (a page for each code), "Messages resource", "Call resource",
//! "Outbound Message Status in Status Callbacks", "How long can a message be?"; RFC 3261 section 21.
//!
//! # What comes back
//!
//! Every request is verified by `X-Twilio-Signature` over the public URL; others get a 403. Twilio must be told these
//! addresses in its console: `/channels/twilio/sms` for incoming messages. Those of calls and reports are sent with each
//! request, and contain the delivery's id, which the signature covers.
//!
//! Twilio signs no time. So the settings remember the last 500 replies and keys of each number: what comes again is about the
//! incident that it first meant, and counts only in the round of that time, or in none if it was refused. A number gets at
//! most five answers an hour to replies that change nothing, so that two machines do not answer each other without end.
//!
//! # A gateway
//!
//! A [`GatewayNotifier`] reaches any gateway that takes text messages or calls by HTTP. Its URL, headers and body are
//! templates with the placeholders `{number}`, `{digits}` (without the plus), `{text}` and `{delivery}`. Values are
//! percent-encoded in a URL, and escaped in a body as its `content-type` needs it.
//!
//! | answer | outcome |
//! |---|---|
//! | 2xx; with the setting `accepted`: and its body contains that text | accepted |
//! | 2xx without the text of `accepted` | unavailable; unknown if there is no body |
//! | below 500, and the body contains the text of `gone` | rejected |
//! | any other | as for a webhook (the crate `inresponse-webhook`), but a URL that is gone is *unavailable*: it is not the recipient's |
//!
//! [`Providers`] tries several providers, one after the other, if the one before certainly did not deliver. It refuses
//! numbers of premium rate and shared cost, as far as a [`NumberRule`] knows them.
//!
//! | what comes back | effect |
//! |---|---|
//! | a reply `10001c`, `10001r`; `c`, `ack` if only one incident can be meant | [`Engine::answer`](inresponse_core::Engine::answer) with the sender's number |
//! | a key during a call | the same, with the delivery of the call |
//! | STOP, START and Twilio's other words for them, or `OptOutType` | [`Engine::stop_messages`](inresponse_core::Engine::stop_messages) |
//! | a report | as above |
//!
//! | file | holds |
//! |---|---|
//! | `config` | the account, the sender, the public URL |
//! | `twilio` | the notifier: one attempt |
//! | `sms`, `segments` | the text of a message, and how many segments it has |
//! | `voice` | the text of a call, as TwiML |
//! | `fate` | what Twilio's answers and reports mean |
//! | `channel` | takes what comes back |
//! | `signature`, `form` | verifies and reads it |
//! | `reply`, `replies` | reads what people write; remembers it, so that it counts once |
//! | `gateway`, `template` | the notifier for any gateway; texts with placeholders |
//! | `providers` | several providers, one after the other |
//! | `number` | phone numbers |
//! | `post` | one request to a provider, and its answer |
//! | `error` | the error of a notifier that cannot be made |

#![cfg_attr(not(feature = "fuzzing"), allow(unreachable_pub, reason = "the fuzz targets use the parsers"))]

mod channel;
mod config;
mod error;
mod fate;
mod form;
mod gateway;
mod number;
mod post;
mod providers;
mod replies;
mod reply;
mod segments;
mod signature;
mod sms;
mod template;
#[cfg(test)]
mod testing;
mod twilio;
mod voice;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

pub use channel::TwilioChannel;
pub use config::TwilioConfig;
pub use error::{PhoneError, PhoneErrorKind};
pub use gateway::{GatewayConfig, GatewayNotifier, GatewaySettings};
pub use number::NumberRule;
pub use providers::Providers;
pub use twilio::TwilioNotifier;
