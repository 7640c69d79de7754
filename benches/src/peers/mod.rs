//! Compares InResponse with other systems, in turns, in one run.

mod goals;
mod intake;
mod mails;

use clap::{Args, ValueEnum};

use crate::machine;
use crate::systems;
use crate::table::Table;
use crate::wrk;
use crate::{Failure, Site};
use goals::SYSTEMS;

/// The settings of this benchmark: what is measured, and how long.
#[derive(Debug, Clone, Args)]
pub(crate) struct Plan {
    /// The number of times that each system is measured, in turns.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The number of seconds of each run under full load.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Make one short run of each, to test that everything works.
    #[arg(long)]
    quick: bool,
    /// Measure only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

/// A part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Measures one incident a request.
    Puts,
    /// Measures a hundred alerts a request.
    Batches,
    /// Measures the memory with 100,000 open incidents.
    Memory,
    /// Measures the time from report to mail, at a low rate.
    Latency,
    /// Measures ten thousand incidents with a mail each.
    Storm,
    /// Measures claims in a storm.
    Claims,
    /// Measures a critical report behind a storm of lower severity.
    Ahead,
}

/// Makes all measurements, and prints the tables.
pub(crate) async fn run(site: &Site, plan: &Plan) -> Result<(), Failure> {
    let machine = machine::description(&site.work)?;
    let mut plan = plan.clone();
    if plan.quick {
        (plan.runs, plan.seconds) = (1, 3);
    }
    let parts = Part::value_variants().iter().copied();
    let parts: Vec<_> = parts.filter(|part| plan.only.is_empty() || plan.only.contains(part)).collect();
    let mut table = Table::default();
    // The finished measurements are printed even if a later one fails.
    let done = measure(site, &plan, &parts, &mut table).await;
    println!("{machine}; {} at the end.", machine::load());
    println!("Alertmanager {}, {}.\n", systems::alertmanager_version(site)?, wrk::version(site)?);
    println!("{}\n\n{}\n\n{}", table.medians(&SYSTEMS), table.goals(&goals::GOALS), table.all(&SYSTEMS));
    done
}

async fn measure(site: &Site, plan: &Plan, parts: &[Part], table: &mut Table) -> Result<(), Failure> {
    for turn in 1..=plan.runs {
        for part in parts {
            eprintln!("turn {turn} of {}, {part:?}, load average {}", plan.runs, machine::load());
            match part {
                Part::Puts => intake::puts(site, plan.seconds, table)?,
                Part::Batches => intake::batches(site, plan.seconds, table)?,
                Part::Memory => intake::memory(site, table).await?,
                Part::Latency => mails::latency(site, plan.seconds, table).await?,
                Part::Storm => mails::storm(site, table).await?,
                Part::Claims => mails::claims(site, table).await?,
                Part::Ahead => mails::ahead(site, table).await?,
            }
        }
    }
    Ok(())
}
