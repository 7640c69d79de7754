//! How other monitoring systems' messages are read, checked.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use inresponse_core::model::Severity;
use inresponse_http::{Mapping, Rule};

use super::file::FileIntake;
use super::rename;

/// The rule of service and severity, and the mappings of any JSON.
#[derive(Debug, Default)]
pub(crate) struct IntakeConfig {
    pub(crate) rule: Rule,
    pub(crate) mappings: BTreeMap<String, Mapping>,
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
        Self { rule, mappings: file.generic }
    }
}
