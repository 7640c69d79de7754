//! Builds the server of an older revision.

use std::path::PathBuf;
use std::process::Command;

use crate::tools::{Failure, cargo, output, root, run, target_dir};

/// The revision that counts as older if there is no tag.
const WITHOUT_TAGS: &str = "HEAD~20";

/// The program of the server at a revision: by default at the newest tag, or twenty commits ago if there is none.
pub(crate) fn server(revision: Option<&str>) -> Result<PathBuf, Failure> {
    let git = || {
        let mut git = Command::new("git");
        git.current_dir(root());
        git
    };
    let newest_tag = || output(git().args(["describe", "--tags", "--abbrev=0"])).ok();
    let revision = match revision {
        Some(revision) => revision.to_owned(),
        None => newest_tag().unwrap_or_else(|| WITHOUT_TAGS.to_owned()),
    };
    let commit = output(git().args(["rev-parse", "--verify", &format!("{}^{{commit}}", revision.trim())]))?;
    let commit = commit.trim();
    println!("the older servers are of {} ({commit})", revision.trim());
    let folder = target_dir().join("older");
    let tree = folder.join("tree");
    if tree.exists() {
        run(git().arg("-C").arg(&tree).args(["checkout", "--quiet", "--detach", commit]))?;
    } else {
        // A tree that somebody removed is still listed.
        run(git().args(["worktree", "prune"]))?;
        run(git().args(["worktree", "add", "--quiet", "--detach"]).arg(&tree).arg(commit))?;
    }
    let mut build = cargo();
    build.current_dir(&tree).args(["build", "-p", "inresponse-server", "--bins", "--locked"]);
    run(build.env("CARGO_TARGET_DIR", folder.join("target")))?;
    Ok(folder.join("target/debug/inresponse"))
}
