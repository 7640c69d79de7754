//! Reads structs with their documentation from Rust source.

use std::collections::BTreeMap;

use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

use crate::tools::{Failure, root};

/// The structs of some files, by their names.
pub(super) struct Source(BTreeMap<String, Struct>);

/// A struct with named fields.
pub(super) struct Struct {
    pub(super) doc: String,
    pub(super) fields: Vec<Field>,
}

/// A field of a struct.
pub(super) struct Field {
    /// The name as a configuration file has it.
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) kind: Kind,
    /// The values in `#[arg(…)]` by their names; an empty text for a name without a value.
    pub(super) arg: BTreeMap<String, String>,
    is_optional: bool,
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value, or a struct, by the name of its type.
    One(String),
    /// Several of a kind.
    List(Box<Kind>),
    /// Several of a kind, by names.
    Named(Box<Kind>),
}

impl Source {
    /// Reads these files of the workspace.
    pub(super) fn read(paths: &[&str]) -> Result<Self, Failure> {
        let mut structs = BTreeMap::new();
        for path in paths {
            let text = std::fs::read_to_string(root().join(path)).map_err(|e| format!("{path}: {e}"))?;
            let file = syn::parse_file(&text).map_err(|e| format!("{path}: {e}"))?;
            for item in file.items {
                let Item::Struct(item) = item else { continue };
                let Fields::Named(fields) = item.fields else { continue };
                let fields = fields.named.iter().filter_map(field).collect();
                structs.insert(item.ident.to_string(), Struct { doc: doc(&item.attrs), fields });
            }
        }
        Ok(Self(structs))
    }

    /// The struct of that name.
    pub(super) fn of(&self, name: &str) -> Result<&Struct, Failure> {
        self.0.get(name).ok_or_else(|| format!("there is no struct `{name}` in the files of settings").into())
    }

    /// Whether there is a struct of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl Field {
    /// Whether a file must have the entry.
    pub(super) fn is_required(&self) -> bool {
        !self.is_optional
    }
}

fn field(field: &syn::Field) -> Option<Field> {
    let (kind, is_option) = kind(&field.ty);
    let (mut arg, mut has_default) = (BTreeMap::new(), false);
    for attribute in &field.attrs {
        let name = attribute.path().get_ident().map(ToString::to_string).unwrap_or_default();
        let mut note = |name: String, value: String| match attribute.path().is_ident("arg") {
            true => drop(arg.insert(name, value)),
            false => has_default |= name == "default",
        };
        if name != "arg" && name != "serde" {
            continue;
        }
        // What is neither a name nor a name with a text, such as a call, is no part of the reference.
        let _read = attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let value = match meta.value() {
                Ok(value) => match value.parse::<Expr>()? {
                    Expr::Lit(literal) => match literal.lit {
                        Lit::Str(text) => text.value(),
                        _ => String::new(),
                    },
                    _ => String::new(),
                },
                Err(_) => String::new(),
            };
            note(name, value);
            Ok(())
        });
    }
    let name = field.ident.as_ref()?.to_string().replace('_', "-");
    Some(Field { name, doc: doc(&field.attrs), kind, arg, is_optional: is_option || has_default })
}

/// The kind of a type, and whether it is an `Option`.
fn kind(of: &Type) -> (Kind, bool) {
    let Type::Path(path) = of else { return (Kind::One(String::new()), false) };
    let Some(last) = path.path.segments.last() else { return (Kind::One(String::new()), false) };
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(inner) => inner.args.iter().rev().find_map(|inner| match inner {
            GenericArgument::Type(inner) => Some(kind(inner).0),
            _ => None,
        }),
        _ => None,
    };
    match (last.ident.to_string().as_str(), inner) {
        ("Option", Some(inner)) => (inner, true),
        ("Vec", Some(inner)) => (Kind::List(Box::new(inner)), false),
        ("BTreeMap", Some(inner)) => (Kind::Named(Box::new(inner)), false),
        (name, _) => (Kind::One(name.to_owned()), false),
    }
}

/// The documentation as one line.
fn doc(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(literal) = &pair.value else { continue };
        if let Lit::Str(text) = &literal.lit {
            lines.push(text.value().trim().to_owned());
        }
    }
    lines.join(" ")
}
