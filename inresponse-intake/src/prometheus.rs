//! Translates alerts of Prometheus and Alertmanager: the webhook that Alertmanager sends, and the API to which
//! Prometheus posts.
//!
//! Sources: Prometheus' documentation of `webhook_config` (payload version 4) and Alertmanager's OpenAPI document
//! (`postableAlerts`). The dedup key is the fingerprint, which is the same in both.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use inresponse_core::InvalidInput;
use serde_json::Value;

use crate::json::{Object, array, is_url, object};
use crate::time::{self, Told};
use crate::trouble::Repairs;
use crate::{Context, Covers, Recovery, Signal, Subject, Translated, Trouble, bounded, key};

/// How far a sender's clock may be ahead when it reports that a problem is over.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// The warning on an incident whose sender's clock is behind.
const BEHIND: &str = "endsAt lies in the past and moves with every message, so the problem continues: is the sender's clock behind";

/// The annotations from which the title and the first paragraph of the message are taken.
const TITLES: [&str; 2] = ["summary", "title"];
const MESSAGES: [&str; 2] = ["description", "message"];

/// The translated message of a webhook.
#[derive(Debug)]
pub struct Webhook {
    /// The translation of each alert.
    pub alerts: Vec<Translated>,
    /// The number of alerts that the sender left out because of its `max_alerts`. Such alerts are lost unless the
    /// sender sends them another way.
    pub truncated: u64,
}

/// Translates a message of Alertmanager's webhook, version 4, or of the same format.
///
/// # Errors
/// The body is not such a message, or has another version.
pub fn webhook(body: &[u8], context: &Context<'_>) -> Result<Webhook, InvalidInput> {
    let group = object(body)?;
    // Grafana's, which has the same form, is version 1.
    if group.text("version").is_some_and(|version| !matches!(version.as_str(), "4" | "1")) {
        return Err(InvalidInput::field("version", "must be 4"));
    }
    translate(group, context, "alertmanager", "Alertmanager")
}

/// Translates a message of Grafana's webhook like [`webhook`], with Grafana's own version number.
pub(crate) fn grafana(body: &[u8], context: &Context<'_>) -> Result<Webhook, InvalidInput> {
    translate(object(body)?, context, "grafana", "Grafana")
}

fn translate(
    mut group: Object,
    context: &Context<'_>,
    source: &str,
    name: &str,
) -> Result<Webhook, InvalidInput> {
    let Some(Value::Array(alerts)) = group.take("alerts") else {
        return Err(InvalidInput::field("alerts", "must be an array"));
    };
    let url = group.text("externalURL").unwrap_or_default();
    let translate = |alert: Value| {
        let alert = Alert::read(alert)?;
        let said = alert.said().unwrap_or(Said::Nothing);
        alert.translate(said, source, Some((name, &url)), context)
    };
    let truncated = group.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or(0);
    Ok(Webhook { alerts: bounded(alerts, translate), truncated })
}

/// Translates a body of `POST /api/v2/alerts`: an array of alerts.
///
/// # Errors
/// The body is not an array of alerts.
pub fn alerts(body: &[u8], context: &Context<'_>) -> Result<Vec<Translated>, InvalidInput> {
    let translate = |alert: Value| Alert::read(alert)?.translate(Said::Nothing, "prometheus", None, context);
    Ok(bounded(array(body)?, translate))
}

/// The status of an alert, without its times.
#[derive(Debug, Clone, Copy)]
enum Said {
    Firing,
    Resolved,
    Nothing,
}

/// One alert of Alertmanager's webhook, Alertmanager's API or Grafana's webhook.
#[derive(Debug)]
struct Alert {
    fields: Object,
    labels: BTreeMap<String, String>,
}

impl Alert {
    fn read(alert: Value) -> Result<Self, InvalidInput> {
        let fields = Object::of(alert, "alert")?;
        // An empty label is no label, as in Alertmanager.
        let labels = fields.object("labels");
        let labels = labels.texts().filter(|(_, value)| !value.is_empty());
        let labels: BTreeMap<_, _> = labels.map(|(name, value)| (name.to_owned(), value)).collect();
        if labels.is_empty() {
            return Err(InvalidInput::field("labels", "must not be empty"));
        }
        Ok(Self { fields, labels })
    }

    /// The alert's status; `None` if it is missing or not a known word.
    fn said(&self) -> Option<Said> {
        match self.fields.text("status")?.trim().to_lowercase().as_str() {
            "firing" | "alerting" => Some(Said::Firing),
            "resolved" | "ok" | "normal" => Some(Said::Resolved),
            _ => None,
        }
    }

    fn translate(
        self,
        said: Said,
        source: &str,
        sender: Option<(&str, &str)>,
        context: &Context<'_>,
    ) -> Translated {
        let mut repairs = Repairs::default();
        let began = time::read("startsAt", self.fields.get("startsAt"), &mut repairs).at();
        let ended = time::read("endsAt", self.fields.get("endsAt"), &mut repairs);
        let given = self.fields.text("fingerprint").and_then(|given| key::of(&given));
        let key = given.or_else(|| key::of(&fingerprint(&self.labels)));
        let key = key.ok_or_else(|| InvalidInput::field("fingerprint", "must not be empty"))?;
        let label = |name: &str| self.labels.get(name).map(String::as_str);
        let service = context.rule.service(label, context.service);
        // If the times do not decide, the status does, if there is one.
        let said = match (said, ended) {
            (Said::Nothing, Told::Unreadable) => self.said().unwrap_or(Said::Firing),
            (said, _) => said,
        };
        let is_over = match (said, ended) {
            (Said::Firing, _) | (Said::Nothing, Told::Nothing | Told::Unreadable) => false,
            (Said::Resolved, Told::At(at)) if at > context.now + CLOCK_SKEW => {
                return Ok(Signal::Nothing(crate::OVER_TO_COME));
            }
            (Said::Resolved, _) => true,
            (Said::Nothing, Told::At(at)) => at <= context.now,
        };
        let severity = context.rule.severity(label);
        let trouble = || {
            let trouble = Trouble::new(service.clone(), key.clone(), severity, source).began(began);
            Box::new(self.describe(trouble.repaired(repairs.clone()), sender, context))
        };
        if !is_over {
            return Ok(Signal::Report(trouble()));
        }
        // The times alone do not distinguish an end from an alert of a sender whose clock is behind.
        let or_else = match said {
            Said::Nothing => Some(Box::new(trouble().warned(BEHIND))),
            Said::Firing | Said::Resolved => None,
        };
        let covers = began.map_or(Covers::None, Covers::Episode);
        let (note, subject) = (repairs.into_note(""), Subject::Key(key));
        let untimed = Recovery::untimed(service, subject);
        Ok(Signal::Recovery(Recovery { ended_at: ended.at(), covers, note, or_else, ..untimed }))
    }

    fn describe(&self, trouble: Trouble, sender: Option<(&str, &str)>, context: &Context<'_>) -> Trouble {
        let labels = &self.labels;
        let annotations = self.fields.object("annotations");
        let annotation = |name: &&str| annotations.text(name);
        let titles: Vec<_> = TITLES.iter().filter_map(annotation).collect();
        let named = self.name();
        let mut trouble = trouble.title(titles.iter().map(String::as_str).chain([named.as_str()]));
        for name in &MESSAGES {
            trouble = trouble.paragraph(&annotation(name).unwrap_or_default());
        }
        if let [first, second] = titles.as_slice()
            && first.trim() != second.trim()
        {
            trouble = trouble.paragraph(&format!("{}: {second}", TITLES[1]));
        }
        let leading = ["alertname"].into_iter().chain(context.rule.leading_labels());
        let leading = leading.filter_map(|name| Some((name, labels.get(name)?.as_str())));
        trouble = trouble.labels(leading.collect::<Vec<_>>());
        trouble = trouble.labels(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        for (name, value) in annotations.texts() {
            if TITLES.contains(&name) || MESSAGES.contains(&name) || value.trim().is_empty() {
                continue;
            }
            trouble = match name.trim_end_matches("_url").trim_end_matches("URL") {
                _ if !is_url(&value) => trouble.paragraph(&format!("{name}: {value}")),
                "runbook" => trouble.link("Runbook", &value),
                "dashboard" => trouble.link("Dashboard", &value),
                _ => trouble.link(name, &value),
            };
        }
        trouble = trouble.paragraph(&self.fields.text("valueString").unwrap_or_default());
        let links = [
            ("Graph", "generatorURL"),
            ("Dashboard", "dashboardURL"),
            ("Panel", "panelURL"),
            ("Image", "imageURL"),
            ("Silence", "silenceURL"),
        ];
        for (name, field) in links {
            trouble = trouble.link(name, &self.fields.text(field).unwrap_or_default());
        }
        match sender {
            Some((name, url)) => trouble.link(name, url),
            None => trouble,
        }
    }

    /// The name of an alert that has no summary.
    fn name(&self) -> String {
        let label = |name: &str| self.labels.get(name).map(String::as_str);
        match (label("alertname"), label("rulename"), label("instance")) {
            // Grafana's own alerts about a rule that has no data, or fails, all bear the same name.
            (Some(name @ ("DatasourceNoData" | "DatasourceError")), Some(rule), _) => {
                format!("{rule} ({name})")
            }
            (Some(name), _, Some(instance)) => format!("{name} on {instance}"),
            (Some(name), _, None) => name.to_owned(),
            (None, _, _) => self.labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" "),
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
