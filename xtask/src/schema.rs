//! Checks the server with requests that are generated from the API document.

use std::path::PathBuf;
use std::process::Command;

use crate::emulators::{Emulator, free_port};
use crate::nextest;
use crate::tools::{Failure, environment, root, run, target_dir, tools_dir};

const KEY: &str = "schema-test-key-schema-test-key";

/// Builds the server, and checks it.
pub(crate) fn schema(examples: u32) -> Result<(), Failure> {
    nextest::install()?;
    nextest::build()?;
    check(examples)
}

/// The path of a Python with Schemathesis.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    environment("schemathesis", &["schemathesis==4.32.5", "openapi-spec-validator==0.9.0"])
}

/// Starts the server that was built, and lets Schemathesis try every operation with that many valid and invalid
/// requests.
pub(crate) fn check(examples: u32) -> Result<(), Failure> {
    let python = python()?;
    let folder = tools_dir().join("schema");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let port = free_port()?;
    let mut server = Command::new(target_dir().join("debug/inresponse"));
    server.current_dir(&folder).args(["--listen", &format!("127.0.0.1:{port}"), "--api-key", KEY]);
    let server = Emulator::start("server", server, port)?;
    let document = folder.join("openapi.json");
    let mut written = Command::new("curl");
    written.args([
        "--fail",
        "--silent",
        "--show-error",
        "--header",
        &format!("x-api-key: {KEY}"),
        "--output",
    ]);
    run(written.arg(&document).arg(format!("{}/openapi.json", server.url())))?;
    run(Command::new(&python).args(["-m", "openapi_spec_validator"]).arg(&document))?;
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.arg("--config-file").arg(root().join("xtask/schemathesis.toml"));
    command.arg("run").arg(format!("{}/openapi.json", server.url()));
    command.args(["--header", &format!("x-api-key: {KEY}"), "--no-color"]);
    command.args(["--max-examples", &examples.to_string(), "--seed", "1", "--generation-database", "none"]);
    command.args(["--phases", "examples,coverage,fuzzing"]);
    run(&mut command)
}
