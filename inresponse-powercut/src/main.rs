//! Cuts the power during writes. `cargo xtask powercuts` builds and calls this program.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use inresponse_powercut::many::many;
use inresponse_powercut::play::Plant;

/// Cuts the power under the store on SQLite, on a simulated disk.
#[derive(Parser)]
#[command(name = "cargo xtask powercuts")]
struct Cli {
    /// The number of power cuts.
    #[arg(long, default_value_t = 10_000)]
    cuts: u64,
    /// The first seed. With `--cuts 1`, only this seed is played.
    #[arg(long, default_value_t = 1)]
    from: u64,
}

fn main() -> ExitCode {
    let Cli { cuts, from } = Cli::parse();
    let threads = if cuts == 1 { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let done = many(from, cuts, threads, Plant::None, &|tally| {
        if tally.databases.is_multiple_of(50) {
            eprint!("\r{} of {cuts} cuts", tally.cuts);
            // If the terminal cannot be written to, nothing needs to be done.
            let _ = std::io::stderr().flush();
        }
    });
    eprintln!();
    match done {
        Ok(tally) => {
            print!("{tally}");
            let missing = tally.missing();
            if !missing.is_empty() {
                println!(
                    "not tested, because these cases never happened (too few cuts?): {}",
                    missing.join("; ")
                );
            }
            println!("no answered write was lost");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("seed {}: {}", failure.seed, failure.what);
            println!("again: cargo xtask powercuts --cuts 1 --from {}", failure.seed);
            ExitCode::FAILURE
        }
    }
}
