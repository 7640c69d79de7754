//! Reads the roster that a file describes.

use std::path::Path;

use chrono::NaiveDate;
use inresponse_core::InvalidInput;
use inresponse_core::model::{OwnerName, TeamName};
use inresponse_core::roster::{Entry, Rota, Target};
use serde::Deserialize;

use super::super::Failure;
use super::super::held::day_given;
use crate::config::{Given, RosterSeed, Wanted, read_roster, unquoted};

/// The columns of a CSV file.
const COLUMNS: [&str; 4] = ["team", "day", "oncall", "escalation"];

/// A row of a CSV file.
#[derive(Deserialize)]
struct Row {
    team: String,
    day: String,
    oncall: String,
    #[serde(default)]
    escalation: String,
}

/// What a file wants.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) owner: Option<OwnerName>,
    pub(super) entries: Vec<Wanted>,
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Read, Failure> {
    let wrong = |what: String| Failure::Given(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    if is_toml {
        return toml(&text).map_err(wrong);
    }
    Ok(Read { owner: None, entries: csv(&text).map_err(wrong)? })
}

fn toml(text: &str) -> Result<Read, String> {
    let RosterSeed { owner, entries } = read_roster(text).map_err(|e| e.to_string())?;
    Ok(Read { owner, entries })
}

/// The separator of the cells, found in the first line. Some spreadsheets write semicolons, if the comma is the decimal
/// point, or tabs.
fn separator(header: &str) -> u8 {
    let most = [b',', b';', b'\t'].into_iter().rev();
    let count = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    most.max_by_key(count).unwrap_or(b',')
}

fn csv(text: &str) -> Result<Vec<Wanted>, String> {
    // Spreadsheets begin a file with a byte order mark.
    let text = text.trim_start_matches('\u{FEFF}');
    let separator = separator(text.lines().next().unwrap_or_default());
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.delimiter(separator).trim(csv::Trim::All).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|e| told(&e))?.clone();
    if let Some(column) = names.iter().position(|name| !COLUMNS.contains(&name)) {
        return Err(format!("line 1, column {}: must be one of {}", column + 1, COLUMNS.join(", ")));
    }
    let (mut wanted, mut problems) = (Vec::new(), Vec::new());
    for record in reader.records() {
        match record.map_err(|e| told(&e)).and_then(|record| row(&record, &names)) {
            Ok(entry) => wanted.push(entry),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(wanted) } else { Err(listed(&problems)) }
}

/// The maximum number of invalid rows that are named.
const NAMED: usize = 20;

/// The problems of a file, each on a line of its own if there are several.
fn listed(problems: &[String]) -> String {
    if let [problem] = problems {
        return problem.clone();
    }
    let mut text = format!("{} rows are invalid", problems.len());
    for problem in problems.iter().take(NAMED) {
        text.push_str(&format!("\n  {problem}"));
    }
    match problems.len().saturating_sub(NAMED) {
        0 => text,
        more => format!("{text}\n  and {more} more"),
    }
}

/// Reads one row.
fn row(record: &csv::StringRecord, names: &csv::StringRecord) -> Result<Wanted, String> {
    let line = record.position().map_or(1, csv::Position::line);
    let row: Row = record.deserialize(Some(names)).map_err(|e| told(&e))?;
    let wrong = |name: &str, what: &str| {
        let column = names.iter().position(|given| given == name).map_or(0, |column| column + 1);
        format!("line {line}, column {column} ({name}): {what}")
    };
    // The forms in which spreadsheets write a day, except ambiguous ones.
    let formats = ["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d"];
    let day = formats.iter().find_map(|format| NaiveDate::parse_from_str(&row.day, format).ok());
    let day = day.ok_or_else(|| wrong("day", "must be a day like 2026-12-31"))?;
    let told = |name: &str, e: &InvalidInput| {
        wrong(name, &unquoted(e.errors().first().map_or("is not a contact", |e| e.message())))
    };
    let together = |name: &str, cell: &str| -> Result<Vec<Target>, String> {
        let target = |text: &str| text.parse::<Target>().map_err(|e| told(name, &e));
        cell.split_whitespace().map(target).collect()
    };
    let oncall = together("oncall", &row.oncall)?;
    let levels = row.escalation.split(';').map(|cell| together("escalation", cell));
    let levels = levels.collect::<Result<Vec<_>, _>>()?;
    let escalation: Vec<_> = levels.into_iter().filter(|level| !level.is_empty()).collect();
    let team = TeamName::new(&row.team).map_err(|e| told("team", &e))?;
    let given = Given::Day(day_given(&oncall, &escalation));
    let rota = Rota::new(oncall, escalation).map_err(|e| told("escalation", &e))?;
    Ok(Wanted { entry: Entry::day(&team, day, rota), given, place: format!("line {line}") })
}

/// The text of a CSV error: the place, but never the content of the file.
fn told(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line}: has {len} cells, but the first line has {expected_len}")
        }
        csv::ErrorKind::Deserialize { err, .. } => match err.kind() {
            csv::DeserializeErrorKind::Message(message) => format!("line {line}: {}", unquoted(message)),
            _ => format!("line {line}: is invalid"),
        },
        _ => format!("line {line}: cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_separated_by_semicolons_and_contacts_by_spaces() {
        let text = "team,day,oncall,escalation\n\
            devops,2026-12-24,Jo@Example.ORG,\"kim@example.org; lee@example.org slack:ops\"\n\
            devops, 2026-12-25, jo@example.org kim@example.org,\n";
        let wanted = csv(text).unwrap();
        let entry = |n: usize| match &wanted[n].given {
            Given::Day(entry) => entry.clone(),
            other => panic!("{other:?}"),
        };
        let (levels, texts) = (|n| entry(n).escalation.unwrap(), |n| entry(n).oncall.unwrap());
        assert_eq!(texts(0).texts(), ["Jo@example.org"]);
        assert_eq!(levels(0).texts(), [vec!["kim@example.org"], vec!["lee@example.org", "slack:ops"]]);
        assert_eq!(texts(1).texts(), ["jo@example.org", "kim@example.org"]);
        assert!(levels(1).texts().is_empty());
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        // Spreadsheets end lines in different ways, so only the entries are compared.
        let entries = |text: &str| {
            let wanted = csv(text).unwrap();
            wanted.iter().map(|wanted| format!("{:?} {:?}", wanted.entry, wanted.given)).collect::<Vec<_>>()
        };
        let expected = entries("team,day,oncall,escalation\na,2026-12-24,x@y.z,\"k@y.z; l@y.z m@y.z\"\n");
        for text in [
            "\u{FEFF}team;day;oncall;escalation\r\na;2026-12-24;x@y.z;\"k@y.z; l@y.z m@y.z\"\r\n",
            "team;day;oncall;escalation\na;2026-12-24;x@y.z;\"k@y.z;l@y.z m@y.z\"",
            "\"team\";\"day\";\"oncall\";\"escalation\"\n\"a\";\"2026-12-24\";\"x@y.z\";\"k@y.z; l@y.z m@y.z\"\n",
            "team;day;oncall;escalation\na;24.12.2026;x@y.z;\"k@y.z; l@y.z m@y.z\"\n",
            "team\tday\toncall\tescalation\na\t2026-12-24\tx@y.z\tk@y.z; l@y.z m@y.z\n",
        ] {
            assert_eq!(entries(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_invalid_is_reported_by_its_place_alone() {
        for (text, problem) in [
            (
                "team,day,oncall\na,2026-12-24,x@y.z\na,canary,x@y.z\n",
                "line 3, column 2 (day): must be a day",
            ),
            ("team,oncall,day\na,canary,2026-12-24\n", "line 2, column 2 (oncall): … is neither an e-mail"),
            (
                "team,day,oncall,escalation\na,2026-12-24,x@y.z,x@y.z; slack:canary\"\n",
                "line 2, column 4 (escalation): … must not contain",
            ),
            (
                "team,day,canary\na,2026-12-24,x@y.z\n",
                "line 1, column 3: must be one of team, day, oncall, escalation",
            ),
            ("root:$6$canary:19000:0:99999:7:::\ndaemon:*:canary\n", "line 1, column 1: must be one of"),
            ("team,day\ncanary,2026-12-24\n", "line 2: missing field `oncall`"),
            ("team,day,oncall\na,2026-12-24,x@y.z,canary\n", "line 2: has 4 cells, but the first line has 3"),
        ] {
            let error = csv(text).unwrap_err();
            assert!(error.contains(problem) && !error.contains("canary"), "{error}");
        }
        let many = "team,day,oncall\na,canary,x@y.z\na,2026-12-24,x@y.z\na,2026-12-25,canary\na,2026-12-26\n";
        let error = csv(many).unwrap_err();
        for told in ["3 rows are invalid", "line 2, column 2", "line 4, column 3", "line 5: has 2 cells"] {
            assert!(error.contains(told) && !error.contains("canary"), "{told} is missing in {error}");
        }
        let error = csv(&format!("team,day,oncall\n{}", "a,canary,x@y.z\n".repeat(25))).unwrap_err();
        assert!(error.lines().count() == 22 && error.ends_with("and 5 more"), "{error}");
        let error = toml("[roster.teams.a]\nfallback = ['canary']\n").unwrap_err();
        assert!(error.contains("line 2, column 13") && !error.contains("canary"), "{error}");
    }
}
