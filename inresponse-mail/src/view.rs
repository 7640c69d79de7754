//! What the texts say.

use askama::Template;
use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, Level, Severity};
use inresponse_core::notify::Alert;

/// The plain text.
#[derive(Template)]
#[template(path = "alert.txt", escape = "none")]
pub(crate) struct Text<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The HTML.
#[derive(Template)]
#[template(path = "alert.html")]
pub(crate) struct Html<'a> {
    pub(crate) view: &'a View<'a>,
}

/// What both of them say.
pub(crate) struct View<'a> {
    alert: &'a Alert,
    pub(crate) detected: String,
    pub(crate) reported: String,
    pub(crate) others: String,
    pub(crate) upcoming: Vec<Next>,
}

/// A level that is alerted later.
pub(crate) struct Next {
    pub(crate) at: String,
    pub(crate) who: String,
}

impl<'a> View<'a> {
    pub(crate) fn new(alert: &'a Alert) -> Self {
        let incident = alert.incident();
        let upcoming = alert.upcoming().into_iter().map(|next| {
            let who = names(next.contacts.iter());
            let who = if next.level == Level::Fallback { format!("{who} (fallback)") } else { who };
            Next { at: time(next.at), who }
        });
        Self {
            alert,
            detected: time(incident.detected_at()),
            reported: time(incident.created_at()),
            others: names(alert.others()),
            upcoming: upcoming.collect(),
        }
    }

    /// The same for every mail of an incident, so that mail readers keep the thread together.
    pub(crate) fn subject(&self) -> String {
        let incident = self.alert.incident();
        let (severity, number) = (incident.severity(), incident.number());
        format!("[{severity}] #{number} {}: {}", incident.service(), incident.title())
    }

    pub(crate) fn severity(&self) -> &'static str {
        self.alert.incident().severity().as_str()
    }

    pub(crate) fn colour(&self) -> &'static str {
        match self.alert.incident().severity() {
            Severity::Crit => "#b3261e",
            Severity::Err => "#a04a00",
            Severity::Warn => "#6b5900",
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.alert.incident().number().value()
    }

    pub(crate) fn service(&self) -> &str {
        self.alert.incident().service().as_str()
    }

    pub(crate) fn team(&self) -> &str {
        self.alert.incident().team().as_str()
    }

    pub(crate) fn title(&self) -> &str {
        self.alert.incident().title()
    }

    pub(crate) fn message(&self) -> &str {
        self.alert.incident().message()
    }

    pub(crate) fn source(&self) -> Option<&str> {
        self.alert.incident().source().map(|source| source.as_str())
    }

    pub(crate) fn count(&self) -> u64 {
        self.alert.count()
    }

    pub(crate) fn labels(&self) -> Vec<(&str, &str)> {
        self.alert.incident().labels().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    pub(crate) fn links(&self) -> Vec<(&str, &str)> {
        self.alert.incident().links().iter().map(|link| (link.text(), link.url())).collect()
    }

    pub(crate) fn claim_url(&self) -> Option<&str> {
        self.alert.claim_url()
    }

    pub(crate) fn level(&self) -> String {
        match self.alert.level() {
            Level::At(n) => format!("level {n}"),
            Level::Fallback => "the fallback".to_owned(),
            Level::News(_) => "news".to_owned(),
        }
    }

    pub(crate) fn round(&self) -> u32 {
        self.alert.round()
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.alert.attempt()
    }

    pub(crate) fn contact(&self) -> String {
        self.alert.contact().to_string()
    }

    pub(crate) fn delivery(&self) -> &str {
        self.alert.delivery_id().as_str()
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn names<'a>(contacts: impl Iterator<Item = &'a Contact>) -> String {
    contacts.map(Contact::to_string).collect::<Vec<_>>().join(", ")
}
