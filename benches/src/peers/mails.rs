//! Measures the cost of alerting: mails with text and HTML to one person, through one server that accepts them.

use std::time::{Duration, Instant};

use super::goals::{AHEAD, BEFORE, CLAIM_P50, CLAIM_P99, LATENCY_P50, LATENCY_P99, STORM, STORM_CPU};
use crate::http::{Connection, report_all};
use crate::measure::{milliseconds, percentiles};
use crate::reader::{Mail, Reader};
use crate::sink::Sink;
use crate::systems::{self, Mails, PEOPLE, System};
use crate::table::Table;
use crate::{Failure, Site};

const MAILING: [System; 3] = [System::Alertmanager, System::InResponse, System::OnPostgres];
/// The number of incidents in a storm.
const STORMING: usize = 10_000;
const CONNECTIONS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures the time from the report to the accepted mail, twenty times a second.
pub(super) async fn latency(site: &Site, seconds: u64, table: &mut Table) -> Result<(), Failure> {
    const EVERY: Duration = Duration::from_millis(50);
    // Long enough for a p99.
    let reports = 20 * usize::try_from(seconds * 4)?;
    for system in MAILING {
        let sink = Sink::start(site)?;
        let running = systems::start(site, system, Mails::Each, sink.address)?;
        let shot = systems::report(system, "CRIT");
        let mut connection = Connection::open(running.address).await?;
        // The first ones make connections, and are not counted.
        const SETTLING: usize = 20;
        let (begun, mut reported) = (Instant::now(), Vec::new());
        for i in 0..SETTLING + reports {
            let planned = begun + EVERY * u32::try_from(i)?;
            let wait = planned.saturating_duration_since(Instant::now());
            tokio::time::sleep(wait).await;
            // If a report is late because the previous one took long, its time counts from when it was planned.
            reported.push(if wait.is_zero() { planned } else { Instant::now() });
            connection.shoot(&shot, u64::try_from(i)?).await?;
        }
        let mails = sink.until(reported.len(), PATIENCE).await;
        all_mailed(system, mails, reported.len())?;
        let took = sink.accepted().into_iter().zip(reported).skip(SETTLING);
        let took = took.map(|(accepted, reported)| accepted.saturating_duration_since(reported)).collect();
        let [p50, p99] = percentiles(took);
        eprintln!("latency, {system}: p50 {p50:?}, p99 {p99:?}");
        table.add(LATENCY_P50, system, milliseconds(p50));
        table.add(LATENCY_P99, system, milliseconds(p99));
    }
    Ok(())
}

/// Measures ten thousand reports at once, until the last mail is accepted.
pub(super) async fn storm(site: &Site, table: &mut Table) -> Result<(), Failure> {
    for system in MAILING {
        let sink = Sink::start(site)?;
        let running = systems::start(site, system, Mails::Each, sink.address)?;
        let (begun, cpu) = (Instant::now(), running.process.cpu()?);
        report_all(running.address, &systems::report(system, "CRIT"), STORMING, CONNECTIONS).await?;
        let reported = begun.elapsed();
        let mails = sink.until(STORMING, PATIENCE).await;
        all_mailed(system, mails, STORMING)?;
        let took = sink.accepted()[STORMING - 1] - begun;
        let cpu = running.process.cpu()? - cpu;
        eprintln!("storm, {system}: reported in {reported:.2?}, mailed in {took:.2?}, CPU {cpu:.2?}");
        table.add(STORM, system, STORMING as f64 / took.as_secs_f64());
        table.add(STORM_CPU, system, cpu.as_secs_f64() / STORMING as f64 * 1e3);
    }
    Ok(())
}

/// Measures claims of other incidents, one after the other, while a storm is reported and mailed.
pub(super) async fn claims(site: &Site, table: &mut Table) -> Result<(), Failure> {
    for system in [System::InResponse, System::OnPostgres] {
        claims_of(site, system, table).await?;
    }
    Ok(())
}

async fn claims_of(site: &Site, system: System, table: &mut Table) -> Result<(), Failure> {
    const EVERY: Duration = Duration::from_millis(10);
    let sink = Sink::start(site)?;
    let running = systems::start(site, system, Mails::Each, sink.address)?;
    let mut person = Connection::open(running.address).await?;
    let quiet = systems::report(System::RecordsOnly, "CRIT");
    let first: u64 = 10_000;
    report_all(running.address, &quiet, 2_000, CONNECTIONS).await?;
    let address = running.address;
    let storm = tokio::spawn(async move {
        report_all(address, &systems::report(System::InResponse, "CRIT"), STORMING, CONNECTIONS).await
    });
    let mut took = Vec::new();
    for number in first..first + 2_000 {
        if storm.is_finished() && sink.count() >= STORMING {
            break;
        }
        let claimed = Instant::now();
        let body = r#"{"state":"CLAIMED","by":"jo"}"#.to_owned();
        person.send("POST", &format!("/incidents/{number}"), &[("x-api-key", PEOPLE)], body).await?;
        took.push(claimed.elapsed());
        tokio::time::sleep(EVERY).await;
    }
    storm.await??;
    let claims = took.len();
    let [p50, p99] = percentiles(took);
    eprintln!("claims in a storm, {system}: {claims}, p50 {p50:?}, p99 {p99:?}");
    table.add(CLAIM_P50, system, milliseconds(p50));
    table.add(CLAIM_P99, system, milliseconds(p99));
    Ok(())
}

/// Measures a critical report while ten thousand mails of lower severity wait for the same person.
pub(super) async fn ahead(site: &Site, table: &mut Table) -> Result<(), Failure> {
    const CRITICAL: u64 = 20;
    const EVERY: Duration = Duration::from_millis(50);
    let reader = Reader::start()?;
    let running = systems::start(site, System::InResponse, Mails::Each, reader.address)?;
    report_all(running.address, &systems::report(System::InResponse, "WARN"), STORMING, CONNECTIONS).await?;
    let mailed = reader.count();
    let (shot, mut connection) =
        (systems::report(System::InResponse, "CRIT"), Connection::open(running.address).await?);
    let (mut reported, first) = (Vec::new(), 1_000_000);
    for number in first..first + CRITICAL {
        reported.push((number, Instant::now()));
        connection.shoot(&shot, number).await?;
        tokio::time::sleep(EVERY).await;
    }
    let (until, all) = (Instant::now() + PATIENCE, STORMING + reported.len());
    while reader.count() < all && Instant::now() < until {
        tokio::time::sleep(EVERY).await;
    }
    all_mailed(System::InResponse, reader.count(), all)?;
    let (mails, mut took, mut before) = (reader.mails(), Vec::new(), Vec::new());
    for (number, at) in reported {
        let title = systems::title(number);
        let mail = mails.iter().find(|m| m.subject.ends_with(&title)).ok_or("a mail without its title")?;
        let overtaken =
            |m: &&Mail| m.subject.contains("WARN") && m.accepted > at && m.accepted < mail.accepted;
        before.push(mails.iter().filter(overtaken).count());
        took.push(mail.accepted.saturating_duration_since(at));
    }
    before.sort_unstable();
    let (before, [took, longest]) = (before[before.len() / 2], percentiles(took));
    eprintln!(
        "critical behind a storm of which {mailed} were mailed: {took:?}, {longest:?}, {before} before it"
    );
    table.add(AHEAD, System::InResponse, milliseconds(took));
    table.add(BEFORE, System::InResponse, before as f64);
    Ok(())
}

fn all_mailed(system: System, mails: usize, reported: usize) -> Result<(), Failure> {
    if mails >= reported {
        return Ok(());
    }
    Err(format!("{system}: of {reported} mails only {mails} were accepted in {PATIENCE:?}").into())
}
