//! A crate's source as modules, with the names that each defines and the paths that it mentions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

use crate::tools::Failure;

/// The index of a module in [`Source::modules`].
pub(super) type ModuleId = usize;
/// The index of a file in [`Source::files`].
pub(super) type FileId = usize;

/// A crate's source without its tests.
#[derive(Default)]
pub(super) struct Source {
    pub(super) files: Vec<PathBuf>,
    /// All modules. The first one is the crate's root.
    pub(super) modules: Vec<Module>,
    /// The file that defines each macro, because macros are also in scope by their place in the text.
    pub(super) macros: BTreeMap<String, FileId>,
}

/// A module. A file can contain several.
pub(super) struct Module {
    pub(super) file: FileId,
    pub(super) parent: Option<ModuleId>,
    pub(super) names: BTreeMap<String, Vec<Name>>,
    /// The paths from which `use …::*` imports.
    pub(super) globs: Vec<Vec<String>>,
    pub(super) mentions: Vec<Mention>,
}

/// The meaning of a name in a module.
pub(super) enum Name {
    /// The name is defined in the module.
    Item,
    Module(ModuleId),
    /// The name is imported or exported again.
    Alias(Vec<String>),
}

/// A path in a module's source.
pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// The kind of item that a path names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Item,
    Macro,
    /// A derive macro, or a module by itself.
    With,
}

/// Gives the text of a file, or nothing if there is no such file.
pub(super) type Files<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl Source {
    /// Reads the crate whose root is that file.
    pub(super) fn read(root: &Path, files: Files<'_>) -> Result<Self, Failure> {
        let mut source = Self::default();
        source.read_file(root, None, files)?;
        Ok(source)
    }

    fn read_file(
        &mut self,
        path: &Path,
        parent: Option<ModuleId>,
        files: Files<'_>,
    ) -> Result<ModuleId, Failure> {
        let text = files(path).ok_or_else(|| format!("{} cannot be read", path.display()))?;
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        self.files.push(path.to_owned());
        let module = self.add_module(self.files.len() - 1, parent);
        let is_folder =
            path.file_name().is_some_and(|name| ["lib.rs", "main.rs", "mod.rs"].iter().any(|n| name == *n));
        let folder = match path.parent() {
            Some(beside) if is_folder || parent.is_none() => beside.to_owned(),
            _ => path.with_extension(""),
        };
        let mut reader = Reader { source: self, module, folder, files, failure: None };
        parsed.items.iter().for_each(|item| reader.visit_item(item));
        match reader.failure {
            Some(failure) => Err(failure),
            None => Ok(module),
        }
    }

    fn add_module(&mut self, file: FileId, parent: Option<ModuleId>) -> ModuleId {
        let (names, globs, mentions) = Default::default();
        self.modules.push(Module { file, parent, names, globs, mentions });
        self.modules.len() - 1
    }
}

/// The reader of one module.
struct Reader<'s> {
    source: &'s mut Source,
    module: ModuleId,
    /// The folder with the files of the module's children.
    folder: PathBuf,
    files: Files<'s>,
    failure: Option<Failure>,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        &mut self.source.modules[self.module]
    }

    fn name(&mut self, name: impl ToString, what: Name) {
        self.module().names.entry(name.to_string()).or_default().push(what);
    }

    fn mention(&mut self, path: Vec<String>, at: Span, kind: Kind) {
        self.module().mentions.push(Mention { path, line: at.start().line, kind });
    }

    fn child(&mut self, item: &syn::ItemMod) {
        let name = item.ident.to_string();
        let (file, parent) = (self.module().file, self.module);
        let folder = self.folder.join(&name);
        let child = match &item.content {
            Some((_, items)) => {
                let module = self.source.add_module(file, Some(parent));
                let before = (self.module, std::mem::replace(&mut self.folder, folder));
                self.module = module;
                items.iter().for_each(|item| self.visit_item(item));
                (self.module, self.folder) = before;
                module
            }
            None => {
                let (flat, nested) = (folder.with_extension("rs"), folder.join("mod.rs"));
                let path = if (self.files)(&flat).is_some() { flat } else { nested };
                match self.source.read_file(&path, Some(parent), self.files) {
                    Ok(module) => module,
                    Err(failure) => {
                        self.failure = Some(failure);
                        return;
                    }
                }
            }
        };
        self.name(name, Name::Module(child));
    }

    /// Records what one `use` imports. Exporting something again does not count as use.
    fn import(&mut self, tree: &UseTree, before: &[String], is_private: bool) {
        let and = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (ident, name) = match tree {
            UseTree::Path(path) => return self.import(&path.tree, &and(&path.ident), is_private),
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.import(item, before, is_private));
                return;
            }
            UseTree::Glob(_) => return self.module().globs.push(before.to_vec()),
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(rename) => (&rename.ident, &rename.rename),
        };
        let (path, name) = match (ident == "self", before.last()) {
            (true, Some(last)) if name == "self" => (before.to_vec(), last.clone()),
            (true, _) => (before.to_vec(), name.to_string()),
            (false, _) => (and(ident), name.to_string()),
        };
        if is_private {
            self.mention(path.clone(), ident.span(), Kind::Item);
        }
        if name != "_" {
            self.name(name, Name::Alias(path));
        }
    }

    /// Reads the tokens in a macro's brackets. The tokens are not parsed: everything that looks like a path counts as
    /// one.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, c: char| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == c);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let is_field =
                        at > 0 && (is(at - 1, '.') || is(at - 1, ':') && at > 1 && is(at - 2, ':'));
                    let (mut path, mut end) = (vec![first.to_string()], at + 1);
                    while let (true, true, Some(TokenTree::Ident(next))) =
                        (is(end, ':'), is(end + 1, ':'), tokens.get(end + 2))
                    {
                        path.push(next.to_string());
                        end += 3;
                    }
                    let is_call = matches!(tokens.get(end), Some(TokenTree::Group(g)) if g.delimiter() != Delimiter::Bracket);
                    let is_type = path[0].starts_with(char::is_uppercase);
                    if is(end, '!') {
                        self.mention(path, first.span(), Kind::Macro);
                    } else if !is_field && (path.len() > 1 || is_call || is_type) {
                        self.mention(path, first.span(), Kind::Item);
                    }
                    at = end;
                    continue;
                }
                // `#[serde(with = "crate::…")]`.
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse2::<syn::LitStr>(TokenTree::from(literal.clone()).into())
                        && let Ok(path) = text.parse::<syn::Path>()
                        && path.segments.len() > 1
                    {
                        self.mention(segments(&path), literal.span(), Kind::With);
                    }
                }
                TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Union(item) => (&item.attrs, Some(&item.ident)),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Impl(item) => (&item.attrs, None),
            Item::Mod(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            _ => return visit::visit_item(self, item),
        };
        if attributes.iter().any(is_test) {
            return;
        }
        if let Some(name) = name {
            self.name(name, Name::Item);
        }
        match item {
            // Another crate's file.
            Item::Mod(item) if item.attrs.iter().any(|attribute| attribute.path().is_ident("path")) => {}
            Item::Mod(item) => self.child(item),
            Item::Use(item) if item.leading_colon.is_none() => {
                self.import(&item.tree, &[], matches!(item.vis, Visibility::Inherited));
            }
            Item::Macro(item) => {
                let file = self.module().file;
                match &item.ident {
                    Some(name) => drop(self.source.macros.insert(name.to_string(), file)),
                    // The names that the macro may define.
                    None => idents(item.mac.tokens.clone(), &mut |name| self.name(name, Name::Item)),
                }
                visit::visit_item_macro(self, item);
            }
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !item.attrs.iter().any(is_test) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            self.mention(segments(path), first.ident.span(), Kind::Item);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if let Some(first) = mac.path.segments.first() {
            self.mention(segments(&mac.path), first.ident.span(), Kind::Macro);
        }
        self.tokens(mac.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    /// Ignores `pub(in path)`, because it is no use of that path.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn idents(tokens: TokenStream, found: &mut impl FnMut(String)) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => found(ident.to_string()),
            TokenTree::Group(group) => idents(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Whether an attribute marks test code: `#[cfg(test)]`, alone or with more conditions that must all be met, or
/// `#[test]`.
fn is_test(attribute: &Attribute) -> bool {
    if !attribute.path().is_ident("cfg") {
        return attribute.path().is_ident("test");
    }
    let Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string();
    condition == "test" || condition.starts_with("all") && condition.contains("test")
}
