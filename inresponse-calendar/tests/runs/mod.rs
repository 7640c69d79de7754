//! Who is on call in every schedule and team of a roster document, as spans.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use inresponse_core::model::{ScheduleName, TeamName, Zone};
use inresponse_core::roster::{Defaults, Directory, Target, Who, explain, shifts};
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
    let mut asked: Vec<(TeamName, Option<ScheduleName>)> = Vec::new();
    for (team, body) in document["teams"].as_object_mut().unwrap() {
        let team = TeamName::new(team).unwrap();
        for (schedule, body) in body["schedules"].as_object_mut().into_iter().flatten() {
            body["copies"] = copies(body, folder, from);
            asked.push((team.clone(), Some(ScheduleName::new(schedule).unwrap())));
        }
        asked.push((team, None));
    }
    let roster = roster_document(&document).unwrap();
    let mut runs = Vec::new();
    for (team, schedule) in asked {
        let directory = roster.directory(&team, NaiveDate::MIN, NaiveDate::MAX);
        let spans: Vec<Span> = match &schedule {
            Some(name) => {
                let shifts = shifts(&directory, &team, name, from, to);
                shifts.into_iter().map(|shift| (shift.from, shift.to, shift.oncall)).collect()
            }
            // A team has no shifts, so it is asked about every minute.
            None => minutes(from, to).map(|at| (at, at + MINUTE, first_alerted(&directory, at))).collect(),
        };
        let of = match schedule {
            Some(name) => format!("schedule {team}/{name}"),
            None => format!("team {team}"),
        };
        merge(&mut runs, &of, spans);
    }
    runs.sort();
    runs
}

const MINUTE: TimeDelta = TimeDelta::minutes(1);

type Span = (DateTime<Utc>, DateTime<Utc>, Vec<Who>);

fn minutes(from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    std::iter::successors(Some(from), |at| Some(*at + MINUTE)).take_while(move |at| *at < to)
}

/// Whom the planner alerts at level 1 of a round that begins at that instant.
fn first_alerted(directory: &Directory, at: DateTime<Utc>) -> Vec<Who> {
    let explained = explain(directory, &Defaults::none(), at).unwrap();
    explained.levels[0].iter().map(|on_duty| on_duty.who.clone()).collect()
}

fn merge(runs: &mut Vec<Run>, of: &str, spans: Vec<Span>) {
    for (from, to, oncall) in spans {
        let oncall: BTreeSet<String> = oncall.into_iter().map(|who| said(&Target::from(who))).collect();
        match runs.last_mut() {
            Some(last) if last.of == of && last.oncall == oncall => {
                assert_eq!(last.to, from, "spans tile time");
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
