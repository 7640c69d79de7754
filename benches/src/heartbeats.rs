//! Measures what many heartbeats cost a server, and how soon a miss is told.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::http::Connection;
use crate::measure::{milliseconds, percentiles};
use crate::sink::Sink;
use crate::systems::{self, MONITORING, Mails, PEOPLE, System};
use crate::{Failure, Site, machine};

/// The settings of this benchmark.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// The number of heartbeats that ping.
    #[arg(long, default_value_t = 10_000)]
    heartbeats: u32,
    /// The interval between two pings of each, in seconds.
    #[arg(long, default_value_t = 60)]
    every_seconds: u32,
    /// The number of intervals for which the server is measured.
    #[arg(long, default_value_t = 2)]
    intervals: u32,
    /// The number of further heartbeats that ping once and are then missed, while the others ping.
    #[arg(long, default_value_t = 100)]
    silent: u32,
}

/// The number of connections over which heartbeats ping.
const CONNECTIONS: u32 = 8;
/// The interval of the heartbeats that are missed. They have no grace.
const SILENT_SECONDS: u32 = 20;
/// How long the last miss may take to be told.
const PATIENCE: Duration = Duration::from_secs(60);

/// Heartbeats that ping over one connection until they are stopped; the result is how long each ping took.
struct Pinging {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Vec<Duration>, Failure>>,
}

/// Makes all measurements, and prints the table.
pub(crate) async fn run(site: &Site, plan: Plan) -> Result<(), Failure> {
    let machine = machine::description(&site.work)?;
    let sink = Sink::start(site)?;
    let server = systems::start(site, System::InResponse, Mails::Each, sink.address)?;
    let every = plan.every_seconds;
    define(server.address, "beats", plan.heartbeats, every, every).await?;
    define(server.address, "silent", plan.silent, SILENT_SECONDS, 0).await?;
    eprintln!("{} heartbeats are defined", plan.heartbeats + plan.silent);

    let interval = Duration::from_secs(every.into());
    let begun = Instant::now();
    let pinging = ping_all(server.address, plan, interval, begun);
    // The first interval warms up.
    tokio::time::sleep(interval).await;
    let (cpu, from) = (server.process.cpu()?, Instant::now());
    tokio::time::sleep(interval * plan.intervals).await;
    let (cpu, lasted) = (server.process.cpu()? - cpu, from.elapsed());
    let missed = count_missed(server.address, "beats").await?;
    eprintln!("measured for {lasted:?}");

    // They end while the others ping.
    let mut connection = Connection::open(server.address).await?;
    for i in 0..plan.silent {
        ping(&mut connection, "silent", i).await?;
    }
    tokio::time::sleep(Duration::from_secs(SILENT_SECONDS.into())).await;
    // The server closes connections that were idle for that long.
    let mut connection = Connection::open(server.address).await?;
    let late = told(&mut connection, plan.silent).await?;
    let took = stop(pinging).await?;
    let size: u64 =
        std::fs::read_dir(site.data())?.flatten().flat_map(|f| f.metadata()).map(|m| m.len()).sum();

    let [median, most] = percentiles(took).map(milliseconds);
    let [late_median, _] = percentiles(late.clone()).map(milliseconds);
    let latest = late.iter().max().copied().map(milliseconds).unwrap_or_default();
    println!("SQLite. {machine}; {} at the end.\n", machine::load());
    println!("| {} heartbeats, a ping each every {every} s | |", plan.heartbeats);
    println!("|---|---:|");
    println!("| pings a second | {:.0} |", f64::from(plan.heartbeats) / f64::from(every));
    println!(
        "| processor time, in percent of one core | {:.2} |",
        cpu.as_secs_f64() / lasted.as_secs_f64() * 1e2
    );
    println!("| a ping, p50, ms | {median:.2} |");
    println!("| a ping, p99, ms | {most:.2} |");
    println!("| of these heartbeats, missed | {missed} |");
    println!(
        "| from the due time of {} misses to the accepted mail, p50, ms | {late_median:.0} |",
        plan.silent
    );
    println!("| the same, the latest, ms | {latest:.0} |");
    println!("| memory, MB | {:.0} |", server.process.memory()?);
    println!("| files of the database, MB | {:.1} |", size as f64 / 1e6);
    Ok(())
}

/// Defines heartbeats, by numbered names.
async fn define(
    address: SocketAddr,
    name: &'static str,
    count: u32,
    every: u32,
    grace: u32,
) -> Result<(), Failure> {
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            for i in (first..count).step_by(CONNECTIONS as usize) {
                let body = format!(
                    r#"{{"service":"alerting","severity":"CRIT","everySeconds":{every},"graceSeconds":{grace}}}"#
                );
                let key = [("x-api-key", PEOPLE)];
                connection.send("PUT", &format!("/heartbeats/{name}-{i}"), &key, body).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(defined) = tasks.join_next().await {
        defined??;
    }
    Ok(())
}

/// Pings until it is stopped: each heartbeat once an interval, all evenly spread.
fn ping_all(address: SocketAddr, plan: Plan, interval: Duration, begun: Instant) -> Vec<Pinging> {
    let pinging = (0..CONNECTIONS).map(|first| {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut took = Vec::new();
            for round in 0.. {
                for i in (first..plan.heartbeats).step_by(CONNECTIONS as usize) {
                    let at = interval * round + interval * i / plan.heartbeats;
                    tokio::select! {
                        _ = &mut stopped => return Ok(took),
                        () = tokio::time::sleep_until((begun + at).into()) => {}
                    }
                    let asked = Instant::now();
                    ping(&mut connection, "beats", i).await?;
                    took.push(asked.elapsed());
                }
            }
            Ok(took)
        });
        Pinging { stop, task }
    });
    pinging.collect()
}

async fn stop(pinging: Vec<Pinging>) -> Result<Vec<Duration>, Failure> {
    let mut took = Vec::new();
    for Pinging { stop, task } in pinging {
        let _it_failed = stop.send(());
        took.extend(task.await??);
    }
    Ok(took)
}

async fn ping(connection: &mut Connection, name: &str, i: u32) -> Result<(), Failure> {
    let key = [("x-api-key", MONITORING)];
    connection.send("POST", &format!("/heartbeats/{name}-{i}/ping"), &key, String::new()).await?;
    Ok(())
}

async fn read(connection: &mut Connection, path: &str) -> Result<Value, Failure> {
    let answer = connection.send("GET", path, &[("x-api-key", PEOPLE)], String::new()).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// The number of heartbeats of that name that are missed now.
async fn count_missed(address: SocketAddr, name: &str) -> Result<usize, Failure> {
    let mut connection = Connection::open(address).await?;
    let (mut missed, mut cursor) = (0, String::new());
    loop {
        let page = read(&mut connection, &format!("/heartbeats?limit=500{cursor}")).await?;
        let listed = page["heartbeats"].as_array().ok_or("an answer without heartbeats")?;
        missed += listed
            .iter()
            .filter(|one| one["heartbeat"].as_str().is_some_and(|id| id.starts_with(name)))
            .filter(|one| one["state"] == "missed")
            .count();
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(missed),
        }
    }
}

/// How long after its due time the mail of each miss was accepted.
async fn told(connection: &mut Connection, silent: u32) -> Result<Vec<Duration>, Failure> {
    let mut late = Vec::new();
    let until = Instant::now() + PATIENCE;
    for i in 0..silent {
        late.push(loop {
            if let Some(late) = told_once(connection, i).await? {
                break late;
            }
            if Instant::now() > until {
                return Err(format!("the miss of silent-{i} is not told").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        });
    }
    Ok(late)
}

async fn told_once(connection: &mut Connection, i: u32) -> Result<Option<Duration>, Failure> {
    let heartbeat = read(connection, &format!("/heartbeats/silent-{i}")).await?;
    let miss = &heartbeat["misses"][0];
    // The ping ended an earlier miss if it came after the first interval.
    let (Some(number), true) = (miss["incidentId"].as_u64(), miss["endedAt"].is_null()) else {
        return Ok(None);
    };
    let incident = read(connection, &format!("/incidents/{number}")).await?;
    let first = &incident["deliveries"][0];
    if first["status"] != "accepted" {
        return Ok(None);
    }
    let time = |value: &Value| -> Result<DateTime<Utc>, Failure> {
        Ok(value.as_str().ok_or("an answer without a time")?.parse()?)
    };
    Ok(Some((time(&first["settledAt"])? - time(&miss["dueAt"])?).to_std()?))
}
