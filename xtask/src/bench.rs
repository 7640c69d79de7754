//! Runs the benchmarks: builds, unpacks and starts what they need.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Subcommand;

use crate::counts::{self, Counts};
use crate::emulators::Emulator;
use crate::tools::{Failure, cargo, installed, output, postgres, run, target_dir, unpacked};

/// A benchmark.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Put load on the server, next to Alertmanager and an empty server; `--help` lists the options.
    #[command(disable_help_flag = true)]
    Peers {
        /// Options for the load driver.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Compare the server with few and with very many open incidents; `--help` lists the options.
    #[command(disable_help_flag = true)]
    Scale {
        /// Options for the load driver.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure what 10,000 heartbeats cost, and how soon misses are told; `--help` lists the options.
    #[command(disable_help_flag = true)]
    Heartbeats {
        /// Options for the load driver.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure 10,000 incidents in 10 s for three people, bundled and with a mail for each; `--help` lists the options.
    #[command(disable_help_flag = true)]
    Storm {
        /// Options for the load driver.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Count the instructions of the released server for one report, and those of the hot paths, next to the previous
    /// run.
    Counts(Counts),
    /// Measure each store's create, commit, repeat, census and query of due incidents; DynamoDB's in an emulator.
    Stores {
        /// Measure the census with 20,000 open incidents and not with a million.
        #[arg(long)]
        quick: bool,
    },
}

pub(crate) fn bench(what: &Bench) -> Result<(), Failure> {
    match what {
        Bench::Peers { arguments } => load("peers", arguments),
        Bench::Scale { arguments } => load("scale", arguments),
        Bench::Heartbeats { arguments } => load("heartbeats", arguments),
        Bench::Storm { arguments } => load("storm", arguments),
        Bench::Counts(what) => counts(*what),
        Bench::Stores { quick } => stores(if *quick { QUICK } else { FULL }),
    }
}

fn counts(what: Counts) -> Result<(), Failure> {
    let found = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        return Err("instructions are counted by valgrind; on Debian: apt-get install valgrind".into());
    }
    counts::count(what)?;
    let runner = installed("gungraun-runner", "0.20.0", "gungraun-runner", &[])?;
    let bench = ["bench", "-p", "inresponse-benches", "--bench", "counts", "--locked"];
    run(cargo().args(bench).env("GUNGRAUN_RUNNER", runner))
}

/// The number of open incidents with which the census is measured.
const FULL: u32 = 1_000_000;
const QUICK: u32 = 20_000;

fn stores(open: u32) -> Result<(), Failure> {
    let dynamodb = Emulator::dynoxide()?;
    let mut bench = cargo();
    bench.args([
        "bench",
        "-p",
        "inresponse-benches",
        "--bench",
        "stores",
        "--features",
        "dynamo",
        "--locked",
    ]);
    bench.env("INRESPONSE_TEST_POSTGRES", postgres()?).env("INRESPONSE_BENCH_OPEN", open.to_string());
    bench.env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url()).env("AWS_REGION", "eu-central-1");
    run(bench.env("AWS_ACCESS_KEY_ID", "bench").env("AWS_SECRET_ACCESS_KEY", "bench"))
}

/// Runs one of the load driver's commands, with what it needs.
fn load(command: &str, arguments: &[String]) -> Result<(), Failure> {
    // Each by itself, so that the server is built with its own features and no others.
    for package in ["inresponse-server", "inresponse-benches"] {
        run(cargo().args(["build", "--release", "--bins", "-p", package, "--locked"]))?;
    }
    let debian = unpacked("debian-bench", &["prometheus-alertmanager", "wrk", "postfix"], libraries)?;
    let work = target_dir().join("bench");
    std::fs::create_dir_all(&work)?;
    let mut bench = Command::new(target_dir().join("release/inresponse-bench"));
    bench.arg(command).arg("--server").arg(target_dir().join("release/inresponse"));
    bench.arg("--debian").arg(&debian).arg("--work").arg(work).args(arguments);
    let folders = std::env::join_paths(library_folders(&debian)?)?;
    run(bench.env("LD_LIBRARY_PATH", folders).env("INRESPONSE_TEST_POSTGRES", postgres()?))
}

/// The Debian packages of libraries that a machine may lack. The packages' names contain versions.
fn libraries() -> Vec<String> {
    let mut command = Command::new("apt-cache");
    command.args(["depends", "--no-recommends", "--no-suggests", "wrk", "postfix"]);
    let needed = output(&mut command).unwrap_or_default();
    let names =
        needed.lines().filter_map(|line| line.trim_start_matches([' ', '|']).strip_prefix("Depends: "));
    let mut names: Vec<_> = names.filter(|name| name.starts_with("lib")).map(str::to_owned).collect();
    // The system's own, and one of two that take each other's place.
    names.retain(|name| !matches!(name.as_str(), "libc6" | "libluajit2-5.1-2"));
    names.dedup();
    names
}

/// The folders in which the unpacked programs find their libraries.
fn library_folders(debian: &Path) -> Result<Vec<PathBuf>, Failure> {
    let lib = debian.join("usr/lib");
    let mut folders = vec![lib.join("postfix")];
    for entry in std::fs::read_dir(lib)? {
        let path = entry?.path();
        if path.to_string_lossy().contains("-linux-") {
            folders.push(path);
        }
    }
    Ok(folders)
}
