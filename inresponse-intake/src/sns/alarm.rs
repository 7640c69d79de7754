//! CloudWatch alarms, from CloudWatch's notification through SNS or from an event of EventBridge.

use inresponse_core::InvalidInput;
use serde_json::Value;

use crate::json::{Object, as_text};
use crate::time;
use crate::trouble::Repairs;
use crate::{Context, Covers, Recovery, Signal, Subject, Translated, Trouble, key};

/// A change of an alarm's state.
#[derive(Debug)]
pub(crate) struct Alarm {
    name: String,
    state: String,
    arn: Option<String>,
    account: String,
    region: String,
    description: String,
    reason: String,
    changed: Option<Value>,
    /// The metrics of the alarm.
    watches: Vec<Metric>,
    /// The rule of an alarm about other alarms.
    rule: Option<String>,
}

/// A metric, or an expression over metrics.
#[derive(Debug, Default)]
struct Metric {
    namespace: Option<String>,
    name: Option<String>,
    dimensions: Vec<(String, String)>,
    expression: Option<String>,
}

impl Alarm {
    /// Reads the alarm in a notification of CloudWatch, if there is one.
    pub(crate) fn notified(message: &Object) -> Option<Self> {
        let text = |name: &str| message.text(name);
        let trigger = message.object("Trigger");
        let mut watches = vec![Metric::notified(&trigger)];
        for entry in trigger.objects("Metrics") {
            let metric = Metric::notified(&entry.object("MetricStat").object("Metric"));
            watches.push(Metric { expression: entry.text("Expression"), ..metric });
        }
        Some(Self {
            name: text("AlarmName")?,
            state: text("NewStateValue")?,
            arn: text("AlarmArn"),
            account: text("AWSAccountId").unwrap_or_default(),
            region: text("Region").unwrap_or_default(),
            description: text("AlarmDescription").unwrap_or_default(),
            reason: text("NewStateReason").unwrap_or_default(),
            changed: message.get("StateChangeTime").cloned(),
            watches,
            rule: text("AlarmRule"),
        })
    }

    /// Reads the alarm in an event of EventBridge, if there is one.
    pub(crate) fn event(event: &Object) -> Option<Self> {
        if event.text("detail-type")? != "CloudWatch Alarm State Change" {
            return None;
        }
        let detail = event.object("detail");
        let (state, configuration) = (detail.object("state"), detail.object("configuration"));
        let metric = |entry: &Object| {
            let metric = entry.object("metricStat").object("metric");
            let dimensions = metric.object("dimensions");
            Metric {
                namespace: metric.text("namespace"),
                name: metric.text("name"),
                dimensions: dimensions.texts().map(|(name, value)| (name.to_owned(), value)).collect(),
                expression: entry.text("expression"),
            }
        };
        Some(Self {
            name: detail.text("alarmName")?,
            state: state.text("value")?,
            arn: event.array("resources").iter().filter_map(as_text).find(|arn| arn.contains(":alarm:")),
            account: event.text("account").unwrap_or_default(),
            region: event.text("region").unwrap_or_default(),
            description: configuration.text("description").unwrap_or_default(),
            reason: state.text("reason").unwrap_or_default(),
            changed: state.get("timestamp").or_else(|| event.get("time")).cloned(),
            watches: configuration.objects("metrics").iter().map(metric).collect(),
            rule: configuration.text("alarmRule"),
        })
    }

    /// Translates the alarm. `topic` is the SNS topic of the notification, if there is one.
    pub(crate) fn translate(&self, topic: Option<&str>, context: &Context<'_>) -> Translated {
        let mut repairs = Repairs::default();
        let changed = time::read("the time of the change", self.changed.as_ref(), &mut repairs).at();
        let key = self.arn.as_deref().and_then(key::of);
        let key = key.unwrap_or_else(|| key::of_parts(&[&self.account, &self.region, &self.name]));
        // Alarms have no labels of their own, so lines of the description that look like one are.
        let (described, watched) = (described(&self.description, context), self.watched());
        let own = [
            ("alarm", self.name.as_str()),
            ("topic", topic.unwrap_or_default()),
            ("region", &self.region),
            ("account", &self.account),
        ];
        let own = own.into_iter().filter(|(_, value)| !value.is_empty());
        let told = described.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(own);
        let watched = watched.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let label = |name: &str| {
            told.clone().chain(watched.clone()).find(|(given, _)| *given == name).map(|(_, value)| value)
        };
        let service = context.rule.service(label, context.service);
        match self.state.as_str() {
            "OK" => {
                let covers = changed.map_or(Covers::None, Covers::Until);
                let (note, subject) = (repairs.into_note(""), Subject::Key(key));
                let untimed = Recovery::untimed(service, subject);
                Ok(Signal::Recovery(Recovery { ended_at: changed, covers, note, ..untimed }))
            }
            "ALARM" => {
                let severity = context.rule.severity(label);
                let mut trouble = Trouble::new(service, key, severity, "cloudwatch")
                    .title([self.name.as_str()])
                    .paragraph(&self.reason)
                    .paragraph(&self.description)
                    .labels(told)
                    .began(changed)
                    .repaired(repairs);
                for (name, value) in watched {
                    trouble = trouble.detail(name, value);
                }
                for expression in self.watches.iter().filter_map(|metric| metric.expression.as_deref()) {
                    trouble = trouble.paragraph(&format!("expression: {expression}"));
                }
                if let Some(rule) = &self.rule {
                    trouble = trouble.paragraph(&format!("rule: {rule}"));
                }
                if let Some(url) = self.console_url() {
                    trouble = trouble.link("CloudWatch", &url);
                }
                Ok(Signal::Report(Box::new(trouble)))
            }
            "INSUFFICIENT_DATA" => Ok(Signal::Nothing("the alarm has too little data")),
            _ => Err(InvalidInput::field("NewStateValue", "must be ALARM, OK or INSUFFICIENT_DATA")),
        }
    }

    /// Labels from the alarm's metrics. If there are several metrics, each different value is a label.
    fn watched(&self) -> Vec<(String, String)> {
        let all = |of: fn(&Metric) -> Option<&String>| {
            let mut distinct: Vec<&str> = Vec::new();
            for value in self.watches.iter().filter_map(of) {
                if !distinct.contains(&value.as_str()) {
                    distinct.push(value);
                }
            }
            Some(distinct.join(", ")).filter(|values| !values.is_empty())
        };
        let namespace = all(|metric| metric.namespace.as_ref()).map(|all| ("namespace".to_owned(), all));
        let metric = all(|metric| metric.name.as_ref()).map(|all| ("metric".to_owned(), all));
        let mut labels: Vec<_> = namespace.into_iter().chain(metric).collect();
        for (name, value) in self.watches.iter().flat_map(|metric| &metric.dimensions) {
            match labels.iter_mut().skip(2).find(|(known, _)| known == name) {
                Some((_, values)) if values.split(", ").any(|known| known == value) => {}
                Some((_, values)) => *values = format!("{values}, {value}"),
                None => labels.push((name.clone(), value.clone())),
            }
        }
        labels
    }

    /// The address of the alarm in Amazon's console. The alarm's resource name contains the region's code.
    fn console_url(&self) -> Option<String> {
        let region = self.arn.as_deref()?.split(':').nth(3).filter(|region| !region.is_empty())?;
        let name: String = self.name.bytes().map(encoded).collect();
        Some(format!(
            "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"
        ))
    }
}

impl Metric {
    /// Reads a metric in the format of CloudWatch's notification.
    fn notified(metric: &Object) -> Self {
        let dimension = |dimension: &Object| dimension.text("name").zip(dimension.text("value"));
        Self {
            namespace: metric.text("Namespace"),
            name: metric.text("MetricName"),
            dimensions: metric.objects("Dimensions").iter().filter_map(dimension).collect(),
            expression: None,
        }
    }
}

/// The labels for service and severity that the alarm's description contains, such as a line `service: athens`.
fn described(description: &str, context: &Context<'_>) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.split_once([':', '='])?;
        let name = context.rule.leading_labels().find(|leading| *leading == name.trim())?;
        Some((name.to_owned(), value.trim().to_owned())).filter(|(_, value)| !value.is_empty())
    };
    description.lines().filter_map(line).collect()
}

/// Percent-encodes a byte for a URL, if that is necessary.
fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
