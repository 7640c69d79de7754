//! The parts of `cargo xtask test`, in the order in which they are likely to fail.

use std::process::Command;
use std::time::Duration;

use clap::ValueEnum;

use crate::cloud::{Cloud, WITHOUT_ROLES};
use crate::copy;
use crate::emulators::Emulator;
use crate::nextest::{self, Tests, as_built};
use crate::purity::purity;
use crate::sim::OnEmulator;
use crate::steps::{Account, Step, Usual, chosen, minutes};
use crate::tools::{
    Failure, Installing, browser, cargo, cargo_deny, debian, dynoxide, node_modules, postgres, python, root,
    run, strace, target_dir,
};
use crate::{schema, sim, words};

/// The crates that are libraries for others.
const LIBRARIES: [&str; 19] = [
    "inresponse-core",
    "inresponse-api",
    "inresponse-conformance",
    "inresponse-sqlite",
    "inresponse-postgres",
    "inresponse-dynamo",
    "inresponse-mail",
    "inresponse-smtp",
    "inresponse-ses",
    "inresponse-outward",
    "inresponse-webhook",
    "inresponse-push",
    "inresponse-chat",
    "inresponse-command",
    "inresponse-phone",
    "inresponse-http",
    "inresponse-intake",
    "inresponse-calendar",
    "inresponse-client",
];

/// The number of requests generated for each operation, so that the part takes less than a minute.
const SCHEMA_EXAMPLES: u32 = 20;

/// A part of the test command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Checks the formatting of the source.
    Format,
    /// Checks dependencies of crates, log lines, and the edits that plant bugs.
    Purity,
    /// Checks that no file contains a phrase of `xtask/words.txt`.
    Words,
    /// Installs what the tests need.
    Tools,
    /// Runs Clippy with all features, with the default ones, and with none; and the compiler with planted bugs.
    Lints,
    /// Builds tests and programs once.
    Build,
    /// Runs all tests except those that have their own part.
    Tests,
    /// Runs the simulation in memory and on SQLite.
    Simulation,
    /// Runs the simulation on a real PostgreSQL server.
    SimulationOnPostgres,
    /// Takes the functions' permissions away one by one.
    Roles,
    /// Runs the simulation on an emulated DynamoDB, at the same time as the tests in the emulated cloud.
    SimulationOnDynamo,
    /// Tests the server with real monitoring systems.
    Intake,
    /// Tests the server behind proxies.
    Proxies,
    /// Checks the alert rules for Prometheus.
    Rules,
    /// Tests pages and mails in a real browser.
    Browser,
    /// Tests the server with requests generated from the API document.
    Schema,
    /// Runs the examples in the documentation.
    DocTests,
    /// Builds the documentation.
    Docs,
    /// Checks that every library can be packaged.
    Package,
    /// Checks the sources of dependencies and their licences. The tool for this is built while the other parts run.
    Dependencies,
}

impl Step for Part {
    const COMMAND: &'static str = "test";

    fn limit(self) -> Duration {
        match self {
            Self::Format | Self::Purity | Self::Words | Self::Rules | Self::Package => minutes(10),
            Self::Tools | Self::Simulation | Self::SimulationOnPostgres => minutes(30),
            Self::SimulationOnDynamo | Self::Docs => minutes(30),
            Self::Intake | Self::Proxies | Self::Browser | Self::Schema | Self::DocTests => minutes(20),
            Self::Dependencies => minutes(30),
            Self::Lints | Self::Build | Self::Tests | Self::Roles => minutes(45),
        }
    }

    fn needs(self) -> &'static [Self] {
        match self {
            Self::Format | Self::Purity | Self::Words | Self::Tools | Self::Lints | Self::Build => &[],
            Self::Rules | Self::Docs | Self::Package | Self::Dependencies => &[],
            // Each installs what it lacks by itself, so a tool that is missing fails only what needs it.
            Self::Tests | Self::Simulation | Self::SimulationOnPostgres => &[Self::Build],
            Self::Roles | Self::SimulationOnDynamo => &[Self::Build],
            Self::Intake | Self::Proxies | Self::Browser | Self::Schema | Self::DocTests => &[Self::Build],
        }
    }
}

/// Runs these parts, or all parts if none is named. With a filter, only the tests that it selects run.
pub(crate) fn test(named: &[Part], only: Option<&str>) -> Result<(), Failure> {
    let parts = chosen(named, |_| Usual::Run);
    let deny = parts.contains(&Part::Dependencies).then(Installing::cargo_deny).flatten();
    let mut shared = Shared { parts: parts.clone(), only, cloud: None, simulation: None, deny };
    let options = only.map(|only| format!(" --only '{only}'")).unwrap_or_default();
    Account::of(&parts, |part| shared.perform(part)).close(&options)
}

/// The things that several parts use.
struct Shared<'a> {
    parts: Vec<Part>,
    only: Option<&'a str>,
    cloud: Option<Cloud>,
    simulation: Option<Result<OnEmulator, Failure>>,
    deny: Option<Installing>,
}

impl Shared<'_> {
    fn perform(&mut self, part: Part) -> Result<(), Failure> {
        match part {
            Part::Format => run(cargo().args(["fmt", "--all", "--check"])),
            Part::Purity => purity(),
            Part::Words => words::check(),
            Part::Tools => tools(),
            Part::Lints => lints(),
            Part::Build => {
                nextest::install()?;
                nextest::build()
            }
            Part::Tests => self.tests(),
            Part::Simulation => sim::short(),
            Part::SimulationOnPostgres => sim::on_postgres(),
            Part::Roles => {
                let only = self.only;
                if self.parts.contains(&Part::SimulationOnDynamo) {
                    // The emulated cloud leaves the processors idle.
                    self.simulation = Some(sim::on_dynamo());
                }
                let cloud = self.cloud()?;
                let tested = cloud.test_roles(only);
                self.cloud = None;
                tested
            }
            Part::SimulationOnDynamo => self.simulation.take().unwrap_or_else(sim::on_dynamo)?.finish(),
            Part::Intake => intake(self.only),
            Part::Proxies => proxies(self.only),
            Part::Rules => rules(),
            Part::Browser => pages(Pictures::Looked, self.only),
            Part::Schema => schema::check(SCHEMA_EXAMPLES),
            Part::DocTests => run(as_built(cargo().args(["test", "--doc", "--no-fail-fast"]))),
            Part::Docs => docs(),
            Part::Package => package(),
            Part::Dependencies => dependencies(self.deny.take()),
        }
    }

    /// The emulated cloud, with the functions deployed to it.
    fn cloud(&mut self) -> Result<&Cloud, Failure> {
        match &mut self.cloud {
            Some(cloud) => Ok(cloud),
            missing => Ok(missing.insert(Cloud::deploy()?)),
        }
    }

    fn tests(&mut self) -> Result<(), Failure> {
        let (ministack, dynamodb_local) = (Emulator::ministack(&[])?, Emulator::dynamodb_local()?);
        // The real monitoring systems, the browser and the roles come afterwards, by themselves.
        let by_themselves =
            "package(inresponse-server) and (binary(intake) or binary(proxies) or binary(browser))";
        let mut tests = Tests::of(&format!("({WITHOUT_ROLES}) and not ({by_themselves})"), self.only);
        // Most tests wait, for leases, mails and an emulated cloud; which do not says nextest's configuration.
        let threads = std::thread::available_parallelism()?.get() * 2;
        tests.command.args(["--test-threads", &threads.to_string()]);
        tests.command.env("INRESPONSE_TEST_PYTHON", python()?).env("INRESPONSE_TEST_STRACE", strace()?);
        tests.command.env("INRESPONSE_TEST_POSTGRES", postgres()?);
        tests.command.env("INRESPONSE_TEST_MINISTACK", ministack.url());
        tests.command.env("INRESPONSE_TEST_DYNAMODB_LOCAL", dynamodb_local.url());
        tests.command.envs(self.cloud()?.variables());
        tests.run("tests")
    }
}

/// Installs everything at once, so that the times of the other parts are their own.
fn tools() -> Result<(), Failure> {
    nextest::install()?;
    let mut missing = Vec::new();
    let installed: [(&str, Result<(), Failure>); 9] = [
        ("Python's packages", python().map(drop)),
        ("Schemathesis", schema::python().map(drop)),
        ("Node's packages", node_modules().map(drop)),
        ("Debian's monitoring systems", debian().map(drop)),
        ("Debian's proxies", crate::tools::proxies().map(drop)),
        ("PostgreSQL", postgres().map(drop)),
        ("strace", strace().map(drop)),
        ("a browser", browser().map(drop)),
        ("an emulator of DynamoDB", dynoxide().map(drop)),
    ];
    for (what, installed) in installed {
        missing.extend(installed.err().map(|failure| format!("{what}: {failure}")));
    }
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n").into()) }
}

fn lints() -> Result<(), Failure> {
    // All of these runs are made, even if the first one has findings. `--examples` enables the features that tests use,
    // so that less is built again.
    let everything = run(as_built(cargo().args(["clippy", "--all-targets"])).args(["--", "-D", "warnings"]));
    let usual = ["clippy", "--lib", "--bins", "--examples", "--locked"];
    let usual = run(cargo().args(usual).args(["--", "-D", "warnings"]));
    let bare =
        ["clippy", "-p", "inresponse-core", "-p", "inresponse-http", "--no-default-features", "--locked"];
    let bare = run(cargo().args(bare).args(["--", "-D", "warnings"]));
    let planted =
        copy::planted("check", "dev").and_then(|mut check| run(check.args(["-p", "inresponse-sim"])));
    let failures: Vec<_> = [everything, usual, bare, planted].into_iter().filter_map(Result::err).collect();
    match failures.as_slice() {
        [] => Ok(()),
        failures => Err(failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").into()),
    }
}

fn docs() -> Result<(), Failure> {
    run(as_built(cargo().args(["doc", "--no-deps"])).env("RUSTDOCFLAGS", "-D warnings"))
}

/// Checks that every library can be packaged.
fn package() -> Result<(), Failure> {
    let mut command = cargo();
    command.args(["package", "--no-verify", "--allow-dirty", "--locked"]);
    for library in LIBRARIES {
        command.args(["-p", library]);
    }
    run(&mut command)
}

/// Checks the alert rules with Debian's Prometheus.
fn rules() -> Result<(), Failure> {
    let mut check = Command::new(debian()?.join("usr/bin/promtool"));
    run(check.args(["check", "rules"]).arg(root().join("docs/operations/alerts.yml")))
}

/// Tests the server behind proxies that are configured as the docs say.
pub(crate) fn proxies(only: Option<&str>) -> Result<(), Failure> {
    let mut tests = Tests::of("package(inresponse-server) and binary(proxies)", only);
    tests.command.env("INRESPONSE_TEST_PYTHON", python()?);
    tests.command.env("INRESPONSE_TEST_PROXIES", crate::tools::proxies()?);
    tests.run("proxies")
}

/// Checks the sources of dependencies and their licences. Known vulnerabilities are not checked, because that needs a
/// database from elsewhere.
fn dependencies(installing: Option<Installing>) -> Result<(), Failure> {
    installing.map_or(Ok(()), Installing::finish)?;
    run(Command::new(cargo_deny()?).args(["--locked", "check", "bans", "licenses", "sources"]))
}

/// Tests the server with real monitoring systems.
pub(crate) fn intake(only: Option<&str>) -> Result<(), Failure> {
    let mut tests = Tests::of("package(inresponse-server) and binary(intake)", only);
    // One after another, since what is measured should have the machine to itself.
    tests.command.arg("--no-capture");
    tests.command.env("INRESPONSE_TEST_PYTHON", python()?).env("INRESPONSE_TEST_DEBIAN", debian()?);
    tests.run("intake")
}

/// Where the pictures of the browser test are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// The pictures stay in `target/screenshots`, where people can look at them.
    Looked,
    /// The pictures that the docs show are also copied there.
    Kept,
}

/// Tests the pages and the mails in a real browser.
pub(crate) fn pages(pictures: Pictures, only: Option<&str>) -> Result<(), Failure> {
    let ([chromium, chromedriver], python) = (browser()?, python()?);
    let (axe, screenshots) = (node_modules()?.join("axe-core/axe.min.js"), target_dir().join("screenshots"));
    let mut tests = Tests::of("package(inresponse-server) and binary(browser)", only);
    tests.command.args(["--test-threads", "2", "--success-output", "immediate"]);
    tests.command.env("INRESPONSE_TEST_PYTHON", python).env("INRESPONSE_TEST_AXE", axe);
    tests.command.env("INRESPONSE_TEST_CHROMIUM", chromium).env("INRESPONSE_TEST_CHROMEDRIVER", chromedriver);
    tests.command.env("INRESPONSE_TEST_SCREENSHOTS", &screenshots);
    tests.run("browser")?;
    println!("pictures of every page are in {}", screenshots.display());
    match pictures {
        Pictures::Looked => Ok(()),
        Pictures::Kept => crate::pictures::keep(&screenshots, &root().join("docs/pictures")),
    }
}

/// The settings of the crash test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kills {
    pub(crate) kills: u32,
    pub(crate) seed: u64,
}

/// Kills the server in the build of the tests.
pub(crate) fn crash(kills: Kills) -> Result<(), Failure> {
    crash_test(kills)?.run("tests")
}

/// Kills the release build of the server.
pub(crate) fn soak(kills: Kills) -> Result<(), Failure> {
    run(cargo().args(["build", "--release", "-p", "inresponse-server", "--locked"]))?;
    let mut tests = crash_test(kills)?;
    tests.command.env("INRESPONSE_TEST_SERVER", target_dir().join("release/inresponse"));
    tests.run("tests")
}

fn crash_test(Kills { kills, seed }: Kills) -> Result<Tests, Failure> {
    nextest::install()?;
    let mut tests =
        Tests::of("package(inresponse-server) and binary(e2e) and test(/^(crash|accused)::/)", None);
    // The number of kills is given, so the time is not limited.
    tests.command.args(["--profile", "long", "--no-capture"]);
    tests.command.env("INRESPONSE_TEST_PYTHON", python()?).env("INRESPONSE_TEST_STRACE", strace()?);
    tests.command.env("INRESPONSE_TEST_POSTGRES", postgres()?);
    tests.command.env("INRESPONSE_KILLS", kills.to_string()).env("INRESPONSE_SEED", seed.to_string());
    Ok(tests)
}

/// Lets the primary of PostgreSQL die under load, and its standby take over, that many times.
pub(crate) fn failover(failovers: u32) -> Result<(), Failure> {
    nextest::install()?;
    let mut tests = Tests::of("package(inresponse-server) and binary(e2e) and test(/^failover::/)", None);
    tests.command.args(["--profile", "long", "--no-capture"]);
    tests.command.env("INRESPONSE_TEST_PYTHON", python()?).env("INRESPONSE_TEST_POSTGRES", postgres()?);
    tests.command.env("INRESPONSE_FAILOVERS", failovers.to_string());
    tests.run("tests")
}

/// Replaces servers of an older revision under load.
pub(crate) fn rolling(old: Option<&str>) -> Result<(), Failure> {
    nextest::install()?;
    let older = crate::older::server(old)?;
    let mut tests = Tests::of("package(inresponse-server) and binary(e2e) and test(/^rolling::/)", None);
    tests.command.args(["--profile", "long", "--no-capture"]);
    tests.command.env("INRESPONSE_TEST_PYTHON", python()?).env("INRESPONSE_TEST_POSTGRES", postgres()?);
    tests.command.env("INRESPONSE_TEST_OLD_SERVER", older);
    tests.run("tests")
}

/// Tests the server under load, and prints its speed.
pub(crate) fn load(seconds: u64) -> Result<(), Failure> {
    let python = python()?;
    let mut test = cargo();
    test.args([
        "test",
        "--release",
        "-p",
        "inresponse-server",
        "--test",
        "e2e",
        "--locked",
        "--",
        "--nocapture",
    ]);
    test.args(["--test-threads=1", "load::", "attack::"]);
    run(test.env("INRESPONSE_TEST_PYTHON", python).env("INRESPONSE_LOAD_SECONDS", seconds.to_string()))
}
