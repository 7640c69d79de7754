//! The part of a page that is kept up to date.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use askama::Template;
use inresponse_core::Outage;

/// How often a stream asks the store.
pub(super) const PACE: Duration = Duration::from_secs(1);

/// How old the shown data may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// As it is now.
    Fresh,
    /// Data that another reader got within the last [`PACE`]: for many live pages at once.
    Recent,
}

/// A part of a page that is kept up to date.
pub(super) struct Live {
    /// The part.
    pub(super) html: String,
    /// Its name, by which an unchanged one is known.
    pub(super) seen: String,
    /// The query that asks for it.
    pub(super) query: String,
}

impl Live {
    /// What a query asks for, rendered.
    pub(super) fn new(part: &impl Template, query: String) -> Result<Self, Outage> {
        let html = part.render().map_err(|e| Outage::permanent("a page cannot be rendered").because(e))?;
        let mut hasher = DefaultHasher::new();
        html.hash(&mut hasher);
        Ok(Self { html, seen: format!("{:x}", hasher.finish()), query })
    }
}
