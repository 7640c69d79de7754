//! What comes back over a channel, and who reads it.

use std::fmt::{self, Debug};

use async_trait::async_trait;

use crate::model::Scheme;
use crate::{Engine, Outage};

/// A request that came back over a channel, as it arrived.
#[derive(Clone, Copy)]
pub struct CameBack<'a> {
    /// The path below `/channels/`, for example `twilio/sms`.
    pub path: &'a str,
    /// The URL that the channel was told to call: the public URL, with the path and the query of the request. It may
    /// contain secrets. `None` if this deployment has no public URL.
    pub url: Option<&'a str>,
    /// The headers, with their names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl CameBack<'_> {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }
}

impl Debug for CameBack<'_> {
    /// Shows the path only: the rest contains secrets and what people wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CameBack").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The answer to a request of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A 200 with plain text.
    pub fn text(body: impl Into<String>) -> Self {
        Self { status: 200, content_type: "text/plain; charset=utf-8", body: body.into() }
    }

    /// A 403 for a request whose signature or secret is wrong.
    pub fn forbidden() -> Self {
        Self { status: 403, ..Self::text("the request is not from the channel") }
    }

    /// A 400 for a verified request that cannot be read.
    pub fn unreadable(what: impl Into<String>) -> Self {
        Self { status: 400, ..Self::text(what) }
    }
}

/// How an account of a channel is linked to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linking {
    /// The scheme of the account.
    pub scheme: Scheme,
    /// Where the person sends it, for example `to the bot in Telegram`.
    pub to: &'static str,
    /// What the person sends before the code, for example `/link`.
    pub command: &'static str,
}

/// Reads what comes back over a channel: verifies it, and gives it to [`Engine::answer`].
///
/// Verification and reading are pure functions beside the notifier of the channel. Anybody can send to these routes, so
/// verification comes first and costs little.
#[async_trait]
pub trait Channel: Debug + Send + Sync + 'static {
    /// The paths below `/channels/` that belong to the channel, for example `twilio/sms`.
    fn paths(&self) -> &'static [&'static str];

    /// How accounts of the channel are linked to people by a [code](crate::link_code), if they can be.
    fn linking(&self) -> Option<Linking> {
        None
    }

    /// Takes one request. A request that is not from the channel changes nothing and is [forbidden](Reply::forbidden).
    ///
    /// # Errors
    /// The store or the roster is unavailable; the channel may send the request again.
    async fn take(&self, engine: &Engine, came_back: CameBack<'_>) -> Result<Reply, Outage>;
}
