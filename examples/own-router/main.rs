//! Mounts the HTTP API below `/alerting` in an axum app of its own. It ends when its input ends: Ctrl-D.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use inresponse_core::clock::SystemClock;
use inresponse_core::engine::RosterEdited;
use inresponse_core::memory::{MemoryRoster, MemoryStore};
use inresponse_core::model::{Contact, Person, ServiceName, TeamName};
use inresponse_core::notify::{Alert, Notifier, Notifiers, Outcome};
use inresponse_core::roster::{Entry, Team};
use inresponse_core::{Engine, async_trait};
use inresponse_http::{Api, ApiKey, Keys, Scope, router};
use tokio::net::TcpListener;

/// Prints alerts.
#[derive(Debug)]
struct Print;

#[async_trait]
impl Notifier for Print {
    async fn notify(&self, alert: &Alert, _deadline: Duration) -> Outcome {
        let incident = alert.incident();
        println!("alert for {}: #{} {}", alert.contact(), incident.number(), incident.title());
        Outcome::Accepted
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (store, roster) = (MemoryStore::new(), MemoryRoster::new());
    let engine = Engine::builder(store, roster, Notifiers::new().mail(Print), SystemClock::new()).build();
    let (team, service) = (TeamName::new("devops")?, ServiceName::new("athens")?);
    let settings = Team::builder(vec![Contact::new("devops@example.org")?]).build()?;
    let edits = [Entry::team(&team, settings).into(), Entry::service(&service, &team).into()];
    match engine.edit_roster(&Person::new("setup")?, &edits).await? {
        RosterEdited::Done(_) => {}
        refused => return Err(format!("the roster was refused: {refused:?}").into()),
    }

    // The alerts are sent by the runner, not by the router.
    let running = engine.clone();
    tokio::spawn(async move { running.run(std::future::pending()).await });

    // The key is an example: read yours from a file or the environment.
    let keys = Keys::new(vec![ApiKey::from_plain("shop", "example-key-example-key", vec![Scope::Report])?]);
    let app = Router::new()
        .route("/", get(|| async { "the shop" }))
        .nest("/alerting", router(Api::new(engine, keys)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/alerting", listener.local_addr()?);
    let end_of_input =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    axum::serve(listener, app).with_graceful_shutdown(async { _ = end_of_input.await }).await?;
    Ok(())
}
