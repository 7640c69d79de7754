//! A calendar feed of a schedule.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::InvalidInput;

/// A calendar feed of a schedule.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Where the calendar is fetched. It is a secret.
    pub url: String,
    /// Whether the feed lies below the layers or above them.
    #[serde(rename = "as")]
    pub role: FeedRole,
}

/// Where a feed lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FeedRole {
    /// Below the layers.
    Base,
    /// Above the layers and below the overrides.
    Override,
}

/// The id of a feed within its schedule. It does not reveal the URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedId(String);

impl Feed {
    /// The maximum length of a feed's URL, in bytes.
    pub const MAX_URL_BYTES: usize = 2000;

    /// The id of the feed within its schedule.
    pub fn id(&self) -> FeedId {
        let digest = Sha256::digest(self.url.as_bytes());
        FeedId(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The scheme and the host of the URL, which is enough for people who know the feed.
    pub fn masked(&self) -> String {
        let host = self.url.split_once("://").map(|(scheme, rest)| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            // A name and a password may stand before the host.
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/…")
        });
        host.unwrap_or_else(|| "…".to_owned())
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let rest = ["https://", "http://"].iter().find_map(|scheme| self.url.strip_prefix(scheme));
        match rest {
            None => Err("must begin with https:// or http://"),
            Some(rest) if rest.is_empty() || rest.starts_with('/') => Err("has no host"),
            Some(_) if self.url.len() > Self::MAX_URL_BYTES => Err("is too long"),
            Some(_) if self.url.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                Err("must not contain white space")
            }
            Some(_) => Ok(()),
        }
    }
}

/// A feed's URL is a secret.
impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("url", &self.masked()).field("role", &self.role).finish()
    }
}

impl FeedId {
    /// An id as a roster stored it.
    ///
    /// # Errors
    /// The text is not an id that [`Feed::id`] makes.
    pub fn new(text: &str) -> Result<Self, InvalidInput> {
        let is_id = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        if is_id { Ok(Self(text.to_owned())) } else { Err(InvalidInput::field("feed", "is not a feed's id")) }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
