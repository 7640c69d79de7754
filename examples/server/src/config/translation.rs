//! Reads and checks the settings for messages of other monitoring systems.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use inresponse_core::model::Severity;
use inresponse_http::{Mapping, Rule};
use inresponse_ses::SesTopics;

use super::file::FileIntake;
use super::rename;

/// The checked settings: how service and severity are chosen, the mappings of any JSON, and the trusted topics for
/// bounces.
#[derive(Debug, Default)]
pub(crate) struct IntakeConfig {
    pub(crate) rule: Rule,
    pub(crate) mappings: BTreeMap<String, Mapping>,
    pub(crate) ses_topics: SesTopics,
}

impl IntakeConfig {
    pub(super) fn check(file: FileIntake, invalid: &mut InvalidInput) -> Self {
        let mut rule = Rule::default();
        if let Some(labels) = file.service_labels {
            let changed = rule.clone().service_labels(labels).map_err(|e| e.under("intake"));
            rule = invalid.keep(changed).unwrap_or(rule);
        }
        if let Some(labels) = file.severity_labels {
            rule = rule.severity_labels(labels);
        }
        let mut severity = |key: &str, word: &str| {
            invalid.keep(word.parse::<Severity>().map_err(|e| rename(&e, &format!("intake.{key}"))))
        };
        if let Some(word) = file.default_severity
            && let Some(severity) = severity("default-severity", &word)
        {
            rule = rule.default_severity(severity);
        }
        for (word, meaning) in file.severities {
            if let Some(severity) = severity(&format!("severities.{word}"), &meaning) {
                rule = rule.word(&word, severity);
            }
        }
        let topics = SesTopics::new(file.ses_topics);
        let topics = topics.map_err(|e| InvalidInput::field("intake.ses-topics", e.to_string()));
        Self { rule, mappings: file.generic, ses_topics: invalid.keep(topics).unwrap_or_default() }
    }
}
