//! Trouble that a sender tells of, cut to what a report may hold.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::{DedupKey, Link, Report, ServiceName, Severity};

use crate::recent::Recurrence;
use crate::text;

/// How much of a report's bytes links and labels may take; the message has the rest.
const MAX_LINK_BYTES: usize = 6 * 1024;
const MAX_LABEL_BYTES: usize = 8 * 1024;
/// What is set aside for the title and for what intake adds itself.
const RESERVED_BYTES: usize = 2 * 1024;

/// Trouble that a sender tells of. Whatever is too long or too many is cut; an alert is never lost for that.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    service: ServiceName,
    key: DedupKey,
    severity: Severity,
    source: String,
    title: String,
    message: String,
    began_at: Option<DateTime<Utc>>,
    labels: BTreeMap<String, String>,
    label_bytes: usize,
    labels_left_out: usize,
    links: Vec<(String, String)>,
    link_bytes: usize,
}

impl Trouble {
    /// Trouble of a service under the sender's own key. `source` is the kind of sender.
    pub(crate) fn new(service: ServiceName, key: DedupKey, severity: Severity, source: &str) -> Self {
        Self {
            service,
            key,
            severity,
            source: source.to_owned(),
            title: String::new(),
            message: String::new(),
            began_at: None,
            labels: BTreeMap::new(),
            label_bytes: 0,
            labels_left_out: 0,
            links: Vec::new(),
            link_bytes: 0,
        }
    }

    /// Takes the first of these that is not blank as the title.
    pub(crate) fn title<'a>(mut self, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let mut titles = candidates.into_iter().map(|t| text::line(t, Report::MAX_TITLE_BYTES));
        self.title = titles.find(|title| !title.is_empty()).unwrap_or_default();
        self
    }

    /// One more paragraph of the message.
    pub(crate) fn paragraph(mut self, paragraph: &str) -> Self {
        let paragraph = paragraph.trim();
        if !paragraph.is_empty() && self.message.len() <= Report::MAX_MESSAGE_BYTES {
            if !self.message.is_empty() {
                self.message.push('\n');
            }
            self.message.push_str(paragraph);
        }
        self
    }

    /// When it began, by the sender's clock.
    pub(crate) fn began(mut self, at: Option<DateTime<Utc>>) -> Self {
        self.began_at = at;
        self
    }

    /// One more label; the first of a name stays. Labels that matter come first, since there are bounds.
    pub(crate) fn label(mut self, name: &str, value: &str) -> Self {
        let name = text::name(name, 128);
        let value = text::lines(value, 1024, 2048);
        if name.is_empty() || self.labels.contains_key(&name) {
            return self;
        }
        let bytes = text::encoded_len(&name) + text::encoded_len(&value) + 6;
        // One place is kept for the mark of a recurrence.
        if self.labels.len() + 1 >= Report::MAX_LABELS || self.label_bytes + bytes > MAX_LABEL_BYTES {
            self.labels_left_out += 1;
        } else {
            self.label_bytes += bytes;
            self.labels.insert(name, value);
        }
        self
    }

    /// All of these as labels.
    pub(crate) fn labels<'a>(self, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        labels.into_iter().fold(self, |trouble, (name, value)| trouble.label(name, value))
    }

    /// One more link, if it is one and there is room.
    pub(crate) fn link(mut self, name: &str, url: &str) -> Self {
        let name = text::line(name, 128);
        let name = if name.is_empty() { "Link".to_owned() } else { name };
        let bytes = text::encoded_len(&name) + text::encoded_len(url) + 24;
        let known = self.links.iter().any(|(_, known)| known == url.trim());
        let room = self.links.len() < Report::MAX_LINKS && self.link_bytes + bytes <= MAX_LINK_BYTES;
        if room && !known && Link::new(&name, url).is_ok() {
            self.link_bytes += bytes;
            self.links.push((name, url.trim().to_owned()));
        }
        self
    }

    /// The service it is about.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The sender's own key for it.
    pub fn key(&self) -> &DedupKey {
        &self.key
    }

    /// When it began, by the sender's clock.
    pub fn began_at(&self) -> Option<DateTime<Utc>> {
        self.began_at
    }

    /// The report of it. One that came back soon after its recovery bears the label `flapping`.
    ///
    /// # Errors
    /// Never: everything was cut to what a report may hold.
    pub fn report(&self, recurrence: Recurrence) -> Result<Report, InvalidInput> {
        let room = Report::MAX_BYTES - RESERVED_BYTES - self.label_bytes - self.link_bytes;
        let left_out = match self.labels_left_out {
            0 => String::new(),
            1 => "\n(1 label was left out.)".to_owned(),
            n => format!("\n({n} labels were left out.)"),
        };
        let message_bytes = Report::MAX_MESSAGE_BYTES - left_out.len();
        let message = text::lines(&self.message, message_bytes, room - left_out.len()) + &left_out;
        let title = if self.title.is_empty() { "(no title)" } else { &self.title };
        let mut report = Report::builder(self.service.as_str(), self.severity, title)
            .message(message)
            .source(&self.source)
            .dedup_key(self.key.as_str());
        if let Some(at) = self.began_at {
            report = report.detected_at(at);
        }
        for (name, value) in &self.labels {
            report = report.label(name, value);
        }
        match recurrence {
            Recurrence::Flapping => report = report.label("flapping", "true"),
            Recurrence::Fresh => {}
        }
        for (name, url) in &self.links {
            report = report.link(name, url);
        }
        report.build()
    }
}
