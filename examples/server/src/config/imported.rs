//! Reads the `[roster]` of an imported file. Errors name the place, never the content, because the file may be the
//! wrong one and contain secrets.

use inresponse_core::InvalidInput;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::FileRoster;
use super::{ConfigError, RosterSeed};

/// Quoted words in error messages that are the program's own, not the file's.
const OURS: [&str; 1] = ["scheme:address"];

/// Reads and checks the `[roster]` of a file, and ignores the rest of the file.
pub(crate) fn read_roster(text: &str) -> Result<RosterSeed, ConfigError> {
    #[derive(serde::Deserialize)]
    struct WithRoster {
        roster: FileRoster,
    }
    let file: WithRoster = toml::from_str(text).map_err(|e| {
        let start = e.span().map_or(0, |span| span.start);
        ConfigError::from(vec![format!("{}: {}", place(text, start), unquoted(e.message()))])
    })?;
    let mut invalid = InvalidInput::default();
    let roster = RosterSeed::check(Some(file.roster), &mut invalid);
    if invalid.is_empty() {
        return Ok(roster);
    }
    let tables = DeTable::parse(text).ok();
    let told = invalid.errors().iter().map(|error| {
        let found = tables.as_ref().and_then(|tables| start_of(tables.get_ref(), error.field()));
        format!("{}: {}", place(text, found.unwrap_or(0)), unquoted(error.message()))
    });
    Err(ConfigError::from(told.collect::<Vec<_>>()))
}

fn place(text: &str, start: usize) -> String {
    let before = text.get(..start).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

/// An error message without its quotes from the file. The expected words stay, because they are the program's own.
pub(crate) fn unquoted(message: &str) -> String {
    let (found, expected) = message.split_once(", expected ").map_or((message, None), |(f, e)| (f, Some(e)));
    let is_ours = |word: &str| OURS.contains(&word) || found == format!("missing field `{word}`");
    let mut told = String::new();
    for (n, part) in found.split('`').enumerate() {
        match n % 2 {
            0 => told.push_str(part.split('"').next().unwrap_or_default()),
            _ if is_ours(part) => told.push_str(&format!("`{part}`")),
            _ => told.push('…'),
        }
    }
    let told = told.trim();
    expected.map_or_else(|| told.to_owned(), |expected| format!("{told}, expected {expected}"))
}

/// The offset in the file of a field such as `roster.teams.devops.fallback[0]`.
fn start_of(table: &DeTable<'_>, field: &str) -> Option<usize> {
    let (key, value) = table.iter().find(|(key, _)| {
        let rest = field.strip_prefix(key.get_ref().as_ref());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })?;
    let rest = &field[key.get_ref().len()..];
    Some(within(value, rest).unwrap_or(key.span().start))
}

fn within(value: &Spanned<DeValue<'_>>, rest: &str) -> Option<usize> {
    match value.get_ref() {
        DeValue::Table(table) => start_of(table, rest.strip_prefix('.')?),
        DeValue::Array(array) => {
            let (index, rest) = rest.strip_prefix('[')?.split_once(']')?;
            let element = array.get(index.parse::<usize>().ok()?)?;
            Some(within(element, rest).unwrap_or(element.span().start))
        }
        _ => Some(value.span().start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_invalid_is_reported_by_its_place_alone() {
        for (text, told) in [
            ("canary", "line 1, column 7: key with no value, expected `=`"),
            ("root:$6$canary:19000:0:99999:7:::\n", "line 1, column 34: key with no value"),
            ("[roster]\ncanary = 1", "line 2, column 1: unknown field …, expected `services` or `teams`"),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\n  canary = 1",
                "line 3, column 3: unknown field …, expected one of",
            ),
            (
                "[roster.teams.a]\nfallback = 'canary'",
                "line 2, column 12: invalid type: string, expected a sequence",
            ),
            ("[roster.teams.canary]\nrepeat = 1", "line 1, column 1: missing field `fallback`"),
            (
                "[roster.teams.a]\nfallback = ['x@y.z', 'canary']",
                "line 2, column 22: … is neither an e-mail address nor `scheme:address`",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z', '''c\nanary''']",
                "line 2, column 22: … must not contain white space",
            ),
            (
                "[roster.teams.'a.b']\ntimezone = 'canary'\nfallback = ['x@y.z']",
                "line 2, column 12: … is not an IANA time zone",
            ),
            ("[roster.teams.a]\nfallback = []", "line 2, column 1: must name at least one contact"),
            ("[roster.services]\na = 'canary'", "line 2, column 5: there is no team … in this file"),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\ncalendar.canary = { oncall = 'x@y.z' }",
                "line 3, column 10: must be a day",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\ncalendar.\"2026-12-24\" = { oncall = 'x@y.z', escalation = [['canary']] }",
                "line 3, column 60: … is neither",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\nescalate-after-seconds = 0",
                "line 1, column 15: must be from 1 to",
            ),
        ] {
            let refused = read_roster(text).unwrap_err().to_string();
            assert!(refused.contains(told), "{told} is not in\n{refused}");
            assert!(!refused.contains("canary") && !refused.contains("anary"), "{refused}");
        }
    }
}
