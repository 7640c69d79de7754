//! Changes of the roster in words.

use std::sync::Arc;

use chrono::NaiveDate;

use super::{Rota, Team};
use crate::model::{Contact, ServiceName, TeamName};

/// What was there before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before<T> {
    /// Nothing.
    Absent,
    /// This.
    Was(T),
    /// Something that could not be read.
    Unknown,
}

impl<T> Before<T> {
    /// In words.
    fn told(&self, absent: &str, was: impl FnOnce(&T) -> String) -> String {
        match self {
            Before::Absent => absent.to_owned(),
            Before::Was(it) => was(it),
            Before::Unknown => "unknown".to_owned(),
        }
    }
}

/// A service was given to a team.
pub fn service(service: &ServiceName, team: &TeamName, before: &Before<TeamName>) -> String {
    let before = before.told("nobody", TeamName::to_string);
    format!("service {service}: team {team}, before {before}")
}

/// A service was deleted.
pub fn service_deleted(service: &ServiceName, before: &Before<TeamName>) -> String {
    let before = before.told("nobody", |team| format!("team {team}"));
    format!("service {service}: deleted, before {before}")
}

/// A team was given settings: all of them, or those that are others than before.
pub fn team(team: &TeamName, now: &Team, before: &Before<Arc<Team>>) -> String {
    let settings = settings(now);
    let what: Vec<String> = match before {
        Before::Was(was) => {
            let changed = settings.into_iter().zip(self::settings(was)).filter(|(now, was)| now != was);
            changed.map(|((name, now), (_, was))| format!("{name} {now}, before {was}")).collect()
        }
        Before::Absent | Before::Unknown => {
            let before = before.told("no settings", |_| String::new());
            let all = settings.into_iter().map(|(name, now)| format!("{name} {now}"));
            all.chain([format!("before {before}")]).collect()
        }
    };
    format!("team {team}: {}", what.join("; "))
}

/// A team was deleted with its calendar.
pub fn team_deleted(team: &TeamName) -> String {
    format!("team {team}: deleted")
}

/// A team was to be deleted, and is not since it owns a service.
pub fn team_kept(team: &TeamName, owns: &ServiceName) -> String {
    format!("team {team}: not deleted, since it owns service {owns}")
}

/// A day of a calendar was given an entry.
pub fn day(team: &TeamName, day: NaiveDate, now: &Rota, before: &Before<Arc<Rota>>) -> String {
    let before = before.told("nobody", |rota| levels(rota));
    format!("calendar of {team} on {day}: {}, before {before}", levels(now))
}

/// A day of a calendar was deleted.
pub fn day_deleted(team: &TeamName, day: NaiveDate, before: &Before<Arc<Rota>>) -> String {
    let before = before.told("nobody", |rota| levels(rota));
    format!("calendar of {team} on {day}: deleted, before {before}")
}

fn settings(team: &Team) -> [(&'static str, String); 5] {
    let levels = |levels: &Vec<u16>| match &**levels {
        [] => "nobody".to_owned(),
        levels => levels.iter().map(u16::to_string).collect::<Vec<_>>().join(" "),
    };
    let alerting = team.alert_levels().iter().map(|(severity, of)| format!("{severity} {}", levels(of)));
    let alerting: Vec<_> = alerting.collect();
    [
        ("timezone", team.timezone().name().to_owned()),
        ("wait", format!("{} s", team.escalate_after().as_secs_f64())),
        ("fallback", together(team.fallback())),
        ("repeat", team.repeat().to_string()),
        ("alert levels", if alerting.is_empty() { "all".to_owned() } else { alerting.join(", ") }),
    ]
}

/// Level after level, as a file that is imported has them.
fn levels(rota: &Rota) -> String {
    let levels = [rota.oncall()].into_iter().chain(rota.escalation().iter().map(Vec::as_slice));
    levels.map(together).collect::<Vec<_>>().join("; ")
}

fn together(contacts: &[Contact]) -> String {
    match contacts {
        [] => "nobody".to_owned(),
        contacts => contacts.iter().map(Contact::to_string).collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;
    use crate::roster::Zone;
    use std::time::Duration;

    fn contacts(names: &[&str]) -> Vec<Contact> {
        names.iter().map(|name| Contact::new(format!("{name}@example.org")).unwrap()).collect()
    }

    #[test]
    fn services_and_days_are_told_with_what_was_before() {
        let (athens, devops) = (ServiceName::new("athens").unwrap(), TeamName::new("devops").unwrap());
        let ops = Before::Was(TeamName::new("ops").unwrap());
        assert_eq!(service(&athens, &devops, &ops), "service athens: team devops, before ops");
        assert_eq!(
            service(&athens, &devops, &Before::Unknown),
            "service athens: team devops, before unknown"
        );
        assert_eq!(service_deleted(&athens, &ops), "service athens: deleted, before team ops");

        let eve: NaiveDate = "2026-12-24".parse().unwrap();
        let rota = |oncall, then| Rota::new(contacts(oncall), vec![contacts(then)]).unwrap();
        let now = rota(&["jo"], &["kim"]);
        let told = "calendar of devops on 2026-12-24: jo@example.org; kim@example.org, before nobody";
        assert_eq!(day(&devops, eve, &now, &Before::Absent), told);
        let before = Before::Was(Arc::new(rota(&[], &["lee", "max"])));
        let told =
            "calendar of devops on 2026-12-24: deleted, before nobody; lee@example.org max@example.org";
        assert_eq!(day_deleted(&devops, eve, &before), told);
    }

    #[test]
    fn of_a_team_only_what_changed_is_told() {
        let devops = TeamName::new("devops").unwrap();
        let first = Team::builder(contacts(&["ops"])).build().unwrap();
        let all = "timezone UTC; wait 600 s; fallback ops@example.org; repeat 0; alert levels all";
        let told = format!("team devops: {all}; before no settings");
        assert_eq!(team(&devops, &first, &Before::Absent), told);
        let second = Team::builder(contacts(&["ops", "boss"]))
            .timezone(Zone::new("Europe/Athens").unwrap())
            .escalate_after(Duration::from_millis(1_500))
            .repeat(1)
            .alert_levels(Severity::Warn, Vec::new())
            .alert_levels(Severity::Crit, vec![1, 2]);
        let told = team(&devops, &second.build().unwrap(), &Before::Was(Arc::new(first.clone())));
        for part in [
            "timezone Europe/Athens, before UTC; wait 1.5 s, before 600 s",
            "fallback ops@example.org boss@example.org, before ops@example.org; repeat 1, before 0",
            "CRIT 1 2",
            "WARN nobody",
            ", before all",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        let later = Team::builder(contacts(&["ops"])).repeat(2).build().unwrap();
        let told = team(&devops, &later, &Before::Was(Arc::new(first)));
        assert_eq!(told, "team devops: repeat 2, before 0");
    }
}
