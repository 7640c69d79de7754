//! Names, teams and calendar entries for the laws.

use std::time::Duration;

use chrono::NaiveDate;
use inresponse_core::model::{Contact, Severity, TeamName};
use inresponse_core::roster::{Entry, EntryKey, RosterEdit, Rota, Team, TeamLevel, Zone};

pub(super) use crate::scene::{contact, service};

pub(super) fn team(name: &str) -> TeamName {
    TeamName::new(name).unwrap()
}

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Small settings with the fallback `name`.
pub(super) fn settings(name: &str) -> Team {
    Team::builder(vec![contact(name)]).build().unwrap()
}

/// A calendar entry with `name` on call.
pub(super) fn rota(name: &str) -> Rota {
    Rota::new(vec![contact(name)], Vec::new()).unwrap()
}

/// Settings of every kind.
pub(super) fn all_settings() -> Vec<Team> {
    let of = |text: &str| Contact::new(text).unwrap();
    let many: Vec<_> = (0..20).map(|i| contact(&format!("person.{i}+tag"))).collect();
    let full = Team::builder(vec![
        of("Jo@Example.ORG"),
        of("https://chat.example/Hook?x=Y&z=%20"),
        of("sms:+30210"),
    ])
    .timezone(Zone::new("America/Argentina/ComodRivadavia").unwrap())
    .escalate_after(Duration::from_millis(1_500))
    .levels(vec![
        TeamLevel { notify: vec![contact("jo").into(), of("sms:+30210").into()], wait: None },
        TeamLevel { notify: Vec::new(), wait: Some(Duration::from_secs(90)) },
    ])
    .repeat(Team::MAX_REPEAT)
    .alert_levels(Severity::Crit, vec![1, 2, 3, 65_535])
    .alert_levels(Severity::Err, vec![2, 1])
    .alert_levels(Severity::Warn, Vec::new());
    [
        Team::builder(vec![of("müller@bücher.example")]),
        Team::builder(many).escalate_after(Team::MAX_WAIT),
        Team::builder(vec![contact("a")])
            .timezone(Zone::new("Europe/Athens").unwrap())
            .escalate_after(Duration::from_secs(1)),
        full,
    ]
    .map(|builder| builder.build().unwrap())
    .into()
}

/// Calendar entries of every kind.
pub(super) fn all_rotas() -> Vec<Rota> {
    let of = |names: &[&str]| names.iter().map(|name| contact(name)).collect::<Vec<_>>();
    let many = (0..18).map(|i| of(&[&format!("level.{i}")])).collect();
    [
        (of(&["jo"]), vec![]),
        (of(&["jo", "ann"]), vec![of(&["boss"]), of(&["cto", "ceo"])]),
        // Empty levels are skipped when the time comes, and are kept until then.
        (vec![], vec![]),
        (vec![], vec![vec![], of(&["boss"]), vec![]]),
        (of(&["jo", "jo"]), vec![of(&["jo"])]),
        (vec![Contact::new("sms:+30210").unwrap()], many),
    ]
    .map(|(oncall, escalation)| Rota::new(oncall, escalation).unwrap())
    .into()
}

/// Names that are easily confused with each other, or with something that is not a name.
pub(super) fn odd_names() -> Vec<String> {
    let long = "x".repeat(TeamName::MAX_BYTES - 1);
    let names = [
        "athens",
        "Athens",
        "ATHENS",
        "athens ops",
        "athens/ops",
        "athens%2Fops",
        "athens%",
        "athens_",
        "athens#",
        "athens|2",
        "../athens",
        "a b  c",
        "'; DROP TABLE services; --",
        "\"athens\"",
        "null",
        "0",
        "Αθήνα",
        "αθήνα",
        "日本 🚒",
        "caf\u{e9}",
        "cafe\u{301}",
        "*",
        "?",
        ".",
        "\\",
    ];
    names.map(str::to_owned).into_iter().chain([format!("{long}a"), format!("{long}b")]).collect()
}

pub(super) fn service_of(name: &str, owner: &str) -> Entry {
    Entry::service(&service(name), &team(owner))
}

pub(super) fn settings_for(name: &str, settings: Team) -> Entry {
    Entry::team(&team(name), settings)
}

pub(super) fn day_of(name: &str, date: &str, rota: Rota) -> Entry {
    Entry::day(&team(name), day(date), rota)
}

pub(super) fn put(entry: &Entry) -> RosterEdit {
    RosterEdit::Put(entry.clone())
}

pub(super) fn delete(entry: &Entry) -> RosterEdit {
    RosterEdit::Delete(entry.key())
}

/// The deletion of a team.
pub(super) fn no_team(name: &str) -> RosterEdit {
    RosterEdit::Delete(EntryKey::Team(team(name)))
}

/// Two different entries for one key, for each kind.
pub(super) fn pairs() -> [[Entry; 2]; 3] {
    [
        ["ops", "platform"].map(|owner| service_of("athens", owner)),
        ["jo", "ann"].map(|name| settings_for("devops", settings(name))),
        ["jo", "ann"].map(|name| day_of("devops/eu", "2026-03-29", rota(name))),
    ]
}
