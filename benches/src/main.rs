//! Load on whole servers: InResponse next to its peers, and next to itself with more incidents open.
//!
//! `cargo xtask bench peers` and `cargo xtask bench scale` build and unpack what this needs.

#![expect(clippy::disallowed_methods, reason = "it measures")]

mod empty;
mod http;
mod machine;
mod measure;
mod peers;
mod process;
mod reader;
mod scale;
mod sink;
mod site;
mod systems;
mod table;
mod wrk;

use std::net::SocketAddr;

use clap::{Parser, Subcommand};

use site::{Failure, Site};

/// Load on whole servers.
#[derive(Parser)]
#[command(name = "inresponse-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// InResponse next to Alertmanager and an empty server.
    Peers {
        #[command(flatten)]
        site: Site,
        #[command(flatten)]
        plan: peers::Plan,
    },
    /// InResponse with few and with very many incidents open.
    Scale {
        #[command(flatten)]
        site: Site,
        #[command(flatten)]
        plan: scale::Plan,
    },
    /// The empty server: it reads a body and answers 201.
    Empty {
        /// Where it listens.
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
        Command::Empty { listen } => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(empty::serve(listen))
        }
    }
}
