//! Puts load on whole servers: compares InResponse with other systems, and with itself with more incidents.
//!
//! `cargo xtask bench peers`, `bench scale`, `bench heartbeats` and `bench storm` build and unpack everything that is needed.

#![expect(clippy::disallowed_methods, reason = "it measures")]

mod empty;
mod heartbeats;
mod http;
mod machine;
mod measure;
mod peers;
mod process;
mod reader;
mod scale;
mod sink;
mod site;
mod storm;
mod systems;
mod table;
mod wrk;

use std::net::SocketAddr;

use clap::{Parser, Subcommand};

use site::{Failure, Site};

/// Put load on whole servers.
#[derive(Parser)]
#[command(name = "inresponse-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare InResponse with Alertmanager and an empty server.
    Peers {
        #[command(flatten)]
        site: Site,
        #[command(flatten)]
        plan: peers::Plan,
    },
    /// Compare InResponse with few and with very many open incidents.
    Scale {
        #[command(flatten)]
        site: Site,
        #[command(flatten)]
        plan: scale::Plan,
    },
    /// Measure what many heartbeats cost, and how soon misses are told.
    Heartbeats {
        #[command(flatten)]
        site: Site,
        #[command(flatten)]
        plan: heartbeats::Plan,
    },
    /// Measure thousands of incidents at once for a few people: bundled, and with a mail for each.
    Storm {
        #[command(flatten)]
        site: Site,
        #[command(flatten)]
        plan: storm::Plan,
    },
    /// Run the empty server: it reads a body and answers 201.
    Empty {
        /// The address to listen on.
        listen: SocketAddr,
    },
}

fn main() -> Result<(), Failure> {
    process::end_together()?;
    match Cli::parse().command {
        Command::Peers { site, plan } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(peers::run(&site, &plan))
        }
        Command::Scale { site, plan } => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(scale::run(&site, &plan))
        }
        Command::Heartbeats { site, plan } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(heartbeats::run(&site, plan))
        }
        Command::Storm { site, plan } => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(storm::run(&site, plan))
        }
        Command::Empty { listen } => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(empty::serve(listen))
        }
    }
}
