//! Prometheus and Alertmanager: the webhook that Alertmanager sends, and the API that it offers.
//!
//! Sources: Prometheus' documentation of `webhook_config` (payload version 4) and Alertmanager's OpenAPI document
//! (`postableAlerts`). The dedup key is the fingerprint, which is the same on both ways.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use inresponse_core::InvalidInput;
use inresponse_core::model::DedupKey;
use serde::Deserialize;
use serde_json::Value;

use crate::json::{array, is_url, object, object_of, time};
use crate::{Context, Covers, Recovery, Signal, Subject, Translated, Trouble, bounded, text};

/// How far a sender's clock may be ahead when it says that trouble is over.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// Annotations that make the title and the head of the message.
const TITLES: [&str; 2] = ["summary", "title"];
const MESSAGES: [&str; 2] = ["description", "message"];

/// One alert, as Alertmanager's webhook and API and Grafana's webhook have it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    status: Option<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
    fingerprint: Option<String>,
    #[serde(rename = "silenceURL")]
    silence_url: Option<String>,
    #[serde(rename = "dashboardURL")]
    dashboard_url: Option<String>,
    #[serde(rename = "panelURL")]
    panel_url: Option<String>,
    #[serde(rename = "imageURL")]
    image_url: Option<String>,
    value_string: Option<String>,
}

/// A webhook's message: a group of alerts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(default)]
    version: Option<String>,
    alerts: Vec<Value>,
    #[serde(rename = "externalURL")]
    external_url: Option<String>,
    truncated_alerts: Option<u64>,
}

/// What a webhook's message holds.
#[derive(Debug)]
pub struct Webhook {
    /// What became of each alert.
    pub alerts: Vec<Translated>,
    /// How many alerts the sender left out, by its `max_alerts`; they are lost unless it sends them otherwise.
    pub truncated: u64,
}

/// Translates Alertmanager's webhook, version 4, and what others send in its form.
///
/// # Errors
/// It is no such message, or another version of it.
pub fn webhook(body: &[u8], context: &Context<'_>) -> Result<Webhook, InvalidInput> {
    let group: Group = object(body)?;
    // Grafana's, which has the same form, is version 1.
    if group.version.as_deref().is_some_and(|version| !matches!(version, "4" | "1")) {
        return Err(InvalidInput::field("version", "must be 4"));
    }
    group.translate(context, "alertmanager", "Alertmanager")
}

/// Translates Grafana's webhook, as [`webhook`]; its version is its own.
pub(crate) fn grafana(body: &[u8], context: &Context<'_>) -> Result<Webhook, InvalidInput> {
    object::<Group>(body)?.translate(context, "grafana", "Grafana")
}

impl Group {
    fn translate(self, context: &Context<'_>, source: &str, name: &str) -> Result<Webhook, InvalidInput> {
        let url = self.external_url.unwrap_or_default();
        let translate = |alert: Value| {
            let alert: Alert = object_of(alert)?;
            let status = alert.status.as_deref().map(str::to_ascii_lowercase);
            let said = match status.as_deref() {
                Some("firing" | "alerting") => Said::Firing,
                Some("resolved" | "ok" | "normal") => Said::Resolved,
                None => Said::Nothing,
                Some(_) => return Err(InvalidInput::field("status", "must be firing or resolved")),
            };
            alert.translate(said, source, Some((name, &url)), context)
        };
        let alerts = bounded(self.alerts)?.into_iter().map(translate).collect();
        Ok(Webhook { alerts, truncated: self.truncated_alerts.unwrap_or(0) })
    }
}

/// Translates a body of `POST /api/v2/alerts`: an array of alerts.
///
/// # Errors
/// It is none.
pub fn alerts(body: &[u8], context: &Context<'_>) -> Result<Vec<Translated>, InvalidInput> {
    let alerts = array(body)?;
    let translate =
        |alert: Value| object_of::<Alert>(alert)?.translate(Said::Nothing, "prometheus", None, context);
    Ok(bounded(alerts)?.into_iter().map(translate).collect())
}

/// What a sender says of an alert besides its times.
#[derive(Debug, Clone, Copy)]
enum Said {
    Firing,
    Resolved,
    Nothing,
}

impl Alert {
    fn translate(
        mut self,
        said: Said,
        source: &str,
        sender: Option<(&str, &str)>,
        context: &Context<'_>,
    ) -> Translated {
        let mut invalid = InvalidInput::default();
        let began = invalid.keep(time("startsAt", self.starts_at.as_deref())).flatten();
        let ended = invalid.keep(time("endsAt", self.ends_at.as_deref())).flatten();
        let mut labels = self.labels.take().unwrap_or_default();
        // An empty label is no label, as in Alertmanager.
        labels.retain(|_, value| !value.is_empty());
        if labels.is_empty() {
            invalid.push("labels", "must not be empty");
        }
        if !invalid.is_empty() {
            return Err(invalid);
        }
        let given = self.fingerprint.as_deref().map(|f| text::name(f, 128)).filter(|f| !f.is_empty());
        let key = DedupKey::new(given.unwrap_or_else(|| fingerprint(&labels)))?;
        let service = context.rule.service(|name| labels.get(name).map(String::as_str), context.service);
        let is_over = match (said, ended) {
            (Said::Firing, _) | (Said::Nothing, None) => false,
            (Said::Resolved, Some(at)) if at > context.now + CLOCK_SKEW => {
                return Ok(Signal::Nothing("it is said to be over at a time to come"));
            }
            (Said::Resolved, _) => true,
            (Said::Nothing, Some(at)) => at <= context.now,
        };
        if is_over {
            let covers = began.map_or(Covers::None, Covers::Episode);
            let subject = Subject::Key(key);
            return Ok(Signal::Recovery(Recovery { service, subject, ended_at: ended, covers, by: None }));
        }
        let severity = context.rule.severity(|name| labels.get(name).map(String::as_str));
        let trouble = Trouble::new(service, key, severity, source).began(began);
        Ok(Signal::Report(Box::new(self.describe(trouble, &labels, sender, context))))
    }

    fn describe(
        self,
        trouble: Trouble,
        labels: &BTreeMap<String, String>,
        sender: Option<(&str, &str)>,
        context: &Context<'_>,
    ) -> Trouble {
        let annotations = self.annotations.unwrap_or_default();
        let annotation = |name: &&str| annotations.get(*name).map(String::as_str);
        let named = match (labels.get("alertname"), labels.get("instance")) {
            (Some(name), Some(instance)) => format!("{name} on {instance}"),
            (Some(name), None) => name.clone(),
            (None, _) => labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "),
        };
        let titles = TITLES.iter().filter_map(annotation).chain([named.as_str()]);
        let mut trouble = trouble.title(titles);
        for name in &MESSAGES {
            trouble = trouble.paragraph(annotation(name).unwrap_or_default());
        }
        let leading = ["alertname"].into_iter().chain(context.rule.leading_labels());
        let leading = leading.filter_map(|name| Some((name, labels.get(name)?.as_str())));
        trouble = trouble.labels(leading.collect::<Vec<_>>());
        trouble = trouble.labels(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        for (name, value) in &annotations {
            let name = name.as_str();
            if TITLES.contains(&name) || MESSAGES.contains(&name) {
                continue;
            }
            trouble = match name.trim_end_matches("_url").trim_end_matches("URL") {
                _ if !is_url(value) => trouble.paragraph(&format!("{name}: {value}")),
                "runbook" => trouble.link("Runbook", value),
                "dashboard" => trouble.link("Dashboard", value),
                _ => trouble.link(name, value),
            };
        }
        trouble = trouble.paragraph(&self.value_string.unwrap_or_default());
        let links = [
            ("Graph", self.generator_url),
            ("Dashboard", self.dashboard_url),
            ("Panel", self.panel_url),
            ("Image", self.image_url),
            ("Silence", self.silence_url),
        ];
        for (name, url) in links {
            trouble = trouble.link(name, &url.unwrap_or_default());
        }
        match sender {
            Some((name, url)) => trouble.link(name, url),
            None => trouble,
        }
    }
}

/// The fingerprint of labels, as Prometheus computes it: FNV-1a over sorted names and values.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let texts = labels.iter().flat_map(|(name, value)| [name, value]);
    let bytes = texts.flat_map(|text| text.bytes().chain([0xff]));
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}
