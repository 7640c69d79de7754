//! Reports: what a monitoring system sends about a problem.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::names::{paragraph, title};
use super::{DedupKey, KeyName, Routed, ServiceName, Severity, Source, Unknown};
use crate::error::InvalidInput;

/// A link that helps the responder, such as a runbook or a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    text: String,
    url: String,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Link {
    /// Makes a link from its text and its URL.
    ///
    /// # Errors
    /// The text is empty or too long, or the URL is not plain `http:` or `https:`.
    pub fn new(text: &str, url: &str) -> Result<Self, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let text = invalid.keep(title("text", text, 256));
        let url = url.trim();
        let plain = url.starts_with("https://") || url.starts_with("http://");
        if !plain || url.len() > 2048 || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            invalid.push("url", "must be an http or https URL of at most 2048 bytes without white space");
        }
        match text {
            Some(text) if invalid.is_empty() => {
                Ok(Self { text, url: url.to_owned(), unknown: Unknown::default() })
            }
            _ => Err(invalid),
        }
    }

    /// The text of the link.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The URL of the link.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// The API key of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reporter {
    /// The name of the key.
    pub key: KeyName,
    /// The service that the key is restricted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    #[serde(flatten)]
    unknown: Unknown,
}

impl Reporter {
    /// A reporter with that key, and the service that the key is restricted to.
    pub fn new(key: KeyName, service: Option<ServiceName>) -> Self {
        Self { key, service, unknown: Unknown::default() }
    }

    /// Whether both keys may act on each other's reports: they are the same key, or restricted to the same service.
    pub fn shares_with(&self, other: &Reporter) -> bool {
        self.key == other.key || (self.service.is_some() && self.service == other.service)
    }
}

/// A validated report, ready to become an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub(crate) service: ServiceName,
    pub(crate) severity: Severity,
    pub(crate) title: String,
    pub(crate) message: String,
    pub(crate) source: Option<Source>,
    pub(crate) detected_at: Option<DateTime<Utc>>,
    pub(crate) dedup_key: Option<DedupKey>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) links: Vec<Link>,
    pub(crate) reporter: Option<Reporter>,
    pub(crate) routed: Option<Routed>,
}

impl Report {
    /// The maximum length of a title, in bytes.
    pub const MAX_TITLE_BYTES: usize = 500;
    /// The maximum length of a message, in bytes.
    pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;
    /// The maximum number of labels.
    pub const MAX_LABELS: usize = 64;
    /// The maximum number of links.
    pub const MAX_LINKS: usize = 16;
    /// The maximum size of the whole report as JSON, in bytes.
    pub const MAX_BYTES: usize = 24 * 1024;

    /// Begins a report with the fields that every report has.
    pub fn builder(
        service: impl Into<String>,
        severity: Severity,
        title: impl Into<String>,
    ) -> ReportBuilder {
        ReportBuilder {
            service: service.into(),
            severity,
            title: title.into(),
            message: String::new(),
            source: None,
            detected_at: None,
            dedup_key: None,
            labels: BTreeMap::new(),
            links: Vec::new(),
        }
    }

    /// The service that the report is about.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The severity of the problem.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The API key of the report.
    pub fn reporter(&self) -> Option<&Reporter> {
        self.reporter.as_ref()
    }

    /// Sets the API key of the report.
    #[must_use]
    pub fn reported_with(mut self, reporter: Reporter) -> Self {
        self.reporter = Some(reporter);
        self
    }

    /// Sets what a routing rule decided about the report.
    #[must_use]
    pub fn routed_by(mut self, routed: Option<Routed>) -> Self {
        self.severity = routed.as_ref().and_then(|routed| routed.severity).unwrap_or(self.severity);
        self.routed = routed;
        self
    }

    /// The labels.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// The sender's own key for the problem.
    pub fn dedup_key(&self) -> Option<&DedupKey> {
        self.dedup_key.as_ref()
    }
}

/// Collects the parts of a [`Report`]; [`build`](Self::build) checks them all at once.
#[derive(Debug, Clone)]
pub struct ReportBuilder {
    service: String,
    severity: Severity,
    title: String,
    message: String,
    source: Option<String>,
    detected_at: Option<DateTime<Utc>>,
    dedup_key: Option<String>,
    labels: BTreeMap<String, String>,
    links: Vec<(String, String)>,
}

impl ReportBuilder {
    /// Sets the description of the problem, in any number of lines.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Sets the kind of monitoring system that reports.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets when the problem was detected (default: the time of the report).
    #[must_use]
    pub fn detected_at(mut self, at: DateTime<Utc>) -> Self {
        self.detected_at = Some(at);
        self
    }

    /// Sets the dedup key: repeated reports with the same key belong to the same incident.
    #[must_use]
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.dedup_key = Some(key.into());
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Adds a link.
    #[must_use]
    pub fn link(mut self, text: impl Into<String>, url: impl Into<String>) -> Self {
        self.links.push((text.into(), url.into()));
        self
    }

    /// Checks all parts, and makes the report.
    ///
    /// # Errors
    /// Lists every invalid field, by its name on the wire.
    pub fn build(self) -> Result<Report, InvalidInput> {
        let mut invalid = InvalidInput::default();
        let service = invalid.keep(ServiceName::new(&self.service));
        let title = invalid.keep(title("title", &self.title, Report::MAX_TITLE_BYTES));
        let message = invalid.keep(paragraph("message", &self.message, Report::MAX_MESSAGE_BYTES));
        let source = self.source.and_then(|source| invalid.keep(Source::new(source)));
        let dedup_key = self.dedup_key.and_then(|key| invalid.keep(DedupKey::new(key)));
        let labels = labels(self.labels, &mut invalid);
        let links = links(&self.links, &mut invalid);
        let (Some(service), Some(title), Some(message), true) = (service, title, message, invalid.is_empty())
        else {
            return Err(invalid);
        };
        let report = Report {
            service,
            severity: self.severity,
            title,
            message,
            source,
            // Microseconds are what every store keeps.
            detected_at: self.detected_at.map(crate::clock::to_micros),
            dedup_key,
            labels,
            links,
            reporter: None,
            routed: None,
        };
        let size = report.encoded_size();
        if size > Report::MAX_BYTES {
            let message = format!(
                "title, message, labels and links must together be at most {} bytes as JSON, are {size}",
                Report::MAX_BYTES
            );
            return Err(InvalidInput::field("message", message));
        }
        Ok(report)
    }
}

impl Report {
    /// An upper estimate of the size of the texts as JSON, in which a quote or line break takes two bytes.
    fn encoded_size(&self) -> usize {
        let text = |s: &str| {
            s.len() + s.bytes().filter(|b| matches!(b, b'"' | b'\\' | b'\n' | b'\r' | b'\t')).count()
        };
        let labels: usize = self.labels.iter().map(|(k, v)| text(k) + text(v) + 6).sum();
        let links: usize = self.links.iter().map(|l| text(&l.text) + text(&l.url) + 24).sum();
        text(&self.title) + text(&self.message) + labels + links
    }
}

fn labels(given: BTreeMap<String, String>, invalid: &mut InvalidInput) -> BTreeMap<String, String> {
    if given.len() > Report::MAX_LABELS {
        invalid.push("labels", format!("must be at most {}, are {}", Report::MAX_LABELS, given.len()));
        return BTreeMap::new();
    }
    let mut labels = BTreeMap::new();
    for (name, value) in given {
        let short: String = name.trim().chars().take(64).collect();
        let value = paragraph("value", &value, 1024).map_err(|e| {
            e.errors().iter().for_each(|error| invalid.push(format!("labels.{short}"), error.message()));
        });
        let name = title("labels", &name, 128).map_err(|e| invalid.append(e));
        let (Ok(name), Ok(value)) = (name, value) else { continue };
        if labels.insert(name, value).is_some() {
            invalid.push(format!("labels.{short}"), "is given twice");
        }
    }
    labels
}

fn links(given: &[(String, String)], invalid: &mut InvalidInput) -> Vec<Link> {
    if given.len() > Report::MAX_LINKS {
        invalid.push("links", format!("must be at most {}, are {}", Report::MAX_LINKS, given.len()));
        return Vec::new();
    }
    let link = |(i, (text, url)): (usize, &(String, String))| {
        invalid.keep(Link::new(text, url).map_err(|e| e.under(&format!("links[{i}]"))))
    };
    given.iter().enumerate().filter_map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_report_names_every_invalid_field() {
        let refused = Report::builder("", Severity::Crit, "a\nb")
            .message("\u{1}")
            .dedup_key("x".repeat(600))
            .label("region", "\u{1}")
            .link("graph", "javascript:alert(1)")
            .build()
            .unwrap_err();
        let fields: Vec<_> = refused.errors().iter().map(|e| e.field()).collect();
        assert_eq!(fields, ["service", "title", "message", "dedupKey", "labels.region", "links[0].url"]);
    }

    #[test]
    fn p16_labels_are_trimmed_and_none_takes_the_place_of_another() {
        let report = Report::builder("s", Severity::Warn, "t").label(" zone ", " eu ").build().unwrap();
        assert_eq!(report.labels.iter().collect::<Vec<_>>(), [(&"zone".to_owned(), &"eu".to_owned())]);
        let twice = Report::builder("s", Severity::Warn, "t").label("zone", "a").label(" zone", "b").build();
        assert_eq!(twice.unwrap_err().errors()[0].field(), "labels.zone");
    }

    #[test]
    fn p07_a_report_is_bounded_as_a_whole() {
        let full = |bytes: usize| {
            (0..bytes / 1000).fold(Report::builder("s", Severity::Warn, "t"), |b, i| {
                b.label(i.to_string(), "v".repeat(994))
            })
        };
        assert!(full(20_000).build().is_ok());
        assert!(full(30_000).build().is_err());
    }
}
