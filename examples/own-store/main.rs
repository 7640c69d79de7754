//! Uses a store of its own: `store.rs`.

mod store;

use std::sync::Arc;

use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::{Reported, RosterEdited};
use inresponse_core::memory::MemoryRoster;
use inresponse_core::model::{Contact, Person, Report, ServiceName, Severity, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Entry, Team};
use inresponse_core::store::{ListQuery, Store};
use inresponse_core::testing::RecordingNotifier;

use store::OwnStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The engine and the rest of the program share the store.
    let store: Arc<dyn Store> = Arc::new(OwnStore::default());
    let notifiers = Notifiers::new().mail(RecordingNotifier::new());
    let engine =
        Engine::builder(Arc::clone(&store), MemoryRoster::new(), notifiers, SystemClock::new()).build();
    let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
    let settings = Team::builder(vec![Contact::new("devops@example.org")?]).build()?;
    let edits = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    match engine.edit_roster(&Person::new("setup")?, &edits).await? {
        RosterEdited::Done(_) => {}
        refused => return Err(format!("the roster was refused: {refused:?}").into()),
    }

    for title in ["disk full", "disk full", "5xx error spike"] {
        let report = Report::builder("athens", Severity::Err, title).dedup_key(title).build()?;
        match engine.report(report).await? {
            Reported::New(record) => println!("{title}: incident {}", record.number()),
            Reported::Repeat(record) => {
                println!("{title}: incident {}, reported {} times", record.number(), record.count);
            }
            Reported::UnknownService => println!("{title}: nobody owns the service"),
        }
    }
    engine.tick().await?;
    for record in store.list(&ListQuery::page(10)).await? {
        println!("{} {} {}", record.number(), record.incident.state(), record.incident.title());
    }
    Ok(())
}
