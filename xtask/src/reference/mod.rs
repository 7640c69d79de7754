//! Writes the pages of the reference from the source: every setting, and every metric. Tests compare the pages with what
//! would be written. The pages on HTTP and on commands are written by tests of the crates that know them.

mod metrics;
mod settings;
mod source;

use crate::tools::{Failure, cargo, root, run};

/// A page with the function that makes its text.
type Page = (&'static str, fn() -> Result<String, Failure>);

const PAGES: [Page; 2] =
    [("docs/reference/settings.md", settings::page), ("docs/reference/metrics.md", metrics::page)];

/// The crates with a test that compares a page, and the test. With [`WRITE`] in its environment, the test writes the page.
const ELSEWHERE: [(&str, &str); 2] = [
    ("inresponse-http", "the_page_on_http_lists_every_call"),
    ("inresponse-server", "the_page_on_commands_shows_the_help_of_each"),
];

/// Tells these tests to write their page.
const WRITE: &str = "INRESPONSE_WRITE_REFERENCE";

/// Writes every page of the reference.
pub(crate) fn write() -> Result<(), Failure> {
    for (path, text) in PAGES {
        std::fs::write(root().join(path), text()?)?;
        println!("wrote {path}");
    }
    for (krate, test) in ELSEWHERE {
        run(cargo().args(["test", "--locked", "-p", krate, "--lib", test]).env(WRITE, "1"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_the_reference_are_what_the_source_says() {
        for (path, text) in PAGES {
            let page = std::fs::read_to_string(root().join(path)).unwrap();
            assert!(
                page == text().unwrap(),
                "{path} is out of date: `cargo xtask reference` writes it again"
            );
        }
    }
}
