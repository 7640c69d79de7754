//! Escapes text for pages, so that it contains no markup and no invisible characters.

use std::fmt;

use askama::filters::{self, Escaper};
use inresponse_core::text::visible;

/// The escaper for HTML; see `askama.toml`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: fmt::Write>(&self, dest: W, string: &str) -> fmt::Result {
        filters::Html.write_escaped_str(dest, &visible(string))
    }
}
