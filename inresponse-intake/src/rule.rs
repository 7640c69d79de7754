//! The rule that finds service and severity in labels, the same for all senders.

use std::collections::BTreeMap;

use inresponse_core::InvalidInput;
use inresponse_core::model::{ServiceName, Severity};

use crate::key;

/// The service of alerts that name no service. Unless a team owns it, they go to the catch-all team.
pub const UNMAPPED: &str = "unmapped";

/// The words that senders use for each severity, in lower case.
///
/// The words come from the documentation of Prometheus' mixins, Grafana, PagerDuty, Opsgenie, Nagios, Icinga, Zabbix
/// and syslog.
pub const SEVERITY_WORDS: [(Severity, &[&str]); 3] = [
    (
        Severity::Crit,
        &[
            "critical",
            "crit",
            "page",
            "fatal",
            "disaster",
            "down",
            "emergency",
            "emerg",
            "alert",
            "high",
            "p1",
            "p2",
            "sev0",
            "sev1",
        ],
    ),
    (Severity::Err, &["error", "err", "major", "average", "unreachable", "unknown", "p3", "sev2"]),
    (
        Severity::Warn,
        &[
            "warning",
            "warn",
            "minor",
            "moderate",
            "low",
            "info",
            "informational",
            "information",
            "notice",
            "debug",
            "none",
            "ticket",
            "p4",
            "p5",
            "sev3",
            "sev4",
        ],
    ),
];

/// The rule that finds service and severity in labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    service_labels: Vec<String>,
    severity_labels: Vec<String>,
    severities: BTreeMap<String, Severity>,
    default_severity: Severity,
}

impl Default for Rule {
    /// The service is in `service`, otherwise in `job`. The severity is in `severity`, otherwise in `priority` or
    /// `level`; without them it is ERR.
    fn default() -> Self {
        let words = SEVERITY_WORDS.iter().flat_map(|(severity, words)| words.iter().map(|w| (*w, *severity)));
        Self {
            service_labels: vec!["service".into(), "job".into()],
            severity_labels: vec!["severity".into(), "priority".into(), "level".into()],
            severities: words.map(|(word, severity)| (word.to_owned(), severity)).collect(),
            default_severity: Severity::Err,
        }
    }
}

impl Rule {
    /// Sets the labels that may name the service. The first label that exists and is not blank counts.
    ///
    /// # Errors
    /// The list of labels is empty.
    pub fn service_labels(mut self, labels: Vec<String>) -> Result<Self, InvalidInput> {
        if labels.is_empty() {
            return Err(InvalidInput::field("service-labels", "must not be empty"));
        }
        self.service_labels = labels;
        Ok(self)
    }

    /// Sets the labels that may give the severity. The first label whose word is known counts.
    #[must_use]
    pub fn severity_labels(mut self, labels: Vec<String>) -> Self {
        self.severity_labels = labels;
        self
    }

    /// Adds a word for a severity, or changes the meaning of a word.
    #[must_use]
    pub fn word(mut self, word: &str, severity: Severity) -> Self {
        self.severities.insert(word.trim().to_lowercase(), severity);
        self
    }

    /// Sets the default severity.
    #[must_use]
    pub fn default_severity(mut self, severity: Severity) -> Self {
        self.default_severity = severity;
        self
    }

    /// The severity that a word means, in upper or lower case.
    pub fn severity_word(&self, word: &str) -> Option<Severity> {
        let word = word.trim();
        // No known word is longer, but strangers may send longer ones.
        if word.len() > 128 {
            return None;
        }
        self.severities.get(&word.to_lowercase()).copied()
    }

    /// The default severity.
    pub fn unknown_severity(&self) -> Severity {
        self.default_severity
    }

    /// The severity in the labels, if there is one.
    pub fn told_severity<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> Option<Severity> {
        self.severity_labels.iter().find_map(|name| self.severity_word(label(name)?))
    }

    /// The severity in the labels, otherwise the default.
    pub fn severity<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> Severity {
        self.told_severity(label).unwrap_or(self.default_severity)
    }

    /// The service that the sender's key is restricted to, otherwise the one in the labels, otherwise [`UNMAPPED`].
    pub fn service<'a>(
        &self,
        label: impl Fn(&str) -> Option<&'a str>,
        own: Option<&ServiceName>,
    ) -> ServiceName {
        let mut told = self.service_labels.iter().filter_map(|name| key::service(label(name)?));
        own.cloned().or_else(|| told.next()).unwrap_or_else(unmapped)
    }

    /// The labels for service and severity. If there are too many labels, the labels for service and severity are kept.
    pub(crate) fn leading_labels(&self) -> impl Iterator<Item = &str> {
        self.service_labels.iter().chain(&self.severity_labels).map(String::as_str)
    }
}

/// The service of alerts that name no service.
pub(crate) fn unmapped() -> ServiceName {
    ServiceName::new(UNMAPPED).expect("a short word is a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_meaning() {
        let words: Vec<_> = SEVERITY_WORDS.iter().flat_map(|(_, words)| words.iter()).collect();
        let distinct: std::collections::HashSet<_> = words.iter().collect();
        assert_eq!(words.len(), distinct.len());
        assert!(words.iter().all(|w| w.to_lowercase() == **w));
    }

    #[test]
    fn the_first_label_that_tells_something_decides() {
        let own = ServiceName::new("own").unwrap();
        type Labels<'a> = &'a [(&'a str, &'a str)];
        let cases: [(Labels<'_>, &str, Severity); 7] = [
            (&[("service", "a"), ("job", "b"), ("severity", "page")], "a", Severity::Crit),
            (&[("service", " "), ("job", "b"), ("severity", " Critical ")], "b", Severity::Crit),
            (&[("severity", "gold"), ("priority", "P4")], UNMAPPED, Severity::Warn),
            (&[("level", "error")], UNMAPPED, Severity::Err),
            (&[("severity", "gold")], UNMAPPED, Severity::Err),
            (&[("service", "a\nb")], "a b", Severity::Err),
            (&[], UNMAPPED, Severity::Err),
        ];
        let rule = Rule::default();
        for (labels, service, severity) in cases {
            let label = |name: &str| labels.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
            assert_eq!(rule.service(label, None).as_str(), service, "{labels:?}");
            assert_eq!(rule.service(label, Some(&own)), own, "what the key is restricted to, of {labels:?}");
            assert_eq!(rule.severity(label), severity, "{labels:?}");
        }
    }

    #[test]
    fn the_rule_can_be_changed() {
        let rule = Rule::default()
            .service_labels(vec!["app".into()])
            .unwrap()
            .severity_labels(vec!["tier".into()])
            .word("Gold", Severity::Crit)
            .word("critical", Severity::Warn)
            .default_severity(Severity::Warn);
        assert_eq!(rule.service(|name| (name == "app").then_some("shop"), None).as_str(), "shop");
        assert_eq!(rule.severity(|name| (name == "tier").then_some("GOLD")), Severity::Crit);
        assert_eq!(rule.severity_word("CRITICAL"), Some(Severity::Warn));
        assert_eq!(rule.severity(|_| None), Severity::Warn);
        assert!(Rule::default().service_labels(vec![]).is_err());
    }
}
