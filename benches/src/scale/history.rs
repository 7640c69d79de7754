//! Measures costs with very many incidents that were resolved long ago, and without them.

use std::time::{Duration, Instant};

use chrono::Utc;
use inresponse_core::store::Store;
use inresponse_sqlite::{Database, SqliteConfig};

use super::columns::Columns;
use super::fill::{Due, Whose, fill, fill_resolved};
use super::measures::{PATIENCE, at_rest, due_scans};
use crate::http::Connection;
use crate::measure::{milliseconds, percentiles};
use crate::sink::Sink;
use crate::systems::{self, Mails, PEOPLE, System};
use crate::{Failure, Site};

/// The number of open incidents beside the resolved ones.
const OPEN: u64 = 1_000;
/// The number of samples in single measurements.
const SAMPLES: usize = 200;
/// The filters of the lists. The open incidents and half of the resolved ones match all of them.
const FILTERS: [(&str, &str); 4] =
    [("state", "OPEN"), ("service", "alerting"), ("team", "alerting"), ("severity", "CRIT")];

/// Measures twice in one run: without resolved incidents, and with that many.
pub(super) async fn measure(site: &Site, resolved: u64) -> Result<Columns, Failure> {
    let mut columns = Columns { what: "resolved", ..Columns::default() };
    let path = systems::empty_folder(site)?.join("inresponse.db");
    for resolved in [0, resolved] {
        eprintln!("{resolved} resolved beside {OPEN} open");
        columns.sizes.push(resolved);
        let database = Database::open(SqliteConfig::new(&path)).await?;
        if resolved == 0 {
            fill(&database.store(), OPEN, Due::Later).await?;
        }
        // Some are of others, and some are of the same service and another team.
        fill_resolved(&database.store(), resolved / 2, Whose::Ours).await?;
        fill_resolved(&database.store(), resolved - resolved / 2, Whose::Others).await?;
        due_scans(&database.store(), &mut columns, "due scan that finds nothing, p50, ms").await?;
        censuses(&database.store(), &mut columns).await?;
        drop(database);
        let sink = Sink::start(site)?;
        let running = systems::restart(site, System::InResponse, Mails::Each, sink.address)?;
        at_rest(&running, Instant::now() + PATIENCE).await?;
        let mut connection = Connection::open(running.address).await?;
        lists(&mut connection, &mut columns).await?;
        changes(&mut connection, &mut columns).await?;
        at_rest(&running, Instant::now() + PATIENCE).await?;
    }
    Ok(columns)
}

/// Measures the counts for health and metrics.
async fn censuses(store: &dyn Store, columns: &mut Columns) -> Result<(), Failure> {
    let mut took = Vec::new();
    for _ in 0..SAMPLES {
        let asked = Instant::now();
        let _census = store.census(Utc::now()).await?;
        took.push(asked.elapsed());
    }
    columns.add("census for health, p50, ms", 3, milliseconds(percentiles(took)[0]));
    Ok(())
}

/// Measures a page of 50 with every combination of filters.
async fn lists(connection: &mut Connection, columns: &mut Columns) -> Result<(), Failure> {
    let key = [("x-api-key", PEOPLE)];
    for chosen in 0..1 << FILTERS.len() {
        let filters = FILTERS.iter().enumerate().filter(|(i, _)| chosen & (1 << i) != 0);
        let (mut path, mut name) = ("/incidents?limit=50".to_owned(), "list page of 50".to_owned());
        for (_, (filter, value)) in filters {
            path.push_str(&format!("&{filter}={value}"));
            name.push_str(&format!(", {filter}"));
        }
        let mut took = Vec::new();
        for _ in 0..SAMPLES {
            let asked = Instant::now();
            connection.send("GET", &path, &key, String::new()).await?;
            took.push(asked.elapsed());
        }
        columns.add(format!("{name}, p50, ms"), 3, milliseconds(percentiles(took)[0]));
    }
    Ok(())
}

/// Measures reports, and claims of the reported incidents.
async fn changes(connection: &mut Connection, columns: &mut Columns) -> Result<(), Failure> {
    let key = [("x-api-key", PEOPLE)];
    let quiet = systems::report(System::RecordsOnly, "CRIT");
    let (mut puts, mut claims) = (Vec::<Duration>::new(), Vec::<Duration>::new());
    for i in 0..SAMPLES {
        let asked = Instant::now();
        let answer = connection.shoot(&quiet, u64::try_from(i)?).await?;
        puts.push(asked.elapsed());
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        let number = answer["incidentId"].as_u64().ok_or("an answer without a number")?;
        let body = r#"{"state":"CLAIMED","by":"jo"}"#.to_owned();
        let asked = Instant::now();
        connection.send("POST", &format!("/incidents/{number}"), &key, body).await?;
        claims.push(asked.elapsed());
    }
    columns.add("one PUT after the other, p50, ms", 3, milliseconds(percentiles(puts)[0]));
    columns.add("claim, p50, ms", 3, milliseconds(percentiles(claims)[0]));
    Ok(())
}
