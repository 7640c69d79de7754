//! Measures a storm: thousands of incidents at once for three people, bundled, and with a mail for each.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http::Connection;
use crate::measure::{milliseconds, percentiles};
use crate::sink::Sink;
use crate::systems::{self, MONITORING, PEOPLE, TEXT};
use crate::{Failure, Site, machine};

/// The settings of this benchmark.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Plan {
    /// The number of incidents.
    #[arg(long, default_value_t = 10_000)]
    incidents: u32,
    /// The number of services that report them.
    #[arg(long, default_value_t = 50)]
    services: u32,
    /// The time in which they are reported, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
}

/// Who is on call, each for a third of the services.
const PEOPLE_ON_CALL: [&str; 3] = ["ann", "bob", "cem"];
/// The number of connections over which incidents are reported and read.
const CONNECTIONS: u32 = 16;
/// How long everybody may take to be told.
const PATIENCE: Duration = Duration::from_secs(300);

/// What was measured once.
#[derive(Debug)]
struct Measured {
    /// The number of messages to each person.
    messages: Vec<usize>,
    /// How many deliveries are named in no message, and in more than one.
    missing: usize,
    repeated: usize,
    /// How many deliveries are accepted after exactly one attempt.
    accepted_once: usize,
    /// From the first report to the first accepted message.
    first: Duration,
    /// From the first report to the last accepted message.
    all: Duration,
    /// From the report of an incident to its accepted message: median and 99th percentile.
    crit: [Duration; 2],
    warn: [Duration; 2],
    /// How long a report took: median and 99th percentile.
    put: [Duration; 2],
    /// The processor time of the server, from the first report until everybody was told.
    cpu: Duration,
    memory: f64,
}

/// An incident as it was at the end.
struct Told {
    is_crit: bool,
    delivery: String,
    attempts: u64,
    reported: DateTime<Utc>,
    accepted: DateTime<Utc>,
}

/// Makes all measurements, and prints the table.
pub(crate) async fn run(site: &Site, plan: Plan) -> Result<(), Failure> {
    let machine = machine::description(&site.work)?;
    let bundled = storm(site, plan, 5).await?;
    let single = storm(site, plan, 0).await?;
    println!("SQLite, mail. {machine}; {} at the end.\n", machine::load());
    println!(
        "| {} incidents of {} services in {} s for {} contacts | bundled | a mail each |",
        plan.incidents,
        plan.services,
        plan.seconds,
        PEOPLE_ON_CALL.len()
    );
    println!("|---|---:|---:|");
    let row = |what: &str, of: &dyn Fn(&Measured) -> String| {
        println!("| {what} | {} | {} |", of(&bundled), of(&single));
    };
    let pair = |pair: [Duration; 2]| pair.map(|time| format!("{:.0}", milliseconds(time))).join(", ");
    row("messages to each contact", &|m| {
        m.messages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    });
    row("deliveries accepted after one attempt", &|m| m.accepted_once.to_string());
    row("deliveries in no message", &|m| m.missing.to_string());
    row("deliveries in several messages", &|m| m.repeated.to_string());
    row("first message after the first report, ms", &|m| format!("{:.0}", milliseconds(m.first)));
    row("all told after the first report, s", &|m| format!("{:.1}", m.all.as_secs_f64()));
    row("a CRIT, from report to accepted, p50 and p99, ms", &|m| pair(m.crit));
    row("a WARN, from report to accepted, p50 and p99, ms", &|m| pair(m.warn));
    row("a report, p50 and p99, ms", &|m| m.put.map(|time| format!("{:.2}", milliseconds(time))).join(", "));
    row("processor time of the server, s", &|m| format!("{:.2}", m.cpu.as_secs_f64()));
    row("memory of the server, MB", &|m| format!("{:.0}", m.memory));
    Ok(())
}

/// One storm on a new server. `singles` is the number of single alerts a minute; 0 bundles nothing.
async fn storm(site: &Site, plan: Plan, singles: u32) -> Result<Measured, Failure> {
    let folder = systems::empty_folder(site)?;
    let mails = folder.join("mails");
    let sink = Sink::keeping(site, &mails)?;
    let server = systems::start_inresponse(site, &config(plan), singles, sink.address)?;
    let before = server.process.cpu()?;
    let begun = Utc::now();
    let put = report_all(server.address, plan).await?;
    until_told(server.address, plan).await?;
    let cpu = server.process.cpu()? - before;
    let memory = server.process.memory()?;
    let told = read_all(server.address, plan).await?;
    let named = named(&mails)?;
    let since = |at: DateTime<Utc>| (at - begun).to_std().unwrap_or_default();
    let took = |is_crit: bool| {
        let of = told.iter().filter(|told| told.is_crit == is_crit);
        percentiles(of.map(|told| (told.accepted - told.reported).to_std().unwrap_or_default()).collect())
    };
    let times = |told: &Told| named.deliveries.get(&told.delivery).copied().unwrap_or_default();
    Ok(Measured {
        messages: PEOPLE_ON_CALL.iter().map(|name| named.to(&address(name))).collect(),
        missing: told.iter().filter(|told| times(told) == 0).count(),
        repeated: told.iter().filter(|told| times(told) > 1).count(),
        accepted_once: told.iter().filter(|told| told.attempts == 1).count(),
        first: told.iter().map(|told| since(told.accepted)).min().unwrap_or_default(),
        all: told.iter().map(|told| since(told.accepted)).max().unwrap_or_default(),
        crit: took(true),
        warn: took(false),
        put: percentiles(put),
        cpu,
        memory,
    })
}

fn address(name: &str) -> String {
    format!("{name}@example.org")
}

/// Three teams with one person each, and their services.
fn config(plan: Plan) -> String {
    let days = [-1, 0, 1].map(|day| (Utc::now() + TimeDelta::days(day)).date_naive());
    let mut config = format!(
        "[[keys]]\nname = \"monitoring\"\nkey = \"{MONITORING}\"\nscopes = [\"report\"]\n\
         [[keys]]\nname = \"people\"\nkey = \"{PEOPLE}\"\nscopes = [\"respond\", \"admin\"]\n\
         [roster.services]\n"
    );
    for service in 0..plan.services {
        let owner = PEOPLE_ON_CALL[service as usize % PEOPLE_ON_CALL.len()];
        config += &format!("service-{service} = \"{owner}\"\n");
    }
    for name in PEOPLE_ON_CALL {
        config += &format!("[roster.teams.{name}]\nfallback = [\"ops@example.org\"]\n");
        for day in days {
            config += &format!("calendar.\"{day}\" = {{ oncall = \"{}\" }}\n", address(name));
        }
    }
    config
}

/// Reports all incidents, evenly spread. Returns how long each report took.
async fn report_all(server: SocketAddr, plan: Plan) -> Result<Vec<Duration>, Failure> {
    let begun = Instant::now();
    let all = Duration::from_secs(plan.seconds.into());
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        tasks.spawn(async move {
            let mut connection = Connection::open(server).await?;
            let mut took = Vec::new();
            for i in (first..plan.incidents).step_by(CONNECTIONS as usize) {
                tokio::time::sleep_until((begun + all * i / plan.incidents).into()).await;
                let report = json!({
                    "service": format!("service-{}", i % plan.services),
                    "severity": if i % 4 == 0 { "CRIT" } else { "WARN" },
                    "title": format!("5xx error spike {i}"),
                    "message": TEXT,
                });
                let asked = Instant::now();
                connection
                    .send("PUT", "/incidents", &[("x-api-key", MONITORING)], report.to_string())
                    .await?;
                took.push(asked.elapsed());
            }
            Ok::<_, Failure>(took)
        });
    }
    let mut took = Vec::new();
    while let Some(reported) = tasks.join_next().await {
        took.extend(reported??);
    }
    Ok(took)
}

/// Waits until a message about each incident was accepted.
async fn until_told(server: SocketAddr, plan: Plan) -> Result<(), Failure> {
    let mut connection = Connection::open(server).await?;
    let until = Instant::now() + PATIENCE;
    loop {
        let metrics = connection.send("GET", "/metrics", &[("x-api-key", PEOPLE)], String::new()).await?;
        let metrics = String::from_utf8_lossy(&metrics);
        let accepted = metrics.lines().filter(|line| {
            line.starts_with("inresponse_deliveries_total{") && line.contains("outcome=\"accepted\"")
        });
        let counts = accepted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        let accepted: f64 = counts.sum();
        if accepted >= f64::from(plan.incidents) {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(format!("only {accepted} of {} incidents were told", plan.incidents).into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Reads all incidents.
async fn read_all(server: SocketAddr, plan: Plan) -> Result<Vec<Told>, Failure> {
    const FIRST: u32 = 10_000;
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        tasks.spawn(async move {
            let mut connection = Connection::open(server).await?;
            let mut told = Vec::new();
            for i in (first..plan.incidents).step_by(CONNECTIONS as usize) {
                let path = format!("/incidents/{}", FIRST + i);
                let read = connection.send("GET", &path, &[("x-api-key", PEOPLE)], String::new()).await?;
                told.push(read_one(&serde_json::from_slice(&read)?)?);
            }
            Ok::<_, Failure>(told)
        });
    }
    let mut told = Vec::new();
    while let Some(read) = tasks.join_next().await {
        told.extend(read??);
    }
    Ok(told)
}

fn read_one(incident: &Value) -> Result<Told, Failure> {
    let [delivery] = incident["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default() else {
        return Err(format!("not one delivery: {incident}").into());
    };
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("an answer without a text");
    Ok(Told {
        is_crit: incident["severity"] == "CRIT",
        delivery: text(&delivery["deliveryId"])?,
        attempts: delivery["attempts"].as_u64().ok_or("an answer without attempts")?,
        reported: text(&incident["createdAt"])?.parse()?,
        accepted: text(&delivery["settledAt"])?.parse()?,
    })
}

/// What the mails say.
#[derive(Debug, Default)]
struct Named {
    /// The number of mails to each address.
    to: HashMap<String, usize>,
    /// The number of mails in which each delivery is named.
    deliveries: HashMap<String, usize>,
}

impl Named {
    /// Adds what one mail says.
    fn add(&mut self, mail: &str) {
        let mut ids: Option<String> = None;
        for line in mail.lines() {
            if let (Some(ids), Some(more)) = (&mut ids, line.strip_prefix([' ', '\t'])) {
                ids.push(' ');
                ids.push_str(more.trim());
                continue;
            }
            self.count(ids.take());
            if let Some(to) = line.strip_prefix("X-Rcpt-Args: ") {
                let to = to.trim_matches(['<', '>', ' ']);
                *self.to.entry(to.to_owned()).or_default() += 1;
            }
            ids = line.strip_prefix("X-InResponse-Delivery: ").map(str::to_owned);
        }
        self.count(ids);
    }

    fn count(&mut self, ids: Option<String>) {
        for id in ids.unwrap_or_default().split([',', ' ']).filter(|id| !id.is_empty()) {
            *self.deliveries.entry(id.to_owned()).or_default() += 1;
        }
    }

    fn to(&self, address: &str) -> usize {
        self.to.get(address).copied().unwrap_or_default()
    }
}

/// Reads the recipients and the headers `X-InResponse-Delivery` of all mails in a folder.
fn named(mails: &Path) -> Result<Named, Failure> {
    let mut named = Named::default();
    for mail in std::fs::read_dir(mails)? {
        named.add(&String::from_utf8_lossy(&std::fs::read(mail?.path())?));
    }
    Ok(named)
}
