//! The metrics of the engine beside those of the program, in one registry.

use inresponse_core::Engine;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::RosterEdited;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, Person, Report, ServiceName, Severity, TeamName};
use inresponse_core::notify::Notifiers;
use inresponse_core::roster::{Entry, Team};
use inresponse_core::testing::RecordingNotifier;
use metrics_exporter_prometheus::PrometheusBuilder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The engine writes to the recorder of the crate `metrics`, whichever the program installs.
    let registry = PrometheusBuilder::new().add_global_label("program", "shop").build_recorder();
    let handle = registry.handle();
    metrics::set_global_recorder(registry)?;
    metrics::counter!("shop_orders_total").increment(3);

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
    engine.tick().await?;

    let text = handle.render();
    let mut samples: Vec<_> = text.lines().filter(|line| line.contains("_total{")).collect();
    samples.sort_unstable();
    samples.iter().for_each(|sample| println!("{sample}"));
    Ok(())
}
