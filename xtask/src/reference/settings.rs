//! The page with every setting of the server, read from the source of its flags and of its configuration file.

use std::fmt::Write;

use super::source::{Field, Kind, Source, Struct};
use crate::tools::Failure;

/// The files that define settings.
const FILES: [&str; 4] = [
    "examples/server/src/config/args.rs",
    "examples/server/src/config/file.rs",
    "examples/channels/src/file.rs",
    "inresponse-intake/src/generic.rs",
];

/// The sections that other pages describe.
const ELSEWHERE: [(&str, &str); 1] =
    [("roster", "People, teams, schedules, services and more: [the roster in a file](../roster.md).")];

const HEAD: &str = "\
# Settings

<!-- `cargo xtask reference` writes this page from the source of the server. -->

A setting is a flag, an environment variable, or an entry of the TOML file that `--config` names. A flag overrides the
variable, and the variable overrides the file. An unknown entry of the file is an error, and the server does not start.
`inresponse doctor --config FILE` checks everything and changes nothing.

Values marked *secret* appear in no log, no error and no answer. Give them in the file or in the environment: other users of
the machine can read flags.

## Flags, variables and entries

";

const IN_THE_FILE: &str = "
## Entries that only the file has

";

pub(super) fn page() -> Result<String, Failure> {
    let source = Source::read(&FILES)?;
    let (flags, file) = (source.of("ServeArgs")?, source.of("File")?);
    let mut page = HEAD.to_owned();
    page.push_str("| flag | variable | in the file | sets |\n|---|---|---|---|\n");
    for flag in &flags.fields {
        writeln!(page, "{}", row_of_flag(flag, file))?;
    }
    let is_flag = |field: &Field| flags.fields.iter().any(|flag| flag.name == field.name);
    let (sections, plain): (Vec<&Field>, Vec<&Field>) =
        file.fields.iter().filter(|field| !is_flag(field)).partition(|field| is_section(field, &source));
    page.push_str(IN_THE_FILE);
    table(&plain, &mut page)?;
    for section in sections {
        write_section("", section, &source, &mut page)?;
    }
    Ok(page)
}

fn row_of_flag(flag: &Field, file: &Struct) -> String {
    let value = flag.arg.get("value_name").map(|value| format!(" {value}")).unwrap_or_default();
    let variable = flag.arg.get("env").map_or_else(|| "–".to_owned(), |name| format!("`{name}`"));
    let entry = match file.fields.iter().any(|entry| entry.name == flag.name) {
        true => format!("`{}`", flag.name),
        false => "–".to_owned(),
    };
    let build = if flag.arg.contains_key("hide") { ". Only in a build with the feature `aws`" } else { "" };
    let secret = if flag.kind == Kind::One("SecretText".to_owned()) { " *Secret.*" } else { "" };
    let (name, doc) = (&flag.name, sentence(&format!("{}{build}", flag.doc)));
    format!("| `--{name}{value}` | {variable} | {entry} | {doc}{secret} |")
}

/// Whether the entry is a table with entries of its own, or a list of such tables.
fn is_section(field: &Field, source: &Source) -> bool {
    ELSEWHERE.iter().any(|(name, _)| *name == field.name) || source.has(type_of(&field.kind))
}

/// The name of the type of a value, of which there may be several.
fn type_of(kind: &Kind) -> &str {
    match kind {
        Kind::One(name) => name,
        Kind::List(inner) | Kind::Named(inner) => type_of(inner),
    }
}

fn write_section(above: &str, section: &Field, source: &Source, page: &mut String) -> Result<(), Failure> {
    let path = format!("{above}{}", section.name);
    let path = match &section.kind {
        Kind::One(_) => path,
        Kind::List(_) => format!("[{path}]"),
        Kind::Named(_) => format!("{path}.NAME"),
    };
    writeln!(page, "\n### `[{path}]`\n")?;
    if let Some((_, words)) = ELSEWHERE.iter().find(|(name, _)| *name == section.name) {
        writeln!(page, "{words}")?;
        return Ok(());
    }
    let of = source.of(type_of(&section.kind))?;
    let doc = if of.doc.is_empty() { &section.doc } else { &of.doc };
    writeln!(page, "{}\n", sentence(doc))?;
    let (below, plain): (Vec<&Field>, Vec<&Field>) =
        of.fields.iter().partition(|field| is_section(field, source) && !is_inline(field));
    table(&plain, page)?;
    for section in below {
        write_section(&format!("{path}."), section, source, page)?;
    }
    Ok(())
}

/// Whether the tables of the entry are written in its line.
fn is_inline(field: &Field) -> bool {
    matches!(field.kind, Kind::List(_)) || type_of(&field.kind) == "Field"
}

fn table(fields: &[&Field], page: &mut String) -> Result<(), Failure> {
    page.push_str("| entry | value | sets |\n|---|---|---|\n");
    for field in fields {
        let required = if field.is_required() { " **Required.**" } else { "" };
        let secret = if type_of(&field.kind) == "SecretText" { " *Secret.*" } else { "" };
        writeln!(
            page,
            "| `{}` | {} | {}{required}{secret} |",
            field.name,
            value(&field.kind),
            sentence(&field.doc)
        )?;
    }
    Ok(())
}

/// The kind of value, in words.
fn value(kind: &Kind) -> String {
    match kind {
        Kind::One(name) => match name.as_str() {
            "String" | "SecretText" => "text".to_owned(),
            "PathBuf" => "path".to_owned(),
            "bool" => "`true` or `false`".to_owned(),
            "u16" | "u32" | "u64" => "number".to_owned(),
            "Pointer" => "JSON pointer".to_owned(),
            "Field" => "JSON pointer, or `{ at, default }`".to_owned(),
            "FileWindow" => "`{ most, minutes }`".to_owned(),
            other => other.to_owned(),
        },
        Kind::List(inner) => format!("list: {}", value(inner)),
        Kind::Named(inner) => format!("by names: {}", value(inner)),
    }
}

/// A text as a sentence in the cell of a table.
fn sentence(text: &str) -> String {
    let text = text.trim().replace('|', "\\|");
    let end = if text.is_empty() || text.ends_with(['.', '…', ':']) { "" } else { "." };
    format!("{text}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_and_every_section_is_on_the_page() {
        let page = page().unwrap();
        for expected in [
            "| `--listen ADDRESS:PORT` | `INRESPONSE_LISTEN` | `listen` |",
            "| `--config FILE` | `INRESPONSE_CONFIG` | – |",
            "| `--ses` | `INRESPONSE_SES` | `ses` |",
            "\n### `[[keys]]`\n",
            "\n### `[command.NAME]`\n",
            "\n### `[intake.generic.NAME]`\n",
            "| `bot-token` | text |",
            "**Required.** *Secret.*",
        ] {
            assert!(page.contains(expected), "{expected} is not in:\n{page}");
        }
        let ses = page.lines().find(|line| line.contains("`--ses`")).unwrap();
        assert!(ses.contains("feature `aws`"), "{ses}");
        assert!(!page.contains(" |  |\n"), "an entry has no description:\n{page}");
    }
}
