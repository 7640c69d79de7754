//! The planner alone, without engine, store or clock: simulates who would be told when.
//!
//! Usage: `who-is-told [ADDRESS…]`, with the addresses that cannot be reached

use std::time::Duration;

use inresponse_core::InvalidInput;
use inresponse_core::chrono::{DateTime, Utc};
use inresponse_core::model::{Contact, IncidentNumber, Matrix, Outcome, Report, Severity, TeamName};
use inresponse_core::plan::{self, Decision, HoldNothing, Input};

/// How long a process may take for a send before another process takes over.
const LEASE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let unreachable: Vec<String> = std::env::args().skip(1).collect();
    let contacts = |addresses: &[&str]| -> Result<Vec<Contact>, InvalidInput> {
        addresses.iter().map(|address| Contact::new(*address)).collect()
    };
    let levels = vec![contacts(&["jo@example.org"])?, contacts(&["kim@example.org", "lee@example.org"])?];
    let fallback = vec![Contact::new("boss@example.org")?];
    let matrix = Matrix::new(levels, fallback, Duration::from_secs(600));

    let mut now: DateTime<Utc> = "2026-12-24T23:00:00Z".parse()?;
    let report = Report::builder("athens", Severity::Crit, "disk full").build()?;
    let (opening, mut sends) = plan::open(report, TeamName::new("devops")?, matrix, Some(LEASE), now);
    let mut incident = opening.numbered(IncidentNumber::new(1)).into_incident();
    loop {
        for send in sends {
            let is_reached = !unreachable.iter().any(|address| address == send.contact.address());
            let outcome = if is_reached { Outcome::Accepted } else { Outcome::rejected("no such address") };
            let word = if is_reached { "told" } else { "not reached" };
            println!("{} {} {word}", now.format("%H:%M"), send.contact.address());
            let (delivery, attempt) = (send.delivery, send.attempt);
            let ended = Input::Outcome { delivery, attempt, outcome: &outcome };
            if let Decision::Change(plan) = plan::step(&incident, ended, now) {
                incident = plan.draft.into_incident();
            }
        }
        // The incident itself says when something is due next.
        let Some(due_at) = plan::due_at(&incident) else { break };
        now = now.max(due_at);
        let due = Input::Due { lease: LEASE, hold: &HoldNothing, round: None };
        match plan::step(&incident, due, now) {
            Decision::Change(plan) => (incident, sends) = (plan.draft.into_incident(), plan.sends),
            // A further round asks the roster who is on call then. Here there is no further round.
            Decision::Nothing | Decision::Refuse(_) | Decision::NeedsRound(_) => break,
        }
    }
    println!("{} nobody is left to tell", now.format("%H:%M"));
    Ok(())
}
