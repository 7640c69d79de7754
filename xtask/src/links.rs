//! Checks the links between the Markdown files of this tree: each leads to a file, and to a heading if it names one.

use std::collections::BTreeMap;

use crate::prose::files;
use crate::tools::{Failure, root};

/// A link in a Markdown file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The line of the file, from 1.
    pub(crate) line: usize,
    /// The bytes of the file that hold the target.
    pub(crate) place: std::ops::Range<usize>,
    /// The target as written.
    pub(crate) target: String,
}

impl Link {
    /// Whether the target is in this tree. All others have a scheme, or a placeholder.
    pub(crate) fn is_local(&self) -> bool {
        let scheme = self.target.split_once(':').map(|(scheme, _)| scheme);
        !scheme.is_some_and(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric()))
    }

    /// The path and the heading of the target. An empty path is the file itself.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        match self.target.split_once('#') {
            Some((path, heading)) => (path, Some(heading)),
            None => (&self.target, None),
        }
    }
}

/// Checks every Markdown file of the tree.
pub(crate) fn check() -> Result<(), Failure> {
    let pages: BTreeMap<String, String> = files()?
        .into_iter()
        .filter(|file| file.path.ends_with(".md"))
        .map(|file| (file.path, file.text))
        .collect();
    let exists = |path: &str| root().join(path).exists();
    let (mut checked, mut broken) = (0, Vec::new());
    for (path, text) in &pages {
        for link in links(text).into_iter().filter(Link::is_local) {
            checked += 1;
            if let Some(why) = fault(path, &link, &pages, exists) {
                broken.push(format!("{path}:{}: `{}`: {why}", link.line, link.target));
            }
        }
    }
    println!("{checked} links in {} Markdown files, {} of them broken", pages.len(), broken.len());
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n").into()) }
}

/// What is wrong with a link of the page at `path`, if anything is.
fn fault(
    path: &str,
    link: &Link,
    pages: &BTreeMap<String, String>,
    exists: impl Fn(&str) -> bool,
) -> Option<String> {
    let (target, heading) = link.parts();
    let Some(target) = beside(path, target) else { return Some("leads out of the tree".to_owned()) };
    if !exists(&target) {
        return Some(format!("there is no {target}"));
    }
    let heading = heading?;
    match pages.get(&target) {
        Some(text) if headings(text).iter().any(|other| other == heading) => None,
        Some(_) => Some(format!("{target} has no heading #{heading}")),
        None => Some(format!("{target} has no headings")),
    }
}

/// The path from the root that `target` means in the file at `path`; `None` if it leads out of the root.
pub(crate) fn beside(path: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(path.to_owned());
    }
    let mut steps: Vec<&str> = path.split('/').collect();
    steps.pop();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

/// The links, pictures and `src` attributes of a Markdown text, without those in code.
pub(crate) fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, start, plain) in without_code(text) {
        let mut add = |from: usize, end: &[char]| {
            let Some(length) = plain[from..].find(end) else { return };
            let target = plain[from..from + length].trim();
            if !target.is_empty() {
                let place = start + from..start + from + target.len();
                found.push(Link { line, place, target: target.to_owned() });
            }
        };
        for (at, opening) in plain.match_indices("](") {
            add(at + opening.len(), &[')', ' ']);
        }
        for (at, opening) in plain.match_indices("src=\"") {
            add(at + opening.len(), &['"']);
        }
    }
    found
}

/// The anchors of the headings of a Markdown text, as GitHub and mdBook make them.
pub(crate) fn headings(text: &str) -> Vec<String> {
    let (mut found, mut is_code) = (Vec::<String>::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let Some(title) = line[level..].strip_prefix(' ').filter(|_| (1..=6).contains(&level) && !is_code)
        else {
            continue;
        };
        let anchor = anchor(title);
        let same = found.iter().filter(|other| {
            let number =
                other.strip_prefix(anchor.as_str()).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let same = same.count();
        found.push(if same == 0 { anchor } else { format!("{anchor}-{same}") });
    }
    found
}

fn anchor(title: &str) -> String {
    let mut words = String::new();
    let mut rest = title.trim();
    // Of a link, only the text counts.
    while let Some((before, after)) = rest.split_once("](") {
        words.push_str(before);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    words.push_str(rest);
    let kept = words.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// The lines outside of code, with their numbers and their places in the text. Code in a line is blanked.
fn without_code(text: &str) -> Vec<(usize, usize, String)> {
    let (mut lines, mut is_code, mut start) = (Vec::new(), false, 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let is_fence = line.trim_start().starts_with("```");
        if !is_code && !is_fence {
            lines.push((number, start, blanked(line)));
        }
        is_code ^= is_fence;
        start += line.len();
    }
    lines
}

/// The line with as many spaces in place of its code, byte for byte.
fn blanked(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('`') {
        plain.push_str(before);
        let Some((code, after)) = after.split_once('`') else {
            plain.push('`');
            rest = after;
            break;
        };
        plain.push_str(&" ".repeat(code.len() + 2));
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| link.target).collect()
    }

    #[test]
    fn links_and_pictures_are_found_and_code_is_not_read() {
        let text = "See [keys](docs/keys.md#links) and ![a picture](a.png \"title\"), `[not](this.md)`.\n\
                    ```toml\n[nor](this.md)\n```\n<img src=\"b.png\" width=\"260\">\n[a](b.md) [c](#d)\n";
        assert_eq!(targets(text), ["docs/keys.md#links", "a.png", "b.png", "b.md", "#d"]);
        let first = links(text).remove(0);
        assert_eq!((first.line, &text[first.place.clone()]), (1, "docs/keys.md#links"));
        assert!(first.is_local());
        let outside = links("`…` [x](https://example.org/a#b) [y](mailto:jo@example.org)");
        assert!(outside.iter().all(|link| !link.is_local()), "{outside:?}");
    }

    #[test]
    fn anchors_are_made_as_github_makes_them() {
        let text = "# Routing rules\n## Why this team?\n```sh\n# a comment\n```\n### `--prune`, and [owners](o.md)\n\
                    ## Schedule\n## Schedule\n## Several servers on PostgreSQL\n";
        let expected = [
            "routing-rules",
            "why-this-team",
            "--prune-and-owners",
            "schedule",
            "schedule-1",
            "several-servers-on-postgresql",
        ];
        assert_eq!(headings(text), expected);
    }

    #[test]
    fn a_link_leads_to_a_file_and_to_a_heading_of_it() {
        let pages = [("docs/a.md", "# A\n"), ("docs/channels/b.md", "# B\n## Costs\n")];
        let pages = pages.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let exists = |path: &str| ["docs/a.md", "docs/channels/b.md", "docs/x.png", "docs"].contains(&path);
        let faults = |path: &str, target: &str| {
            let link = links(&format!("[x]({target})")).remove(0);
            fault(path, &link, &pages, exists)
        };
        for target in ["channels/b.md", "channels/b.md#costs", "x.png", "../docs", "#a", "./a.md"] {
            assert_eq!(faults("docs/a.md", target), None, "{target}");
        }
        assert_eq!(faults("docs/channels/b.md", "../a.md#a"), None);
        for (target, expected) in [
            ("b.md", "there is no docs/b.md"),
            ("channels/b.md#price", "docs/channels/b.md has no heading #price"),
            ("x.png#a", "docs/x.png has no headings"),
            ("../../a.md", "leads out of the tree"),
        ] {
            assert_eq!(faults("docs/a.md", target).as_deref(), Some(expected), "{target}");
        }
    }
}
