//! The command `inresponse roster export`: writes the roster of a server as a file.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use inresponse_client::{
    DayEntry, HeartbeatEntry, OverrideEntry, PersonEntry, Rule, RuleStep, ScheduleEntry, SilenceEntry,
    TeamLevel, TeamSettings, Time,
};
use inresponse_core::model::{OwnerName, PersonId, TeamName};
use inresponse_core::roster::{CANARY, Entry, EntryKey};

use super::connect::Connect;
use super::held::{Held, shortest, shortest_levels};
use super::{Failure, output};
use crate::config::{
    FileDay, FileHeartbeat, FileLevel, FileOverride, FilePerson, FileRoster, FileRule, FileSchedule,
    FileSilence, FileStep, FileTeam, Given, matcher_text,
};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// One team, its services, and the people whom it names
    #[arg(long)]
    team: Option<String>,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn export(args: ExportArgs) -> Result<(), Failure> {
    let client = args.connect.client()?;
    let mut held = Held::read(&client).await?;
    let team = args.team.as_deref().map(TeamName::new).transpose();
    let team = team.map_err(|e| Failure::Given(e.to_string()))?;
    if let Some(team) = team.as_ref().filter(|team| !held.teams().contains(*team)) {
        return Err(Failure::Refused(format!("there is no team `{team}`")));
    }
    let teams = team.as_ref().map_or_else(|| held.teams().clone(), |team| [team.clone()].into());
    held.read_calendars(&client, teams).await?;
    let Written { roster, notes } = written(&held, team.as_ref());
    if args.connect.json {
        output::json(&File { roster })?;
    } else {
        let text = toml::to_string(&File { roster });
        let text = text.map_err(|e| Failure::Refused(format!("the roster cannot be written: {e}")))?;
        let comments: String = notes.iter().map(|note| format!("# {}\n", output::line(note))).collect();
        output::say(format!("{comments}{text}").trim_end())?;
    }
    for note in &notes {
        output::warn(note)?;
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct File {
    roster: FileRoster,
}

/// The text of a file, and the notes about what it cannot contain.
struct Written {
    roster: FileRoster,
    notes: Vec<String>,
}

fn written(held: &Held, team: Option<&TeamName>) -> Written {
    let chosen = chosen(held, team);
    let mut roster = FileRoster::default();
    let mut notes = Vec::new();
    let owners: BTreeSet<Option<&OwnerName>> = chosen.iter().map(|(_, entry, _)| entry.owner()).collect();
    let named: Vec<String> = owners.iter().flatten().map(ToString::to_string).collect();
    match (owners.len(), named.as_slice()) {
        (1, [owner]) => roster.owner = Some(owner.clone()),
        (_, []) => {}
        (_, owners) => notes.push(format!(
            "These entries have different owners ({}). A file has one, so this one has none: importing it takes the \
             owners away.",
            owners.join(", ")
        )),
    }
    let mut is_masked = false;
    for (key, _, given) in &chosen {
        match (key, given) {
            (EntryKey::Person(person), Given::Person(entry)) => {
                roster.people.insert(person.to_string(), file_person(entry.clone()));
            }
            (EntryKey::Team(team), Given::Team(settings)) => {
                with_settings(roster.teams.entry(team.to_string()).or_default(), settings.clone());
            }
            (EntryKey::Day(team, day), Given::Day(entry)) => {
                let team = roster.teams.entry(team.to_string()).or_default();
                team.calendar.insert(day.to_string(), file_day(entry));
            }
            (EntryKey::Schedule(team, name), Given::Schedule(entry)) => {
                is_masked |= entry.feeds.as_ref().is_some_and(|feeds| !feeds.is_empty());
                let team = roster.teams.entry(team.to_string()).or_default();
                with_schedule(team.schedules.entry(name.to_string()).or_default(), entry.clone());
            }
            (EntryKey::Silence(id), Given::Silence(entry)) => {
                roster.silences.insert(id.to_string(), file_silence(entry.clone()));
            }
            (EntryKey::Override(team, schedule, id), Given::Override(entry)) => {
                let team = roster.teams.entry(team.to_string()).or_default();
                let schedule = team.schedules.entry(schedule.to_string()).or_default();
                schedule.overrides.insert(id.to_string(), file_override(entry.clone()));
            }
            (EntryKey::Routes, Given::Routes(entry)) => {
                roster.routes = entry.rules.iter().flatten().cloned().map(file_rule).collect();
            }
            (EntryKey::Heartbeat(name), Given::Heartbeat(entry)) => {
                roster.heartbeats.extend(file_heartbeat(entry).map(|given| (name.to_string(), given)));
            }
            (_, _) => {}
        }
    }
    // A team that only owns a service has no place in a file.
    for (key, entry, _) in &chosen {
        if let (EntryKey::Service(service), Entry::Service { team, .. }) = (key, entry) {
            if roster.teams.contains_key(team.as_str()) {
                roster.services.insert(service.to_string(), team.to_string());
            } else {
                notes.push(format!("The service {service} is left out: its team {team} has no settings."));
            }
        }
    }
    if is_masked {
        notes.push(
            "The URLs of calendar feeds are masked, since they are secrets. Importing a masked URL keeps the feed \
             that the server has; for another server, write the whole URL."
                .to_owned(),
        );
    }
    Written { roster, notes }
}

type Chosen<'a> = Vec<(&'a EntryKey, &'a Entry, &'a Given)>;

/// The entries to write: all except the canary's, or those of one team with the people whom it names.
fn chosen<'a>(held: &'a Held, team: Option<&TeamName>) -> Chosen<'a> {
    let owner = |entry: &Entry| match entry {
        Entry::Service { team, .. } => Some(team.clone()),
        _ => entry.key().team().cloned(),
    };
    let is_chosen = |entry: &Entry| match (owner(entry), team) {
        (Some(of), Some(team)) => of == *team,
        (Some(of), None) => of.as_str() != CANARY,
        (None, _) => team.is_none(),
    };
    let mut chosen: Chosen<'_> = held.entries().filter(|(_, entry, _)| is_chosen(entry)).collect();
    if team.is_some() {
        let named: BTreeSet<PersonId> = chosen
            .iter()
            .flat_map(|(_, entry, _)| entry.named())
            .filter_map(|key| match key {
                EntryKey::Person(person) => Some(person),
                _ => None,
            })
            .collect();
        let is_named = |key: &EntryKey| matches!(key, EntryKey::Person(person) if named.contains(person));
        chosen.extend(held.entries().filter(|(key, _, _)| is_named(key)));
        let services: BTreeSet<&EntryKey> = chosen.iter().map(|(key, _, _)| *key).collect();
        let of_a_service = |(key, entry, _): &(&EntryKey, &Entry, &Given)| {
            matches!(key, EntryKey::Heartbeat(_)) && entry.uses().iter().any(|used| services.contains(used))
        };
        let heartbeats: Vec<_> = held.entries().filter(of_a_service).collect();
        chosen.extend(heartbeats);
    }
    chosen
}

fn file_person(person: PersonEntry) -> FilePerson {
    let step = |step: RuleStep| FileStep { after_seconds: step.after_seconds, methods: step.methods };
    let rules = person.rules.unwrap_or_default().into_iter();
    let rules: BTreeMap<_, _> =
        rules.map(|(rule, steps)| (rule, steps.into_iter().map(step).collect())).collect();
    FilePerson {
        name: person.name,
        timezone: person.timezone,
        methods: person.methods.unwrap_or_default(),
        rules,
        absences: person.absences.unwrap_or_default(),
        day_ahead_notice: person.day_ahead_notice.filter(|asked| *asked),
        status_updates: person.status_updates,
        weekly_test: person.weekly_test.filter(|asked| *asked),
    }
}

fn with_settings(team: &mut FileTeam, settings: TeamSettings) {
    let level =
        |level: TeamLevel| FileLevel { notify: shortest(&level.notify), wait_seconds: level.wait_seconds };
    team.timezone = settings.timezone;
    team.escalate_after_seconds = settings.escalate_after_seconds;
    team.fallback = settings.fallback.map(|fallback| fallback.texts().to_vec());
    team.repeat = settings.repeat.filter(|repeat| *repeat > 0);
    team.alert_levels = settings.alert_levels.unwrap_or_default();
    team.levels = settings.levels.unwrap_or_default().into_iter().map(level).collect();
    team.claim_timeout_seconds = settings.claim_timeout_seconds;
    team.alert_hours = settings.alert_hours.unwrap_or_default();
    team.shift_notices = settings.shift_notices;
}

fn file_day(day: &DayEntry) -> FileDay {
    let nobody = inresponse_client::Contacts::Many(Vec::new());
    let none = inresponse_client::Levels::Many(Vec::new());
    FileDay {
        oncall: shortest(day.oncall.as_ref().unwrap_or(&nobody)),
        escalation: shortest_levels(day.escalation.as_ref().unwrap_or(&none)),
    }
}

fn with_schedule(schedule: &mut FileSchedule, entry: ScheduleEntry) {
    schedule.timezone = entry.timezone;
    schedule.layers = entry.layers.unwrap_or_default();
    schedule.feeds = entry.feeds.unwrap_or_default();
}

fn file_heartbeat(entry: &HeartbeatEntry) -> Option<FileHeartbeat> {
    Some(FileHeartbeat {
        service: entry.service.clone()?,
        severity: entry.severity.clone()?,
        every_seconds: entry.every_seconds?,
        grace_seconds: entry.grace_seconds.filter(|grace| *grace > 0),
        title: entry.title.clone(),
    })
}

fn file_silence(entry: SilenceEntry) -> FileSilence {
    let text = |time: Time| match time {
        Time::Text(text) => text,
        Time::Seconds(seconds) => seconds.to_string(),
    };
    FileSilence {
        matchers: entry.matchers.unwrap_or_default().iter().map(matcher_text).collect(),
        from: entry.from.map(text).unwrap_or_default(),
        to: entry.to.map(text).unwrap_or_default(),
        weekly: entry.weekly,
        comment: entry.comment,
    }
}

fn file_rule(rule: Rule) -> FileRule {
    FileRule {
        name: rule.name,
        matchers: rule.matchers.iter().map(matcher_text).collect(),
        team: rule.team,
        severity: rule.severity,
        record_only: rule.record_only,
        heartbeat: rule.heartbeat,
    }
}

fn file_override(entry: OverrideEntry) -> FileOverride {
    FileOverride {
        from: entry.from,
        to: entry.to,
        oncall: shortest(&entry.oncall),
        instead_of: entry.instead_of.as_ref().map(shortest),
        note: entry.note,
    }
}
