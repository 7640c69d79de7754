//! The output of the client commands: text for people, with colours on a terminal (unless NO_COLOR is set), or JSON for
//! scripts.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use chrono::{DateTime, Utc};
use inresponse_client::{Incident, Severity, State};
use inresponse_core::text::visible;
use serde::Serialize;

/// Makes visible the characters of untrusted text that a terminal would execute, write backwards or hide.
pub(super) fn plain(text: &str) -> String {
    visible(text).into_owned()
}

/// Untrusted text on one line, with invisible characters made visible.
pub(super) fn line(text: &str) -> String {
    plain(text).replace("\r\n", " ").replace(['\n', '\t'], " ")
}

pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    writeln!(io::stdout(), "{}", serde_json::to_string(value)?)
}

pub(super) fn say(text: &str) -> io::Result<()> {
    writeln!(anstream::stdout(), "{text}")
}

/// Prints to stderr, because a script may read stdout.
pub(super) fn warn(text: &str) -> io::Result<()> {
    writeln!(anstream::stderr(), "inresponse: {}", line(text))
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn style_of(incident: &Incident) -> Style {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match (&incident.state, &incident.severity) {
        (State::Open, Severity::Crit) => colour(AnsiColor::Red).bold(),
        (State::Open, Severity::Err | Severity::Other(_)) => colour(AnsiColor::Red),
        (State::Open, Severity::Warn) => colour(AnsiColor::Yellow),
        (State::Claimed, _) => colour(AnsiColor::Cyan),
        (State::Resolved, _) => Style::new().dimmed(),
        (State::Other(_), _) => Style::new(),
    }
}

/// An incident as one row of the list.
pub(super) fn row(incident: &Incident) -> String {
    let style = style_of(incident);
    let who = match &incident.state {
        State::Open | State::Other(_) => String::new(),
        State::Claimed => incident.claimed_by.as_deref().map(line).unwrap_or_default(),
        State::Resolved => incident.resolved_by.as_deref().map(line).unwrap_or_default(),
    };
    let Incident { incident_id, severity, state, count, .. } = incident;
    let (service, title) = (line(&incident.service), line(&incident.title));
    let since = time(incident.created_at);
    format!(
        "{style}{incident_id:>8}  {severity:<4}  {state:<8}{style:#}  {since}  {count:>5}  {service:<20}  {who:<16}  {title}"
    )
}

/// The header of the list of incidents.
pub(super) fn header() -> String {
    let style = Style::new().bold();
    format!(
        "{style}{:>8}  {:<4}  {:<8}  {:<23}  {:>5}  {:<20}  {:<16}  TITLE{style:#}",
        "NUMBER", "SEV", "STATE", "SINCE", "COUNT", "SERVICE", "BY"
    )
}

/// Asks the person at the terminal a question.
pub(super) fn agreed(question: &str) -> std::io::Result<bool> {
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The text for contacts that are alerted together.
pub(super) fn together(contacts: &[String]) -> String {
    line(&contacts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_does_not_command_the_terminal() {
        assert_eq!(plain("a\u{1b}[2J\rb\u{9b}c\nd\te"), "a\\u{1b}[2J\\u{d}b\\u{9b}c\nd\te");
        assert_eq!(
            plain("pay \u{202e}txt.exe\u{200b} 👩\u{200d}💻"),
            "pay \\u{202e}txt.exe\\u{200b} 👩\u{200d}💻"
        );
        assert_eq!(line("a\r\nb\nc\td"), "a b c d");
    }
}
