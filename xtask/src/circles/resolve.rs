//! Finds which file uses which: follows paths to the file in which they are defined.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{FileId, Kind, ModuleId, Name, Source};

/// One place where a file uses another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    /// The path that the file mentions.
    pub(super) path: String,
}

/// The pairs of a file and a file that it uses, each with the first place where it does.
pub(super) type Uses = BTreeMap<(FileId, FileId), Place>;

/// All uses of other files of the crate.
pub(super) fn uses(source: &Source) -> Uses {
    let mut uses = Uses::new();
    for (id, module) in source.modules.iter().enumerate() {
        for mention in &module.mentions {
            let names = Names { source, seen: BTreeSet::new() };
            for file in names.files(id, &mention.path, mention.kind) {
                if file != module.file {
                    let place = Place { line: mention.line, path: mention.path.join("::") };
                    let first = uses.entry((module.file, file)).or_insert_with(|| place.clone());
                    *first = place.min(first.clone());
                }
            }
        }
    }
    uses
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Module(ModuleId),
    /// The name is defined in this file.
    In(FileId),
}

/// Follows one path to its definitions.
struct Names<'s> {
    source: &'s Source,
    /// The names that are already being looked up, because imports can form a circle.
    seen: BTreeSet<(ModuleId, String)>,
}

impl Names<'_> {
    fn files(mut self, from: ModuleId, path: &[String], kind: Kind) -> BTreeSet<FileId> {
        let found = self.follow(from, path);
        let in_text = match (kind, path) {
            (Kind::Macro, [name]) if found.is_empty() => self.source.macros.get(name).copied(),
            _ => None,
        };
        let files = found.into_iter().filter_map(|found| match found {
            Found::Module(module) if kind == Kind::With => Some(self.source.modules[module].file),
            // The items used from the module are named elsewhere.
            Found::Module(_) => None,
            Found::In(file) => Some(file),
        });
        files.chain(in_text).collect()
    }

    /// The files that define a path in a module.
    fn follow(&mut self, from: ModuleId, path: &[String]) -> BTreeSet<Found> {
        let (mut at, mut rest) = (from, path);
        let mut is_relative = false;
        while let Some((first, after)) = rest.split_first() {
            at = match (first.as_str(), self.source.modules[at].parent) {
                ("crate" | "$crate", _) => 0,
                ("self", _) => at,
                ("super", Some(parent)) => parent,
                _ => break,
            };
            (rest, is_relative) = (after, true);
        }
        let Some((first, rest)) = rest.split_first() else { return [Found::Module(at)].into() };
        let mut found = self.look_up(at, first);
        if found.is_empty() && is_relative {
            // Made by a macro.
            return [Found::In(self.source.modules[at].file)].into();
        }
        for name in rest {
            let modules: Vec<ModuleId> = found
                .iter()
                .filter_map(|found| match found {
                    Found::Module(module) => Some(*module),
                    Found::In(_) => None,
                })
                .collect();
            let Some(module) = modules.first() else { break };
            found = modules.iter().flat_map(|module| self.look_up(*module, name)).collect();
            if found.is_empty() {
                return [Found::In(self.source.modules[*module].file)].into();
            }
        }
        found
    }

    /// The files that define a name in a module. A module and a function may have the same name.
    fn look_up(&mut self, module: ModuleId, name: &str) -> BTreeSet<Found> {
        if !self.seen.insert((module, name.to_owned())) {
            return BTreeSet::new();
        }
        let source = self.source;
        let mut found = BTreeSet::new();
        for what in source.modules[module].names.get(name).into_iter().flatten() {
            match what {
                Name::Item => drop(found.insert(Found::In(source.modules[module].file))),
                Name::Module(child) => drop(found.insert(Found::Module(*child))),
                Name::Alias(path) => found.extend(self.follow(module, path)),
            }
        }
        if found.is_empty() {
            for glob in &source.modules[module].globs {
                for from in self.follow(module, glob) {
                    match from {
                        Found::Module(from) => found.extend(self.look_up(from, name)),
                        // A variant of an enum, perhaps.
                        Found::In(_) => {}
                    }
                }
            }
        }
        self.seen.remove(&(module, name.to_owned()));
        found
    }
}
