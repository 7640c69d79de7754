//! Finds the text that people read in this tree: docs, comments, texts in the code, pages and mails.

use std::process::Command;

use crate::tools::{Failure, output, root};

/// The endings of the files that people read.
const READ: [&str; 11] = ["rs", "md", "html", "txt", "js", "css", "py", "toml", "yml", "yaml", "json"];
/// Files that others wrote, or that list the refused phrases.
const LEFT_OUT: [&str; 2] = ["inresponse-fuzz/corpus/", "xtask/words.txt"];

/// A text file of the tree.
pub(crate) struct File {
    /// The file's path from the root of the tree.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Every file that people read, in the order of their paths.
pub(crate) fn files() -> Result<Vec<File>, Failure> {
    let mut list = Command::new("git");
    let listed = output(list.args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut paths: Vec<&str> = listed.lines().filter(|path| is_read(path)).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::new();
    // A file that was deleted and not committed yet is still listed.
    for path in paths.into_iter().filter(|path| root().join(path).exists()) {
        let text = std::fs::read_to_string(root().join(path)).map_err(|e| format!("{path}: {e}"))?;
        files.push(File { path: path.to_owned(), text });
    }
    Ok(files)
}

fn is_read(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    READ.contains(&ending) && !LEFT_OUT.iter().any(|left_out| path.starts_with(left_out))
}

/// A text with the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Passage {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// The paragraphs, list items and table cells of Markdown, without code.
pub(crate) fn markdown<'a>(lines: impl IntoIterator<Item = (usize, &'a str)>) -> Vec<Passage> {
    let (mut passages, mut is_code, mut is_open) = (Vec::<Passage>::new(), false, false);
    for (line, text) in lines {
        let text = text.trim();
        if text.starts_with("```") {
            is_code = !is_code;
        }
        if is_code || text.is_empty() || text.starts_with("```") {
            is_open = false;
            continue;
        }
        if let Some(row) = text.strip_prefix('|') {
            passages.extend(row.split('|').map(|cell| Passage { line, text: cell.trim().to_owned() }));
            is_open = false;
            continue;
        }
        let item = text
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start_matches(['.', '-', '*', '#', '>']);
        let begins = item.len() < text.len() && item.starts_with(' ');
        match passages.last_mut() {
            Some(last) if is_open && !begins => {
                last.text.push(' ');
                last.text.push_str(text);
            }
            _ => {
                let text = if begins { item.trim_start() } else { text };
                passages.push(Passage { line, text: text.to_owned() });
                // A heading is one line.
                is_open = !item.is_empty();
            }
        }
        if text.starts_with('#') {
            is_open = false;
        }
    }
    passages
}

/// The texts of a template, without tags and without what the program fills in.
pub(crate) fn template(text: &str) -> Vec<Passage> {
    let mut passages = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let (mut shown, mut rest) = (String::new(), text);
        while let Some(start) = rest.find(['<', '{']) {
            shown.push_str(&rest[..start]);
            let ends = [("{{", "}}", "…"), ("{%", "%}", "\n"), ("<", ">", "\n")];
            let (_, end, instead) = ends
                .into_iter()
                .find(|(begin, ..)| rest[start..].starts_with(begin))
                .unwrap_or(("", "{", "{"));
            let Some(after) = rest[start..].find(end) else { break };
            shown.push_str(instead);
            rest = &rest[start + after + end.len()..];
        }
        shown.push_str(rest);
        passages.extend(shown.lines().map(|text| Passage { line, text: text.trim().to_owned() }));
    }
    passages
}

/// The doc comments and the string literals of Rust, up to its tests.
pub(crate) fn rust(source: &str) -> Vec<Passage> {
    let source = source.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut passages = Vec::new();
    let mut block: Vec<(usize, &str)> = Vec::new();
    for (line, text) in (1..).zip(source.lines()) {
        let text = text.trim_start();
        match text.strip_prefix("///").or_else(|| text.strip_prefix("//!")) {
            Some(text) => block.push((line, text)),
            None => passages.extend(markdown(block.drain(..))),
        }
    }
    passages.extend(markdown(block));
    passages.extend(literals(source));
    passages.sort();
    passages
}

/// The string literals of Rust.
fn literals(source: &str) -> Vec<Passage> {
    let (mut found, mut line) = (Vec::new(), 1);
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            // A quotation mark as a character.
            '\'' if chars.peek() == Some(&'"') => _ = chars.next(),
            '"' => {
                let (begins, mut text) = (line, String::new());
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    line += usize::from(c == '\n');
                    match c {
                        '\\' => match chars.next() {
                            Some('\n') => {
                                line += 1;
                                while let Some(c) = chars.next_if(|c| c.is_whitespace()) {
                                    line += usize::from(c == '\n');
                                }
                            }
                            Some('n' | 'r' | 't') | None => text.push(' '),
                            Some(c) => text.push(c),
                        },
                        c => text.push(c),
                    }
                }
                found.push(Passage { line: begins, text });
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(passages: Vec<Passage>) -> Vec<(usize, String)> {
        passages.into_iter().map(|passage| (passage.line, passage.text)).collect()
    }

    fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(text.lines())
    }

    #[test]
    fn paragraphs_items_and_cells_are_passages_and_code_is_none() {
        let text = "# A head\nOne\ntwo.\n\n- three\n  four\n- five\n\n| six | seven |\n\n```\nlet eight;\n```\n1. nine";
        let found = told(markdown(lines(text)));
        let expected = [
            (1, "A head"),
            (2, "One two."),
            (5, "three four"),
            (7, "five"),
            (9, "six"),
            (9, "seven"),
            (9, ""),
            (14, "nine"),
        ];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn comments_and_literals_of_rust_are_passages_up_to_its_tests() {
        let source = "//! One\n//! two.\n\n/// Three.\nfn f() { g(\"four \\\n    five\", '\"', \"si\\\"x\"); } // \"no\n\
                      #[cfg(test)]\nmod tests { const S: &str = \"seven\"; }";
        let found = told(rust(source));
        let expected = [(1, "One two."), (4, "Three."), (5, "four five"), (6, "si\"x")];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn tags_part_the_texts_of_a_template() {
        let found = told(template("<p>{{ n }} times <b>seen</b></p>\n{% if x %}none{% endif %}"));
        let found: Vec<_> = found.iter().filter(|(_, text)| !text.is_empty()).collect();
        assert_eq!(found, [&(1, "… times".to_owned()), &(1, "seen".to_owned()), &(2, "none".to_owned())]);
    }
}
