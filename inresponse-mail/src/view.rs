//! What the texts say.

use askama::Template;
use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, Delivery, DeliveryStatus, Event, Incident, Level, Person, Severity};
use inresponse_core::notify::{Alert, Occasion};

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

/// The same of news: that somebody has it, or that it is over.
#[derive(Template)]
#[template(path = "news.txt", escape = "none")]
pub(crate) struct NewsText<'a> {
    pub(crate) view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "news.html")]
pub(crate) struct NewsHtml<'a> {
    pub(crate) view: &'a View<'a>,
}

/// What all of them say.
pub(crate) struct View<'a> {
    alert: &'a Alert,
    pub(crate) detected: String,
    pub(crate) reported: String,
    pub(crate) others: String,
    pub(crate) before: Vec<Turn>,
    pub(crate) upcoming: Vec<Turn>,
    /// Who has it or ended it, and since when; empty in an alert.
    pub(crate) news: String,
    pub(crate) news_at: String,
}

/// A level that was alerted, or will be.
pub(crate) struct Turn {
    pub(crate) at: String,
    /// The same without seconds, and without the day of the report, for a narrow screen.
    pub(crate) at_short: String,
    pub(crate) who: String,
}

impl Turn {
    fn new(at: DateTime<Utc>, reported: DateTime<Utc>, level: Level, who: String) -> Self {
        let format = if at.date_naive() == reported.date_naive() { "%H:%M UTC" } else { "%-d %b %H:%M UTC" };
        let who = if level == Level::Fallback { format!("{who} (fallback)") } else { who };
        Self { at: time(at), at_short: at.format(format).to_string(), who }
    }
}

impl<'a> View<'a> {
    pub(crate) fn new(alert: &'a Alert) -> Self {
        let incident = alert.incident();
        let upcoming = alert.upcoming().into_iter();
        let upcoming = upcoming
            .map(|next| Turn::new(next.at, incident.created_at(), next.level, names(next.contacts.iter())));
        Self {
            alert,
            detected: time(incident.detected_at()),
            reported: time(incident.created_at()),
            others: names(alert.others()),
            before: before(alert),
            upcoming: upcoming.collect(),
            news: news(alert),
            news_at: match alert.occasion() {
                Occasion::Alert => None,
                Occasion::Claimed => incident.claimed(),
                Occasion::Resolved => incident.resolved(),
            }
            .map(|signature| time(signature.at))
            .unwrap_or_default(),
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

    /// Dark enough for white letters, on light and on dark ground.
    pub(crate) fn severity_colour(&self) -> &'static str {
        match self.alert.incident().severity() {
            Severity::Crit => "#b3261e",
            Severity::Err => "#a04a00",
            Severity::Warn => "#6b5900",
        }
    }

    /// Who cannot tell the colours apart sees a shape: a triangle, a diamond, a circle.
    pub(crate) fn severity_shape(&self) -> &'static str {
        match self.alert.incident().severity() {
            Severity::Crit => "&#9650;",
            Severity::Err => "&#9670;",
            Severity::Warn => "&#9679;",
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

    /// What is known of it, as the HTML lists it.
    pub(crate) fn facts(&self) -> Vec<(&str, String)> {
        let times = if self.count() > 1 { format!(", {} times by now", self.count()) } else { String::new() };
        let mut facts = vec![
            ("Team", self.team().to_owned()),
            ("Detected", self.detected.clone()),
            ("Reported", format!("{}{times}", self.reported)),
        ];
        facts.extend(self.source().map(|source| ("Source", source.to_owned())));
        facts.extend(self.labels().into_iter().map(|(name, value)| (name, value.to_owned())));
        facts
    }

    pub(crate) fn links(&self) -> Vec<(&str, &str)> {
        self.alert.incident().links().iter().map(|link| (link.text(), link.url())).collect()
    }

    pub(crate) fn claim_url(&self) -> Option<&str> {
        self.alert.claim_url()
    }

    /// Where somebody else can still take it.
    pub(crate) fn take_over_url(&self) -> Option<&str> {
        self.claim_url().filter(|_| self.alert.occasion() == Occasion::Claimed)
    }

    pub(crate) fn is_alert(&self) -> bool {
        self.alert.occasion() == Occasion::Alert
    }

    /// What the mail shows first.
    pub(crate) fn bar_colour(&self) -> &'static str {
        match self.alert.occasion() {
            Occasion::Alert => self.severity_colour(),
            Occasion::Claimed => "#0b57d0",
            Occasion::Resolved => "#146c2e",
        }
    }

    pub(crate) fn board_url(&self) -> Option<&str> {
        self.alert.board_url()
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

/// In one sentence, who has it or ended it.
fn news(alert: &Alert) -> String {
    let incident = alert.incident();
    let who = |person: &Person| {
        let contact = alert.contact();
        let is_you = [contact.as_str(), contact.address()].contains(&person.as_str());
        if is_you { "you".to_owned() } else { person.to_string() }
    };
    match alert.occasion() {
        Occasion::Alert => String::new(),
        Occasion::Claimed => match last_claim(incident) {
            Some(Event::HandedOver { by, to, .. }) => format!("{by} handed it to {}", who(to)),
            Some(_) | None => format!("{} has it", incident.claimed().map_or("Somebody", |c| c.by.as_str())),
        },
        Occasion::Resolved => {
            format!("{} resolved it", incident.resolved().map_or("Somebody", |r| r.by.as_str()))
        }
    }
}

/// How whoever has it came to have it.
fn last_claim(incident: &Incident) -> Option<&Event> {
    let events = incident.timeline().entries().iter().rev().map(|entry| &entry.event);
    events.into_iter().find(|event| matches!(event, Event::Claimed { .. } | Event::HandedOver { .. }))
}

/// The levels of this round whose turn came before, and who of them could not be told.
fn before(alert: &Alert) -> Vec<Turn> {
    let incident = alert.incident();
    let begun = incident.begun().iter().take_while(|begun| begun.level != alert.level());
    let of_level = |level: Level| {
        let deliveries = incident.deliveries().iter();
        deliveries.filter(move |d| d.key().round == alert.round() && d.key().level == level)
    };
    begun
        .map(|begun| (begun, of_level(begun.level).map(told).collect::<Vec<_>>().join(", ")))
        .filter(|(_, who)| !who.is_empty())
        .map(|(begun, who)| Turn::new(begun.at, incident.created_at(), begun.level, who))
        .collect()
}

fn told(delivery: &Delivery) -> String {
    let contact = delivery.contact();
    match delivery.status() {
        DeliveryStatus::Accepted { .. } => contact.to_string(),
        DeliveryStatus::Dead { .. } => format!("{contact} (cannot be reached)"),
        DeliveryStatus::Pending { .. } | DeliveryStatus::InFlight { .. } | DeliveryStatus::Stopped { .. } => {
            format!("{contact} (not reached)")
        }
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn names<'a>(contacts: impl Iterator<Item = &'a Contact>) -> String {
    contacts.map(Contact::to_string).collect::<Vec<_>>().join(", ")
}
