//! The content of the mail's texts.

use askama::Template;
use chrono::{DateTime, Utc};
use inresponse_core::model::{
    Contact, Delivery, DeliveryStatus, Event, Incident, Level, Purpose, Severity, Signature, State, Zone,
};
use inresponse_core::notify::{Alert, Occasion};
use inresponse_core::plan::{self, Upcoming};
use inresponse_core::text::{duration, visible};

/// The plain text of an alert.
#[derive(Template)]
#[template(path = "alert.txt")]
pub(crate) struct Text<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The HTML of an alert.
#[derive(Template)]
#[template(path = "alert.html")]
pub(crate) struct Html<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The plain text of a status update: somebody has the incident, or it is resolved.
#[derive(Template)]
#[template(path = "status_update.txt")]
pub(crate) struct StatusUpdateText<'a> {
    pub(crate) view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "status_update.html")]
pub(crate) struct StatusUpdateHtml<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The plain text for a person who was handed the incident and must answer.
#[derive(Template)]
#[template(path = "handed.txt")]
pub(crate) struct HandedText<'a> {
    pub(crate) view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "handed.html")]
pub(crate) struct HandedHtml<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The plain text for a claimant whose claim ends soon.
#[derive(Template)]
#[template(path = "claim_ends.txt")]
pub(crate) struct ClaimEndsText<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The plain text for a person who is called in.
#[derive(Template)]
#[template(path = "called_in.txt")]
pub(crate) struct CalledInText<'a> {
    pub(crate) view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "claim_ends.html")]
pub(crate) struct ClaimEndsHtml<'a> {
    pub(crate) view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "called_in.html")]
pub(crate) struct CalledInHtml<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The plain text of a notice about the roster.
#[derive(Template)]
#[template(path = "notice.txt")]
pub(crate) struct NoticeText<'a> {
    pub(crate) view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "notice.html")]
pub(crate) struct NoticeHtml<'a> {
    pub(crate) view: &'a View<'a>,
}

/// The content that all texts share.
pub(crate) struct View<'a> {
    alert: &'a Alert,
    pub(crate) detected: String,
    pub(crate) reported: String,
    pub(crate) others: String,
    pub(crate) before: Vec<Line>,
    pub(crate) upcoming: Vec<Line>,
    /// Who has it or resolved it, and since when; empty in an alert.
    pub(crate) happened: String,
    pub(crate) happened_at: String,
    /// By when the contact must answer.
    pub(crate) answer_by: Option<String>,
    /// That a claim ended, which is why there is an alert again.
    pub(crate) again: Option<String>,
}

/// A line about somebody who was alerted or will be.
pub(crate) struct Line {
    pub(crate) at: String,
    /// The time without seconds, and without the day if it is the day of the report, for a narrow screen.
    pub(crate) at_short: String,
    pub(crate) who: String,
}

impl Line {
    fn new(incident: &Incident, at: DateTime<Utc>, level: Option<Level>, who: String) -> Self {
        let zone = incident.matrix().zone();
        let (local, reported) = (zone.local(at), zone.local(incident.created_at()));
        let is_same_day = local.clock().date() == reported.clock().date();
        let format = if is_same_day { "%H:%M" } else { "%-d %b %H:%M" };
        let who = if level == Some(Level::Fallback) { format!("{who} (fallback)") } else { who };
        let at_short = format!("{} {}", local.clock().format(format), local.zone());
        Self { at: time(zone, at), at_short, who }
    }

    fn upcoming(incident: &Incident, next: &Upcoming<'_>) -> Self {
        match next {
            Upcoming::Level { level, at, contacts } => {
                Self::new(incident, *at, Some(*level), names(incident, contacts.iter()))
            }
            Upcoming::Step { level, at, contacts } => {
                Self::new(incident, *at, Some(*level), names(incident, contacts.iter().copied()))
            }
            Upcoming::Round { round, at } => {
                Self::new(incident, *at, None, format!("Round {round}: the people on call then"))
            }
        }
    }
}

impl<'a> View<'a> {
    pub(crate) fn new(alert: &'a Alert) -> Self {
        let incident = alert.incident();
        let zone = incident.matrix().zone();
        Self {
            alert,
            detected: with_utc(zone, incident.detected_at()),
            reported: with_utc(zone, incident.created_at()),
            others: names(incident, alert.others()),
            before: before(alert),
            upcoming: alert.upcoming().iter().map(|next| Line::upcoming(incident, next)).collect(),
            happened: happened(alert),
            happened_at: match alert.occasion() {
                Occasion::Alert | Occasion::Notice => None,
                Occasion::CalledIn | Occasion::Claimed | Occasion::Handed | Occasion::ClaimEnds => {
                    incident.claimed()
                }
                Occasion::Resolved => incident.resolved(),
            }
            .map(|signature| time(zone, signature.at))
            .unwrap_or_default(),
            answer_by: plan::answer_by(incident).map(|at| time(zone, at)),
            again: plan::round_began_after(incident).map(|over| {
                let after = over.lasted.map_or_else(String::new, |time| format!(" after {}", duration(time)));
                format!("The claim of {} ended at {}{after}", over.by, time(zone, over.at))
            }),
        }
    }

    /// The subject. The subject of an alert is the same in every round. In other mails the event comes first, because a
    /// locked screen shows little more than the subject. The headers keep the thread together.
    pub(crate) fn subject(&self) -> String {
        let incident = self.alert.incident();
        let (severity, number) = (incident.severity(), incident.number());
        let (service, title) = (incident.service(), incident.title());
        let by =
            |signature: Option<&Signature>| signature.map_or("somebody".to_owned(), |s| s.by.to_string());
        let happened = match (self.alert.occasion(), last_claim(incident)) {
            (Occasion::Notice, _) => return visible(title).into_owned(),
            (Occasion::Alert, _) => {
                return visible(&format!("[{severity}] #{number} {service}: {title}")).into_owned();
            }
            (Occasion::CalledIn, _) => format!("Called in by {}", caller(self.alert)),
            (Occasion::Resolved, _) => format!("Resolved by {}", by(incident.resolved())),
            (Occasion::ClaimEnds, _) => {
                let zone = incident.matrix().zone();
                let at = self.alert.claim_ends_at().map(|at| zone.local(at));
                at.map_or_else(String::new, |at| {
                    format!("Your claim ends at {} {}", at.clock().format("%H:%M"), at.zone())
                })
            }
            (Occasion::Handed, Some(Event::HandedOver { by, .. })) => format!("Handed to you by {by}"),
            (Occasion::Handed, _) => "Handed to you".to_owned(),
            (Occasion::Claimed, Some(Event::HandedOver { by, to, .. })) => format!("Handed to {to} by {by}"),
            (Occasion::Claimed, _) => format!("Claimed by {}", by(incident.claimed())),
        };
        visible(&format!("{happened}: {severity} {service}: {title} (#{number})")).into_owned()
    }

    pub(crate) fn severity(&self) -> &'static str {
        self.alert.incident().severity().as_str()
    }

    pub(crate) fn severity_colour(&self) -> &'static str {
        colour(self.alert.incident().severity())
    }

    /// The shape of the severity, for readers who cannot distinguish the colours: a triangle, a diamond, a circle.
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
        if let Some(notice) = self.alert.as_notice() {
            return &notice.message;
        }
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

    /// The facts about the incident, or those of a notice, as the HTML lists them.
    pub(crate) fn facts(&self) -> Vec<(&str, String)> {
        if let Some(notice) = self.alert.as_notice() {
            return notice.facts.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        }
        let times =
            if self.count() > 1 { format!(", reported {} times", self.count()) } else { String::new() };
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

    /// The link with which another person can take the incident over.
    pub(crate) fn take_over_url(&self) -> Option<&str> {
        let is_theirs = self.alert.incident().holder_at(self.alert.contact()).is_some();
        self.claim_url().filter(|_| self.alert.occasion() == Occasion::Claimed && !is_theirs)
    }

    /// Whether the message has several lines, which a monospaced font shows unchanged.
    pub(crate) fn has_lines(&self) -> bool {
        self.message().contains('\n')
    }

    /// Whether the message has columns. Columns are not wrapped, even if they are wider than the screen. Prose is
    /// wrapped.
    pub(crate) fn has_columns(&self) -> bool {
        self.message().contains("  ") || self.message().contains('\t')
    }

    pub(crate) fn is_alert(&self) -> bool {
        self.alert.occasion() == Occasion::Alert
    }

    /// The colour of the bar at the top of the mail.
    pub(crate) fn bar_colour(&self) -> &'static str {
        match self.alert.occasion() {
            Occasion::Alert | Occasion::CalledIn => self.severity_colour(),
            Occasion::Claimed | Occasion::Handed | Occasion::ClaimEnds | Occasion::Notice => "#0b57d0",
            Occasion::Resolved => "#146c2e",
        }
    }

    pub(crate) fn board_url(&self) -> Option<&str> {
        self.alert.board_url()
    }

    pub(crate) fn level(&self) -> String {
        match self.alert.purpose() {
            Purpose::Alert(Level::At(n)) => format!("level {n}"),
            Purpose::Alert(Level::Fallback) => "fallback".to_owned(),
            Purpose::CallIn(_) => "called in".to_owned(),
            Purpose::StatusUpdate(_) => "status update".to_owned(),
        }
    }

    /// The reason why the recipient gets the mail.
    pub(crate) fn role(&self) -> String {
        match self.alert.purpose() {
            Purpose::Alert(Level::At(n)) => format!("You are alerted at level {n}"),
            Purpose::Alert(Level::Fallback) => "You are the fallback contact".to_owned(),
            Purpose::CallIn(_) => format!("{} called you in", caller(self.alert)),
            Purpose::StatusUpdate(_) => "You get this status update".to_owned(),
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

/// The colour of a severity: dark enough for white letters, on light and on dark ground.
pub(crate) fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Crit => "#b3261e",
        Severity::Err => "#a04a00",
        Severity::Warn => "#6b5900",
    }
}

/// The person who called the recipient in.
fn caller(alert: &Alert) -> &str {
    alert.called_by().map_or("Somebody", |by| by.as_str())
}

/// One sentence: who has it, resolved it, or called the recipient in.
fn happened(alert: &Alert) -> String {
    let incident = alert.incident();
    let is_theirs = incident.holder_at(alert.contact()).is_some();
    match alert.occasion() {
        Occasion::Alert | Occasion::Notice => String::new(),
        Occasion::CalledIn => {
            let claimed = incident.claimed().filter(|_| incident.state() == State::Claimed);
            let holder = claimed.map_or("nobody", |claimed| claimed.by.as_str());
            format!("{} called you in; {holder} has it", caller(alert))
        }
        Occasion::Claimed | Occasion::Handed => match last_claim(incident) {
            Some(Event::HandedOver { by, .. }) if is_theirs => format!("{by} handed the incident to you"),
            Some(Event::HandedOver { by, to, .. }) => format!("{by} handed the incident to {to}"),
            Some(_) | None => format!("{} has it", incident.claimed().map_or("Somebody", |c| c.by.as_str())),
        },
        Occasion::ClaimEnds => {
            let zone = incident.matrix().zone();
            let at = alert.claim_ends_at().map_or_else(String::new, |at| format!(" at {}", time(zone, at)));
            format!("Your claim ends{at}")
        }
        Occasion::Resolved => {
            format!("{} resolved it", incident.resolved().map_or("Somebody", |r| r.by.as_str()))
        }
    }
}

/// The event by which the claimant got the incident.
fn last_claim(incident: &Incident) -> Option<&Event> {
    let events = incident.timeline().entries().iter().rev().map(|entry| &entry.event);
    events.into_iter().find(|event| matches!(event, Event::Claimed { .. } | Event::HandedOver { .. }))
}

/// The levels of this round that came before this one, with the result for each contact.
fn before(alert: &Alert) -> Vec<Line> {
    let incident = alert.incident();
    plan::turns(incident)
        .iter()
        .take_while(|turn| Purpose::Alert(turn.level) != alert.purpose())
        .filter(|turn| !turn.deliveries.is_empty())
        .map(|turn| {
            // Of a step that is still to come nothing is known.
            let begun = turn.deliveries.iter().filter(|delivery| !delivery.is_later_step());
            let who = begun.map(|delivery| told(incident, delivery)).collect::<Vec<_>>().join(", ");
            Line::new(incident, turn.at, Some(turn.level), who)
        })
        .collect()
}

fn told(incident: &Incident, delivery: &Delivery) -> String {
    let contact = incident.shown(delivery.contact());
    let reason = delivery.last().map(|last| last.detail.as_str()).filter(|reason| !reason.is_empty());
    let why = |what: &str| match reason {
        Some(reason) => format!("{contact} {what}: {reason}"),
        None => format!("{contact} {what}"),
    };
    match delivery.status() {
        DeliveryStatus::Accepted { .. } => format!("{contact} was alerted"),
        DeliveryStatus::Dead { .. } => why("could not be reached"),
        DeliveryStatus::Limited { .. } => why("was held back by a limit"),
        DeliveryStatus::Stopped { .. } => why("was not reached"),
        DeliveryStatus::Pending { .. } | DeliveryStatus::InFlight { .. } => why("has not been reached yet"),
    }
}

fn time(zone: &Zone, at: DateTime<Utc>) -> String {
    let local = zone.local(at);
    format!("{} {}", local.clock().format("%Y-%m-%d %H:%M:%S"), local.zone())
}

/// A time with UTC beside it.
fn with_utc(zone: &Zone, at: DateTime<Utc>) -> String {
    let local = zone.local(at);
    if local.clock() == at.naive_utc() {
        return time(zone, at);
    }
    let format =
        if local.clock().date() == at.date_naive() { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
    format!("{} ({})", time(zone, at), at.format(format))
}

fn names<'a>(incident: &Incident, contacts: impl Iterator<Item = &'a Contact>) -> String {
    contacts.map(|contact| incident.shown(contact)).collect::<Vec<_>>().join(", ")
}
