//! Reads and checks the roster of the config file.

use std::time::Duration;

use chrono::NaiveDate;
use inresponse_core::InvalidInput;
use inresponse_core::model::{Contact, ServiceName, Severity, TeamName};
use inresponse_core::roster::{Rota, Target, Team, Zone};

use super::file::{FileDay, FileRoster, FileTeam};
use super::rename;

/// The roster entries that the server creates if they are missing.
#[derive(Debug, Default)]
pub(crate) struct RosterSeed {
    pub(crate) teams: Vec<SeededTeam>,
    pub(crate) services: Vec<(ServiceName, TeamName)>,
}

/// A configured team with its calendar.
#[derive(Debug)]
pub(crate) struct SeededTeam {
    pub(crate) name: TeamName,
    pub(crate) settings: Team,
    pub(crate) calendar: Vec<(NaiveDate, Rota)>,
}

impl RosterSeed {
    pub(super) fn check(file: Option<FileRoster>, invalid: &mut InvalidInput) -> Self {
        let Some(file) = file else { return Self::default() };
        let names: Vec<String> = file.teams.keys().cloned().collect();
        let teams = file.teams.into_iter().filter_map(|(name, given)| team(&name, given, invalid)).collect();
        let mut services = Vec::new();
        for (service, owner) in file.services {
            let key = format!("roster.services.{service}");
            if !names.contains(&owner) {
                invalid.push(key.clone(), format!("there is no team `{owner}` in this file"));
                continue;
            }
            let service = invalid.keep(ServiceName::new(&service).map_err(|e| rename(&e, &key)));
            let owner = invalid.keep(TeamName::new(&owner).map_err(|e| rename(&e, &key)));
            services.extend(service.zip(owner));
        }
        Self { teams, services }
    }
}

fn team(name: &str, given: FileTeam, invalid: &mut InvalidInput) -> Option<SeededTeam> {
    let key = format!("roster.teams.{name}");
    let team_name = invalid.keep(TeamName::new(name).map_err(|e| rename(&e, &key)));
    let fallback = targets(&format!("{key}.fallback"), given.fallback, invalid);
    let mut builder = Team::builder(fallback.clone().unwrap_or_default());
    if let Some(zone) = &given.timezone {
        let zone = Zone::new(zone).map_err(|e| rename(&e, &format!("{key}.timezone")));
        builder = invalid.keep(zone).into_iter().fold(builder, |b, zone| b.timezone(zone));
    }
    if let Some(seconds) = given.escalate_after_seconds {
        builder = builder.escalate_after(Duration::from_secs(seconds));
    }
    if let Some(rounds) = given.repeat {
        builder = builder.repeat(rounds);
    }
    for (severity, levels) in given.alert_levels {
        match severity.parse::<Severity>() {
            Ok(severity) => builder = builder.alert_levels(severity, levels),
            Err(_) => invalid.push(format!("{key}.alert-levels.{severity}"), "must be CRIT, ERR or WARN"),
        }
    }
    let calendar = given.calendar.into_iter().filter_map(|(day, given)| {
        let key = format!("{key}.calendar.{day}");
        let rota = rota(&key, given, invalid)?;
        match day.parse::<NaiveDate>() {
            Ok(day) => Some((day, rota)),
            Err(_) => {
                invalid.push(key, "must be a day like 2026-12-31");
                None
            }
        }
    });
    let calendar = calendar.collect();
    let settings = match fallback {
        Some(_) => invalid.keep(builder.build().map_err(|e| e.under(&key))),
        None => None,
    };
    Some(SeededTeam { name: team_name?, settings: settings?, calendar })
}

fn rota(key: &str, given: FileDay, invalid: &mut InvalidInput) -> Option<Rota> {
    let oncall = targets(&format!("{key}.oncall"), given.oncall.into_vec(), invalid);
    let levels = given.escalation.into_levels().into_iter().enumerate();
    let escalation: Option<Vec<_>> =
        levels.map(|(i, level)| targets(&format!("{key}.escalation[{i}]"), level, invalid)).collect();
    invalid.keep(Rota::new(oncall?, escalation?).map_err(|e| e.under(key)))
}

/// The targets of a list; `None` if one is invalid.
fn targets(key: &str, given: Vec<String>, invalid: &mut InvalidInput) -> Option<Vec<Target>> {
    let target = |(i, text): (usize, String)| {
        invalid.keep(text.parse::<Target>().map_err(|e| rename(&e, &format!("{key}[{i}]"))))
    };
    let targets: Vec<Option<Target>> = given.into_iter().enumerate().map(target).collect();
    targets.into_iter().collect()
}

/// The contacts of a list; `None` if one is invalid.
pub(super) fn contacts(key: &str, given: Vec<String>, invalid: &mut InvalidInput) -> Option<Vec<Contact>> {
    let contact = |(i, text): (usize, String)| {
        invalid.keep(Contact::new(text).map_err(|e| rename(&e, &format!("{key}[{i}]"))))
    };
    let contacts: Vec<Option<Contact>> = given.into_iter().enumerate().map(contact).collect();
    contacts.into_iter().collect()
}
