//! Lists the components of the programs, as CycloneDX.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::tools::{Failure, cargo, installed, output, root, run, target_dir};

/// The name of the file that the tool writes beside every manifest of the workspace.
const FILE: &str = "inresponse-sbom";

/// A program that is distributed.
struct Program {
    package: &'static str,
    folder: &'static str,
    features: &'static [&'static str],
    name: &'static str,
}

const PROGRAMS: [Program; 3] = [
    Program {
        package: "inresponse-server",
        folder: "examples/server",
        features: &[],
        name: "inresponse-server.cdx.json",
    },
    Program {
        package: "inresponse-server",
        folder: "examples/server",
        features: &["--features", "aws"],
        name: "inresponse-server-aws.cdx.json",
    },
    Program {
        package: "inresponse-lambda",
        folder: "examples/lambda",
        features: &[],
        name: "inresponse-lambda.cdx.json",
    },
];

/// Writes a file for each program, with exactly the crates that it contains on this kind of machine.
pub(crate) fn sbom() -> Result<(), Failure> {
    let tool = installed("cargo-cyclonedx", "0.5.9", "cargo-cyclonedx", &[])?;
    let to = target_dir().join("sbom");
    std::fs::create_dir_all(&to)?;
    for program in PROGRAMS {
        let folder = root().join(program.folder);
        let mut command = Command::new(&tool);
        command.args(["cyclonedx", "--format", "json", "--spec-version", "1.5", "--override-filename", FILE]);
        let written =
            run(command.args(program.features).arg("--manifest-path").arg(folder.join("Cargo.toml")));
        let text = written.and_then(|()| {
            std::fs::read_to_string(folder.join(format!("{FILE}.json"))).map_err(Failure::from)
        });
        for left in left_over()? {
            std::fs::remove_file(left)?;
        }
        // The list must not contain the folder in which it was made.
        let text = text?.replace(&root().display().to_string(), "");
        let mut bom = serde_json::from_str(&text)?;
        let missing = keep_only(&mut bom, &built_of(&program)?);
        if !missing.is_empty() {
            return Err(
                format!("{} is built of {missing:?}, which the tool does not know", program.package).into()
            );
        }
        let file = to.join(program.name);
        std::fs::write(&file, serde_json::to_string_pretty(&bom)?)?;
        println!("{}", file.display());
    }
    Ok(())
}

/// The names and versions that cargo chooses for this program alone. The tool looks at the whole workspace, in which
/// each crate has the features that any member needs.
fn built_of(program: &Program) -> Result<BTreeSet<(String, String)>, Failure> {
    let mut command = cargo();
    command.args(["tree", "--locked", "--package", program.package, "--edges", "normal,build"]);
    command.args(["--prefix", "none", "--format", "{p}"]).args(program.features);
    let tree = output(&mut command)?;
    let krate = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    };
    Ok(tree.lines().filter_map(krate).filter(|(name, _)| name != program.package).collect())
}

/// Removes every other component, and returns which of these are missing.
fn keep_only(bom: &mut Value, built_of: &BTreeSet<(String, String)>) -> Vec<(String, String)> {
    let mut missing = built_of.clone();
    let mut left_out = BTreeSet::new();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    if let Some(components) = bom.get_mut("components").and_then(Value::as_array_mut) {
        components.retain(|component| {
            let krate = (text(component, "name"), text(component, "version"));
            missing.remove(&krate);
            let is_kept = built_of.contains(&krate);
            if !is_kept {
                left_out.insert(text(component, "bom-ref"));
            }
            is_kept
        });
    }
    if let Some(dependencies) = bom.get_mut("dependencies").and_then(Value::as_array_mut) {
        dependencies.retain(|dependency| !left_out.contains(&text(dependency, "ref")));
        for dependency in dependencies {
            if let Some(on) = dependency.get_mut("dependsOn").and_then(Value::as_array_mut) {
                on.retain(|on| on.as_str().is_none_or(|on| !left_out.contains(on)));
            }
        }
    }
    missing.into_iter().collect()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_program_is_not_built_of_is_left_out() {
        let component =
            |name: &str, version: &str| json!({ "bom-ref": name, "name": name, "version": version });
        let mut bom = json!({
            "components": [component("a", "1.0.0"), component("b", "1.0.0"), component("c", "2.0.0")],
            "dependencies": [
                { "ref": "own", "dependsOn": ["a", "b"] },
                { "ref": "a", "dependsOn": ["b", "c"] },
                { "ref": "b" },
                { "ref": "c" },
            ],
        });
        let krate = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        let built_of = [krate("a", "1.0.0"), krate("c", "2.0.0"), krate("c", "3.0.0")].into();
        assert_eq!(keep_only(&mut bom, &built_of), [krate("c", "3.0.0")]);
        let expected = json!({
            "components": [component("a", "1.0.0"), component("c", "2.0.0")],
            "dependencies": [
                { "ref": "own", "dependsOn": ["a"] },
                { "ref": "a", "dependsOn": ["c"] },
                { "ref": "c" },
            ],
        });
        assert_eq!(bom, expected);
    }
}
