//! A problem that a sender reports, cut to the limits of a report.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use inresponse_core::InvalidInput;
use inresponse_core::model::{DedupKey, Link, Note, Report, ServiceName, Severity};

use crate::{repair, text};

/// The maximum number of bytes for all links of a report. The message gets what links and labels leave.
const MAX_LINK_BYTES: usize = 6 * 1024;
/// The maximum number of bytes for all labels of a report.
const MAX_LABEL_BYTES: usize = 8 * 1024;
/// Bytes reserved for the title and for texts that intake adds.
const RESERVED_BYTES: usize = 2 * 1024;

/// A problem that a sender reports. Texts that are too long and items that are too many are cut; an alert is never lost
/// for that reason.
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
    links_left_out: usize,
    repairs: Repairs,
}

/// Whether the same problem existed a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    /// The problem is new.
    Fresh,
    /// The problem existed before, and was over for less than [`FLAPPING_WITHIN`](crate::FLAPPING_WITHIN).
    Flapping,
}

/// Descriptions of the corrections to an alert's text, at most [`MAX`](Self::MAX) of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Repairs(Vec<String>);

impl Repairs {
    const MAX: usize = 8;

    /// Adds a repair, unless the same one is already listed.
    pub(crate) fn note(&mut self, repair: String) {
        if self.0.len() < Self::MAX && !self.0.contains(&repair) {
            self.0.push(repair);
        }
    }

    /// Records the repairs of a text.
    pub(crate) fn note_text(&mut self, field: &str, given: &str, what: &str) {
        self.note(format!("{} `{}` {what}", text::line(field, 64), text::line(given, 48)));
    }

    /// Notes that parts of a text were unreadable, if they were.
    fn note_if_broken(&mut self, field: &str, given: &str) {
        if repair::is_broken(given) {
            self.note(format!("{} had invalid characters", text::line(field, 64)));
        }
    }

    pub(crate) fn append(&mut self, other: Repairs) {
        other.0.into_iter().for_each(|repair| self.note(repair));
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The descriptions as one text.
    pub(crate) fn text(&self) -> String {
        self.0.join("; ")
    }

    /// The descriptions and another text as a note for the timeline.
    pub(crate) fn into_note(self, said: &str) -> Option<Note> {
        let repaired = if self.0.is_empty() { String::new() } else { format!("Repaired: {}.", self.text()) };
        let said = if said.trim().is_empty() { repaired } else { format!("{said}\n{repaired}") };
        Note::new(text::lines(&said, Note::MAX_BYTES, 2 * Note::MAX_BYTES)).ok()
    }
}

impl Trouble {
    /// A problem of a service under the sender's own key. `source` is the kind of sender.
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
            links_left_out: 0,
            repairs: Repairs::default(),
        }
    }

    /// Adds descriptions of what was repaired in the alert.
    pub(crate) fn repaired(mut self, repairs: Repairs) -> Self {
        self.repairs.append(repairs);
        self
    }

    /// Adds a warning that people read in the incident's message.
    pub(crate) fn warned(mut self, warning: &str) -> Self {
        self.repairs.note(warning.to_owned());
        self
    }

    /// Takes the first candidate that is not blank as the title.
    pub(crate) fn title<'a>(mut self, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        for candidate in candidates {
            let title = text::line(candidate, Report::MAX_TITLE_BYTES);
            if !title.is_empty() {
                self.repairs.note_if_broken("the title", candidate);
                if title.ends_with('…') && !candidate.trim_end().ends_with('…') {
                    self.repairs.note("the title was too long".to_owned());
                }
                self.title = title;
                break;
            }
        }
        self
    }

    /// Adds a paragraph to the message.
    pub(crate) fn paragraph(mut self, paragraph: &str) -> Self {
        let paragraph = paragraph.trim();
        self.repairs.note_if_broken("the message", paragraph);
        if !paragraph.is_empty() && self.message.len() <= Report::MAX_MESSAGE_BYTES {
            if !self.message.is_empty() {
                self.message.push('\n');
            }
            self.message.push_str(paragraph);
        }
        self
    }

    /// Sets when the problem began, by the sender's clock.
    pub(crate) fn began(mut self, at: Option<DateTime<Utc>>) -> Self {
        self.began_at = at;
        self
    }

    /// Adds a label. Important labels must come first, because the number and size of labels are limited.
    pub(crate) fn label(mut self, name: &str, value: &str) -> Self {
        if self.place(name, value) == Place::Taken {
            self.labels_left_out += 1;
        }
        self
    }

    /// Adds a label with a name of the sender's choice. If the name is one of our own, a longer one is used.
    pub(crate) fn detail(mut self, name: &str, value: &str) -> Self {
        if self.place(name, value) == Place::Taken
            && self.place(&format!("details.{name}"), value) == Place::Taken
        {
            self.labels_left_out += 1;
        }
        self
    }

    fn place(&mut self, name: &str, value: &str) -> Place {
        let (short, kept) = (text::name(name, 128), text::lines(value, 1024, 2048));
        if short.is_empty() {
            return Place::Done;
        }
        if let Some(known) = self.labels.get(&short) {
            return if *known == kept { Place::Done } else { Place::Taken };
        }
        let bytes = text::encoded_len(&short) + text::encoded_len(&kept) + 6;
        // One place is kept for the mark of a recurrence.
        if self.labels.len() + 1 >= Report::MAX_LABELS || self.label_bytes + bytes > MAX_LABEL_BYTES {
            self.labels_left_out += 1;
            return Place::Done;
        }
        for given in [name, value] {
            self.repairs.note_if_broken(&format!("label `{short}`"), given);
        }
        if kept.ends_with('…') && !value.trim_end().ends_with('…') {
            self.repairs.note(format!("label `{}` was too long", text::line(&short, 64)));
        }
        self.label_bytes += bytes;
        self.labels.insert(short, kept);
        Place::Done
    }

    /// Adds several labels.
    pub(crate) fn labels<'a>(self, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        labels.into_iter().fold(self, |trouble, (name, value)| trouble.label(name, value))
    }

    /// Adds a link, if it is a URL and there is room.
    pub(crate) fn link(mut self, name: &str, url: &str) -> Self {
        if url.trim().is_empty() {
            return self;
        }
        let name = text::line(name, 128);
        let name = if name.is_empty() { "Link".to_owned() } else { name };
        let bytes = text::encoded_len(&name) + text::encoded_len(url) + 24;
        let known = self.links.iter().any(|(_, known)| known == url.trim());
        let room = self.links.len() < Report::MAX_LINKS && self.link_bytes + bytes <= MAX_LINK_BYTES;
        if known {
            return self;
        }
        if room && !repair::is_broken(url) && Link::new(&name, url).is_ok() {
            self.link_bytes += bytes;
            self.links.push((name, url.trim().to_owned()));
        } else {
            self.links_left_out += 1;
        }
        self
    }

    /// The service that the problem is about.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The sender's own key for the problem.
    pub fn key(&self) -> &DedupKey {
        &self.key
    }

    /// When the problem began, by the sender's clock.
    pub fn began_at(&self) -> Option<DateTime<Utc>> {
        self.began_at
    }

    /// The report of the problem. If the problem returned soon after its recovery, the report has the label `flapping`.
    ///
    /// # Errors
    /// Never: everything was cut to the limits of a report.
    pub fn report(&self, recurrence: Recurrence) -> Result<Report, InvalidInput> {
        let room = Report::MAX_BYTES - RESERVED_BYTES - self.label_bytes - self.link_bytes;
        let mut message = self.message_within(room, &self.remarks(&self.repairs));
        if message.is_none() {
            let mut repairs = self.repairs.clone();
            repairs.0.truncate(Repairs::MAX - 1);
            repairs.note("the message was too long".to_owned());
            let remarks = self.remarks(&repairs);
            let max = (Report::MAX_MESSAGE_BYTES - remarks.len(), room - text::encoded_len(&remarks));
            message = Some(text::lines(&self.message, max.0, max.1) + &remarks);
        }
        let message = message.unwrap_or_default();
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

    /// The remarks at the end of the message, such as the number of labels left out.
    fn remarks(&self, repairs: &Repairs) -> String {
        let mut remarks = String::new();
        for (left_out, what) in [(self.labels_left_out, "label"), (self.links_left_out, "link")] {
            match left_out {
                0 => {}
                1 => remarks += &format!("\n(1 {what} was left out.)"),
                n => remarks += &format!("\n({n} {what}s were left out.)"),
            }
        }
        if !repairs.0.is_empty() {
            remarks += &format!("\n(Repaired: {}.)", repairs.text());
        }
        remarks
    }

    /// The message with the remarks, if there is room for both.
    fn message_within(&self, room: usize, remarks: &str) -> Option<String> {
        let whole = text::lines(&self.message, usize::MAX, usize::MAX) + remarks;
        let fits = whole.len() <= Report::MAX_MESSAGE_BYTES && text::encoded_len(&whole) <= room;
        fits.then_some(whole)
    }
}

/// The result of adding a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The label was added, or is known to be left out.
    Done,
    /// Another label has that name and a different value.
    Taken,
}
