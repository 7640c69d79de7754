//! Load on whole servers: builds and unpacks what that needs, and starts it.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::{Failure, cargo, output, run, target_dir, unpacked};

/// Runs one of the load driver's commands, with what that needs.
pub(crate) fn bench(command: &str, arguments: &[String]) -> Result<(), Failure> {
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
    run(bench.env("LD_LIBRARY_PATH", folders))
}

/// Libraries that a machine may lack; their names bear their versions.
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

/// Where the unpacked programs find their libraries.
fn library_folders(debian: &std::path::Path) -> Result<Vec<PathBuf>, Failure> {
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
