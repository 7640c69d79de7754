//! Runs coverage-guided fuzzing on the stable toolchain.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tools::{Failure, cargo, output, root, run, target_dir};

/// The compiler flags that instrument the code for libFuzzer, as cargo-fuzz uses them.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// Runs the named targets, or all of them, each for that long, and prints the number of executions.
pub(crate) fn fuzz(seconds: u64, named: &[String]) -> Result<(), Failure> {
    let package = root().join("inresponse-fuzz");
    let mut targets: Vec<String> = Vec::new();
    for folder in std::fs::read_dir(package.join("corpus"))? {
        targets.push(folder?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    if let Some(unknown) = named.iter().find(|name| !targets.contains(name)) {
        return Err(format!("there is no target {unknown}; the targets are {}", targets.join(", ")).into());
    }
    targets.retain(|target| named.is_empty() || named.contains(target));
    let binary = build()?;
    let mut table = Vec::new();
    for target in &targets {
        table.push((target, one(&binary, &package, target, seconds)?));
    }
    println!("\n| target | executions | a second | kept inputs |\n|---|---|---|---|");
    let mut all = 0;
    for (target, statistics) in &table {
        let figure = |name: &str| statistics.get(name).copied().unwrap_or_default();
        let (executed, speed) = (figure("number_of_executed_units"), figure("average_exec_per_sec"));
        all += executed;
        println!("| {target} | {executed} | {speed} | {} |", figure("new_units_added"));
    }
    println!("| all | {all} | | |");
    Ok(())
}

/// Builds the fuzzer with instrumented code. Build scripts and macros are not instrumented, because a target is named.
fn build() -> Result<PathBuf, Failure> {
    let host = output(Command::new("rustc").args(["--print", "host-tuple"]))?.trim().to_owned();
    let folder = target_dir().join("fuzz");
    let mut build = cargo();
    build.args(["build", "--locked", "-p", "inresponse-fuzz", "--features", "engine", "--profile", "fuzz"]);
    build.args(["--bin", "inresponse-fuzz", "--target", &host]).arg("--target-dir").arg(&folder);
    run(build.env("RUSTFLAGS", INSTRUMENTED)).map_err(|e| format!("{e}\nFuzzing needs a C++ compiler"))?;
    Ok(folder.join(host).join("fuzz/inresponse-fuzz"))
}

/// Runs one target and reads its statistics.
fn one(binary: &Path, package: &Path, target: &str, seconds: u64) -> Result<BTreeMap<String, u64>, Failure> {
    let folder = target_dir().join("fuzz/found").join(target);
    let (inputs, log) = (folder.join("inputs"), folder.join("log.txt"));
    std::fs::create_dir_all(&inputs)?;
    let mut command = Command::new(binary);
    command.arg(&inputs).arg(package.join("corpus").join(target)).current_dir(&folder);
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-artifact_prefix={}/", folder.display()));
    command.arg(format!("-dict={}", package.join("words.dict").display()));
    command.args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    command.env("INRESPONSE_FUZZ_TARGET", target).env("RUST_BACKTRACE", "1");
    println!("fuzzing {target} for {seconds} s; its log: {}", log.display());
    let status = command.stdout(Stdio::null()).stderr(std::fs::File::create(&log)?).status()?;
    let text = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    if !status.success() {
        let told: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let end = told[told.len().saturating_sub(60)..].join("\n");
        return Err(format!("{end}\n{target} found something, see {}", folder.display()).into());
    }
    let statistics = text.lines().filter_map(|line| line.strip_prefix("stat::")?.split_once(':'));
    Ok(statistics.filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?))).collect())
}
