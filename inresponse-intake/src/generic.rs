//! Any JSON, by a mapping: which pointer leads to what.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use inresponse_core::model::DedupKey;
use serde::Deserialize;
use serde_json::Value;

use crate::json::{as_text, time};
use crate::rule::service_name;
use crate::{
    Acknowledgement, Context, Covers, Recovery, Signal, Subject, Translated, Trouble, bounded, text,
};

/// Where in a JSON document something is (RFC 6901): empty for all of it, else `/` and names or indexes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

impl TryFrom<String> for Pointer {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        if text.is_empty() || text.starts_with('/') {
            return Ok(Self(text));
        }
        Err(InvalidInput::field("pointer", format!("`{text}` is no JSON pointer: it must begin with `/`")))
    }
}

/// A text of the document, with what it is where it is absent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a JSON pointer, or a table with `at` and `default`")]
pub enum Field {
    /// Only where it is.
    At(Pointer),
    /// Where it is, and what it is otherwise.
    Or {
        /// Where it is.
        at: Option<Pointer>,
        /// What it is otherwise.
        default: String,
    },
}

impl Field {
    fn read(&self, alert: &Value) -> Option<String> {
        let (at, default) = match self {
            Field::At(at) => (Some(at), None),
            Field::Or { at, default } => (at.as_ref(), Some(default)),
        };
        let found = at.and_then(|at| alert.pointer(&at.0)).and_then(as_text);
        found.filter(|text| !text.trim().is_empty()).or_else(|| default.cloned())
    }
}

/// How a sender's JSON is read, as it is written in a config.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mapping {
    /// The array of alerts; the whole document is one alert unless given.
    alerts: Option<Pointer>,
    title: Field,
    message: Option<Field>,
    /// The service; by the labels, as everywhere, unless given or where it is absent.
    service: Option<Field>,
    /// A word for the severity; by the labels unless given.
    severity: Option<Field>,
    /// What the sender calls this trouble; the title unless given.
    key: Option<Field>,
    /// A word for whether it is over.
    status: Option<Field>,
    /// The words that say that it is over, in lower case.
    #[serde(default = "resolved")]
    resolved: Vec<String>,
    /// The words that say that somebody looks after it, in lower case.
    #[serde(default = "acknowledged")]
    acknowledged: Vec<String>,
    /// When it began.
    detected_at: Option<Field>,
    /// An object whose names and values are labels.
    all_labels: Option<Pointer>,
    /// Single labels.
    #[serde(default)]
    labels: BTreeMap<String, Field>,
    /// Links, by what they are called.
    #[serde(default)]
    links: BTreeMap<String, Field>,
}

fn resolved() -> Vec<String> {
    ["resolved", "ok", "recovered", "recovery", "closed", "up", "normal", "success", "false"]
        .map(str::to_owned)
        .to_vec()
}

fn acknowledged() -> Vec<String> {
    ["acknowledged", "acknowledge"].map(str::to_owned).to_vec()
}

/// Translates a body by a mapping. `name` is what the sender is called.
///
/// # Errors
/// It is no JSON, or its alerts are not where the mapping says.
pub fn alerts(
    body: &[u8],
    name: &str,
    mapping: &Mapping,
    context: &Context<'_>,
) -> Result<Vec<Translated>, InvalidInput> {
    let document: Value =
        serde_json::from_slice(body).map_err(|e| InvalidInput::field("body", e.to_string()))?;
    let Some(pointer) = &mapping.alerts else { return Ok(vec![mapping.translate(&document, name, context)]) };
    let alerts = document.pointer(&pointer.0).and_then(Value::as_array);
    let alerts = alerts.ok_or_else(|| InvalidInput::field(pointer.0.clone(), "must be an array"))?;
    let alerts = bounded(alerts.iter().collect())?;
    Ok(alerts.into_iter().map(|alert| mapping.translate(alert, name, context)).collect())
}

impl Mapping {
    fn translate(&self, alert: &Value, name: &str, context: &Context<'_>) -> Translated {
        let read = |field: &Option<Field>| field.as_ref().and_then(|field| field.read(alert));
        let labels = self.read_labels(alert);
        let label = |name: &str| labels.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let title = self.title.read(alert).unwrap_or_else(|| format!("an alert of {name}"));
        let key = text::name(&read(&self.key).unwrap_or_else(|| title.clone()), DedupKey::MAX_BYTES);
        let key = DedupKey::new(key).or_else(|_| DedupKey::new(name))?;
        let service = read(&self.service).and_then(|text| service_name(&text));
        let service = service.unwrap_or_else(|| context.rule.service(label, context.service));
        let status = read(&self.status).map(|status| status.trim().to_lowercase()).unwrap_or_default();
        if self.resolved.contains(&status) {
            let (subject, covers) = (Subject::Key(key), Covers::None);
            return Ok(Signal::Recovery(Recovery { service, subject, ended_at: None, covers, by: None }));
        }
        if self.acknowledged.contains(&status) {
            let subject = Subject::Key(key);
            return Ok(Signal::Acknowledgement(Acknowledgement { service, subject, by: None }));
        }
        let began = time("detected-at", read(&self.detected_at).as_deref())?;
        let severity = read(&self.severity).and_then(|word| context.rule.severity_word(&word));
        let severity = severity.unwrap_or_else(|| context.rule.severity(label));
        let mut trouble = Trouble::new(service, key, severity, &text::name(name, 128))
            .title([title.as_str()])
            .paragraph(&read(&self.message).unwrap_or_default())
            .labels(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .began(began);
        for (name, link) in &self.links {
            trouble = trouble.link(name, &link.read(alert).unwrap_or_default());
        }
        Ok(Signal::Report(Box::new(trouble)))
    }

    fn read_labels(&self, alert: &Value) -> Vec<(String, String)> {
        let single = self.labels.iter().filter_map(|(name, field)| Some((name.clone(), field.read(alert)?)));
        let object = self.all_labels.as_ref().and_then(|at| alert.pointer(&at.0)?.as_object());
        let all =
            object.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), as_text(value)?)));
        single.chain(all).collect()
    }
}
