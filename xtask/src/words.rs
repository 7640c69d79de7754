//! Checks that no file contains a phrase of `words.txt`.

use crate::prose::files;
use crate::tools::{Failure, root};

/// A refused phrase, and what to write instead.
struct Rule {
    phrase: String,
    instead: String,
}

/// Checks every file that people read.
pub(crate) fn check() -> Result<(), Failure> {
    let rules = rules(&std::fs::read_to_string(root().join("xtask/words.txt"))?)?;
    let (files, mut found) = (files()?, Vec::new());
    for file in &files {
        for (line, rule) in hits(&file.text, &rules) {
            found.push(format!("{}:{line}: `{}`: write {}", file.path, rule.phrase, rule.instead));
        }
    }
    println!("{} files, {} phrases that xtask/words.txt refuses", files.len(), found.len());
    if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
}

/// Reads the list: each line that is not a comment is `phrase: what to write instead`.
fn rules(list: &str) -> Result<Vec<Rule>, Failure> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rule = |line: &str| match line.split_once(": ") {
        Some((phrase, instead)) => {
            Ok(Rule { phrase: phrase.trim().to_lowercase(), instead: instead.trim().to_owned() })
        }
        None => Err(Failure::from(format!("words.txt: `{line}` does not say what to write instead"))),
    };
    lines.map(rule).collect()
}

/// The lines on which a text contains a refused phrase.
fn hits<'a>(text: &str, rules: &'a [Rule]) -> Vec<(usize, &'a Rule)> {
    let flat = Flat::of(text);
    let mut hits = Vec::new();
    for rule in rules {
        for (place, _) in flat.text.match_indices(&rule.phrase) {
            let before = flat.text[..place].chars().next_back();
            let after = flat.text[place + rule.phrase.len()..].chars().next();
            let is_part = [before, after].into_iter().flatten().any(char::is_alphanumeric);
            // A literal that is nothing but the phrase is a name in stored data.
            let is_name = before == Some('"') && after == Some('"');
            if !is_part && !is_name {
                hits.push((flat.line_of(place), rule));
            }
        }
    }
    hits.sort_by_key(|(line, _)| *line);
    hits
}

/// A text as it is read: in lower case, joined over the ends of lines, without the marks of comments. Underscores
/// become spaces, so that the names of tests are read too.
#[derive(Default)]
struct Flat {
    text: String,
    /// The offset at which each line begins in the text.
    lines: Vec<usize>,
}

impl Flat {
    fn of(text: &str) -> Self {
        let mut flat = Self::default();
        for line in text.lines() {
            flat.lines.push(flat.text.len());
            let line = line.trim().trim_end_matches('\\');
            let line = line.trim_start_matches(['/', '!', '#', '*', '>', '-']);
            for c in line.chars().filter(|c| !matches!(c, '`' | '*')).chain([' ']) {
                let c = if c == '_' || c.is_whitespace() { ' ' } else { c };
                if c != ' ' || !flat.text.ends_with(' ') {
                    flat.text.extend(c.to_lowercase());
                }
            }
        }
        flat
    }

    fn line_of(&self, place: usize) -> usize {
        self.lines.partition_point(|begins| *begins <= place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_with_its_line_however_it_is_written() {
        let rules = rules("# a comment\n\nold thing: new thing\n").unwrap();
        for (text, lines) in [
            ("An old thing.", &[1][..]),
            ("one\n/// An Old\n/// thing, and an `old` thing\n", &[2, 3]),
            ("let text = \"an old \\\n    thing\";", &[1]),
            ("fn p01_an_old_thing_holds() {}", &[1]),
            ("> an *old*\n> thing", &[1]),
            ("rename = \"old thing\"", &[]),
            ("bold thing, old things, OldThing", &[]),
        ] {
            let found: Vec<_> = hits(text, &rules).iter().map(|(line, _)| *line).collect();
            assert_eq!(found, lines, "{text}");
        }
    }

    #[test]
    fn a_line_of_the_list_says_what_to_write_instead() {
        assert!(rules("old thing").is_err());
        assert!(rules(include_str!("../words.txt")).unwrap().len() > 10);
    }
}
