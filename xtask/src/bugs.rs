//! The bugs that can be planted. Each is an edit of the sources, kept in `inresponse-sim/bugs`, so that the sources
//! contain no trace of it.
//!
//! An edit names a file, a text that occurs exactly once in the file, and its replacement. In the replacement,
//! `ORIGINAL` stands for the original text, and `PLANTED` for the test whether the bug is switched on: all bugs are
//! built at once.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use crate::tools::{Failure, root};

/// The folder of the bugs, relative to the workspace.
const FOLDER: &str = "inresponse-sim/bugs";
/// The file with the edits that are not a bug: the switch.
const SWITCH: &str = "switch.toml";

/// The text of each edited file, with every edit made, by its path relative to the workspace's folder.
pub(crate) type Edited = BTreeMap<String, String>;

/// The content of a file of the folder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default)]
    bug: Vec<Bug>,
    #[serde(default)]
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bug {
    name: String,
    /// The number of the promise that the bug breaks.
    promise: u8,
    /// The bug's effect.
    what: String,
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    find: String,
    put: String,
}

/// An edit that is ready to be made.
struct Change<'a> {
    /// The name of the edit's bug, for messages.
    of: &'a str,
    edit: &'a Edit,
    put: String,
}

/// All bugs, and the switch.
struct Bugs {
    bugs: Vec<Bug>,
    switch: Vec<Edit>,
}

/// The text of all sources that edits change, with all edits made.
pub(crate) fn edited() -> Result<Edited, Failure> {
    Bugs::read()?.edited(|file| Ok(std::fs::read_to_string(root().join(file))?))
}

/// Checks that every edit fits.
pub(crate) fn check() -> Result<(), Failure> {
    let bugs = Bugs::read()?;
    let edited = bugs.edited(|file| Ok(std::fs::read_to_string(root().join(file))?))?;
    println!("{} bugs can be planted, in {} files", bugs.bugs.len(), edited.len());
    Ok(())
}

impl Bugs {
    fn read() -> Result<Self, Failure> {
        let folder = root().join(FOLDER);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
            files.push(entry?.path());
        }
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        files.sort();
        let mut all = Self { bugs: Vec::new(), switch: Vec::new() };
        for file in files {
            let page = std::fs::read_to_string(&file)?;
            let page: Page = toml::from_str(&page).map_err(|e| format!("{}: {e}", file.display()))?;
            let is_switch = file.ends_with(SWITCH);
            if is_switch == page.edit.is_empty() {
                return Err(format!("{}: only {SWITCH} has edits of no bug", file.display()).into());
            }
            all.bugs.extend(page.bug);
            all.switch.extend(page.edit);
        }
        Ok(all)
    }

    /// Makes all edits, or lists all that do not fit.
    fn edited(&self, read: impl Fn(&str) -> Result<String, Failure>) -> Result<Edited, Failure> {
        let mut by_file: BTreeMap<&str, Vec<Change<'_>>> = BTreeMap::new();
        for change in self.changes() {
            by_file.entry(&change.edit.file).or_default().push(change);
        }
        let (mut edited, mut misfits) = (Edited::new(), Vec::new());
        for (file, changes) in by_file {
            let source = read(file).map_err(|e| format!("{}: {file}: {e}", changes[0].of))?;
            match apply(&source, &changes) {
                Ok(source) => _ = edited.insert(file.to_owned(), source),
                Err(found) => {
                    misfits.extend(found.into_iter().map(|misfit| format!("{misfit}\n  in {file}")))
                }
            }
        }
        if misfits.is_empty() {
            return Ok(edited);
        }
        let advice = format!("change the edits in {FOLDER} so that they do what they say");
        Err(format!("bugs no longer fit the sources: {advice}\n{}", misfits.join("\n")).into())
    }

    fn changes(&self) -> Vec<Change<'_>> {
        let mut list = String::new();
        let mut changes = Vec::new();
        for (number, Bug { name, promise, what, edit }) in self.bugs.iter().enumerate() {
            list += &format!(
                "CoreBug {{ number: {number}, name: {name:?}, promise: {promise}, what: {what:?} }},\n"
            );
            let planted = format!("crate::planted::is_planted({number})");
            changes.extend(edit.iter().map(|edit| Change {
                of: name,
                edit,
                put: edit.put.replace("PLANTED", &planted).replace("ORIGINAL", &edit.find),
            }));
        }
        changes.extend(self.switch.iter().map(|edit| Change {
            of: "the switch",
            edit,
            put: edit.put.replace("BUGS", &list).replace("ORIGINAL", &edit.find),
        }));
        changes
    }
}

/// Makes all edits of one file, each where its text is in the original file. Lists those that do not fit.
fn apply(source: &str, changes: &[Change<'_>]) -> Result<String, Vec<String>> {
    let (mut places, mut misfits) = (Vec::<(Range<usize>, &Change<'_>)>::new(), Vec::new());
    for change in changes {
        let (of, find) = (change.of, change.edit.find.as_str());
        let found: Vec<_> = source.match_indices(find).map(|(start, _)| start..start + find.len()).collect();
        let [place] = found.as_slice() else {
            misfits.push(format!("- {of}: found {} times instead of once: `{find}`", found.len()));
            continue;
        };
        let overlaps = |(other, _): &&(Range<usize>, _)| other.start < place.end && place.start < other.end;
        if let Some((_, other)) = places.iter().find(overlaps) {
            misfits.push(format!("- {of}: changes the same text as {}: `{find}`", other.of));
        }
        places.push((place.clone(), change));
    }
    if !misfits.is_empty() {
        return Err(misfits);
    }
    places.sort_by_key(|(place, _)| place.start);
    let (mut edited, mut end) = (String::new(), 0);
    for (place, change) in places {
        edited += &source[end..place.start];
        edited += &change.put;
        end = place.end;
    }
    Ok(edited + &source[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "let a = 1;\nlet b = 2;\nlet a = 3;\n";

    fn bug(name: &str, find: &str, put: &str) -> Bug {
        let edit = Edit { file: "lib.rs".into(), find: find.into(), put: put.into() };
        Bug { name: name.into(), promise: 1, what: "something".into(), edit: vec![edit] }
    }

    fn edited(bugs: Vec<Bug>) -> Result<String, String> {
        let edited = Bugs { bugs, switch: Vec::new() }.edited(|_| Ok(SOURCE.into()));
        edited.map(|mut files| files.remove("lib.rs").unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn every_edit_keeps_the_original_behind_the_switch_of_its_bug() {
        let source = edited(vec![
            bug("Last", "a = 3;", "a = if PLANTED { 0 } else { 3 };"),
            bug("First", "let b = 2;", "ORIGINAL\nlet b = b + usize::from(PLANTED);"),
        ]);
        assert_eq!(
            source.unwrap(),
            "let a = 1;\nlet b = 2;\nlet b = b + usize::from(crate::planted::is_planted(1));\n\
             let a = if crate::planted::is_planted(0) { 0 } else { 3 };\n"
        );
    }

    #[test]
    fn an_edit_whose_text_is_not_there_exactly_once_fails_by_the_names_of_bug_and_file() {
        let misfits = edited(vec![bug("Gone", "let c", ""), bug("Twice", "let a", "")]).unwrap_err();
        for expected in [
            "- Gone: found 0 times instead of once: `let c`\n  in lib.rs",
            "- Twice: found 2 times instead of once: `let a`\n  in lib.rs",
        ] {
            assert!(misfits.contains(expected), "{misfits}");
        }
    }

    #[test]
    fn two_edits_of_the_same_text_fail() {
        let misfits = edited(vec![bug("One", "let b", ""), bug("Other", "b = 2", "")]).unwrap_err();
        assert!(misfits.contains("- Other: changes the same text as One: `b = 2`"), "{misfits}");
    }

    #[test]
    fn every_bug_of_the_folder_fits_the_sources() {
        let misfits = check().map_err(|e| e.to_string());
        assert_eq!(misfits, Ok(()));
    }
}
