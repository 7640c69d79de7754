//! The text of short messages: what chats, pushes and calls say of an incident.

use chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, Incident, Level, Purpose, Signature, State, StatusUpdates};
use inresponse_core::notify::{Alert, Occasion};
use inresponse_core::plan::{self, ClaimOver, Upcoming};
use inresponse_core::text::{duration, visible};

/// The number of upcoming levels that a message shows.
const UPCOMING: usize = 3;

/// The first line of a message, which must be enough by itself.
pub fn head(alert: &Alert) -> String {
    let incident = alert.incident();
    let (severity, number) = (incident.severity(), incident.number());
    let what = format!("[{severity}] #{number} {}: {}", incident.service(), incident.title());
    let by = |signature: Option<&Signature>| signature.map_or_else(String::new, |s| format!(" by {}", s.by));
    match alert.occasion() {
        Occasion::Alert => what,
        Occasion::CalledIn => format!("{}: {what}", called_in(alert)),
        Occasion::Claimed => format!("Claimed{}: {what}", by(incident.claimed())),
        Occasion::Handed => format!("Handed to you: {what}"),
        Occasion::ClaimEnds => format!("Your claim ends{}: {what}", ends_at(alert)),
        Occasion::Resolved => format!("Resolved{}: {what}", by(incident.resolved())),
        Occasion::Notice => incident.title().to_owned(),
    }
}

/// Who called the contact in, and who has the incident.
pub fn called_in(alert: &Alert) -> String {
    let caller = alert.called_by().map_or("Somebody", |by| by.as_str());
    match alert.incident().claimed().filter(|_| alert.incident().state() == State::Claimed) {
        Some(claimed) => format!("{caller} called you in; {} has it", claimed.by),
        None => format!("{caller} called you in; nobody has it yet"),
    }
}

/// The link with which the contact can claim the incident, and the link's text.
pub fn claim(alert: &Alert) -> Option<(&'static str, &str)> {
    let word = match alert.occasion() {
        Occasion::Alert => "Claim it",
        Occasion::CalledIn => "I'm on it",
        Occasion::Claimed => "Take over",
        Occasion::Handed => "Confirm that you have it",
        Occasion::ClaimEnds => "Keep it",
        Occasion::Resolved | Occasion::Notice => return None,
    };
    Some((word, alert.claim_url()?))
}

/// Whether the incident's message is shown: it has one, and the reader does not know it yet.
pub fn tells_what_happened(alert: &Alert) -> bool {
    let is_unknown = match alert.occasion() {
        Occasion::Alert | Occasion::CalledIn | Occasion::Handed | Occasion::Notice => true,
        Occasion::Claimed | Occasion::ClaimEnds | Occasion::Resolved => false,
    };
    is_unknown && !alert.incident().message().trim().is_empty()
}

/// The team and the recipients, in one or more lines.
pub fn context(alert: &Alert) -> String {
    let incident = alert.incident();
    if alert.as_notice().is_some() {
        return "notice about the roster".to_owned();
    }
    let purpose = match alert.purpose() {
        Purpose::Alert(Level::At(n)) => format!("level {n}"),
        Purpose::Alert(Level::Fallback) => "fallback".to_owned(),
        Purpose::CallIn(_) => "called in".to_owned(),
        Purpose::StatusUpdate(_) => "status update".to_owned(),
    };
    let time = |at: DateTime<Utc>| {
        let local = incident.matrix().zone().local(at);
        format!("{} {}", local.clock().format("%Y-%m-%d %H:%M:%S"), local.zone())
    };
    let mut text =
        format!("team {} · {purpose} · detected {}", incident.team(), time(incident.detected_at()));
    match (alert.count(), alert.round()) {
        (1, 1) => {}
        (count, round) => text.push_str(&format!(" · reported {count} times · round {round}")),
    }
    if alert.occasion() == Occasion::Handed
        && let Some(at) = plan::answer_by(incident)
    {
        text.push_str(&format!("\nanswer by {}, or the alerts begin again", time(at)));
    }
    if let Some(at) = alert.claim_ends_at() {
        text.push_str(&format!(
            "\nyour claim ends at {}, then the alerts begin again: snooze it to keep it",
            time(at)
        ));
    }
    if alert.occasion() == Occasion::Alert
        && let Some(over) = plan::round_began_after(incident)
    {
        text.push_str(&format!("\n{}", claim_over(&over, &time(over.at))));
    }
    for next in alert.upcoming().iter().take(UPCOMING) {
        text.push_str("\nunless claimed: ");
        text.push_str(&match next {
            Upcoming::Level { at, contacts, .. } => {
                format!("{} at {}", names(incident, contacts.iter()), time(*at))
            }
            Upcoming::Step { at, contacts, .. } => {
                format!("{} at {}", names(incident, contacts.iter().copied()), time(*at))
            }
            Upcoming::Round { round, at } => {
                format!("round {round} at {}: the people on call then", time(*at))
            }
        });
    }
    text
}

/// The time of the end of the contact's claim, as the first line tells it.
fn ends_at(alert: &Alert) -> String {
    let zone = alert.incident().matrix().zone();
    alert.claim_ends_at().map_or_else(String::new, |at| {
        let local = zone.local(at);
        format!(" at {} {}", local.clock().format("%H:%M"), local.zone())
    })
}

/// That a claim ended, which is why there is an alert again.
fn claim_over(over: &ClaimOver<'_>, at: &str) -> String {
    let after = over.lasted.map_or_else(String::new, |time| format!(" after {}", duration(time)));
    format!("the claim of {} ended at {at}{after}", over.by)
}

/// The people, and addresses of nobody known. All but mail addresses are masked: a topic or a URL is a secret, and others
/// read the message.
fn names<'a>(incident: &Incident, contacts: impl Iterator<Item = &'a Contact>) -> String {
    let recipients = incident.matrix().recipients();
    let is_known = |contact: &Contact| recipients.iter().any(|one| one.contact == *contact);
    let name = |contact: &Contact| match contact.scheme() {
        "mailto" => incident.shown(contact),
        _ if is_known(contact) => incident.shown(contact),
        _ => contact.masked(),
    };
    contacts.map(name).collect::<Vec<_>>().join(", ")
}

/// The beginning of a text with a weight of at most `most`, with invisible characters made visible, and an ellipsis if
/// the text was cut.
pub fn cut(text: &str, most: usize, weigh: impl Fn(char) -> usize) -> String {
    let text = &*visible(text);
    if text.chars().map(&weigh).sum::<usize>() <= most {
        return text.to_owned();
    }
    let mut weight = weigh('…');
    let fits = |c: &char| {
        weight += weigh(*c);
        weight <= most
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Whether a message is sent if there is none to change or withdraw: not for a status update in a deployment where
/// [status updates](inresponse_core::model::Matrix::status_updates_at) are off, or to a person who has switched them off.
pub fn is_told(alert: &Alert) -> bool {
    match alert.occasion() {
        Occasion::Alert | Occasion::CalledIn | Occasion::Handed | Occasion::ClaimEnds | Occasion::Notice => {
            true
        }
        Occasion::Claimed | Occasion::Resolved => {
            alert.incident().matrix().status_updates_at(alert.contact()) == StatusUpdates::On
        }
    }
}

/// A message of a carrier as one line of at most 200 bytes, for the reason of an outcome.
pub fn reason(text: &str) -> String {
    let line: Vec<&str> = visible_words(text).collect();
    let line = line.join(" ");
    line[..line.floor_char_boundary(200)].to_owned()
}

fn visible_words(text: &str) -> impl Iterator<Item = &str> {
    let begin = &text[..text.floor_char_boundary(1024)];
    begin.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
}
