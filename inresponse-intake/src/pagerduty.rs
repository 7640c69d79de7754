//! Translates events of clients of PagerDuty's Events API v2.
//!
//! Source: PagerDuty's reference of `POST /v2/enqueue`. As in PagerDuty, the routing key belongs to one service,
//! because events that only acknowledge or resolve name no service.

use inresponse_core::InvalidInput;
use inresponse_core::model::{DedupKey, Severity};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::json::{Object, as_text, exactly, object};
use crate::rule::unmapped;
use crate::trouble::Repairs;
use crate::{Context, Recovery, Remark, Signal, Subject, Trouble, key, repair, time};

/// An event, read but not yet translated. The event's routing key tells who sent the event.
pub struct Event {
    fields: Object,
}

/// Reads only the routing key of an event, because an event with an unknown key deserves no more work.
///
/// # Errors
/// The body is not an event, or its key is not a text.
pub fn routing_key(body: &[u8]) -> Result<Option<String>, InvalidInput> {
    #[derive(Deserialize)]
    struct Keyed {
        routing_key: Option<String>,
    }
    let read = |bytes: &[u8]| exactly::<Keyed>(bytes).map(|keyed| keyed.routing_key);
    let text = repair::decode(body);
    read(text.as_bytes()).or_else(|error| {
        let mended = repair::json(&text);
        if mended == text { Err(error) } else { read(mended.as_bytes()) }
    })
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event")
            .field("event_action", &self.fields.get("event_action"))
            .field("dedup_key", &self.fields.get("dedup_key"))
            .finish_non_exhaustive()
    }
}

/// The translation of an event, and the dedup key for the answer.
#[derive(Debug)]
pub struct Translation {
    /// The signal to execute.
    pub signal: Signal,
    /// The dedup key as the sender gave it, or the one that was made for it.
    pub dedup_key: String,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// The body is not an event.
    pub fn read(body: &[u8]) -> Result<Self, InvalidInput> {
        object(body).map(|fields| Self { fields })
    }

    /// Translates the event. If the sender gave no dedup key, one is made from `body`, the original bytes.
    ///
    /// # Errors
    /// The action is unknown, an acknowledgement or resolution has no dedup key, or a trigger has no summary.
    pub fn translate(self, body: &[u8], context: &Context<'_>) -> Result<Translation, InvalidInput> {
        let service = context.service.cloned().unwrap_or_else(unmapped);
        let as_given = self.fields.text("dedup_key");
        let given = as_given.as_deref().and_then(key::of);
        let missing =
            || InvalidInput::field("dedup_key", "is missing: it names the alert to acknowledge or resolve");
        let action = self.fields.text("event_action").map(|action| action.trim().to_lowercase());
        let (signal, dedup_key) = match action.as_deref() {
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
                (Signal::Acknowledgement(Remark { service, subject, by: None, note: None }), dedup_key)
            }
            Some("resolve") => {
                let dedup_key = given.ok_or_else(missing)?;
                let subject = Subject::Key(dedup_key.clone());
                (Signal::Recovery(Recovery::untimed(service, subject)), dedup_key)
            }
            Some(_) | None => {
                return Err(InvalidInput::field("event_action", "must be trigger, acknowledge or resolve"));
            }
        };
        let dedup_key = as_given
            .map_or_else(|| dedup_key.as_str().to_owned(), |given| repair::shown(given.trim()).into_owned());
        Ok(Translation { signal, dedup_key })
    }

    fn trouble(&self, dedup_key: DedupKey, context: &Context<'_>) -> Result<Trouble, InvalidInput> {
        if !self.fields.get("payload").is_some_and(Value::is_object) {
            return Err(InvalidInput::field("payload", "is missing"));
        }
        let payload = self.fields.object("payload");
        let summary = payload.text("summary");
        let summary = summary.ok_or_else(|| InvalidInput::field("payload.summary", "is missing"))?;
        let mut repairs = Repairs::default();
        let began = time::read("payload.timestamp", payload.get("timestamp"), &mut repairs).at();
        let severity = severity(payload.text("severity").as_deref(), context);
        let service = context.service.cloned().unwrap_or_else(unmapped);
        let mut trouble = Trouble::new(service, dedup_key, severity, "pagerduty")
            .title([summary.as_str()])
            .began(began)
            .repaired(repairs);
        let client = self.fields.text("client");
        let named = ["source", "component", "group", "class"].map(|name| (name, payload.text(name)));
        for (name, value) in named.into_iter().chain([("client", client.clone())]) {
            trouble = value.iter().fold(trouble, |trouble, value| trouble.label(name, value));
        }
        trouble = details(trouble, payload.get("custom_details").cloned());
        for link in self.fields.objects("links") {
            let (text, href) = (link.text("text"), link.text("href"));
            trouble = trouble.link(text.as_deref().unwrap_or("Link"), &href.unwrap_or_default());
        }
        let client_url = self.fields.text("client_url").unwrap_or_default();
        trouble = trouble.link(client.as_deref().unwrap_or("Client"), &client_url);
        for image in self.fields.objects("images") {
            let url = image.text("href").or_else(|| image.text("src")).unwrap_or_default();
            trouble = trouble.link(image.text("alt").as_deref().unwrap_or("Image"), &url);
        }
        Ok(trouble)
    }
}

fn severity(word: Option<&str>, context: &Context<'_>) -> Severity {
    let told = word.and_then(|word| context.rule.severity_word(word));
    told.unwrap_or(context.rule.unknown_severity())
}

/// Adds custom details: short values of an object become labels, long ones and anything else become paragraphs of the
/// message.
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
        Some(text) => trouble.detail(name, &text),
    })
}
