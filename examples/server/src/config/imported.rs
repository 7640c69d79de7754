//! Reads the `[roster]` of an imported file. Errors name the place, never the content, because the file may be the
//! wrong one and contain secrets.

use inresponse_core::InvalidInput;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file_roster::{FileRoster, in_words_of_a_file};
use super::{ConfigError, FeedUrls, RosterSeed};

/// Quoted words in error messages that are the program's own, not the file's.
const OURS: [&str; 5] = ["scheme:address", "from", "until", "who", "after-seconds"];

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
    let mut roster = RosterSeed::check(Some(file.roster), FeedUrls::MayBeMasked, &mut invalid);
    let tables = DeTable::parse(text).ok();
    if invalid.is_empty() {
        for wanted in &mut roster.entries {
            let found = tables.as_ref().and_then(|tables| start_of(tables.get_ref(), &wanted.place));
            wanted.place = place(text, found.unwrap_or(0));
        }
        return Ok(roster);
    }
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
        let rest = field.strip_prefix(in_words_of_a_file(key.get_ref()).as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })?;
    let rest = field.strip_prefix(in_words_of_a_file(key.get_ref()).as_str()).unwrap_or_default();
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
    fn the_file_in_the_documentation_is_read() {
        let page = include_str!("../../../../docs/roster.md");
        let (_, file) = page.split_once("```toml\n").unwrap();
        let (file, _) = file.split_once("```").unwrap();
        let roster = read_roster(file).unwrap();
        let mut kinds: Vec<_> = roster.entries.iter().map(|wanted| wanted.entry.key().kind()).collect();
        kinds.dedup();
        use inresponse_core::roster::EntryKind::{Day, Override, Person, Schedule, Service, Team};
        assert_eq!(kinds, [Person, Team, Schedule, Override, Day, Service]);
        assert!(roster.entries.iter().all(|wanted| wanted.entry.owner() == roster.owner.as_ref()));
        let swap = roster.entries.iter().find(|wanted| wanted.entry.key().kind() == Override).unwrap();
        let line = 1 + file.lines().position(|line| line.ends_with("overrides.swap]")).unwrap();
        assert!(swap.place.starts_with(&format!("line {line}, ")), "{}", swap.place);
    }

    #[test]
    fn people_and_schedules_are_refused_by_their_place_in_the_words_of_the_file() {
        const LAYER: &str = "name = 'x', from = '2031-01-01', turn = { every = 1, unit = 'day' }";
        for (given, told) in [
            ("[roster]\nowner = ''", "line 2, column 9: must not be empty"),
            ("[roster.people.'canary:x']", "line 1, column 16: must not contain"),
            ("[roster.people.a]\nmethods = { mail = 'canary' }", "line 2, column 20: … is neither"),
            (
                "[roster.people.a]\nabsences = [{ from = 'canary', to = '2031-01-01' }]",
                "line 2, column 22: must be",
            ),
            (
                "[roster.people.a]\nmethods.mail = 'x@y.z'\nrules.CRIT = [{ after-seconds = 1, methods = ['mail'] }]",
                "line 3, column 7: must have a step with `after-seconds` 0",
            ),
            (
                "[roster.people.a]\nmethods.mail = 'x@y.z'\nrules.CRIT = [{ afterSeconds = 999999, methods = ['mail'] }]",
                "line 3, column 32: must be at most",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\nlevels = [{ notify = 'x@y.z', wait-seconds = 0 }]",
                "line 3, column 46: must be from 1",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\n[roster.teams.a.schedules.s]\nfeeds = [{ url = 'canary', as = 'base' }]",
                "line 4, column 18: must begin with https:// or http://",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\n[roster.teams.a.schedules.s]\nlayers = [{ members = [{ canary = 1 }], LAYER }]",
                "must be a target, a list of targets, or an object with `who`, `from` and `until`",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\n[roster.teams.a.schedules.s]\nlayers = [{ members = [{ who = 'person:b', from = 'canary' }], LAYER }]",
                "line 4, column 51: must be a local time",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\n[roster.teams.a.schedules.s.overrides.o]\nfrom = '2031-01-02'\nto = '2031-01-01'\noncall = []",
                "line 5, column 6: must be after `from`",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\n[roster.teams.a.schedules.s.overrides.o]\nfrom = '2031-01-02'\nto = '2031-01-03'\noncall = []\ninstead-of = ['canary']",
                "line 7, column 15: … is neither",
            ),
        ] {
            let text = given.replace("LAYER", LAYER);
            let refused = read_roster(&text).unwrap_err().to_string();
            assert!(refused.contains(told), "{told} is not in\n{refused}");
            assert!(!refused.contains("canary"), "{refused}");
        }
    }

    #[test]
    fn what_is_invalid_is_reported_by_its_place_alone() {
        for (text, told) in [
            ("canary", "line 1, column 7: key with no value, expected `=`"),
            ("root:$6$canary:19000:0:99999:7:::\n", "line 1, column 34: key with no value"),
            (
                "[roster]\ncanary = 1",
                "line 2, column 1: unknown field …, expected one of `owner`, `services`, `people`, `teams`",
            ),
            (
                "[roster.teams.a]\nfallback = ['x@y.z']\n  canary = 1",
                "line 3, column 3: unknown field …, expected one of",
            ),
            (
                "[roster.teams.a]\nfallback = 'canary'",
                "line 2, column 12: invalid type: string, expected a sequence",
            ),
            ("[roster.teams.canary]\nrepeat = 1", "line 1, column 15: missing field `fallback`"),
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
                "line 3, column 26: must be from 1 to",
            ),
        ] {
            let refused = read_roster(text).unwrap_err().to_string();
            assert!(refused.contains(told), "{told} is not in\n{refused}");
            assert!(!refused.contains("canary") && !refused.contains("anary"), "{refused}");
        }
    }
}
