//! Everything that CI runs, in the order in which it is likely to fail.

use std::process::Command;

use crate::cloud::{Cloud, WITHOUT_ROLES};
use crate::emulators::Emulator;
use crate::tools::{
    Failure, browser, cargo, debian, nextest, node_modules, output, python, root, run, strace, target_dir,
};
use crate::{schema, sim};

/// The crates that are libraries for others.
const LIBRARIES: [&str; 11] = [
    "inresponse-core",
    "inresponse-conformance",
    "inresponse-sqlite",
    "inresponse-dynamo",
    "inresponse-mail",
    "inresponse-smtp",
    "inresponse-ses",
    "inresponse-webhook",
    "inresponse-http",
    "inresponse-intake",
    "inresponse-client",
];

/// The server with DynamoDB and SES.
const SERVER_ON_AWS: &str = "inresponse-server/aws";

/// How many requests are made up for each operation, so that it takes less than a minute.
const SCHEMA_EXAMPLES: u32 = 20;

pub(crate) fn everything() -> Result<(), Failure> {
    nextest()?;
    let (python, strace) = (python()?, strace()?);
    run(cargo().args(["fmt", "--all", "--check"]))?;
    purity()?;
    let on_aws = [SERVER_ON_AWS, sim::ON_DYNAMO].join(",");
    let lints = ["clippy", "--workspace", "--all-targets", "--features", &on_aws, "--locked"];
    run(cargo().args(lints).args(["--", "-D", "warnings"]))?;
    for (package, features) in [
        ("inresponse-core", ""),
        ("inresponse-http", ""),
        ("inresponse-server", ""),
        ("inresponse-sim", "planted-bugs"),
    ] {
        let alone = ["clippy", "-p", package, "--no-default-features", "--features", features, "--locked"];
        run(cargo().args(alone).args(["--", "-D", "warnings"]))?;
    }
    let (ministack, dynamodb_local) = (Emulator::ministack(&[])?, Emulator::dynamodb_local()?);
    let cloud = Cloud::deploy()?;
    // The real monitoring systems, the browser and the roles come afterwards, by themselves.
    let by_themselves = "package(inresponse-server) and (binary(intake) or binary(browser))";
    let alone = format!("({WITHOUT_ROLES}) and not ({by_themselves})");
    // The server as most people build it; then, of the same crates, only server and simulation are built anew.
    let server = "package(inresponse-server) and (binary(aws) or kind(bin))";
    // Most tests wait, for leases, mails and an emulated cloud; which do not says nextest's configuration.
    let threads = std::thread::available_parallelism()?.get() * 2;
    for options in [&["-E", alone.as_str()][..], &["--features", &on_aws, "-E", server]] {
        let mut tests = cargo();
        tests.args(["nextest", "run", "--workspace", "--locked"]).args(options);
        tests.args(["--test-threads", &threads.to_string()]);
        tests.env("INRESPONSE_TEST_PYTHON", &python).env("INRESPONSE_TEST_MINISTACK", ministack.url());
        tests.env("INRESPONSE_TEST_DYNAMODB_LOCAL", dynamodb_local.url());
        tests.env("INRESPONSE_TEST_STRACE", &strace);
        run(tests.envs(cloud.variables()))?;
    }
    // Before anything builds the simulation anew without DynamoDB.
    let simulated = sim::short()?;
    // Waits for the emulated cloud most of the time.
    cloud.test_roles()?;
    simulated.finish()?;
    drop((ministack, dynamodb_local, cloud));
    intake()?;
    rules()?;
    pages(Pictures::Looked)?;
    schema::check(SCHEMA_EXAMPLES)?;
    run(cargo().args(["test", "--doc", "--workspace", "--locked"]))?;
    run(cargo().args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    package()?;
    println!("\neverything passed");
    Ok(())
}

/// Every library can be packaged.
fn package() -> Result<(), Failure> {
    let mut command = cargo();
    command.args(["package", "--no-verify", "--allow-dirty", "--locked"]);
    for library in LIBRARIES {
        command.args(["-p", library]);
    }
    run(&mut command)
}

/// The core depends on no adapter's world, and on tokio only by choice; translation depends on neither; the default
/// build on nothing of AWS.
pub(crate) fn purity() -> Result<(), Failure> {
    const NEVER: [&str; 14] = [
        "axum",
        "hyper",
        "http",
        "reqwest",
        "rusqlite",
        "libsqlite3-sys",
        "sqlx",
        "lettre",
        "rustls",
        "native-tls",
        "openssl",
        "lambda_runtime",
        "aws-config",
        "aws-smithy-runtime",
    ];
    println!("\nwhat the core depends on:");
    for (features, also) in [(&["--no-default-features"][..], Some("tokio")), (&["--all-features"][..], None)]
    {
        let mut tree = cargo();
        tree.args(["tree", "-p", "inresponse-core", "--edges", "normal", "--prefix", "none", "--locked"]);
        tree.args(["--format", "{p}"]).args(features);
        let tree = output(&mut tree)?;
        let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        println!("  {}: {} crates", features.join(" "), names.len());
        if let Some(found) = names.iter().find(|name| NEVER.contains(name) || also == Some(**name)) {
            return Err(format!("inresponse-core must not depend on {found} (with {features:?})").into());
        }
    }
    let mut tree = cargo();
    tree.args(["tree", "-p", "inresponse-intake", "--edges", "normal", "--prefix", "none", "--locked"]);
    let tree = output(tree.args(["--format", "{p}"]))?;
    let mut names = tree.lines().filter_map(|line| line.split(' ').next());
    if let Some(found) = names.find(|name| NEVER.contains(name) || *name == "tokio") {
        return Err(format!("inresponse-intake must not depend on {found}").into());
    }
    without_aws()
}

/// What is built unless a package is named needs nothing of AWS. (Its TLS library is called `aws-lc` and is not meant.)
fn without_aws() -> Result<(), Failure> {
    let tree = output(cargo().args(["tree", "--edges", "normal,build", "--prefix", "none", "--locked"]))?;
    let is_aws =
        |line: &&str| ["aws-sdk-", "aws-smithy-", "aws-config "].iter().any(|name| line.starts_with(name));
    match tree.lines().find(is_aws) {
        Some(found) => Err(format!("the default build must not depend on {found}").into()),
        None => Ok(()),
    }
}

/// The alert rules hold for the Prometheus that Debian has.
fn rules() -> Result<(), Failure> {
    let mut check = Command::new(debian()?.join("usr/bin/promtool"));
    run(check.args(["check", "rules"]).arg(root().join("docs/operations/alerts.yml")))
}

/// Real monitoring systems, and what they are seen to do.
pub(crate) fn intake() -> Result<(), Failure> {
    let (python, debian) = (python()?, debian()?);
    let mut test = cargo();
    test.args(["test", "-p", "inresponse-server", "--test", "intake", "--locked", "--", "--nocapture"]);
    // One after another, since what is measured should have the machine to itself.
    test.arg("--test-threads=1");
    run(test.env("INRESPONSE_TEST_PYTHON", python).env("INRESPONSE_TEST_DEBIAN", debian))
}

/// What becomes of the pictures that the browser's test takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// They are under `target/screenshots`, to be looked at.
    Looked,
    /// The ones that the docs show are put there as well.
    Kept,
}

/// The pages and the mails in a real browser.
pub(crate) fn pages(pictures: Pictures) -> Result<(), Failure> {
    let ([chromium, chromedriver], python) = (browser()?, python()?);
    let (axe, screenshots) = (node_modules()?.join("axe-core/axe.min.js"), target_dir().join("screenshots"));
    let mut test = cargo();
    test.args(["test", "-p", "inresponse-server", "--test", "browser", "--locked", "--", "--nocapture"]);
    test.args(["--test-threads=2"]).env("INRESPONSE_TEST_PYTHON", python).env("INRESPONSE_TEST_AXE", axe);
    test.env("INRESPONSE_TEST_CHROMIUM", chromium).env("INRESPONSE_TEST_CHROMEDRIVER", chromedriver);
    run(test.env("INRESPONSE_TEST_SCREENSHOTS", &screenshots))?;
    println!("pictures of every page are in {}", screenshots.display());
    match pictures {
        Pictures::Looked => Ok(()),
        Pictures::Kept => crate::pictures::keep(&screenshots, &root().join("docs/pictures")),
    }
}

/// How the crash test is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kills {
    pub(crate) kills: u32,
    pub(crate) seed: u64,
}

/// Kills the server as the tests build it.
pub(crate) fn crash(kills: Kills) -> Result<(), Failure> {
    run(&mut crash_test(kills)?)
}

/// Kills the server as it is released.
pub(crate) fn soak(kills: Kills) -> Result<(), Failure> {
    run(cargo().args(["build", "--release", "-p", "inresponse-server", "--locked"]))?;
    run(crash_test(kills)?.env("INRESPONSE_TEST_SERVER", target_dir().join("release/inresponse")))
}

fn crash_test(Kills { kills, seed }: Kills) -> Result<Command, Failure> {
    let mut test = cargo();
    test.args(["test", "-p", "inresponse-server", "--test", "e2e", "--locked", "--", "--nocapture", "crash"]);
    test.env("INRESPONSE_TEST_PYTHON", python()?).env("INRESPONSE_TEST_STRACE", strace()?);
    test.env("INRESPONSE_KILLS", kills.to_string()).env("INRESPONSE_SEED", seed.to_string());
    Ok(test)
}

/// Correctness under load, with speeds to look at.
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
    test.args(["--test-threads=1", "load::"]);
    run(test.env("INRESPONSE_TEST_PYTHON", python).env("INRESPONSE_LOAD_SECONDS", seconds.to_string()))
}
