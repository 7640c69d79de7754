//! Times, timelines and deliveries in words.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use inresponse_core::model::{Contact, Delivery, DeliveryStatus, Entry, Event, Level};

/// An instant as HTML: in UTC, which the script turns into the reader's time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    at: DateTime<Utc>,
    shown_as: &'static str,
}

impl Moment {
    /// How long ago it was.
    pub(super) fn age(at: DateTime<Utc>) -> Self {
        Self { at, shown_as: "age" }
    }

    /// Day and time.
    pub(super) fn clock(at: DateTime<Utc>) -> Self {
        Self { at, shown_as: "clock" }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = self.at.format("%-d %b %Y, %H:%M:%S UTC");
        write!(f, "<time datetime=\"{machine}\" data-as=\"{}\">{text}</time>", self.shown_as)
    }
}

/// A line of the timeline.
pub(super) struct Line {
    pub(super) at: Moment,
    pub(super) text: String,
    /// What somebody wrote.
    pub(super) note: Option<String>,
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        let note = match &entry.event {
            Event::Noted { note, .. } => Some(note.as_str().to_owned()),
            _ => None,
        };
        Self { at: Moment::clock(entry.at), text: told(&entry.event), note }
    }
}

fn told(event: &Event) -> String {
    match event {
        Event::Opened { severity } => format!("Reported as {severity}"),
        Event::RoundBegan { round } => format!("Round {round} of the alerts began"),
        Event::LevelBegan { level, contacts, .. } => {
            format!("{} was alerted: {}", capital(*level), names(contacts))
        }
        Event::LevelBeganAnew { level, .. } => {
            format!("{} began anew, as the process that alerted it ended", capital(*level))
        }
        Event::LevelEmpty { level, .. } => {
            format!("{} has nobody, so the next one was due at once", capital(*level))
        }
        Event::LevelDead { level, .. } => {
            format!("{} could not be reached, so the next one was due at once", capital(*level))
        }
        Event::Unclaimed => "Everybody was alerted, and nobody claimed it".to_owned(),
        Event::Claimed { by, from: Some(from) } => format!("{by} took it over from {from}"),
        Event::Claimed { by, from: None } => format!("{by} claimed it"),
        Event::HandedOver { by, to, .. } => format!("{by} handed it to {to}"),
        Event::HandedToTeam { by, from, to } => format!("{by} handed it from team {from} to team {to}"),
        Event::Escalated { by } => format!("{by} escalated it"),
        Event::Released { by } => format!("{by} gave it back"),
        Event::Resolved { by } => format!("{by} resolved it"),
        Event::SeverityChanged { from, to, by: Some(by) } => {
            format!("{by} changed the severity from {from} to {to}")
        }
        Event::SeverityChanged { from, to, by: None } => {
            format!("A report raised the severity from {from} to {to}")
        }
        Event::ReportedLower { severity } => format!("Reported again as {severity}"),
        Event::Noted { by, .. } => format!("{by} noted"),
        Event::ClockWentBack { seconds } => format!("The clock went back by {seconds} seconds"),
        Event::Folded { entries, .. } => format!("{entries} older entries, which are no longer kept apart"),
        Event::Unknown(event) => format!("{}: unknown to this version of InResponse", event.name()),
        _ => "Something else happened".to_owned(),
    }
}

/// The level at the beginning of a sentence.
pub(super) fn capital(level: Level) -> String {
    match level {
        Level::At(n) => format!("Level {n}"),
        Level::Fallback => "The fallback".to_owned(),
        Level::News(_) => "Who has it".to_owned(),
    }
}

pub(super) fn names(contacts: &[Contact]) -> String {
    contacts.iter().map(Contact::to_string).collect::<Vec<_>>().join(", ")
}

/// Somebody who is to be alerted, and how that went.
pub(super) struct Told {
    pub(super) contact: String,
    pub(super) level: String,
    pub(super) round: u32,
    pub(super) status: &'static str,
    /// A class of the style: `good`, `bad` or `waiting`.
    pub(super) mood: &'static str,
    pub(super) at: Option<Moment>,
    /// What the carrier said last, unless it took the alert.
    pub(super) detail: Option<String>,
    pub(super) attempts: u32,
}

impl From<&Delivery> for Told {
    fn from(delivery: &Delivery) -> Self {
        let is_news = matches!(delivery.key().level, Level::News(_));
        let (status, mood, at) = match delivery.status() {
            DeliveryStatus::Pending { due_at } if is_news => ("will be told", "waiting", Some(due_at)),
            DeliveryStatus::Pending { due_at } => ("will be alerted", "waiting", Some(due_at)),
            DeliveryStatus::InFlight { .. } if is_news => ("is being told", "waiting", None),
            DeliveryStatus::InFlight { .. } => ("is being alerted", "waiting", None),
            DeliveryStatus::Accepted { at } if is_news => ("told", "good", Some(at)),
            DeliveryStatus::Accepted { at } => ("alerted", "good", Some(at)),
            DeliveryStatus::Dead { at } => ("cannot be reached", "bad", Some(at)),
            DeliveryStatus::Stopped { at } => ("no longer needed", "quiet", Some(at)),
        };
        let last = delivery.last().filter(|last| !last.detail.is_empty() && mood != "good");
        Self {
            contact: delivery.contact().to_string(),
            level: capital(delivery.key().level),
            round: delivery.key().round,
            status,
            mood,
            at: at.map(Moment::clock),
            detail: last.map(|last| last.detail.clone()),
            attempts: delivery.attempts(),
        }
    }
}
