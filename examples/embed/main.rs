//! Embeds the engine: a team, a report, an alert, a claim. The notifier only records what it would send.

use std::time::Duration;

use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::{Reported, RosterEdited, Updated};
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, Person, Report, ServiceName, Severity, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Entry, Target, Team, TeamLevel};
use inresponse_core::testing::RecordingNotifier;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The recorder stands for a carrier. Clones share the records.
    let recorder = RecordingNotifier::new();
    let notifiers = Notifiers::new().mail(recorder.clone());
    let (store, roster) = (MemoryStore::new(), MemoryRoster::new());
    let engine = Engine::builder(store, roster, notifiers, SystemClock::new()).build();

    // The team alerts jo first. Ten minutes later it alerts kim, then the fallback.
    let level = |address: &str| -> Result<TeamLevel, Box<dyn std::error::Error>> {
        Ok(TeamLevel { notify: vec![Target::from(Contact::new(address)?)], wait: None })
    };
    let settings = Team::builder(vec![Contact::new("devops@example.org")?])
        .levels(vec![level("jo@example.org")?, level("kim@example.org")?])
        .escalate_after(Duration::from_secs(600))
        .build()?;
    let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
    let edits = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    match engine.edit_roster(&Person::new("setup")?, &edits).await? {
        RosterEdited::Done(_) => {}
        refused => return Err(format!("the roster was refused: {refused:?}").into()),
    }

    let report = Report::builder("athens", Severity::Crit, "5xx error spike").build()?;
    let Reported::New(record) = engine.report(report).await? else { return Err("it is not new".into()) };
    println!("incident {} is {}", record.number(), record.incident.state());

    // A server runs `engine.run(…)` in a task. Here everything that is due is done once.
    engine.tick().await?;
    for attempt in recorder.attempts() {
        println!("alerted {}, attempt {}", attempt.contact, attempt.attempt);
    }

    match engine.claim(record.number(), &Person::new("jo@example.org")?).await? {
        Updated::Changed(record) => println!("incident {} is {}", record.number(), record.incident.state()),
        other => return Err(format!("the claim was not made: {other:?}").into()),
    }
    Ok(())
}
