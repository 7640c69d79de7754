//! A chat bot that claims, releases and resolves incidents. It reads lines such as `jo: claim #10000`, and prints replies.

use std::io::BufRead;

use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::{Refusal, RosterEdited, Updated};
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, IncidentNumber, Person, Report, ServiceName, Severity, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Entry, Team};
use inresponse_core::testing::RecordingNotifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let notifiers = Notifiers::new().mail(RecordingNotifier::new());
    let (store, roster) = (MemoryStore::new(), MemoryRoster::new());
    let engine = Engine::builder(store, roster, notifiers, SystemClock::new()).build();
    let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
    let settings = Team::builder(vec![Contact::new("devops@example.org")?]).build()?;
    let edits = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    match engine.edit_roster(&Person::new("setup")?, &edits).await? {
        RosterEdited::Done(_) => {}
        refused => return Err(format!("the roster was refused: {refused:?}").into()),
    }
    let _reported = engine.report(Report::builder("athens", Severity::Crit, "disk full").build()?).await?;

    for line in std::io::stdin().lock().lines() {
        println!("{}", reply(&engine, &line?).await);
    }
    Ok(())
}

/// What the bot answers to a line of the chat. The chat has verified who wrote it.
async fn reply(engine: &Engine, line: &str) -> String {
    let usage = || "write: claim, release or resolve, and a number".to_owned();
    let Some((person, words)) = line.split_once(": ") else { return usage() };
    let Some((verb, number)) = words.trim().split_once(' ') else { return usage() };
    let (Ok(person), Ok(number)) = (Person::new(person), number.trim_start_matches('#').parse::<u64>())
    else {
        return usage();
    };
    let number = IncidentNumber::new(number);
    let updated = match verb {
        "claim" => engine.claim(number, &person).await,
        "release" => engine.release(number, &person).await,
        "resolve" => engine.resolve(number, &person).await,
        _ => return usage(),
    };
    match updated {
        Ok(Updated::Changed(record)) => format!("#{number} is {} now", record.incident.state()),
        Ok(Updated::Unchanged(record)) => format!("#{number} is {} already", record.incident.state()),
        Ok(Updated::Refused(_, Refusal::ClaimedBy(other))) => format!("{other} has #{number}"),
        Ok(Updated::Refused(_, refusal)) => format!("#{number} was not changed: {refusal}"),
        Ok(Updated::Absent) => format!("there is no #{number}"),
        // After an unknown outage it is safe to ask for the same again.
        Err(outage) => format!("that did not work, try again: {outage}"),
    }
}
