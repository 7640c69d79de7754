//! Measures costs with few and with very many open incidents.

mod columns;
mod fill;
mod history;
mod measures;

use std::path::Path;
use std::time::Instant;

use clap::Args;
use inresponse_sqlite::{Database, SqliteConfig};

use crate::http::{Connection, report_all};
use crate::measure::{milliseconds, percentiles};
use crate::sink::Sink;
use crate::systems::{self, Mails, PEOPLE, Running, System};
use crate::{Failure, Site, machine};
use columns::Columns;
use fill::{Due, fill};
use measures::{PATIENCE, SAMPLES, at_rest, due_scans};

/// The settings of this benchmark: how many incidents there are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Plan {
    /// How many incidents are open, one count for each run.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    open: Vec<u64>,
    /// The number of resolved incidents beside a thousand open ones.
    #[arg(long, default_value_t = 1_000_000)]
    history: u64,
}

/// The number of incidents that are reported over 64 connections.
const PUTS: usize = 5_000;
/// The number of open incidents that are overdue at the restart.
const OVERDUE: u64 = 1_000;

/// Makes all measurements, and prints the table.
pub(crate) async fn run(site: &Site, plan: &Plan) -> Result<(), Failure> {
    let machine = machine::description(&site.work)?;
    let mut columns = Columns { what: "open", ..Columns::default() };
    let folder = systems::empty_folder(site)?;
    let path = folder.join("inresponse.db");
    let mut there = 0;
    for open in &plan.open {
        eprintln!("{open} open");
        let begun = Instant::now();
        let database = Database::open(SqliteConfig::new(&path)).await?;
        fill(&database.store(), open.saturating_sub(there + OVERDUE), Due::Later).await?;
        due_scans(&database.store(), &mut columns, "due scan that finds nothing, p50, ms").await?;
        fill(&database.store(), OVERDUE, Due::Overdue).await?;
        due_scans(&database.store(), &mut columns, "due scan that finds a page of 256, p50, ms").await?;
        drop(database);
        eprintln!("  filled in {:?}", begun.elapsed());
        columns.sizes.push(*open);
        let sink = Sink::start(site)?;
        let running = restart(site, &sink, &mut columns).await?;
        calls(&running, &sink, &mut columns).await?;
        files(&folder, &mut columns)?;
        drop(running);
        there = *open + 2 * PUTS as u64 + SAMPLES as u64;
    }
    let history = history::measure(site, plan.history).await?;
    std::fs::remove_dir_all(&folder)?;
    println!("SQLite. {machine}; {} at the end.\n", machine::load());
    columns.print();
    println!();
    history.print();
    Ok(())
}

/// Starts the server on the existing database, with overdue alerts.
async fn restart(site: &Site, sink: &Sink, columns: &mut Columns) -> Result<Running, Failure> {
    let started = Instant::now();
    let running = systems::restart(site, System::InResponse, Mails::Each, sink.address)?;
    columns.add("restart: listens after, s", 3, started.elapsed().as_secs_f64());
    let overdue = usize::try_from(OVERDUE)?;
    let mails = sink.until(overdue, PATIENCE).await;
    let accepted = sink.accepted();
    let (Some(first), true) = (accepted.first(), mails >= overdue) else {
        return Err(format!("of {overdue} overdue mails only {mails} were accepted").into());
    };
    columns.add("restart: first overdue mail after, s", 3, (*first - started).as_secs_f64());
    columns.add("restart: all 1,000 after, s", 3, (accepted[overdue - 1] - started).as_secs_f64());
    at_rest(&running, Instant::now() + PATIENCE).await?;
    columns.add("restart: idle after, s", 1, started.elapsed().as_secs_f64());
    columns.add("restart: processor time until idle, s", 2, running.process.cpu()?.as_secs_f64());
    columns.add("memory when idle, MB", 0, running.process.memory()?);
    Ok(running)
}

async fn calls(running: &Running, sink: &Sink, columns: &mut Columns) -> Result<(), Failure> {
    let quiet = systems::report(System::RecordsOnly, "CRIT");
    let (cpu, begun) = (running.process.cpu()?, Instant::now());
    report_all(running.address, &quiet, PUTS, 64).await?;
    columns.add("5,000 PUTs that alert nobody, a second", 0, PUTS as f64 / begun.elapsed().as_secs_f64());
    let cpu = running.process.cpu()? - cpu;
    columns.add("processor time of these PUTs, s for 1,000", 4, cpu.as_secs_f64() / PUTS as f64 * 1e3);
    let shot = systems::report(System::InResponse, "CRIT");
    let (cpu, begun, mailed) = (running.process.cpu()?, Instant::now(), sink.count());
    report_all(running.address, &shot, PUTS, 64).await?;
    columns.add("5,000 PUTs with an alert each, a second", 0, PUTS as f64 / begun.elapsed().as_secs_f64());
    if sink.until(mailed + PUTS, PATIENCE).await < mailed + PUTS {
        return Err("not all of them were mailed".into());
    }
    let cpu = running.process.cpu()? - cpu;
    columns.add("processor time until all are mailed, s for 1,000", 4, cpu.as_secs_f64() / PUTS as f64 * 1e3);
    at_rest(running, Instant::now() + PATIENCE).await?;

    let mut connection = Connection::open(running.address).await?;
    let (mut puts, mut claims, mut lists, mut numbers) = (vec![], vec![], vec![], vec![]);
    for i in 0..SAMPLES {
        let asked = Instant::now();
        let answer = connection.shoot(&shot, u64::try_from(1_000_000 + i)?).await?;
        puts.push(asked.elapsed());
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        numbers.push(answer["incidentId"].as_u64().ok_or("an answer without a number")?);
    }
    at_rest(running, Instant::now() + PATIENCE).await?;
    let key = [("x-api-key", PEOPLE)];
    for number in numbers {
        let body = r#"{"state":"CLAIMED","by":"jo"}"#.to_owned();
        let asked = Instant::now();
        connection.send("POST", &format!("/incidents/{number}"), &key, body).await?;
        claims.push(asked.elapsed());
        let asked = Instant::now();
        connection.send("GET", "/incidents?state=OPEN&limit=50", &key, String::new()).await?;
        lists.push(asked.elapsed());
    }
    for (took, p50, p99) in [
        (puts, "one PUT after the other, p50, ms", "one PUT after the other, p99, ms"),
        (claims, "claim, p50, ms", "claim, p99, ms"),
        (lists, "list page of 50, p50, ms", "list page of 50, p99, ms"),
    ] {
        let [median, most] = percentiles(took).map(milliseconds);
        columns.add(p50, 3, median);
        columns.add(p99, 3, most);
    }
    columns.add("memory at the end, MB", 0, running.process.memory()?);
    Ok(())
}

/// Measures the size of the database and its log.
fn files(folder: &Path, columns: &mut Columns) -> Result<(), Failure> {
    let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len()) as f64 / 1e6;
    columns.add("database, MB", 1, size("inresponse.db"));
    columns.add("log of the database, MB", 1, size("inresponse.db-wal"));
    Ok(())
}
