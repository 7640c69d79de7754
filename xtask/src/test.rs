//! Everything that CI runs, in the order in which it is likely to fail.

use std::process::Command;

use crate::cloud::{Cloud, WITHOUT_ROLES};
use crate::emulators::Emulator;
use crate::tools::{Failure, cargo, debian, nextest, output, python, run};

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

pub(crate) fn everything() -> Result<(), Failure> {
    nextest()?;
    let python = python()?;
    run(cargo().args(["fmt", "--all", "--check"]))?;
    purity()?;
    let lints = ["clippy", "--workspace", "--all-targets", "--features", SERVER_ON_AWS, "--locked"];
    run(cargo().args(lints).args(["--", "-D", "warnings"]))?;
    for (package, features) in [("inresponse-core", ""), ("inresponse-http", ""), ("inresponse-server", "")] {
        let alone = ["clippy", "-p", package, "--no-default-features", "--features", features, "--locked"];
        run(cargo().args(alone).args(["--", "-D", "warnings"]))?;
    }
    let (ministack, dynamodb_local) = (Emulator::ministack(&[])?, Emulator::dynamodb_local()?);
    let cloud = Cloud::deploy()?;
    // The real monitoring systems and the roles come afterwards, by themselves.
    let alone = format!("({WITHOUT_ROLES}) and not (package(inresponse-server) and binary(intake))");
    // The server as most people build it; then, of the same crates, only the server is built anew.
    let on_aws = "package(inresponse-server) and (binary(aws) or kind(bin))";
    for options in [&["-E", alone.as_str()][..], &["--features", SERVER_ON_AWS, "-E", on_aws]] {
        let mut tests = cargo();
        tests.args(["nextest", "run", "--workspace", "--locked"]).args(options);
        tests.env("INRESPONSE_TEST_PYTHON", &python).env("INRESPONSE_TEST_MINISTACK", ministack.url());
        tests.env("INRESPONSE_TEST_DYNAMODB_LOCAL", dynamodb_local.url());
        run(tests.envs(cloud.variables()))?;
    }
    cloud.test_roles()?;
    drop((ministack, dynamodb_local, cloud));
    intake()?;
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

/// Real monitoring systems, and what they are seen to do.
pub(crate) fn intake() -> Result<(), Failure> {
    let (python, debian) = (python()?, debian()?);
    let mut test = cargo();
    test.args(["test", "-p", "inresponse-server", "--test", "intake", "--locked", "--", "--nocapture"]);
    // One after another, since what is measured should have the machine to itself.
    test.arg("--test-threads=1");
    run(test.env("INRESPONSE_TEST_PYTHON", python).env("INRESPONSE_TEST_DEBIAN", debian))
}

pub(crate) fn crash(kills: u32) -> Result<(), Failure> {
    let python = python()?;
    let mut test = Command::new(cargo().get_program());
    test.args(["test", "-p", "inresponse-server", "--test", "e2e", "--locked", "--", "--nocapture", "crash"]);
    run(test.env("INRESPONSE_TEST_PYTHON", python).env("INRESPONSE_KILLS", kills.to_string()))
}
