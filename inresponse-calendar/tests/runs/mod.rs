//! Who is on call in every schedule and team of a roster document, as spans.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use inresponse_core::model::{ScheduleName, TeamName, Zone};
use inresponse_core::roster::{Shift, Target, shifts};
use inresponse_core::testing::roster_document;
use serde_json::{Map, Value, json};

/// The longest span in which the same are on call.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    /// The kind and name of what it is of, such as `team web` or `schedule web/primary`.
    pub(crate) of: String,
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
    pub(crate) oncall: BTreeSet<String>,
}

/// The runs that the oracle printed, in order.
pub(crate) fn runs_of(lines: &[Value]) -> Vec<Run> {
    let run = |line: &Value| {
        let kind = if line["team"].is_null() { "schedule" } else { "team" };
        Run {
            of: format!("{kind} {}", line[kind].as_str().unwrap()),
            from: instant(&line["from"]),
            to: instant(&line["to"]),
            oncall: serde_json::from_value(line["oncall"].clone()).unwrap(),
        }
    };
    let mut runs: Vec<Run> = lines.iter().map(run).collect();
    runs.sort();
    runs
}

/// The runs of all schedules and teams of a document, as the core resolves them. Calendar files are found from that
/// folder.
pub(crate) fn runs(document: &Value, folder: &Path) -> Vec<Run> {
    let (from, to) = (instant(&document["from"]), instant(&document["to"]));
    let mut document = document.clone();
    let mut asked: Vec<(String, TeamName, ScheduleName)> = Vec::new();
    let mut probes = Map::new();
    for (team, body) in document["teams"].as_object_mut().unwrap() {
        for (schedule, body) in body["schedules"].as_object_mut().into_iter().flatten() {
            body["copies"] = copies(body, folder, from);
            let (team_name, name) = (TeamName::new(team).unwrap(), ScheduleName::new(schedule).unwrap());
            asked.push((format!("schedule {team}/{schedule}"), team_name, name));
        }
        // A schedule that always has the team on call says whom the team means.
        let probe = format!("p{}", probes.len());
        asked.push((
            format!("team {team}"),
            TeamName::new("probe").unwrap(),
            ScheduleName::new(&probe).unwrap(),
        ));
        let turn = json!({ "every": 1, "unit": "week" });
        let layer =
            json!({ "name": "a", "members": [format!("team:{team}")], "from": "1970-01-01", "turn": turn });
        probes.insert(probe, json!({ "layers": [layer] }));
    }
    document["teams"]["probe"] = json!({ "schedules": probes });
    let roster = roster_document(&document).unwrap();
    let mut runs = Vec::new();
    for (of, team, schedule) in asked {
        let directory = roster.directory(&team, NaiveDate::MIN, NaiveDate::MAX);
        merge(&mut runs, &of, shifts(&directory, &team, &schedule, from, to));
    }
    runs.sort();
    runs
}

fn merge(runs: &mut Vec<Run>, of: &str, shifts: Vec<Shift>) {
    for Shift { from, to, oncall, .. } in shifts {
        let oncall: BTreeSet<String> = oncall.into_iter().map(|who| said(&Target::from(who))).collect();
        match runs.last_mut() {
            Some(last) if last.of == of && last.oncall == oncall => {
                assert_eq!(last.to, from, "shifts tile time");
                last.to = to;
            }
            Some(_) | None => runs.push(Run { of: of.to_owned(), from, to, oncall }),
        }
    }
}

/// A target as the oracle writes it: an address has its scheme.
fn said(target: &Target) -> String {
    let text = target.to_string();
    if text.contains(':') { text } else { format!("mailto:{text}") }
}

/// The copies of a schedule's feeds, as they are kept of calendars fetched at that instant.
fn copies(schedule: &Value, folder: &Path, fetched_at: DateTime<Utc>) -> Value {
    let zone = Zone::new(schedule["timezone"].as_str().unwrap()).unwrap();
    let span = fetched_at - TimeDelta::days(30)..fetched_at + TimeDelta::days(400);
    let mut copies = Map::new();
    for (url, text) in schedule["feedTexts"].as_object().into_iter().flatten() {
        copies.insert(url.clone(), copy(text.as_str().unwrap().as_bytes(), &zone, &span));
    }
    for (url, file) in schedule["feedFiles"].as_object().into_iter().flatten() {
        let bytes = std::fs::read(folder.join(file.as_str().unwrap())).unwrap();
        copies.insert(url.clone(), copy(&bytes, &zone, &span));
    }
    copies.into()
}

fn copy(calendar: &[u8], zone: &Zone, span: &std::ops::Range<DateTime<Utc>>) -> Value {
    let read = inresponse_calendar::read(calendar, zone, span.clone()).unwrap();
    let event = |event: &inresponse_calendar::Event| json!({ "from": event.from, "to": event.to, "names": event.names });
    json!({ "events": read.events.iter().map(event).collect::<Vec<_>>() })
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}
