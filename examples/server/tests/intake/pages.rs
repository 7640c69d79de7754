//! The configurations that the pages in `docs/intake` show, taken as they stand.

use std::path::Path;

use crate::server::Server;

/// The n-th block of code of a page in that language.
pub(crate) fn block(page: &str, language: &str, nth: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/intake").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    let mut blocks = blocks.into_iter().filter(|(of, _)| of == language);
    blocks.nth(nth).unwrap_or_else(|| panic!("{page} has no block {nth} in {language:?}")).1
}

/// The same for a server that is elsewhere, and without TLS: nothing but its address is changed.
pub(crate) fn block_for(server: &Server, page: &str, language: &str, nth: usize) -> String {
    let address = server.url.strip_prefix("http://").unwrap();
    block(page, language, nth)
        .replace("https://alerts.example.org", &server.url)
        .replace("alerts.example.org", address)
        .replace("scheme: https", "scheme: http")
}
