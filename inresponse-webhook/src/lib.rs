//! Brings alerts to webhooks: signed JSON to any `https:` contact, messages to channels of Slack and Microsoft Teams.
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
//! # What an `https:` contact is sent
//!
//! A `POST` of JSON: `{"type": "inresponse.alert", "timestamp", "data": {"deliveryId", "attempt", "round", "level", "contact",
//! "others", "upcoming", "claimUrl", "incident": {"incidentId", "service", "team", "severity", "state", "title", "message",
//! "source", "detectedAt", "createdAt", "claimedBy", "claimedAt", "claimEndsAt", "resolvedBy", "resolvedAt", "dedupKey",
//! "labels", "links", "count"}}}`, with these headers. What is upcoming is a level (`at`, `level`, `contacts`) or a further
//! round (`at`, `round`) with the people who are on call then. If people are told who has an incident, the type is
//! `inresponse.claimed` or `inresponse.resolved`: nothing that should page anybody. If the contact itself was given the
//! incident, it is `inresponse.handed`: somebody must answer by `claimEndsAt`, or the alerts begin again.
//!
//! | header | holds |
//! |---|---|
//! | `webhook-id`, `x-inresponse-delivery` | the name of the delivery; the same in every attempt, so that a repeat can be told |
//! | `webhook-timestamp` | when it was sent, in Unix seconds |
//! | `webhook-signature` | where there is a secret: `v1,` and the base64 of an HMAC-SHA-256 over `id.timestamp.body` |
//!
//! Whoever receives it computes the signature from the headers and the bytes of the body, compares it in constant time,
//! and refuses timestamps that are some minutes off; any library for
//! [Standard Webhooks](https://www.standardwebhooks.com) does so.
//!
//! | file | holds |
//! |---|---|
//! | `config` | the secret, the channels, the internal hosts that may be posted to |
//! | `webhook` | the notifier: one attempt over a connection of its own |
//! | `message` | what is posted: JSON, Slack, Teams |
//! | `sign` | the signature |
//! | `target` | which URLs and addresses may be posted to |
//! | `answer` | what a status means |
//! | `error` | why a notifier cannot be made |

mod answer;
mod config;
mod error;
mod message;
mod sign;
mod target;
mod webhook;

pub use config::{Chat, WebhookConfig};
pub use error::{WebhookError, WebhookErrorKind};
pub use webhook::WebhookNotifier;
