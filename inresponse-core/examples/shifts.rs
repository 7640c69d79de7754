//! Who is on call in every schedule and team of a roster, as lines of JSON, for comparison with other programs.
//!
//! Reads one [roster document](inresponse_core::testing::roster_document) a line from the standard input, each with
//! `from` and `to`. For each it writes one line: `{"case": …, "runs": [{"schedule": "web/primary", "from", "to",
//! "oncall"}, {"team": "web", …}, …]}`. A team's line is whom the target `team:web` means. Runs are sorted by what they
//! are of; neighbours with the same people are one run, whatever their sources.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use inresponse_core::model::{ScheduleName, TeamName};
use inresponse_core::roster::{Directory, Shift, Target, shifts};
use inresponse_core::testing::roster_document;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = stdout().lock();
    for (number, line) in stdin().lock().lines().enumerate() {
        let document: Value = serde_json::from_str(&line?)?;
        let case = document.get("case").cloned().unwrap_or(number.into());
        writeln!(out, "{}", json!({ "case": case, "runs": runs(document)? }))?;
    }
    Ok(())
}

fn runs(mut document: Value) -> Result<Vec<Value>, Box<dyn Error>> {
    let instant = |name: &str| document[name].as_str().unwrap_or_default().parse::<DateTime<Utc>>();
    let (from, to) = (instant("from")?, instant("to")?);
    let teams: Vec<String> = names(&document["teams"]);
    let mut asked: Vec<(&str, String, TeamName, ScheduleName)> = Vec::new();
    for team in &teams {
        for schedule in names(&document["teams"][team]["schedules"]) {
            let subject = format!("{team}/{schedule}");
            asked.push(("schedule", subject, TeamName::new(team)?, ScheduleName::new(schedule)?));
        }
    }
    asked.sort();
    // A schedule that has always the team on call says whom the team means.
    let mut probes = json!({});
    for (number, team) in teams.iter().enumerate() {
        let members = json!([format!("team:{team}")]);
        let turn = json!({ "every": 1, "unit": "week" });
        let layer = json!({ "name": "a", "members": members, "from": "1970-01-01", "turn": turn });
        let probe = format!("p{number}");
        asked.push(("team", team.clone(), TeamName::new("probe")?, ScheduleName::new(&probe)?));
        probes[probe] = json!({ "layers": [layer] });
    }
    document["teams"]["probe"] = json!({ "schedules": probes });
    let roster = roster_document(&document)?;
    let mut runs = Vec::new();
    for (kind, subject, team, schedule) in asked {
        let directory = roster.directory(&team, NaiveDate::MIN, NaiveDate::MAX);
        runs.extend(merged(&directory, (&team, &schedule), (from, to)).into_iter().map(
            |(from, to, oncall)| {
                let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
                json!({ kind: subject, "from": text(from), "to": text(to), "oncall": oncall })
            },
        ));
    }
    Ok(runs)
}

fn names(value: &Value) -> Vec<String> {
    value.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect()
}

fn merged(
    directory: &Directory,
    (team, schedule): (&TeamName, &ScheduleName),
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Vec<(DateTime<Utc>, DateTime<Utc>, BTreeSet<String>)> {
    let mut runs: Vec<(DateTime<Utc>, DateTime<Utc>, BTreeSet<String>)> = Vec::new();
    for Shift { from, to, oncall, .. } in shifts(directory, team, schedule, from, to) {
        let people = oncall.into_iter().map(|who| Target::from(who).into()).collect();
        match runs.last_mut() {
            Some(last) if last.2 == people => last.1 = to,
            Some(_) | None => runs.push((from, to, people)),
        }
    }
    runs
}
