//! Checks how log lines show errors: an error's own text hides its cause, so every line must show the whole chain.

use std::path::{Path, PathBuf};

use crate::tools::{Failure, crates};

/// The variable names of errors in this workspace.
const ERRORS: [&str; 8] = ["error", "err", "e", "outage", "failure", "cause", "source", "failed"];
/// The text by which a log line shows an error.
const CHAIN: &str = "%Chain::of(";
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Checks the source of all crates that log.
pub(crate) fn check() -> Result<(), Failure> {
    let mut files = Vec::new();
    for folder in crates()?.into_iter().filter(|folder| !folder.ends_with("xtask")) {
        sources(&folder.join("src"), &mut files)?;
    }
    let (mut lines, mut wrong) = (0, Vec::new());
    for file in files {
        for call in calls(&std::fs::read_to_string(&file)?) {
            lines += 1;
            if let Some(found) = bare_error(&call) {
                wrong.push(format!("{}: `{found}` in tracing {call}", file.display()));
            }
        }
    }
    println!("{lines} log lines, {} of which show an error without what caused it", wrong.len());
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("show errors by `error = {CHAIN}…)`:\n{}", wrong.join("\n")).into())
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The arguments of each logging call.
fn calls(source: &str) -> Vec<String> {
    let mut calls = Vec::new();
    for (place, _) in source.match_indices("!(") {
        let name = source[..place].rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
        if LEVELS.contains(&name) || name == "event" {
            calls.push(arguments(&source[place + 2..]).join(", "));
        }
    }
    calls
}

/// The texts between commas, up to the closing bracket.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut arguments = vec![String::new()];
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = arguments.last_mut() {
            last.push(c);
        }
    }
    arguments.iter().map(|argument| argument.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// An error that a call shows only by its own text.
fn bare_error(call: &str) -> Option<String> {
    arguments(call).into_iter().find(|argument| {
        if argument.starts_with('"') {
            return ERRORS.iter().any(|name| {
                [format!("{{{name}}}"), format!("{{{name}:")].iter().any(|shown| argument.contains(shown))
            });
        }
        let (name, value) = argument.split_once('=').unwrap_or(("", argument));
        let value = value.trim();
        let first = value.trim_start_matches(['%', '?', '&', '*']);
        let first = first.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
        let is_error = ERRORS.contains(&name.trim()) || ERRORS.contains(&first);
        // Its kind is no text.
        let is_asked = value.ends_with(".kind()");
        is_error && !is_asked && !value.starts_with(CHAIN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_shown_without_its_cause_is_found_however_it_is_written() {
        for wrong in [
            r#"error = %error, "it failed""#,
            r#"%error, "it failed""#,
            r#"incident = 7, ?error, "it failed""#,
            r#"error, "it failed""#,
            r#"why = %outage, "it failed""#,
            r#"reason = e.to_string(), "it failed""#,
            r#"reason = %&failure, "it failed""#,
            r#"error = reason, "it failed""#,
            r#""it failed: {error}""#,
            r#""it failed: {outage:?}""#,
            r#""it failed: {}", err"#,
        ] {
            assert!(bare_error(wrong).is_some(), "{wrong}");
        }
        for right in [
            r#"error = %Chain::of(&error), "it failed""#,
            r#"incident = 7, error = %Chain::of(&*error), "an error, and more (of {it})""#,
            r#"kind = ?error.kind(), "it failed""#,
            r#"reason, contact = %contact, "no source""#,
        ] {
            assert_eq!(bare_error(right), None, "{right}");
        }
    }

    #[test]
    fn calls_are_found_over_several_lines_and_with_brackets_in_their_texts() {
        let source =
            "tracing::warn!(\n    error = %error,\n    \"a ) and a \\\" and a ,\"\n); info!(\"x\"); vec!(1)";
        assert_eq!(calls(source), ["error = %error, \"a ) and a \\\" and a ,\"", "\"x\""]);
        assert_eq!(calls("Err(error!(\"x\"))"), ["\"x\""]);
    }

    #[test]
    fn no_log_line_shows_an_error_without_its_cause() {
        check().unwrap();
    }
}
