//! Embeds the engine with a database file. What was answered is still there at the next start.
//!
//! Usage: `sqlite-embedded FILE`

use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::{Reported, RosterEdited};
use inresponse_core::model::{Contact, Person, Report, ServiceName, Severity, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Entry, Team};
use inresponse_core::testing::RecordingNotifier;
use inresponse_sqlite::{Database, SqliteConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: sqlite-embedded FILE")?;
    let database = Database::open(SqliteConfig::new(file)).await?;
    let recorder = RecordingNotifier::new();
    let notifiers = Notifiers::new().mail(recorder.clone());
    let engine = Engine::builder(database.store(), database.roster(), notifiers, SystemClock::new()).build();
    // The same edits again change nothing.
    let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
    let settings = Team::builder(vec![Contact::new("devops@example.org")?]).build()?;
    let edits = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    match engine.edit_roster(&Person::new("setup")?, &edits).await? {
        RosterEdited::Done(_) => {}
        refused => return Err(format!("the roster was refused: {refused:?}").into()),
    }

    let report = Report::builder("athens", Severity::Err, "disk full").dedup_key("disk").build()?;
    match engine.report(report).await? {
        Reported::New(record) => println!("incident {} is new", record.number()),
        Reported::Repeat(record) => {
            println!("incident {} was reported {} times", record.number(), record.count);
        }
        Reported::UnknownService => return Err("nobody owns the service".into()),
    }
    engine.tick().await?;
    println!("alerts: {}", recorder.attempts().len());
    Ok(())
}
