//! Converts services, teams and calendars to and from the API's types.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use inresponse_api::{self as api, Change, Contacts, Day, DayEntry, Levels, OnCall, TeamSettings};
use inresponse_core::InvalidInput;
use inresponse_core::engine;
use inresponse_core::model::{Contact, Level, Severity, TeamName};
use inresponse_core::roster::{RosterChange, Rota, Team, Zone};

/// A contact with the name of its field, so that an error can name it.
pub(crate) type Named = (String, Contact);

/// Reads contacts; errors are named `field[i]`, or `field` for a single one.
fn read(field: &str, contacts: &Contacts, invalid: &mut InvalidInput) -> Vec<Named> {
    let name = |i: usize| match contacts {
        Contacts::One(_) => field.to_owned(),
        Contacts::Many(_) => format!("{field}[{i}]"),
    };
    let mut read = Vec::new();
    for (i, text) in contacts.texts().iter().enumerate() {
        match Contact::new(text) {
            Ok(contact) => read.push((name(i), contact)),
            Err(error) => error.errors().iter().for_each(|e| invalid.push(name(i), e.message())),
        }
    }
    read
}

/// Converts a team's settings from a request.
pub(crate) fn settings(given: TeamSettings) -> Result<(Team, Vec<Named>), InvalidInput> {
    let mut invalid = InvalidInput::default();
    let fallback = match &given.fallback {
        Some(contacts) => read("fallback", contacts, &mut invalid),
        None => Vec::new(),
    };
    let refused_contacts = !invalid.is_empty();
    let mut team = Team::builder(fallback.iter().map(|(_, contact)| contact.clone()).collect());
    if let Some(zone) = given.timezone.and_then(|name| invalid.keep(Zone::new(&name))) {
        team = team.timezone(zone);
    }
    if let Some(seconds) = given.escalate_after_seconds {
        team = team.escalate_after(Duration::from_secs(seconds));
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
    match team.build() {
        Ok(team) if invalid.is_empty() => Ok((team, fallback)),
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

/// Converts a team for an answer.
pub(crate) fn team(name: &TeamName, team: &Team) -> api::Team {
    api::Team {
        team: name.to_string(),
        timezone: team.timezone().name().to_owned(),
        escalate_after_seconds: team.escalate_after().as_secs(),
        fallback: texts(team.fallback()),
        repeat: team.repeat(),
        alert_levels: team.alert_levels().iter().map(|(s, l)| (s.to_string(), l.clone())).collect(),
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
    let bare = |level: &Vec<Named>| level.iter().map(|(_, contact)| contact.clone()).collect::<Vec<_>>();
    let rota = invalid.keep(Rota::new(bare(&oncall), escalation.iter().map(bare).collect()));
    match rota {
        Some(rota) if invalid.is_empty() => {
            Ok((rota, oncall.into_iter().chain(escalation.into_iter().flatten()).collect()))
        }
        _ => Err(invalid),
    }
}

/// Converts a day of a calendar for an answer.
pub(crate) fn day(team: &TeamName, day: NaiveDate, rota: &Rota) -> Day {
    Day {
        team: team.to_string(),
        day,
        oncall: texts(rota.oncall()),
        escalation: rota.escalation().iter().map(|level| texts(level)).collect(),
    }
}

/// Converts the people on call for an answer.
pub(crate) fn on_call(team: &TeamName, at: DateTime<Utc>, on_call: &engine::OnCall) -> OnCall {
    let level = |n| texts(on_call.matrix.contacts(Level::At(n)));
    OnCall {
        team: team.to_string(),
        at,
        day: on_call.day,
        oncall: level(1),
        levels: (1..=on_call.matrix.height()).map(level).collect(),
        fallback: texts(on_call.matrix.contacts(Level::Fallback)),
    }
}

/// Converts a change of the roster for an answer.
pub(crate) fn change(change: &RosterChange) -> Change {
    Change { at: change.at(), by: change.by().to_string(), what: change.description() }
}

fn texts(contacts: &[Contact]) -> Vec<String> {
    contacts.iter().map(Contact::to_string).collect()
}
