//! A copy of the sources under `target/`, in which bugs can be planted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bugs::{self, Edited};
use crate::tools::{Failure, cargo, root, target_dir};

/// The profile of the copy's core. Cargo distinguishes packages by their place in the workspace and by their profile.
/// The copy shares a target folder with the sources, so that their dependencies are built once; therefore the copy's
/// core needs a different profile.
const APART: &str = "package.inresponse-core.debug=\"limited\"";

/// A cargo command with that profile on the copy, which is updated first.
pub(crate) fn planted(command: &str, profile: &str) -> Result<Command, Failure> {
    let folder = target_dir().join("planted");
    bring_up_to_date(&root(), &folder, &bugs::edited()?)?;
    let mut planted = cargo();
    planted.args([command, "--locked", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    planted.arg("--target-dir").arg(target_dir());
    planted.args(["--config", &format!("profile.{profile}.{APART}")]);
    Ok(planted)
}

/// Updates the copy. Only files that differ are written, so that nothing else is built again.
fn bring_up_to_date(from: &Path, to: &Path, edited: &Edited) -> Result<(), Failure> {
    let (sources, copied) = (sources(from)?, sources(to)?);
    for gone in copied.difference(&sources) {
        std::fs::remove_file(to.join(gone))?;
    }
    for source in &sources {
        let content = match source.to_str().and_then(|path| edited.get(path)) {
            Some(edited) => edited.clone().into_bytes(),
            None => std::fs::read(from.join(source))?,
        };
        let copy = to.join(source);
        if std::fs::read(&copy).is_ok_and(|copied| copied == content) {
            continue;
        }
        if let Some(folder) = copy.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(copy, content)?;
    }
    Ok(())
}

/// The files that cargo needs of a workspace: manifests, the lock file and Rust.
fn sources(workspace: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let (mut sources, mut folders) = (BTreeSet::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(workspace.join(&folder)) else { continue };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let (path, name) = (folder.join(&name), name.to_string_lossy());
            if entry.file_type()?.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name == "Cargo.lock" || name.ends_with(".toml") || name.ends_with(".rs") {
                sources.insert(path);
            }
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_copy_has_the_edits_and_is_written_only_where_it_differs() {
        let folder = std::env::temp_dir().join(format!("inresponse-copy-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        for file in ["Cargo.toml", "src/lib.rs", "src/same.rs", "src/old.rs", "target/debug/built.rs"] {
            fs::create_dir_all(from.join(file).parent().unwrap()).unwrap();
            fs::write(from.join(file), "as it is").unwrap();
        }
        let edited = Edited::from([("src/lib.rs".to_owned(), "edited".to_owned())]);
        bring_up_to_date(&from, &to, &edited).unwrap();
        let read = |file: &str| fs::read_to_string(to.join(file)).ok();
        assert_eq!(read("src/lib.rs").as_deref(), Some("edited"));
        assert_eq!(read("src/old.rs").as_deref(), Some("as it is"));
        assert_eq!(read("target/debug/built.rs"), None);

        fs::remove_file(from.join("src/old.rs")).unwrap();
        fs::write(from.join("Cargo.toml"), "as it has become").unwrap();
        let written = |file: &str| fs::metadata(to.join(file)).unwrap().modified().unwrap();
        let before = ["src/lib.rs", "src/same.rs"].map(written);
        bring_up_to_date(&from, &to, &edited).unwrap();
        assert_eq!(read("src/old.rs"), None);
        assert_eq!(read("Cargo.toml").as_deref(), Some("as it has become"));
        assert_eq!(["src/lib.rs", "src/same.rs"].map(written), before);
        fs::remove_dir_all(folder).unwrap();
    }
}
