//! Whatever speaks PagerDuty's Events API v2.
//!
//! Source: PagerDuty's reference of `POST /v2/enqueue`. As there, the routing key is the service's: events that only
//! acknowledge or resolve carry nothing else to tell it by.

use inresponse_core::InvalidInput;
use inresponse_core::model::{DedupKey, Person, Severity};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::json::{as_text, object, time};
use crate::rule::unmapped;
use crate::{Acknowledgement, Context, Covers, Recovery, Signal, Subject, Trouble, key, text};

/// An event, read but not yet translated: its routing key says who sends it.
#[derive(Deserialize)]
pub struct Event {
    routing_key: Option<String>,
    event_action: Option<String>,
    dedup_key: Option<String>,
    payload: Option<Payload>,
    client: Option<String>,
    client_url: Option<String>,
    #[serde(default)]
    links: Option<Vec<Link>>,
    #[serde(default)]
    images: Option<Vec<Image>>,
}

#[derive(Debug, Deserialize)]
struct Payload {
    summary: Option<String>,
    source: Option<String>,
    severity: Option<String>,
    timestamp: Option<String>,
    component: Option<String>,
    group: Option<String>,
    class: Option<String>,
    custom_details: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Link {
    href: Option<String>,
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Image {
    src: Option<String>,
    href: Option<String>,
    alt: Option<String>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("event_action", &self.event_action)
            .field("dedup_key", &self.dedup_key)
            .finish_non_exhaustive()
    }
}

/// What an event asks for, and the key to answer it with.
#[derive(Debug)]
pub struct Translation {
    /// What it asks for.
    pub signal: Signal,
    /// The sender's key, or the one that was made for it.
    pub dedup_key: DedupKey,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// It is none.
    pub fn read(body: &[u8]) -> Result<Self, InvalidInput> {
        object(body)
    }

    /// The API key that it was sent with.
    pub fn routing_key(&self) -> Option<&str> {
        self.routing_key.as_deref()
    }

    /// Translates it. `body` is what it was read from; a key is made of it where the sender gives none.
    ///
    /// # Errors
    /// An unknown action, an acknowledgement or end of nothing, trouble without a summary.
    pub fn translate(self, body: &[u8], context: &Context<'_>) -> Result<Translation, InvalidInput> {
        let service = context.service.cloned().unwrap_or_else(unmapped);
        let given = self.dedup_key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let given = given.map(|given| DedupKey::new(text::name(given, DedupKey::MAX_BYTES))).transpose()?;
        let missing = || InvalidInput::field("dedup_key", "is missing: of what?");
        let (signal, dedup_key) = match self.event_action.as_deref() {
            Some("trigger") => {
                let dedup_key = match given {
                    Some(given) => given,
                    None => key::made_of(body, context.now)?,
                };
                let trouble = self.trouble(dedup_key.clone(), context)?;
                (Signal::Report(Box::new(trouble)), dedup_key)
            }
            Some("acknowledge") => {
                let dedup_key = given.ok_or_else(missing)?;
                let subject = Subject::Key(dedup_key.clone());
                let by = None::<Person>;
                (Signal::Acknowledgement(Acknowledgement { service, subject, by }), dedup_key)
            }
            Some("resolve") => {
                let dedup_key = given.ok_or_else(missing)?;
                let subject = Subject::Key(dedup_key.clone());
                let recovery = Recovery { service, subject, ended_at: None, covers: Covers::None, by: None };
                (Signal::Recovery(recovery), dedup_key)
            }
            Some(_) | None => {
                return Err(InvalidInput::field("event_action", "must be trigger, acknowledge or resolve"));
            }
        };
        Ok(Translation { signal, dedup_key })
    }

    fn trouble(self, dedup_key: DedupKey, context: &Context<'_>) -> Result<Trouble, InvalidInput> {
        let payload = self.payload.ok_or_else(|| InvalidInput::field("payload", "is missing"))?;
        let summary = payload.summary.as_deref().map(str::trim).filter(|summary| !summary.is_empty());
        let summary = summary.ok_or_else(|| InvalidInput::field("payload.summary", "is missing"))?;
        let began = time("payload.timestamp", payload.timestamp.as_deref())?;
        let severity = severity(payload.severity.as_deref(), context);
        let service = context.service.cloned().unwrap_or_else(unmapped);
        let mut trouble =
            Trouble::new(service, dedup_key, severity, "pagerduty").title([summary]).began(began);
        let named = [
            ("source", payload.source),
            ("component", payload.component),
            ("group", payload.group),
            ("class", payload.class),
            ("client", self.client.clone()),
        ];
        for (name, value) in named {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                trouble = trouble.label(name, &value);
            }
        }
        trouble = details(trouble, payload.custom_details);
        for link in self.links.unwrap_or_default() {
            trouble = trouble.link(link.text.as_deref().unwrap_or("Link"), &link.href.unwrap_or_default());
        }
        let client = self.client.as_deref().unwrap_or("Client");
        trouble = trouble.link(client, &self.client_url.unwrap_or_default());
        for image in self.images.unwrap_or_default() {
            let url = image.href.or(image.src).unwrap_or_default();
            trouble = trouble.link(image.alt.as_deref().unwrap_or("Image"), &url);
        }
        Ok(trouble)
    }
}

fn severity(word: Option<&str>, context: &Context<'_>) -> Severity {
    let told = word.and_then(|word| context.rule.severity_word(word));
    told.unwrap_or(context.rule.unknown_severity())
}

/// An object's short values are labels, its long ones and anything else are paragraphs of the message.
pub(crate) fn details(trouble: Trouble, details: Option<Value>) -> Trouble {
    const LABEL: usize = 256;
    let details = match details {
        Some(Value::Object(details)) => details,
        Some(other) => Map::from_iter([("details".to_owned(), other)]),
        None => Map::new(),
    };
    details.iter().fold(trouble, |trouble, (name, value)| match as_text(value) {
        None => trouble,
        Some(text) if text.trim().is_empty() => trouble,
        Some(text) if text.len() > LABEL || text.trim().contains('\n') => {
            trouble.paragraph(&format!("{name}: {text}"))
        }
        Some(text) => trouble.label(name, &text),
    })
}
