//! Builds the documentation as a site, with mdBook, and checks every link of its pages.
//!
//! The pages are the Markdown files that `docs/SUMMARY.md` lists. They are copied to `target/site/src` with the same paths
//! as in the tree, so their links between each other stay right. A link to anything else in the tree leads to the
//! repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::links::{self, Link, beside, links};
use crate::prose::files;
use crate::tools::{Failure, mdbook, root, run, target_dir};

const SUMMARY: &str = "docs/SUMMARY.md";
/// Where readers of the site find what is not a page of it.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// Checks the links of all Markdown files, builds the site, and checks the links of its pages.
pub(crate) fn check() -> Result<(), Failure> {
    links::check()?;
    let pages = staged()?;
    let site = target_dir().join("site");
    run(Command::new(mdbook()?).arg("build").arg(&site))?;
    let book = site.join("book");
    let made = html(&book)?;
    let broken = broken(&made, |path| book.join(path).exists());
    println!("{} pages of {}, {} broken links", pages, book.display(), broken.len());
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n").into()) }
}

/// Copies the pages and what they show to where mdBook reads them. Returns the number of pages.
fn staged() -> Result<usize, Failure> {
    let (site, read) = (target_dir().join("site"), |path: &str| std::fs::read_to_string(root().join(path)));
    let src = site.join("src");
    if src.exists() {
        std::fs::remove_dir_all(&src)?;
    }
    let summary = read(SUMMARY)?;
    let pages = pages(&summary)?;
    let files = files()?;
    let unlisted = files.iter().map(|file| file.path.as_str()).filter(|path| is_page(path));
    let unlisted: Vec<&str> = unlisted.filter(|path| !pages.contains(*path)).collect();
    if !unlisted.is_empty() {
        return Err(format!("{SUMMARY} does not list {}", unlisted.join(", ")).into());
    }
    for page in &pages {
        let text = read(page).map_err(|error| format!("{SUMMARY} lists {page}: {error}"))?;
        let is_shown = |path: &str| pages.contains(path) || is_copied(path);
        write(&src.join(on_site(page)), &with_links(&text, |link| leads(page, link, is_shown)))?;
    }
    let from_root = |link: &Link| on_site(&beside(SUMMARY, &link.target).unwrap_or_default());
    write(&src.join("SUMMARY.md"), &with_links(&summary, from_root))?;
    copy(&root().join("docs"), &src.join("docs"))?;
    std::fs::copy(root().join("docs/book.toml"), site.join("book.toml"))?;
    Ok(pages.len())
}

/// The files that the summary lists.
fn pages(summary: &str) -> Result<BTreeSet<String>, Failure> {
    let listed = links(summary).into_iter().map(|link| {
        beside(SUMMARY, &link.target).ok_or_else(|| format!("{SUMMARY}: `{}` is outside", link.target).into())
    });
    listed.collect()
}

/// Whether the summary must list the file.
fn is_page(path: &str) -> bool {
    path.starts_with("docs/") && path.ends_with(".md") && path != SUMMARY
}

/// Whether the file is part of the site without being a page: pictures, and configurations to download.
fn is_copied(path: &str) -> bool {
    path.starts_with("docs/") && path.contains('.') && !path.ends_with(".md") && path != "docs/book.toml"
}

/// Copies what is no page.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().ok_or("a file without a name")?;
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if path.extension().is_none_or(|ending| ending != "md") && name != "book.toml" {
            std::fs::create_dir_all(to)?;
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(path, text)?)
}

/// The text with other targets of its links.
fn with_links(text: &str, target: impl Fn(&Link) -> String) -> String {
    let (mut changed, mut from) = (String::with_capacity(text.len()), 0);
    let mut all = links(text);
    all.sort_by_key(|link| link.place.start);
    for link in all {
        changed.push_str(&text[from..link.place.start]);
        changed.push_str(&target(&link));
        from = link.place.end;
    }
    changed.push_str(&text[from..]);
    changed
}

/// The path of a page on the site. A folder's README is its index there, as mdBook wants it.
fn on_site(path: &str) -> String {
    path.strip_suffix("README.md").map_or_else(|| path.to_owned(), |folder| format!("{folder}index.md"))
}

/// Where a link of a page leads on the site.
fn leads(page: &str, link: &Link, is_shown: impl Fn(&str) -> bool) -> String {
    let (path, heading) = link.parts();
    let target = beside(page, path).filter(|_| link.is_local() && !path.is_empty());
    match (target, heading) {
        (Some(target), _) if !is_shown(&target) => format!("{REPOSITORY}/tree/HEAD/{target}"),
        (Some(_), Some(heading)) => format!("{}#{heading}", on_site(path)),
        (Some(_), None) => on_site(path),
        (None, _) => link.target.clone(),
    }
}

/// The text of every page of the site, by its path.
fn html(book: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let (mut made, mut folders) = (BTreeMap::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(book.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "html") {
                let text = std::fs::read_to_string(book.join(&path))?;
                made.insert(path.to_string_lossy().into_owned(), text);
            }
        }
    }
    // The page for addresses that do not exist has links from the root of the site.
    made.remove("404.html");
    Ok(made)
}

/// The links of these pages that lead nowhere.
fn broken(pages: &BTreeMap<String, String>, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for (page, text) in pages {
        for target in ["href=\"", "src=\""].iter().flat_map(|name| attributes(text, name)) {
            let link = Link { line: 0, place: 0..0, target: target.replace("%20", " ") };
            let (path, heading) = link.parts();
            if !link.is_local() || path.starts_with("//") {
                continue;
            }
            let found = beside(page, path).filter(|path| exists(path));
            let is_there = match (found, heading) {
                (Some(path), Some(heading)) if !heading.is_empty() => pages.get(&path).is_some_and(|text| {
                    text.contains(&format!("id=\"{heading}\""))
                        || text.contains(&format!("name=\"{heading}\""))
                }),
                (found, _) => found.is_some(),
            };
            if !is_there {
                broken.push(format!("{page}: `{target}` leads nowhere"));
            }
        }
    }
    broken.sort_unstable();
    broken.dedup();
    broken
}

/// The values of an attribute, which is named with its equals sign and quote.
fn attributes<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    text.split(name).skip(1).filter_map(|rest| rest.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_what_is_not_on_the_site_leads_to_the_repository() {
        let text = "[a](b.md#x), [code](../xtask/src), ![p](p.png), [up](../README.md), [w](https://example.org), [h](#h)";
        let is_shown = |path: &str| path == "docs/b.md" || path == "README.md" || is_copied(path);
        let expected = format!(
            "[a](b.md#x), [code]({REPOSITORY}/tree/HEAD/xtask/src), ![p](p.png), [up](../README.md), \
             [w](https://example.org), [h](#h)"
        )
        .replace("README.md", "index.md");
        assert_eq!(with_links(text, |link| leads("docs/a.md", link, is_shown)), expected);
    }

    #[test]
    fn the_summary_names_pages_beside_it_and_above_it() {
        let summary = "# Summary\n\n[Start](../README.md)\n- [Keys](keys.md)\n  - [ntfy](channels/ntfy.md)\n";
        let expected = ["README.md", "docs/channels/ntfy.md", "docs/keys.md"].map(str::to_owned);
        assert_eq!(pages(summary).unwrap(), BTreeSet::from(expected));
        assert!(is_page("docs/keys.md") && !is_page("docs/SUMMARY.md") && !is_page("README.md"));
    }

    #[test]
    fn a_broken_link_of_a_page_is_found() {
        let pages = [
            (
                "index.html",
                r##"<a href="docs/a.html#one">, <a href="docs/a.html#two">, <a href="https://x/y">"##,
            ),
            (
                "docs/a.html",
                r##"<h2 id="one"><a href="#one"></a></h2> <a href="../index.html"> <img src="b.png">"##,
            ),
        ];
        let pages = pages.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let exists = |path: &str| ["index.html", "docs/a.html"].contains(&path);
        let expected = ["docs/a.html: `b.png` leads nowhere", "index.html: `docs/a.html#two` leads nowhere"];
        assert_eq!(broken(&pages, exists), expected);
    }
}
