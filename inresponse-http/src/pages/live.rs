//! The live part of a page, which is kept up to date.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use askama::Template;
use inresponse_core::Outage;

/// The interval at which a stream asks the store.
pub(super) const PACE: Duration = Duration::from_secs(1);

/// The maximum age of the data that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// The data must be current.
    Fresh,
    /// The data may be what another reader got within the last [`PACE`], so that many live pages share one reading.
    Recent,
}

/// The live part of a page, which is kept up to date.
pub(super) struct Live {
    /// The HTML of the part.
    pub(super) html: String,
    /// A hash of the HTML, by which the browser tells whether the part has changed.
    pub(super) seen: String,
    /// The query that requests this part.
    pub(super) query: String,
}

impl Live {
    /// Renders the part that a query requests.
    pub(super) fn new(part: &impl Template, query: String) -> Result<Self, Outage> {
        let html = part.render().map_err(|e| Outage::permanent("a page cannot be rendered").because(e))?;
        let mut hasher = DefaultHasher::new();
        html.hash(&mut hasher);
        Ok(Self { html, seen: format!("{:x}", hasher.finish()), query })
    }
}
