//! What the programs are built of, as CycloneDX.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::{Failure, installed, root, run, target_dir};

/// The tool writes a file of this name beside every manifest of the workspace.
const FILE: &str = "inresponse-sbom";

/// The programs that are passed on: folder, features, name of the file.
const PROGRAMS: [(&str, &[&str], &str); 3] = [
    ("examples/server", &[], "inresponse-server.cdx.json"),
    ("examples/server", &["--features", "aws"], "inresponse-server-aws.cdx.json"),
    ("examples/lambda", &[], "inresponse-lambda.cdx.json"),
];

/// Writes a file for each program, of exactly the dependencies that it is built of.
pub(crate) fn sbom() -> Result<(), Failure> {
    let tool = installed("cargo-cyclonedx", "0.5.9", "cargo-cyclonedx", &[])?;
    let to = target_dir().join("sbom");
    std::fs::create_dir_all(&to)?;
    for (folder, features, name) in PROGRAMS {
        let manifest = root().join(folder).join("Cargo.toml");
        let mut command = Command::new(&tool);
        command.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--override-filename", FILE]);
        let written = run(command.args(features).arg("--manifest-path").arg(manifest));
        let own = root().join(folder).join(format!("{FILE}.json"));
        let kept = written.and_then(|()| Ok(std::fs::copy(own, to.join(name)).map(drop)?));
        for left in left_over()? {
            std::fs::remove_file(left)?;
        }
        kept?;
        println!("{}", to.join(name).display());
    }
    Ok(())
}

fn left_over() -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for folder in [root(), root().join("examples")] {
        for entry in std::fs::read_dir(folder)? {
            let file = entry?.path().join(format!("{FILE}.json"));
            found.extend(file.exists().then_some(file));
        }
    }
    Ok(found)
}
