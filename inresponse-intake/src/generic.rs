//! Translates any JSON or form, by a mapping of JSON pointers.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use serde::Deserialize;
use serde_json::Value;

use crate::form::Fields;
use crate::json::{as_text, value};
use crate::trouble::Repairs;
use crate::{Context, Recovery, Remark, Signal, Subject, Translated, Trouble, bounded, key, text, time};

/// A JSON pointer (RFC 6901): empty for the whole document, otherwise `/` and names or indexes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

impl TryFrom<String> for Pointer {
    type Error = InvalidInput;

    fn try_from(text: String) -> Result<Self, InvalidInput> {
        if text.is_empty() || text.starts_with('/') {
            return Ok(Self(text));
        }
        Err(InvalidInput::field("pointer", format!("`{text}` is not a JSON pointer: it must begin with `/`")))
    }
}

/// A text of the document, with an optional default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a JSON pointer, or a table with `at` and `default`")]
pub enum Field {
    /// The text at a pointer, without a default.
    At(Pointer),
    /// The text at a pointer, or a default.
    Or {
        /// The pointer to the text.
        at: Option<Pointer>,
        /// The default, if the document has no text there.
        default: String,
    },
}

impl Field {
    /// The text in the document, if it is there.
    fn found(&self, alert: &Value) -> Option<String> {
        let at = match self {
            Field::At(at) => Some(at),
            Field::Or { at, .. } => at.as_ref(),
        };
        let found = at.and_then(|at| alert.pointer(&at.0)).and_then(as_text);
        found.filter(|text| !text.trim().is_empty())
    }

    /// The text in the document, or the default.
    fn read(&self, alert: &Value) -> Option<String> {
        self.found(alert).or_else(|| match self {
            Field::At(_) => None,
            Field::Or { default, .. } => Some(default.clone()),
        })
    }
}

/// A mapping of a sender's JSON, as a configuration contains it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mapping {
    /// The pointer to the array of alerts (default: the whole document is one alert).
    alerts: Option<Pointer>,
    /// The title, in one line.
    title: Field,
    /// The message (default: none).
    message: Option<Field>,
    /// The service. If the document does not name the service, the service comes from the labels, as for all senders.
    service: Option<Field>,
    /// The word for the severity (default: from the labels).
    severity: Option<Field>,
    /// The sender's own key for the problem (default: the title, or the whole alert if it has no title).
    key: Option<Field>,
    /// The word for the status of the alert.
    status: Option<Field>,
    /// The status words that mean that the problem is over, in lower case.
    #[serde(default = "resolved")]
    resolved: Vec<String>,
    /// The status words that mean that somebody has acknowledged the alert, in lower case.
    #[serde(default = "acknowledged")]
    acknowledged: Vec<String>,
    /// The time when the problem began.
    detected_at: Option<Field>,
    /// The pointer to an object whose names and values become labels.
    all_labels: Option<Pointer>,
    /// Single labels, by their names.
    #[serde(default)]
    labels: BTreeMap<String, Field>,
    /// Links, by their texts.
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

/// Translates a body by a mapping: JSON, or a form as scripts send it. `name` is the mapping's name.
///
/// # Errors
/// The body is neither JSON nor a form, or its alerts are not where the mapping says.
pub fn alerts(
    body: &[u8],
    name: &str,
    mapping: &Mapping,
    context: &Context<'_>,
) -> Result<Vec<Translated>, InvalidInput> {
    let document = document(body)?;
    let Some(pointer) = &mapping.alerts else { return Ok(vec![mapping.translate(&document, name, context)]) };
    let alerts = document.pointer(&pointer.0).and_then(Value::as_array);
    let alerts = alerts.ok_or_else(|| InvalidInput::field(pointer.0.clone(), "must be an array"))?;
    Ok(bounded(alerts.iter().collect(), |alert| mapping.translate(alert, name, context)))
}

/// Reads a body as JSON or as a form. The content type is ignored, because curl calls JSON a form, too.
fn document(body: &[u8]) -> Result<Value, InvalidInput> {
    value(body).or_else(|error| {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let may_be_form = !matches!(first, None | Some(b'{' | b'[' | b'"')) && body.contains(&b'=');
        if may_be_form { Ok(Fields::read(body).into_json()) } else { Err(error) }
    })
}

impl Mapping {
    fn translate(&self, alert: &Value, name: &str, context: &Context<'_>) -> Translated {
        let read = |field: &Option<Field>| field.as_ref().and_then(|field| field.read(alert));
        let labels = self.read_labels(alert);
        let label = |name: &str| labels.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let title = self.title.read(alert).unwrap_or_else(|| format!("an alert of {name}"));
        // Two alerts that have the same title only because the title is missing are not the same problem.
        let identity = read(&self.key).or_else(|| self.title.found(alert));
        let key = identity.as_deref().and_then(key::of);
        let key = key.unwrap_or_else(|| key::of_whole(&title, alert.to_string().as_bytes()));
        let subject = Subject::Key(key.clone());
        let told = read(&self.service).and_then(|text| key::service(&text));
        let service = context.service.cloned().or(told);
        let service = service.unwrap_or_else(|| context.rule.service(label, context.service));
        let status = read(&self.status).map(|status| status.trim().to_lowercase()).unwrap_or_default();
        if self.resolved.contains(&status) {
            return Ok(Signal::Recovery(Recovery::untimed(service, subject)));
        }
        if self.acknowledged.contains(&status) {
            return Ok(Signal::Acknowledgement(Remark { service, subject, by: None, note: None }));
        }
        let mut repairs = Repairs::default();
        let began = read(&self.detected_at).map(Value::String);
        let began = time::read("detected-at", began.as_ref(), &mut repairs).at();
        let severity = read(&self.severity).and_then(|word| context.rule.severity_word(&word));
        let severity = severity.unwrap_or_else(|| context.rule.severity(label));
        let mut trouble = Trouble::new(service, key, severity, &text::name(name, 128))
            .title([title.as_str()])
            .paragraph(&read(&self.message).unwrap_or_default())
            .began(began)
            .repaired(repairs);
        for (name, value) in &labels {
            trouble = trouble.detail(name, value);
        }
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
