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

/// The colours of an incident.
pub(super) fn style_of(incident: &Incident) -> Style {
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

/// How long the rows of a list may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// As long as they are.
    Whole,
    /// At most 80 columns.
    Columns80,
}

impl Width {
    /// A text in a column of that many characters.
    fn cell(self, text: &str, columns: usize) -> String {
        match self {
            Width::Whole => text.to_owned(),
            Width::Columns80 if text.chars().count() <= columns => text.to_owned(),
            Width::Columns80 => text.chars().take(columns - 1).chain(['…']).collect(),
        }
    }
}

/// An incident as one whole row.
pub(super) fn row(incident: &Incident) -> String {
    row_of(incident, Width::Whole)
}

/// An incident as one row of the list.
pub(super) fn row_of(incident: &Incident, width: Width) -> String {
    let style = style_of(incident);
    let who = match &incident.state {
        State::Open | State::Other(_) => String::new(),
        State::Claimed => incident.claimed_by.as_deref().map(line).unwrap_or_default(),
        State::Resolved => incident.resolved_by.as_deref().map(line).unwrap_or_default(),
    };
    let Incident { incident_id, severity, state, count, .. } = incident;
    let repeats = if *count > 1 { format!("({count}x) ") } else { String::new() };
    let since = match width {
        Width::Whole => time(incident.created_at),
        Width::Columns80 => incident.created_at.format("%m-%d %H:%M").to_string(),
    };
    let (service, who) = (width.cell(&line(&incident.service), 14), width.cell(&who, 10));
    let title = width.cell(&format!("{repeats}{}", line(&incident.title)), 21);
    format!(
        "{style}{incident_id:>6} {severity:<4} {state:<8}{style:#} {since} {service:<14} {who:<10} {title}"
    )
}

/// The header of whole rows.
pub(super) fn header() -> String {
    header_of(Width::Whole)
}

/// The header of the list of incidents.
pub(super) fn header_of(width: Width) -> String {
    let style = Style::new().bold();
    let since = match width {
        Width::Whole => format!("{:<23}", "SINCE"),
        Width::Columns80 => "SINCE (UTC)".to_owned(),
    };
    format!(
        "{style}{:>6} {:<4} {:<8} {since} {:<14} {:<10} TITLE{style:#}",
        "NUMBER", "SEV", "STATE", "SERVICE", "BY"
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
    fn a_row_fits_80_columns_and_is_whole_on_demand() {
        let long = "x".repeat(100);
        let incident: Incident = serde_json::from_value(serde_json::json!({
            "incidentId": 10_000, "service": long, "team": "devops", "severity": "CRIT", "state": "CLAIMED",
            "claimedBy": long, "title": long, "message": "", "detectedAt": "2026-12-01T08:00:00Z",
            "createdAt": "2026-12-01T08:00:00Z", "updatedAt": "2026-12-01T08:00:00Z", "count": 12, "round": 1,
            "unclaimed": false, "undelivered": false,
        }))
        .unwrap();
        let bare = |row: String| anstream::adapter::strip_str(&row).to_string();
        let row = bare(row_of(&incident, Width::Columns80));
        assert_eq!(row.chars().count(), 80, "{row}");
        assert!(row.contains("10000 CRIT CLAIMED  12-01 08:00") && row.contains("(12x) xx"), "{row}");
        assert!(bare(header_of(Width::Columns80)).chars().count() <= 80);
        assert_eq!(bare(super::row(&incident)).matches(&long).count(), 3);
    }

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
