//! Converts services, teams and calendars to and from the API's types.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_api::{self as api, Change, Contacts, Day, DayEntry, Levels, OnCall, TeamSettings};
use inresponse_core::InvalidInput;
use inresponse_core::engine;
use inresponse_core::model::{Contact, Level, Matrix, OwnerName, ServiceName, Severity, TeamName};
use inresponse_core::roster::{Entry, RosterChange, Rota, ShiftNotices, Target, Team, TeamLevel, Zone};

use super::field::{at, owner};
use super::hours;

/// A target with the name of its field, so that an error can name it.
pub(crate) type Named = (String, Target);

/// Reads targets; errors are named `field[i]`, or `field` for a single one.
pub(super) fn read(field: &str, targets: &Contacts, invalid: &mut InvalidInput) -> Vec<Named> {
    let name = |i: usize| match targets {
        Contacts::One(_) => field.to_owned(),
        Contacts::Many(_) => format!("{field}[{i}]"),
    };
    let mut read = Vec::new();
    for (i, text) in targets.texts().iter().enumerate() {
        match text.parse::<Target>() {
            Ok(target) => read.push((name(i), target)),
            Err(error) => error.errors().iter().for_each(|e| invalid.push(name(i), e.message())),
        }
    }
    read
}

/// The targets without the names of their fields.
pub(super) fn bare(named: &[Named]) -> Vec<Target> {
    named.iter().map(|(_, target)| target.clone()).collect()
}

/// Converts a service from a request.
pub(crate) fn service(service: &ServiceName, given: api::Owner) -> Result<Entry, InvalidInput> {
    let mut invalid = InvalidInput::default();
    let team = match given.team {
        Some(team) => invalid.keep(TeamName::new(team)),
        None => {
            invalid.push("team", "is missing");
            None
        }
    };
    let owner = invalid.keep(owner(given.owner));
    match (team, owner) {
        (Some(team), Some(owner)) => Ok(Entry::service(service, &team).owned_by(owner)),
        (_, _) => Err(invalid),
    }
}

/// Converts a service into the API's type. `None` for another kind of entry.
pub(crate) fn service_of(entry: &Entry) -> Option<api::Service> {
    match entry {
        Entry::Service { service, team, owner } => Some(api::Service {
            service: service.to_string(),
            team: team.to_string(),
            owner: owner.as_ref().map(OwnerName::to_string),
        }),
        Entry::Team { .. }
        | Entry::Day { .. }
        | Entry::Person { .. }
        | Entry::Schedule { .. }
        | Entry::Override { .. }
        | Entry::Feed { .. }
        | Entry::Heartbeat { .. }
        | Entry::Silence { .. }
        | Entry::Routes(_) => None,
    }
}

/// Converts a team's settings from a request.
pub(crate) fn settings(given: TeamSettings) -> Result<(Team, Vec<Named>), InvalidInput> {
    let mut invalid = InvalidInput::default();
    let fallback = match &given.fallback {
        Some(contacts) => read("fallback", contacts, &mut invalid),
        None => Vec::new(),
    };
    let refused_contacts = !invalid.is_empty();
    let owner = invalid.keep(owner(given.owner));
    let mut named = fallback.clone();
    let mut team = Team::builder(bare(&fallback));
    if let Some(zone) = given.timezone.and_then(|name| invalid.keep(Zone::new(&name))) {
        team = team.timezone(zone);
    }
    if let Some(seconds) = given.escalate_after_seconds {
        team = team.escalate_after(Duration::from_secs(seconds));
    }
    if let Some(seconds) = given.claim_timeout_seconds {
        team = team.claim_timeout(Duration::from_secs(seconds));
    }
    if let Some(rounds) = given.repeat {
        team = team.repeat(rounds);
    }
    for (severity, levels) in given.alert_levels.unwrap_or_default() {
        match severity.parse::<Severity>() {
            Ok(severity) => team = team.alert_levels(severity, levels),
            Err(_) => invalid.push(format!("alertLevels.{severity}"), "must be CRIT, ERR or WARN"),
        }
    }
    for (severity, given) in given.alert_hours.unwrap_or_default() {
        let field = format!("alertHours.{severity}");
        let read = |(i, one)| hours::weekly_hours(&format!("{field}[{i}]"), one, &mut invalid);
        let hours: Vec<_> = given.iter().enumerate().map(read).collect();
        match (severity.parse::<Severity>(), hours.into_iter().collect()) {
            (Ok(severity), Some(hours)) => team = team.alert_hours(severity, hours),
            (Ok(_), None) => {}
            (Err(_), _) => invalid.push(field, "must be CRIT, ERR or WARN"),
        }
    }
    let mut levels = Vec::new();
    for (i, level) in given.levels.iter().flatten().enumerate() {
        let notify = read(&format!("levels[{i}].notify"), &level.notify, &mut invalid);
        levels.push(TeamLevel { notify: bare(&notify), wait: level.wait_seconds.map(Duration::from_secs) });
        named.extend(notify);
    }
    team = team.levels(levels);
    if let Some(notices) = given.shift_notices {
        let contact = |text| at("shiftNotices.channel", Contact::new(text));
        let channel = notices.channel.and_then(|text| invalid.keep(contact(text)));
        let target = channel.clone().map(Target::Contact);
        named.extend(target.map(|target| ("shiftNotices.channel".to_owned(), target)));
        team = team.shift_notices(ShiftNotices { channel });
    }
    match team.build() {
        Ok(team) if invalid.is_empty() => Ok((team.owned_by(owner.flatten()), named)),
        Ok(_) => Err(invalid),
        Err(error) => {
            // A contact that was refused is not also a missing one.
            for e in error.errors().iter().filter(|e| !(refused_contacts && e.field() == "fallback")) {
                invalid.push(e.field().to_owned(), e.message());
            }
            Err(invalid)
        }
    }
}

/// Converts a team into the API's type.
pub(crate) fn team(name: &TeamName, team: &Team) -> api::Team {
    api::Team {
        team: name.to_string(),
        timezone: team.timezone().name().to_owned(),
        escalate_after_seconds: team.escalate_after().as_secs(),
        fallback: texts(team.fallback()),
        repeat: team.repeat(),
        alert_levels: team.alert_levels().iter().map(|(s, l)| (s.to_string(), l.clone())).collect(),
        levels: team.levels().iter().map(level).collect(),
        claim_timeout_seconds: team.claim_timeout().map(|timeout| timeout.as_secs()),
        alert_hours: team
            .alert_hours()
            .iter()
            .map(|(severity, hours)| (severity.to_string(), hours.iter().map(hours::hours_of).collect()))
            .collect(),
        shift_notices: team
            .shift_notices()
            .map(|notices| api::ShiftNotices { channel: notices.channel.as_ref().map(Contact::to_string) }),
        owner: team.owner().map(OwnerName::to_string),
    }
}

fn level(level: &TeamLevel) -> api::TeamLevel {
    api::TeamLevel {
        notify: Contacts::Many(texts(&level.notify)),
        wait_seconds: level.wait.map(|wait| wait.as_secs()),
    }
}

/// Converts a calendar entry from a request.
pub(crate) fn rota(given: &DayEntry) -> Result<(Rota, Vec<Named>), InvalidInput> {
    let mut invalid = InvalidInput::default();
    let Some(oncall) = &given.oncall else { return Err(InvalidInput::field("oncall", "is missing")) };
    let oncall = read("oncall", oncall, &mut invalid);
    let escalation: Vec<Vec<Named>> = match &given.escalation {
        None => Vec::new(),
        Some(Levels::One(text)) => vec![read("escalation", &Contacts::One(text.clone()), &mut invalid)],
        Some(Levels::Many(levels)) => levels
            .iter()
            .enumerate()
            .map(|(i, level)| read(&format!("escalation[{i}]"), level, &mut invalid))
            .collect(),
    };
    let owner = invalid.keep(owner(given.owner.clone())).flatten();
    let levels = escalation.iter().map(|level| bare(level)).collect();
    let rota = invalid.keep(Rota::new(bare(&oncall), levels));
    match rota {
        Some(rota) if invalid.is_empty() => {
            Ok((rota.owned_by(owner), oncall.into_iter().chain(escalation.into_iter().flatten()).collect()))
        }
        _ => Err(invalid),
    }
}

/// Converts a calendar day into the API's type.
pub(crate) fn day(team: &TeamName, day: NaiveDate, rota: &Rota) -> Day {
    Day {
        team: team.to_string(),
        day,
        oncall: texts(rota.oncall()),
        escalation: rota.escalation().iter().map(|level| texts(level)).collect(),
        owner: rota.owner().map(OwnerName::to_string),
    }
}

/// Converts the people on call into the API's type.
pub(crate) fn on_call(team: &TeamName, at: DateTime<Utc>, on_call: &engine::OnCall) -> OnCall {
    let level = |n| people(&on_call.matrix, Level::At(n));
    OnCall {
        team: team.to_string(),
        at,
        day: on_call.day,
        oncall: level(1),
        levels: (1..=on_call.matrix.height()).map(level).collect(),
        fallback: people(&on_call.matrix, Level::Fallback),
    }
}

/// The people of a level, each once, and the contacts that belong to no person.
pub(crate) fn people(matrix: &Matrix, level: Level) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for contact in matrix.contacts(level) {
        let name = match matrix.recipient(level, contact) {
            Some(recipient) => format!("person:{}", recipient.person),
            None => contact.to_string(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Converts a change to the roster into the API's type.
pub(crate) fn change(change: &RosterChange) -> Change {
    Change { at: change.at(), by: change.by().to_string(), what: change.description() }
}

pub(super) fn texts(targets: &[Target]) -> Vec<String> {
    targets.iter().map(Target::to_string).collect()
}
