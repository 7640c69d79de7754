//! What CloudWatch publishes of an alarm.

use inresponse_core::InvalidInput;
use inresponse_core::model::DedupKey;
use serde::Deserialize;
use serde_json::Value;

use crate::json::{as_text, time};
use crate::{Context, Covers, Recovery, Signal, Subject, Translated, Trouble, text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Alarm {
    alarm_name: String,
    new_state_value: String,
    alarm_description: Option<String>,
    #[serde(rename = "AWSAccountId")]
    account: Option<String>,
    new_state_reason: Option<String>,
    state_change_time: Option<String>,
    region: Option<String>,
    alarm_arn: Option<String>,
    #[serde(default)]
    trigger: Value,
}

impl Alarm {
    /// The alarm that a message tells of, if it does.
    pub(crate) fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok()
    }

    pub(crate) fn translate(&self, topic: &str, context: &Context<'_>) -> Translated {
        let changed = time("StateChangeTime", self.state_change_time.as_deref())?;
        let account = self.account.as_deref().unwrap_or_default();
        let region = self.region.as_deref().unwrap_or_default();
        let key = match &self.alarm_arn {
            Some(arn) => arn.clone(),
            None => format!("{account}/{region}/{}", self.alarm_name),
        };
        let key = DedupKey::new(text::name(&key, DedupKey::MAX_BYTES))?;
        let description = self.alarm_description.as_deref().unwrap_or_default();
        // Alarms have no labels of their own, so lines of the description that look like one are.
        let mut labels: Vec<(String, String)> = described(description, context);
        labels.push(("alarm".to_owned(), self.alarm_name.clone()));
        labels.push(("topic".to_owned(), topic.to_owned()));
        labels.push(("region".to_owned(), region.to_owned()));
        labels.push(("account".to_owned(), account.to_owned()));
        labels.extend(self.measured());
        labels.retain(|(_, value)| !value.is_empty());
        let label = |name: &str| labels.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let service = context.rule.service(label, context.service);
        match self.new_state_value.as_str() {
            "OK" => {
                let covers = changed.map_or(Covers::None, Covers::Until);
                let subject = Subject::Key(key);
                Ok(Signal::Recovery(Recovery { service, subject, ended_at: changed, covers, by: None }))
            }
            "ALARM" => {
                let severity = context.rule.severity(label);
                let mut trouble = Trouble::new(service, key, severity, "cloudwatch")
                    .title([self.alarm_name.as_str()])
                    .paragraph(self.new_state_reason.as_deref().unwrap_or_default())
                    .paragraph(description)
                    .labels(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))
                    .began(changed);
                if let Some(url) = self.console_url() {
                    trouble = trouble.link("CloudWatch", &url);
                }
                Ok(Signal::Report(Box::new(trouble)))
            }
            "INSUFFICIENT_DATA" => Ok(Signal::Nothing("the alarm has too little data to tell")),
            _ => Err(InvalidInput::field("NewStateValue", "must be ALARM, OK or INSUFFICIENT_DATA")),
        }
    }

    /// What the alarm watches.
    fn measured(&self) -> Vec<(String, String)> {
        let text = |name: &str| self.trigger.get(name).and_then(as_text);
        let mut labels = Vec::new();
        labels.extend(text("Namespace").map(|namespace| ("namespace".to_owned(), namespace)));
        labels.extend(text("MetricName").map(|metric| ("metric".to_owned(), metric)));
        let dimensions = self.trigger.get("Dimensions").and_then(Value::as_array);
        for dimension in dimensions.map(Vec::as_slice).unwrap_or_default() {
            let part = |name: &str| dimension.get(name).and_then(as_text);
            labels.extend(part("name").zip(part("value")));
        }
        labels
    }

    /// Where the alarm is in Amazon's console; its resource name tells the region's code.
    fn console_url(&self) -> Option<String> {
        let region = self.alarm_arn.as_deref()?.split(':').nth(3).filter(|region| !region.is_empty())?;
        let name: String = self.alarm_name.bytes().map(encoded).collect();
        Some(format!(
            "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"
        ))
    }
}

/// Lines of a description such as `service: athens`, where the rule looks for that label.
fn described(description: &str, context: &Context<'_>) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.split_once([':', '='])?;
        let name = context.rule.leading_labels().find(|leading| *leading == name.trim())?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    description.lines().filter_map(line).collect()
}

/// A byte as it may stand in a URL.
fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}
