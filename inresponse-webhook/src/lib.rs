//! Sends alerts to webhooks: signed JSON to any `https:` contact, and messages to channels of Slack and Microsoft
//! Teams.
//!
//! ```no_run
//! # fn notifiers() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use inresponse_core::clock::SystemClock;
//! use inresponse_core::notify::Notifiers;
//! use inresponse_webhook::{Chat, WebhookConfig, WebhookNotifier};
//!
//! let config = WebhookConfig::new()
//!     .sign_with("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")?
//!     .channel(Chat::Slack, "ops", "https://hooks.slack.com/services/…")?;
//! let webhooks = WebhookNotifier::new(config, Arc::new(SystemClock::new()))?;
//! // Contacts may now be `https://alerts.example.org/hook` and `slack:ops`.
//! let notifiers = webhooks.schemes().into_iter().fold(Notifiers::new(), |n, s| n.with(s, webhooks.clone()));
//! # Ok(()) }
//! ```
//!
//! # The message to an `https:` contact
//!
//! The message is a `POST` of JSON, an [`inresponse_api::Message`], with the headers below: `{"type":
//! "inresponse.alert", "timestamp", "data": {"deliveryId", "attempt", "round", "level", "contact", "others",
//! "upcoming", "claimUrl", "incident"}}`. The incident has the fields of the HTTP API, with their values when the send
//! began. An entry of `upcoming` is a level (`at`, `level`, `contacts`, `alerts`), a later step of people's rules (the same, with
//! `laterStep`), or a further round (`at`, `round`) with the
//! people who are on call then. A status update has the type `inresponse.claimed` or `inresponse.resolved`, and should
//! page nobody. If the contact itself was handed the incident, the type is `inresponse.handed`: somebody must answer by
//! `claimEndsAt`, or the alerts begin again. Ten minutes before a claim ends, the claimant gets the type
//! `inresponse.claimEnds`; `claimEndsAt` says when. In a storm, many alerts come as one message of the type
//! `inresponse.alerts`, an [`inresponse_api::BundleMessage`]: `{"contact", "claimAllUrl", "worst", "others"}`. Its `worst` are
//! as the `data` of a single alert; its `others` have `deliveryId`, `incidentId`, `severity`, `service`, `title` and
//! `claimUrl`. A notice about the roster has the type `inresponse.notice`. Its incident has
//! the number 0, and the notice's title and message.
//!
//! | header | holds |
//! |---|---|
//! | `webhook-id`, `x-inresponse-delivery` | the id of the delivery or the bundle. It is the same in every attempt, so that a receiver can recognise a repeat |
//! | `webhook-timestamp` | when the message was sent, in Unix seconds |
//! | `webhook-signature` | if there is a secret: `v1,` and the base64 of an HMAC-SHA-256 over `id.timestamp.body` |
//!
//! The receiver computes the signature from the headers and the bytes of the body, compares it in constant time, and
//! refuses timestamps that are some minutes old or ahead. Any library for [Standard
//! Webhooks](https://www.standardwebhooks.com) does this.
//!
//! # Which outcome each answer of the receiver means
//!
//! A delivery is *rejected*, and so dead, only if the URL is permanently gone. In all other cases, and if in doubt, it
//! is tried again: an error of a signature, a firewall or a message does not mean that the recipient is gone.
//!
//! | answer | outcome |
//! |---|---|
//! | 2xx | accepted |
//! | 410; 301, 308: moved permanently, and redirects are not followed | rejected |
//! | Slack, 4xx: `channel_not_found`, `channel_is_archived`, `user_not_found`, `no_service`, `no_team`, `team_disabled`, `invalid_token` | rejected |
//! | Teams, 4xx: `WorkflowNotFound` | rejected |
//! | 429; any other refusal with `Retry-After` | throttled |
//! | 401, 403: a signature, a password, a firewall | unavailable |
//! | 404: the URL may return (RFC 9110 section 15.5.5 uses 410 for permanent removal) | unavailable |
//! | 400, 413, 415, 422 and other 4xx: errors of the message; other 3xx | unavailable |
//! | 500, 503 and other 5xx; no connection within 10 s | unavailable |
//! | 502, 504; no answer after the request began | unknown: the message may have arrived |
//! | none: the URL is not allowed, or the channel is not configured | rejected, without a request |
//!
//! Sources: RFC 9110 section 15; the specification of Standard Webhooks 1.0.0, "Deliverability and reliability" (410
//! ends an endpoint, all other failures are tried again); Slack's "Improving error conditions for Incoming Webhooks" and
//! "Handling errors" of incoming webhooks; the error codes of Azure Logic Apps, on which Teams' workflows run.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the signing secret, the channels, the internal hosts that may get posts |
//! | `webhook` | the notifier: one attempt over its own connection |
//! | `message` | the message formats of Slack and Teams |
//! | `sign` | the signature |
//! | `calendar` | fetches calendar feeds through the same gate |
//! | `answer` | the outcome of a receiver's answer |
//! | `error` | the error of a notifier that cannot be made |

mod answer;
mod calendar;
mod config;
mod error;
mod message;
mod sign;
mod webhook;

pub use calendar::CalendarFetcher;
pub use config::{Chat, WebhookConfig};
pub use error::{WebhookError, WebhookErrorKind};
pub use webhook::WebhookNotifier;
