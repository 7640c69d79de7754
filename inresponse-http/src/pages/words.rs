//! The texts of the pages for times, timelines and deliveries.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use inresponse_core::model::{
    Contact, Delivery, DeliveryStatus, Event, Ignored, Incident, KeyName, Level, OutcomeKind, Purpose,
    QuietWhy, Routed, StandIn, State as IncidentState, TeamChange, Zone,
};
use inresponse_core::plan::{self, Follows, Happened, Reached, Upcoming};

/// An instant as HTML, in the team's local time. The script shows ages, and the reader's own time as a hint.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    at: DateTime<Utc>,
    zone: Zone,
    shown: Shown,
}

/// The format of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The time since the instant.
    Age,
    /// Day and time of the instant.
    Clock,
    /// Day and time of the instant, with UTC beside it.
    WithUtc,
}

impl Moment {
    /// Formats an instant as the time since then.
    pub(super) fn age(zone: &Zone, at: DateTime<Utc>) -> Self {
        Self { at, zone: zone.clone(), shown: Shown::Age }
    }

    /// Formats an instant as day and time.
    pub(super) fn clock(zone: &Zone, at: DateTime<Utc>) -> Self {
        Self { at, zone: zone.clone(), shown: Shown::Clock }
    }

    /// Formats an instant as day and time, with UTC beside it.
    pub(super) fn with_utc(zone: &Zone, at: DateTime<Utc>) -> Self {
        Self { at, zone: zone.clone(), shown: Shown::WithUtc }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let local = self.zone.local(self.at);
        let shown_as = if self.shown == Shown::Age { "age" } else { "clock" };
        write!(f, "<time datetime=\"{machine}\" data-as=\"{shown_as}\">")?;
        write!(f, "{} {}</time>", local.clock().format("%-d %b %Y, %H:%M:%S"), local.zone())?;
        if self.shown == Shown::WithUtc && local.clock() != self.at.naive_utc() {
            let is_same_day = local.clock().date() == self.at.date_naive();
            let format = if is_same_day { "%H:%M:%S UTC" } else { "%-d %b %Y, %H:%M:%S UTC" };
            write!(f, " <span class=\"quiet\">({})</span>", self.at.format(format))?;
        }
        Ok(())
    }
}

/// A line of the timeline.
pub(super) struct Line {
    pub(super) at: Moment,
    pub(super) text: String,
    /// The text of a note.
    pub(super) note: Option<String>,
}

impl Line {
    pub(super) fn new(incident: &Incident, happened: &Happened<'_>) -> Self {
        let zone = incident.matrix().zone();
        let note = match &happened.entry.event {
            Event::Noted { note, .. } => Some(note.as_str().to_owned()),
            _ => None,
        };
        let key = happened.entry.key.as_ref();
        let text = match (key.map(KeyName::as_str), key.and_then(KeyName::as_channel)) {
            (_, Some(channel)) => format!("{}, over {channel}", told(incident, happened)),
            (Some(KeyName::LINK), _) => format!("{}, with the link in an alert", told(incident, happened)),
            (Some(key), None) => format!("{}, with the key {key}", told(incident, happened)),
            (None, None) => told(incident, happened),
        };
        Self { at: Moment::clock(zone, happened.entry.at), text, note }
    }
}

/// Until when nobody is alerted, and why.
pub(super) fn quiet(incident: &Incident, until: DateTime<Utc>, why: &[QuietWhy]) -> String {
    let why: Vec<String> = why.iter().map(quiet_why).collect();
    let local = incident.matrix().zone().local(until);
    let until = local.clock().format("%Y-%m-%d %H:%M");
    format!("Nobody is alerted until {until} {}: {}", local.zone(), why.join(", "))
}

/// What a routing rule decided.
pub(super) fn routed(routed: &Routed) -> String {
    let rule = &routed.rule;
    match &routed.ignored {
        Some(Ignored::UnknownTeam(team)) => {
            return format!("Routing rule {rule} has no effect, because there is no team {team}");
        }
        Some(Ignored::NoPing(heartbeat)) => {
            return format!(
                "Routing rule {rule} has no effect, because this is no ping of heartbeat {heartbeat}"
            );
        }
        None => {}
    }
    let severity = |severity| match routed.reported {
        Some(reported) => format!("makes it {severity}, reported as {reported}"),
        None => format!("makes it {severity}"),
    };
    let parts = [
        routed.team.as_ref().map(|team| format!("gives it to team {team}")),
        routed.severity.map(severity),
        routed.record_only.then(|| "only records it, so nobody is alerted".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let does = if parts.is_empty() { "leaves it as it is".to_owned() } else { parts.join(", ") };
    format!("Routing rule {rule} {does}")
}

fn quiet_why(why: &QuietWhy) -> String {
    match why {
        QuietWhy::Silence(id) => format!("silence {id}"),
        QuietWhy::AlertHours { team, severity } => format!("outside the hours of team {team} for {severity}"),
    }
}

fn told(incident: &Incident, happened: &Happened<'_>) -> String {
    let and_then = |what: String| match happened.follows {
        Follows::TheNextAtOnce => format!("{what}, so the next level was due at once"),
        Follows::Nothing | Follows::Reached(_) => what,
    };
    match &happened.entry.event {
        Event::Opened { severity } => format!("Reported as {severity}"),
        Event::RoundBegan { round } => format!("Round {round} of the alerts began"),
        Event::LevelBegan { level, contacts, .. } => {
            format!("Alerting {}: {}", level_name(*level), names(incident, contacts))
        }
        Event::LevelBeganAgain { level, .. } => {
            format!("{} began again, because the process that alerted it died", capital(*level))
        }
        Event::LevelEmpty { level, .. } => and_then(format!("{} has nobody", capital(*level))),
        Event::LevelDead { level, .. } => and_then(format!("{} could not be reached", capital(*level))),
        Event::AlertsCut { alerts: 1, .. } => {
            "One alert was left out, because the round has too many".to_owned()
        }
        Event::AlertsCut { alerts, .. } => {
            format!("{alerts} alerts were left out, because the round has too many")
        }
        Event::HeldBack { level, contact, .. } => format!(
            "A limit of this deployment held back the alert to {} of {}",
            incident.shown(contact),
            level_name(*level)
        ),
        Event::Unclaimed => match happened.follows {
            Follows::Reached(Reached::NobodyYet) => {
                "Every level had its turn, and nobody had been reached".to_owned()
            }
            Follows::Reached(who) => reached(who).to_owned(),
            Follows::Nothing | Follows::TheNextAtOnce => "Nobody was left to alert".to_owned(),
        },
        Event::Claimed { by, from: Some(from) } => format!("{by} took the incident over from {from}"),
        Event::Claimed { by, from: None } => format!("{by} claimed it"),
        Event::HandedOver { by, to, .. } => format!("{by} handed the incident to {to}"),
        Event::HandoverUnconfirmed { to } => format!("{to} could not be notified of the hand-over"),
        Event::HandoverUnanswered { to } => {
            format!("{to} did not answer in time, so the incident is open again")
        }
        Event::HandedToTeam { by, from, to } => {
            format!("{by} handed the incident from team {from} to team {to}")
        }
        Event::TeamChanged { from, to, why: TeamChange::OwnsService } => {
            format!("Moved from team {from} to team {to}, which now owns the service")
        }
        Event::TeamChanged { from, to, why: TeamChange::HandedTo } => {
            format!("Moved from team {from} back to team {to}, to which it was handed")
        }
        Event::TeamChanged { from, to, why: TeamChange::Routed } => {
            format!("Moved from team {from} to team {to} by a routing rule")
        }
        Event::TeamChanged { from, to, why: TeamChange::CatchAll } => {
            format!("Moved from team {from} to the catch-all team {to}: the team that should have it is gone")
        }
        Event::TeamGone { team, alerted: StandIn::DeploymentFallback } => {
            format!("Team {team} is gone: the deployment's fallback is alerted")
        }
        Event::TeamGone { team, alerted: StandIn::LastRound } => {
            format!(
                "Team {team} is gone, and nobody takes its place: the people of the last round are alerted"
            )
        }
        Event::Routed(by) => routed(by),
        Event::Unrouted => {
            "No routing rule matched the last report, so the team of the service is alerted".to_owned()
        }
        Event::BecameQuiet { until, why } => quiet(incident, *until, why),
        Event::QuietEnded => "Quiet ended, so the people on call are alerted".to_owned(),
        Event::ClaimEnded { by } => {
            let after = happened
                .claim_lasted()
                .map_or_else(String::new, |time| format!(" after {}", inresponse_core::text::duration(time)));
            format!("The claim of {by} ended{after}, so the incident is open again")
        }
        Event::Snoozed { by, seconds } => {
            format!("{by} set the claim to end after {}", duration(*seconds))
        }
        Event::CalledIn { by, people, .. } => {
            let people: Vec<_> = people.iter().map(ToString::to_string).collect();
            format!("{by} called in {}", people.join(", "))
        }
        Event::Responded { by } => format!("{by} is on it too"),
        Event::Escalated { by } => format!("{by} escalated it"),
        Event::Released { by } => format!("{by} released it"),
        Event::Resolved { by } => format!("{by} resolved it"),
        Event::SeverityChanged { from, to, by: Some(by) } => {
            format!("{by} changed the severity from {from} to {to}")
        }
        Event::SeverityChanged { from, to, by: None } => {
            format!("A report raised the severity from {from} to {to}")
        }
        Event::ReportedLower { severity } => format!("Reported again as {severity}"),
        Event::Noted { by, .. } => format!("Note by {by}"),
        Event::ClockWentBack { seconds } => format!("The clock went back by {seconds} seconds"),
        Event::Folded { entries, .. } => format!("{entries} older entries, no longer listed one by one"),
        Event::Unknown(event) => format!("{}: unknown to this version of InResponse", event.name()),
        _ => "Something else happened".to_owned(),
    }
}

/// A time in the largest unit that divides it.
fn duration(seconds: u64) -> String {
    match seconds {
        3600.. if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        60.. if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// Describes who was reached once every level had its turn.
fn reached(reached: Reached) -> &'static str {
    match reached {
        Reached::Everybody => "Everybody was alerted, and nobody claimed it",
        Reached::Somebody => "Not everybody was reached, and nobody claimed it",
        Reached::NobodyYet => "Nobody has been reached yet",
        Reached::Nobody => "Nobody could be reached",
    }
}

/// A problem of the alerting itself (promise 12) or of a hand-over (promise 22).
pub(super) fn trouble(incident: &Incident) -> Option<String> {
    if let Some(who) = plan::reached(incident) {
        return Some(reached(who).to_owned());
    }
    let handover = incident.handover().filter(|_| incident.state() == IncidentState::Claimed)?;
    let (_, holder) = (handover.unconfirmed_at?, incident.claimed()?);
    Some(format!("{} could not be notified of the hand-over", holder.by))
}

/// The next alerts, unless somebody claims the incident.
pub(super) fn upcoming(incident: &Incident) -> Vec<(Moment, String)> {
    let zone = incident.matrix().zone();
    let line = |next: &Upcoming<'_>| match next {
        Upcoming::Level { level, at, contacts } => {
            (Moment::clock(zone, *at), format!("{}: {}", capital(*level), names(incident, contacts)))
        }
        Upcoming::Step { level, at, contacts } => {
            let names: Vec<_> = contacts.iter().map(|contact| incident.shown(contact)).collect();
            (Moment::clock(zone, *at), format!("{}, by their rules: {}", capital(*level), names.join(", ")))
        }
        Upcoming::Round { round, at } => {
            (Moment::clock(zone, *at), format!("Round {round}: the people on call then"))
        }
    };
    plan::outlook(incident).iter().map(line).collect()
}

fn level_name(level: Level) -> String {
    match level {
        Level::At(n) => format!("level {n}"),
        Level::Fallback => "the fallback".to_owned(),
    }
}

/// The name of a level at the beginning of a sentence.
pub(super) fn capital(level: Level) -> String {
    match level {
        Level::At(n) => format!("Level {n}"),
        Level::Fallback => "The fallback".to_owned(),
    }
}

fn names(incident: &Incident, contacts: &[Contact]) -> String {
    contacts.iter().map(|contact| incident.shown(contact)).collect::<Vec<_>>().join(", ")
}

/// A recipient, and the state of the delivery to them.
pub(super) struct Told {
    pub(super) contact: String,
    pub(super) level: String,
    pub(super) round: u32,
    pub(super) status: &'static str,
    /// The style class: `good`, `bad` or `waiting`.
    pub(super) mood: &'static str,
    pub(super) at: Option<Moment>,
    /// The carrier's last answer, unless it accepted the alert.
    pub(super) detail: Option<String>,
    pub(super) attempts: u32,
}

/// The words for a recipient before, during and after the send.
struct Words {
    before: &'static str,
    during: &'static str,
    after: &'static str,
}

impl Words {
    fn of(incident: &Incident, delivery: &Delivery) -> Self {
        if !delivery.is_status_update() {
            return Self { before: "will be alerted", during: "is being alerted", after: "alerted" };
        }
        if delivery.announces().is_some() {
            return Self {
                before: "will be told that the claim ends",
                during: "is being told that the claim ends",
                after: "told that the claim ends",
            };
        }
        // A round keeps only its latest status updates, and no round follows a resolution.
        let is_resolution =
            incident.state() == IncidentState::Resolved && delivery.key().round == incident.round();
        if is_resolution {
            Self {
                before: "will be notified of the resolution",
                during: "is being notified of the resolution",
                after: "notified of the resolution",
            }
        } else {
            Self {
                before: "will be notified of the claim",
                during: "is being notified of the claim",
                after: "notified of the claim",
            }
        }
    }
}

impl Told {
    pub(super) fn new(incident: &Incident, delivery: &Delivery) -> Self {
        let zone = incident.matrix().zone();
        let words = Words::of(incident, delivery);
        let was_tried = delivery.last().is_some();
        let was_held_back = delivery.last().is_some_and(|last| last.kind == OutcomeKind::Limited);
        let (status, mood, at) = match delivery.status() {
            DeliveryStatus::Pending { due_at } if was_held_back => {
                ("held back by a limit until it allows the message", "waiting", Some(due_at))
            }
            DeliveryStatus::Pending { due_at } if was_tried && !delivery.is_status_update() => {
                ("has not been reached yet", "waiting", Some(due_at))
            }
            DeliveryStatus::Pending { due_at } => (words.before, "waiting", Some(due_at)),
            DeliveryStatus::InFlight { .. } => (words.during, "waiting", None),
            DeliveryStatus::Accepted { at } => (words.after, "good", Some(at)),
            DeliveryStatus::Dead { at } => ("could not be reached", "bad", Some(at)),
            DeliveryStatus::Limited { at } => ("held back by a limit", "quiet", Some(at)),
            DeliveryStatus::Stopped { at } => ("no longer needed", "quiet", Some(at)),
        };
        let last = delivery.last().filter(|last| !last.detail.is_empty() && mood != "good");
        Self {
            contact: incident.shown(delivery.contact()),
            level: match delivery.key().purpose {
                Purpose::Alert(level) => capital(level),
                Purpose::CallIn(_) => "Called in".to_owned(),
                Purpose::StatusUpdate(_) => "Status update".to_owned(),
            },
            round: delivery.key().round,
            status,
            mood,
            at: at.map(|at| Moment::clock(zone, at)),
            detail: last.map(|last| last.detail.clone()),
            attempts: delivery.attempts(),
        }
    }
}

/// The recipients of this round so far: those who were called in, then the latest level first.
pub(super) fn alerted(incident: &Incident) -> Vec<Told> {
    let turns = plan::turns(incident).into_iter().rev();
    let round = incident.round();
    let calls = incident.deliveries().iter().rev();
    let calls = calls.filter(|d| d.key().round == round && d.key().purpose.is_call_in());
    calls.chain(turns.flat_map(|turn| turn.deliveries)).map(|d| Told::new(incident, d)).collect()
}
