//! Finds circles among the files of a crate: two files that use each other can only be understood together.

mod graph;
mod resolve;
mod source;

use std::fmt;
use std::path::{Path, PathBuf};

use resolve::Place;
use source::{FileId, Source};

use crate::tools::{Failure, crates, root};

/// Looks for circles in all crates of the workspace.
pub(crate) fn check() -> Result<(), Failure> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let (mut files, mut found) = (0, Vec::new());
    for root in roots()? {
        let source = Source::read(&root, &read)?;
        files += source.files.len();
        found.extend(circles(&source));
    }
    println!("{files} files, {} circles among them", found.len());
    refuse(&found)
}

fn refuse(found: &[Circle]) -> Result<(), Failure> {
    if found.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(format!("files use each other in circles:\n{}", told.join("\n")).into())
}

/// The root file of every library and program.
fn roots() -> Result<Vec<PathBuf>, Failure> {
    let mut roots = Vec::new();
    for folder in crates()? {
        let src = folder.join("src");
        roots.extend(
            ["lib.rs", "main.rs"].map(|file| src.join(file)).into_iter().filter(|file| file.exists()),
        );
        if let Ok(programs) = std::fs::read_dir(src.join("bin")) {
            for program in programs {
                roots.push(program?.path());
            }
        }
    }
    Ok(roots)
}

/// A circle: files each of which uses every other one, directly or not.
#[derive(Debug)]
struct Circle {
    files: Vec<PathBuf>,
    /// The shortest way round: which file uses which, and where.
    steps: Vec<(PathBuf, Place, PathBuf)>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files:", self.files.len())?;
        for file in &self.files {
            write!(f, " {}", file.display())?;
        }
        for (from, Place { line, path }, to) in &self.steps {
            write!(f, "\n  {}:{line} uses {}: `{path}`", from.display(), to.display())?;
        }
        Ok(())
    }
}

fn circles(source: &Source) -> Vec<Circle> {
    let uses = resolve::uses(source);
    let root = root();
    let file = |id: &FileId| {
        let path = &source.files[*id];
        path.strip_prefix(&root).unwrap_or(path).to_owned()
    };
    let circles = graph::circles(uses.keys().copied()).into_iter().map(|circle| {
        let ways = circle.shortest.iter().zip(circle.shortest.iter().cycle().skip(1));
        let steps = ways.map(|(from, to)| (file(from), uses[&(*from, *to)].clone(), file(to)));
        Circle { files: circle.nodes.iter().map(file).collect(), steps: steps.collect() }
    });
    circles.collect()
}

#[cfg(test)]
mod tests;
